/*
 * scenarios.c: the engines over peripherals, on models of them, against the standards (plain.h) and the software
 * engines. `scenarios NAME`; each scenario, and each fault in one, is a process of its own, as what is known of
 * a peripheral lasts as long as the process. Prints what went wrong; exit code 0: nothing.
 */
#define _POSIX_C_SOURCE 200809L

#include "crypto.h"
#include "model.h"
#include "peripherals/choice.h"
#include "peripherals/peripheral-aes.h"
#include "plain.h"

#if PC_ENGINE_ESP32C3
#include "esp32c3-model.h"
#include "kernels/p256-core.h"
#include "peripherals/esp32c3-mpi.h"
#include "peripherals/esp32c3-sha.h"
#include "peripherals/esp32c3.h"
#endif

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int failures;

__attribute__((format(printf, 2, 3))) static void expect(bool good, const char *format, ...) {
	if (!good) {
		failures++;
		va_list arguments;
		va_start(arguments, format);
		vprintf(format, arguments);
		va_end(arguments);
		printf("\n");
	}
}

static void expect_good_manners(void) {
	const char *violation = model_violation();
	expect(violation == NULL, "violation: %s", violation);
}

static bool works(pc_engine engine) {
	return (pc_crypto_failed() >> engine & 1) == 0;
}

/* xorshift64*: the same bytes in each run. */
static uint64_t random_state = 1;

static void random_bytes(void *data, size_t size) {
	uint8_t *bytes = data;
	for (size_t i = 0; i < size; i++) {
		random_state ^= random_state >> 12;
		random_state ^= random_state << 25;
		random_state ^= random_state >> 27;
		bytes[i] = (uint8_t)(random_state * 0x2545F4914F6CDD1Du >> 56);
	}
}

/* Runs a part in a process of its own. */
static void apart(void (*part)(unsigned), unsigned argument) {
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		failures = 0;
		part(argument);
		fflush(stdout);
		_exit(failures != 0);
	}
	int status = -1;
	waitpid(child, &status, 0);
	expect(status == 0, "  (with %u)", argument);
}

/* ---- AES ---------------------------------------------------------------------------------------------------------- */

#define MOST 720u

static void count_up(uint8_t *counter, unsigned from) {
	for (unsigned i = 16; i-- > from && ++counter[i] == 0;) {
	}
}

static void plain_ctr(
	const uint8_t *key, size_t key_size, uint8_t *counter, unsigned from, uint8_t *data, size_t size) {
	for (size_t at = 0; at < size; at += 16) {
		uint8_t stream[16];
		plain_aes(key, key_size, counter, stream);
		for (size_t i = at; i < at + 16 && i < size; i++) {
			data[i] ^= stream[i - at];
		}
		count_up(counter, from);
	}
}

static void plain_mac(const uint8_t *key, size_t key_size, uint8_t *mac, const uint8_t *data, size_t size) {
	for (size_t i = 0; i < size; i++) {
		mac[i % 16] ^= data[i];
		if (i % 16 == 15) {
			plain_aes(key, key_size, mac, mac);
		}
	}
}

/* One call of the engine's CTR. Number of bytes that are wrong. */
static unsigned try_ctr(size_t key_size, uint32_t from, size_t size) {
	uint8_t key[32], iv[12], data[MOST], expected[MOST], counter[16];
	pc_engine_aes_ctr keys;
	random_bytes(key, sizeof key);
	random_bytes(iv, sizeof iv);
	random_bytes(data, size);
	memcpy(expected, data, size);
	memcpy(counter, iv, sizeof iv);
	for (unsigned i = 0; i < 4; i++) {
		counter[12 + i] = (uint8_t)(from >> (24 - 8 * i));
	}
	plain_ctr(key, key_size, counter, 12, expected, size);
	pc_crypto.aes_ctr->init(&keys.vtable, key, key_size);
	uint32_t next = pc_crypto.aes_ctr->run(&keys.vtable, iv, from, data, size);
	expect(next == from + (uint32_t)((size + 15) / 16), "CTR of %zu bytes ends at counter %08x", size, (unsigned)next);
	unsigned wrong = 0;
	for (size_t i = 0; i < size; i++) {
		wrong += data[i] != expected[i];
	}
	return wrong;
}

enum { CTR = 1, MAC = 2, ENCRYPT = 3, DECRYPT = 4 };

