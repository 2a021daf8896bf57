/* plain.c: see plain.h. */
#include "plain.h"

#include <stdbool.h>
#include <string.h>

static uint8_t times_x(uint8_t a) {
	return (uint8_t)(a << 1 ^ (a & 0x80 ? 0x1B : 0));
}

static uint8_t times(uint8_t a, uint8_t b) {
	uint8_t product = 0;
	for (; b != 0; b >>= 1, a = times_x(a)) {
		product ^= b & 1 ? a : 0;
	}
	return product;
}

/* The S-box: inverse in GF(2^8), then the affine map (FIPS 197, 5.1.1). */
static uint8_t substitute(uint8_t value) {
	static uint8_t box[256];
	static bool made;
	if (!made) {
		for (unsigned a = 0; a < 256; a++) {
			uint8_t inverse = 1;
			for (unsigned i = 0; i < 254; i++) {
				inverse = times(inverse, (uint8_t)a);
			}
			uint8_t mapped = 0x63;
			for (unsigned i = 0; i < 5; i++) {
				mapped ^= (uint8_t)(inverse << i | inverse >> (8 - i));
			}
			box[a] = mapped;
		}
		made = true;
	}
	return box[value];
}

static uint8_t words[60][4]; /* the key schedule of the last key */

static void expand(const uint8_t *key, size_t key_size) {
	static uint8_t last[32];
	static size_t last_size;
	if (key_size == last_size && memcmp(key, last, key_size) == 0) {
		return;
	}
	memcpy(last, key, key_size);
	last_size = key_size;
	unsigned length = (unsigned)key_size / 4;
	memcpy(words, key, key_size);
	uint8_t round_constant = 1;
	for (unsigned i = length; i < 4 * (length + 7); i++) {
		uint8_t word[4];
		memcpy(word, words[i - 1], 4);
		if (i % length == 0) {
			uint8_t first = word[0];
			for (unsigned j = 0; j < 4; j++) {
				word[j] = substitute(j < 3 ? word[j + 1] : first);
			}
			word[0] ^= round_constant;
			round_constant = times_x(round_constant);
		} else if (length > 6 && i % length == 4) {
			for (unsigned j = 0; j < 4; j++) {
				word[j] = substitute(word[j]);
			}
		}
		for (unsigned j = 0; j < 4; j++) {
			words[i][j] = words[i - length][j] ^ word[j];
		}
	}
}

void plain_aes(const uint8_t *key, size_t key_size, const uint8_t in[16], uint8_t out[16]) {
	unsigned rounds = (unsigned)key_size / 4 + 6;
	expand(key, key_size);
	uint8_t state[16];
	for (unsigned i = 0; i < 16; i++) {
		state[i] = in[i] ^ words[i / 4][i % 4];
	}
	for (unsigned round = 1; round <= rounds; round++) {
		uint8_t shifted[16];
		for (unsigned i = 0; i < 16; i++) {
			shifted[i] = substitute(state[(i + 4 * (i % 4)) % 16]);
		}
		for (unsigned i = 0; i < 16; i++) {
			const uint8_t *column = shifted + (i & ~3u);
			uint8_t mixed =
				times(column[i % 4], 2) ^ times(column[(i + 1) % 4], 3) ^ column[(i + 2) % 4] ^ column[(i + 3) % 4];
			state[i] = (round < rounds ? mixed : shifted[i]) ^ words[4 * round + i / 4][i % 4];
		}
	}
	memcpy(out, state, 16);
}

static uint32_t rotate(uint32_t word, unsigned by) {
	return word >> by | word << (32 - by);
}

void plain_sha256(uint32_t state[8], const uint8_t block[64]) {
	static const uint32_t k[64] = {0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
		0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
		0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152,
		0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138,
		0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70,
		0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5,
		0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa,
		0xa4506ceb, 0xbef9a3f7, 0xc67178f2};
	uint32_t w[64];
	uint32_t v[8];
	for (unsigned i = 0; i < 64; i++) {
		if (i < 16) {
			const uint8_t *b = block + 4 * i;
			w[i] = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
		} else {
			uint32_t s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
			uint32_t s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
			w[i] = w[i - 16] + s0 + w[i - 7] + s1;
		}
	}
	memcpy(v, state, sizeof v);
	for (unsigned i = 0; i < 64; i++) {
		uint32_t s1 = rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25);
		uint32_t t1 = v[7] + s1 + ((v[4] & v[5]) ^ (~v[4] & v[6])) + k[i] + w[i];
		uint32_t s0 = rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22);
		uint32_t t2 = s0 + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
		memmove(v + 1, v, 7 * sizeof *v);
		v[4] += t1;
		v[0] = t1 + t2;
	}
	for (unsigned i = 0; i < 8; i++) {
		state[i] += v[i];
	}
}
