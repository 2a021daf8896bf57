/*
 * records.h: what the keystore keeps in flash, over a key-value store (native/storage/kv.h): keys and the boot counter. The
 * core below keystore.h; docs/keys.md has the format to the byte.
 *
 * The caller owns the pc_records and the kv_flash, which stay as long as they are used. Nothing here makes a key.
 */
#ifndef PERICARD_RECORDS_H
#define PERICARD_RECORDS_H

#include "keystore.h"
#include "kv.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum {
	PC_KEY_ECDSA_P256 = 1,
	PC_KEY_ECDH_P256 = 2,
	PC_KEY_HMAC_SHA256 = 3,
	PC_KEY_AES_128 = 4,
	PC_KEY_ATTESTATION = 5, /* ECDSA P-256, for attestation only */
	/* In RAM only; AES with 16 or 32 bytes. */
	PC_KEY_HMAC_SHA512 = 6,
	PC_KEY_HKDF = 7,
	PC_KEY_AES_CTR = 8,
	PC_KEY_AES_CCM = 9,
	PC_KEY_AES_GCM = 10,
	PC_KEY_ED25519 = 11,
	PC_KEY_X25519 = 12,
} pc_key_type;

/* Labels have 1 to so many bytes, of any content; so many keys have one. */
#define PC_LABEL_MAX 32u
#define PC_LABELS 16u

/* A key, in RAM and in flash: 4, 32 and 64 bytes. What a type doesn't use is 0. */
typedef struct {
	uint8_t version; /* PC_KEY_VERSION */
	uint8_t type;    /* pc_key_type */
	uint8_t zero[2];
	uint8_t secret[32]; /* private key, or the key: 32 bytes, AES-128: 16 */
	uint8_t point[64];  /* public key of P-256: X || Y */
} pc_key;

#define PC_KEY_VERSION 1u

/* Does this type have a public key? */
bool pc_key_has_point(uint8_t type);

typedef struct {
	kv_store store;
	uint32_t boots;
	uint32_t mark; /* CRC-32 of the attestation key's point, kept beside the counter; 0: none was made yet */
} pc_records;

/* Mounts the store. PC_KEYSTORE_OK, or PC_KEYSTORE_FLASH. */
pc_keystore_status pc_records_open(pc_records *records, const kv_flash *flash);

/* Counts one boot up. PC_KEYSTORE_KEY when the counter is damaged: it then stays as it is, and does not start over. */
pc_keystore_status pc_records_boot(pc_records *records);

/* The key of a label; `label` NULL: the attestation key, which has none. PC_KEYSTORE_NONE, PC_KEYSTORE_KEY (damaged; or an
 * attestation key that was there at an earlier boot is gone), PC_KEYSTORE_POLICY (no label). On failure `key` is all zeros. */
pc_keystore_status pc_records_load(const pc_records *records, const char *label, size_t size, pc_key *key);

/* The same without the key itself, which is not read. `type` may be NULL. Nothing is written on failure. */
pc_keystore_status pc_records_public(
	const pc_records *records, const char *label, size_t size, uint8_t *type, uint8_t point[64]);

/* Keeps a key under a label that no key has yet (else PC_KEYSTORE_POLICY). After a power cut the key is there, whole, or it
 * isn't. PC_KEYSTORE_FULL, PC_KEYSTORE_FLASH. */
pc_keystore_status pc_records_save(pc_records *records, const char *label, size_t size, const pc_key *key);

/* Forgets a key, and first overwrites it in flash with zeros. The attestation key can't be named here. A copy that moved when
 * the store was collected stays in the other sector until that is erased. */
pc_keystore_status pc_records_remove(pc_records *records, const char *label, size_t size);

#endif
