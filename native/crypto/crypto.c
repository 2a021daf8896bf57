/*
 * crypto.c: see crypto.h. Checks sizes and keys, calls the engines, and wipes what held a secret.
 */
#include "crypto.h"

#include "kernels/verdict.h"
#include "selftest.h"

#include <string.h>

/* "defines": {"crypto": {"verifySignatures": false}} in a manifest: signatures leave unverified. Of an app's build only. */
#ifdef __has_include
#if __has_include("mc.defines.h")
#include "mc.defines.h"
#endif
#endif
#ifndef MODDEF_CRYPTO_VERIFYSIGNATURES
#define MODDEF_CRYPTO_VERIFYSIGNATURES 1
#endif

void pc_wipe(void *data, size_t size) {
	if (size > 0) {
		memset(data, 0, size);
		/* As if something read it: the compiler may not drop what it can't see the use of. */
		__asm__ volatile("" : : "r"(data) : "memory");
	}
}

bool pc_equal(const void *a, const void *b, size_t size) {
	const uint8_t *left = a;
	const uint8_t *right = b;
	uint32_t difference = 0;
	for (size_t i = 0; i < size; i++) {
		difference |= (uint32_t)(left[i] ^ right[i]);
	}
	return difference == 0;
}

/* Bytes of stack below the caller that an engine may have written to: of what has public keys (an Ed25519 verification takes
 * 2,260), and of the rest (HKDF with SHA-512 takes 1,850). With the caller's own it stays below the 2,560 that any operation
 * may take. */
#define DEEP 2272u
#define SHALLOW 1856u

static void __attribute__((noinline)) wipe_deep(void) {
	uint8_t below[DEEP];
	pc_wipe(below, sizeof below);
}

static void __attribute__((noinline)) wipe_stack(void) {
	uint8_t below[SHALLOW];
	pc_wipe(below, sizeof below);
}

/* An empty input has an address too: the engines hand it to memcpy. */
static const void *input(const void *data) {
	return data != NULL ? data : "";
}

/* What an engine that doesn't work gives. */
static pc_crypto_status nothing(uint8_t *out, size_t size) {
	memset(out, 0, size);
	return PC_CRYPTO_ENGINE;
}

/* SHA-256, SHA-512 ------------------------------------------------------------------------------------------------------- */

void pc_sha256_begin(pc_sha256 *hash) {
	pc_crypto.sha256->init(&hash->context.vtable);
}

void pc_sha256_update(pc_sha256 *hash, const void *data, size_t size) {
	pc_crypto.sha256->update(&hash->context.vtable, input(data), size);
}

pc_crypto_status pc_sha256_end(const pc_sha256 *hash, uint8_t digest[32]) {
	if (!pc_sha256_works()) {
		return nothing(digest, PC_SHA256_SIZE);
	}
	pc_crypto.sha256->out(&hash->context.vtable, digest);
	return PC_CRYPTO_OK;
}

void pc_sha512_begin(pc_sha512 *hash) {
	pc_crypto.sha512->init(&hash->context.vtable);
}

void pc_sha512_update(pc_sha512 *hash, const void *data, size_t size) {
	pc_crypto.sha512->update(&hash->context.vtable, input(data), size);
}

pc_crypto_status pc_sha512_end(const pc_sha512 *hash, uint8_t digest[64]) {
	if (!pc_sha512_works()) {
		return nothing(digest, PC_SHA512_SIZE);
	}
	pc_crypto.sha512->out(&hash->context.vtable, digest);
	return PC_CRYPTO_OK;
}

/* HMAC, HKDF, HMAC_DRBG -------------------------------------------------------------------------------------------------- */

static void hmac(
	const br_hash_class *hash, const void *key, size_t key_size, const void *data, size_t size, uint8_t *mac) {
	br_hmac_key_context prepared;
	br_hmac_context context;
	br_hmac_key_init(&prepared, hash, input(key), key_size);
	br_hmac_init(&context, &prepared, 0);
	br_hmac_update(&context, input(data), size);
	br_hmac_out(&context, mac);
	pc_wipe(&prepared, sizeof prepared);
	pc_wipe(&context, sizeof context);
	wipe_stack();
}

