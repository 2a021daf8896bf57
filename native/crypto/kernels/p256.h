/*
 * p256.h: ECDH and ECDSA on P-256 (secp256r1), in the shapes that BearSSL knows.
 *
 * Secrets (private keys, nonces, scalars given to mul and mulgen) influence neither branches nor addresses. The
 * exceptions are that an invalid scalar is refused at once, and that RFC 6979 repeats its last step for a nonce that
 * is zero or not below n, which happens with probability 2^-32. Signature verification and muladd take time that
 * depends on their (public) arguments.
 *
 * Nothing is allocated; stack figures are in README.md.
 */
#ifndef PERICARD_KERNELS_P256_H
#define PERICARD_KERNELS_P256_H

#include "bearssl_ec.h"
#include "bearssl_hash.h"

/*
 * BearSSL's interface to a curve; only BR_EC_secp256r1 is supported. Points are 65 bytes, 04 X Y. Stricter than
 * BearSSL demands: mul and muladd return 0, and mulgen returns 0 and writes nothing, if a scalar is zero or not below
 * the order; mul and muladd return 0 if a point isn't 65 bytes, doesn't start with 04, has a coordinate not below p,
 * or isn't on the curve. The curve has prime order, so every point on it but infinity, which has no encoding, is a
 * generator. muladd isn't constant-time, except with a B other than NULL.
 */
extern const br_ec_impl pc_p256_ec;

/* Is this a point of the curve: 65 bytes, 04 X Y? The same rules as for mul. Returns 1 or 0. */
uint32_t pc_p256_is_point(const uint8_t *point, size_t size);

/*
 * ECDSA signature, raw format: r and s, 32 bytes each, big-endian. Deterministic, RFC 6979 with the hash function hf,
 * of which hash is a value. Returns 64; or 0, and writes nothing, if impl doesn't support the curve of the key, if
 * that isn't P-256, or if the key is zero or not below n. Beyond that impl isn't used. (The type br_ecdsa_sign.)
 */
size_t pc_p256_sign_raw(
	const br_ec_impl *impl, const br_hash_class *hf, const void *hash, const br_ec_private_key *sk, void *sig);

/*
 * Returns 1 if the nonce of a signature (r and s, 32 bytes each) by sk is the one of RFC 6979 for this hash, else 0: derives
 * it anew, and looks whether k s = z + r d. A right signature with another nonce, made by a disturbed derivation, may give
 * the key away. Constant-time.
 */
uint32_t pc_p256_check_nonce(
	const br_hash_class *hf, const void *hash, const br_ec_private_key *sk, const uint8_t signature[64]);

/* That a signature is one of a hash by a key. */
typedef struct {
	const uint8_t *key; /* 04 X Y */
	size_t key_size;
	const uint8_t *hash; /* more than 32 bytes are cut */
	size_t hash_size;
	const uint8_t *signature; /* r and s, big-endian, of the same length, at most 32 bytes each; both in [1, n - 1] */
	size_t signature_size;
} pc_p256_claim;

/*
 * Returns PC_VERDICT_YES (verdict.h) if the claim holds, any other word if not. No single skipped instruction makes a yes
 * of it; and none of whoever writes the claim twice, each time from its own variables: then no register stands alone for
 * an address.
 */
uint32_t pc_p256_verify_claim(const pc_p256_claim *claim, const pc_p256_claim *again);

/* The same as BearSSL has it (the type br_ecdsa_vrfy). impl is as above. */
uint32_t pc_p256_verify_raw(const br_ec_impl *impl, const void *hash, size_t hash_len, const br_ec_public_key *pk,
	const void *sig, size_t sig_len);

#endif
