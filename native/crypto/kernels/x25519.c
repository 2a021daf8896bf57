/* x25519.c: X25519 (RFC 7748) over 25519.h, and as a BearSSL curve implementation. */
#include "x25519.h"

#include <string.h>

#include "25519.h"

static void clamp(uint32_t s[8], const uint8_t scalar[32]) {
	pc_25519_load(s, scalar);
	s[0] &= ~7u;
	s[7] = (s[7] & 0x7FFFFFFF) | 0x40000000;
}

uint32_t pc_x25519_raw(uint8_t out[32], const uint8_t scalar[32], const uint8_t point[32]) {
	static const pc_fe minus_one = {0xFFFFFFEC, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, 0x7FFFFFFF};
	pc_fe state[4] = {{1}, {1}}, x1, swaps;
	uint32_t above = 0;
	/* Bit i of swaps: bit i of the scalar differs from bit i + 1. The points lie as at the start when all is done. */
	clamp(swaps, scalar);
	for (unsigned i = 8; i-- > 0;) {
		uint32_t word = swaps[i];
		swaps[i] ^= word >> 1 | above << 31;
		above = word;
	}
	pc_25519_load(x1, point);
	x1[7] &= 0x7FFFFFFF;
	pc_25519_add(state[2], x1, state[0]);
	pc_25519_add(state[3], x1, minus_one);
	pc_25519_ladder(state, x1, swaps);
	/* x = X2 / Z2; the sum and difference of the two give 2 * X2 and 2 * Z2. */
	pc_25519_add(x1, state[0], state[1]);
	pc_25519_sub(state[2], state[0], state[1]);
	pc_25519_invert(state[2], state[2]);
	pc_25519_mul(x1, x1, state[2]);
	pc_25519_store(out, x1);
	return 1 ^ pc_25519_is_zero(x1);
}

void pc_x25519_public_raw(uint8_t out[32], const uint8_t secret[32]) {
	static const uint8_t base[32] = {9};
	(void)pc_x25519_raw(out, secret, base);
}

/* ---- BearSSL ---------------------------------------------------------------------------------------------------- */

static const unsigned char *generator(int curve, size_t *len) {
	static const unsigned char base[32] = {9};
	(void)curve;
	*len = sizeof base;
	return base;
}

/* As in BearSSL: not the order, but what a scalar may have. */
static const unsigned char *order(int curve, size_t *len) {
	static const unsigned char mask[32] = {0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
		0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
		0xFF};
	(void)curve;
	*len = sizeof mask;
	return mask;
}

static size_t xoff(int curve, size_t *len) {
	(void)curve;
	*len = 32;
	return 0;
}

static uint32_t mul(unsigned char *G, size_t Glen, const unsigned char *x, size_t xlen, int curve) {
	uint8_t scalar[32] = {0};
	(void)curve;
	if (Glen != 32 || xlen > 32)
		return 0;
	memcpy(scalar, x, xlen);
	return pc_x25519_raw(G, scalar, G);
}

static size_t mulgen(unsigned char *R, const unsigned char *x, size_t xlen, int curve) {
	uint8_t scalar[32] = {0};
	(void)curve;
	if (xlen > 32)
		return 0;
	memcpy(scalar, x, xlen);
	pc_x25519_public_raw(R, scalar);
	return 32;
}

static uint32_t muladd(unsigned char *A, const unsigned char *B, size_t len, const unsigned char *x, size_t xlen,
	const unsigned char *y, size_t ylen, int curve) {
	(void)A, (void)B, (void)len, (void)x, (void)xlen, (void)y, (void)ylen, (void)curve;
	return 0;
}

const br_ec_impl pc_x25519_ec = {(uint32_t)1 << BR_EC_curve25519, generator, order, xoff, mul, mulgen, muladd};
