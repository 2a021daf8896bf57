/*
 * baseline.h: see baseline.c. No sizes are checked and nothing is wiped.
 */
#ifndef PERICARD_BENCH_BASELINE_H
#define PERICARD_BENCH_BASELINE_H

#include "crypto.h"

#include <stddef.h>
#include <stdint.h>

/* Not 0 if the keys are good; the others have the shapes of crypto.h. */
size_t baseline_p256_public(const uint8_t private_key[32], uint8_t public_key[65]);
uint32_t baseline_p256_ecdh(const uint8_t private_key[32], const uint8_t peer[65], uint8_t secret[32]);
size_t baseline_ecdsa_sign(const uint8_t private_key[32], const uint8_t hash[32], uint8_t signature[64]);
uint32_t baseline_ecdsa_verify(const uint8_t public_key[65], const uint8_t hash[32], const uint8_t signature[64]);
uint32_t baseline_x25519(const uint8_t private_key[32], const uint8_t peer[32], uint8_t secret[32]);
void baseline_sha256(const void *data, size_t size, uint8_t digest[32]);
void baseline_hmac_sha256(const void *key, size_t key_size, const void *data, size_t size, uint8_t mac[32]);
void baseline_hkdf_sha256(const void *salt, size_t salt_size, const void *ikm, size_t ikm_size, const void *info,
	size_t info_size, void *out, size_t out_size);
/* Begins with the seed and generates. */
void baseline_hmac_drbg(const void *seed, size_t seed_size, void *out, size_t size);
void baseline_aes_ctr(const void *key, size_t key_size, const uint8_t counter[16], void *data, size_t size);
void baseline_aes_ccm_encrypt(const pc_aead *message);
void baseline_aes_ccm_decrypt(const pc_aead *message);
void baseline_aes_gcm_encrypt(const pc_aead *message);
void baseline_aes_gcm_decrypt(const pc_aead *message);

#endif
