/* sha256.c: padding and streaming of SHA-256 over pc_sha256_blocks() as a BearSSL hash class. */
#include "sha256.h"
#include "bytes.h"
#include "spend.h"

#include <string.h>

static void store_state(uint8_t *out, const uint32_t state[8]) {
	for (unsigned i = 0; i < 8; i++)
		pc_store_be(out + 4 * i, state[i]);
}

/* Blocks in a row without a report. */
#define BLOCKS_PER_REPORT 3u
#define BLOCK_COST 1860u
#define CALL_COST 250u

static void compress(uint32_t state[8], const uint8_t *data, size_t blocks) {
	while (blocks > 0) {
		size_t now = blocks < BLOCKS_PER_REPORT ? blocks : BLOCKS_PER_REPORT;
		pc_sha256_blocks(state, data, now);
		pc_crypto_spent((uint32_t)now * BLOCK_COST + CALL_COST);
		data += 64 * now;
		blocks -= now;
	}
}

static void start(br_sha256_context *ctx) {
	static const uint32_t initial[8] = {
		0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19};
	ctx->vtable = &pc_sha256_vtable;
	memcpy(ctx->val, initial, sizeof initial);
	ctx->count = 0;
}

static void update(br_sha256_context *ctx, const void *data, size_t len) {
	const uint8_t *from = data;
	size_t held = (size_t)ctx->count & 63;
	if (!len)
		return;
	ctx->count += len;
	if (held) {
		size_t room = 64 - held;
		if (len < room) {
			memcpy(ctx->buf + held, from, len);
			return;
		}
		memcpy(ctx->buf + held, from, room);
		compress(ctx->val, ctx->buf, 1);
		from += room;
		len -= room;
	}
	compress(ctx->val, from, len >> 6);
	memcpy(ctx->buf, from + (len & ~(size_t)63), len & 63);
}

static void finish(const br_sha256_context *ctx, void *out) {
	uint32_t state[8];
	uint8_t last[64];
	size_t held = (size_t)ctx->count & 63;
	memcpy(state, ctx->val, sizeof state);
	memcpy(last, ctx->buf, held);
	last[held++] = 0x80;
	if (held > 56) {
		memset(last + held, 0, 64 - held);
		compress(state, last, 1);
		held = 0;
	}
	memset(last + held, 0, 56 - held);
	pc_store_be(last + 56, (uint32_t)(ctx->count >> 29));
	pc_store_be(last + 60, (uint32_t)ctx->count << 3);
	compress(state, last, 1);
	store_state(out, state);
}

static uint64_t state(const br_sha256_context *ctx, void *out) {
	store_state(out, ctx->val);
	return ctx->count;
}

static void set_state(br_sha256_context *ctx, const void *state, uint64_t count) {
	const uint8_t *from = state;
	for (unsigned i = 0; i < 8; i++, from += 4)
		ctx->val[i] = pc_load_be(from);
	ctx->count = count;
}

const br_hash_class pc_sha256_vtable = {
	sizeof(br_sha256_context),
	BR_HASHDESC_ID(br_sha256_ID) | BR_HASHDESC_OUT(32) | BR_HASHDESC_STATE(32) | BR_HASHDESC_LBLEN(6) |
		BR_HASHDESC_MD_PADDING | BR_HASHDESC_MD_PADDING_BE,
	(void (*)(const br_hash_class **))start,
	(void (*)(const br_hash_class **, const void *, size_t))update,
	(void (*)(const br_hash_class *const *, void *))finish,
	(uint64_t(*)(const br_hash_class *const *, void *))state,
	(void (*)(const br_hash_class **, const void *, uint64_t))set_state,
};
