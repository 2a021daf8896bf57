/*
 * faults.c: callers of native/crypto for test/unit/crypto-faults.test.ts, and checks as one would write them, which one skipped
 * instruction turns.
 */
#include "crypto.h"
#include "kernels/verdict.h"

#include <string.h>

uint32_t ecdsa_after(const uint8_t *key, const uint8_t *right, const uint8_t *wrong, const uint8_t *signature);
uint32_t ccm_after(const pc_aead *message, void *data, uint8_t *tag);
uint32_t plain_gcm_open(const pc_aead *message);
uint32_t plain_status(const uint8_t *key, const uint8_t *hash, const uint8_t *signature);

/* A right signature, and then the same one for another hash: what the first has left in memory may help the second, whose
 * status this is, plus 1. */
uint32_t ecdsa_after(const uint8_t *key, const uint8_t *right, const uint8_t *wrong, const uint8_t *signature) {
	if (pc_ecdsa_verify(key, right, signature) != PC_CRYPTO_OK) {
		return 0;
	}
	return pc_opaque((uint32_t)pc_ecdsa_verify(key, wrong, signature)) + 1;
}

/* Opens a message, and then other data with the same tag: the status of that, plus 1. */
uint32_t ccm_after(const pc_aead *message, void *data, uint8_t *tag) {
	if (pc_aes_ccm_decrypt(message) != PC_CRYPTO_OK) {
		return 0;
	}
	pc_aead other = *message;
	other.data = data;
	other.tag = tag;
	return pc_opaque((uint32_t)pc_aes_ccm_decrypt(&other)) + 1;
}

/* A yes of one comparison, and a status that is set: 0 for good. */
uint32_t plain_gcm_open(const pc_aead *message) {
	pc_engine_aes_ctr keys;
	br_gcm_context context;
	uint32_t status = 0;
	pc_crypto.aes_ctr->init(&keys.vtable, message->key, message->key_size);
	br_gcm_init(&context, &keys.vtable, pc_crypto.ghash);
	br_gcm_reset(&context, message->nonce, message->nonce_size);
	br_gcm_aad_inject(&context, message->aad, message->aad_size);
	br_gcm_flip(&context);
	br_gcm_run(&context, 0, message->data, message->data_size);
	if (!br_gcm_check_tag(&context, message->tag)) {
		memset(message->data, 0, message->data_size);
		status = 3;
	}
	return status;
}

/* A right verdict, badly used. */
uint32_t plain_status(const uint8_t *key, const uint8_t *hash, const uint8_t *signature) {
	return pc_ecdsa_verify(key, hash, signature) == PC_CRYPTO_OK ? 0 : 3;
}
