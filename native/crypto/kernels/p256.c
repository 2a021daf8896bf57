/*
 * p256.c: see p256.h. The field and the steps with points are in p256-armv7em.S or p256-portable.c (p256-core.h).
 *
 * Literature: Cohen, Miyaji, Ono, "Efficient elliptic curve exponentiation using mixed coordinates" (1998); Lim, Lee,
 * "More flexible exponentiation with precomputation" (1994), with the signed digits of Hedabou, Pinel, Beneteau
 * (2004); Okeya, Takagi, "The width-w NAF method provides small memory and fast elliptic scalar multiplications
 * secure against side channel attacks" (2003), for odd digits without zero; Meloni, "New point addition formulae for
 * ECC applications" (2007); Bernstein, Yang, "Fast constant-time gcd computation and modular inversion" (2019).
 */
#include <stdbool.h>
#include <string.h>

#include "p256.h"
#include "p256-core.h"
#include "p256-table.h"
#include "bytes.h"
#include "spend.h"
#include "verdict.h"
#include "bearssl_hmac.h"

#define SIZE 32u       /* bytes of a scalar or coordinate */
#define POINT_SIZE 65u /* 04 X Y */

/* About how many instructions the steps between two calls of pc_crypto_spent() take on a Cortex-M4. */
enum {
	COST_DOUBLE = 1300,
	COST_ADD = 1800,
	COST_SELECT = 600,    /* of sixteen entries */
	COST_DIVSTEPS = 2000, /* sixty of them */
	COST_RECODE = 5000,
	COST_AUDIT = 12000
};

/* Not inlined, so that steps which follow one another share their stack. */
#ifdef __GNUC__
#define STEP __attribute__((noinline)) static
#else
#define STEP static
#endif

/* ---- integers of 256 bits --------------------------------------------------------------------------------------- */

static const uint32_t order[8] = {
	0xfc632551, 0xf3b9cac2, 0xa7179e84, 0xbce6faad, 0xffffffff, 0xffffffff, 0x00000000, 0xffffffff};
static const uint32_t prime[8] = {
	0xffffffff, 0xffffffff, 0xffffffff, 0x00000000, 0x00000000, 0x00000000, 0x00000001, 0xffffffff};

static const uint32_t unit[8] = {1};

static void read_number(uint32_t d[8], const uint8_t *bytes) {
	for (int i = 0; i < 8; i++) {
		d[i] = pc_load_be(bytes + 28 - 4 * i);
	}
}

static void write_number(uint8_t *bytes, const uint32_t a[8]) {
	for (int i = 0; i < 8; i++) {
		pc_store_be(bytes + 28 - 4 * i, a[i]);
	}
}

/* d = a - b. Returns -1 if a < b, else 0. */
static uint32_t subtract(uint32_t d[8], const uint32_t a[8], const uint32_t b[8]) {
	uint32_t borrow = 0;
	for (int i = 0; i < 8; i++) {
		uint64_t t = (uint64_t)a[i] - b[i] - borrow;
		d[i] = (uint32_t)t;
		borrow = (uint32_t)(t >> 63);
	}
	return 0u - borrow;
}

/* d = a + b. Returns the carry. */
static uint32_t add(uint32_t d[8], const uint32_t a[8], const uint32_t b[8]) {
	uint64_t t = 0;
	for (int i = 0; i < 8; i++) {
		t += (uint64_t)a[i] + b[i];
		d[i] = (uint32_t)t;
		t >>= 32;
	}
	return (uint32_t)t;
}

/* d = a if mask is -1; stays if mask is 0. */
static void replace_if(uint32_t *d, const uint32_t *a, size_t count, uint32_t mask) {
	for (size_t i = 0; i < count; i++)
		d[i] ^= (d[i] ^ a[i]) & mask;
}

/* -1 if a is zero, else 0. */
static uint32_t is_zero(const uint32_t a[8]) {
	uint32_t any = 0;
	for (int i = 0; i < 8; i++)
		any |= a[i];
	return ((any | (0u - any)) >> 31) - 1u;
}

static bool is_below(const uint32_t a[8], const uint32_t b[8]) {
	uint32_t t[8];
	return subtract(t, a, b) != 0;
}

/* d = (carry:a) modulo n, for (carry:a) < 2n. */
static void reduce(uint32_t d[8], const uint32_t a[8], uint32_t carry) {
	uint32_t t[8];
	uint32_t keep = subtract(t, a, order) & (carry - 1);
	for (int i = 0; i < 8; i++)
		d[i] = t[i] ^ ((t[i] ^ a[i]) & keep);
}

/* d = a * b / 2^256 modulo n, for b < n. */
static void scalar_mul(uint32_t d[8], const uint32_t a[8], const uint32_t b[8]) {
	uint32_t carry = pc_p256_scalar_mul(d, a, b);
	reduce(d, d, carry);
}

