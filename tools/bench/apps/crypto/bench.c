/* bench.c: the algorithms of native/crypto as C calls them, without JavaScript in the figures. */
#include "crypto.h"
#include "harness.h"

#include "xsmc.h"

#define PIECE 1024u
#define PIECES 64u

void xs_bench_crypto(xsMachine *the) {
	/* The key of RFC 6979, A.2.5. */
	static const uint8_t private_key[32] = {0xC9, 0xAF, 0xA9, 0xD8, 0x45, 0xBA, 0x75, 0x16, 0x6B, 0x5C, 0x21, 0x57,
		0x67, 0xB1, 0xD6, 0x93, 0x4E, 0x50, 0xC3, 0xDB, 0x36, 0xE8, 0x9B, 0x12, 0x7B, 0x8A, 0x62, 0x2B, 0x12, 0x0F,
		0x67, 0x21};
	static const uint8_t piece[PIECE];
	uint8_t public_key[65];
	uint8_t digest[32];
	uint8_t signature[64];
	pc_sha256 hash;

	pc_mark();
	pc_sha256_begin(&hash);
	for (unsigned i = 0; i < PIECES; i++) {
		pc_sha256_update(&hash, piece, sizeof piece);
	}
	pc_sha256_end(&hash, digest);
	pc_mark();
	pc_crypto_status status = pc_ecdsa_sign(private_key, digest, signature);
	pc_mark();
	if (status != PC_CRYPTO_OK || pc_p256_public(private_key, public_key) != PC_CRYPTO_OK) {
		xsUnknownError("no signature");
	}
	pc_mark();
	status = pc_ecdsa_verify(public_key, digest, signature);
	pc_mark();
	if (status != PC_CRYPTO_OK) {
		xsUnknownError("the signature is not right");
	}
}
