/*
 * field-25519.c: operations of what X25519 and Ed25519 are made of: field, points, scalars. Takes the place of ed25519.c,
 * whose inner functions it calls.
 *
 * Numbers are 32 bytes, little-endian, as everything on this curve. Each function of two operands is also called with its
 * result over either one. Results come as they are, so that a test sees their bounds.
 */
#include "driver.h"

#include "kernels/ed25519.c"

#include <string.h>

static void read_words(uint32_t d[8], bytes a) {
	expect(a.size == 32, "a number of 32 bytes");
	pc_25519_load(d, a.data);
}

static void give(const uint32_t *numbers, size_t count) {
	uint8_t *out = result(32 * count);
	for (size_t i = 0; i < 32 * count; i++) {
		out[i] = (uint8_t)(numbers[i >> 2] >> 8 * (i & 3));
	}
}

typedef void binary(uint32_t *, const uint32_t *, const uint32_t *);

static const char *two(binary *f, const bytes *a) {
	pc_fe x, y, d, left, right;
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
	return two(pc_25519_mul, a);
}

static const char *field_add(const bytes *a) {
	return two(pc_25519_add, a);
}

static const char *field_sub(const bytes *a) {
	return two(pc_25519_sub, a);
}

/* a, how often */
static const char *field_square(const bytes *a) {
	pc_fe x, d;
	read_words(x, a[0]);
	pc_25519_sqr(d, x, (uint32_t)number(a[1]));
	pc_25519_sqr(x, x, (uint32_t)number(a[1]));
	give(d, 1);
	return memcmp(x, d, sizeof d) == 0 ? "ok" : "another result in place";
}

static const char *one_operand(void (*f)(uint32_t *, const uint32_t *), const bytes *a) {
	pc_fe x, d;
	read_words(x, a[0]);
	f(d, x);
	f(x, x);
	give(d, 1);
	return memcmp(x, d, sizeof d) == 0 ? "ok" : "another result in place";
}

static const char *field_invert(const bytes *a) {
	return one_operand(pc_25519_invert, a);
}

static const char *field_root(const bytes *a) {
	return one_operand(pc_25519_root_power, a);
}

/* The representative below p, and whether it is 0. */
static const char *field_store(const bytes *a) {
	pc_fe x;
	read_words(x, a[0]);
	uint8_t *out = result(33);
	pc_25519_store(out, x);
	out[32] = (uint8_t)pc_25519_is_zero(x);
	return "ok";
}

static void read_point_words(pc_25519_point *p, const bytes *a) {
	read_words(p->x, a[0]);
	read_words(p->y, a[1]);
	read_words(p->z, a[2]);
	read_words(p->t, a[3]);
}

/* X, Y, Z, T, how often: the same of the result */
static const char *point_double(const bytes *a) {
	pc_25519_point p;
	read_point_words(&p, a);
	pc_25519_double(&p, (uint32_t)number(a[4]));
	give(p.x, 4);
	return "ok";
}

/* X, Y, Z, T; Y + X, Y - X, 2dT in one, 2Z or none for 1; flags as far as the last is given */
static const char *point_add(const bytes *a) {
	pc_25519_point p;
	pc_25519_cached q;
	uint32_t flags = PC_25519_WITH_T;
	read_point_words(&p, a);
	memset(&q, 0x5a, sizeof q);
	read_words(q.sum, a[4]);
	read_words(q.difference, a[5]);
	read_words(q.t2d, a[6]);
	if (a[7].size > 0) {
		read_words(q.z2, a[7]);
		flags |= PC_25519_WITH_Z;
	}
	pc_25519_point without = p;
	pc_25519_add_cached(&p, &q, flags);
	pc_25519_add_cached(&without, &q, flags & ~PC_25519_WITH_T);
	give(p.x, 4);
	return memcmp(&p, &without, 3 * sizeof(pc_fe)) == 0 ? "ok" : "another result without T";
}

/* table, digit: sum, difference, 2dT */
static const char *point_select(const bytes *a) {
	pc_25519_cached q;
	pc_25519_select(&q, pc_25519_comb[number(a[0])], (uint32_t)number(a[1]));
	give(q.sum, 3);
	return "ok";
}

/* scalar below 2^255 */
static const char *point_base(const bytes *a) {
	pc_25519_point p;
	uint32_t k[8];
	read_words(k, a[0]);
	pc_25519_base(&p, k);
	give(p.x, 3);
	return "ok";
}

/* 64 bytes modulo the order */
static const char *order_reduce(const bytes *a) {
	scalar r;
	expect(a[0].size == 64, "a hash of 64 bytes");
	reduce_hash(r, a[0].data);
	give(r, 1);
	return "ok";
}

const operation curve25519_operations[] = {
	{"25519-field-mul", field_mul},
	{"25519-field-square", field_square},
	{"25519-field-add", field_add},
	{"25519-field-sub", field_sub},
	{"25519-field-invert", field_invert},
	{"25519-field-root", field_root},
	{"25519-field-store", field_store},
	{"25519-double", point_double},
	{"25519-add", point_add},
	{"25519-select", point_select},
	{"25519-base", point_base},
	{"25519-order-reduce", order_reduce},
	{NULL, NULL},
};
