/*
 * keystore.c: the device's keystore: the records in the last sectors of the storage area, and the attestation key.
 */
#include "device.h"

#include "area.h"
#include "background.h"
#include "crypto.h"
#include "entropy.h"
#include "hal.h"
#include "platform.h"

#include <string.h>

static pc_records records;
static pc_keystore_status opened = PC_KEYSTORE_FLASH;  /* is the store there? */
static pc_keystore_status counted = PC_KEYSTORE_FLASH; /* was this boot counted? */
static kv_flash flash;
static uint32_t base; /* of the keys, in the storage area */

static bool program(void *context, uint32_t offset, const void *data, size_t size) {
	(void)context;
	return hal_flash_program(base + offset, data, size) == HAL_OK;
}

static bool erase(void *context, uint32_t offset) {
	(void)context;
	return hal_flash_erase(base + offset) == HAL_OK;
}

pc_records *pc_keystore_records(void) {
	return opened == PC_KEYSTORE_OK ? &records : NULL;
}

/* ---- making keys ------------------------------------------------------------------------------------------------ */

pc_keystore_status pc_keystore_make(pc_key *key, uint8_t type) {
	uint8_t point[65];
	size_t size = type == PC_KEY_AES_128 ? 16 : 32;
	pc_crypto_status status = PC_CRYPTO_KEY;
	memset(key, 0, sizeof *key);
	key->version = PC_KEY_VERSION;
	key->type = type;
	while (status == PC_CRYPTO_KEY) {
		if (pc_random(key->secret, size) != PC_ENTROPY_OK) {
			pc_wipe(key, sizeof *key);
			return PC_KEYSTORE_ENTROPY;
		}
		/* FIPS 186-5, A.2.2: a number that is no private key (2^-32 of all are none) is drawn again. */
		status = pc_key_has_point(type) ? pc_p256_public(key->secret, point) : PC_CRYPTO_OK;
	}
	if (status != PC_CRYPTO_OK) {
		pc_wipe(key, sizeof *key);
		return PC_KEYSTORE_ENGINE;
	}
	if (pc_key_has_point(type)) {
		memcpy(key->point, point + 1, sizeof key->point);
	}
	return PC_KEYSTORE_OK;
}

/* On the fibre. Whoever is first to keep a key has made it: none takes another's place. */
static pc_keystore_status make_attestation_key(void) {
	pc_key key;
	uint8_t point[64];
	pc_keystore_status status = pc_records_public(&records, NULL, 0, NULL, point);
	if (status != PC_KEYSTORE_NONE) {
		return status;
	}
	status = pc_keystore_make(&key, PC_KEY_ATTESTATION);
	if (status == PC_KEYSTORE_OK) {
		status = pc_records_save(&records, NULL, 0, &key);
		status = status == PC_KEYSTORE_POLICY ? PC_KEYSTORE_OK : status;
	}
	pc_wipe(&key, sizeof key);
	return status;
}

static pc_keystore_status made;
static bool making_queued;

static void make_body(pc_job *job) {
	(void)job;
	made = make_attestation_key();
}

static void make_done(pc_job *job, void *machine) {
	(void)job;
	(void)machine;
	making_queued = false;
}

static pc_job making = {.body = make_body, .done = make_done};

static void start_making(void) {
	if (!making_queued) {
		making_queued = true;
		pc_background_start(&making);
	}
}

/* ---- the device's own ------------------------------------------------------------------------------------------- */

void pc_boot_keys(void) {
	const hal_flash_area *area = hal_flash();
	pc_crypto_spend = pc_background_spend;
	if (area == NULL || area->size < (PC_KEY_SECTORS + 2) * area->sector) {
		return;
	}
	uint32_t size = PC_KEY_SECTORS * area->sector;
	base = area->size - size;
	flash = (kv_flash){area->base + base, size, area->sector, area->unit, program, erase, NULL};
	opened = pc_records_open(&records, &flash);
	if (opened == PC_KEYSTORE_OK) {
		uint8_t point[64];
		counted = pc_records_boot(&records);
		if (pc_records_public(&records, NULL, 0, NULL, point) == PC_KEYSTORE_NONE) {
			start_making();
		}
	}
}

pc_keystore_status pc_keystore_attestation_public(uint8_t public_key[65]) {
	if (opened != PC_KEYSTORE_OK) {
		return opened;
	}
	pc_keystore_status status = pc_records_public(&records, NULL, 0, NULL, public_key + 1);
	if (status == PC_KEYSTORE_NONE) {
		if (pc_background_inside()) {
			made = make_attestation_key();
		} else {
			start_making();
			pc_background_finish(&making);
		}
		status = made == PC_KEYSTORE_OK ? pc_records_public(&records, NULL, 0, NULL, public_key + 1) : made;
	}
	if (status == PC_KEYSTORE_OK) {
		public_key[0] = 4;
	}
	return status;
}

pc_keystore_status pc_keystore_attest(const uint8_t hash[32], uint8_t signature[64]) {
	pc_key key;
	if (opened != PC_KEYSTORE_OK) {
		return opened;
	}
	if (!pc_background_inside()) {
		return PC_KEYSTORE_POLICY;
	}
	/* A slice of its own: it looks through a sector of flash. */
	pc_background_reserve(PC_SLICE);
	pc_keystore_status status = pc_records_load(&records, NULL, 0, &key);
	pc_background_spend(PC_SLICE);
	if (status == PC_KEYSTORE_OK) {
		uint8_t point[65] = {4};
		memcpy(point + 1, key.point, sizeof key.point);
		pc_crypto_status made = pc_ecdsa_sign_with(key.secret, point, hash, signature);
		if (made != PC_CRYPTO_OK) {
			status = made == PC_CRYPTO_FAULT    ? PC_KEYSTORE_FAULT
					 : made == PC_CRYPTO_ENGINE ? PC_KEYSTORE_ENGINE
												: PC_KEYSTORE_KEY;
		}
	}
	pc_wipe(&key, sizeof key);
	return status;
}

pc_keystore_status pc_keystore_boot_count(uint32_t *count) {
	if (counted == PC_KEYSTORE_OK) {
		*count = records.boots;
	}
	return counted;
}
