/*
 * xs_crypto.c: natives of pericard/crypto. Each gives a status of crypto.h, a result, or throws what crypto.ts documents.
 *
 * Buffers are used where they are. A garbage collection may move them, so a function first allocates its result, then asks
 * for addresses, and runs no JavaScript from there on.
 */
#include "crypto.h"

#include "xsmc.h"

#include <stdbool.h>
#include <string.h>

typedef struct {
	uint8_t *data;
	size_t size;
} bytes;

static bytes bytes_of(xsMachine *the, xsSlot *slot, bool writable) {
	void *data;
	xsUnsignedValue size;
	_xsmcGetBuffer(the, slot, &data, &size, writable);
	return (bytes){data, size};
}

/* Argument `index`, which is a buffer; or undefined, if `optional`, for one of no bytes. */
static bytes readable(xsMachine *the, xsIntegerValue index, bool optional) {
	if (xsmcArgc <= index || (optional && xsmcTypeOf(xsArg(index)) == xsUndefinedType)) {
		if (!optional) {
			xsTypeError("crypto: argument %d is missing", (int)index);
		}
		return (bytes){NULL, 0};
	}
	return bytes_of(the, &xsArg(index), false);
}

static bytes writable(xsMachine *the, xsIntegerValue index) {
	if (xsmcArgc <= index) {
		xsTypeError("crypto: argument %d is missing", (int)index);
	}
	return bytes_of(the, &xsArg(index), true);
}

static const uint8_t *exactly(xsMachine *the, bytes found, const char *what, size_t size) {
	if (found.size != size) {
		xsRangeError("crypto: the %s has %d bytes, not %d", what, (int)found.size, (int)size);
	}
	return found.data;
}

static void give_status(xsMachine *the, pc_crypto_status status) {
	xsmcSetInteger(xsResult, (xsIntegerValue)status);
}

static void give(xsMachine *the, pc_crypto_status status, const uint8_t *result, size_t size) {
	if (status == PC_CRYPTO_OK) {
		xsmcSetArrayBuffer(xsResult, (void *)result, (xsIntegerValue)size);
	} else {
		give_status(the, status);
	}
}

/* (data) -> digest, or status */
void xs_crypto_sha256(xsMachine *the) {
	uint8_t digest[PC_SHA256_SIZE];
	pc_sha256 hash;
	bytes data = readable(the, 0, false);
	pc_sha256_begin(&hash);
	pc_sha256_update(&hash, data.data, data.size);
	give(the, pc_sha256_end(&hash, digest), digest, sizeof digest);
}

/* (data) -> digest, or status */
void xs_crypto_sha512(xsMachine *the) {
	uint8_t digest[PC_SHA512_SIZE];
	pc_sha512 hash;
	bytes data = readable(the, 0, false);
	pc_sha512_begin(&hash);
	pc_sha512_update(&hash, data.data, data.size);
	give(the, pc_sha512_end(&hash, digest), digest, sizeof digest);
}

/* The state of a hash under way is a host object's chunk: memory of the XS heap, which goes with the object. */
static void hash_destructor(void *data) {
	(void)data;
}

static pc_sha256 *hash_of(xsMachine *the) {
	if (xsmcArgc < 1) {
		xsTypeError("crypto: argument 0 is missing");
	}
	return xsmcGetHostChunkValidate(xsArg(0), (void *)hash_destructor);
}

/* () -> state */
void xs_crypto_sha256_begin(xsMachine *the) {
	pc_sha256 hash;
	pc_sha256_begin(&hash);
	xsResult = xsNewHostObject(hash_destructor);
	xsmcSetHostChunk(xsResult, &hash, sizeof hash);
}

/* (state, data) */
void xs_crypto_sha256_update(xsMachine *the) {
	bytes data = readable(the, 1, false);
	pc_sha256_update(hash_of(the), data.data, data.size);
}

/* (state) -> digest, or status */
void xs_crypto_sha256_end(xsMachine *the) {
	uint8_t digest[PC_SHA256_SIZE];
	give(the, pc_sha256_end(hash_of(the), digest), digest, sizeof digest);
}

