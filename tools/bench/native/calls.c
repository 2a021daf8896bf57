/*
 * calls.c: crypto.h where one call of it is not a whole operation, or takes a structure. The caller writes into the bench_
 * variables.
 */
#include "calls.h"

uint8_t bench_key[32];
uint8_t bench_nonce[13];
uint8_t bench_aad[13];
uint8_t bench_data[4096];
uint8_t bench_tag[16];

pc_aead bench_ccm = {
	bench_key, 16, bench_nonce, 13, bench_aad, sizeof bench_aad, bench_data, sizeof bench_data, bench_tag, 8};
pc_aead bench_gcm = {
	bench_key, 16, bench_nonce, 12, bench_aad, sizeof bench_aad, bench_data, sizeof bench_data, bench_tag, 16};

const uint32_t bench_ok = PC_CRYPTO_OK;

void bench_sha256(const void *data, size_t size, uint8_t digest[32]) {
	pc_sha256 hash;
	pc_sha256_begin(&hash);
	pc_sha256_update(&hash, data, size);
	pc_sha256_end(&hash, digest);
}

void bench_hmac_drbg(const void *seed, size_t seed_size, void *out, size_t size) {
	pc_hmac_drbg drbg;
	pc_hmac_drbg_begin(&drbg, seed, seed_size);
	(void)pc_hmac_drbg_generate(&drbg, out, size);
}

void bench_sha512(const void *data, size_t size, uint8_t digest[64]) {
	pc_sha512 hash;
	pc_sha512_begin(&hash);
	pc_sha512_update(&hash, data, size);
	pc_sha512_end(&hash, digest);
}