/* One call of the engine's CTR and CBC-MAC. True if all of it is right. */
static bool try_ctrcbc(unsigned what, size_t key_size, bool wraps, size_t size) {
	uint8_t key[32], data[MOST], expected[MOST], counter[16], expected_counter[16], mac[16], expected_mac[16];
	pc_engine_aes_ctrcbc keys;
	random_bytes(key, sizeof key);
	random_bytes(counter, sizeof counter);
	random_bytes(mac, sizeof mac);
	random_bytes(data, size);
	if (wraps) {
		memset(counter, 0xFF, 15);
		counter[15] = 0xF4;
	}
	memcpy(expected, data, size);
	memcpy(expected_counter, counter, 16);
	memcpy(expected_mac, mac, 16);
	if (what == MAC || what == DECRYPT) {
		plain_mac(key, key_size, expected_mac, expected, size);
	}
	if (what != MAC) {
		plain_ctr(key, key_size, expected_counter, 0, expected, size);
	}
	if (what == ENCRYPT) {
		plain_mac(key, key_size, expected_mac, expected, size);
	}
	const br_block_ctrcbc_class *engine = pc_crypto.aes_ctrcbc;
	engine->init(&keys.vtable, key, key_size);
	if (what == CTR) {
		engine->ctr(&keys.vtable, counter, data, size);
	} else if (what == MAC) {
		engine->mac(&keys.vtable, mac, data, size);
	} else if (what == ENCRYPT) {
		engine->encrypt(&keys.vtable, counter, mac, data, size);
	} else {
		engine->decrypt(&keys.vtable, counter, mac, data, size);
	}
	return memcmp(data, expected, size) == 0 && memcmp(counter, expected_counter, 16) == 0 &&
		   memcmp(mac, expected_mac, 16) == 0;
}

/* Calls of all functions, long enough for the peripheral. */
static void expect_right_aes(size_t key_size) {
	for (size_t size = 128; size <= MOST; size += 137) {
		unsigned wrong = try_ctr(key_size, 7, size);
		expect(wrong == 0, "CTR: %u of %zu bytes wrong", wrong, size);
	}
	for (unsigned what = CTR; what <= DECRYPT; what++) {
		for (size_t blocks = 5; blocks <= MOST / 16; blocks += 13) {
			expect(try_ctrcbc(what, key_size, false, 16 * blocks), "function %u: %zu blocks wrong", what, blocks);
		}
	}
}

static bool takes_256_bits(void) {
	return PC_ENGINE_ESP32C3;
}

static void aes_agrees(void) {
	for (size_t key_size = 16; key_size <= 32; key_size += 16) {
		unsigned before = model_operations(MODEL_AES);
		for (size_t size = 0; size <= MOST; size += size < 100 ? 1 : 31) {
			unsigned wrong = try_ctr(key_size, 0xFFFFFFF0u, size);
			expect(wrong == 0, "CTR: %u of %zu bytes wrong", wrong, size);
		}
		for (unsigned what = CTR; what <= DECRYPT; what++) {
			for (size_t blocks = 0; blocks <= MOST / 16; blocks++) {
				expect(try_ctrcbc(what, key_size, blocks % 2 == 0, 16 * blocks), "function %u: %zu blocks wrong", what,
					blocks);
			}
		}
		unsigned used = model_operations(MODEL_AES) - before;
		bool expected = key_size == 16 || takes_256_bits();
		expect((used > 1000) == expected, "keys of %zu bytes: %u operations of the peripheral", key_size, used);
	}
	expect(works(PC_ENGINE_AES_HARDWARE), "the peripheral is said to have failed");
	expect_good_manners();
}

/* What the peripheral isn't worth waking for. */
static void aes_short(void) {
	for (size_t blocks = 0; blocks <= 4; blocks++) {
		expect(try_ctr(16, 1, 16 * blocks) == 0, "CTR of %zu blocks", blocks);
	}
	for (unsigned what = CTR; what <= DECRYPT; what++) {
		expect(try_ctrcbc(what, 16, false, 32), "function %u", what);
	}
	expect(model_operations(MODEL_AES) == 0, "%u operations", model_operations(MODEL_AES));
}

