/*
 * crypto.h: the algorithms that everything on the device uses: SHA-256, SHA-512, HMAC, HKDF, HMAC_DRBG, ECDSA and ECDH on
 * P-256, X25519, Ed25519, AES-CTR, AES-CCM and AES-GCM.
 *
 * Nothing here owns or allocates memory; contexts are the caller's. Time and memory accesses of what works on a secret do
 * not depend on its value (docs/crypto.md); lengths, statuses and public keys are no secrets. What held a
 * secret on the stack is wiped before a function returns. A pointer that goes with a size of 0 may be NULL. Inputs and
 * outputs may be the same memory only where it says so.
 *
 * Points are uncompressed (SEC 1, 2.3.3): 04 || X || Y, 65 bytes. Private keys are 32 bytes, big-endian, 1 to n - 1.
 * Signatures are r || s, 32 bytes each, big-endian.
 *
 * Everything counts its work through pc_crypto_spend (kernels/spend.h), so that a caller may stop between two counts.
 */
#ifndef PERICARD_CRYPTO_H
#define PERICARD_CRYPTO_H

#include "engines.h"
#include "kernels/spend.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
	PC_CRYPTO_OK = 0x3CA5965A, /* never made of another status by one skipped instruction: compare with the name */
	PC_CRYPTO_RANGE = 1,       /* a size that the algorithm doesn't take */
	PC_CRYPTO_KEY = 2,         /* no private key (0, or n and above), or no point of the curve */
	PC_CRYPTO_FORGED = 3,      /* the tag or the signature is not right */
	PC_CRYPTO_ENGINE = 4,      /* an engine that it needs failed its known-answer test: selftest.h */
	PC_CRYPTO_FAULT = 5, /* the signature that was made is not right: the core was disturbed, or the keys are no pair */
} pc_crypto_status;

#define PC_SHA256_SIZE 32u
#define PC_SHA512_SIZE 64u
#define PC_P256_PRIVATE_SIZE 32u
#define PC_P256_PUBLIC_SIZE 65u
#define PC_SIGNATURE_SIZE 64u

/* Overwrites memory with zeros, though it is not read any more. */
void pc_wipe(void *data, size_t size);

/* Are `size` bytes the same? Takes the same time wherever they differ. */
bool pc_equal(const void *a, const void *b, size_t size);

/* SHA-256 (FIPS 180-4), in pieces of any size. Ending does not change the context: the digest of what came so far is had by
 * ending, and more may follow. A context may be copied. PC_CRYPTO_ENGINE: the digest is all zeros. */
typedef struct {
	br_sha256_context context;
} pc_sha256;

void pc_sha256_begin(pc_sha256 *hash);
void pc_sha256_update(pc_sha256 *hash, const void *data, size_t size);
pc_crypto_status pc_sha256_end(const pc_sha256 *hash, uint8_t digest[32]);

/* SHA-512 (FIPS 180-4), in the same way. */
typedef struct {
	br_sha512_context context;
} pc_sha512;

void pc_sha512_begin(pc_sha512 *hash);
void pc_sha512_update(pc_sha512 *hash, const void *data, size_t size);
pc_crypto_status pc_sha512_end(const pc_sha512 *hash, uint8_t digest[64]);

/* HMAC (RFC 2104, FIPS 198-1) with SHA-256 and SHA-512, keys of any size. */
pc_crypto_status pc_hmac_sha256(const void *key, size_t key_size, const void *data, size_t size, uint8_t mac[32]);
pc_crypto_status pc_hmac_sha512(const void *key, size_t key_size, const void *data, size_t size, uint8_t mac[64]);

/* HKDF (RFC 5869) with SHA-256 and SHA-512: extract and expand. No salt (size 0) is zeros, as in section 2.2. `out_size` 1 to
 * 255 digests (8,160 and 16,320), else PC_CRYPTO_RANGE and `out` is unchanged. */
pc_crypto_status pc_hkdf_sha256(const void *salt, size_t salt_size, const void *ikm, size_t ikm_size, const void *info,
	size_t info_size, void *out, size_t out_size);
pc_crypto_status pc_hkdf_sha512(const void *salt, size_t salt_size, const void *ikm, size_t ikm_size, const void *info,
	size_t info_size, void *out, size_t out_size);

/* HMAC_DRBG with SHA-256 (NIST SP 800-90A, 10.1.2), without the reseed counter: counting requests is the caller's. The seed
 * is entropy || nonce || personalisation, or for reseeding entropy || additional input. Generate takes 65,536 bytes at most
 * (PC_CRYPTO_RANGE). The state is as secret as what it gives. */
typedef struct {
	br_hmac_drbg_context context;
} pc_hmac_drbg;

void pc_hmac_drbg_begin(pc_hmac_drbg *drbg, const void *seed, size_t size);
void pc_hmac_drbg_reseed(pc_hmac_drbg *drbg, const void *seed, size_t size);
pc_crypto_status pc_hmac_drbg_generate(pc_hmac_drbg *drbg, void *out, size_t size);

/* The public key of a private key. PC_CRYPTO_KEY if it is none; then nothing is written. */
pc_crypto_status pc_p256_public(const uint8_t private_key[32], uint8_t public_key[65]);

