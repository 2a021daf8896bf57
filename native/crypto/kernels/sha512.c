/* sha512.c: padding and streaming of SHA-512 over its compression function, as a BearSSL hash class. */
#include "sha512.h"
#include "bytes.h"
#include "spend.h"

#include <string.h>

#define SCHEDULE_COST 2750u
#define ROUNDS_COST 5600u

static void compress(uint64_t state[8], const uint8_t *data) {
	uint64_t w[80];
	pc_sha512_schedule(w, data);
	pc_crypto_spent(SCHEDULE_COST);
	pc_sha512_rounds(state, w);
	pc_crypto_spent(ROUNDS_COST);
}

static void start(br_sha512_context *ctx) {
	static const uint64_t initial[8] = {0x6A09E667F3BCC908, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1,
		0x510E527FADE682D1, 0x9B05688C2B3E6C1F, 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179};
	ctx->vtable = &pc_sha512_vtable;
	memcpy(ctx->val, initial, sizeof initial);
	ctx->count = 0;
}

static void update(br_sha512_context *ctx, const void *data, size_t len) {
	const uint8_t *from = data;
	while (len) {
		size_t held = (size_t)ctx->count & 127, now = 128 - held < len ? 128 - held : len;
		if (now == 128) {
			compress(ctx->val, from);
		} else {
			memcpy(ctx->buf + held, from, now);
			if (held + now == 128)
				compress(ctx->val, ctx->buf);
		}
		ctx->count += now;
		from += now;
		len -= now;
	}
}

static void store(uint8_t *out, uint64_t value) {
	pc_store_be(out, (uint32_t)(value >> 32));
	pc_store_be(out + 4, (uint32_t)value);
}

static void store_state(uint8_t *out, const uint64_t state[8]) {
	for (unsigned i = 0; i < 8; i++)
		store(out + 8 * i, state[i]);
}

static void finish(const br_sha512_context *ctx, void *out) {
	uint64_t state[8];
	uint8_t last[128];
	size_t held = (size_t)ctx->count & 127;
	memcpy(state, ctx->val, sizeof state);
	memcpy(last, ctx->buf, held);
	last[held++] = 0x80;
	if (held > 112) {
		memset(last + held, 0, 128 - held);
		compress(state, last);
		held = 0;
	}
	memset(last + held, 0, 112 - held);
	store(last + 112, ctx->count >> 61);
	store(last + 120, ctx->count << 3);
	compress(state, last);
	store_state(out, state);
}

static uint64_t state(const br_sha512_context *ctx, void *out) {
	store_state(out, ctx->val);
	return ctx->count;
}

static void set_state(br_sha512_context *ctx, const void *state, uint64_t count) {
	const uint8_t *from = state;
	for (unsigned i = 0; i < 8; i++, from += 8)
		ctx->val[i] = (uint64_t)pc_load_be(from) << 32 | pc_load_be(from + 4);
	ctx->count = count;
}

const br_hash_class pc_sha512_vtable = {
	sizeof(br_sha512_context),
	BR_HASHDESC_ID(br_sha512_ID) | BR_HASHDESC_OUT(64) | BR_HASHDESC_STATE(64) | BR_HASHDESC_LBLEN(7) |
		BR_HASHDESC_MD_PADDING | BR_HASHDESC_MD_PADDING_BE | BR_HASHDESC_MD_PADDING_128,
	(void (*)(const br_hash_class **))start,
	(void (*)(const br_hash_class **, const void *, size_t))update,
	(void (*)(const br_hash_class *const *, void *))finish,
	(uint64_t(*)(const br_hash_class *const *, void *))state,
	(void (*)(const br_hash_class **, const void *, uint64_t))set_state,
};
