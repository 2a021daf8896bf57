/*
 * selftest.h: known-answer tests of the engines. No engine computes anything for anybody before it has given a known answer.
 *
 * A test runs before the first use of what it tests since the device started, in the place of that use: work on the fibre is
 * interrupted in it as in everything else, and what an image doesn't use is neither tested nor linked. crypto.c asks, and refuses
 * with PC_CRYPTO_ENGINE; peripherals ask themselves (peripherals/peripheral.h) and leave the work to software.
 *
 * docs/crypto.md has what each test costs, and the vectors with who else has computed them.
 */
#ifndef PERICARD_SELFTEST_H
#define PERICARD_SELFTEST_H

#include <stdbool.h>
#include <stdint.h>

/* Bits of pc_crypto_failed(), and of the claim in the attestation token. Numbers stay. */
typedef enum {
	PC_ENGINE_SHA256 = 0,
	PC_ENGINE_SHA512 = 1,
	PC_ENGINE_P256 = 2,
	PC_ENGINE_25519 = 3,
	PC_ENGINE_AES = 4,
	PC_ENGINE_GHASH = 5,
	PC_ENGINE_AES_HARDWARE = 6,
	PC_ENGINE_SHA256_HARDWARE = 7,
	PC_ENGINE_P256_HARDWARE = 8,
} pc_engine;

/* The engines that have failed since the device started: bit n is the engine of that number. A peripheral's is also set if it
 * failed a check later on. */
uint32_t pc_crypto_failed(void);

/* Notes that an engine has failed: for those that have tests of their own. */
void pc_engine_fail(pc_engine engine);

/* May it be used? Each runs its test at its first call. False for good once anything of the same engine has failed. */
bool pc_sha256_works(void);
bool pc_sha512_works(void);
bool pc_p256_sign_works(void); /* signatures, public keys */
bool pc_p256_ecdh_works(void);
bool pc_p256_verify_works(void);
bool pc_x25519_works(void);
bool pc_ed25519_sign_works(void); /* signatures, public keys */
bool pc_ed25519_verify_works(void);
bool pc_aes_works(void);
bool pc_ghash_works(void);

/* What the engines must answer to the inputs of selftest.c, as far as it is compared. */
typedef struct {
	uint8_t sha256[8], sha512[8];
	uint8_t p256_public[65], p256_signature[64], p256_secret[8];
	uint8_t x25519_secret[8];
	uint8_t ed25519_public[32], ed25519_signature[64];
	uint8_t aes128[8], aes256[8], ghash[8];
} pc_known_answers;

extern const pc_known_answers pc_known;

#endif