/* ECDH (SP 800-56A, 5.7.1.2): `secret` is the x-coordinate of the common point, to be fed to a key derivation. PC_CRYPTO_KEY
 * if one of the keys is none; then nothing is written. */
pc_crypto_status pc_p256_ecdh(const uint8_t private_key[32], const uint8_t peer[65], uint8_t secret[32]);

/* ECDSA (FIPS 186-5) over a SHA-256 digest with the deterministic nonce of RFC 6979, so it needs no random numbers.
 * PC_CRYPTO_KEY if the private key is none. The signature is verified by the public key, and its nonce derived anew, before a
 * byte of it leaves: PC_CRYPTO_FAULT if it is not what it has to be. Nothing is written unless PC_CRYPTO_OK. That takes time
 * which depends on the signature, not on the key. A manifest's "defines": {"crypto": {"verifySignatures": false}} leaves it
 * out. `public_key` may be NULL: it is computed then, for that. */
pc_crypto_status pc_ecdsa_sign_with(
	const uint8_t private_key[32], const uint8_t public_key[65], const uint8_t hash[32], uint8_t signature[64]);

/* The same without a public key. */
pc_crypto_status pc_ecdsa_sign(const uint8_t private_key[32], const uint8_t hash[32], uint8_t signature[64]);

/* PC_CRYPTO_OK, PC_CRYPTO_KEY for a public key that is no point of the curve, PC_CRYPTO_FORGED for a signature that is not
 * right, r or s outside of 1 to n - 1 among them. A digest of nothing but zeros is never right. */
pc_crypto_status pc_ecdsa_verify(const uint8_t public_key[65], const uint8_t hash[32], const uint8_t signature[64]);

/* X25519 (RFC 7748), keys of 32 bytes, little-endian. Any bytes are a private key: they are clamped (section 5). */
pc_crypto_status pc_x25519_public(const uint8_t private_key[32], uint8_t public_key[32]);

/* `secret` is to be fed to a key derivation. PC_CRYPTO_KEY if it is all zeros, for the peer's key is of low order (section 6.1);
 * then nothing is written. */
pc_crypto_status pc_x25519(const uint8_t private_key[32], const uint8_t peer[32], uint8_t secret[32]);

/* Ed25519 (RFC 8032, section 5.1, pure), the private key being the seed of 32 bytes. */
pc_crypto_status pc_ed25519_public(const uint8_t seed[32], uint8_t public_key[32]);

/* `public_key` must be the seed's own. NULL: it is computed, which is as much work again. The signature is verified and its
 * nonce derived anew before a byte of it leaves, as with pc_ecdsa_sign_with(): PC_CRYPTO_FAULT, and nothing is written, if it
 * is not right, so for another's public key too; without that look, such a signature gives the seed's scalar away. The message
 * is read six times, without the look twice. */
pc_crypto_status pc_ed25519_sign(
	const uint8_t seed[32], const uint8_t public_key[32], const void *message, size_t size, uint8_t signature[64]);

/* PC_CRYPTO_OK, or PC_CRYPTO_FORGED for a signature or a public key that is not right: kernels/ed25519.h says what is. */
pc_crypto_status pc_ed25519_verify(
	const uint8_t public_key[32], const void *message, size_t size, const uint8_t signature[64]);

/* AES-CTR (SP 800-38A, 6.5) in place, with a key of 16 or 32 bytes. The last `counter_bits` (1 to 128) bits of the counter block
 * count, and wrap to 0; the others stay. `counter` becomes that of the block behind the last one begun. PC_CRYPTO_RANGE, and
 * nothing has changed, for other sizes, and for more blocks than the counter has values. */
pc_crypto_status pc_aes_ctr(
	const void *key, size_t key_size, uint8_t counter[16], unsigned counter_bits, void *data, size_t size);

/* One message of authenticated encryption. A nonce must never serve twice for one key. */
typedef struct {
	const void *key; /* AES-128: 16 bytes, AES-256: 32 */
	size_t key_size;
	const void *nonce;
	size_t nonce_size;
	const void *aad; /* is authenticated, not encrypted */
	size_t aad_size;
	void *data; /* is encrypted or decrypted in place */
	size_t data_size;
	uint8_t *tag; /* apart from the data: written by encryption, read by decryption */
	size_t tag_size;
} pc_aead;

/* AES-CCM (RFC 3610, SP 800-38C): nonce 7 to 13 bytes, tag 8, 10, 12, 14 or 16; the data's size must fit into 15 minus the
 * nonce's size bytes. AES-GCM (SP 800-38D): nonce 12 bytes, tag 16. Other sizes: PC_CRYPTO_RANGE, and nothing has changed.
 * Decryption gives PC_CRYPTO_FORGED if the tag is not right; the data is then all zeros, so nothing unauthentic gets out. */
pc_crypto_status pc_aes_ccm_encrypt(const pc_aead *message);
pc_crypto_status pc_aes_ccm_decrypt(const pc_aead *message);
pc_crypto_status pc_aes_gcm_encrypt(const pc_aead *message);
pc_crypto_status pc_aes_gcm_decrypt(const pc_aead *message);

#endif
