/* ed25519.c: Ed25519 (RFC 8032) over 25519.h and SHA-512. */
#include "ed25519.h"

#include <string.h>

#include "25519.h"
#include "sha512.h"
#include "spend.h"
#include "verdict.h"

/* Roughly how many instructions the parts take on a Cortex-M4, for pc_crypto_spend(). */
#define REDUCE_COST 2500u
#define RESPOND_COST 4000u
#define DECODE_COST 2300u /* but for the power in it */
#define SMALL_ORDER_COST 3500u
#define RECODE_COST 3000u
#define DOUBLE_COST 1000u
#define ADD_COST 1400u
#define TO_CACHED_COST 350u
#define AUDIT_COST 6000u /* but for small orders */

/* ---- scalars modulo the order L = 2^252 + c --------------------------------------------------------------------- */

typedef uint32_t scalar[8];

/* r[0..na+nb) = a * b; r must not overlap them. */
static void multiply(uint32_t *r, const uint32_t *a, unsigned na, const uint32_t *b, unsigned nb) {
	memset(r, 0, nb * sizeof *r);
	for (unsigned i = 0; i < na; i++) {
		uint64_t carry = 0;
		for (unsigned j = 0; j < nb; j++) {
			carry += (uint64_t)a[i] * b[j] + r[i + j];
			r[i + j] = (uint32_t)carry;
			carry >>= 32;
		}
		r[i + nb] = (uint32_t)carry;
	}
}

/* Bits 252 and above of x[0..n) to high[0..n-7), the others to low. */
static void split(scalar low, uint32_t *high, const uint32_t *x, unsigned n) {
	for (unsigned i = 7; i < n; i++)
		high[i - 7] = x[i] >> 28 | (i + 1 < n ? x[i + 1] << 4 : 0);
	memcpy(low, x, sizeof(scalar));
	low[7] &= 0x0FFFFFFF;
}

/* r += sign * x, for sign 1 or -1. Both are 8 words; returns the carry or borrow, 0, 1 or -1. */
static int32_t add(scalar r, const scalar x, int32_t sign) {
	int64_t carry = 0;
	for (unsigned i = 0; i < 8; i++) {
		carry += (int64_t)r[i] + sign * (int64_t)x[i];
		r[i] = (uint32_t)carry;
		carry >>= 32;
	}
	return (int32_t)carry;
}

/*
 * r = x modulo L, for 512 bits of x, constant-time. As 2^252 = -c, with high parts h and low parts l at bit 252:
 * x = l1 + 2^252 h1 = l1 - c h1, c h1 = l2 - c h2, c h2 = l3 - c h3, so x = l1 - l2 + l3 - c h3, where c h3 is small.
 */
static void reduce(scalar r, const uint32_t x[16]) {
	uint32_t high[9], product[13];
	scalar low;
	split(r, high, x, 16);
	multiply(product, high, 9, pc_25519_order, 4);
	split(low, high, product, 13);
	add(r, low, -1);
	multiply(product, high, 6, pc_25519_order, 4);
	split(low, high, product, 10);
	add(r, low, 1);
	memset(product, 0, sizeof product);
	multiply(product, high, 1, pc_25519_order, 4);
	add(r, product, -1);
	/* Now above -2L and below 2L: to 0 and 4L, and from there down. */
	add(r, pc_25519_order, 1);
	add(r, pc_25519_order, 1);
	for (unsigned i = 0; i < 3; i++) {
		uint32_t negative = (uint32_t)add(r, pc_25519_order, -1);
		scalar back;
		for (unsigned k = 0; k < 8; k++)
			back[k] = pc_25519_order[k] & negative;
		add(r, back, 1);
	}
}

/* The 64 bytes of a hash modulo L. */
static void reduce_hash(scalar r, const uint8_t hash[64]) {
	uint32_t x[16];
	pc_25519_load(x, hash);
	pc_25519_load(x + 8, hash + 32);
	reduce(r, x);
}

static void store(uint8_t out[32], const scalar a) {
	for (unsigned i = 0; i < 32; i++)
		out[i] = (uint8_t)(a[i >> 2] >> 8 * (i & 3));
}

/* ---- encoding of points ----------------------------------------------------------------------------------------- */

