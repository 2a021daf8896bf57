/*
 * core.c: operations of crypto.h.
 */
#include "driver.h"

#include <stdlib.h>
#include <string.h>

/* data, size of the first piece */
static const char *sha256(const bytes *a) {
	pc_sha256 hash;
	size_t first = (size_t)number(a[1]);
	pc_sha256_begin(&hash);
	pc_sha256_update(&hash, a[0].data, first);
	pc_sha256_update(&hash, a[0].data != NULL ? a[0].data + first : NULL, a[0].size - first);
	pc_sha256_end(&hash, result(32));
	return "ok";
}

/* data, how often */
static const char *sha256_repeated(const bytes *a) {
	pc_sha256 hash;
	pc_sha256_begin(&hash);
	for (uint64_t i = number(a[1]); i > 0; i--) {
		pc_sha256_update(&hash, a[0].data, a[0].size);
	}
	pc_sha256_end(&hash, result(32));
	return "ok";
}

/* data, size of the first piece */
static const char *sha512(const bytes *a) {
	pc_sha512 hash;
	size_t first = (size_t)number(a[1]);
	pc_sha512_begin(&hash);
	pc_sha512_update(&hash, a[0].data, first);
	pc_sha512_update(&hash, a[0].data != NULL ? a[0].data + first : NULL, a[0].size - first);
	uint8_t *digest = result(64);
	/* Ending doesn't change it. */
	pc_sha512_end(&hash, digest);
	pc_sha512_end(&hash, digest);
	return "ok";
}

/* data, how often */
static const char *sha512_repeated(const bytes *a) {
	pc_sha512 hash;
	pc_sha512_begin(&hash);
	for (uint64_t i = number(a[1]); i > 0; i--) {
		pc_sha512_update(&hash, a[0].data, a[0].size);
	}
	pc_sha512_end(&hash, result(64));
	return "ok";
}

static const char *hmac512(const bytes *a) {
	pc_hmac_sha512(a[0].data, a[0].size, a[1].data, a[1].size, result(64));
	return "ok";
}

/* salt, ikm, info, size */
static const char *hkdf512(const bytes *a) {
	size_t size = (size_t)number(a[3]);
	return status_name(
		pc_hkdf_sha512(a[0].data, a[0].size, a[1].data, a[1].size, a[2].data, a[2].size, result(size), size));
}

static const char *hmac(const bytes *a) {
	pc_hmac_sha256(a[0].data, a[0].size, a[1].data, a[1].size, result(32));
	return "ok";
}

/* salt, ikm, info, size */
static const char *hkdf(const bytes *a) {
	size_t size = (size_t)number(a[3]);
	return status_name(
		pc_hkdf_sha256(a[0].data, a[0].size, a[1].data, a[1].size, a[2].data, a[2].size, result(size), size));
}

/* seed, seed for reseeding or none, size: what the second request gives */
static const char *drbg(const bytes *a) {
	pc_hmac_drbg state;
	size_t size = (size_t)number(a[2]);
	pc_hmac_drbg_begin(&state, a[0].data, a[0].size);
	if (a[1].size > 0) {
		pc_hmac_drbg_reseed(&state, a[1].data, a[1].size);
	}
	uint8_t *out = result(size);
	pc_crypto_status status = pc_hmac_drbg_generate(&state, out, size);
	return status_name(status == PC_CRYPTO_OK ? pc_hmac_drbg_generate(&state, out, size) : status);
}

static const char *p256_public(const bytes *a) {
	return status_name(pc_p256_public(a[0].data, result(65)));
}

static const char *p256_ecdh(const bytes *a) {
	return status_name(pc_p256_ecdh(a[0].data, a[1].data, result(32)));
}

static const char *ecdsa_sign(const bytes *a) {
	return status_name(pc_ecdsa_sign(a[0].data, a[1].data, result(64)));
}

/* public key, digest, signature */
static const char *ecdsa_verify(const bytes *a) {
	return status_name(pc_ecdsa_verify(a[0].data, a[1].data, a[2].data));
}

