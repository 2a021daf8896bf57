/*
 * 25519-portable.c: arithmetic modulo p = 2^255 - 19 and the Montgomery ladder for any core; the twin of 25519-armv7em.S.
 *
 * Constant-time where the core multiplies 32 by 32 bits in constant time.
 */
#include "25519.h"
#include "spend.h"
#include "twin.h"

#if !PC_KERNELS_ASSEMBLY

#include <string.h>

#define STEPS_PER_CALL 5u
#define STEP_COST 1420u

/* The product c folded by 2^255 = 19 to a tight element. */
static void fold(pc_fe r, const uint32_t c[16]) {
	uint64_t top = (uint64_t)c[15] * 38 + c[7];
	uint64_t carry = (top >> 31) * 19;
	for (unsigned i = 0; i < 7; i++) {
		carry += (uint64_t)c[i + 8] * 38 + c[i];
		r[i] = (uint32_t)carry;
		carry >>= 32;
	}
	r[7] = (uint32_t)(top & 0x7FFFFFFF) + (uint32_t)carry;
}

/* (carry, c) = a * b + c + carry: the sum fits two words. */
#define MULTIPLY_ADD(c, a, b) \
	do { \
		uint64_t sum = (uint64_t)(a) * (b) + (c) + carry; \
		(c) = (uint32_t)sum; \
		carry = (uint32_t)(sum >> 32); \
	} while (0)

void pc_25519_mul(pc_fe r, const pc_fe a, const pc_fe b) {
	uint32_t c[16] = {0};
	for (unsigned i = 0; i < 8; i++) {
		uint32_t carry = 0, word = a[i], *to = c + i;
		MULTIPLY_ADD(to[0], word, b[0]);
		MULTIPLY_ADD(to[1], word, b[1]);
		MULTIPLY_ADD(to[2], word, b[2]);
		MULTIPLY_ADD(to[3], word, b[3]);
		MULTIPLY_ADD(to[4], word, b[4]);
		MULTIPLY_ADD(to[5], word, b[5]);
		MULTIPLY_ADD(to[6], word, b[6]);
		MULTIPLY_ADD(to[7], word, b[7]);
		to[8] = carry;
	}
	fold(r, c);
}

static void square(pc_fe r, const pc_fe a) {
	uint32_t c[16] = {0}, top = 0;
	/* Products of different words once, doubled when the squares are added. */
	for (unsigned i = 0; i < 7; i++) {
		uint32_t carry = 0, word = a[i];
		for (unsigned j = i + 1; j < 8; j++)
			MULTIPLY_ADD(c[i + j], word, a[j]);
		c[i + 8] = carry;
	}
	uint64_t carry = 0;
	for (unsigned i = 0; i < 8; i++) {
		uint64_t product = (uint64_t)a[i] * a[i];
		uint32_t low = c[2 * i], high = c[2 * i + 1];
		carry += (uint64_t)(low << 1 | top) + (uint32_t)product;
		c[2 * i] = (uint32_t)carry;
		carry = (carry >> 32) + (high << 1 | low >> 31) + (product >> 32);
		c[2 * i + 1] = (uint32_t)carry;
		carry >>= 32;
		top = high >> 31;
	}
	fold(r, c);
}

void pc_25519_sqr(pc_fe r, const pc_fe a, uint32_t n) {
	square(r, a);
	while (--n)
		square(r, r);
}

/* r += 38 * carry, twice, for a carry of 0 or 1 (a - b: of 0 or -1). */
void pc_25519_add(pc_fe r, const pc_fe a, const pc_fe b) {
	uint64_t carry = 0;
	for (unsigned i = 0; i < 8; i++) {
		carry += (uint64_t)a[i] + b[i];
		r[i] = (uint32_t)carry;
		carry >>= 32;
	}
	for (unsigned fold = 0; fold < 2; fold++) {
		carry *= 38;
		for (unsigned i = 0; i < 8; i++) {
			carry += r[i];
			r[i] = (uint32_t)carry;
			carry >>= 32;
		}
	}
}

void pc_25519_sub(pc_fe r, const pc_fe a, const pc_fe b) {
	uint64_t borrow = 0;
	for (unsigned i = 0; i < 8; i++) {
		borrow = (uint64_t)a[i] - b[i] - borrow;
		r[i] = (uint32_t)borrow;
		borrow = borrow >> 63;
	}
	for (unsigned fold = 0; fold < 2; fold++) {
		borrow *= 38;
		for (unsigned i = 0; i < 8; i++) {
			borrow = (uint64_t)r[i] - borrow;
			r[i] = (uint32_t)borrow;
			borrow = borrow >> 63;
		}
	}
}

static void mul_small(pc_fe r, const pc_fe a, uint32_t k) {
	uint32_t c[16] = {0};
	uint64_t carry = 0;
	for (unsigned i = 0; i < 8; i++) {
		carry += (uint64_t)a[i] * k;
		c[i] = (uint32_t)carry;
		carry >>= 32;
	}
	c[8] = (uint32_t)carry;
	fold(r, c);
}

