/* probe.c: what native/crypto has for C only, for tests. Each gives the result, or the status as a number. */
#include "crypto.h"

#include "xsmc.h"

static const uint8_t *argument(xsMachine *the, xsIntegerValue index, xsUnsignedValue *size) {
	void *data;
	xsUnsignedValue count;
	xsmcGetBufferReadable(xsArg(index), &data, &count);
	if (size != NULL) {
		*size = count;
	}
	return data;
}

static void give(xsMachine *the, pc_crypto_status status, void *data, xsIntegerValue size) {
	if (status == PC_CRYPTO_OK) {
		xsmcSetArrayBuffer(xsResult, data, size);
	} else {
		xsmcSetInteger(xsResult, (xsIntegerValue)status);
	}
}

/* (private key) */
void xs_probe_public(xsMachine *the) {
	uint8_t out[65];
	pc_crypto_status status = pc_p256_public(argument(the, 0, NULL), out);
	give(the, status, out, sizeof out);
}

/* (private key, public key) */
void xs_probe_ecdh(xsMachine *the) {
	uint8_t out[32];
	pc_crypto_status status = pc_p256_ecdh(argument(the, 0, NULL), argument(the, 1, NULL), out);
	give(the, status, out, sizeof out);
}

/* (private key, hash) */
void xs_probe_sign(xsMachine *the) {
	uint8_t out[64];
	pc_crypto_status status = pc_ecdsa_sign(argument(the, 0, NULL), argument(the, 1, NULL), out);
	give(the, status, out, sizeof out);
}

/* (private key) */
void xs_probe_x25519_public(xsMachine *the) {
	uint8_t out[32];
	pc_crypto_status status = pc_x25519_public(argument(the, 0, NULL), out);
	give(the, status, out, sizeof out);
}

/* (private key, public key) */
void xs_probe_x25519(xsMachine *the) {
	uint8_t out[32];
	pc_crypto_status status = pc_x25519(argument(the, 0, NULL), argument(the, 1, NULL), out);
	give(the, status, out, sizeof out);
}

/* (seed) */
void xs_probe_ed25519_public(xsMachine *the) {
	uint8_t out[32];
	pc_crypto_status status = pc_ed25519_public(argument(the, 0, NULL), out);
	give(the, status, out, sizeof out);
}

/* (seed, message) */
void xs_probe_ed25519_sign(xsMachine *the) {
	uint8_t out[64];
	xsUnsignedValue size;
	const uint8_t *message = argument(the, 1, &size);
	pc_crypto_status status = pc_ed25519_sign(argument(the, 0, NULL), NULL, message, size, out);
	give(the, status, out, sizeof out);
}

/* (seed, seed for reseeding, may be empty): the second 128 bytes */
void xs_probe_drbg(xsMachine *the) {
	uint8_t out[128];
	xsUnsignedValue size;
	pc_hmac_drbg drbg;
	const uint8_t *seed = argument(the, 0, &size);
	pc_hmac_drbg_begin(&drbg, seed, size);
	seed = argument(the, 1, &size);
	if (size > 0) {
		pc_hmac_drbg_reseed(&drbg, seed, size);
	}
	pc_hmac_drbg_generate(&drbg, out, sizeof out);
	pc_crypto_status status = pc_hmac_drbg_generate(&drbg, out, sizeof out);
	give(the, status, out, sizeof out);
}

static void nothing(void *data) {
	(void)data;
}

/* () -> a host object that points to memory of C */
void xs_probe_host(xsMachine *the) {
	static uint8_t secret[32] = "what JavaScript may not read";
	xsResult = xsNewHostObject(nothing);
	xsmcSetHostData(xsResult, secret);
}