static void to_affine(pc_fe x, pc_fe y, const pc_25519_point *p) {
	pc_fe inverse;
	pc_25519_invert(inverse, p->z);
	pc_25519_mul(x, p->x, inverse);
	pc_25519_mul(y, p->y, inverse);
}

static void encode_affine(uint8_t out[32], const pc_fe x, const pc_fe y) {
	pc_25519_store(out, x);
	uint32_t odd = out[0] & 1;
	pc_25519_store(out, y);
	out[31] |= (uint8_t)(odd << 7);
}

static void encode(uint8_t out[32], const pc_25519_point *p) {
	pc_fe x, y;
	to_affine(x, y, p);
	encode_affine(out, x, y);
}

static uint32_t equal(const pc_fe a, const pc_fe b) {
	pc_fe t;
	pc_25519_sub(t, a, b);
	return pc_25519_is_zero(t);
}

/* Decodes as RFC 8032, 5.1.3 says; returns 0 if that fails. Not constant-time. */
static uint32_t decode(pc_25519_point *p, const uint8_t in[32]) {
	uint8_t canonical[32];
	pc_fe u, v, t;
	pc_25519_load(p->y, in);
	p->y[7] &= 0x7FFFFFFF;
	pc_25519_store(canonical, p->y);
	canonical[31] |= in[31] & 0x80;
	if (memcmp(canonical, in, 32))
		return 0;
	memset(p->z, 0, sizeof p->z);
	p->z[0] = 1;
	/* x^2 = u / v; x = u v^3 (u v^7)^(2^252 - 3), or that times the square root of -1 */
	pc_25519_sqr(u, p->y, 1);
	pc_25519_mul(v, u, pc_25519_d);
	pc_25519_sub(u, u, p->z);
	pc_25519_add(v, v, p->z);
	pc_25519_sqr(t, v, 1);
	pc_25519_mul(t, t, v);
	pc_25519_mul(p->x, t, u);
	pc_25519_sqr(t, t, 1);
	pc_25519_mul(t, t, v);
	pc_25519_mul(t, t, u);
	pc_25519_root_power(t, t);
	pc_25519_mul(p->x, p->x, t);
	pc_25519_sqr(t, p->x, 1);
	pc_25519_mul(t, t, v);
	if (!equal(t, u)) {
		pc_25519_add(t, t, u);
		if (!pc_25519_is_zero(t))
			return 0;
		pc_25519_mul(p->x, p->x, pc_25519_sqrt_minus_1);
	}
	pc_25519_store(canonical, p->x);
	if ((canonical[0] & 1) != in[31] >> 7) {
		if (pc_25519_is_zero(p->x))
			return 0;
		memset(t, 0, sizeof t);
		pc_25519_sub(p->x, t, p->x);
	}
	pc_25519_mul(p->x, p->x, p->z); /* make it tight */
	pc_25519_mul(p->t, p->x, p->y);
	pc_crypto_spent(DECODE_COST);
	return 1;
}

static uint32_t is_small_order(const pc_25519_point *p) {
	pc_25519_point q = *p;
	pc_25519_double(&q, 3);
	pc_crypto_spent(SMALL_ORDER_COST);
	return pc_25519_is_zero(q.x) & equal(q.y, q.z);
}

/* ---- keys and signatures ---------------------------------------------------------------------------------------- */

/* The secret scalar, and the 32 bytes that make nonces, of a seed. */
static void expand(scalar s, uint8_t prefix[32], const uint8_t seed[32]) {
	br_sha512_context ctx;
	uint8_t hash[64];
	pc_sha512_vtable.init(&ctx.vtable);
	pc_sha512_vtable.update(&ctx.vtable, seed, 32);
	pc_sha512_vtable.out(&ctx.vtable, hash);
	pc_25519_load(s, hash);
	s[0] &= ~7u;
	s[7] = (s[7] & 0x7FFFFFFF) | 0x40000000;
	memcpy(prefix, hash + 32, 32);
}

static void encode_multiple(uint8_t out[32], const scalar s) {
	pc_25519_point p;
	pc_25519_base(&p, s);
	encode(out, &p);
}

void pc_ed25519_public_raw(uint8_t key[32], const uint8_t seed[32]) {
	scalar s;
	uint8_t prefix[32];
	expand(s, prefix, seed);
	encode_multiple(key, s);
}