/* Any length with leading zeros is taken. False unless 1 <= value < n. */
static bool read_scalar(uint32_t d[8], const uint8_t *bytes, size_t size) {
	uint8_t last[SIZE] = {0};
	uint32_t excess = 0;
	for (; size > SIZE; size--)
		excess |= *bytes++;
	memcpy(last + SIZE - size, bytes, size);
	read_number(d, last);
	return !excess && is_below(d, order) && !is_zero(d);
}

/* ---- inversion -------------------------------------------------------------------------------------------------- */

/* Numbers of nine limbs in base 2^30, the top one signed. */
typedef struct {
	int32_t value[9];
	int32_t square[9]; /* 2^512 modulo the value */
	uint32_t inverse;  /* 1 / value modulo 2^30 */
} modulus;

static const modulus modulo_p = {
	{0x3fffffff, 0x3fffffff, 0x3fffffff, 0x0000003f, 0x00000000, 0x00000000, 0x00001000, 0x3fffc000, 0x0000ffff},
	{0x00000003, 0x00000000, 0x3ffffff0, 0x3ffffeff, 0x3ffffeff, 0x3fffffff, 0x3fffdfff, 0x00013fff, 0x00000000},
	0x3fffffff,
};
static const modulus modulo_n = {
	{0x3c632551, 0x0ee72b0b, 0x3179e84f, 0x39beab69, 0x3fffffbc, 0x3fffffff, 0x00000fff, 0x3fffc000, 0x0000ffff},
	{0x3e79eea2, 0x0c913256, 0x1bd6fa68, 0x265e6712, 0x2bec5946, 0x16c8e4ad, 0x15620284, 0x0b653cf6, 0x000066e1},
	0x11ff43b1,
};

/* Bit 30j is bit 32 - 2j of limb j - 1. */
static void to_base30(int32_t d[9], const uint32_t a[8]) {
	d[0] = (int32_t)(a[0] & 0x3fffffff);
	for (int j = 1; j < 8; j++)
		d[j] = (int32_t)((a[j - 1] >> (32 - 2 * j) | a[j] << 2 * j) & 0x3fffffff);
	d[8] = (int32_t)(a[7] >> 16);
}

static void from_base30(uint32_t d[8], const int32_t a[9]) {
	for (int i = 0; i < 8; i++)
		d[i] = (uint32_t)a[i] >> 2 * i | (uint32_t)a[i + 1] << (30 - 2 * i);
}

/* d = a + b * factor */
static void add_times(int32_t d[9], const int32_t a[9], const int32_t b[9], int32_t factor) {
	int64_t t = 0;
	for (int i = 0; i < 9; i++) {
		t += a[i] + (int64_t)b[i] * factor;
		d[i] = i < 8 ? (int32_t)t & 0x3fffffff : (int32_t)t;
		t >>= 30;
	}
}

/* The number in [-2^29, 2^29) that makes t + result * modulus divisible by 2^30. */
static int32_t clearing(uint32_t t, const modulus *m) {
	return (int32_t)((0u - t * m->inverse) << 2) >> 2;
}

/*
 * d = 2^512 / a, modulo m. For an a in Montgomery form that is 1 / a in Montgomery form. 0 gives 0.
 *
 * Bernstein and Yang's "safegcd": f = m and g = a shrink by divsteps until g = 0, thirty of them at a time as a
 * matrix of small numbers, which is applied to f, g and to d, e, with d * a = f * 2^512 and e * a = g * 2^512 modulo
 * m throughout. With delta starting at 1/2, 590 divsteps suffice for 256 bits (Wuille, Maxwell, O'Connor,
 * github.com/sipa/safegcd-bounds, 2021, with a proof in Coq); here are 600. f ends as the gcd, 1 or -1.
 *
 * d and e are divided by 2^30 after adding as much of m as that needs, at most half of 2^30 times m. So they grow by
 * m / 2 each time, to at most 11m, which nine limbs hold, and are brought into range once at the end.
 */
static void invert(uint32_t result[8], const uint32_t a[8], const modulus *m) {
	int32_t fg[18], de[18] = {0}, matrix[6], state[3] = {1, 0, 0};
	memcpy(fg, m->value, sizeof m->value);
	to_base30(fg + 9, a);
	memcpy(de + 9, m->square, sizeof m->square);
	for (int i = 0; i < 20; i++) {
		state[1] = fg[0];
		state[2] = fg[9];
		pc_p256_divsteps(matrix, state);
		pc_p256_combine(fg, matrix, NULL);
		uint32_t d = (uint32_t)de[0], e = (uint32_t)de[9];
		matrix[4] = clearing((uint32_t)matrix[0] * d + (uint32_t)matrix[1] * e, m);
		matrix[5] = clearing((uint32_t)matrix[2] * d + (uint32_t)matrix[3] * e, m);
		pc_p256_combine(de, matrix, m->value);
		if (i & 1)
			pc_crypto_spent(COST_DIVSTEPS);
	}
	/* d * f + (0 to 11) * m, estimated from the top limb so that one m too much is taken; then at most twice one more. */
	add_times(de, fg + 9, de, fg[8] | 1); /* g is 0 now */
	add_times(de, de, m->value, -(de[8] >> 16) - 1);
	add_times(de, de, m->value, (int32_t)((uint32_t)de[8] >> 31));
	add_times(de, de, m->value, (int32_t)((uint32_t)de[8] >> 31));
	from_base30(result, de);
}

