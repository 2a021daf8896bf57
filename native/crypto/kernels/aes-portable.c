/*
 * aes-portable.c: AES for any core, two blocks at a time, bitsliced and fixsliced; the twin of aes-armv7em.S.
 *
 * Method: Adomnicai, Peyrin, "Fixslicing AES-like ciphers" (TCHES 2021/1); the S-box is the circuit of Boyar, Peralta and
 * Calik. Constant-time wherever the compiler's AND, XOR and shifts are. Little- and big-endian cores.
 */
#include "aes-core.h"
#include "bytes.h"
#include "spend.h"
#include "twin.h"

#if !PC_KERNELS_ASSEMBLY

typedef struct {
	uint32_t w[8]; /* bit planes, highest bit first; or columns: column c of block b in w[7-2c-b] */
} planes;

/* SubBytes without the addition of 0x63. */
static void sub_bytes(planes *s) {
	uint32_t x0 = s->w[0], x1 = s->w[1], x2 = s->w[2], x3 = s->w[3];
	uint32_t x4 = s->w[4], x5 = s->w[5], x6 = s->w[6], x7 = s->w[7];

	uint32_t y14 = x3 ^ x5, y13 = x0 ^ x6, y9 = x0 ^ x3, y8 = x0 ^ x5, u0 = x1 ^ x2;
	uint32_t y1 = u0 ^ x7, y4 = y1 ^ x3, y12 = y13 ^ y14, y2 = y1 ^ x0, y5 = y1 ^ x6;
	uint32_t y3 = y5 ^ y8, u1 = x4 ^ y12, y15 = u1 ^ x5, y20 = u1 ^ x1, y6 = y15 ^ x7;
	uint32_t y10 = y15 ^ u0, y11 = y20 ^ y9, y7 = x7 ^ y11, y17 = y10 ^ y11, y19 = y10 ^ y8;
	uint32_t y16 = u0 ^ y11, y21 = y13 ^ y16, y18 = x0 ^ y16;

	/* The inversion in GF(2^8), down to one in GF(2^4). */
	uint32_t t2 = y12 & y15, t4 = (y3 & y6) ^ t2, t6 = (y4 & x7) ^ t2;
	uint32_t t7 = y13 & y16, t9 = (y5 & y1) ^ t7, t11 = (y2 & y7) ^ t7;
	uint32_t t12 = y9 & y11, t14 = (y14 & y17) ^ t12, t16 = (y8 & y10) ^ t12;
	uint32_t t21 = t4 ^ t14 ^ y20, t22 = t6 ^ t16 ^ y19, t23 = t9 ^ t14 ^ y21, t24 = t11 ^ t16 ^ y18;
	uint32_t t25 = t21 ^ t22, t26 = t21 & t23, t27 = t24 ^ t26, t29 = (t25 & t27) ^ t22;
	uint32_t t30 = t23 ^ t24, t31 = t22 ^ t26, t33 = (t31 & t30) ^ t24, t34 = t23 ^ t33;
	uint32_t t35 = t27 ^ t33, t36 = t24 & t35, t37 = t36 ^ t34, t38 = t27 ^ t36;
	uint32_t t40 = t25 ^ (t29 & t38), t41 = t40 ^ t37, t42 = t29 ^ t33, t43 = t29 ^ t40, t44 = t33 ^ t37;
	uint32_t t45 = t42 ^ t41;
	uint32_t z0 = t44 & y15, z1 = t37 & y6, z2 = t33 & x7, z3 = t43 & y16, z4 = t40 & y1, z5 = t29 & y7;
	uint32_t z6 = t42 & y11, z7 = t45 & y17, z8 = t41 & y10, z9 = t44 & y12, z10 = t37 & y3, z11 = t33 & y4;
	uint32_t z12 = t43 & y13, z13 = t40 & y5, z14 = t29 & y2, z15 = t42 & y9, z16 = t45 & y14, z17 = t41 & y8;

	uint32_t c1 = z15 ^ z16, c2 = z10 ^ c1, c3 = z9 ^ c2, c4 = z0 ^ z2, c5 = z1 ^ z0, c6 = z3 ^ z4;
	uint32_t c7 = z12 ^ c4, c8 = z7 ^ c6, c9 = z8 ^ c7, c10 = c8 ^ c9, c11 = c6 ^ c5, c12 = z3 ^ z5;
	uint32_t c13 = z13 ^ c1, c14 = c4 ^ c12, c16 = z6 ^ c8, c17 = z14 ^ c10, c18 = c13 ^ c14;
	uint32_t c20 = z15 ^ c16, c21 = c2 ^ z11, c26 = c17 ^ c20;
	uint32_t s3 = c3 ^ c11;
	s->w[0] = c3 ^ c16;
	s->w[1] = s3 ^ c16;
	s->w[2] = c26 ^ z17;
	s->w[3] = s3;
	s->w[4] = c14 ^ s3;
	s->w[5] = c21 ^ c17;
	s->w[6] = c10 ^ c18;
	s->w[7] = z12 ^ c18;
}

