/*
 * esp32c3-sha.c: see esp32c3-sha.h. The manual's "typical SHA mode process" with interleaving (21.4.2.1): the chaining value
 * is written before and read after each use, so nothing of a message stays in the accelerator between two calls.
 */
#include "choice.h"

#if PC_ENGINE_ESP32C3

#include "../kernels/bytes.h"
#include "../kernels/spend.h"
#include "esp32c3-sha.h"
#include "esp32c3.h"

#define BATCH 16u
#define PAYS 4u

/* What a block takes: 16 words to write, about 70 cycles of the accelerator, polls. */
#define BLOCK_COST 250u

static pc_peripheral_state state;

/* The registers hold the bytes of digests and messages in memory's order; states are numbers. */
static uint32_t swap(uint32_t word) {
	return word >> 24 | (word >> 8 & 0xFF00u) | (word << 8 & 0xFF0000u) | word << 24;
}

static void read_state(uint32_t value[8]) {
	for (unsigned i = 0; i < 8; i++) {
		value[i] = swap(pc_esp32c3_read(ESP32C3_SHA_H(i)));
	}
}

/* `before`: the chaining value in front of the last block; `after`: behind it. */
static pc_peripheral_status compress(
	const uint32_t from[8], const uint8_t *data, size_t blocks, uint32_t before[8], uint32_t after[8]) {
	pc_peripheral_status status = pc_esp32c3_take(ESP32C3_SHA_BIT);
	if (status != PC_PERIPHERAL_OK) {
		return status;
	}
	pc_esp32c3_write(ESP32C3_SHA_MODE, ESP32C3_SHA_MODE_SHA256);
	for (unsigned i = 0; i < 8; i++) {
		pc_esp32c3_write(ESP32C3_SHA_H(i), swap(from[i]));
	}
	bool ended = true;
	for (size_t block = 0; block < blocks && ended; block++) {
		if (block == blocks - 1) {
			read_state(before);
		}
		for (unsigned i = 0; i < 16; i++) {
			pc_esp32c3_write(ESP32C3_SHA_M(i), pc_load_le(data + 64 * block + 4 * i));
		}
		pc_esp32c3_write(ESP32C3_SHA_CONTINUE, 1);
		ended = pc_esp32c3_wait(ESP32C3_SHA_BUSY, 0);
	}
	if (ended) {
		read_state(after);
		for (unsigned i = 0; i < 8; i++) {
			pc_esp32c3_write(ESP32C3_SHA_H(i), 0);
		}
		for (unsigned i = 0; i < 16; i++) {
			pc_esp32c3_write(ESP32C3_SHA_M(i), 0);
		}
	} else {
		pc_esp32c3_reset(ESP32C3_SHA_BIT);
	}
	pc_esp32c3_give_back(ESP32C3_SHA_BIT);
	return ended ? PC_PERIPHERAL_OK : PC_PERIPHERAL_SILENT;
}

/* ---- known answers ---------------------------------------------------------------------------------------------- */

static const uint32_t initial[8] = {
	0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19};

/* FIPS 180-4's two examples: "abc", and 56 letters, which are two blocks. */
static const uint8_t abc[64] = {'a', 'b', 'c', 0x80, [63] = 24};
static const uint8_t letters[128] = {'a', 'b', 'c', 'd', 'b', 'c', 'd', 'e', 'c', 'd', 'e', 'f', 'd', 'e', 'f', 'g',
	'e', 'f', 'g', 'h', 'f', 'g', 'h', 'i', 'g', 'h', 'i', 'j', 'h', 'i', 'j', 'k', 'i', 'j', 'k', 'l', 'j', 'k', 'l',
	'm', 'k', 'l', 'm', 'n', 'l', 'm', 'n', 'o', 'm', 'n', 'o', 'p', 'n', 'o', 'p', 'q',
	0x80, [126] = 0x01, [127] = 0xC0};
static const uint32_t abc_digest[8] = {
	0xBA7816BF, 0x8F01CFEA, 0x414140DE, 0x5DAE2223, 0xB00361A3, 0x96177A9C, 0xB410FF61, 0xF20015AD};
static const uint32_t letters_digest[8] = {
	0x248D6A61, 0xD20638B8, 0xE5C02693, 0x0C3E6039, 0xA33CE459, 0x64FF2167, 0xF6ECEDD4, 0x19DB06C1};