/* ---- points ----------------------------------------------------------------------------------------------------- */

static const pc_p256_field one = {
	0x00000001, 0x00000000, 0x00000000, 0xffffffff, 0xffffffff, 0xffffffff, 0xfffffffe, 0x00000000};

/* Into Montgomery form; for any 256-bit number. */
static void to_field(pc_p256_field d, const uint32_t a[8]) {
	static const uint32_t square[8] = {/* 2^512 */
		0x00000003, 0x00000000, 0xffffffff, 0xfffffffb, 0xfffffffe, 0xffffffff, 0xfffffffd, 0x00000004};
	pc_p256_mul(d, a, square);
}

static void from_field(uint32_t d[8], const pc_p256_field a) {
	pc_p256_mul(d, a, unit);
}

/* y^2 = x^3 - 3x + b? */
static bool is_on_curve(const pc_p256_affine *q) {
	static const pc_p256_field b = {
		0x29c4bddf, 0xd89cdf62, 0x78843090, 0xacf005cd, 0xf7212ed6, 0xe5a220ab, 0x04874834, 0xdc30061d};
	pc_p256_field t, square;
	pc_p256_square(t, q->x);
	pc_p256_mul(t, t, q->x);
	for (int i = 0; i < 3; i++) {
		pc_p256_sub(t, t, q->x);
	}
	pc_p256_add(t, t, b);
	pc_p256_square(square, q->y);
	return !memcmp(t, square, SIZE);
}

/* False unless the bytes are 04 X Y with X, Y below p and the point is on the curve. */
static bool read_point(pc_p256_affine *q, const uint8_t *bytes, size_t size) {
	if (size != POINT_SIZE || bytes[0] != 4) {
		return false;
	}
	read_number(q->x, bytes + 1);
	read_number(q->y, bytes + 1 + SIZE);
	if (!is_below(q->x, prime) || !is_below(q->y, prime)) {
		return false;
	}
	to_field(q->x, q->x);
	to_field(q->y, q->y);
	return is_on_curve(q);
}

/* Not for infinity. */
static void to_affine(pc_p256_affine *q, const pc_p256_point *a) {
	pc_p256_field z, t;
	invert(z, a->z, &modulo_p);
	pc_p256_square(t, z);
	pc_p256_mul(q->x, a->x, t);
	pc_p256_mul(t, t, z);
	pc_p256_mul(q->y, a->y, t);
}

static void write_point(uint8_t *bytes, const pc_p256_affine *q) {
	uint32_t t[8];
	bytes[0] = 4;
	from_field(t, q->x);
	write_number(bytes + 1, t);
	from_field(t, q->y);
	write_number(bytes + 1 + SIZE, t);
}

static void from_affine(pc_p256_point *q, const pc_p256_affine *a) {
	memcpy(q->x, a->x, SIZE);
	memcpy(q->y, a->y, SIZE);
	memcpy(q->z, one, SIZE);
}

/* ---- scalars as digits ------------------------------------------------------------------------------------------ */

/*
 * A scalar k is written with the digits 1 and -1 only: k = sum of (2 s[i] - 1) 2^i for i = 0..top, where s are the
 * bits of (k + 2^(top + 1) - 1) / 2. That needs an odd k. For an even one the digits of n - k are taken and all signs
 * turned over; the multiple of a point is the same. A group of w neighbouring bits is then an odd digit between -(2^w
 * - 1) and 2^w - 1.
 */
static void recode(uint32_t signs[9], const uint32_t k[8], unsigned top) {
	uint32_t even = (k[0] & 1) - 1;
	subtract(signs, order, k);
	for (int i = 0; i < 8; i++)
		signs[i] ^= (signs[i] ^ k[i]) & ~even;
	for (int i = 0; i < 7; i++)
		signs[i] = signs[i] >> 1 | signs[i + 1] << 31;
	signs[7] >>= 1;
	signs[8] = 0;
	signs[top / 32] |= (uint32_t)1 << top % 32;
	for (int i = 0; i < 9; i++)
		signs[i] ^= even;
}

static uint32_t bit_at(const uint32_t *words, unsigned bit) {
	return words[bit / 32] >> bit % 32 & 1;
}

/* ---- multiples of the generator --------------------------------------------------------------------------------- */

/* The comb: five teeth, 52 bits apart; its 52 columns are in two tables of 26. */
enum { TEETH = 5, TABLES = 2, COLUMNS = 26, COMB_TOP = TEETH * TABLES * COLUMNS - 1, COMB_HALF = 1 << (TEETH - 1) };

