/*
 * fuzz.c: libFuzzer target for the frames of the management link: any bytes, in pieces of any size.
 *
 * The same bytes go to one receiver in one go and to another in pieces: both must find the same frames. Then what was left
 * open is ended, and a valid frame of the input's own bytes must be found, whatever came before; the pace must let it by in
 * a bounded time.
 */
#include "management.h"

#include <stdlib.h>
#include <string.h>

#define PAYLOAD_MAX 128u

static void require(bool what) {
	if (!what) {
		abort();
	}
}

/* Frames found, one behind the other, each with its size before it. */
typedef struct {
	uint8_t *bytes;
	size_t size;
} found;

static void note(found *list, const management_receiver *receiver) {
	size_t size;
	const uint8_t *payload = management_payload(receiver, &size);
	require(size <= PAYLOAD_MAX);
	list->bytes = realloc(list->bytes, list->size + 1 + size);
	list->bytes[list->size] = (uint8_t)size;
	memcpy(list->bytes + list->size + 1, payload, size);
	list->size += 1 + size;
}

static void feed(management_receiver *receiver, const uint8_t *bytes, size_t size, found *list) {
	while (size > 0) {
		bool frame;
		size_t taken = management_receive(receiver, bytes, size, &frame);
		require(taken > 0 && taken <= size && (frame || taken == size));
		if (frame) {
			note(list, receiver);
		}
		bytes += taken;
		size -= taken;
	}
}

static uint8_t line[2 * (PAYLOAD_MAX + MANAGEMENT_OVERHEAD) + 2];
static size_t sent;

static void put(const uint8_t *data, size_t size) {
	require(size <= sizeof line - sent);
	memcpy(line + sent, data, size);
	sent += size;
}

static void pace(const uint8_t *data, size_t size) {
	management_pace state = {0};
	uint64_t now = 0, taken = 0, frames = 0;
	for (size_t i = 0; i + 1 < size; i += 2) {
		size_t allowed = management_allowed(&state, now, data[i]);
		require(allowed <= data[i]);
		if (allowed == 0) {
			uint64_t longest = (255 + MANAGEMENT_CHUNK) * MANAGEMENT_BYTE_US + MANAGEMENT_FRAME_US;
			require(data[i] == 0 || (state.next > now && state.next <= now + longest));
			now = state.next > now ? state.next : now;
			require(management_allowed(&state, now, 1) == 1);
		} else {
			bool frame = (data[i + 1] & 1) != 0;
			management_took(&state, allowed, frame);
			taken += allowed;
			frames += frame;
		}
		now += data[i + 1] * 16u;
		/* What has been taken never outruns the clock by more than what may be saved up, and the last step. */
		require(taken * MANAGEMENT_BYTE_US + frames * MANAGEMENT_FRAME_US <=
				now + 2 * MANAGEMENT_BURST_US + 256 * MANAGEMENT_BYTE_US + MANAGEMENT_FRAME_US);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	if (size == 0) {
		return 0;
	}
	/* The buffers are of exactly the size that they are said to have. */
	size_t capacity = MANAGEMENT_OVERHEAD + data[0] % (PAYLOAD_MAX + 1);
	uint8_t *once = malloc(capacity), *pieces = malloc(capacity);
	found all = {0}, parts = {0};
	management_receiver first, second;
	management_begin(&first, once, capacity);
	management_begin(&second, pieces, capacity);
	feed(&first, data, size, &all);
	for (size_t at = 0; at < size;) {
		size_t part = 1 + data[at] % 7;
		part = part < size - at ? part : size - at;
		feed(&second, data + at, part, &parts);
		at += part;
	}
	require(all.size == parts.size && (all.size == 0 || memcmp(all.bytes, parts.bytes, all.size) == 0));

	size_t length = size < capacity - MANAGEMENT_OVERHEAD ? size : capacity - MANAGEMENT_OVERHEAD;
	sent = 0;
	size_t head = size > 1 ? data[1] % (length + 1) : length;
	management_parts payload = {.head = data, .head_size = head, .rest = data + head, .rest_size = length - head};
	management_frame(&payload, put);
	require(sent == management_frame_size(&payload));
	parts.size = 0;
	feed(&second, line, sent, &parts);
	/* The END at the frame's beginning may have ended a valid one of the input's. */
	require(parts.size >= 1 + length && parts.bytes[parts.size - 1 - length] == length);
	require(memcmp(parts.bytes + parts.size - length, data, length) == 0);

	pace(data, size);
	free(all.bytes);
	free(parts.bytes);
	free(once);
	free(pieces);
	return 0;
}
