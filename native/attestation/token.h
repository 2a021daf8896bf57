/*
 * token.h: the attestation token: claims of the PSA profile (RFC 9783) of EAT (RFC 9711) in a COSE_Sign1 (RFC 9052) with
 * ES256, in deterministic CBOR (RFC 8949, section 4.2.1). docs/attestation.md has the claims with their CDDL.
 *
 * Pure: what it tells comes in, the bytes of the token come out. Who has the key signs the digest that it gives.
 */
#ifndef PERICARD_TOKEN_H
#define PERICARD_TOKEN_H

#include <stddef.h>
#include <stdint.h>

typedef enum {
	PC_TOKEN_OK = 0,
	PC_TOKEN_NONCE = 1, /* the nonce is not of 32, 48 or 64 bytes (RFC 9783, section 4.1.1) */
	PC_TOKEN_SIZE = 2,  /* it doesn't fit */
} pc_token_status;

#define PC_TOKEN_NONCE_MAX 64u
#define PC_TOKEN_COMPONENTS 4u
#define PC_TOKEN_SIGNATURE 64u
/* Bytes of the longest token there can be: versions of 31 and 15 characters, types of 13, and something found in code that moves. */
#define PC_TOKEN_MAX 824u
/* UEID of type RAND: 0x01 and the SHA-256 of the public key (RFC 9783, section 4.2.1; PSA Attestation API 2.0, section 3). */
#define PC_TOKEN_UEID 33u

/* One entry of psa-software-components (RFC 9783, section 4.4.1). */
typedef struct {
	const char *type, *version; /* NUL-terminated */
	const uint8_t *value;       /* 32 bytes */
	const uint8_t *signer;      /* 32 bytes */
} pc_token_component;

/* Code that moves, and when (docs/relocation.md). */
typedef struct {
	uint8_t status;   /* pc_moving_status; 0: nothing moves, and the rest says nothing */
	uint8_t jitter;   /* percent */
	uint8_t triggers; /* PC_TOKEN_BEFORE, PC_TOKEN_ANOMALY */
	uint8_t found;    /* pc_changed; 0: nothing, and no number */
	uint32_t epoch, age_ms, bits, period_ms, floor;
	uint32_t number;
} pc_token_relocation;

#define PC_TOKEN_BEFORE 1u  /* it moves before each attestation */
#define PC_TOKEN_ANOMALY 2u /* it moves when something was found that must not be */

/* All that a token says. */
typedef struct {
	const uint8_t *nonce;
	size_t nonce_size;
	const uint8_t *ueid;              /* PC_TOKEN_UEID bytes */
	const uint8_t *implementation_id; /* 32 bytes */
	uint8_t boot_seed[8];
	uint32_t boot_count;
	int32_t client_id; /* never 0 */
	uint16_t lifecycle;
	uint8_t entropy_source;                /* hal_entropy_kind */
	uint8_t reset_reason;                  /* pc_reset_reason */
	uint32_t failed_engines;               /* pc_crypto_failed() */
	const pc_token_relocation *relocation; /* NULL: the image has nothing to do with it */
	pc_token_component components[PC_TOKEN_COMPONENTS];
} pc_token_claims;

/* The instance id of the device with this public key (04 || X || Y). */
void pc_token_ueid(const uint8_t public_key[65], uint8_t ueid[PC_TOKEN_UEID]);

/* Writes the token but for the signature, whose 64 bytes are the last of `*size`, and the digest that is to be signed: the
 * SHA-256 of the Sig_structure (RFC 9052, section 4.4). Nothing of use is written on failure. */
pc_token_status pc_token_write(
	const pc_token_claims *claims, uint8_t *token, size_t capacity, size_t *size, uint8_t digest[32]);

#endif
