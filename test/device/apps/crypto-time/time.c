/* time.c: operations on secrets between two marks, for an observer who counts instructions. */
#include "crypto.h"
#include "harness.h"

#include "xsmc.h"

#include <string.h>

/* 1, n - 1, alternating bits, single bits, and bytes of no pattern. */
static void secret_of(xsIntegerValue index, uint8_t secret[32]) {
	static const uint8_t highest[32] = {0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
		0xFF, 0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17, 0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x50};
	memset(secret, index == 2 ? 0x55 : 0, 32);
	switch (index) {
	case 0:
		secret[31] = 1;
		break;
	case 1:
		memcpy(secret, highest, 32);
		break;
	case 3:
		secret[0] = 0x80;
		break;
	case 4:
		for (unsigned i = 0; i < 32; i++) {
			secret[i] = (uint8_t)(i * 37 + 11);
		}
		break;
	}
}

/* (operation, secret, without marks) */
void xs_time_run(xsMachine *the) {
	/* 3 G: a point whose multiples by the secrets above are no trivial ones. */
	static const uint8_t three[32] = {[31] = 3};
	static uint8_t peer[65];
	static const uint8_t hash[32] = {1, 2, 3};
	uint8_t secret[32];
	uint8_t data[40] = {0};
	uint8_t tag[16];
	uint8_t out[65];
	pc_crypto_status status = PC_CRYPTO_OK;
	xsIntegerValue operation = xsmcToInteger(xsArg(0));
	bool untimed = xsmcTest(xsArg(2));
	const pc_aead message = {secret, 16, hash, 12, hash, 20, data, sizeof data, tag, sizeof tag};
	if (peer[0] == 0) {
		pc_p256_public(three, peer);
	}
	secret_of(xsmcToInteger(xsArg(1)), secret);
	if (!untimed) {
		pc_mark();
	}
	switch (operation) {
	case 0:
		status = pc_p256_public(secret, out);
		break;
	case 1:
		status = pc_p256_ecdh(secret, peer, out);
		break;
	case 2:
		status = pc_ecdsa_sign(secret, hash, out);
		break;
	case 3:
		pc_hmac_sha256(secret, 32, hash, 32, out);
		break;
	case 4:
		status = pc_hkdf_sha256(NULL, 0, secret, 32, hash, 4, out, 64);
		break;
	case 5:
		status = pc_aes_ccm_encrypt(&message);
		break;
	case 6:
		status = pc_aes_gcm_encrypt(&message);
		break;
	default:
		pc_equal(secret, hash, 32);
		break;
	}
	if (!untimed) {
		pc_mark();
	}
	if (status != PC_CRYPTO_OK) {
		xsUnknownError("the operation failed");
	}
}
