/*
 * engines.h: the one table that chooses which implementation of each primitive a board uses. BearSSL's own vtables are the
 * seam: a kernel of ours, or a peripheral, takes the place of an entry here and of nothing else.
 *
 * The table is constant and in the header, so that the compiler sees through it and the linker drops what isn't reached.
 *
 * Boards take the kernels of kernels/, each of which is assembly on a Cortex-M4 and portable C elsewhere (kernels/twin.h), with
 * the same results; or a peripheral (peripherals/choice.h), with a kernel as its check and stand-in. Where the ESP32-C3
 * multiplies for P-256 the choice is further down, in kernels/p256-portable.c. BearSSL gives the modes over all of them: CCM,
 * GCM, HMAC, HKDF, HMAC_DRBG.
 */
#ifndef PERICARD_ENGINES_H
#define PERICARD_ENGINES_H

#include "bearssl_aead.h"
#include "bearssl_block.h"
#include "bearssl_ec.h"
#include "bearssl_hash.h"
#include "bearssl_hmac.h"
#include "bearssl_kdf.h"
#include "bearssl_rand.h"

#include "kernels/aes.h"
#include "kernels/ed25519.h"
#include "kernels/ghash.h"
#include "kernels/p256.h"
#include "kernels/sha256.h"
#include "kernels/sha512.h"
#include "kernels/x25519.h"
#include "peripherals/choice.h"
#if PC_ENGINE_AES_PERIPHERAL
#include "peripherals/peripheral-aes.h"
#endif
#if PC_ENGINE_ESP32C3
#include "peripherals/esp32c3-sha.h"
#endif

/* Contexts of the engines for AES. */
#if PC_ENGINE_AES_PERIPHERAL
typedef pc_peripheral_aes_ctr_keys pc_engine_aes_ctr;
typedef pc_peripheral_aes_ctrcbc_keys pc_engine_aes_ctrcbc;
#else
typedef pc_aes_ctr_keys pc_engine_aes_ctr;
typedef pc_aes_ctrcbc_keys pc_engine_aes_ctrcbc;
#endif

typedef struct {
	const br_hash_class *sha256;
	const br_hash_class *sha512;
	const br_ec_impl *p256;
	uint32_t (*is_point)(const uint8_t *point, size_t size);
	br_ecdsa_sign ecdsa_sign;
	uint32_t (*ecdsa_check_nonce)(
		const br_hash_class *hf, const void *hash, const br_ec_private_key *sk, const uint8_t signature[64]);
	uint32_t (*ecdsa_verify)(const pc_p256_claim *claim, const pc_p256_claim *again);
	uint32_t (*x25519)(uint8_t out[32], const uint8_t scalar[32], const uint8_t point[32]);
	void (*x25519_public)(uint8_t out[32], const uint8_t secret[32]);
	void (*ed25519_public)(uint8_t key[32], const uint8_t seed[32]);
	void (*ed25519_sign)(
		uint8_t signature[64], const uint8_t seed[32], const uint8_t key[32], const void *text, size_t size);
	uint32_t (*ed25519_check_nonce)(
		const uint8_t signature[64], const uint8_t seed[32], const uint8_t key[32], const void *text, size_t size);
	uint32_t (*ed25519_verify)(const pc_ed25519_claim *claim, const pc_ed25519_claim *again);
	const br_block_ctr_class *aes_ctr;
	const br_block_ctrcbc_class *aes_ctrcbc;
	br_ghash ghash;
} pc_crypto_engines;

static const pc_crypto_engines pc_crypto __attribute__((unused)) = {
#if PC_ENGINE_ESP32C3
	.sha256 = &pc_esp32c3_sha256_vtable,
#else
	.sha256 = &pc_sha256_vtable,
#endif
	.sha512 = &pc_sha512_vtable,
	.p256 = &pc_p256_ec,
	.is_point = pc_p256_is_point,
	.ecdsa_sign = pc_p256_sign_raw,
	.ecdsa_check_nonce = pc_p256_check_nonce,
	.ecdsa_verify = pc_p256_verify_claim,
	.x25519 = pc_x25519_raw,
	.x25519_public = pc_x25519_public_raw,
	.ed25519_public = pc_ed25519_public_raw,
	.ed25519_sign = pc_ed25519_sign_raw,
	.ed25519_check_nonce = pc_ed25519_check_nonce,
	.ed25519_verify = pc_ed25519_verify_claim,
#if PC_ENGINE_AES_PERIPHERAL
	.aes_ctr = &pc_peripheral_aes_ctr_vtable,
	.aes_ctrcbc = &pc_peripheral_aes_ctrcbc_vtable,
#else
	.aes_ctr = &pc_aes_ctr_vtable,
	.aes_ctrcbc = &pc_aes_ctrcbc_vtable,
#endif
	.ghash = pc_ghash,
};

#endif
