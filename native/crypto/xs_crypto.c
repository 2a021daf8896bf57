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

/* (data) -> digest */
void xs_crypto_sha256(xsMachine *the) {
	uint8_t digest[PC_SHA256_SIZE];
	pc_sha256 hash;
	bytes data = readable(the, 0, false);
	pc_sha256_begin(&hash);
	pc_sha256_update(&hash, data.data, data.size);
	pc_sha256_end(&hash, digest);
	xsmcSetArrayBuffer(xsResult, digest, sizeof digest);
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

/* (state) -> digest */
void xs_crypto_sha256_end(xsMachine *the) {
	uint8_t digest[PC_SHA256_SIZE];
	pc_sha256_end(hash_of(the), digest);
	xsmcSetArrayBuffer(xsResult, digest, sizeof digest);
}

/* (key, data) -> mac */
void xs_crypto_hmac_sha256(xsMachine *the) {
	uint8_t mac[PC_SHA256_SIZE];
	bytes key = readable(the, 0, false);
	bytes data = readable(the, 1, false);
	pc_hmac_sha256(key.data, key.size, data.data, data.size, mac);
	xsmcSetArrayBuffer(xsResult, mac, sizeof mac);
}

/* (ikm, salt or undefined, info or undefined, out): status; fills `out` */
void xs_crypto_hkdf_sha256(xsMachine *the) {
	bytes ikm = readable(the, 0, false);
	bytes salt = readable(the, 1, true);
	bytes info = readable(the, 2, true);
	bytes out = writable(the, 3);
	xsmcSetInteger(xsResult, (xsIntegerValue)pc_hkdf_sha256(
								 salt.data, salt.size, ikm.data, ikm.size, info.data, info.size, out.data, out.size));
}

/* (public key, hash, signature): status */
void xs_crypto_ecdsa_verify(xsMachine *the) {
	const uint8_t *key = exactly(the, readable(the, 0, false), "public key", PC_P256_PUBLIC_SIZE);
	const uint8_t *hash = exactly(the, readable(the, 1, false), "hash", PC_SHA256_SIZE);
	const uint8_t *signature = exactly(the, readable(the, 2, false), "signature", PC_SIGNATURE_SIZE);
	xsmcSetInteger(xsResult, (xsIntegerValue)pc_ecdsa_verify(key, hash, signature));
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
	xsmcSetInteger(xsResult, (xsIntegerValue)run(&message));
}

void xs_crypto_ccm_encrypt(xsMachine *the) {
	aead(the, pc_aes_ccm_encrypt, true);
}

void xs_crypto_ccm_decrypt(xsMachine *the) {
	aead(the, pc_aes_ccm_decrypt, false);
}

void xs_crypto_gcm_encrypt(xsMachine *the) {
	aead(the, pc_aes_gcm_encrypt, true);
}

void xs_crypto_gcm_decrypt(xsMachine *the) {
	aead(the, pc_aes_gcm_decrypt, false);
}
