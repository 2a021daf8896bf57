/*
 * engines.h: the one table that chooses which implementation of each primitive a board uses. BearSSL's own vtables are the
 * seam: a kernel of ours, or a peripheral, takes the place of an entry here and of nothing else.
 *
 * The table is constant and in the header, so that the compiler sees through it and the linker drops what isn't reached.
 *
 * One choice serves all boards of today: the kernels of kernels/, each of which is assembly on a Cortex-M4 and portable C
 * elsewhere (kernels/twin.h), with the same results. BearSSL gives the modes over them: CCM, GCM, HMAC, HKDF, HMAC_DRBG.
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
#include "kernels/ghash.h"
#include "kernels/p256.h"
#include "kernels/sha256.h"

typedef struct {
	const br_hash_class *sha256;
	const br_ec_impl *p256;
	uint32_t (*is_point)(const uint8_t *point, size_t size);
	br_ecdsa_sign ecdsa_sign;
	br_ecdsa_vrfy ecdsa_verify;
	const br_block_ctr_class *aes_ctr;
	const br_block_ctrcbc_class *aes_ctrcbc;
	br_ghash ghash;
} pc_crypto_engines;

static const pc_crypto_engines pc_crypto __attribute__((unused)) = {
	.sha256 = &pc_sha256_vtable,
	.p256 = &pc_p256_ec,
	.is_point = pc_p256_is_point,
	.ecdsa_sign = pc_p256_sign_raw,
	.ecdsa_verify = pc_p256_verify_raw,
	.aes_ctr = &pc_aes_ctr_vtable,
	.aes_ctrcbc = &pc_aes_ctrcbc_vtable,
	.ghash = pc_ghash,
};

#endif
