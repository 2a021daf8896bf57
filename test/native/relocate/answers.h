/* answers.h: what the code that moves in tests computes: always the same. */
#ifndef ANSWERS_H
#define ANSWERS_H

#include <stdint.h>

typedef struct {
	uint8_t sha256[32], hmac[32], hkdf[32], ccm[64], gcm[64], ueid[33], cbor[16], values[4][32];
} light_answers;

typedef struct {
	uint8_t public_key[65], signature[64], secret[32];
	uint8_t verified, forged;
#if WITH_25519
	uint8_t x25519[32], ed25519_public[32], ed25519_signature[64];
	uint8_t ed25519_verified;
#endif
} heavy_answers;

#define LIGHT 8u

/* The answers of one primitive, 0..LIGHT - 1. */
void light_one(light_answers *answers, uint32_t which);
/* All of them. */
void light(light_answers *answers);
/* P-256, and the curves of 25519 if WITH_25519. */
void heavy(heavy_answers *answers);

#endif
