/*
 * field-p256.c: operations of what P-256 is made of: field, scalars, inversion, points. Takes the place of p256.c, whose
 * inner functions it calls.
 *
 * Numbers are 32 bytes, big-endian. Each function of two operands is also called with its result over either one.
 */
#include "driver.h"

#include "kernels/p256.c"

#include <string.h>

static void read_words(uint32_t d[8], bytes a) {
	expect(a.size == 32, "a number of 32 bytes");
	read_number(d, a.data);
}

static void give(const uint32_t *numbers, size_t count) {
	uint8_t *out = result(32 * count);
	for (size_t i = 0; i < count; i++) {
		write_number(out + 32 * i, numbers + 8 * i);
	}
}

typedef void binary(uint32_t *, const uint32_t *, const uint32_t *);

static const char *two(binary *f, const bytes *a) {
	uint32_t x[8], y[8], d[8], left[8], right[8];
	read_words(x, a[0]);
	read_words(y, a[1]);
	f(d, x, y);
	memcpy(left, x, sizeof left);
	f(left, left, y);
	memcpy(right, y, sizeof right);
	f(right, x, right);
	give(d, 1);
	return memcmp(left, d, sizeof d) == 0 && memcmp(right, d, sizeof d) == 0 ? "ok" : "another result in place";
}

static const char *field_mul(const bytes *a) {
	return two(pc_p256_mul, a);
}

static const char *field_add(const bytes *a) {
	return two(pc_p256_add, a);
}

static const char *field_sub(const bytes *a) {
	return two(pc_p256_sub, a);
}

static const char *order_mul(const bytes *a) {
	return two(scalar_mul, a);
}

static const char *field_square(const bytes *a) {
	uint32_t x[8], d[8];
	read_words(x, a[0]);
	pc_p256_square(d, x);
	pc_p256_square(x, x);
	give(d, 1);
	return memcmp(x, d, sizeof d) == 0 ? "ok" : "another result in place";
}

static const char *inverse(const bytes *a, const modulus *m) {
	uint32_t x[8], d[8];
	read_words(x, a[0]);
	invert(d, x, m);
	give(d, 1);
	return "ok";
}

static const char *field_invert(const bytes *a) {
	return inverse(a, &modulo_p);
}

static const char *order_invert(const bytes *a) {
	return inverse(a, &modulo_n);
}

/* x, y, z, how often */
static const char *point_double(const bytes *a) {
	pc_p256_point q;
	read_words(q.x, a[0]);
	read_words(q.y, a[1]);
	read_words(q.z, a[2]);
	pc_p256_double(&q, (uint32_t)number(a[3]));
	give(q.x, 3);
	return "ok";
}

/* x, y, z of one point, x, y of the other */
static const char *point_add(const bytes *a) {
	pc_p256_point q;
	pc_p256_affine other;
	read_words(q.x, a[0]);
	read_words(q.y, a[1]);
	read_words(q.z, a[2]);
	read_words(other.x, a[3]);
	read_words(other.y, a[4]);
	pc_p256_add_affine(&q, &other);
	give(q.x, 3);
	return "ok";
}

/* number of the table, count of entries, digit */
static const char *point_select(const bytes *a) {
	pc_p256_affine q;
	pc_p256_select(&q, comb[number(a[0])], (uint32_t)number(a[1]), (uint32_t)number(a[2]));
	give(q.x, 2);
	return "ok";
}

static void give_words(const int32_t *words, size_t count) {
	uint8_t *out = result(4 * count);
	for (size_t i = 0; i < count; i++) {
		for (unsigned k = 0; k < 4; k++) {
			out[4 * i + k] = (uint8_t)((uint32_t)words[i] >> (24 - 8 * k));
		}
	}
}

/* 2 delta, f, g, as words: matrix, 2 delta */
static const char *divsteps(const bytes *a) {
	int32_t out[5], state[3];
	for (unsigned i = 0; i < 3; i++) {
		state[i] = (int32_t)(uint32_t)number(a[i]);
	}
	pc_p256_divsteps(out, state);
	out[4] = state[0];
	give_words(out, 5);
	return "ok";
}

/* f, g, d, e, 2 delta: one round of invert(), in base 2^30 */
static const char *combine(const bytes *a) {
	uint32_t x[8];
	int32_t both[36], m[6], state[3] = {(int32_t)(uint32_t)number(a[4]), 0, 0};
	int32_t *fg = both, *de = both + 18;
	for (unsigned i = 0; i < 4; i++) {
		read_words(x, a[i]);
		to_base30(both + 9 * i, x);
	}
	state[1] = fg[0];
	state[2] = fg[9];
	pc_p256_divsteps(m, state);
	pc_p256_combine(fg, m, NULL);
	m[4] = clearing((uint32_t)m[0] * (uint32_t)de[0] + (uint32_t)m[1] * (uint32_t)de[9], &modulo_p);
	m[5] = clearing((uint32_t)m[2] * (uint32_t)de[0] + (uint32_t)m[3] * (uint32_t)de[9], &modulo_p);
	pc_p256_combine(de, m, modulo_p.value);
	give_words(both, 36);
	return "ok";
}

const operation p256_operations[] = {
	{"p256-field-mul", field_mul},
	{"p256-field-square", field_square},
	{"p256-field-add", field_add},
	{"p256-field-sub", field_sub},
	{"p256-field-invert", field_invert},
	{"p256-order-mul", order_mul},
	{"p256-order-invert", order_invert},
	{"p256-double", point_double},
	{"p256-add", point_add},
	{"p256-select", point_select},
	{"p256-divsteps", divsteps},
	{"p256-combine", combine},
	{NULL, NULL},
};
