/* stream.c: native/entropy/stream on this machine: `stream KEY COUNTER` prints a block, `stream SEED SIZE SIZE...` requests. */
#include "stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print(const void *data, size_t size) {
	for (size_t i = 0; i < size; i++) {
		printf("%02x", ((const uint8_t *)data)[i]);
	}
	printf("\n");
}

int main(int count, char **arguments) {
	uint8_t bytes[32];
	if (count < 4) {
		return 2;
	}
	for (size_t i = 0; i < sizeof bytes; i++) {
		unsigned value = 0;
		(void)sscanf(arguments[2] + 2 * i, "%2x", &value);
		bytes[i] = (uint8_t)value;
	}
	if (strcmp(arguments[1], "block") == 0) {
		uint32_t key[8], block[16];
		memcpy(key, bytes, sizeof key);
		pc_chacha20_block(key, (uint32_t)strtoul(arguments[3], NULL, 0), block);
		print(block, sizeof block);
		return 0;
	}
	pc_stream stream = {0};
	uint8_t none = 0;
	if (pc_stream_random(&stream, &none, 1)) {
		return 1; /* without a seed */
	}
	pc_stream_seed(&stream, bytes, (uint32_t)count - 3);
	for (int i = 3; i < count; i++) {
		size_t size = strtoul(arguments[i], NULL, 0);
		uint8_t *data = malloc(size + 1);
		if (!pc_stream_random(&stream, data, size)) {
			return 1;
		}
		print(data, size);
		free(data);
	}
	static const pc_stream empty;
	return pc_stream_random(&stream, &none, 1) ||
		   memcmp(&stream, &empty, sizeof stream) != 0; /* it has ended, and forgotten */
}
