/*
 * p256-core.h: what p256.c builds on. Two implementations, of exactly the same functions: p256-armv7em.S (Cortex-M4,
 * M7 and M33 with DSP extension) and p256-portable.c (every other core).
 *
 * p = 2^256 - 2^224 + 2^192 + 2^96 - 1. A field element is eight 32-bit limbs, least significant first, always
 * reduced (0 <= a < p) and always in Montgomery form (a * 2^256 mod p), but for "canonical" below. Results may
 * overlap operands. All functions are constant-time: no branch and no address depends on data, except on the
 * arguments named public.
 */
#ifndef PERICARD_KERNELS_P256_CORE_H
#define PERICARD_KERNELS_P256_CORE_H

#include <stdint.h>

typedef uint32_t pc_p256_field[8];

/* Jacobian: (x / z^2, y / z^3); z = 0 is the point at infinity. */
typedef struct {
	pc_p256_field x, y, z;
} pc_p256_point;

/* Never the point at infinity. */
typedef struct {
	pc_p256_field x, y;
} pc_p256_affine;

/* d = a * b / 2^256. One of a, b may be any 256-bit number, the other below p. */
void pc_p256_mul(uint32_t d[8], const uint32_t a[8], const uint32_t b[8]);
/* d = a^2 / 2^256 */
void pc_p256_square(uint32_t d[8], const uint32_t a[8]);
void pc_p256_add(uint32_t d[8], const uint32_t a[8], const uint32_t b[8]);
void pc_p256_sub(uint32_t d[8], const uint32_t a[8], const uint32_t b[8]);

/* p = 2^times * p. Doubling has no exception: infinity stays, and no point has order 2. times >= 1 is public. */
void pc_p256_double(pc_p256_point *p, uint32_t times);

/*
 * p = p + q. Not for p at infinity. For p = q the result is (0, 0, 0); for p = -q it is infinity with x != 0, so that
 * a caller can tell them apart.
 */
void pc_p256_add_affine(pc_p256_point *p, const pc_p256_affine *q);

/*
 * Entry of a table of odd or signed multiples, read without a secret address. digit is in [0, 2 * count): from count
 * on it means entry digit - count, below it means the negative of entry count - 1 - digit. count is public, a power
 * of two, 2 to 16.
 */
void pc_p256_select(pc_p256_affine *out, const pc_p256_affine *table, uint32_t count, uint32_t digit);

/*
 * Thirty "divsteps" (see p256.c, invert()): state[0] is 2 * delta, state[1] and state[2] the low 32 bits of f and g.
 * Gives the matrix: 2^30 * f' = m[0] * f + m[1] * g and 2^30 * g' = m[2] * f + m[3] * g. f is not updated, 2 * delta
 * is.
 */
void pc_p256_divsteps(int32_t m[4], int32_t state[3]);

/*
 * With x = xy[0..8] and y = xy[9..17], both little-endian in base 2^30 with a signed top limb: x' = (m[0] * x + m[1]
 * * y + m[4] * n) / 2^30 and y' = (m[2] * x + m[3] * y + m[5] * n) / 2^30. Both are divided exactly. n may be NULL
 * (which is public), for 0.
 */
void pc_p256_combine(int32_t xy[18], const int32_t m[6], const int32_t n[9]);

/*
 * Montgomery multiplication modulo the order n: d + 2^256 * (returned carry) = a * b / 2^256 modulo n, and below 2n.
 * b is below n.
 */
uint32_t pc_p256_scalar_mul(uint32_t d[8], const uint32_t a[8], const uint32_t b[8]);

#endif
