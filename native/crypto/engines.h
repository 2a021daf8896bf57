/*
 * engines.h: the one table that chooses which implementation of each primitive a board uses. BearSSL's own vtables are the
 * seam: a kernel of ours, or a peripheral, takes the place of an entry here and of nothing else.
 *
 * The table is constant and in the header, so that the compiler sees through it and the linker drops what isn't reached.
 *
 * One choice serves all boards of today. It is right for Cortex-M4 and M33, whose 32 x 32 -> 64 bit multiplication takes the
 * same time for all operands (Arm DDI 0439, 3.3.1): m31 and i31 work on it, aes_ct is bitsliced on 32 bits, ghash_ctmul
 * multiplies with holes. A Cortex-M3 or M0 would need m15, i15 and ghash_ctmul32, since its multiplication does not. A 64-bit
 * process takes the same, so that tests there run what devices run.
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

typedef struct {
	const br_hash_class *sha256;
	const br_ec_impl *p256;
	br_ecdsa_sign ecdsa_sign;
	br_ecdsa_vrfy ecdsa_verify;
	const br_block_ctr_class *aes_ctr;
	const br_block_ctrcbc_class *aes_ctrcbc;
	br_ghash ghash;
} pc_crypto_engines;

static const pc_crypto_engines pc_crypto __attribute__((unused)) = {
	.sha256 = &br_sha256_vtable,
	.p256 = &br_ec_p256_m31,
	.ecdsa_sign = br_ecdsa_i31_sign_raw,
	.ecdsa_verify = br_ecdsa_i31_vrfy_raw,
	.aes_ctr = &br_aes_ct_ctr_vtable,
	.aes_ctrcbc = &br_aes_ct_ctrcbc_vtable,
	.ghash = br_ghash_ctmul,
};

#endif