pc_crypto_status pc_hmac_sha256(const void *key, size_t key_size, const void *data, size_t size, uint8_t mac[32]) {
	if (!pc_sha256_works()) {
		return nothing(mac, PC_SHA256_SIZE);
	}
	hmac(pc_crypto.sha256, key, key_size, data, size, mac);
	return PC_CRYPTO_OK;
}

pc_crypto_status pc_hmac_sha512(const void *key, size_t key_size, const void *data, size_t size, uint8_t mac[64]) {
	if (!pc_sha512_works()) {
		return nothing(mac, PC_SHA512_SIZE);
	}
	hmac(pc_crypto.sha512, key, key_size, data, size, mac);
	return PC_CRYPTO_OK;
}

static void hkdf(const br_hash_class *hash, const void *salt, size_t salt_size, const void *ikm, size_t ikm_size,
	const void *info, size_t info_size, void *out, size_t out_size) {
	br_hkdf_context context;
	br_hkdf_init(&context, hash, salt_size > 0 ? salt : BR_HKDF_NO_SALT, salt_size);
	br_hkdf_inject(&context, input(ikm), ikm_size);
	br_hkdf_flip(&context);
	br_hkdf_produce(&context, input(info), info_size, out, out_size);
	pc_wipe(&context, sizeof context);
	wipe_stack();
}

pc_crypto_status pc_hkdf_sha256(const void *salt, size_t salt_size, const void *ikm, size_t ikm_size, const void *info,
	size_t info_size, void *out, size_t out_size) {
	if (out_size < 1 || out_size > 255u * PC_SHA256_SIZE) {
		return PC_CRYPTO_RANGE;
	}
	if (!pc_sha256_works()) {
		return PC_CRYPTO_ENGINE;
	}
	hkdf(pc_crypto.sha256, salt, salt_size, ikm, ikm_size, info, info_size, out, out_size);
	return PC_CRYPTO_OK;
}

pc_crypto_status pc_hkdf_sha512(const void *salt, size_t salt_size, const void *ikm, size_t ikm_size, const void *info,
	size_t info_size, void *out, size_t out_size) {
	if (out_size < 1 || out_size > 255u * PC_SHA512_SIZE) {
		return PC_CRYPTO_RANGE;
	}
	if (!pc_sha512_works()) {
		return PC_CRYPTO_ENGINE;
	}
	hkdf(pc_crypto.sha512, salt, salt_size, ikm, ikm_size, info, info_size, out, out_size);
	return PC_CRYPTO_OK;
}

void pc_hmac_drbg_begin(pc_hmac_drbg *drbg, const void *seed, size_t size) {
	br_hmac_drbg_init(&drbg->context, pc_crypto.sha256, input(seed), size);
	wipe_stack();
}

void pc_hmac_drbg_reseed(pc_hmac_drbg *drbg, const void *seed, size_t size) {
	br_hmac_drbg_update(&drbg->context, input(seed), size);
	wipe_stack();
}

pc_crypto_status pc_hmac_drbg_generate(pc_hmac_drbg *drbg, void *out, size_t size) {
	if (size > 65536u) {
		return PC_CRYPTO_RANGE;
	}
	if (!pc_sha256_works()) {
		return PC_CRYPTO_ENGINE;
	}
	br_hmac_drbg_generate(&drbg->context, out, size);
	wipe_stack();
	return PC_CRYPTO_OK;
}

/* P-256 ------------------------------------------------------------------------------------------------------------------ */

pc_crypto_status pc_p256_public(const uint8_t private_key[32], uint8_t public_key[65]) {
	if (!pc_p256_sign_works()) {
		return PC_CRYPTO_ENGINE;
	}
	size_t written = pc_crypto.p256->mulgen(public_key, private_key, PC_P256_PRIVATE_SIZE, BR_EC_secp256r1);
	wipe_deep();
	return written != 0 ? PC_CRYPTO_OK : PC_CRYPTO_KEY;
}

