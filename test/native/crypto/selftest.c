/*
 * selftest.c: what the front door does when an engine gives another answer than the known one. The argument is the answer to
 * spoil, or "none". Prints twice what every operation says, O for PC_CRYPTO_OK, E for PC_CRYPTO_ENGINE, else X, then the bits of
 * the engines that failed. Lines: before any use, first round, second round.
 */
#include "crypto.h"
#include "selftest.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static const struct {
	const char *name;
	size_t offset;
} answers[] = {
	{"sha256", offsetof(pc_known_answers, sha256)},
	{"sha512", offsetof(pc_known_answers, sha512)},
	{"p256_public", offsetof(pc_known_answers, p256_public) + 40},
	{"p256_signature", offsetof(pc_known_answers, p256_signature)},
	{"p256_secret", offsetof(pc_known_answers, p256_secret)},
	{"x25519_secret", offsetof(pc_known_answers, x25519_secret)},
	{"ed25519_public", offsetof(pc_known_answers, ed25519_public)},
	{"ed25519_signature", offsetof(pc_known_answers, ed25519_signature)},
	{"aes128", offsetof(pc_known_answers, aes128)},
	{"aes256", offsetof(pc_known_answers, aes256)},
	{"ghash", offsetof(pc_known_answers, ghash)},
};

/* The answers are constants; here they are not. */
static void spoil(size_t offset) {
	const uintptr_t page = 4096, at = (uintptr_t)&pc_known + offset;
	mprotect((void *)(at & ~(page - 1)), page, PROT_READ | PROT_WRITE);
	*(volatile uint8_t *)at ^= 1;
}

static void say(pc_crypto_status status) {
	putchar(status == PC_CRYPTO_OK ? 'O' : status == PC_CRYPTO_ENGINE ? 'E' : 'X');
}

/* A public key and a signature of each kind, made while all worked. */
static uint8_t p256_public[65], p256_signature[64], ed25519_public[32], ed25519_signature[64];
static const uint8_t key[32] = {1, 2, 3}, hash[32] = {4, 5, 6}, nonce[12] = {7};

static void round_of_all(void) {
	uint8_t out[64] = {0}, counter[16] = {0}, tag[16], public_key[65];
	uint8_t first[64], second[64];
	pc_sha256 sha256;
	pc_sha512 sha512;
	pc_hmac_drbg drbg;
	const pc_aead message = {key, 16, nonce, 12, hash, 32, out, sizeof out, tag, 16};
	pc_sha256_begin(&sha256);
	pc_sha256_update(&sha256, hash, sizeof hash);
	say(pc_sha256_end(&sha256, first));
	pc_sha512_begin(&sha512);
	pc_sha512_update(&sha512, hash, sizeof hash);
	say(pc_sha512_end(&sha512, second));
	say(pc_hmac_sha256(key, sizeof key, hash, sizeof hash, out));
	say(pc_hmac_sha512(key, sizeof key, hash, sizeof hash, out));
	say(pc_hkdf_sha256(NULL, 0, key, sizeof key, NULL, 0, out, 40));
	say(pc_hkdf_sha512(NULL, 0, key, sizeof key, NULL, 0, out, 40));
	pc_hmac_drbg_begin(&drbg, key, sizeof key);
	say(pc_hmac_drbg_generate(&drbg, out, 32));
	putchar(' ');
	say(pc_p256_public(key, public_key));
	say(pc_ecdsa_sign(key, hash, out));
	say(pc_ecdsa_verify(p256_public, hash, p256_signature));
	say(pc_p256_ecdh(key, p256_public, out));
	putchar(' ');
	say(pc_x25519_public(key, public_key));
	say(pc_x25519(key, hash, out));
	say(pc_ed25519_public(key, public_key));
	say(pc_ed25519_sign(key, ed25519_public, hash, sizeof hash, out));
	say(pc_ed25519_verify(ed25519_public, hash, sizeof hash, ed25519_signature));
	putchar(' ');
	say(pc_aes_ctr(key, 16, counter, 128, out, sizeof out));
	say(pc_aes_ccm_encrypt(&message));
	say(pc_aes_gcm_encrypt(&message));
	printf(" %x\n", pc_crypto_failed());
	/* What an engine that doesn't work has put out. */
	for (size_t i = 0; i < sizeof first; i++) {
		if ((!pc_sha256_works() && i < 32 && first[i] != 0) || (!pc_sha512_works() && second[i] != 0)) {
			printf("a digest that isn't all zeros\n");
			return;
		}
	}
}

int main(int count, char **arguments) {
	if (count != 2) {
		return 2;
	}
	if (strcmp(arguments[1], "make") == 0) {
		/* The other runs read these. */
		uint8_t made[225];
		if (pc_p256_public(key, made) != PC_CRYPTO_OK || pc_ecdsa_sign(key, hash, made + 65) != PC_CRYPTO_OK ||
			pc_ed25519_public(key, made + 129) != PC_CRYPTO_OK ||
			pc_ed25519_sign(key, NULL, hash, sizeof hash, made + 161) != PC_CRYPTO_OK) {
			return 1;
		}
		return fwrite(made, 1, sizeof made, stdout) == sizeof made ? 0 : 1;
	}
	if (fread(p256_public, 65, 1, stdin) + fread(p256_signature, 64, 1, stdin) + fread(ed25519_public, 32, 1, stdin) +
			fread(ed25519_signature, 64, 1, stdin) !=
		4) {
		return 2;
	}
	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		if (strcmp(arguments[1], answers[i].name) == 0) {
			spoil(answers[i].offset);
		}
	}
	printf("%x\n", pc_crypto_failed());
	round_of_all();
	round_of_all();
	return 0;
}