/* (key, data) -> mac, or status */
void xs_crypto_hmac_sha256(xsMachine *the) {
	uint8_t mac[PC_SHA256_SIZE];
	bytes key = readable(the, 0, false);
	bytes data = readable(the, 1, false);
	give(the, pc_hmac_sha256(key.data, key.size, data.data, data.size, mac), mac, sizeof mac);
}

/* (ikm, salt or undefined, info or undefined, out): status; fills `out` */
void xs_crypto_hkdf_sha256(xsMachine *the) {
	bytes ikm = readable(the, 0, false);
	bytes salt = readable(the, 1, true);
	bytes info = readable(the, 2, true);
	bytes out = writable(the, 3);
	give_status(
		the, pc_hkdf_sha256(salt.data, salt.size, ikm.data, ikm.size, info.data, info.size, out.data, out.size));
}

/* (public key, hash, signature): status */
void xs_crypto_ecdsa_verify(xsMachine *the) {
	const uint8_t *key = exactly(the, readable(the, 0, false), "public key", PC_P256_PUBLIC_SIZE);
	const uint8_t *hash = exactly(the, readable(the, 1, false), "hash", PC_SHA256_SIZE);
	const uint8_t *signature = exactly(the, readable(the, 2, false), "signature", PC_SIGNATURE_SIZE);
	give_status(the, pc_ecdsa_verify(key, hash, signature));
}

/* (public key, data, signature): status */
void xs_crypto_ed25519_verify(xsMachine *the) {
	const uint8_t *key = exactly(the, readable(the, 0, false), "public key", 32);
	bytes data = readable(the, 1, false);
	const uint8_t *signature = exactly(the, readable(the, 2, false), "signature", PC_SIGNATURE_SIZE);
	give_status(the, pc_ed25519_verify(key, data.data, data.size, signature));
}

/* (a, b): are the bytes the same? */
void xs_crypto_equal(xsMachine *the) {
	bytes a = readable(the, 0, false);
	bytes b = readable(the, 1, false);
	xsmcSetBoolean(xsResult, a.size == b.size && pc_equal(a.data, b.data, a.size));
}

/* (key, nonce, aad or undefined, data, tag): status */
static void aead(xsMachine *the, pc_crypto_status (*run)(const pc_aead *), bool encrypts) {
	bytes key = readable(the, 0, false);
	bytes nonce = readable(the, 1, false);
	bytes aad = readable(the, 2, true);
	bytes data = writable(the, 3);
	bytes tag = encrypts ? writable(the, 4) : readable(the, 4, false);
	const pc_aead message = {
		key.data, key.size, nonce.data, nonce.size, aad.data, aad.size, data.data, data.size, tag.data, tag.size};
	give_status(the, run(&message));
}

/* (key, counter, bits, data): status; advances the counter */
void xs_crypto_aes_ctr(xsMachine *the) {
	if (xsmcArgc < 4 || xsmcTypeOf(xsArg(2)) != xsIntegerType) {
		xsTypeError("crypto: arguments are missing");
	}
	xsIntegerValue bits = xsmcToInteger(xsArg(2));
	bytes key = readable(the, 0, false);
	bytes counter = writable(the, 1);
	bytes data = writable(the, 3);
	if (counter.size != 16) {
		xsRangeError("crypto: the counter has %d bytes, not 16", (int)counter.size);
	}
	give_status(the, pc_aes_ctr(key.data, key.size, counter.data, (unsigned)bits, data.data, data.size));
}

/* The end of a function that must not go on into the next one, which encrypts and is content, if one instruction is skipped: the
 * call before this doesn't become a jump, and without the return the next one finds no machine at 0. */
static inline void come_back(void) {
#ifdef __arm__
	__asm__ volatile("movs r0, #0" : : : "r0", "cc");
#endif
}

void xs_crypto_ccm_encrypt(xsMachine *the) {
	aead(the, pc_aes_ccm_encrypt, true);
}

void xs_crypto_ccm_decrypt(xsMachine *the) {
	aead(the, pc_aes_ccm_decrypt, false);
	come_back();
}

void xs_crypto_gcm_encrypt(xsMachine *the) {
	aead(the, pc_aes_gcm_encrypt, true);
}

void xs_crypto_gcm_decrypt(xsMachine *the) {
	aead(the, pc_aes_gcm_decrypt, false);
	come_back();
}
