/* peripheral-aes.c: see peripheral-aes.h. */
#include "choice.h"

#if PC_ENGINE_AES_PERIPHERAL

#include "../kernels/spend.h"
#include "peripheral-aes.h"

/* Blocks that the peripheral encrypts between two checks: 256 bytes of key stream on the stack. */
#define BATCH 16u

/*
 * Blocks in one call from which on the peripheral is faster, check included; docs/crypto.md has the figures. CBC-MAC pays
 * sooner: its blocks come one after the other, so the software computes only one block where it could do two.
 */
enum { CTR_PAYS = 8, MAC_PAYS = 3, BOTH_PAYS = 4 };

/* Cycles of a Cortex-M4 for a block: 461 of the ECB's and what is around them. */
#define BLOCK_COST 620u

static pc_peripheral_state state;

/* What a batch has come to; nothing of it is in the caller's memory yet. */
typedef struct {
	uint8_t stream[16 * BATCH]; /* key stream */
	uint8_t counter[16];        /* the counter of its last block */
	uint8_t into[16];           /* the last block that the MAC encrypted, and what it became: the MAC */
	uint8_t mac[16];
} batch;

/* Adds 1 to the counter that block[from..16) is, big-endian. Counters are no secret. */
static void count(uint8_t block[16], unsigned from) {
	for (unsigned i = 16; i-- > from && ++block[i] == 0;) {
	}
}

/* to = a + b, as in XOR, of one block. Of any alignment: words where the processor reads them so. */
static inline void sum_block(uint8_t to[16], const uint8_t a[16], const uint8_t b[16]) {
#pragma GCC unroll 4
	for (unsigned i = 0; i < 16; i += 4) {
		uint32_t left;
		uint32_t right;
		memcpy(&left, a + i, sizeof left);
		memcpy(&right, b + i, sizeof right);
		left ^= right;
		memcpy(to + i, &left, sizeof left);
	}
}

static void add_stream(uint8_t *data, const uint8_t *stream, size_t size) {
	size_t i = 0;
	for (; i + 16 <= size; i += 16) {
		sum_block(data + i, data + i, stream + i);
	}
	for (; i < size; i++) {
		data[i] ^= stream[i];
	}
}

/* Key stream from `counter` on, whose bytes from `from` on count. The peripheral has the key. */
static pc_peripheral_status make_stream(batch *work, const uint8_t counter[16], unsigned from, size_t blocks) {
	memcpy(work->counter, counter, 16);
	for (size_t i = 0; i < blocks; i++) {
		if (i > 0) {
			count(work->counter, from);
		}
		memcpy(work->stream + 16 * i, work->counter, 16);
	}
	return pc_aes_peripheral.encrypt(work->stream, blocks);
}

/* CBC-MAC from `mac` on, over data, or over its sum with the key stream. The peripheral has the key. */
static pc_peripheral_status make_mac(
	batch *work, const uint8_t mac[16], const uint8_t *data, bool with_stream, size_t blocks) {
	pc_peripheral_status status = PC_PERIPHERAL_OK;
	memcpy(work->mac, mac, 16);
	for (size_t i = 0; i < blocks && status == PC_PERIPHERAL_OK; i++) {
		sum_block(work->into, work->mac, data + 16 * i);
		if (with_stream) {
			sum_block(work->into, work->into, work->stream + 16 * i);
		}
		memcpy(work->mac, work->into, 16);
		status = pc_aes_peripheral.encrypt(work->mac, 1);
	}
	return status;
}

/* Ends a batch, after a check if it went well. True if it may be used. */
static bool settle(pc_peripheral_status status, size_t encrypted) {
	pc_peripheral_note(&state, PC_ENGINE_AES_HARDWARE, status);
	pc_crypto_spent((uint32_t)encrypted * BLOCK_COST);
	return status == PC_PERIPHERAL_OK;
}

/* ---- known answers ---------------------------------------------------------------------------------------------- */