pc_crypto_status pc_p256_ecdh(const uint8_t private_key[32], const uint8_t peer[65], uint8_t secret[32]) {
	uint8_t point[65];
	if (!pc_p256_ecdh_works()) {
		return PC_CRYPTO_ENGINE;
	}
	memcpy(point, peer, sizeof point);
	uint32_t good = pc_crypto.p256->mul(point, sizeof point, private_key, PC_P256_PRIVATE_SIZE, BR_EC_secp256r1);
	if (good != 0) {
		memcpy(secret, point + 1, 32);
	}
	pc_wipe(point, sizeof point);
	wipe_deep();
	return good != 0 ? PC_CRYPTO_OK : PC_CRYPTO_KEY;
}

/* What tells a signature from one that a stray write has hit. */
static uint32_t __attribute__((noinline)) sum_of(const volatile uint8_t signature[64]) {
	uint32_t sum = 0, of_sums = 0;
	for (unsigned i = 0; i < PC_SIGNATURE_SIZE; i++) {
		sum += signature[i];
		of_sums += sum;
	}
	return of_sums << 14 ^ sum;
}

/* Gives a signature out, whole or not at all: `sum` is that of the one that was looked at. Of the other address there are two. */
static pc_crypto_status release(
	const uint8_t made[64], uint32_t sum, uint8_t signature[64], uint8_t signature_again[64]) {
	memcpy(signature, made, PC_SIGNATURE_SIZE);
	if (sum_of(signature_again) != sum) {
		pc_wipe(signature_again, PC_SIGNATURE_SIZE);
		return PC_CRYPTO_FAULT;
	}
	return PC_CRYPTO_OK;
}

/* What is to be signed with what: written twice, so that no register stands alone for an address. */
typedef struct {
	const uint8_t *private_key, *hash;
	uint8_t *signature;
} ecdsa_order;

static pc_crypto_status __attribute__((noinline))
ecdsa_sign(const ecdsa_order *order, const ecdsa_order *again, const uint8_t *public_key) {
	uint8_t made[64] = {0}, own[65];
	pc_crypto_status status = PC_CRYPTO_OK;
	/* The engine reads the key only; its type doesn't say so. */
	br_ec_private_key key = {BR_EC_secp256r1, (uint8_t *)(uintptr_t)order->private_key, PC_P256_PRIVATE_SIZE};
	if (pc_crypto.ecdsa_sign(pc_crypto.p256, pc_crypto.sha256, order->hash, &key, made) == 0) {
		return PC_CRYPTO_KEY;
	}
	uint32_t sum = sum_of(made);
	if (MODDEF_CRYPTO_VERIFYSIGNATURES) {
		key.x = (uint8_t *)(uintptr_t)again->private_key;
		if (public_key == NULL) {
			pc_crypto.p256->mulgen(own, key.x, PC_P256_PRIVATE_SIZE, BR_EC_secp256r1);
			public_key = own;
		}
		const pc_p256_claim claim = {
			public_key, PC_P256_PUBLIC_SIZE, again->hash, PC_SHA256_SIZE, made, PC_SIGNATURE_SIZE};
		if (!pc_crypto.ecdsa_check_nonce(pc_crypto.sha256, claim.hash, &key, made) ||
			pc_crypto.ecdsa_verify(&claim, &claim) != PC_VERDICT_YES) {
			status = PC_CRYPTO_FAULT;
		}
	}
	if (status == PC_CRYPTO_OK) {
		status = release(made, sum, order->signature, again->signature);
	}
	pc_wipe(made, sizeof made);
	return status;
}

pc_crypto_status pc_ecdsa_sign_with(
	const uint8_t private_key[32], const uint8_t public_key[65], const uint8_t hash[32], uint8_t signature[64]) {
	/* The compiler must not make one of them out of the other: what is left out of one would be wrong in both. */
	ecdsa_order order = {private_key, hash, signature};
	__asm__ volatile("" : "+m"(order), "+r"(private_key), "+r"(hash), "+r"(signature));
	ecdsa_order again = {private_key, hash, signature};
	__asm__ volatile("" : "+m"(again));
	if (!pc_p256_sign_works() || (MODDEF_CRYPTO_VERIFYSIGNATURES && !pc_p256_verify_works())) {
		return PC_CRYPTO_ENGINE;
	}
	pc_crypto_status status = ecdsa_sign(&order, &again, public_key);
	wipe_deep();
	return status;
}