static uint32_t comb_digit(const uint32_t signs[9], unsigned table, unsigned column) {
	uint32_t digit = 0;
	for (unsigned t = 0; t < TEETH; t++)
		digit |= bit_at(signs, t * TABLES * COLUMNS + table * COLUMNS + column) << t;
	return digit;
}

/* q = k * G for 1 <= k < n. tools/crypto/p256-comb.py --prove shows that no addition meets a special case. */
static void multiply_generator(pc_p256_point *q, const uint32_t k[8]) {
	uint32_t signs[9];
	pc_p256_affine t;
	recode(signs, k, COMB_TOP);
	for (unsigned column = COLUMNS; column--;) {
		for (unsigned table = TABLES; table--;) {
			pc_p256_select(&t, comb[table], COMB_HALF, comb_digit(signs, table, column));
			if (column == COLUMNS - 1 && table == TABLES - 1)
				from_affine(q, &t);
			else
				pc_p256_add_affine(q, &t);
			pc_crypto_spent(COST_ADD + COST_SELECT);
		}
		if (column) {
			pc_p256_double(q, 1);
			pc_crypto_spent(COST_DOUBLE);
		}
	}
}

/* ---- multiples of any point ------------------------------------------------------------------------------------- */

enum { WINDOW = 4, MULTIPLES = 1 << (WINDOW - 1) };

/*
 * table[i] = (2i + 1) * q. The multiples are made one from another by adding 2q, in Meloni's way: both operands share
 * their z, and 2q is carried along to the z of the sum. Each z is the one before times h[i], so that one inversion
 * serves all.
 */
STEP void odd_multiples(pc_p256_affine table[MULTIPLES], const pc_p256_affine *q) {
	pc_p256_field h[MULTIPLES], z, s, t, u;
	pc_p256_affine twice;
	/* 2q = (m^2 - 2s, m (s - x') - 8y^4) with m = 3 (x^2 - 1), s = 4xy^2, z = 2y; and q = (s, 8y^4) with the same z. */
	pc_p256_add(z, q->y, q->y);
	pc_p256_square(t, z);
	pc_p256_mul(table[1].x, q->x, t);
	pc_p256_mul(t, q->y, z);
	pc_p256_square(t, t);
	pc_p256_add(table[1].y, t, t);
	pc_p256_square(t, q->x);
	pc_p256_sub(t, t, one);
	pc_p256_add(u, t, t);
	pc_p256_add(u, u, t);
	pc_p256_square(twice.x, u);
	pc_p256_sub(twice.x, twice.x, table[1].x);
	pc_p256_sub(twice.x, twice.x, table[1].x);
	pc_p256_sub(t, table[1].x, twice.x);
	pc_p256_mul(twice.y, u, t);
	pc_p256_sub(twice.y, twice.y, table[1].y);

	for (int i = 1; i < MULTIPLES; i++) {
		const pc_p256_affine *b = &table[i > 1 ? i - 1 : 1];
		pc_p256_sub(h[i], twice.x, b->x);
		pc_p256_mul(z, z, h[i]);
		pc_p256_sub(u, twice.y, b->y);
		pc_p256_square(s, h[i]);
		pc_p256_mul(t, b->x, s);
		pc_p256_mul(twice.x, twice.x, s);
		pc_p256_square(table[i].x, u);
		pc_p256_sub(table[i].x, table[i].x, twice.x);
		pc_p256_sub(table[i].x, table[i].x, t);
		pc_p256_sub(t, twice.x, t);
		pc_p256_mul(twice.y, twice.y, t);
		pc_p256_sub(t, twice.x, table[i].x);
		pc_p256_mul(table[i].y, u, t);
		pc_p256_sub(table[i].y, table[i].y, twice.y);
		pc_crypto_spent(COST_ADD);
	}

	invert(z, z, &modulo_p);
	for (int i = MULTIPLES; --i;) {
		pc_p256_square(t, z);
		pc_p256_mul(table[i].x, table[i].x, t);
		pc_p256_mul(t, t, z);
		pc_p256_mul(table[i].y, table[i].y, t);
		pc_p256_mul(z, z, h[i]);
		pc_crypto_spent(COST_ADD / 2);
	}
	table[0] = *q;
}

/*
 * q = k * q for 1 <= k < n.
 *
 * Before an addition the sum is s * q with |s| >= 16, the digit |d| <= 15. So s = d or s = -d modulo n takes |s| +
 * |d| >= n, which is in the last step only, where s + d is k or n - k, whichever is odd. It isn't 0, so s = -d is
 * out. s = d means that it is 2d modulo n, n - 2|d| as it is odd; with n = 17 modulo 32 the last digit of that is
 * -|d| for d = -1 only. So for k = 2 and k = n - 2 the last step is a doubling. It is always computed, and taken when
 * the addition gave (0, 0, 0).
 */
