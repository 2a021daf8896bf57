/* aes.c: key schedule and modes of AES over an engine (aes-core.h), as BearSSL classes. */
#include <string.h>

#include "aes-core.h"
#include "bytes.h"
#include "spend.h"

#define CTR_STEP 16u
#define MAC_STEP (16u << 16)

/* ---- key schedule ----------------------------------------------------------------------------------------------- */

#define ROUND_KEY_COST 400u

static void expand(pc_aes_keys *keys, const uint8_t *key, size_t key_len) {
	uint32_t window[8] = {0}; /* the latest words of the key schedule, a ring as long as the key */
	unsigned length = (unsigned)(key_len >> 2), rounds = length + 6;
	keys->rounds = rounds;
	for (unsigned i = 0; i < length; i++)
		window[i] = pc_load_le(key + 4 * i);
	uint32_t rcon = 1;
	unsigned at = 0; /* where in the ring the next round key begins */
	for (unsigned round = 0;; round++) {
		uint32_t columns[4];
		memcpy(columns, window + at, sizeof columns);
		if (round == rounds) {
			for (unsigned i = 0; i < 4; i++)
				keys->words[8 * rounds + i] = columns[i] ^ 0x63636363;
			break;
		}
		uint32_t *out = keys->words + 8 * round;
		pc_aes_core_fixslice(out, columns, round - 1);
		if (round) { /* bits 6, 5, 1 and 0: 0x63 */
			for (unsigned bits = 0xC6, j = 0; j < 8; j++)
				out[j] ^= 0u - (bits >> j & 1);
		}
		/* These four words make room for the ones `length` later. */
		for (unsigned i = 0; i < 4; i++) {
			uint32_t previous = window[(at + i - 1) & (length - 1)];
			if (i == 0) {
				previous = pc_aes_core_subword(previous) ^ 0x63636363;
				if (at == 0) {
					previous = (previous >> 8 | previous << 24) ^ rcon;
					rcon = rcon << 1 ^ (0x11B & (0u - (rcon >> 7)));
				}
			}
			window[at + i] ^= previous;
		}
		at = (at + 4) & (length - 1);
	}
	pc_crypto_spent(ROUND_KEY_COST * rounds);
}

/* ---- CTR -------------------------------------------------------------------------------------------------------- */

static void ctr_init(pc_aes_ctr_keys *ctx, const void *key, size_t key_len) {
	ctx->vtable = &pc_aes_ctr_vtable;
	expand(&ctx->keys, key, key_len);
}

/* CTR over whole blocks; the counter wraps to 0. */
static void ctr_blocks(const pc_aes_keys *keys, const uint32_t iv[3], uint32_t counter, uint8_t *data, size_t blocks) {
	if (blocks > 4 && (counter & 1)) {
		pc_aes_core_ctr(keys, iv, counter++, data, 1);
		data += 16;
		blocks--;
	}
	if (blocks) {
		pc_aes_core_ctr(keys, iv, counter, data, blocks);
		pc_crypto_spent((((uint32_t)blocks - 1) % 4 + 1) * PC_AES_CTR_COST * keys->rounds);
	}
}

static uint32_t ctr_run(const pc_aes_ctr_keys *ctx, const void *iv, uint32_t cc, void *data, size_t len) {
	uint8_t *bytes = data;
	const uint8_t *from = iv;
	const uint32_t words[3] = {pc_load_le(from), pc_load_le(from + 4), pc_load_le(from + 8)};
	size_t whole = len & 15 ? len & ~(size_t)31 : len; /* an odd block before a partial one is done with that one */
	ctr_blocks(&ctx->keys, words, cc, bytes, whole >> 4);
	cc += (uint32_t)(whole >> 4);
	if (whole < len) {
		uint8_t last[32];
		size_t rest = len - whole, blocks = (rest + 15) >> 4;
		memset(last, 0, sizeof last);
		memcpy(last, bytes + whole, rest);
		ctr_blocks(&ctx->keys, words, cc, last, blocks);
		memcpy(bytes + whole, last, rest);
		cc += (uint32_t)blocks;
	}
	return cc;
}

/* ---- CTR and CBC-MAC -------------------------------------------------------------------------------------------- */

static void ctrcbc_init(pc_aes_ctrcbc_keys *ctx, const void *key, size_t key_len) {
	ctx->vtable = &pc_aes_ctrcbc_vtable;
	expand(&ctx->keys, key, key_len);
}

static void load_counter(pc_aes_state *state, const uint8_t *ctr) {
	for (unsigned i = 0; i < 3; i++)
		state->iv[i] = pc_load_le(ctr + 4 * i);
	state->counter = (uint32_t)ctr[12] << 24 | (uint32_t)ctr[13] << 16 | (uint32_t)ctr[14] << 8 | ctr[15];
}

/* Blocks until the low 32 bits of the counter wrap, at most `blocks`. */
static size_t before_wrap(uint32_t counter, size_t blocks) {
	uint32_t left = 0u - counter;
	return left && left < blocks ? left : blocks;
}

