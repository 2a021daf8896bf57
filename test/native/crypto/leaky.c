/*
 * leaky.c: what must not be done with a secret, for crypto-constant-time.test.ts to catch.
 */
#include "leaky.h"

#include "kernels/ghash.h"

#include <stddef.h>

/* Ends at the first byte that differs. */
uint32_t leaky_equal(const uint8_t *a, const uint8_t *b, uint32_t size) {
	for (uint32_t i = 0; i < size; i++) {
		if (a[i] != b[i]) {
			return 0;
		}
	}
	return 1;
}

/* A substitution by a table, as AES is often written. */
uint32_t leaky_table(const uint8_t *secret, uint32_t size) {
	static const uint8_t table[16] = {12, 5, 6, 11, 9, 0, 10, 13, 3, 14, 15, 8, 4, 7, 1, 2};
	uint32_t sum = 0;
	for (uint32_t i = 0; i < size; i++) {
		sum = sum * 5 + table[secret[i] & 15];
	}
	return sum;
}

/* A power by GHASH's multiplication, which is left out where a bit of the exponent is 0. */
void leaky_power(uint8_t y[16], const uint8_t h[16], const uint8_t *secret, uint32_t size) {
	static const uint8_t zeros[16];
	for (uint32_t i = 0; i < size * 8; i++) {
		if (secret[i / 8] >> (i % 8) & 1) {
			pc_ghash(y, h, zeros, sizeof zeros);
		}
	}
}