pc_crypto_status pc_ecdsa_sign(const uint8_t private_key[32], const uint8_t hash[32], uint8_t signature[64]) {
	return pc_ecdsa_sign_with(private_key, NULL, hash, signature);
}

/* What a look twice at a signature has said, as a status: it is PC_CRYPTO_OK if it says so, and is never set to that. What was
 * worked with is wiped: left out instructions would find what an earlier signature, a right one, has left. */
static pc_crypto_status status_of(uint32_t verdict, pc_crypto_status otherwise) {
	_Static_assert((uint32_t)PC_CRYPTO_OK == PC_VERDICT_YES, "a verdict is a status");
	wipe_deep();
	if (pc_opaque(verdict) != PC_VERDICT_YES) {
		verdict = (uint32_t)otherwise;
	}
	return (pc_crypto_status)verdict;
}

/* All ones if a digest is zeros, else 0. */
static uint32_t __attribute__((noinline)) is_all_zeros(const volatile uint8_t digest[32]) {
	uint32_t any = 0;
	for (unsigned i = 0; i < PC_SHA256_SIZE; i++) {
		any |= digest[i];
	}
	return ~pc_any(any);
}

pc_crypto_status pc_ecdsa_verify(const uint8_t public_key[65], const uint8_t hash[32], const uint8_t signature[64]) {
	if (!pc_p256_verify_works()) {
		return PC_CRYPTO_ENGINE;
	}
	/* For a digest of nothing but zeros anybody can make signatures, of any key. */
	if (is_all_zeros(hash) != 0) {
		return PC_CRYPTO_FORGED;
	}
	/* Of each address two copies, so that no register stands alone for it. */
	const uint8_t *volatile key = public_key, *volatile digest = hash, *volatile bytes = signature;
	const pc_p256_claim claim = {public_key, PC_P256_PUBLIC_SIZE, hash, PC_SHA256_SIZE, signature, PC_SIGNATURE_SIZE};
	const pc_p256_claim again = {key, PC_P256_PUBLIC_SIZE, digest, PC_SHA256_SIZE, bytes, PC_SIGNATURE_SIZE};
	pc_crypto_status otherwise =
		pc_crypto.is_point(public_key, PC_P256_PUBLIC_SIZE) != 0 ? PC_CRYPTO_FORGED : PC_CRYPTO_KEY;
	uint32_t verdict = pc_crypto.ecdsa_verify(&claim, &again);
	return status_of(verdict ^ is_all_zeros(digest), otherwise);
}

/* X25519, Ed25519 -------------------------------------------------------------------------------------------------------- */

pc_crypto_status pc_x25519_public(const uint8_t private_key[32], uint8_t public_key[32]) {
	if (!pc_x25519_works()) {
		return PC_CRYPTO_ENGINE;
	}
	pc_crypto.x25519_public(public_key, private_key);
	wipe_stack();
	return PC_CRYPTO_OK;
}

pc_crypto_status pc_x25519(const uint8_t private_key[32], const uint8_t peer[32], uint8_t secret[32]) {
	uint8_t point[32];
	if (!pc_x25519_works()) {
		return PC_CRYPTO_ENGINE;
	}
	uint32_t good = pc_crypto.x25519(point, private_key, peer);
	if (good != 0) {
		memcpy(secret, point, sizeof point);
	}
	pc_wipe(point, sizeof point);
	wipe_stack();
	return good != 0 ? PC_CRYPTO_OK : PC_CRYPTO_KEY;
}

