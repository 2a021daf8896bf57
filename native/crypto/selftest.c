/* selftest.c: see selftest.h. The tests ask the kernels, not the front door: nothing here depends on a result of its own. */
#include "selftest.h"

#include "engines.h"
#include "kernels/spend.h"
#include "kernels/verdict.h"

#include <string.h>

/* Keys, messages and points are these bytes: i, and 17 i. */
static const uint8_t first[32] = {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0D,
	0x0E, 0x0F, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1A, 0x1B, 0x1C, 0x1D, 0x1E, 0x1F};
static const uint8_t second[32] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD,
	0xEE, 0xFF, 0x10, 0x21, 0x32, 0x43, 0x54, 0x65, 0x76, 0x87, 0x98, 0xA9, 0xBA, 0xCB, 0xDC, 0xED, 0xFE, 0x0F};

static uint32_t failed; /* bit n: the engine n */
static uint32_t tested; /* bit n: the test n */

void pc_engine_fail(pc_engine engine) {
	failed |= 1u << engine;
}

uint32_t pc_crypto_failed(void) {
	return failed;
}

typedef enum {
	TEST_SHA256,
	TEST_SHA512,
	TEST_P256_SIGN,
	TEST_P256_ECDH,
	TEST_P256_VERIFY,
	TEST_X25519,
	TEST_ED25519_SIGN,
	TEST_ED25519_VERIFY,
	TEST_AES,
	TEST_GHASH,
} known_answer_test;

/* Of what a test does behind the last report of what it tests, about. */
#define REST_COST 1500u

/* Nothing is noted before the test has ended: on the fibre it may be interrupted, and be run meanwhile by somebody else. */
static bool works(pc_engine engine, known_answer_test which, bool (*test)(void)) {
	if ((tested >> which & 1) == 0) {
		if (!test()) {
			pc_engine_fail(engine);
		}
		tested |= 1u << which;
		pc_crypto_spent(REST_COST);
	}
	return (failed >> engine & 1) == 0;
}

static bool same(const void *a, const void *b, size_t size) {
	return memcmp(a, b, size) == 0;
}

/* ---- hashing ---------------------------------------------------------------------------------------------------- */

static bool hashes(const br_hash_class *hash, const uint8_t known[8]) {
	br_hash_compat_context context;
	uint8_t digest[64];
	hash->init(&context.vtable);
	hash->update(&context.vtable, first, sizeof first);
	hash->out(&context.vtable, digest);
	return same(digest, known, 8);
}

static bool test_sha256(void) {
	return hashes(&pc_sha256_vtable, pc_known.sha256);
}

bool pc_sha256_works(void) {
	return works(PC_ENGINE_SHA256, TEST_SHA256, test_sha256);
}

static bool test_sha512(void) {
	return hashes(&pc_sha512_vtable, pc_known.sha512);
}

bool pc_sha512_works(void) {
	return works(PC_ENGINE_SHA512, TEST_SHA512, test_sha512);
}

/* ---- P-256 ------------------------------------------------------------------------------------------------------ */

static bool test_p256_sign(void) {
	const br_ec_private_key key = {BR_EC_secp256r1, (uint8_t *)(uintptr_t)first, sizeof first};
	uint8_t signature[64];
	return pc_p256_sign_raw(&pc_p256_ec, &pc_sha256_vtable, second, &key, signature) == sizeof signature &&
		   same(signature, pc_known.p256_signature, sizeof signature);
}

bool pc_p256_sign_works(void) {
	return pc_sha256_works() && works(PC_ENGINE_P256, TEST_P256_SIGN, test_p256_sign);
}

static bool test_p256_ecdh(void) {
	uint8_t point[65];
	memcpy(point, pc_known.p256_public, sizeof point);
	return pc_p256_ec.mul(point, sizeof point, first, sizeof first, BR_EC_secp256r1) == 1 &&
		   same(point + 1, pc_known.p256_secret, sizeof pc_known.p256_secret);
}

bool pc_p256_ecdh_works(void) {
	return works(PC_ENGINE_P256, TEST_P256_ECDH, test_p256_ecdh);
}

