/* sha256-portable.c: the compression function of SHA-256 (FIPS 180-4) for any core; the twin of sha256-armv7em.S. */
#include "sha256.h"
#include "bytes.h"
#include "twin.h"

#if !PC_KERNELS_ASSEMBLY

static const uint32_t constants[64] = {
	0x428A2F98, 0x71374491, 0xB5C0FBCF, 0xE9B5DBA5, 0x3956C25B, 0x59F111F1, 0x923F82A4, 0xAB1C5ED5, /* 0 */
	0xD807AA98, 0x12835B01, 0x243185BE, 0x550C7DC3, 0x72BE5D74, 0x80DEB1FE, 0x9BDC06A7, 0xC19BF174, /* 8 */
	0xE49B69C1, 0xEFBE4786, 0x0FC19DC6, 0x240CA1CC, 0x2DE92C6F, 0x4A7484AA, 0x5CB0A9DC, 0x76F988DA, /* 16 */
	0x983E5152, 0xA831C66D, 0xB00327C8, 0xBF597FC7, 0xC6E00BF3, 0xD5A79147, 0x06CA6351, 0x14292967, /* 24 */
	0x27B70A85, 0x2E1B2138, 0x4D2C6DFC, 0x53380D13, 0x650A7354, 0x766A0ABB, 0x81C2C92E, 0x92722C85, /* 32 */
	0xA2BFE8A1, 0xA81A664B, 0xC24B8B70, 0xC76C51A3, 0xD192E819, 0xD6990624, 0xF40E3585, 0x106AA070, /* 40 */
	0x19A4C116, 0x1E376C08, 0x2748774C, 0x34B0BCB5, 0x391C0CB3, 0x4ED8AA4A, 0x5B9CCA4F, 0x682E6FF3, /* 48 */
	0x748F82EE, 0x78A5636F, 0x84C87814, 0x8CC70208, 0x90BEFFFA, 0xA4506CEB, 0xBEF9A3F7, 0xC67178F2, /* 56 */
};

static uint32_t rotate(uint32_t x, unsigned n) {
	return x >> n | x << (32 - n);
}

/* One round; the caller moves the roles of the variables on. */
#define ROUND(a, b, c, d, e, f, g, h, i) \
	do { \
		h += (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + (((f ^ g) & e) ^ g) + k[i] + w[i]; \
		d += h; \
		h += (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ ((a ^ b) & c)); \
	} while (0)

#define EIGHT_ROUNDS(i) \
	do { \
		ROUND(a, b, c, d, e, f, g, h, i); \
		ROUND(h, a, b, c, d, e, f, g, i + 1); \
		ROUND(g, h, a, b, c, d, e, f, i + 2); \
		ROUND(f, g, h, a, b, c, d, e, i + 3); \
		ROUND(e, f, g, h, a, b, c, d, i + 4); \
		ROUND(d, e, f, g, h, a, b, c, i + 5); \
		ROUND(c, d, e, f, g, h, a, b, i + 6); \
		ROUND(b, c, d, e, f, g, h, a, i + 7); \
	} while (0)

void pc_sha256_blocks(uint32_t state[8], const uint8_t *data, size_t blocks) {
	for (; blocks; blocks--, data += 64) {
		uint32_t w[64];
		uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
		uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
		for (unsigned i = 0; i < 16; i++) {
			w[i] = pc_load_be(data + 4 * i);
		}
		for (unsigned i = 16; i < 64; i++) {
			uint32_t w2 = w[i - 2], w15 = w[i - 15];
			w[i] = w[i - 16] + (rotate(w15, 7) ^ rotate(w15, 18) ^ w15 >> 3) + w[i - 7] +
				   (rotate(w2, 17) ^ rotate(w2, 19) ^ w2 >> 10);
		}
		for (unsigned i = 0; i < 64; i += 8) {
			const uint32_t *k = constants;
			EIGHT_ROUNDS(i);
		}
		state[0] += a;
		state[1] += b;
		state[2] += c;
		state[3] += d;
		state[4] += e;
		state[5] += f;
		state[6] += g;
		state[7] += h;
	}
}

#endif