typedef struct {
	uint8_t key_size;
	uint8_t key[32];
	uint8_t in[16];
	uint8_t out[16];
} known_answer;

/* FIPS 197, C.1; SP 800-38A, F.1.1, first block; FIPS 197, C.3. */
static const known_answer known_answers[] = {
	{16, {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f},
		{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff},
		{0x69, 0xc4, 0xe0, 0xd8, 0x6a, 0x7b, 0x04, 0x30, 0xd8, 0xcd, 0xb7, 0x80, 0x70, 0xb4, 0xc5, 0x5a}},
	{16, {0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c},
		{0x6b, 0xc1, 0xbe, 0xe2, 0x2e, 0x40, 0x9f, 0x96, 0xe9, 0x3d, 0x7e, 0x11, 0x73, 0x93, 0x17, 0x2a},
		{0x3a, 0xd7, 0x7b, 0xb4, 0x0d, 0x7a, 0x36, 0x60, 0xa8, 0x9e, 0xca, 0xf3, 0x24, 0x66, 0xef, 0x97}},
	{32,
		{0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11,
			0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f},
		{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff},
		{0x8e, 0xa2, 0xb7, 0xca, 0x51, 0x67, 0x45, 0xbf, 0xea, 0xfc, 0x49, 0x90, 0x4b, 0x49, 0x60, 0x89}},
};

static pc_peripheral_status test(void) {
	for (unsigned i = 0; i < sizeof known_answers / sizeof known_answers[0]; i++) {
		const known_answer *known = &known_answers[i];
		uint8_t block[16];
		pc_peripheral_status status = pc_aes_peripheral.begin(known->key, known->key_size);
		if (status == PC_PERIPHERAL_UNSUPPORTED && known->key_size == 32) {
			continue;
		}
		if (status == PC_PERIPHERAL_OK) {
			memcpy(block, known->in, sizeof block);
			status = pc_aes_peripheral.encrypt(block, 1);
			pc_aes_peripheral.end();
		}
		if (status != PC_PERIPHERAL_OK) {
			return status;
		}
		if (pc_differences(block, known->out, sizeof block) != 0) {
			return PC_PERIPHERAL_WRONG;
		}
	}
	return PC_PERIPHERAL_OK;
}

static bool pays(size_t blocks, size_t from) {
	return blocks >= from && pc_peripheral_usable(&state, PC_ENGINE_AES_HARDWARE, test);
}

/* ---- CTR -------------------------------------------------------------------------------------------------------- */

static void ctr_init(pc_peripheral_aes_ctr_keys *ctx, const void *key, size_t key_size) {
	ctx->vtable = &pc_peripheral_aes_ctr_vtable;
	memcpy(ctx->key, key, key_size);
	ctx->key_size = key_size;
	pc_aes_ctr_vtable.init(&ctx->software.vtable, key, key_size);
}

/* Key stream of `blocks` blocks, checked. False: nothing of it may be used. */
static bool ctr_batch(
	const pc_peripheral_aes_ctr_keys *ctx, batch *work, const uint8_t *iv, uint32_t counter, size_t blocks) {
	uint8_t first[16];
	memcpy(first, iv, 12);
	for (unsigned i = 0; i < 4; i++) {
		first[12 + i] = (uint8_t)(counter >> (24 - 8 * i));
	}
	pc_peripheral_status status = pc_aes_peripheral.begin(ctx->key, ctx->key_size);
	if (status == PC_PERIPHERAL_OK) {
		status = make_stream(work, first, 12, blocks);
		pc_aes_peripheral.end();
	}
	if (status == PC_PERIPHERAL_OK) {
		uint8_t expected[16] = {0};
		(void)pc_aes_ctr_vtable.run(
			&ctx->software.vtable, iv, counter + (uint32_t)blocks - 1, expected, sizeof expected);
		if (pc_differences(expected, work->stream + 16 * (blocks - 1), sizeof expected) != 0) {
			status = PC_PERIPHERAL_WRONG;
		}
	}
	return settle(status, blocks);
}

