/*
 * keystore.h: private keys that never leave C: the device's attestation key, and keys of apps by handle.
 *
 * The attestation key (ECDSA P-256) is made at the first boot and kept for ever in a partition of the storage area that no
 * JavaScript can open. Its policy is "attest only": nothing but native/attestation signs with it, and no handle names it.
 * docs/keys.md has the design and the format in flash.
 */
#ifndef PERICARD_KEYSTORE_H
#define PERICARD_KEYSTORE_H

#include <stddef.h>
#include <stdint.h>

typedef enum {
	PC_KEYSTORE_OK = 0,
	PC_KEYSTORE_NONE = 1,           /* no such key */
	PC_KEYSTORE_ENTROPY = 2,        /* no random numbers, so no new key (pc_entropy_state() says why) */
	PC_KEYSTORE_FLASH = 3,          /* the flash fails */
	PC_KEYSTORE_POLICY = 4,         /* the key is not for that use */
	PC_KEYSTORE_FULL = 5,           /* no handle, or no room in flash, is left */
	PC_KEYSTORE_KEY = 6,            /* what is kept is no key (flash changed), or the peer's public key is none */
	PC_KEYSTORE_FORGED = 7,         /* the tag or the signature is not right */
	PC_KEYSTORE_RANGE = 8,          /* a size that the algorithm doesn't take */
	PC_KEYSTORE_ENGINE = 9,         /* the engine failed its test, or in this computation */
	PC_KEYSTORE_FAULT = 10,         /* the signature that was made was not right, and was not given out */
	PC_KEYSTORE_RIGHT = 0x3CA5965A, /* the signature or the tag is right: the word of PC_CRYPTO_OK */
} pc_keystore_status;

/* The public key of the attestation key, an uncompressed point (04 || X || Y). The first boot makes the key in the background;
 * who asks before it is ready waits for it, on the fibre or beside it. From then on this reads flash, and costs no point
 * multiplication. PC_KEYSTORE_ENTROPY, PC_KEYSTORE_FLASH, PC_KEYSTORE_KEY. */
pc_keystore_status pc_keystore_attestation_public(uint8_t public_key[65]);

/* ECDSA (RFC 6979) over a SHA-256 digest with the attestation key, raw r || s. For native/attestation only, and in a
 * background job only (else PC_KEYSTORE_POLICY), so that what signing leaves on the stack is wiped with the fibre's. The
 * private key itself is wiped before this returns. PC_KEYSTORE_NONE before the key was made. `signature` is written on
 * success only; PC_KEYSTORE_FAULT for one that does not fit the public key. */
pc_keystore_status pc_keystore_attest(const uint8_t hash[32], uint8_t signature[64]);

/* How often this device has booted, this boot included: 1, 2, ... Counted before any JavaScript runs, and never back.
 * PC_KEYSTORE_KEY: what was counted is lost. PC_KEYSTORE_FLASH: this boot could not be counted. */
pc_keystore_status pc_keystore_boot_count(uint32_t *count);

#endif