static void multiply(pc_p256_affine *q, const uint32_t k[8]) {
	pc_p256_affine table[MULTIPLES], t;
	pc_p256_point sum, twice;
	uint32_t signs[9];
	recode(signs, k, 255);
	odd_multiples(table, q);
	for (unsigned i = 256 / WINDOW; i--;) {
		uint32_t digit = signs[i / 8] >> i % 8 * WINDOW & (2 * MULTIPLES - 1);
		pc_p256_select(&t, table, MULTIPLES, digit);
		if (i == 256 / WINDOW - 1) {
			from_affine(&sum, &t);
			continue;
		}
		pc_p256_double(&sum, WINDOW);
		pc_crypto_spent(WINDOW * COST_DOUBLE + COST_SELECT / 2);
		pc_p256_add_affine(&sum, &t);
		pc_crypto_spent(COST_ADD);
	}
	from_affine(&twice, &t);
	pc_p256_double(&twice, 1);
	replace_if((uint32_t *)&sum, (uint32_t *)&twice, sizeof sum / sizeof(uint32_t), is_zero(sum.x) & is_zero(sum.z));
	to_affine(q, &sum);
}

/* ---- with public numbers ---------------------------------------------------------------------------------------- */

static bool is_public_zero(const uint32_t a[8]) {
	int i = 0;
	while (i < 8 && !a[i]) {
		i++;
	}
	return i == 8;
}

/* Not 0 if a isn't; reads all of it, whatever the compiler knows. */
static uint32_t any(const volatile uint32_t a[8]) {
	uint32_t bits = 0;
	for (int i = 0; i < 8; i++) {
		bits |= a[i];
	}
	return bits;
}

/*
 * Sums modulo 2^32 - 1 of whatever is done to multiples of points: the same steps with numbers. What a sum must come to
 * is known, so steps that were left out, done twice, or not reached, show (audit()).
 */
static uint32_t plus(uint32_t a, uint32_t b) {
	uint32_t sum = a + b;
	return sum + (sum < a);
}

/* 2^times * a, times from 1 to 31. */
static uint32_t times_power(uint32_t a, uint32_t times) {
	return a << times | a >> (32 - times);
}

/* 2^32 is 1 here. */
static uint32_t residue(const uint32_t k[8]) {
	uint32_t sum = 0;
	for (int i = 0; i < 8; i++) {
		sum = plus(sum, k[i]);
	}
	return sum;
}

static bool is_same_residue(uint32_t a, uint32_t b) {
	return plus(a, ~b) + 1 < 2; /* 0 and 2^32 - 1 are the same */
}

/* What an entry of a comb's table is a multiple of the generator by. */
static uint32_t comb_residue(unsigned table, uint32_t digit) {
	uint32_t sum = 0;
	for (unsigned t = 0; t < TEETH; t++) {
		uint32_t weight = (uint32_t)1 << (t * TABLES + table) * COLUMNS % 32;
		sum = plus(sum, digit >> t & 1 ? weight : ~weight);
	}
	return sum;
}

/* k * a + l * G under way. */
typedef struct {
	pc_p256_affine table[MULTIPLES]; /* of a */
	pc_p256_point sum;
	uint32_t of_a, of_generator; /* the factors of the sum so far, modulo 2^32 - 1 */
	uint32_t wrong;              /* not 0: it came to where it must not */
} interleaving;

/* q = q + a, whatever they are. */
static void add_any(pc_p256_point *q, const pc_p256_affine *a, uint32_t *wrong) {
	if (is_public_zero(q->z)) {
		*wrong |= any(q->z); /* or all that was added so far would be forgotten */
		from_affine(q, a);
		return;
	}
	pc_p256_add_affine(q, a);
	if (is_public_zero(q->z) && is_public_zero(q->x)) {
		*wrong |= any(q->z) | any(q->x);
		from_affine(q, a);
		pc_p256_double(q, 1);
	}
	pc_crypto_spent(COST_ADD);
}

/* Adds an entry of a table, with digits as pc_p256_select() has them. */
static void add_entry(interleaving *w, const pc_p256_affine *table, uint32_t count, uint32_t digit) {
	if (digit >= count) {
		add_any(&w->sum, &table[digit - count], &w->wrong);
	} else {
		pc_p256_affine t = table[count - 1 - digit];
		subtract(t.y, prime, t.y);
		add_any(&w->sum, &t, &w->wrong);
	}
}

/*
 * Digits of the width-5 non-adjacent form: 0, or odd and at most 15 in absolute value, at least four zeros between
 * others. One can lie above the top bit of k.
 */