static uint32_t ctr_run(
	const pc_peripheral_aes_ctr_keys *ctx, const void *iv, uint32_t counter, void *data, size_t size) {
	uint8_t *bytes = data;
	batch work;
	size_t left = size;
	while (pays((left + 15) / 16, CTR_PAYS)) {
		size_t now = left < sizeof work.stream ? left : sizeof work.stream;
		size_t blocks = (now + 15) / 16;
		if (ctr_batch(ctx, &work, iv, counter, blocks)) {
			add_stream(bytes, work.stream, now);
		} else {
			(void)pc_aes_ctr_vtable.run(&ctx->software.vtable, iv, counter, bytes, now);
		}
		counter += (uint32_t)blocks;
		bytes += now;
		left -= now;
	}
	return left > 0 ? pc_aes_ctr_vtable.run(&ctx->software.vtable, iv, counter, bytes, left) : counter;
}

/* ---- CTR and CBC-MAC -------------------------------------------------------------------------------------------- */

static void ctrcbc_init(pc_peripheral_aes_ctrcbc_keys *ctx, const void *key, size_t key_size) {
	ctx->vtable = &pc_peripheral_aes_ctrcbc_vtable;
	memcpy(ctx->key, key, key_size);
	ctx->key_size = key_size;
	pc_aes_ctrcbc_vtable.init(&ctx->software.vtable, key, key_size);
}

typedef enum { MAC_FIRST, CTR_FIRST } order;

/* The last block of the key stream and the last of the MAC, both by one pass of the software. */
static bool checked(const pc_peripheral_aes_ctrcbc_keys *ctx, const batch *work, const uint8_t *ctr, const uint8_t *mac,
	size_t blocks) {
	uint8_t counter[16] = {0};
	uint8_t last_mac[16] = {0};
	uint8_t last_stream[16] = {0};
	if (ctr != NULL) {
		memcpy(counter, work->counter, sizeof counter);
	}
	if (mac != NULL) {
		memcpy(last_mac, work->into, sizeof last_mac);
	}
	/* Over zeros: the MAC becomes the cipher of what it was, the data the cipher of the counter. */
	pc_aes_ctrcbc_vtable.decrypt(&ctx->software.vtable, counter, last_mac, last_stream, sizeof last_stream);
	bool right = (ctr == NULL || pc_differences(last_stream, work->stream + 16 * (blocks - 1), 16) == 0) &&
				 (mac == NULL || pc_differences(last_mac, work->mac, 16) == 0);
	return right;
}

/* `ctr` or `mac` may be NULL: that half isn't wanted. False: nothing of it may be used. */
static bool ctrcbc_batch(const pc_peripheral_aes_ctrcbc_keys *ctx, batch *work, const uint8_t *ctr, const uint8_t *mac,
	const uint8_t *data, size_t blocks, order order) {
	pc_peripheral_status status = pc_aes_peripheral.begin(ctx->key, ctx->key_size);
	if (status == PC_PERIPHERAL_OK) {
		if (ctr != NULL) {
			status = make_stream(work, ctr, 0, blocks);
		}
		if (mac != NULL && status == PC_PERIPHERAL_OK) {
			status = make_mac(work, mac, data, ctr != NULL && order == CTR_FIRST, blocks);
		}
		pc_aes_peripheral.end();
	}
	if (status == PC_PERIPHERAL_OK && !checked(ctx, work, ctr, mac, blocks)) {
		status = PC_PERIPHERAL_WRONG;
	}
	return settle(status, ctr != NULL && mac != NULL ? 2 * blocks : blocks);
}

