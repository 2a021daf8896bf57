/*
 * p256-portable.c: the functions of p256-core.h in C11, for cores without p256-armv7em.S. Nothing is faster here than
 * it has to be; what matters is that both agree in every bit (test/field.c) and that neither leaks.
 *
 * Assumed: a 32 x 32 -> 64 bit multiplication takes the same time for all values, which isn't true of a Cortex-M3
 * (its long multiplications end early); shifts of negative numbers are arithmetic; the compiler leaves arithmetic
 * with masks as it is, which test/trace.c checks for the compiler at hand.
 */
#include "../peripherals/choice.h"
#include "p256-core.h"
#include "twin.h"

#if !PC_KERNELS_ASSEMBLY

#include <string.h>

static const uint32_t p[8] = {
	0xffffffff, 0xffffffff, 0xffffffff, 0x00000000, 0x00000000, 0x00000000, 0x00000001, 0xffffffff};

/* Masks are 0 or -1 (all ones). */

/* d = a + (p if mask is -1), modulo 2^256. */
static void add_p_if(uint32_t d[8], const uint32_t a[8], uint32_t mask) {
	uint64_t carry = 0;
	for (int i = 0; i < 8; i++) {
		carry += (uint64_t)a[i] + (p[i] & mask);
		d[i] = (uint32_t)carry;
		carry >>= 32;
	}
}

/* d = a - b, modulo 2^256. Returns -1 if that borrowed, else 0. */
static uint32_t subtract(uint32_t d[8], const uint32_t a[8], const uint32_t b[8]) {
	uint64_t borrow = 0;
	for (int i = 0; i < 8; i++) {
		uint64_t t = (uint64_t)a[i] - b[i] - borrow;
		d[i] = (uint32_t)t;
		borrow = t >> 63;
	}
	return 0u - (uint32_t)borrow;
}

/* d = (top:a) - p if that is not negative, else a; (top:a) < 2p. */
static void reduce_once(uint32_t d[8], const uint32_t a[8], uint32_t top) {
	uint32_t t[8];
	uint32_t borrow = subtract(t, a, p);
	add_p_if(d, t, borrow & (top - 1));
}

/*
 * Montgomery multiplication modulo n, a row of a at a time: operand scanning ("CIOS", Koc, Acar, Kaliski 1996). k is
 * -1 / n modulo 2^32. Returns the ninth limb of the result, which is not reduced. d may be a or b.
 */
static uint32_t multiply(uint32_t d[8], const uint32_t a[8], const uint32_t b[8], const uint32_t n[8], uint32_t k) {
	uint32_t t[9] = {0};
	for (int i = 0; i < 8; i++) {
		uint64_t x = (uint64_t)a[i] * b[0] + t[0];
		uint32_t m = (uint32_t)x * k;
		uint64_t y = (uint64_t)m * n[0] + (uint32_t)x;
		for (int j = 1; j < 8; j++) {
			x = (uint64_t)a[i] * b[j] + t[j] + (x >> 32);
			y = (uint64_t)m * n[j] + (uint32_t)x + (y >> 32);
			t[j - 1] = (uint32_t)y;
		}
		x = (x >> 32) + (y >> 32) + t[8];
		t[7] = (uint32_t)x;
		t[8] = (uint32_t)(x >> 32);
	}
	memcpy(d, t, 8 * sizeof *d);
	return t[8];
}

#if PC_ENGINE_ESP32C3 /* its accelerator multiplies; this stands in for it */
#include "../peripherals/esp32c3-mpi.h"

void pc_p256_mul_software(uint32_t d[8], const uint32_t a[8], const uint32_t b[8]) {
	uint32_t top = multiply(d, a, b, p, 1);
	reduce_once(d, d, top);
}

#else

void pc_p256_mul(uint32_t d[8], const uint32_t a[8], const uint32_t b[8]) {
	uint32_t top = multiply(d, a, b, p, 1);
	reduce_once(d, d, top);
}

void pc_p256_square(uint32_t d[8], const uint32_t a[8]) {
	pc_p256_mul(d, a, a);
}

#endif

void pc_p256_add(uint32_t d[8], const uint32_t a[8], const uint32_t b[8]) {
	uint32_t t[8];
	uint64_t carry = 0;
	for (int i = 0; i < 8; i++) {
		carry += (uint64_t)a[i] + b[i];
		t[i] = (uint32_t)carry;
		carry >>= 32;
	}
	reduce_once(d, t, (uint32_t)carry);
}

void pc_p256_sub(uint32_t d[8], const uint32_t a[8], const uint32_t b[8]) {
	uint32_t t[8];
	uint32_t borrow = subtract(t, a, b);
	add_p_if(d, t, borrow);
}

/* d = a / 2 */
static void halve(uint32_t d[8], const uint32_t a[8]) {
	uint32_t odd = 0u - (a[0] & 1);
	uint64_t carry = 0;
	uint32_t t[9];
	for (int i = 0; i < 8; i++) {
		carry += (uint64_t)a[i] + (p[i] & odd);
		t[i] = (uint32_t)carry;
		carry >>= 32;
	}
	t[8] = (uint32_t)carry;
	for (int i = 0; i < 8; i++)
		d[i] = t[i] >> 1 | t[i + 1] << 31;
}