void pc_25519_ladder(pc_fe state[4], const pc_fe x1, const uint32_t swaps[8]) {
	uint32_t *a = state[0], *b = state[1], *c = state[2], *d = state[3];
	pc_fe da, cb, aa, bb, e, t;
	for (unsigned i = 255; i-- > 0;) {
		uint32_t mask = 0u - (swaps[i >> 5] >> (i & 31) & 1);
		pc_25519_mul(da, d, a);
		pc_25519_mul(cb, c, b);
		/* DA and CB change places with the points, which neither x3 nor z3 shows: only what is doubled is selected. */
		for (unsigned j = 0; j < 8; j++) {
			a[j] ^= (a[j] ^ c[j]) & mask;
			b[j] ^= (b[j] ^ d[j]) & mask;
		}
		pc_25519_sqr(aa, a, 1);
		pc_25519_sqr(bb, b, 1);
		pc_25519_sub(e, aa, bb);
		mul_small(t, e, 121665);
		pc_25519_add(t, t, aa);
		pc_25519_mul(aa, aa, bb);
		pc_25519_mul(t, e, t);
		pc_25519_add(a, aa, t);
		pc_25519_sub(b, aa, t);
		pc_25519_add(e, da, cb);
		pc_25519_sqr(e, e, 1);
		pc_25519_sub(t, da, cb);
		pc_25519_sqr(t, t, 1);
		pc_25519_mul(t, t, x1);
		pc_25519_add(c, e, t);
		pc_25519_sub(d, e, t);
		if (i % STEPS_PER_CALL == 0)
			pc_crypto_spent(STEPS_PER_CALL * STEP_COST);
	}
}

/* ---- points ----------------------------------------------------------------------------------------------------- */

/* E, F, G, H of both formulas to the point. */
static void finish(pc_25519_point *p, const pc_fe e, const pc_fe f, const pc_fe g, const pc_fe h) {
	pc_25519_mul(p->x, e, f);
	pc_25519_mul(p->y, g, h);
	pc_25519_mul(p->z, f, g);
	pc_25519_mul(p->t, e, h);
}

void pc_25519_double(pc_25519_point *p, uint32_t n) {
	pc_fe e, f, g, h;
	for (; n; n--) {
		pc_25519_sqr(e, p->x, 1);
		pc_25519_sqr(f, p->y, 1);
		pc_25519_add(h, e, f);
		pc_25519_sub(g, e, f);
		pc_25519_add(e, p->x, p->y);
		pc_25519_sqr(e, e, 1);
		pc_25519_sub(e, h, e);
		pc_25519_sqr(f, p->z, 1);
		pc_25519_add(f, f, f);
		pc_25519_add(f, f, g);
		finish(p, e, f, g, h);
	}
}

void pc_25519_add_cached(pc_25519_point *p, const pc_25519_cached *q, uint32_t flags) {
	pc_fe a, b, c, d;
	pc_25519_sub(a, p->y, p->x);
	pc_25519_mul(a, a, q->difference);
	pc_25519_add(b, p->y, p->x);
	pc_25519_mul(b, b, q->sum);
	pc_25519_mul(c, p->t, q->t2d);
	if (flags & PC_25519_WITH_Z)
		pc_25519_mul(d, p->z, q->z2);
	else
		pc_25519_add(d, p->z, p->z);
	pc_fe e, f, g, h;
	pc_25519_sub(e, b, a);
	pc_25519_sub(f, d, c);
	pc_25519_add(g, d, c);
	pc_25519_add(h, b, a);
	finish(p, e, f, g, h);
}

void pc_25519_select(pc_25519_cached *out, const pc_25519_affine table[8], uint32_t digit) {
	static const pc_fe p = {0xFFFFFFED, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, 0x7FFFFFFF};
	uint32_t minus = 0u - (digit >> 3 & 1);
	memset(out, 0, sizeof *out);
	for (uint32_t i = 0; i < 8; i++) {
		uint32_t mask = ((i ^ (digit & 7)) - 1) >> 31;
		mask = 0u - mask;
		for (unsigned k = 0; k < 8; k++) {
			out->sum[k] |= table[i].sum[k] & mask;
			out->difference[k] |= table[i].difference[k] & mask;
			out->t2d[k] |= table[i].t2d[k] & mask;
		}
	}
	pc_fe less;
	pc_25519_sub(less, p, out->t2d);
	for (unsigned k = 0; k < 8; k++) {
		uint32_t swap = (out->sum[k] ^ out->difference[k]) & minus;
		out->sum[k] ^= swap;
		out->difference[k] ^= swap;
		out->t2d[k] ^= (out->t2d[k] ^ less[k]) & minus;
	}
}

#endif