static inline uint32_t rotate(uint32_t x, unsigned n) {
	return x >> n | x << (32 - n);
}

/* Each byte rotated right by n, from 0 to 6. */
static inline uint32_t rotate_bytes(uint32_t x, unsigned n) {
	uint32_t low = ((1u << n) - 1) * 0x01010101u;
	return (x >> n & ~(low << (8 - n))) | (x & low) << (8 - n);
}

/*
 * MixColumns where the byte below is `one` bits away in a word's bytes, and the one below that `two`. With T = a + below(a)
 * the new column is 2 T + below(a) + below(below(T)).
 */
static inline __attribute__((always_inline)) void mix(planes *s, unsigned one, unsigned two) {
	uint32_t t0 = 0, previous = 0;
#define PLANE(j, reduced) \
	do { \
		uint32_t below = rotate(rotate_bytes(s->w[j], one), 8), t = s->w[j] ^ below; \
		if (j) \
			s->w[j ? j - 1 : 0] = previous ^ t; \
		else \
			t0 = t; \
		previous = below ^ rotate(rotate_bytes(t, two), 16) ^ (reduced ? t0 : 0); \
	} while (0)
	PLANE(0, 0);
	PLANE(1, 0);
	PLANE(2, 0);
	PLANE(3, 1);
	PLANE(4, 1);
	PLANE(5, 0);
	PLANE(6, 1);
	PLANE(7, 1);
#undef PLANE
	s->w[7] = previous;
}

/* MixColumns while `pending` (0 to 3) ShiftRows are pending: the byte below is 2 * pending bits away. */
static void mix_columns(planes *s, unsigned pending) {
	switch (pending) {
	case 0:
		mix(s, 0, 0);
		break;
	case 1:
		mix(s, 2, 4);
		break;
	case 2:
		mix(s, 4, 0);
		break;
	default:
		mix(s, 6, 4);
	}
}

static void add_round_key(planes *s, const uint32_t *key) {
	for (unsigned j = 0; j < 8; j++)
		s->w[j] ^= key[j];
}

/* Exchanges the bits of *a under mask << n with those of *b under mask. */
static inline void exchange(uint32_t *a, uint32_t *b, unsigned n, uint32_t mask) {
	uint32_t t = (*a >> n ^ *b) & mask;
	*b ^= t;
	*a ^= t << n;
}

/* Words to bit planes, or back. */
static void transpose(planes *s) {
	for (unsigned a = 0; a < 8; a += 2)
		exchange(&s->w[a + 1], &s->w[a], 1, 0x55555555);
	for (unsigned a = 0; a < 8; a += a & 1 ? 3 : 1)
		exchange(&s->w[a + 2], &s->w[a], 2, 0x33333333);
	for (unsigned a = 0; a < 4; a++)
		exchange(&s->w[a + 4], &s->w[a], 4, 0x0F0F0F0F);
}

