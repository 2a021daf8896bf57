/*
 * frames.c: the frames of native/management as a filter, to be compared with another implementation.
 *
 * "receive N" takes the bytes of a line on standard input and writes the payload of each valid frame of at most N bytes as a
 * line of hexadecimal digits. "send" takes a payload and writes its frame.
 */
#include "management.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t input[1 << 20];

static void put(const uint8_t *data, size_t size) {
	fwrite(data, 1, size, stdout);
}

static void receive(const uint8_t *bytes, size_t size, size_t longest) {
	uint8_t *buffer = malloc(longest + MANAGEMENT_OVERHEAD);
	management_receiver receiver;
	management_begin(&receiver, buffer, longest + MANAGEMENT_OVERHEAD);
	while (size > 0) {
		bool frame;
		size_t taken = management_receive(&receiver, bytes, size, &frame);
		if (frame) {
			size_t length;
			const uint8_t *payload = management_payload(&receiver, &length);
			for (size_t i = 0; i < length; i++) {
				printf("%02x", payload[i]);
			}
			printf("\n");
		}
		bytes += taken;
		size -= taken;
	}
	free(buffer);
}

int main(int argc, char **argv) {
	size_t size = fread(input, 1, sizeof input, stdin);
	if (argc == 3 && strcmp(argv[1], "receive") == 0) {
		receive(input, size, (size_t)atoi(argv[2]));
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "send") == 0) {
		management_frame(
			&(management_parts){
				.head = input, .head_size = size / 3, .rest = input + size / 3, .rest_size = size - size / 3},
			put);
		return 0;
	}
	return 2;
}