/* NIST SP 800-38C, C.4: 64 KiB of associated data; and GCM of a long message, as software alone computes it. */
static void aead(void) {
	uint8_t key[16], nonce[13], aad[65536], data[32], tag[14];
	static const uint8_t expected[46] = {0x69, 0x91, 0x5d, 0xad, 0x1e, 0x84, 0xc6, 0x37, 0x6a, 0x68, 0xc2, 0x96, 0x7e,
		0x4d, 0xab, 0x61, 0x5a, 0xe0, 0xfd, 0x1f, 0xae, 0xc4, 0x4c, 0xc4, 0x84, 0x82, 0x85, 0x29, 0x46, 0x3c, 0xcf,
		0x72, 0xb4, 0xac, 0x6b, 0xec, 0x93, 0xe8, 0x59, 0x8e, 0x7f, 0x0d, 0xad, 0xbc, 0xea, 0x5b};
	for (unsigned i = 0; i < sizeof aad; i++) {
		aad[i] = (uint8_t)i;
		key[i % 16] = (uint8_t)(0x40 + i % 16);
		nonce[i % 13] = (uint8_t)(0x10 + i % 13);
		data[i % 32] = (uint8_t)(0x20 + i % 32);
	}
	const pc_aead ccm = {key, 16, nonce, 13, aad, sizeof aad, data, 32, tag, 14};
	expect(pc_aes_ccm_encrypt(&ccm) == PC_CRYPTO_OK, "CCM can't encrypt");
	expect(memcmp(data, expected, 32) == 0 && memcmp(tag, expected + 32, 14) == 0, "CCM: another result");
	expect(pc_aes_ccm_decrypt(&ccm) == PC_CRYPTO_OK && data[31] == 0x3F, "CCM can't decrypt");
	tag[3] ^= 1;
	expect(pc_aes_ccm_decrypt(&ccm) == PC_CRYPTO_FORGED, "CCM takes a forged tag");
	expect(model_operations(MODEL_AES) > 12000, "CCM: %u operations", model_operations(MODEL_AES));

	uint8_t message[1000], copy[1000], gcm_tag[16], expected_tag[16];
	random_bytes(message, sizeof message);
	memcpy(copy, message, sizeof copy);
	unsigned before = model_operations(MODEL_AES);
	const pc_aead gcm = {key, 16, nonce, 12, aad, 20, message, sizeof message, gcm_tag, 16};
	expect(pc_aes_gcm_encrypt(&gcm) == PC_CRYPTO_OK, "GCM can't encrypt");
	expect(model_operations(MODEL_AES) - before >= 62, "GCM: %u operations", model_operations(MODEL_AES) - before);
	pc_aes_ctr_keys software;
	br_gcm_context context;
	pc_aes_ctr_vtable.init(&software.vtable, key, 16);
	br_gcm_init(&context, &software.vtable, pc_ghash);
	br_gcm_reset(&context, nonce, 12);
	br_gcm_aad_inject(&context, aad, 20);
	br_gcm_flip(&context);
	br_gcm_run(&context, 1, copy, sizeof copy);
	br_gcm_get_tag(&context, expected_tag);
	expect(memcmp(message, copy, sizeof copy) == 0 && memcmp(gcm_tag, expected_tag, 16) == 0, "GCM: another result");
	expect(pc_aes_gcm_decrypt(&gcm) == PC_CRYPTO_OK, "GCM can't decrypt");
	expect_good_manners();
}

static model_fault kind; /* of the scenario */

/* The peripheral fails from its after-th block on: nothing is ever wrong, and it isn't used any more. */
static void aes_failing(unsigned after) {
	model_set_fault(MODEL_AES, kind, after);
	expect_right_aes(16);
	expect_right_aes(32);
	expect(!works(PC_ENGINE_AES_HARDWARE), "the peripheral is said to work");
	unsigned operations = model_operations(MODEL_AES);
	expect(operations >= after + 1 && operations <= after + 33, "fault at %u, used until %u", after, operations);
	model_set_fault(MODEL_AES, MODEL_WORKS, 0);
	expect_right_aes(16);
	expect(model_operations(MODEL_AES) == operations, "used again");
	expect_good_manners();
}

static void aes_fails(model_fault how) {
	kind = how;
	for (unsigned after = 0; after < 50; after += after < 20 ? 1 : 6) {
		apart(aes_failing, after);
	}
}

static void aes_wrong(void) {
	aes_fails(MODEL_WRONG);
}

static void aes_idle(void) {
	aes_fails(MODEL_IDLE);
}

static void aes_silent(void) {
	aes_fails(MODEL_SILENT);
}

/* Somebody else has it: software, until it is free again. */
static void aes_taken(void) {
	model_set_fault(MODEL_AES, MODEL_TAKEN, 0);
	expect_right_aes(16);
	expect(works(PC_ENGINE_AES_HARDWARE), "the peripheral is said to have failed");
	unsigned before = model_operations(MODEL_AES);
	model_set_fault(MODEL_AES, MODEL_WORKS, 0);
	expect_right_aes(16);
	expect(model_operations(MODEL_AES) > before + 100, "not used when it is free");
	model_set_fault(MODEL_AES, MODEL_TAKEN, 21);
	expect_right_aes(16);
	model_set_fault(MODEL_AES, MODEL_WORKS, 0);
	expect_right_aes(16);
	expect(works(PC_ENGINE_AES_HARDWARE), "the peripheral is said to have failed");
	expect_good_manners();
}