pc_crypto_status pc_ed25519_public(const uint8_t seed[32], uint8_t public_key[32]) {
	if (!pc_ed25519_sign_works()) {
		return PC_CRYPTO_ENGINE;
	}
	pc_crypto.ed25519_public(public_key, seed);
	wipe_stack();
	return PC_CRYPTO_OK;
}

/* The same of a message. */
typedef struct {
	const uint8_t *seed;
	const void *message;
	size_t size;
	uint8_t *signature;
} ed25519_order;

static pc_crypto_status __attribute__((noinline))
ed25519_sign(const ed25519_order *order, const ed25519_order *again, const uint8_t *public_key) {
	uint8_t made[64] = {0}, own[32];
	pc_crypto_status status = PC_CRYPTO_OK;
	if (public_key == NULL) {
		pc_crypto.ed25519_public(own, order->seed);
		public_key = own;
	}
	pc_crypto.ed25519_sign(made, order->seed, public_key, input(order->message), order->size);
	wipe_deep();
	uint32_t sum = sum_of(made);
	if (MODDEF_CRYPTO_VERIFYSIGNATURES) {
		const pc_ed25519_claim claim = {public_key, made, input(again->message), again->size};
		if (!pc_crypto.ed25519_check_nonce(made, again->seed, public_key, claim.text, claim.size) ||
			pc_crypto.ed25519_verify(&claim, &claim) != PC_VERDICT_YES) {
			status = PC_CRYPTO_FAULT;
		}
		wipe_deep();
	}
	if (status == PC_CRYPTO_OK) {
		status = release(made, sum, order->signature, again->signature);
	}
	pc_wipe(made, sizeof made);
	return status;
}

pc_crypto_status pc_ed25519_sign(
	const uint8_t seed[32], const uint8_t public_key[32], const void *message, size_t size, uint8_t signature[64]) {
	/* As in pc_ecdsa_sign_with; where the signature goes comes on the stack, and is loaded for each of them. */
	ed25519_order order = {seed, message, size, signature};
	__asm__ volatile("" : "+m"(order), "+r"(seed), "+r"(message), "+r"(size), "+m"(signature));
	ed25519_order again = {seed, message, size, signature};
	__asm__ volatile("" : "+m"(again));
	if (!pc_ed25519_sign_works() || (MODDEF_CRYPTO_VERIFYSIGNATURES && !pc_ed25519_verify_works())) {
		return PC_CRYPTO_ENGINE;
	}
	return ed25519_sign(&order, &again, public_key);
}

pc_crypto_status pc_ed25519_verify(
	const uint8_t public_key[32], const void *message, size_t size, const uint8_t signature[64]) {
	if (!pc_ed25519_verify_works()) {
		return PC_CRYPTO_ENGINE;
	}
	const uint8_t *volatile key = public_key, *volatile bytes = signature;
	const void *volatile text = input(message);
	volatile size_t length = size;
	const pc_ed25519_claim claim = {public_key, signature, input(message), size};
	const pc_ed25519_claim again = {key, bytes, text, length};
	return status_of(pc_crypto.ed25519_verify(&claim, &again), PC_CRYPTO_FORGED);
}

/* AES-CTR, AES-CCM and AES-GCM ------------------------------------------------------------------------------------------- */

static bool is_aes_key(size_t size) {
	return size == 16 || size == 32;
}

/* Blocks that the counter passes before its last `bits` bits wrap; a part of them if there are more than 2^24. */
static size_t before_wrap(const uint8_t counter[16], unsigned bits) {
	uint32_t range = bits < 24 ? (uint32_t)1 << bits : (uint32_t)1 << 24;
	uint32_t low = (uint32_t)counter[13] << 16 | (uint32_t)counter[14] << 8 | counter[15];
	return range - (low & (range - 1));
}

/* What does not count takes the place of what carries have made of it. */
static void keep_head(uint8_t counter[16], const uint8_t before[16], unsigned bits) {
	for (unsigned i = 0; i < 16; i++) {
		unsigned below = 8 * (15 - i); /* bits behind this byte */
		unsigned counting = bits <= below ? 0 : bits - below < 8 ? bits - below : 8;
		uint8_t mask = (uint8_t)(0xFFu >> (8 - counting));
		counter[i] = (uint8_t)((counter[i] & mask) | (before[i] & (uint8_t)~mask));
	}
}