static const char *x25519_public(const bytes *a) {
	return status_name(pc_x25519_public(a[0].data, result(32)));
}

/* private key, peer's key */
static const char *x25519(const bytes *a) {
	return status_name(pc_x25519(a[0].data, a[1].data, result(32)));
}

static const char *ed25519_public(const bytes *a) {
	return status_name(pc_ed25519_public(a[0].data, result(32)));
}

/* seed, public key or none, message */
static const char *ed25519_sign(const bytes *a) {
	return status_name(pc_ed25519_sign(a[0].data, a[1].data, a[2].data, a[2].size, result(64)));
}

/* public key, message, signature */
static const char *ed25519_verify(const bytes *a) {
	return status_name(pc_ed25519_verify(a[0].data, a[1].data, a[1].size, a[2].data));
}

/* key, counter, its bits, data: data, counter */
static const char *aes_ctr(const bytes *a) {
	size_t size = a[3].size;
	pc_crypto_status status = pc_aes_ctr(a[0].data, a[0].size, a[1].data, (unsigned)number(a[2]), a[3].data, size);
	uint8_t *out = result(size + 16);
	if (size > 0) {
		memcpy(out, a[3].data, size);
	}
	memcpy(out + size, a[1].data, 16);
	return status_name(status);
}

static const char *equal(const bytes *a) {
	result(1)[0] = pc_equal(a[0].data, a[1].data, a[0].size);
	return "ok";
}

/* key, nonce, aad, data, and the tag or its size: data, then the tag */
static const char *aead(const bytes *a, pc_crypto_status (*run)(const pc_aead *), bool encrypt) {
	size_t tag_size = encrypt ? (size_t)number(a[4]) : a[4].size;
	uint8_t *tag = malloc(tag_size + (tag_size == 0));
	if (!encrypt && tag_size > 0) {
		memcpy(tag, a[4].data, tag_size);
	}
	pc_aead message = {
		a[0].data, a[0].size, a[1].data, a[1].size, a[2].data, a[2].size, a[3].data, a[3].size, tag, tag_size};
	pc_crypto_status status = run(&message);
	uint8_t *out = result(a[3].size + tag_size);
	if (a[3].size > 0) {
		memcpy(out, a[3].data, a[3].size);
	}
	memcpy(out + a[3].size, tag, tag_size);
	free(tag);
	return status_name(status);
}

static const char *ccm_encrypt(const bytes *a) {
	return aead(a, pc_aes_ccm_encrypt, true);
}

static const char *ccm_decrypt(const bytes *a) {
	return aead(a, pc_aes_ccm_decrypt, false);
}

static const char *gcm_encrypt(const bytes *a) {
	return aead(a, pc_aes_gcm_encrypt, true);
}

static const char *gcm_decrypt(const bytes *a) {
	return aead(a, pc_aes_gcm_decrypt, false);
}

const operation core_operations[] = {
	{"sha256", sha256},
	{"sha256-repeated", sha256_repeated},
	{"sha512", sha512},
	{"sha512-repeated", sha512_repeated},
	{"hmac", hmac},
	{"hmac512", hmac512},
	{"hkdf", hkdf},
	{"hkdf512", hkdf512},
	{"drbg", drbg},
	{"public", p256_public},
	{"ecdh", p256_ecdh},
	{"sign", ecdsa_sign},
	{"verify", ecdsa_verify},
	{"x25519", x25519},
	{"x25519-public", x25519_public},
	{"ed25519-public", ed25519_public},
	{"ed25519-sign", ed25519_sign},
	{"ed25519-verify", ed25519_verify},
	{"aes-ctr", aes_ctr},
	{"equal", equal},
	{"ccm-encrypt", ccm_encrypt},
	{"ccm-decrypt", ccm_decrypt},
	{"gcm-encrypt", gcm_encrypt},
	{"gcm-decrypt", gcm_decrypt},
	{NULL, NULL},
};
