/*
 * baseline.c: BearSSL 0.6 with its own implementations for a 32-bit core, in the shapes of crypto.h, to be measured beside
 * ours: p256_m31, ecdsa_i31, c25519_m31, aes_ct, ghash_ctmul, sha2small.
 */
#include "baseline.h"

#include <string.h>

size_t baseline_p256_public(const uint8_t private_key[32], uint8_t public_key[65]) {
	return br_ec_p256_m31.mulgen(public_key, private_key, 32, BR_EC_secp256r1);
}

uint32_t baseline_p256_ecdh(const uint8_t private_key[32], const uint8_t peer[65], uint8_t secret[32]) {
	uint8_t point[65];
	memcpy(point, peer, sizeof point);
	uint32_t good = br_ec_p256_m31.mul(point, sizeof point, private_key, 32, BR_EC_secp256r1);
	memcpy(secret, point + 1, 32);
	return good;
}

size_t baseline_ecdsa_sign(const uint8_t private_key[32], const uint8_t hash[32], uint8_t signature[64]) {
	const br_ec_private_key key = {BR_EC_secp256r1, (uint8_t *)(uintptr_t)private_key, 32};
	return br_ecdsa_i31_sign_raw(&br_ec_p256_m31, &br_sha256_vtable, hash, &key, signature);
}

uint32_t baseline_ecdsa_verify(const uint8_t public_key[65], const uint8_t hash[32], const uint8_t signature[64]) {
	const br_ec_public_key key = {BR_EC_secp256r1, (uint8_t *)(uintptr_t)public_key, 65};
	return br_ecdsa_i31_vrfy_raw(&br_ec_p256_m31, hash, 32, &key, signature, 64);
}

uint32_t baseline_x25519(const uint8_t private_key[32], const uint8_t peer[32], uint8_t secret[32]) {
	memcpy(secret, peer, 32);
	return br_ec_c25519_m31.mul(secret, 32, private_key, 32, BR_EC_curve25519);
}

void baseline_sha256(const void *data, size_t size, uint8_t digest[32]) {
	br_sha256_context context;
	br_sha256_init(&context);
	br_sha256_update(&context, data, size);
	br_sha256_out(&context, digest);
}

void baseline_hmac_sha256(const void *key, size_t key_size, const void *data, size_t size, uint8_t mac[32]) {
	br_hmac_key_context prepared;
	br_hmac_context context;
	br_hmac_key_init(&prepared, &br_sha256_vtable, key, key_size);
	br_hmac_init(&context, &prepared, 0);
	br_hmac_update(&context, data, size);
	br_hmac_out(&context, mac);
}

void baseline_hkdf_sha256(const void *salt, size_t salt_size, const void *ikm, size_t ikm_size, const void *info,
	size_t info_size, void *out, size_t out_size) {
	br_hkdf_context context;
	br_hkdf_init(&context, &br_sha256_vtable, salt, salt_size);
	br_hkdf_inject(&context, ikm, ikm_size);
	br_hkdf_flip(&context);
	br_hkdf_produce(&context, info, info_size, out, out_size);
}

void baseline_hmac_drbg(const void *seed, size_t seed_size, void *out, size_t size) {
	br_hmac_drbg_context context;
	br_hmac_drbg_init(&context, &br_sha256_vtable, seed, seed_size);
	br_hmac_drbg_generate(&context, out, size);
}

void baseline_aes_ctr(const void *key, size_t key_size, const uint8_t counter[16], void *data, size_t size) {
	br_aes_ct_ctr_keys keys;
	br_aes_ct_ctr_init(&keys, key, key_size);
	uint32_t first =
		(uint32_t)counter[12] << 24 | (uint32_t)counter[13] << 16 | (uint32_t)counter[14] << 8 | counter[15];
	br_aes_ct_ctr_run(&keys, counter, first, data, size);
}

static void ccm(const pc_aead *message, int encrypt) {
	br_aes_ct_ctrcbc_keys keys;
	br_ccm_context context;
	br_aes_ct_ctrcbc_init(&keys, message->key, message->key_size);
	br_ccm_init(&context, &keys.vtable);
	br_ccm_reset(
		&context, message->nonce, message->nonce_size, message->aad_size, message->data_size, message->tag_size);
	br_ccm_aad_inject(&context, message->aad, message->aad_size);
	br_ccm_flip(&context);
	br_ccm_run(&context, encrypt, message->data, message->data_size);
	br_ccm_get_tag(&context, message->tag);
}

void baseline_aes_ccm_encrypt(const pc_aead *message) {
	ccm(message, 1);
}

void baseline_aes_ccm_decrypt(const pc_aead *message) {
	ccm(message, 0);
}

static void gcm(const pc_aead *message, int encrypt) {
	br_aes_ct_ctr_keys keys;
	br_gcm_context context;
	br_aes_ct_ctr_init(&keys, message->key, message->key_size);
	br_gcm_init(&context, &keys.vtable, br_ghash_ctmul);
	br_gcm_reset(&context, message->nonce, message->nonce_size);
	br_gcm_aad_inject(&context, message->aad, message->aad_size);
	br_gcm_flip(&context);
	br_gcm_run(&context, encrypt, message->data, message->data_size);
	br_gcm_get_tag(&context, message->tag);
}

void baseline_aes_gcm_encrypt(const pc_aead *message) {
	gcm(message, 1);
}

void baseline_aes_gcm_decrypt(const pc_aead *message) {
	gcm(message, 0);
}
