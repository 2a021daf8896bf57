/* 25519.c: what needs no second engine: encodings and fixed powers modulo 2^255 - 19. */
#include "25519.h"
#include "bytes.h"
#include "spend.h"

#include <string.h>

/* One call of pc_crypto_spend() at least every so many squarings, each of about 110 instructions on a Cortex-M4. */
#define SQUARINGS 50u
#define SQUARING_COST 107u
#define REST_COST 2300u /* of a power, but for those calls */

void pc_25519_load(pc_fe r, const uint8_t bytes[32]) {
	for (unsigned i = 0; i < 8; i++, bytes += 4)
		r[i] = pc_load_le(bytes);
}

/* r + 19 * (r / 2^255) modulo 2^255: below 2^255 + 38. Then less p if that is not negative. */
static void reduce(pc_fe r, const pc_fe a) {
	uint64_t carry = (uint64_t)19 * (a[7] >> 31);
	for (unsigned i = 0; i < 8; i++) {
		carry += i == 7 ? a[7] & 0x7FFFFFFF : a[i];
		r[i] = (uint32_t)carry;
		carry >>= 32;
	}
	pc_fe less;
	carry = 19;
	for (unsigned i = 0; i < 8; i++) {
		carry += r[i];
		less[i] = (uint32_t)carry;
		carry >>= 32;
	}
	uint32_t mask = 0u - (less[7] >> 31); /* r + 19 reaches 2^255: r reaches p */
	less[7] &= 0x7FFFFFFF;
	for (unsigned i = 0; i < 8; i++)
		r[i] ^= (r[i] ^ less[i]) & mask;
}

void pc_25519_store(uint8_t bytes[32], const pc_fe a) {
	pc_fe r;
	reduce(r, a);
	for (unsigned i = 0; i < 32; i++)
		bytes[i] = (uint8_t)(r[i >> 2] >> 8 * (i & 3));
}

uint32_t pc_25519_is_zero(const pc_fe a) {
	pc_fe r;
	uint32_t any = 0;
	reduce(r, a);
	for (unsigned i = 0; i < 8; i++)
		any |= r[i];
	return ~(any | (0u - any)) >> 31;
}

static void square_often(pc_fe r, const pc_fe a, uint32_t n) {
	while (n) {
		uint32_t now = n < SQUARINGS ? n : SQUARINGS;
		pc_25519_sqr(r, a, now);
		pc_crypto_spent(now * SQUARING_COST + 150);
		a = r;
		n -= now;
	}
}

/* r = a^(2^250 - 1), a11 = a^11. */
static void power_250(pc_fe r, pc_fe a11, const pc_fe a) {
	pc_fe t, u;
	pc_25519_sqr(t, a, 1);   /* 2 */
	pc_25519_sqr(u, t, 2);   /* 8 */
	pc_25519_mul(u, u, a);   /* 9 */
	pc_25519_mul(a11, u, t); /* 11 */
	pc_25519_sqr(t, a11, 1); /* 22 */
	pc_25519_mul(t, t, u);   /* 2^5 - 1 */
	pc_25519_sqr(u, t, 5);   /* 2^10 - 2^5 */
	pc_25519_mul(t, u, t);   /* 2^10 - 1 */
	square_often(u, t, 10);
	pc_25519_mul(u, u, t); /* 2^20 - 1 */
	square_often(r, u, 20);
	pc_25519_mul(u, r, u); /* 2^40 - 1 */
	square_often(u, u, 10);
	pc_25519_mul(t, u, t); /* 2^50 - 1 */
	square_often(u, t, 50);
	pc_25519_mul(u, u, t); /* 2^100 - 1 */
	square_often(r, u, 100);
	pc_25519_mul(u, r, u); /* 2^200 - 1 */
	square_often(u, u, 50);
	pc_25519_mul(r, u, t); /* 2^250 - 1 */
}

void pc_25519_root_power(pc_fe r, const pc_fe a) {
	pc_fe t, a11, copy;
	memcpy(copy, a, sizeof copy);
	power_250(t, a11, copy);
	pc_25519_sqr(t, t, 2);
	pc_25519_mul(r, t, copy);
	pc_crypto_spent(REST_COST);
}

void pc_25519_invert(pc_fe r, const pc_fe a) {
	pc_fe t, a11;
	power_250(t, a11, a);
	pc_25519_sqr(t, t, 5);
	pc_25519_mul(r, t, a11);
	pc_crypto_spent(REST_COST);
}