/* One wrong block between right ones: seen if it is the last of its batch; else that block is wrong, and nothing else. */
static void aes_wrong_once_at(unsigned after) {
	(void)try_ctr(16, 0, 128); /* the known answers, and one batch */
	model_set_fault(MODEL_AES, MODEL_ONCE, after);
	unsigned wrong = try_ctr(16, 0, 512);
	bool last = after % 16 == 15;
	expect(wrong == (last ? 0 : 1), "%u bytes wrong", wrong);
	expect(works(PC_ENGINE_AES_HARDWARE) == !last, "the peripheral is said to %s", last ? "work" : "have failed");
}

static void aes_wrong_once(void) {
	for (unsigned after = 0; after < 32; after++) {
		apart(aes_wrong_once_at, after);
	}
}

/* And what comes of it in CCM: the tag isn't right, wherever the fault was. */
static void ccm_wrong_once_at(unsigned after) {
	uint8_t key[16] = {1}, nonce[13] = {2}, data[256], tag[16];
	memset(data, 3, sizeof data);
	const pc_aead message = {key, 16, nonce, 13, NULL, 0, data, sizeof data, tag, 16};
	(void)pc_aes_ccm_encrypt(&message);
	model_set_fault(MODEL_AES, MODEL_ONCE, after);
	pc_crypto_status status = pc_aes_ccm_decrypt(&message);
	bool seen = !works(PC_ENGINE_AES_HARDWARE);
	expect(status == (seen ? PC_CRYPTO_OK : PC_CRYPTO_FORGED), "status %d", (int)status);
	expect(data[0] == (seen ? 3 : 0), "the data says %d", data[0]);
}

static void ccm_wrong_once(void) {
	for (unsigned after = 0; after < 32; after++) {
		apart(ccm_wrong_once_at, after);
	}
}

#if PC_ENGINE_ESP32C3

/* ---- SHA-256 ------------------------------------------------------------------------------------------------------- */

static void plain_hash(const uint8_t *data, size_t size, uint8_t digest[32]) {
	uint32_t state[8] = {
		0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19};
	size_t padded = (size + 8) / 64 * 64 + 64;
	uint8_t *message = calloc(padded, 1);
	memcpy(message, data, size);
	message[size] = 0x80;
	for (unsigned i = 0; i < 4; i++) {
		message[padded - 1 - i] = (uint8_t)(8 * size >> 8 * i);
	}
	for (size_t at = 0; at < padded; at += 64) {
		plain_sha256(state, message + at);
	}
	free(message);
	for (unsigned i = 0; i < 32; i++) {
		digest[i] = (uint8_t)(state[i / 4] >> (24 - 8 * (i % 4)));
	}
}

static void expect_right_hash(size_t size, size_t first) {
	uint8_t *data = malloc(size + 1);
	uint8_t expected[32], digest[32];
	random_bytes(data, size);
	plain_hash(data, size, expected);
	pc_sha256 hash;
	pc_sha256_begin(&hash);
	pc_sha256_update(&hash, data, first);
	pc_sha256_update(&hash, data + first, size - first);
	pc_sha256_end(&hash, digest);
	expect(memcmp(digest, expected, 32) == 0, "SHA-256 of %zu bytes, %zu of them first", size, first);
	free(data);
}

static void expect_right_sha(void) {
	for (size_t size = 256; size < 4000; size += 333) {
		expect_right_hash(size, 0);
		expect_right_hash(size, size / 3);
	}
}

static void sha_agrees(void) {
	for (size_t size = 0; size < 700; size++) {
		expect_right_hash(size, size * 7 % (size + 1));
	}
	expect_right_sha();
	expect(model_operations(MODEL_SHA) > 1000, "%u operations", model_operations(MODEL_SHA));
	/* A state that is saved and restored, as br_hmac and others do. */
	uint8_t state[32], digest[32], expected[32], data[1024];
	br_hash_compat_context context;
	random_bytes(data, sizeof data);
	plain_hash(data, sizeof data, expected);
	pc_crypto.sha256->init(&context.vtable);
	pc_crypto.sha256->update(&context.vtable, data, 512);
	uint64_t count = pc_crypto.sha256->state(&context.vtable, state);
	pc_crypto.sha256->init(&context.vtable);
	pc_crypto.sha256->set_state(&context.vtable, state, count);
	pc_crypto.sha256->update(&context.vtable, data + 512, 512);
	pc_crypto.sha256->out(&context.vtable, digest);
	expect(count == 512 && memcmp(digest, expected, 32) == 0, "a restored state goes another way");
	expect(works(PC_ENGINE_SHA256_HARDWARE), "SHA is said to have failed");
	expect_good_manners();
}

static void sha_failing(unsigned after) {
	model_set_fault(MODEL_SHA, kind, after);
	expect_right_sha();
	expect(!works(PC_ENGINE_SHA256_HARDWARE), "SHA is said to work");
	unsigned operations = model_operations(MODEL_SHA);
	expect(operations >= after + 1 && operations <= after + 16, "fault at %u, used until %u", after, operations);
	expect_good_manners();
}