static pc_peripheral_status test(void) {
	uint32_t before[8];
	uint32_t after[8];
	pc_peripheral_status status = compress(initial, abc, 1, before, after);
	if (status == PC_PERIPHERAL_OK) {
		bool right = pc_differences(after, abc_digest, sizeof after) == 0;
		status = right ? compress(initial, letters, 2, before, after) : PC_PERIPHERAL_WRONG;
		if (status == PC_PERIPHERAL_OK && pc_differences(after, letters_digest, sizeof after) != 0) {
			status = PC_PERIPHERAL_WRONG;
		}
	}
	return status;
}

/* ---- blocks ------------------------------------------------------------------------------------------------------ */

static bool checked(const uint32_t before[8], const uint8_t *last, const uint32_t after[8]) {
	uint32_t expected[8];
	memcpy(expected, before, sizeof expected);
	pc_sha256_blocks(expected, last, 1);
	bool right = pc_differences(expected, after, sizeof expected) == 0;
	return right;
}

static bool batch(uint32_t value[8], const uint8_t *data, size_t blocks) {
	uint32_t before[8];
	uint32_t after[8];
	pc_peripheral_status status = compress(value, data, blocks, before, after);
	if (status == PC_PERIPHERAL_OK && !checked(before, data + 64 * (blocks - 1), after)) {
		status = PC_PERIPHERAL_WRONG;
	}
	if (status == PC_PERIPHERAL_OK) {
		memcpy(value, after, sizeof after);
	}
	pc_peripheral_note(&state, PC_ENGINE_SHA256_HARDWARE, status);
	pc_crypto_spent((uint32_t)blocks * BLOCK_COST);
	return status == PC_PERIPHERAL_OK;
}

static void compress_all(uint32_t value[8], const uint8_t *data, size_t blocks) {
	while (blocks >= PAYS && pc_peripheral_usable(&state, PC_ENGINE_SHA256_HARDWARE, test)) {
		size_t now = blocks < BATCH ? blocks : BATCH;
		if (!batch(value, data, now)) {
			pc_sha256_blocks(value, data, now);
		}
		data += 64 * now;
		blocks -= now;
	}
	pc_sha256_blocks(value, data, blocks);
}

/* ---- BearSSL class ----------------------------------------------------------------------------------------------- */

/* The same context as the software's, whose functions serve but for whole blocks of a message. */

static void init(br_sha256_context *ctx) {
	pc_sha256_vtable.init(&ctx->vtable);
	ctx->vtable = &pc_esp32c3_sha256_vtable;
}

static void update(br_sha256_context *ctx, const void *data, size_t size) {
	const uint8_t *from = data;
	if (size == 0) {
		return;
	}
	size_t held = (size_t)ctx->count & 63u;
	if (held > 0) {
		size_t first = size < 64 - held ? size : 64 - held;
		pc_sha256_vtable.update(&ctx->vtable, from, first);
		from += first;
		size -= first;
	}
	compress_all(ctx->val, from, size / 64);
	ctx->count += size & ~(size_t)63;
	pc_sha256_vtable.update(&ctx->vtable, from + (size & ~(size_t)63), size & 63u);
}

static void out(const br_sha256_context *ctx, void *digest) {
	pc_sha256_vtable.out(&ctx->vtable, digest);
}

static uint64_t save(const br_sha256_context *ctx, void *value) {
	return pc_sha256_vtable.state(&ctx->vtable, value);
}

static void restore(br_sha256_context *ctx, const void *value, uint64_t count) {
	pc_sha256_vtable.set_state(&ctx->vtable, value, count);
}

const br_hash_class pc_esp32c3_sha256_vtable = {
	sizeof(br_sha256_context),
	BR_HASHDESC_ID(br_sha256_ID) | BR_HASHDESC_OUT(32) | BR_HASHDESC_STATE(32) | BR_HASHDESC_LBLEN(6) |
		BR_HASHDESC_MD_PADDING | BR_HASHDESC_MD_PADDING_BE,
	(void (*)(const br_hash_class **))init,
	(void (*)(const br_hash_class **, const void *, size_t))update,
	(void (*)(const br_hash_class *const *, void *))out,
	(uint64_t(*)(const br_hash_class *const *, void *))save,
	(void (*)(const br_hash_class **, const void *, uint64_t))restore,
};

#endif