static void recode_sparse(int8_t digits[257], const uint32_t k[8]) {
	int carry = 0;
	memset(digits, 0, 257);
	for (unsigned i = 0; i < 257;) {
		if ((i < 256 ? (int)bit_at(k, i) : 0) == carry) {
			i++;
			continue;
		}
		int digit = carry;
		for (unsigned j = 0; j < 5 && i + j < 256; j++) {
			digit += (int)bit_at(k, i + j) << j;
		}
		carry = digit >> 4;
		digits[i] = (int8_t)(digit - (carry << 5));
		i += 5;
	}
}

/* w->sum = k * a + l * G, for k, l < n and the odd multiples of a in w->table. */
STEP void interleave(interleaving *w, const uint32_t k[8], const uint32_t l[8]) {
	uint32_t signs[9];
	int8_t digits[257];
	unsigned first_column = is_public_zero(l) ? 0 : COLUMNS;
	uint32_t doublings = 0;
	recode_sparse(digits, k);
	recode(signs, l, COMB_TOP);
	pc_crypto_spent(COST_RECODE);
	memset(&w->sum, 0, sizeof w->sum);
	w->of_a = w->of_generator = w->wrong = 0;
	for (unsigned i = 257; i--;) {
		doublings += !is_public_zero(w->sum.z);
		if (i && i >= first_column && !digits[i] && doublings < 5) {
			continue;
		}
		if (doublings) {
			pc_p256_double(&w->sum, doublings);
			w->of_a = times_power(w->of_a, doublings);
			w->of_generator = times_power(w->of_generator, doublings);
			pc_crypto_spent(doublings * COST_DOUBLE);
			doublings = 0;
		}
		if (digits[i]) {
			int digit = digits[i];
			add_entry(w, w->table, MULTIPLES, (uint32_t)(digit + 2 * MULTIPLES - 1) / 2);
			w->of_a = plus(w->of_a, digit < 0 ? ~(uint32_t)-digit : (uint32_t)digit);
		}
		for (unsigned u = TABLES; i < first_column && u--;) {
			uint32_t digit = comb_digit(signs, u, i);
			add_entry(w, comb[u], COMB_HALF, digit);
			w->of_generator = plus(w->of_generator, comb_residue(u, digit));
		}
	}
}

/* w->sum = k * a + l * G, for k, l < n. Takes time that depends on k and l. Returns false if that is infinity. */
static bool multiply_add(interleaving *w, const pc_p256_affine *a, const uint32_t k[8], const uint32_t l[8]) {
	odd_multiples(w->table, a);
	interleave(w, k, l);
	return !is_public_zero(w->sum.z);
}

/* ---- the interface of BearSSL ----------------------------------------------------------------------------------- */

static const unsigned char generator_bytes[POINT_SIZE] = {0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8,
	0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45,
	0xd8, 0x98, 0xc2, 0x96, 0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e,
	0x16, 0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5};

static const unsigned char order_bytes[SIZE] = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25,
	0x51};

static const unsigned char *ec_generator(int curve, size_t *len) {
	(void)curve;
	*len = sizeof generator_bytes;
	return generator_bytes;
}

static const unsigned char *ec_order(int curve, size_t *len) {
	(void)curve;
	*len = sizeof order_bytes;
	return order_bytes;
}

static size_t ec_xoff(int curve, size_t *len) {
	(void)curve;
	*len = SIZE;
	return 1;
}

static uint32_t ec_mul(unsigned char *point, size_t point_len, const unsigned char *x, size_t xlen, int curve) {
	pc_p256_affine q;
	uint32_t k[8];
	if (curve != BR_EC_secp256r1 || !read_point(&q, point, point_len) || !read_scalar(k, x, xlen))
		return 0;
	multiply(&q, k);
	write_point(point, &q);
	return 1;
}

static size_t ec_mulgen(unsigned char *result, const unsigned char *x, size_t xlen, int curve) {
	pc_p256_point q;
	pc_p256_affine affine;
	uint32_t k[8];
	if (curve != BR_EC_secp256r1 || !read_scalar(k, x, xlen))
		return 0;
	multiply_generator(&q, k);
	to_affine(&affine, &q);
	write_point(result, &affine);
	return POINT_SIZE;
}

static uint32_t ec_muladd(unsigned char *a, const unsigned char *b, size_t len, const unsigned char *x, size_t xlen,
	const unsigned char *y, size_t ylen, int curve) {
	pc_p256_affine p, q;
	interleaving w;
	uint32_t k[8], l[8];
	if (curve != BR_EC_secp256r1 || !read_point(&p, a, len) || !read_scalar(k, x, xlen) || !read_scalar(l, y, ylen))
		return 0;
	if (b) {
		if (!read_point(&q, b, len))
			return 0;
		multiply(&p, k);
		multiply(&q, l);
		from_affine(&w.sum, &p);
		add_any(&w.sum, &q, &w.wrong);
		if (is_public_zero(w.sum.z))
			return 0;
	} else if (!multiply_add(&w, &p, k, l)) {
		return 0;
	}
	to_affine(&p, &w.sum);
	write_point(a, &p);
	return 1;
}