static void sha_fails(void) {
	static const model_fault kinds[] = {MODEL_WRONG, MODEL_IDLE, MODEL_SILENT};
	for (unsigned i = 0; i < 3; i++) {
		kind = kinds[i];
		for (unsigned after = 0; after < 40; after += 2) {
			apart(sha_failing, after);
		}
	}
}

static void sha_taken(void) {
	model_set_fault(MODEL_SHA, MODEL_TAKEN, 0);
	expect_right_sha();
	expect(works(PC_ENGINE_SHA256_HARDWARE) && model_operations(MODEL_SHA) == 0, "%u operations",
		model_operations(MODEL_SHA));
	model_set_fault(MODEL_SHA, MODEL_WORKS, 0);
	expect_right_sha();
	expect(model_operations(MODEL_SHA) > 100, "not used when it is free");
	expect_good_manners();
}

/* ---- multiplication for P-256 --------------------------------------------------------------------------------------- */

static const uint32_t prime[8] = {0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0, 0, 0, 1, 0xFFFFFFFF};

static void expect_right_product(const uint32_t a[8], const uint32_t b[8]) {
	uint32_t d[8], expected[8];
	pc_p256_mul_software(expected, a, b);
	pc_p256_mul(d, a, b);
	expect(memcmp(d, expected, sizeof d) == 0, "a product of %08x... and %08x... is wrong", (unsigned)a[7],
		(unsigned)b[7]);
	memcpy(d, b, sizeof d);
	pc_p256_mul(d, a, d);
	expect(memcmp(d, expected, sizeof d) == 0, "a product in the place of its factor is wrong");
	pc_p256_square(d, b);
	pc_p256_mul_software(expected, b, b);
	expect(memcmp(d, expected, sizeof d) == 0, "a square is wrong");
}

static void expect_right_field(unsigned times) {
	for (unsigned i = 0; i < times; i++) {
		uint32_t a[8], b[8];
		random_bytes(a, sizeof a);
		random_bytes(b, sizeof b);
		b[7] &= 0x7FFFFFFF; /* below the prime */
		expect_right_product(a, b);
	}
}

/* RFC 6979, A.2.5, "sample". */
static void expect_right_signature(void) {
	static const uint8_t key[32] = {0xc9, 0xaf, 0xa9, 0xd8, 0x45, 0xba, 0x75, 0x16, 0x6b, 0x5c, 0x21, 0x57, 0x67, 0xb1,
		0xd6, 0x93, 0x4e, 0x50, 0xc3, 0xdb, 0x36, 0xe8, 0x9b, 0x12, 0x7b, 0x8a, 0x62, 0x2b, 0x12, 0x0f, 0x67, 0x21};
	static const uint8_t expected[64] = {0xef, 0xd4, 0x8b, 0x2a, 0xac, 0xb6, 0xa8, 0xfd, 0x11, 0x40, 0xdd, 0x9c, 0xd4,
		0x5e, 0x81, 0xd6, 0x9d, 0x2c, 0x87, 0x7b, 0x56, 0xaa, 0xf9, 0x91, 0xc3, 0x4d, 0x0e, 0xa8, 0x4e, 0xaf, 0x37,
		0x16, 0xf7, 0xcb, 0x1c, 0x94, 0x2d, 0x65, 0x7c, 0x41, 0xd4, 0x36, 0xc7, 0xa1, 0xb6, 0xe2, 0x9f, 0x65, 0xf3,
		0xe9, 0x00, 0xdb, 0xb9, 0xaf, 0xf4, 0x06, 0x4d, 0xc4, 0xab, 0x2f, 0x84, 0x3a, 0xcd, 0xa8};
	uint8_t digest[32], signature[64], point[65];
	pc_sha256 hash;
	pc_sha256_begin(&hash);
	pc_sha256_update(&hash, "sample", 6);
	pc_sha256_end(&hash, digest);
	expect(pc_ecdsa_sign(key, digest, signature) == PC_CRYPTO_OK, "can't sign");
	expect(memcmp(signature, expected, 64) == 0, "another signature");
	expect(pc_p256_public(key, point) == PC_CRYPTO_OK, "no public key");
	expect(pc_ecdsa_verify(point, digest, signature) == PC_CRYPTO_OK, "can't verify");
	signature[40] ^= 1;
	expect(pc_ecdsa_verify(point, digest, signature) == PC_CRYPTO_FORGED, "takes a forged signature");
}