/* All four functions: CTR over data in place where `ctr` isn't NULL, CBC-MAC where `mac` isn't. */
static void ctrcbc_run(
	const pc_peripheral_aes_ctrcbc_keys *ctx, uint8_t *ctr, uint8_t *mac, uint8_t *data, size_t size, order order) {
	const size_t most = ctr != NULL && mac != NULL ? BATCH / 2 : BATCH;
	const size_t from = mac == NULL ? CTR_PAYS : ctr == NULL ? MAC_PAYS : BOTH_PAYS;
	batch work;
	size_t left = size / 16;
	while (left > 0) {
		size_t blocks = left;
		if (pays(left, from)) {
			blocks = left < most ? left : most;
			if (ctrcbc_batch(ctx, &work, ctr, mac, data, blocks, order)) {
				if (ctr != NULL) {
					count(work.counter, 0);
					memcpy(ctr, work.counter, 16);
					add_stream(data, work.stream, 16 * blocks);
				}
				if (mac != NULL) {
					memcpy(mac, work.mac, 16);
				}
				data += 16 * blocks;
				left -= blocks;
				continue;
			}
		}
		if (mac == NULL) {
			pc_aes_ctrcbc_vtable.ctr(&ctx->software.vtable, ctr, data, 16 * blocks);
		} else if (ctr == NULL) {
			pc_aes_ctrcbc_vtable.mac(&ctx->software.vtable, mac, data, 16 * blocks);
		} else if (order == CTR_FIRST) {
			pc_aes_ctrcbc_vtable.encrypt(&ctx->software.vtable, ctr, mac, data, 16 * blocks);
		} else {
			pc_aes_ctrcbc_vtable.decrypt(&ctx->software.vtable, ctr, mac, data, 16 * blocks);
		}
		data += 16 * blocks;
		left -= blocks;
	}
}

static void ctrcbc_encrypt(const pc_peripheral_aes_ctrcbc_keys *ctx, void *ctr, void *mac, void *data, size_t size) {
	ctrcbc_run(ctx, ctr, mac, data, size, CTR_FIRST);
}

static void ctrcbc_decrypt(const pc_peripheral_aes_ctrcbc_keys *ctx, void *ctr, void *mac, void *data, size_t size) {
	ctrcbc_run(ctx, ctr, mac, data, size, MAC_FIRST);
}

static void ctrcbc_ctr(const pc_peripheral_aes_ctrcbc_keys *ctx, void *ctr, void *data, size_t size) {
	ctrcbc_run(ctx, ctr, NULL, data, size, CTR_FIRST);
}

static void ctrcbc_mac(const pc_peripheral_aes_ctrcbc_keys *ctx, void *mac, const void *data, size_t size) {
	/* Only read: without a counter nothing is written to the data. */
	ctrcbc_run(ctx, NULL, mac, (uint8_t *)(uintptr_t)data, size, MAC_FIRST);
}

/* ---- BearSSL classes -------------------------------------------------------------------------------------------- */

const br_block_ctr_class pc_peripheral_aes_ctr_vtable = {
	sizeof(pc_peripheral_aes_ctr_keys),
	16,
	4,
	(void (*)(const br_block_ctr_class **, const void *, size_t))ctr_init,
	(uint32_t(*)(const br_block_ctr_class *const *, const void *, uint32_t, void *, size_t))ctr_run,
};

const br_block_ctrcbc_class pc_peripheral_aes_ctrcbc_vtable = {
	sizeof(pc_peripheral_aes_ctrcbc_keys),
	16,
	4,
	(void (*)(const br_block_ctrcbc_class **, const void *, size_t))ctrcbc_init,
	(void (*)(const br_block_ctrcbc_class *const *, void *, void *, void *, size_t))ctrcbc_encrypt,
	(void (*)(const br_block_ctrcbc_class *const *, void *, void *, void *, size_t))ctrcbc_decrypt,
	(void (*)(const br_block_ctrcbc_class *const *, void *, void *, size_t))ctrcbc_ctr,
	(void (*)(const br_block_ctrcbc_class *const *, void *, const void *, size_t))ctrcbc_mac,
};

#endif