static bool test_p256_verify(void) {
	const pc_p256_claim claim = {pc_known.p256_public, sizeof pc_known.p256_public, second, sizeof second,
		pc_known.p256_signature, sizeof pc_known.p256_signature};
	return pc_p256_verify_claim(&claim, &claim) == PC_VERDICT_YES;
}

bool pc_p256_verify_works(void) {
	return pc_sha256_works() && works(PC_ENGINE_P256, TEST_P256_VERIFY, test_p256_verify);
}

/* ---- X25519, Ed25519 -------------------------------------------------------------------------------------------- */

static bool test_x25519(void) {
	uint8_t secret[32];
	return pc_x25519_raw(secret, first, second) == 1 && same(secret, pc_known.x25519_secret, 8);
}

bool pc_x25519_works(void) {
	return works(PC_ENGINE_25519, TEST_X25519, test_x25519);
}

static bool test_ed25519_sign(void) {
	uint8_t signature[64];
	pc_ed25519_sign_raw(signature, first, pc_known.ed25519_public, second, sizeof second);
	return same(signature, pc_known.ed25519_signature, sizeof signature);
}

bool pc_ed25519_sign_works(void) {
	return pc_sha512_works() && works(PC_ENGINE_25519, TEST_ED25519_SIGN, test_ed25519_sign);
}

static bool test_ed25519_verify(void) {
	const pc_ed25519_claim claim = {pc_known.ed25519_public, pc_known.ed25519_signature, second, sizeof second};
	return pc_ed25519_verify_claim(&claim, &claim) == PC_VERDICT_YES;
}

bool pc_ed25519_verify_works(void) {
	return pc_sha512_works() && works(PC_ENGINE_25519, TEST_ED25519_VERIFY, test_ed25519_verify);
}

/* ---- AES, GHASH ------------------------------------------------------------------------------------------------- */

#define BLOCKS 6u /* the engine does more than 4 in another way */
#define LAST (16 * (BLOCKS - 1))

static bool encrypts(size_t key_size, const uint8_t known[8]) {
	union {
		pc_aes_ctr_keys ctr;
		pc_aes_ctrcbc_keys ctrcbc;
	} keys;
	uint8_t stream[16 * BLOCKS] = {0}, counter[16], one[16] = {0}, mac[16] = {0};
	const uint32_t count = 0xCCDDEEFF; /* the end of `second`'s first block */
	pc_aes_ctr_vtable.init((const br_block_ctr_class **)&keys.ctr.vtable, first, key_size);
	pc_aes_ctr_vtable.run((const br_block_ctr_class *const *)&keys.ctr.vtable, second, count, stream, sizeof stream);
	pc_aes_ctr_vtable.run((const br_block_ctr_class *const *)&keys.ctr.vtable, second, count + BLOCKS - 1, one, 16);
	bool good = same(stream, known, 8) && same(one, stream + LAST, 16);
	pc_aes_ctrcbc_vtable.init(&keys.ctrcbc.vtable, first, key_size);
	pc_aes_ctrcbc_vtable.mac(&keys.ctrcbc.vtable, mac, second, 16);
	good = good && same(mac, stream, 16);
	memcpy(counter, second, sizeof counter);
	pc_aes_ctrcbc_vtable.decrypt(&keys.ctrcbc.vtable, counter, mac, stream, 16);
	memset(one, 0, sizeof one);
	return good && same(stream, one, 16);
}

static bool test_aes(void) {
	return encrypts(16, pc_known.aes128) && encrypts(32, pc_known.aes256);
}

bool pc_aes_works(void) {
	return works(PC_ENGINE_AES, TEST_AES, test_aes);
}

static bool test_ghash(void) {
	uint8_t y[16] = {0};
	pc_ghash(y, first, second, sizeof second);
	return same(y, pc_known.ghash, sizeof pc_known.ghash);
}

bool pc_ghash_works(void) {
	return works(PC_ENGINE_GHASH, TEST_GHASH, test_ghash);
}
