/*
 * ghash-portable.c: GHASH for any core; the twin of ghash-armv7em.S, with the same method (see there), one block at a time.
 */
#include "ghash.h"
#include "bytes.h"
#include "spend.h"
#include "twin.h"

#if !PC_KERNELS_ASSEMBLY

#include <stdint.h>

/* The product of two polynomials over GF(2) of degree below 32. Bits 4 apart never carry as far as the next. */
static uint64_t multiply(uint32_t a, uint32_t b) {
	const uint32_t a0 = a & 0x11111111, a1 = a & 0x22222222, a2 = a & 0x44444444, a3 = a & 0x88888888;
	const uint32_t b0 = b & 0x11111111, b1 = b & 0x22222222, b2 = b & 0x44444444, b3 = b & 0x88888888;
	uint64_t r0 = (uint64_t)a0 * b0 ^ (uint64_t)a1 * b3 ^ (uint64_t)a2 * b2 ^ (uint64_t)a3 * b1;
	uint64_t r1 = (uint64_t)a0 * b1 ^ (uint64_t)a1 * b0 ^ (uint64_t)a2 * b3 ^ (uint64_t)a3 * b2;
	uint64_t r2 = (uint64_t)a0 * b2 ^ (uint64_t)a1 * b1 ^ (uint64_t)a2 * b0 ^ (uint64_t)a3 * b3;
	uint64_t r3 = (uint64_t)a0 * b3 ^ (uint64_t)a1 * b2 ^ (uint64_t)a2 * b1 ^ (uint64_t)a3 * b0;
	return (r0 & 0x1111111111111111) | (r1 & 0x2222222222222222) | (r2 & 0x4444444444444444) |
		   (r3 & 0x8888888888888888);
}

/* c = a * b, by Karatsuba; a and b are two words. */
static void multiply2(uint32_t c[4], const uint32_t a[2], const uint32_t b[2]) {
	uint64_t low = multiply(a[0], b[0]), high = multiply(a[1], b[1]);
	uint64_t middle = multiply(a[0] ^ a[1], b[0] ^ b[1]) ^ low ^ high;
	c[0] = (uint32_t)low;
	c[1] = (uint32_t)(low >> 32) ^ (uint32_t)middle;
	c[2] = (uint32_t)high ^ (uint32_t)(middle >> 32);
	c[3] = (uint32_t)(high >> 32);
}

void pc_ghash(void *y, const void *h, const void *data, size_t len) {
	const uint8_t *from = data;
	uint8_t *to = y;
	uint32_t k[4], x[4];
	for (unsigned i = 0; i < 4; i++) {
		k[i] = pc_load_be((const uint8_t *)h + 12 - 4 * i);
		x[i] = pc_load_be(to + 12 - 4 * i);
	}
	/* GHASH's bit order is reversed, which makes a product of two come out too low by one bit: divide h by the variable. */
	uint32_t carry = 0u - (k[3] >> 31);
	for (unsigned i = 3; i > 0; i--)
		k[i] = k[i] << 1 | k[i - 1] >> 31;
	k[0] = k[0] << 1 ^ (carry & 1);
	k[3] ^= carry & 0xC2000000;
	while (len) {
		uint8_t block[16] = {0};
		size_t size = len < 16 ? len : 16;
		for (size_t i = 0; i < size; i++)
			block[i] = from[i];
		for (unsigned i = 0; i < 4; i++)
			x[i] ^= pc_load_be(block + 12 - 4 * i);
		const uint32_t xm[2] = {x[0] ^ x[2], x[1] ^ x[3]}, km[2] = {k[0] ^ k[2], k[1] ^ k[3]};
		uint32_t z[8], middle[4];
		multiply2(z, x, k);
		multiply2(z + 4, x + 2, k + 2);
		multiply2(middle, xm, km);
		for (unsigned i = 0; i < 4; i++)
			middle[i] ^= z[i] ^ z[i + 4];
		for (unsigned i = 0; i < 4; i++)
			z[i + 2] ^= middle[i];
		/* z[0..3] is what exceeds degree 127: 2^128 = 1 + v + v^2 + v^7, with v a shift to the right here. */
		for (unsigned i = 0; i < 4; i++) {
			uint32_t w = z[i];
			z[i + 4] ^= w ^ w >> 1 ^ w >> 2 ^ w >> 7;
			z[i + 3] ^= w << 31 ^ w << 30 ^ w << 25;
		}
		for (unsigned i = 0; i < 4; i++)
			x[i] = z[i + 4];
		from += size;
		len -= size;
		pc_crypto_spent(1200);
	}
	for (unsigned i = 0; i < 16; i++)
		to[i] = (uint8_t)(x[3 - (i >> 2)] >> (24 - 8 * (i & 3)));
}

#endif