uint32_t pc_p256_is_point(const uint8_t *point, size_t size) {
	pc_p256_affine q;
	return read_point(&q, point, size);
}

const br_ec_impl pc_p256_ec = {
	(uint32_t)1 << BR_EC_secp256r1, ec_generator, ec_order, ec_xoff, ec_mul, ec_mulgen, ec_muladd};

/* ---- ECDSA ------------------------------------------------------------------------------------------------------ */

/* The leftmost 256 bits of a hash, modulo n. */
static void read_hash(uint32_t d[8], const uint8_t *hash, size_t size) {
	uint8_t bytes[SIZE] = {0};
	if (size > SIZE)
		size = SIZE;
	memcpy(bytes + SIZE - size, hash, size);
	read_number(d, bytes);
	reduce(d, d, 0);
}

/* The state of RFC 6979, section 3.2: K, in the shape that HMAC wants, and V. */
typedef struct {
	br_hmac_key_context key;
	const br_hash_class *hash;
	size_t size;
	bool used; /* a nonce was made, and refused */
	uint8_t v[64];
} nonce_source;

static size_t hash_size(const br_hash_class *hash) {
	return hash->desc >> BR_HASHDESC_OUT_OFF & BR_HASHDESC_OUT_MASK;
}

static void set_key(nonce_source *source, const uint8_t *key) {
	br_hmac_key_init(&source->key, source->hash, key, source->size);
}

/* V = HMAC(K, V) */
static void step_v(nonce_source *source) {
	br_hmac_context mac;
	br_hmac_init(&mac, &source->key, 0);
	br_hmac_update(&mac, source->v, source->size);
	br_hmac_out(&mac, source->v);
}

/* K = HMAC(K, V || separator || seed), V = HMAC(K, V) */
static void step_k(nonce_source *source, uint8_t separator, const uint8_t *seed, size_t size) {
	br_hmac_context mac;
	uint8_t key[64];
	br_hmac_init(&mac, &source->key, 0);
	br_hmac_update(&mac, source->v, source->size);
	br_hmac_update(&mac, &separator, 1);
	br_hmac_update(&mac, seed, size);
	br_hmac_out(&mac, key);
	set_key(source, key);
	step_v(source);
}

static void start_nonces(nonce_source *source, const br_hash_class *hash, const uint32_t key[8], const uint32_t z[8]) {
	static const uint8_t zeros[64];
	uint8_t seed[2 * SIZE];
	source->hash = hash;
	source->size = hash_size(hash);
	source->used = false;
	write_number(seed, key);
	write_number(seed + SIZE, z);
	memset(source->v, 1, sizeof source->v);
	set_key(source, zeros);
	step_k(source, 0, seed, sizeof seed);
	step_k(source, 1, seed, sizeof seed);
}

static void next_nonce(uint32_t k[8], nonce_source *source) {
	uint8_t bytes[SIZE];
	do {
		if (source->used)
			step_k(source, 0, NULL, 0);
		source->used = true;
		for (size_t have = 0; have < SIZE;) {
			step_v(source);
			size_t part = source->size < SIZE - have ? source->size : SIZE - have;
			memcpy(bytes + have, source->v, part);
			have += part;
		}
	} while (!read_scalar(k, bytes, SIZE));
}

static bool supported(const br_ec_impl *impl, int curve) {
	return curve == BR_EC_secp256r1 && (impl->supported_curves >> BR_EC_secp256r1 & 1);
}

/* r = the x coordinate of k * G, modulo n. */
STEP void commit(uint32_t r[8], const uint32_t k[8]) {
	pc_p256_point q;
	multiply_generator(&q, k);
	invert(r, q.z, &modulo_p);
	pc_p256_square(r, r);
	pc_p256_mul(r, q.x, r);
	from_field(r, r);
	reduce(r, r, 0);
}

size_t pc_p256_sign_raw(
	const br_ec_impl *impl, const br_hash_class *hf, const void *hash, const br_ec_private_key *sk, void *sig) {
	uint32_t key[8], z[8], k[8], r[8], s[8];
	nonce_source source;
	if (!supported(impl, sk->curve) || !read_scalar(key, sk->x, sk->xlen))
		return 0;
	read_hash(z, hash, hash_size(hf));
	start_nonces(&source, hf, key, z);
	scalar_mul(z, unit, z);
	do {
		next_nonce(k, &source);
		commit(r, k);
		/* s = (z + r * key) / k: z and r * key are divided by R = 2^256 here, and R^2 / k makes up for it. */
		scalar_mul(s, r, key);
		reduce(s, s, add(s, s, z));
		invert(k, k, &modulo_n);
		scalar_mul(s, s, k);
	} while (is_zero(r) | is_zero(s));
	write_number(sig, r);
	write_number((uint8_t *)sig + SIZE, s);
	return 2 * SIZE;
}

