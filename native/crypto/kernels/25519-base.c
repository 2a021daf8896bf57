/* 25519-base.c: multiples of the base point, by a signed comb. */
#include "25519.h"
#include "spend.h"

#include <string.h>

/*
 * Method: Lim, Lee, "More flexible exponentiation with precomputation" (1994), with all digits 1 or -1 as in Hamburg, "Fast
 * and compact elliptic-curve cryptography" (2012): an odd s is the sum of +-2^i over i from 0 to 255, with minus where bit
 * i + 1 of s + 2^256 is 0. So no digit is zero, and no step of a multiplication is left out.
 */
void pc_25519_comb_digits(uint32_t out[8], const uint32_t scalar[8]) {
	uint32_t even =
		(scalar[0] & 1) - 1; /* all ones if even: add the order, which is odd and doesn't change the multiple */
	uint64_t carry = 0;
	for (unsigned i = 0; i < 8; i++) {
		carry += (uint64_t)scalar[i] + (pc_25519_order[i] & even);
		out[i] = (uint32_t)carry;
		carry >>= 32;
	}
	for (unsigned i = 0; i < 8; i++)
		out[i] = out[i] >> 1 | (i < 7 ? out[i + 1] : 1) << 31;
}

uint32_t pc_25519_comb_digit(const uint32_t digits[8], unsigned j, unsigned i) {
	const uint32_t *word = digits + 4 * j;
	uint32_t index = (word[0] >> i & 1) | (word[1] >> i & 1) << 1 | (word[2] >> i & 1) << 2;
	uint32_t minus = (word[3] >> i & 1) ^ 1;
	return (index ^ (7 & (0u - minus))) | minus << 3;
}

void pc_25519_base(pc_25519_point *p, const uint32_t scalar[8]) {
	uint32_t digits[8];
	pc_25519_cached q;
	pc_25519_comb_digits(digits, scalar);
	memset(p, 0, sizeof *p);
	p->y[0] = p->z[0] = 1;
	for (unsigned i = 32; i-- > 0;) {
		if (i != 31)
			pc_25519_double(p, 1);
		pc_25519_select(&q, pc_25519_comb[0], pc_25519_comb_digit(digits, 0, i));
		pc_25519_add_cached(p, &q, PC_25519_WITH_T);
		pc_25519_select(&q, pc_25519_comb[1], pc_25519_comb_digit(digits, 1, i));
		pc_25519_add_cached(p, &q, 0);
		pc_crypto_spent(4700);
	}
}