static void shift_rows(planes *s) {
	for (unsigned b = 0; b < 2; b++) {
		uint32_t c[4];
		for (unsigned i = 0; i < 4; i++)
			c[i] = s->w[7 - 2 * i - b];
		for (unsigned i = 0; i < 4; i++)
			s->w[7 - 2 * i - b] =
				(c[i] & 0xFF) | (c[(i + 1) & 3] & 0xFF00) | (c[(i + 2) & 3] & 0xFF0000) | (c[(i + 3) & 3] & 0xFF000000);
	}
}

/* Columns in, columns out. */
static void encrypt(planes *s, const pc_aes_keys *keys) {
	const uint32_t *key = keys->words, *end = key + 8 * keys->rounds;
	shift_rows(s);
	transpose(s);
	for (unsigned pending = 0;; pending = (pending + 1) & 3) {
		add_round_key(s, key);
		sub_bytes(s);
		key += 8;
		if (key == end)
			break;
		mix_columns(s, pending);
	}
	transpose(s);
	shift_rows(s);
	for (unsigned i = 0; i < 8; i++)
		s->w[7 - i] ^= end[i >> 1];
}

static uint32_t swap(uint32_t x) {
	return x << 24 | (x & 0xFF00) << 8 | (x >> 8 & 0xFF00) | x >> 24;
}

static void set_counter(planes *s, unsigned block, const uint32_t iv[3], uint32_t counter) {
	for (unsigned i = 0; i < 3; i++)
		s->w[7 - 2 * i - block] = iv[i];
	s->w[1 - block] = swap(counter);
}

static void add_block(uint8_t *data, const planes *s, unsigned block) {
	for (unsigned i = 0; i < 4; i++, data += 4) {
		uint32_t word = pc_load_le(data) ^ s->w[7 - 2 * i - block];
		pc_store_le(data, word);
	}
}

uint32_t pc_aes_core_subword(uint32_t word) {
	planes s;
	uint32_t out = 0;
	for (unsigned j = 0; j < 8; j++)
		s.w[j] = word >> (7 - j) & 0x01010101;
	sub_bytes(&s);
	for (unsigned j = 0; j < 8; j++)
		out |= s.w[j] << (7 - j);
	return out;
}

void pc_aes_core_fixslice(uint32_t out[8], const uint32_t columns[4], uint32_t pending) {
	planes s;
	for (unsigned i = 0; i < 4; i++)
		s.w[7 - 2 * i] = s.w[6 - 2 * i] = columns[i];
	for (unsigned n = (0u - pending) & 3; n; n--)
		shift_rows(&s);
	transpose(&s);
	for (unsigned j = 0; j < 8; j++)
		out[j] = s.w[j];
}

void pc_aes_core_ctr(const pc_aes_keys *keys, const uint32_t iv[3], uint32_t counter, uint8_t *data, size_t blocks) {
	planes s;
	while (blocks) {
		set_counter(&s, 0, iv, counter);
		set_counter(&s, 1, iv, counter + 1);
		encrypt(&s, keys);
		add_block(data, &s, 0);
		if (blocks == 1)
			break;
		add_block(data + 16, &s, 1);
		data += 32;
		blocks -= 2;
		counter += 2;
		if (blocks && !((blocks + 1) & 2))
			pc_crypto_spent(4 * PC_AES_CTR_COST * keys->rounds);
	}
}

void pc_aes_core_ctrmac(const pc_aes_keys *keys, pc_aes_state *state, uint8_t *ctr_data, const uint8_t *mac_data,
	size_t blocks, uint32_t steps) {
	planes s;
	while (blocks--) {
		set_counter(&s, 0, state->iv, state->counter++);
		for (unsigned i = 0; i < 4; i++)
			s.w[6 - 2 * i] = state->mac[i] ^ pc_load_le(mac_data + 4 * i);
		encrypt(&s, keys);
		for (unsigned i = 0; i < 4; i++)
			state->mac[i] = s.w[6 - 2 * i];
		add_block(ctr_data, &s, 0);
		ctr_data += steps & 0xFFFF;
		mac_data += steps >> 16;
		if (blocks && !(blocks & 1))
			pc_crypto_spent(2 * PC_AES_CTRMAC_COST * keys->rounds);
	}
}

#endif