static void mpi_agrees(void) {
	static const uint32_t edges[][8] = {{0}, {1}, {0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFF, 0, 0, 0, 1, 0xFFFFFFFF},
		{0, 0, 0, 0, 0, 0, 0, 0x80000000}, {0xFFFFFFFF}, {0, 0, 0, 1}, {0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}};
	static const uint32_t ones[8] = {~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u};
	for (unsigned i = 0; i < sizeof edges / sizeof edges[0]; i++) {
		for (unsigned j = 0; j < sizeof edges / sizeof edges[0]; j++) {
			expect_right_product(edges[i], edges[j]);
		}
		expect_right_product(ones, edges[i]);
		expect_right_product(prime, edges[i]);
	}
	expect_right_field(3000);
	unsigned before = model_operations(MODEL_RSA);
	expect_right_signature();
	expect(model_operations(MODEL_RSA) - before > 3000, "signing: %u operations", model_operations(MODEL_RSA) - before);
	expect(works(PC_ENGINE_P256_HARDWARE), "RSA is said to have failed");
	expect_good_manners();
}

/* Every product is checked, so a fault of any kind, at any place, even a single one, is seen at once. */
static void mpi_failing(unsigned after) {
	model_set_fault(MODEL_RSA, kind, after);
	expect_right_field(20);
	expect(!works(PC_ENGINE_P256_HARDWARE), "RSA is said to work");
	expect(model_operations(MODEL_RSA) == after + 1, "fault at %u, used until %u", after, model_operations(MODEL_RSA));
	expect_right_signature();
	expect_good_manners();
}

static void mpi_fails(void) {
	static const model_fault kinds[] = {MODEL_WRONG, MODEL_ONCE, MODEL_IDLE, MODEL_SILENT};
	for (unsigned i = 0; i < 4; i++) {
		kind = kinds[i];
		for (unsigned after = 0; after < 24; after += 3) {
			apart(mpi_failing, after);
		}
	}
}

static void mpi_taken(void) {
	model_set_fault(MODEL_RSA, MODEL_TAKEN, 0);
	expect_right_field(20);
	expect(works(PC_ENGINE_P256_HARDWARE) && model_operations(MODEL_RSA) == 0, "%u operations",
		model_operations(MODEL_RSA));
	model_set_fault(MODEL_RSA, MODEL_WORKS, 0);
	expect_right_field(20);
	expect(model_operations(MODEL_RSA) >= 60, "not used when it is free");
	expect_good_manners();
}

/* ---- sharing with others -------------------------------------------------------------------------------------------- */

static bool locked;
static int held;

static bool take(uint32_t which) {
	(void)which;
	held += !locked;
	return !locked;
}

static void give_back(uint32_t which) {
	(void)which;
	held--;
}

static void expect_all_right(void) {
	expect_right_aes(16);
	expect_right_sha();
	expect_right_field(5);
	expect(held == 0, "%d taken and not given back", held);
}

/* Another system's locks and clocks. While it has an accelerator, not one register is touched. */
static void sharing(void) {
	static const pc_esp32c3_shared others = {take, give_back};
	pc_esp32c3_sharing = &others;
	locked = true;
	expect_all_right(); /* nothing is clocked yet: any access would be a violation */
	expect(model_operations(MODEL_AES) + model_operations(MODEL_SHA) + model_operations(MODEL_RSA) == 0, "used");
	expect_good_manners();
	pc_esp32c3_write(ESP32C3_SYSTEM_PERIP_CLK_EN1,
		pc_esp32c3_read(ESP32C3_SYSTEM_PERIP_CLK_EN1) | ESP32C3_AES_BIT | ESP32C3_SHA_BIT | ESP32C3_RSA_BIT);
	pc_esp32c3_write(ESP32C3_SYSTEM_PERIP_RST_EN1, 0);
	pc_esp32c3_write(ESP32C3_SYSTEM_RSA_PD_CTRL, 0);
	locked = false;
	expect_all_right();
	expect(model_operations(MODEL_AES) > 100, "AES: %u operations", model_operations(MODEL_AES));
	expect(model_operations(MODEL_SHA) > 100, "SHA: %u operations", model_operations(MODEL_SHA));
	expect(model_operations(MODEL_RSA) > 10, "RSA: %u operations", model_operations(MODEL_RSA));
	expect_good_manners();
}

/* ---- the model itself: it sees what a driver must not do ------------------------------------------------------------- */

static void on(uint32_t bit) {
	pc_esp32c3_write(ESP32C3_SYSTEM_PERIP_CLK_EN1, pc_esp32c3_read(ESP32C3_SYSTEM_PERIP_CLK_EN1) | bit);
	pc_esp32c3_write(ESP32C3_SYSTEM_PERIP_RST_EN1, 0);
	pc_esp32c3_write(ESP32C3_SYSTEM_RSA_PD_CTRL, 0);
}

static void fill(uint32_t address, unsigned words, uint32_t value) {
	for (unsigned i = 0; i < words; i++) {
		pc_esp32c3_write(address + 4 * i, value);
	}
}

