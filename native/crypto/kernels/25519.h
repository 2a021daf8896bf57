/*
 * 25519.h: arithmetic modulo p = 2^255 - 19, below x25519.c and ed25519.c. Twins of one interface:
 * 25519-armv7em.S and 25519-portable.c (twin.h).
 *
 * A field element is eight words, least significant first. Any value below 2^256 stands for its residue. All functions
 * take any such value and are constant-time; results may lie over arguments.
 */
#ifndef PERICARD_KERNELS_25519_H
#define PERICARD_KERNELS_25519_H

#include <stdint.h>

typedef uint32_t pc_fe[8];

/* Products, and 2^n-th powers (n from 1), come out "tight": below 2^255 + 2^231. */
void pc_25519_mul(pc_fe r, const pc_fe a, const pc_fe b);
void pc_25519_sqr(pc_fe r, const pc_fe a, uint32_t n);
void pc_25519_add(pc_fe r, const pc_fe a, const pc_fe b);
void pc_25519_sub(pc_fe r, const pc_fe a, const pc_fe b);

/*
 * 255 steps of the Montgomery ladder (RFC 7748, section 5) on points (X2:Z2) and (X3:Z3) whose difference is (x1:1), by
 * bits 254 to 0 of swaps: 1 exchanges the points before the step, which then doubles the first and adds them for the
 * second. state is X2+Z2, X2-Z2, X3+Z3, X3-Z3; on return the first two hold X2+Z2 and X2-Z2, tight no longer.
 */
void pc_25519_ladder(pc_fe state[4], const pc_fe x1, const uint32_t swaps[8]);

/* ---- points on the Edwards curve -x^2 + y^2 = 1 + d x^2 y^2 (edwards25519, RFC 8032) ------------------------------- */

/* (X : Y : Z) with x = X/Z, y = Y/Z, xy = T/Z. All coordinates tight. */
typedef struct {
	pc_fe x, y, z, t;
} pc_25519_point;

/* Summands in the form that pc_25519_add_cached() wants: y + x, y - x, 2dxy, all below p; and with Z a factor on each. */
typedef struct {
	pc_fe sum, difference, t2d;
} pc_25519_affine;

typedef struct {
	pc_fe sum, difference, t2d, z2; /* Y + X, Y - X, 2dT, 2Z */
} pc_25519_cached;

#define PC_25519_WITH_T 1u /* p->t is wanted: the next operation is an addition */
#define PC_25519_WITH_Z 2u /* q->z2 isn't 2 and is read */

/* p = 2^n p, n from 1. p->t isn't read, but is right afterwards. */
void pc_25519_double(pc_25519_point *p, uint32_t n);
/* p += q, for any points p and q, equal, opposite or neutral too. */
void pc_25519_add_cached(pc_25519_point *p, const pc_25519_cached *q, uint32_t flags);
/* out = table[digit & 7], less if digit & 8. Reads the whole table, so that no address depends on digit. z2 isn't set. */
void pc_25519_select(pc_25519_cached *out, const pc_25519_affine table[8], uint32_t digit);

/* ---- what both twins share (25519.c) ---------------------------------------------------------- */

/* 32 bytes, little-endian; all 256 bits are taken. */
void pc_25519_load(pc_fe r, const uint8_t bytes[32]);
/* The residue's one representative below p. */
void pc_25519_store(uint8_t bytes[32], const pc_fe a);
/* 1 if a is 0 modulo p, else 0. */
uint32_t pc_25519_is_zero(const pc_fe a);
/* a^(2^252 - 3) and a^(p - 2), which is 1/a, or 0 for 0. */
void pc_25519_root_power(pc_fe r, const pc_fe a);
void pc_25519_invert(pc_fe r, const pc_fe a);

/* ---- the base point (25519-base.c) --------------------------------------------------------------------------- */

extern const pc_fe pc_25519_d, pc_25519_2d, pc_25519_sqrt_minus_1;
/* Its order, 2^252 + c. */
extern const uint32_t pc_25519_order[8];

/*
 * Multiples of the base point B for a comb of 2 times 4 teeth, 32 bits apart: entry i of table j is 2^(128 j) times
 * 2^96 B + sum of +-2^(32 t) B over t from 0 to 2, with + where bit t of i is set.
 */
extern const pc_25519_affine pc_25519_comb[2][8];

/* The comb's digits of a scalar below 2^255: bit i of word k of out tells the sign of 2^(32 k + i), 1 for plus. */
void pc_25519_comb_digits(uint32_t out[8], const uint32_t scalar[8]);
/* The digit at bit i, 0 to 31, of table j, for pc_25519_select(). */
uint32_t pc_25519_comb_digit(const uint32_t digits[8], unsigned j, unsigned i);

/* p = scalar * B, for a scalar below 2^255; constant-time. */
void pc_25519_base(pc_25519_point *p, const uint32_t scalar[8]);

#endif