/* See p256-armv7em.S for the formulas of this and the next function. */
void pc_p256_double(pc_p256_point *q, uint32_t times) {
	while (times--) {
		pc_p256_field a, b, t;
		pc_p256_square(t, q->z);
		pc_p256_sub(a, q->x, t);
		pc_p256_add(b, q->x, t);
		pc_p256_mul(t, a, b);
		halve(a, t);
		pc_p256_add(a, a, t);
		pc_p256_mul(q->z, q->y, q->z);
		pc_p256_square(t, q->y);
		pc_p256_mul(b, q->x, t);
		pc_p256_square(t, t);
		pc_p256_square(q->x, a);
		pc_p256_sub(q->x, q->x, b);
		pc_p256_sub(q->x, q->x, b);
		pc_p256_sub(b, b, q->x);
		pc_p256_mul(q->y, a, b);
		pc_p256_sub(q->y, q->y, t);
	}
}

void pc_p256_add_affine(pc_p256_point *q, const pc_p256_affine *other) {
	pc_p256_field h, r, t, v;
	pc_p256_square(t, q->z);
	pc_p256_mul(h, other->x, t);
	pc_p256_sub(h, h, q->x);
	pc_p256_mul(t, t, q->z);
	pc_p256_mul(r, other->y, t);
	pc_p256_sub(r, r, q->y);
	pc_p256_mul(q->z, q->z, h);
	pc_p256_square(t, h);
	pc_p256_mul(v, q->x, t);
	pc_p256_mul(h, h, t);
	pc_p256_mul(t, q->y, h);
	pc_p256_square(q->x, r);
	pc_p256_sub(q->x, q->x, h);
	pc_p256_sub(q->x, q->x, v);
	pc_p256_sub(q->x, q->x, v);
	pc_p256_sub(v, v, q->x);
	pc_p256_mul(q->y, r, v);
	pc_p256_sub(q->y, q->y, t);
}

void pc_p256_select(pc_p256_affine *out, const pc_p256_affine *table, uint32_t count, uint32_t digit) {
	uint32_t negative = 0u - ((digit - count) >> 31);
	uint32_t wanted = (digit ^ negative) & (count - 1);
	pc_p256_affine sum = {{0}, {0}};
	pc_p256_field minus;
	for (uint32_t entry = 0; entry < count; entry++) {
		uint32_t mask = 0u - (((entry ^ wanted) - 1) >> 31);
		for (int i = 0; i < 8; i++) {
			sum.x[i] |= table[entry].x[i] & mask;
			sum.y[i] |= table[entry].y[i] & mask;
		}
	}
	subtract(minus, p, sum.y);
	for (int i = 0; i < 8; i++)
		sum.y[i] ^= (sum.y[i] ^ minus[i]) & negative;
	*out = sum;
}

void pc_p256_divsteps(int32_t m[4], int32_t state[3]) {
	int32_t delta = state[0];
	uint32_t f = (uint32_t)state[1], g = (uint32_t)state[2];
	uint32_t u = 1, v = 0, q = 0, r = 1;
	for (int i = 0; i < 30; i++) {
		uint32_t odd = 0u - (g & 1);
		uint32_t swap = odd & (uint32_t)(-delta >> 31);
		/* (f, g) becomes (g, g - f), or (f, g + f), or stays. */
		g += ((f ^ swap) - swap) & odd;
		q += ((u ^ swap) - swap) & odd;
		r += ((v ^ swap) - swap) & odd;
		f += g & swap;
		u += q & swap;
		v += r & swap;
		delta = (int32_t)(((uint32_t)delta ^ swap) - swap + 2);
		g = (uint32_t)((int32_t)g >> 1);
		u <<= 1;
		v <<= 1;
	}
	state[0] = delta;
	m[0] = (int32_t)u;
	m[1] = (int32_t)v;
	m[2] = (int32_t)q;
	m[3] = (int32_t)r;
}

void pc_p256_combine(int32_t xy[18], const int32_t m[6], const int32_t n[9]) {
	int64_t x = 0, y = 0;
	for (int i = 0; i < 9; i++) {
		x += (int64_t)m[0] * xy[i] + (int64_t)m[1] * xy[9 + i];
		y += (int64_t)m[2] * xy[i] + (int64_t)m[3] * xy[9 + i];
		if (n) {
			x += (int64_t)m[4] * n[i];
			y += (int64_t)m[5] * n[i];
		}
		if (i) {
			xy[i - 1] = (int32_t)x & 0x3fffffff;
			xy[8 + i] = (int32_t)y & 0x3fffffff;
		}
		x >>= 30;
		y >>= 30;
	}
	xy[8] = (int32_t)x;
	xy[17] = (int32_t)y;
}

static const uint32_t order[8] = {
	0xfc632551, 0xf3b9cac2, 0xa7179e84, 0xbce6faad, 0xffffffff, 0xffffffff, 0x00000000, 0xffffffff};

uint32_t pc_p256_scalar_mul(uint32_t d[8], const uint32_t a[8], const uint32_t b[8]) {
	return multiply(d, a, b, order, 0xee00bc4f);
}

#endif
