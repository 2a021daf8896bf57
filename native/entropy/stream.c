/* stream.c: see stream.h. */
#include "stream.h"

#include <string.h>

#define BLOCK 64u

static inline uint32_t rotate(uint32_t x, unsigned count) {
	return x << count | x >> (32 - count);
}

#define QUARTER(a, b, c, d) \
	do { \
		a += b, d = rotate(d ^ a, 16); \
		c += d, b = rotate(b ^ c, 12); \
		a += b, d = rotate(d ^ a, 8); \
		c += d, b = rotate(b ^ c, 7); \
	} while (0)

void pc_chacha20_block(const uint32_t key[8], uint32_t counter, uint32_t block[16]) {
	uint32_t x[16] = {0x61707865, 0x3320646E, 0x79622D32, 0x6B206574, key[0], key[1], key[2], key[3], key[4], key[5],
		key[6], key[7], counter, 0, 0, 0};
	memcpy(block, x, sizeof x);
	for (int i = 0; i < 10; i++) {
		QUARTER(x[0], x[4], x[8], x[12]);
		QUARTER(x[1], x[5], x[9], x[13]);
		QUARTER(x[2], x[6], x[10], x[14]);
		QUARTER(x[3], x[7], x[11], x[15]);
		QUARTER(x[0], x[5], x[10], x[15]);
		QUARTER(x[1], x[6], x[11], x[12]);
		QUARTER(x[2], x[7], x[8], x[13]);
		QUARTER(x[3], x[4], x[9], x[14]);
	}
	for (int i = 0; i < 16; i++) {
		block[i] += x[i];
	}
}

/* Overwrites what held secrets. */
static void forget(void *data, size_t size) {
	memset(data, 0, size);
	__asm__ volatile("" : : "r"(data) : "memory");
}

void pc_stream_seed(pc_stream *stream, const uint8_t seed[PC_STREAM_SEED], uint32_t requests) {
	memcpy(stream->key, seed, PC_STREAM_SEED);
	stream->requests = requests;
}

bool pc_stream_random(pc_stream *stream, void *to, size_t size) {
	uint32_t block[16], next[8];
	uint8_t *out = to;
	if (stream->requests == 0) {
		return false;
	}
	pc_chacha20_block(stream->key, 0, block);
	memcpy(next, block, sizeof next);
	size_t used = sizeof next;
	for (uint32_t counter = 0; size > 0;) {
		size_t count = BLOCK - used < size ? BLOCK - used : size;
		memcpy(out, (const uint8_t *)block + used, count);
		out += count;
		size -= count;
		used = 0;
		if (size > 0) {
			pc_chacha20_block(stream->key, ++counter, block);
		}
	}
	memcpy(stream->key, next, sizeof next);
	if (--stream->requests == 0) {
		forget(stream->key, sizeof stream->key);
	}
	forget(block, sizeof block);
	forget(next, sizeof next);
	return true;
}