pc_crypto_status pc_aes_ctr(
	const void *key, size_t key_size, uint8_t counter[16], unsigned counter_bits, void *data, size_t size) {
	size_t blocks = size / 16 + (size % 16 != 0);
	if (!is_aes_key(key_size) || counter_bits < 1 || counter_bits > 128 ||
		(counter_bits < 32 && blocks > (size_t)1 << counter_bits)) {
		return PC_CRYPTO_RANGE;
	}
	if (!pc_aes_works()) {
		return PC_CRYPTO_ENGINE;
	}
	pc_engine_aes_ctrcbc keys;
	uint8_t before[16], last[16] = {0};
	uint8_t *bytes = data;
	memcpy(before, counter, sizeof before);
	pc_crypto.aes_ctrcbc->init(&keys.vtable, key, key_size);
	for (size_t left = size; left > 0;) {
		size_t most = before_wrap(counter, counter_bits), now = left / 16 < most ? left / 16 : most;
		if (now > 0) {
			pc_crypto.aes_ctrcbc->ctr(&keys.vtable, counter, bytes, 16 * now);
			bytes += 16 * now;
			left -= 16 * now;
		} else {
			memcpy(last, bytes, left);
			pc_crypto.aes_ctrcbc->ctr(&keys.vtable, counter, last, sizeof last);
			memcpy(bytes, last, left);
			left = 0;
		}
		keep_head(counter, before, counter_bits);
	}
	pc_wipe(&keys, sizeof keys);
	pc_wipe(last, sizeof last);
	wipe_stack();
	return PC_CRYPTO_OK;
}

/* What running a mode gives. */
typedef struct {
	uint8_t tag[16];
	uint32_t wrong; /* of decryption: 0 if the key is what it has to be */
} outcome;

/* Is the expanded key the same if it is expanded again? Whoever knows what a disturbed expansion leaves could make tags. */
static uint32_t __attribute__((noinline)) look_at_ccm_key(const pc_engine_aes_ctrcbc *keys, const pc_aead *message) {
	pc_engine_aes_ctrcbc again = {0};
	pc_crypto.aes_ctrcbc->init(&again.vtable, message->key, message->key_size);
	uint32_t wrong = pc_word_differences(keys, &again, sizeof again);
	pc_wipe(&again, sizeof again);
	return wrong;
}

static uint32_t __attribute__((noinline)) look_at_gcm_key(const pc_engine_aes_ctr *keys, const pc_aead *message) {
	pc_engine_aes_ctr again = {0};
	pc_crypto.aes_ctr->init(&again.vtable, message->key, message->key_size);
	uint32_t wrong = pc_word_differences(keys, &again, sizeof again);
	pc_wipe(&again, sizeof again);
	return wrong;
}

/* Runs a mode in one direction and computes the tag; message->tag is not looked at. False for a size that it doesn't take, and
 * nothing has changed. */
static bool ccm(const pc_aead *message, bool encrypt, outcome *made) {
	if (!is_aes_key(message->key_size) || message->tag_size < 8 || message->tag_size > 16) {
		return false;
	}
	pc_engine_aes_ctrcbc keys = {0};
	br_ccm_context context;
	pc_crypto.aes_ctrcbc->init(&keys.vtable, message->key, message->key_size);
	if (!encrypt) {
		made->wrong = look_at_ccm_key(&keys, message);
	}
	br_ccm_init(&context, &keys.vtable);
	bool taken = false;
	if (br_ccm_reset(&context, input(message->nonce), message->nonce_size, message->aad_size, message->data_size,
			message->tag_size)) {
		br_ccm_aad_inject(&context, input(message->aad), message->aad_size);
		br_ccm_flip(&context);
		br_ccm_run(&context, encrypt, message->data, message->data_size);
		br_ccm_get_tag(&context, made->tag);
		taken = true;
	}
	pc_wipe(&keys, sizeof keys);
	pc_wipe(&context, sizeof context);
	wipe_stack();
	return taken;
}

