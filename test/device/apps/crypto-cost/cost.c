/* cost.c: the operations that count their work (pc_crypto_spend), and marks for an observer who counts it too. */
#include "crypto.h"
#include "harness.h"

#include "xsmc.h"

static uint32_t counted;
static uint32_t marks;

static void count(uint32_t instructions) {
	counted += instructions;
}

static void mark(uint32_t instructions) {
	(void)instructions;
	marks++;
	pc_mark();
}

static uint8_t public_key[65];
static uint8_t signature[64];

static pc_crypto_status perform(xsIntegerValue operation) {
	/* The key of RFC 6979, A.2.5. */
	static const uint8_t private_key[32] = {0xC9, 0xAF, 0xA9, 0xD8, 0x45, 0xBA, 0x75, 0x16, 0x6B, 0x5C, 0x21, 0x57,
		0x67, 0xB1, 0xD6, 0x93, 0x4E, 0x50, 0xC3, 0xDB, 0x36, 0xE8, 0x9B, 0x12, 0x7B, 0x8A, 0x62, 0x2B, 0x12, 0x0F,
		0x67, 0x21};
	static const uint8_t data[16384];
	static uint8_t scratch[1000], counter[16], tag[16];
	const pc_aead message = {private_key, 32, private_key, 12, data, 40, scratch, sizeof scratch, tag, 16};
	uint8_t digest[32];
	pc_sha256 hash;
	switch (operation) {
	case 0:
		pc_sha256_begin(&hash);
		pc_sha256_update(&hash, data, sizeof data);
		pc_sha256_end(&hash, digest);
		return PC_CRYPTO_OK;
	case 1:
		return pc_p256_public(private_key, public_key);
	case 2:
		return pc_ecdsa_sign(private_key, private_key, signature);
	case 3:
		return pc_p256_ecdh(private_key, public_key, digest);
	case 4:
		return pc_ecdsa_verify(public_key, private_key, signature);
	case 5:
		return pc_x25519(private_key, private_key, digest);
	case 6:
		return pc_ed25519_sign(private_key, NULL, data, 1024, signature);
	case 7:
		return pc_ed25519_public(private_key, public_key) == PC_CRYPTO_OK
				   ? pc_ed25519_verify(public_key, data, 1024, signature)
				   : PC_CRYPTO_KEY;
	case 8:
		return pc_aes_ctr(private_key, 32, counter, 128, scratch, sizeof scratch);
	case 9:
		return pc_aes_ccm_encrypt(&message);
	default:
		return pc_aes_gcm_encrypt(&message);
	}
}

static void run(xsMachine *the) {
	if (perform(xsmcToInteger(xsArg(0))) != PC_CRYPTO_OK) {
		xsUnknownError("the operation failed");
	}
}

/* (operation) -> the sum of what it reports; between two marks */
void xs_cost_count(xsMachine *the) {
	counted = 0;
	pc_crypto_spend = count;
	pc_mark();
	run(the);
	pc_mark();
	pc_crypto_spend = NULL;
	xsmcSetNumber(xsResult, counted);
}

/* (operation) -> how many marks: one at its start, one at each report, one at its end */
void xs_cost_mark(xsMachine *the) {
	marks = 0;
	pc_crypto_spend = mark;
	mark(0);
	run(the);
	mark(0);
	pc_crypto_spend = NULL;
	xsmcSetNumber(xsResult, marks);
}
