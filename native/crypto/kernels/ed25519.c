/* ed25519.c: Ed25519 (RFC 8032) over 25519.h and SHA-512. */
#include "ed25519.h"

#include <string.h>

#include "25519.h"
#include "sha512.h"
#include "spend.h"

/* Roughly how many instructions the parts take on a Cortex-M4, for pc_crypto_spend(). */
#define REDUCE_COST 2500u
#define DECODE_COST 2300u /* but for the power in it */
#define SMALL_ORDER_COST 3500u
#define RECODE_COST 3000u
#define DOUBLE_COST 1000u
#define ADD_COST 1400u
#define TO_CACHED_COST 350u

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

static void encode(uint8_t out[32], const pc_25519_point *p) {
	pc_fe inverse, t;
	uint8_t x[32];
	pc_25519_invert(inverse, p->z);
	pc_25519_mul(t, p->x, inverse);
	pc_25519_store(x, t);
	pc_25519_mul(t, p->y, inverse);
	pc_25519_store(out, t);
	out[31] |= (uint8_t)(x[0] << 7);
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
	/* S = r + k s */
	uint32_t product[16];
	multiply(product, k, 8, s, 8);
	uint64_t carry = 0;
	for (unsigned i = 0; i < 16; i++) {
		carry += (uint64_t)product[i] + (i < 8 ? r[i] : 0);
		product[i] = (uint32_t)carry;
		carry >>= 32;
	}
	reduce(s, product);
	memcpy(signature, nonce_point, 32);
	store(signature + 32, s);
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

/* p = s B - k p. Not constant-time. (Not to be inlined, lest its tables and the hash function's room add up.) */
__attribute__((noinline)) static void double_multiple(pc_25519_point *p, const scalar s, const scalar k) {
	pc_25519_cached multiples[8], q; /* of p: 1, 3 ... 15 */
	int8_t digits[256];
	uint32_t comb[8];
	recode(digits, k);
	pc_25519_comb_digits(comb, s);
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
	uint32_t doublings = 0;
	for (unsigned i = 256; i-- > 0;) {
		uint32_t spent = 0;
		doublings++;
		if (!digits[i] && i >= 32 && doublings < 6)
			continue;
		pc_25519_double(p, doublings);
		spent += DOUBLE_COST * doublings;
		doublings = 0;
		if (digits[i]) {
			unsigned index = (unsigned)(digits[i] < 0 ? -digits[i] : digits[i]) >> 1;
			set(&q, (const pc_25519_affine *)&multiples[index], digits[i] > 0);
			memcpy(q.z2, multiples[index].z2, sizeof q.z2);
			pc_25519_add_cached(p, &q, PC_25519_WITH_Z | PC_25519_WITH_T);
			spent += ADD_COST;
		}
		for (unsigned j = 0; j < 2 && i < 32; j++) {
			uint32_t digit = pc_25519_comb_digit(comb, j, i);
			set(&q, &pc_25519_comb[j][digit & 7], digit >> 3);
			pc_25519_add_cached(p, &q, PC_25519_WITH_T);
			spent += ADD_COST;
		}
		pc_crypto_spent(spent);
	}
}

uint32_t pc_ed25519_verify_raw(const uint8_t signature[64], const uint8_t key[32], const void *text, size_t size) {
	pc_25519_point p; /* A, then R */
	scalar s, k;
	uint8_t encoded[32];
	pc_25519_load(s, signature + 32);
	if (add(s, pc_25519_order, -1) == 0)
		return 0;
	pc_25519_load(s, signature + 32);
	if (!decode(&p, key) || is_small_order(&p))
		return 0;
	hash_to_scalar(k, signature, key, text, size);
	double_multiple(&p, s, k);
	encode(encoded, &p);
	return !memcmp(encoded, signature, 32) && !is_small_order(&p);
}
