/* answers.c: see answers.h. */
#include "answers.h"

#include "cbor.h"
#include "crypto.h"
#include "measure.h"
#include "token.h"

#include <string.h>

static const uint8_t message[150] = "a message of three blocks";
static const uint8_t key[32] = "a key of thirty-two bytes, 0123";

static void aead(uint8_t out[64], pc_crypto_status (*encrypt)(const pc_aead *), size_t nonce_size) {
	memcpy(out, message, 48);
	pc_aead sealed = {key, 16, message, nonce_size, message + 60, 20, out, 48, out + 48, 16};
	(void)encrypt(&sealed);
}

void light_one(light_answers *answers, uint32_t which) {
	static const pc_image_part parts[] = {{"a", message, message + 100, NULL, PC_COMPONENT_NATIVE},
		{"b", key, key + 32, NULL, PC_COMPONENT_CONFIGURATION}};
	static const pc_image image = {.parts = parts, .part_count = 2};
	pc_sha256 hash;
	pc_cbor cbor;
	switch (which) {
	case 0:
		pc_sha256_begin(&hash);
		pc_sha256_update(&hash, message, sizeof message);
		pc_sha256_end(&hash, answers->sha256);
		break;
	case 1:
		pc_hmac_sha256(key, 32, message, sizeof message, answers->hmac);
		break;
	case 2:
		(void)pc_hkdf_sha256(message, 16, key, 32, message, 10, answers->hkdf, 32);
		break;
	case 3:
		aead(answers->ccm, pc_aes_ccm_encrypt, 13);
		break;
	case 4:
		aead(answers->gcm, pc_aes_gcm_encrypt, 12);
		break;
	case 5:
		pc_token_ueid(message, answers->ueid);
		break;
	case 6:
		pc_cbor_begin(&cbor, answers->cbor, sizeof answers->cbor);
		pc_cbor_array(&cbor, 3);
		pc_cbor_int(&cbor, -1000);
		pc_cbor_text(&cbor, "abc");
		pc_cbor_bytes(&cbor, message, 5);
		break;
	default:
		pc_measure_image(&image, NULL, NULL, answers->values);
		break;
	}
}

void light(light_answers *answers) {
	memset(answers, 0, sizeof *answers);
	for (uint32_t which = 0; which < LIGHT; which++) {
		light_one(answers, which);
	}
}

void heavy(heavy_answers *answers) {
	uint8_t digest[32];
	memset(answers, 0, sizeof *answers);
	memcpy(digest, key, 32);
	(void)pc_p256_public(key, answers->public_key);
	(void)pc_ecdsa_sign(key, digest, answers->signature);
	answers->verified = pc_ecdsa_verify(answers->public_key, digest, answers->signature) == PC_CRYPTO_OK;
	digest[7] ^= 1;
	answers->forged = pc_ecdsa_verify(answers->public_key, digest, answers->signature) == PC_CRYPTO_FORGED;
	(void)pc_p256_ecdh(key, answers->public_key, answers->secret);
#if WITH_25519
	(void)pc_x25519_public(key, answers->x25519);
	(void)pc_ed25519_public(key, answers->ed25519_public);
	(void)pc_ed25519_sign(key, answers->ed25519_public, message, sizeof message, answers->ed25519_signature);
	answers->ed25519_verified =
		pc_ed25519_verify(answers->ed25519_public, message, sizeof message, answers->ed25519_signature) == PC_CRYPTO_OK;
#endif
}