/* SHA-512(a || b || text) modulo L; b may be NULL. */
static void hash_to_scalar(scalar out, const uint8_t a[32], const uint8_t b[32], const void *text, size_t size) {
	br_sha512_context ctx;
	uint8_t hash[64];
	pc_sha512_vtable.init(&ctx.vtable);
	pc_sha512_vtable.update(&ctx.vtable, a, 32);
	if (b)
		pc_sha512_vtable.update(&ctx.vtable, b, 32);
	pc_sha512_vtable.update(&ctx.vtable, text, size);
	pc_sha512_vtable.out(&ctx.vtable, hash);
	reduce_hash(out, hash);
	pc_crypto_spent(REDUCE_COST);
}

/* out = r + k s */
static void respond(scalar out, const scalar r, const scalar k, const scalar s) {
	uint32_t product[16];
	multiply(product, k, 8, s, 8);
	uint64_t carry = 0;
	for (unsigned i = 0; i < 16; i++) {
		carry += (uint64_t)product[i] + (i < 8 ? r[i] : 0);
		product[i] = (uint32_t)carry;
		carry >>= 32;
	}
	reduce(out, product);
	pc_crypto_spent(RESPOND_COST);
}

void pc_ed25519_sign_raw(
	uint8_t signature[64], const uint8_t seed[32], const uint8_t key[32], const void *text, size_t size) {
	scalar s, r, k;
	uint8_t prefix[32], own_key[32], nonce_point[32];
	expand(s, prefix, seed);
	if (!key) {
		encode_multiple(own_key, s);
		key = own_key;
	}
	hash_to_scalar(r, prefix, NULL, text, size);
	encode_multiple(nonce_point, r);
	hash_to_scalar(k, nonce_point, key, text, size);
	respond(s, r, k, s);
	memcpy(signature, nonce_point, 32);
	store(signature + 32, s);
}

uint32_t pc_ed25519_check_nonce(
	const uint8_t signature[64], const uint8_t seed[32], const uint8_t key[32], const void *text, size_t size) {
	scalar s, r, k;
	uint8_t prefix[32];
	expand(s, prefix, seed);
	hash_to_scalar(r, prefix, NULL, text, size);
	hash_to_scalar(k, signature, key, text, size);
	respond(s, r, k, s);
	pc_25519_load(k, signature + 32);
	return pc_differences(s, k, sizeof s) == 0;
}

/* ---- verification ----------------------------------------------------------------------------------------------- */

/* The digits of k in the non-adjacent form of width 5: 0 or odd, -15 to 15; of 5 neighbours at most one isn't 0. */
static void recode(int8_t digits[256], const scalar k) {
	uint32_t rest[9];
	memcpy(rest, k, sizeof(scalar));
	rest[8] = 0;
	memset(digits, 0, 256);
	for (unsigned i = 0; i < 256;) {
		uint32_t window = (rest[i >> 5] >> (i & 31) | (i & 31 ? rest[(i >> 5) + 1] << (32 - (i & 31)) : 0)) & 31;
		if (!(window & 1)) {
			i++;
			continue;
		}
		if (window > 16) { /* window - 32, and carry 1 at bit i + 5 */
			digits[i] = (int8_t)(window - 32);
			for (unsigned at = i + 5; at < 288; at = (at | 31) + 1) {
				uint32_t before = rest[at >> 5];
				rest[at >> 5] += (uint32_t)1 << (at & 31);
				if (rest[at >> 5] >= before)
					break;
			}
		} else {
			digits[i] = (int8_t)window;
		}
		i += 5;
	}
}

static void to_cached(pc_25519_cached *q, const pc_25519_point *p) {
	pc_25519_add(q->sum, p->y, p->x);
	pc_25519_sub(q->difference, p->y, p->x);
	pc_25519_mul(q->t2d, p->t, pc_25519_2d);
	pc_25519_add(q->z2, p->z, p->z);
}