uint32_t pc_p256_check_nonce(
	const br_hash_class *hf, const void *hash, const br_ec_private_key *sk, const uint8_t signature[64]) {
	uint32_t key[8], z[8], k[8], r[8], s[8];
	nonce_source source;
	if (!read_scalar(key, sk->x, sk->xlen) || !read_scalar(r, signature, SIZE) ||
		!read_scalar(s, signature + SIZE, SIZE))
		return 0;
	read_hash(z, hash, hash_size(hf));
	start_nonces(&source, hf, key, z);
	next_nonce(k, &source);
	/* all three divided by 2^256 */
	scalar_mul(z, unit, z);
	scalar_mul(r, r, key);
	reduce(r, r, add(r, r, z));
	scalar_mul(s, s, k);
	return pc_differences(r, s, SIZE) == 0;
}

/*
 * Looks at all that a right signature asks for, from the inputs on, and at what was done to find out: 0, or something else.
 * The scalars are checked by multiplication, the multiples of the key by the curve, and the steps between by their sums:
 * each could be disturbed so that the outcome no longer depends on the hash or on the key, and could be had beforehand.
 */
STEP uint32_t audit(const interleaving *w, const uint32_t u1[8], const uint32_t u2[8], const pc_p256_claim *claim) {
	const uint8_t *signature = claim->signature;
	size_t size = claim->signature_size / 2;
	uint32_t r[8], s[8], z[8], t[8], zz[8], wrong = w->wrong;
	pc_p256_affine a;
	wrong |= !read_scalar(r, signature, size);
	wrong |= !read_scalar(s, signature + size, size);
	wrong |= !read_point(&a, claim->key, claim->key_size);
	/* u1 = z / s, u2 = r / s */
	read_hash(z, claim->hash, claim->hash_size);
	scalar_mul(z, unit, z);
	scalar_mul(t, u1, s);
	wrong |= pc_differences(t, z, SIZE);
	scalar_mul(z, unit, r);
	scalar_mul(t, u2, s);
	wrong |= pc_differences(t, z, SIZE);
	pc_crypto_spent(COST_AUDIT / 2);
	/* The table begins with the key, and all of it is on the curve. */
	wrong |= pc_differences(&w->table[0], &a, sizeof a);
	for (unsigned i = 0; i < MULTIPLES; i++) {
		wrong |= !is_on_curve(&w->table[i]);
	}
	pc_crypto_spent(COST_AUDIT / 2);
	/* The sums are u2, and u1 or, if that is even, u1 - n (recode()), or 0 for 0. */
	uint32_t of_generator = residue(u1);
	if (!(u1[0] & 1) && !is_public_zero(u1)) {
		of_generator = plus(of_generator, ~residue(order));
	}
	wrong |= !is_same_residue(w->of_a, residue(u2));
	wrong |= !is_same_residue(w->of_generator, of_generator);
	/* Not infinity; and x modulo n = r, where x * z^2 is known: x is r, or r + n if that is below p. */
	wrong |= is_public_zero(w->sum.z);
	pc_p256_square(zz, w->sum.z);
	to_field(t, r);
	pc_p256_mul(t, t, zz);
	uint32_t differences = pc_differences(t, w->sum.x, SIZE);
	if (differences != 0 && !add(r, r, order) && is_below(r, prime)) {
		to_field(t, r);
		pc_p256_mul(t, t, zz);
		differences = pc_differences(t, w->sum.x, SIZE);
	}
	return wrong | differences;
}

uint32_t pc_p256_verify_claim(const pc_p256_claim *claim, const pc_p256_claim *again) {
	const uint8_t *signature = claim->signature;
	size_t size = claim->signature_size / 2;
	uint32_t r[8], u1[8], u2[8];
	volatile uint32_t first = UINT32_MAX, second = UINT32_MAX;
	pc_p256_affine a;
	interleaving w;
	/* What isn't right is refused here already, but that doesn't count. */
	if (size > SIZE || claim->signature_size & 1 || !read_scalar(r, signature, size) ||
		!read_scalar(u2, signature + size, size) || !read_point(&a, claim->key, claim->key_size))
		return 0;
	read_hash(u1, claim->hash, claim->hash_size);
	invert(u2, u2, &modulo_n);
	scalar_mul(u2, unit, u2); /* 2^256 / s */
	scalar_mul(u1, u1, u2);
	scalar_mul(u2, r, u2);
	if (!multiply_add(&w, &a, u2, u1))
		return 0;
	first = audit(&w, u1, u2, claim);
	second = audit(&w, u1, u2, again);
	return pc_verdict(first, second);
}

uint32_t pc_p256_verify_raw(const br_ec_impl *impl, const void *hash, size_t hash_len, const br_ec_public_key *pk,
	const void *sig, size_t sig_len) {
	const pc_p256_claim claim = {pk->q, pk->qlen, hash, hash_len, sig, sig_len};
	return supported(impl, pk->curve) ? pc_p256_verify_claim(&claim, &claim) : 0;
}