static void aes_ready(uint32_t value) {
	on(ESP32C3_AES_BIT);
	pc_esp32c3_write(ESP32C3_AES_DMA_ENABLE, 0);
	pc_esp32c3_write(ESP32C3_AES_MODE, 0);
	fill(ESP32C3_AES_KEY(0), 4, value);
	fill(ESP32C3_AES_TEXT_IN(0), 4, value);
}

static void sha_ready(void) {
	on(ESP32C3_SHA_BIT);
	pc_esp32c3_write(ESP32C3_SHA_MODE, 2);
	fill(ESP32C3_SHA_H(0), 8, 1);
	fill(ESP32C3_SHA_M(0), 16, 1);
}

static void rsa_ready(void) {
	on(ESP32C3_RSA_BIT);
	(void)pc_esp32c3_wait(ESP32C3_RSA_CLEAN, 1);
	pc_esp32c3_write(ESP32C3_RSA_INTERRUPT_ENA, 0);
	pc_esp32c3_write(ESP32C3_RSA_MODE, 15);
	fill(ESP32C3_RSA_X(0), 8, 3);
	fill(ESP32C3_RSA_Z(0), 8, 0);
	fill(ESP32C3_RSA_Z(8), 8, 5);
}

static const char *misuse(unsigned number) {
	switch (number) {
	case 0:
		pc_esp32c3_write(ESP32C3_AES_MODE, 0);
		return "no clock";
	case 1:
		pc_esp32c3_write(ESP32C3_SYSTEM_PERIP_CLK_EN1, pc_esp32c3_read(ESP32C3_SYSTEM_PERIP_CLK_EN1) | ESP32C3_AES_BIT);
		pc_esp32c3_write(ESP32C3_SYSTEM_PERIP_RST_EN1, ESP32C3_DS_BIT);
		pc_esp32c3_write(ESP32C3_AES_MODE, 0);
		return "held in reset by DS";
	case 2:
		pc_esp32c3_write(ESP32C3_SYSTEM_PERIP_CLK_EN1, ESP32C3_AES_BIT);
		return "other clocks switched off";
	case 3:
		aes_ready(1);
		pc_esp32c3_write(ESP32C3_AES_TRIGGER, 1);
		pc_esp32c3_write(ESP32C3_AES_TEXT_IN(0), 1);
		return "text written while AES works";
	case 4:
		aes_ready(1);
		pc_esp32c3_write(ESP32C3_AES_TRIGGER, 1);
		(void)pc_esp32c3_read(ESP32C3_AES_TEXT_OUT(0));
		return "result read while AES works";
	case 5:
		on(ESP32C3_AES_BIT);
		pc_esp32c3_write(ESP32C3_AES_DMA_ENABLE, 0);
		fill(ESP32C3_AES_KEY(0), 4, 1);
		pc_esp32c3_write(ESP32C3_AES_MODE, 0);
		fill(ESP32C3_AES_TEXT_IN(0), 4, 1);
		pc_esp32c3_write(ESP32C3_AES_TRIGGER, 1);
		return "key written before the mode";
	case 6:
		aes_ready(1);
		pc_esp32c3_write(ESP32C3_AES_DMA_ENABLE, 1);
		pc_esp32c3_write(ESP32C3_AES_TRIGGER, 1);
		return "triggered in DMA mode";
	case 7:
		aes_ready(1);
		pc_esp32c3_write(ESP32C3_AES_MODE, 2);
		fill(ESP32C3_AES_KEY(0), 4, 1);
		pc_esp32c3_write(ESP32C3_AES_TRIGGER, 1);
		return "half a key for AES-256";
	case 8:
		aes_ready(1);
		pc_esp32c3_write(ESP32C3_AES_TRIGGER, 1);
		(void)pc_esp32c3_wait(ESP32C3_AES_STATE, 0);
		pc_esp32c3_write(ESP32C3_AES_TRIGGER, 1);
		return "triggered twice for one text";
	case 9:
		aes_ready(1);
		return "a key is left";
	case 10:
		aes_ready(1);
		pc_esp32c3_write(ESP32C3_AES_TRIGGER, 1);
		(void)pc_esp32c3_wait(ESP32C3_AES_STATE, 0);
		fill(ESP32C3_AES_KEY(0), 4, 0);
		fill(ESP32C3_AES_TEXT_IN(0), 4, 0);
		return "a result is left";
	case 11:
		on(ESP32C3_SHA_BIT);
		fill(ESP32C3_SHA_H(0), 8, 1);
		fill(ESP32C3_SHA_M(0), 16, 1);
		pc_esp32c3_write(ESP32C3_SHA_CONTINUE, 1);
		return "SHA without a mode";
	case 12:
		sha_ready();
		pc_esp32c3_write(ESP32C3_SHA_CONTINUE, 1);
		(void)pc_esp32c3_read(ESP32C3_SHA_H(0));
		return "hash read while SHA works";
	case 13:
		sha_ready();
		pc_esp32c3_write(ESP32C3_SHA_CONTINUE, 1);
		(void)pc_esp32c3_wait(ESP32C3_SHA_BUSY, 0);
		pc_esp32c3_write(ESP32C3_SHA_CONTINUE, 1);
		return "SHA continued without a message";
	case 14:
		sha_ready();
		return "a message is left";
	case 15:
		on(ESP32C3_RSA_BIT);
		pc_esp32c3_write(ESP32C3_RSA_X(0), 1);
		return "RSA memory before it is clean";
	case 16:
		rsa_ready();
		pc_esp32c3_write(ESP32C3_SYSTEM_RSA_PD_CTRL, ESP32C3_RSA_MEM_PD);
		pc_esp32c3_write(ESP32C3_RSA_X(0), 1);
		return "RSA memory without power";
	case 17:
		rsa_ready();
		pc_esp32c3_write(ESP32C3_RSA_Z(3), 1);
		pc_esp32c3_write(ESP32C3_RSA_MULT_START, 1);
		return "something below Y";
	case 18:
		rsa_ready();
		pc_esp32c3_write(ESP32C3_RSA_MODE, 8);
		pc_esp32c3_write(ESP32C3_RSA_MULT_START, 1);
		return "an odd length";
	case 19:
		rsa_ready();
		pc_esp32c3_write(ESP32C3_RSA_MULT_START, 1);
		(void)pc_esp32c3_read(ESP32C3_RSA_Z(0));
		return "product read while RSA works";
	case 20:
		rsa_ready();
		pc_esp32c3_write(ESP32C3_RSA_MULT_START, 1);
		(void)pc_esp32c3_wait(ESP32C3_RSA_IDLE, 1);
		return "a product is left";
	case 21:
		rsa_ready();
		pc_esp32c3_write(ESP32C3_RSA_INTERRUPT_ENA, 1);
		pc_esp32c3_write(ESP32C3_RSA_MULT_START, 1);
		(void)pc_esp32c3_wait(ESP32C3_RSA_IDLE, 1);
		fill(ESP32C3_RSA_X(0), 8, 0);
		fill(ESP32C3_RSA_Z(0), 16, 0);
		return "an interrupt is left";
	case 22:
		rsa_ready();
		fill(ESP32C3_RSA_X(0), 8, 0);
		fill(ESP32C3_RSA_Z(0), 16, 0);
		(void)pc_esp32c3_read(ESP32C3_RSA_MULT_START);
		return "a register read that can only be written";
	case 23:
		aes_ready(0);
		pc_esp32c3_write(ESP32C3_AES_TEXT_OUT(1), 0);
		return "a register written that can only be read";
	case 24:
		on(ESP32C3_AES_BIT);
		pc_esp32c3_write(ESP32C3_AES + 0x60, 0);
		return "no such register";
	default:
		return NULL;
	}
}