static bool gcm(const pc_aead *message, bool encrypt, outcome *made) {
	if (!is_aes_key(message->key_size) || message->nonce_size != 12 || message->tag_size != 16) {
		return false;
	}
	pc_engine_aes_ctr keys = {0};
	br_gcm_context context;
	pc_crypto.aes_ctr->init(&keys.vtable, message->key, message->key_size);
	if (!encrypt) {
		made->wrong = look_at_gcm_key(&keys, message);
	}
	br_gcm_init(&context, &keys.vtable, pc_crypto.ghash);
	br_gcm_reset(&context, message->nonce, message->nonce_size);
	br_gcm_aad_inject(&context, input(message->aad), message->aad_size);
	br_gcm_flip(&context);
	br_gcm_run(&context, encrypt, message->data, message->data_size);
	br_gcm_get_tag(&context, made->tag);
	pc_wipe(&keys, sizeof keys);
	pc_wipe(&context, sizeof context);
	wipe_stack();
	return true;
}

typedef bool aead_mode(const pc_aead *message, bool encrypt, outcome *made);

static pc_crypto_status seal(const pc_aead *message, aead_mode *mode) {
	outcome made;
	if (!mode(message, true, &made)) {
		return PC_CRYPTO_RANGE;
	}
	memcpy(message->tag, made.tag, message->tag_size);
	return PC_CRYPTO_OK;
}

/* One look at a tag: 0 if it is right. All is read anew. */
static uint32_t __attribute__((noinline)) look_at_tag(const volatile pc_aead *message, const volatile outcome *made) {
	size_t size = message->tag_size;
	uint32_t wrong = made->wrong | (uint32_t)(size < 8) | (uint32_t)(size > 16);
	return wrong | pc_differences(message->tag, (const uint8_t *)made->tag, size);
}

/* No way through here sets the status to PC_CRYPTO_OK; the looks at the tag give it. */
static pc_crypto_status unseal(const pc_aead *message, aead_mode *mode) {
	outcome made = {{0}, UINT32_MAX};
	volatile uint32_t first = UINT32_MAX, second = UINT32_MAX;
	/* What is not computed stays wrong. */
	for (size_t i = 0; i < message->tag_size && i < sizeof made.tag; i++) {
		made.tag[i] = (uint8_t)~message->tag[i];
	}
	if (!mode(message, false, &made)) {
		return PC_CRYPTO_RANGE;
	}
	first = look_at_tag(message, &made);
	second = look_at_tag(message, &made);
	uint32_t verdict = pc_verdict(first, second);
	if (pc_opaque(verdict) != PC_VERDICT_YES) {
		pc_wipe(message->data, message->data_size);
	}
	pc_wipe(&made, sizeof made);
	return status_of(verdict, PC_CRYPTO_FORGED);
}

/* For a function that ends with a call: without this it would end with a jump, and what follows it in flash, which may be the
 * sealing of a message, would be called in its place if that jump is left out. */
static inline pc_crypto_status returned(pc_crypto_status status) {
	return (pc_crypto_status)pc_opaque((uint32_t)status);
}

pc_crypto_status pc_aes_ccm_encrypt(const pc_aead *message) {
	return pc_aes_works() ? seal(message, ccm) : PC_CRYPTO_ENGINE;
}

pc_crypto_status pc_aes_ccm_decrypt(const pc_aead *message) {
	return returned(pc_aes_works() ? unseal(message, ccm) : PC_CRYPTO_ENGINE);
}

static bool gcm_works(void) {
	return pc_aes_works() && pc_ghash_works();
}

pc_crypto_status pc_aes_gcm_encrypt(const pc_aead *message) {
	return gcm_works() ? seal(message, gcm) : PC_CRYPTO_ENGINE;
}

pc_crypto_status pc_aes_gcm_decrypt(const pc_aead *message) {
	return returned(gcm_works() ? unseal(message, gcm) : PC_CRYPTO_ENGINE);
}