/* out = q or -q; z2 isn't set. */
static void set(pc_25519_cached *out, const pc_25519_affine *q, uint32_t minus) {
	static const pc_fe zero = {0};
	memcpy(minus ? out->difference : out->sum, q->sum, sizeof(pc_fe));
	memcpy(minus ? out->sum : out->difference, q->difference, sizeof(pc_fe));
	memcpy(out->t2d, q->t2d, sizeof(pc_fe));
	if (minus)
		pc_25519_sub(out->t2d, zero, out->t2d);
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
static uint32_t residue(const scalar k) {
	uint32_t sum = 0;
	for (unsigned i = 0; i < 8; i++)
		sum = plus(sum, k[i]);
	return sum;
}

static uint32_t is_same_residue(uint32_t a, uint32_t b) {
	return plus(a, ~b) + 1 < 2; /* 0 and 2^32 - 1 are the same */
}

/* What an entry of the comb is a multiple of B by: 2^(32 t) is 1 for every tooth. */
static uint32_t comb_residue(uint32_t digit) {
	uint32_t ones = (digit & 1) + (digit >> 1 & 1) + (digit >> 2 & 1);
	int32_t value = (int32_t)(2 * ones) - 2;
	if (digit >> 3)
		value = -value;
	return value < 0 ? ~(uint32_t)-value : (uint32_t)value;
}

/* What verification works with, and what it has found. */
typedef struct {
	scalar s, k, k_again; /* S; k by two computations */
	pc_fe key_x;          /* of A */
	pc_25519_point r;     /* A, then S B - k A */
	uint32_t of_a, of_b;  /* the factors of what was added up for r, modulo 2^32 - 1: k and S */
} verification;

/* Affine coordinates of r; apart, since the stack has no room for them before. */
typedef struct {
	pc_fe x, y;
} conclusion;

/* v->r = S B - k v->r. Not constant-time. (Not to be inlined, lest its tables and the hash function's room add up.) */
__attribute__((noinline)) static void double_multiple(verification *v) {
	pc_25519_cached multiples[8], q; /* of A: 1, 3 ... 15 */
	pc_25519_point *p = &v->r;
	int8_t digits[256];
	uint32_t comb[8];
	recode(digits, v->k);
	pc_25519_comb_digits(comb, v->s);
	pc_crypto_spent(RECODE_COST);
	to_cached(&multiples[0], p);
	pc_25519_double(p, 1);
	for (unsigned i = 1; i < 8; i++) {
		/* 2i + 1 = 2 + (2i - 1): the double stays in multiples[7] until that is made last. */
		if (i == 1)
			to_cached(&multiples[7], p);
		pc_25519_add_cached(p, &multiples[i == 1 ? 0 : 7], PC_25519_WITH_T | PC_25519_WITH_Z);
		to_cached(&multiples[i], p);
		pc_crypto_spent(ADD_COST + TO_CACHED_COST);
	}
	memset(p, 0, sizeof *p);
	p->y[0] = p->z[0] = 1;
	v->of_a = v->of_b = 0;
	uint32_t doublings = 0;
	for (unsigned i = 256; i-- > 0;) {
		uint32_t spent = 0;
		doublings++;
		if (!digits[i] && i >= 32 && doublings < 6)
			continue;
		pc_25519_double(p, doublings);
		v->of_a = times_power(v->of_a, doublings);
		v->of_b = times_power(v->of_b, doublings);
		pc_crypto_spent(DOUBLE_COST * doublings);
		doublings = 0;
		if (digits[i]) {
			int digit = digits[i];
			unsigned index = (unsigned)(digit < 0 ? -digit : digit) >> 1;
			set(&q, (const pc_25519_affine *)&multiples[index], digit > 0);
			memcpy(q.z2, multiples[index].z2, sizeof q.z2);
			pc_25519_add_cached(p, &q, PC_25519_WITH_Z | PC_25519_WITH_T);
			v->of_a = plus(v->of_a, digit < 0 ? ~(uint32_t)-digit : (uint32_t)digit);
			spent += ADD_COST;
		}
		for (unsigned j = 0; j < 2 && i < 32; j++) {
			uint32_t digit = pc_25519_comb_digit(comb, j, i);
			set(&q, &pc_25519_comb[j][digit & 7], digit >> 3);
			pc_25519_add_cached(p, &q, PC_25519_WITH_T);
			v->of_b = plus(v->of_b, comb_residue(digit));
			spent += ADD_COST;
		}
		if (spent) {
			pc_crypto_spent(spent);
		}
	}
}

/* Is x the first coordinate of the point that these bytes stand for, and that not of small order? As decode() finds out. */
static uint32_t is_key(const pc_fe x, const uint8_t in[32]) {
	pc_25519_point p = {.z = {1}};
	uint8_t encoded[32];
	pc_fe y, left, right;
	pc_25519_load(y, in);
	y[7] &= 0x7FFFFFFF;
	encode_affine(encoded, x, y);
	pc_25519_sqr(p.x, x, 1);
	pc_25519_sqr(p.y, y, 1);
	pc_25519_sub(left, p.y, p.x);
	pc_25519_mul(right, p.x, p.y);
	pc_25519_mul(right, right, pc_25519_d);
	pc_25519_add(right, right, p.z);
	memcpy(p.x, x, sizeof p.x);
	memcpy(p.y, y, sizeof p.y);
	return !pc_differences(encoded, in, sizeof encoded) && equal(left, right) && !is_small_order(&p);
}

/*
 * Looks at all that a right signature asks for, from the inputs on, and at what was done to find out: 0, or something else.
 * Without the sums a disturbed chain of additions could end with a point that doesn't depend on the text.
 */
__attribute__((noinline)) static uint32_t audit(
	const verification *v, const conclusion *c, const pc_ed25519_claim *claim) {
	scalar s;
	uint8_t encoded[32];
	pc_fe t;
	uint32_t wrong = 0;
	/* S: as it was read, below L; odd or made odd by adding L, for the comb */
	pc_25519_load(s, claim->signature + 32);
	wrong |= pc_differences(s, v->s, sizeof s);
	uint32_t of_b = residue(s);
	if (!(s[0] & 1))
		of_b = plus(of_b, residue(pc_25519_order));
	wrong |= add(s, pc_25519_order, -1) == 0;
	wrong |= !is_same_residue(v->of_b, of_b);
	wrong |= pc_differences(v->k, v->k_again, sizeof v->k);
	wrong |= !is_same_residue(v->of_a, residue(v->k_again));
	wrong |= !is_key(v->key_x, claim->key);
	pc_crypto_spent(AUDIT_COST / 2);
	/* (x, y) is r, which isn't of small order, nor (0, 0, 0, 0) */
	wrong |= pc_25519_is_zero(v->r.z) | is_small_order(&v->r);
	pc_25519_mul(t, c->x, v->r.z);
	wrong |= !equal(t, v->r.x);
	pc_25519_mul(t, c->y, v->r.z);
	wrong |= !equal(t, v->r.y);
	encode_affine(encoded, c->x, c->y);
	pc_crypto_spent(AUDIT_COST / 2);
	return wrong | pc_differences(encoded, claim->signature, sizeof encoded);
}

/* Reads S and A. What isn't right is refused here already, but that doesn't count. */
__attribute__((noinline)) static uint32_t read_inputs(verification *v, const pc_ed25519_claim *claim) {
	scalar s;
	pc_25519_load(v->s, claim->signature + 32);
	memcpy(s, v->s, sizeof s);
	if (add(s, pc_25519_order, -1) == 0 || !decode(&v->r, claim->key) || is_small_order(&v->r))
		return 0;
	memcpy(v->key_x, v->r.x, sizeof v->key_x);
	return 1;
}

__attribute__((noinline)) static uint32_t conclude(
	const verification *v, const pc_ed25519_claim *claim, const pc_ed25519_claim *again) {
	volatile uint32_t first = UINT32_MAX, second = UINT32_MAX;
	conclusion c;
	to_affine(c.x, c.y, &v->r);
	first = audit(v, &c, claim);
	second = audit(v, &c, again);
	return pc_verdict(first, second);
}

uint32_t pc_ed25519_verify_claim(const pc_ed25519_claim *claim, const pc_ed25519_claim *again) {
	verification v;
	memset(v.k_again, 0xFF, sizeof v.k_again);
	if (!read_inputs(&v, claim))
		return 0;
	hash_to_scalar(v.k, claim->signature, claim->key, claim->text, claim->size);
	double_multiple(&v);
	hash_to_scalar(v.k_again, again->signature, again->key, again->text, again->size);
	return pc_opaque(conclude(&v, claim, again));
}

uint32_t pc_ed25519_verify_raw(const uint8_t signature[64], const uint8_t key[32], const void *text, size_t size) {
	const pc_ed25519_claim claim = {key, signature, text, size};
	return pc_ed25519_verify_claim(&claim, &claim);
}