static void model_sees(void) {
	unsigned number = 0;
	for (;; number++) {
		model_power_on();
		const char *what = misuse(number);
		if (what == NULL) {
			break;
		}
		expect(model_violation() != NULL, "not seen: %s", what);
	}
	expect(number == 25, "%u misuses", number);
	/* And nothing where nothing is wrong. */
	model_power_on();
	expect_good_manners();
	aes_ready(0);
	pc_esp32c3_write(ESP32C3_AES_TRIGGER, 1);
	(void)pc_esp32c3_wait(ESP32C3_AES_STATE, 0);
	expect_good_manners();
}

#endif

/* ---- start ---------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	void (*run)(void);
} scenarios[] = {
	{"aes-agrees", aes_agrees},
	{"aes-short", aes_short},
	{"aead", aead},
	{"aes-wrong", aes_wrong},
	{"aes-idle", aes_idle},
	{"aes-silent", aes_silent},
	{"aes-taken", aes_taken},
	{"aes-wrong-once", aes_wrong_once},
	{"ccm-wrong-once", ccm_wrong_once},
#if PC_ENGINE_ESP32C3
	{"sha-agrees", sha_agrees},
	{"sha-fails", sha_fails},
	{"sha-taken", sha_taken},
	{"mpi-agrees", mpi_agrees},
	{"mpi-fails", mpi_fails},
	{"mpi-taken", mpi_taken},
	{"sharing", sharing},
	{"model-sees", model_sees},
#endif
};

int main(int count, char **arguments) {
	for (unsigned i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
		if (count == 2 && strcmp(arguments[1], scenarios[i].name) == 0) {
			scenarios[i].run();
			return failures != 0;
		}
	}
	fprintf(stderr, "there is no such scenario\n");
	return 2;
}