/* Adds `blocks` to the counter at ctr, 128 bits, big-endian. */
static void advance(uint8_t *ctr, size_t blocks) {
	size_t carry = blocks;
	for (unsigned i = 16; i-- > 0;) {
		carry += ctr[i];
		ctr[i] = (uint8_t)carry;
		carry >>= 8;
	}
}

static void ctrcbc_ctr(const pc_aes_ctrcbc_keys *ctx, void *ctr, void *data, size_t len) {
	uint8_t *bytes = data;
	size_t blocks = len >> 4;
	while (blocks) {
		pc_aes_state state;
		load_counter(&state, ctr);
		size_t now = before_wrap(state.counter, blocks);
		ctr_blocks(&ctx->keys, state.iv, state.counter, bytes, now);
		advance(ctr, now);
		bytes += 16 * now;
		blocks -= now;
	}
}

/* CTR over `blocks` blocks of data while the CBC-MAC takes as many from mac_data, block by block, the MAC first. */
static void both(const pc_aes_keys *keys, uint8_t *ctr, uint32_t mac[4], uint8_t *data, const uint8_t *mac_data,
	size_t blocks, uint32_t steps) {
	while (blocks) {
		pc_aes_state state;
		load_counter(&state, ctr);
		memcpy(state.mac, mac, sizeof state.mac);
		size_t now = before_wrap(state.counter, blocks);
		pc_aes_core_ctrmac(keys, &state, data, mac_data, now, steps);
		pc_crypto_spent((((uint32_t)now - 1) % 2 + 1) * PC_AES_CTRMAC_COST * keys->rounds);
		/* In this order, so that no disturbed address of the counter lets it change the MAC. */
		advance(ctr, now);
		memcpy(mac, state.mac, sizeof state.mac);
		data += now * (steps & 0xFFFF);
		mac_data += now * (steps >> 16);
		blocks -= now;
	}
}

/* CBC-MAC alone: the key stream goes nowhere. */
static void mac_blocks(const pc_aes_keys *keys, uint32_t mac[4], const uint8_t *data, size_t blocks) {
	uint8_t ctr[16] = {0}, unused[16] = {0};
	both(keys, ctr, mac, unused, data, blocks, MAC_STEP);
}

static void load_mac(uint32_t mac[4], const uint8_t *from) {
	for (unsigned i = 0; i < 4; i++)
		mac[i] = pc_load_le(from + 4 * i);
}

static void store_mac(uint8_t *to, const uint32_t mac[4]) {
	for (unsigned i = 0; i < 4; i++)
		pc_store_le(to + 4 * i, mac[i]);
}

static void ctrcbc_encrypt(const pc_aes_ctrcbc_keys *ctx, void *ctr, void *cbcmac, void *data, size_t len) {
	uint8_t *bytes = data;
	size_t blocks = len >> 4;
	uint32_t mac[4];
	if (!blocks)
		return;
	load_mac(mac, cbcmac);
	/* The MAC lags by one block: it takes what CTR has made. */
	ctrcbc_ctr(ctx, ctr, bytes, 16);
	both(&ctx->keys, ctr, mac, bytes + 16, bytes, blocks - 1, CTR_STEP | MAC_STEP);
	mac_blocks(&ctx->keys, mac, bytes + 16 * (blocks - 1), 1);
	store_mac(cbcmac, mac);
}

static void ctrcbc_decrypt(const pc_aes_ctrcbc_keys *ctx, void *ctr, void *cbcmac, void *data, size_t len) {
	uint32_t mac[4];
	load_mac(mac, cbcmac);
	both(&ctx->keys, ctr, mac, data, data, len >> 4, CTR_STEP | MAC_STEP);
	store_mac(cbcmac, mac);
}

static void ctrcbc_mac(const pc_aes_ctrcbc_keys *ctx, void *cbcmac, const void *data, size_t len) {
	uint32_t mac[4];
	load_mac(mac, cbcmac);
	mac_blocks(&ctx->keys, mac, data, len >> 4);
	store_mac(cbcmac, mac);
}

/* ---- BearSSL classes -------------------------------------------------------------------------------------------- */

const br_block_ctr_class pc_aes_ctr_vtable = {
	sizeof(pc_aes_ctr_keys),
	16,
	4,
	(void (*)(const br_block_ctr_class **, const void *, size_t))ctr_init,
	(uint32_t(*)(const br_block_ctr_class *const *, const void *, uint32_t, void *, size_t))ctr_run,
};

const br_block_ctrcbc_class pc_aes_ctrcbc_vtable = {
	sizeof(pc_aes_ctrcbc_keys),
	16,
	4,
	(void (*)(const br_block_ctrcbc_class **, const void *, size_t))ctrcbc_init,
	(void (*)(const br_block_ctrcbc_class *const *, void *, void *, void *, size_t))ctrcbc_encrypt,
	(void (*)(const br_block_ctrcbc_class *const *, void *, void *, void *, size_t))ctrcbc_decrypt,
	(void (*)(const br_block_ctrcbc_class *const *, void *, void *, size_t))ctrcbc_ctr,
	(void (*)(const br_block_ctrcbc_class *const *, void *, const void *, size_t))ctrcbc_mac,
};
