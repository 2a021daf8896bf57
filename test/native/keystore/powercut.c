/*
 * powercut.c: native/keystore's records on a NOR flash that loses its power at every operation, in every way.
 *
 * A life of a device is cut at operation 1, 2, 3 ... of it; after each cut it boots again, a few times. The boot count must
 * have gone up at every boot that counted, the attestation key is not there or is the first one that was, and a label's key
 * is not there, or whole.
 */
#include "nor.h"
#include "records.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static nor flash;
static pc_records records;

/* What has been seen. */
static uint32_t boots;
static bool has_key;
static uint8_t first_secret[32];
static bool label_gone; /* a removal has returned */

static void require(bool what, const char *text) {
	if (!what) {
		printf("operation %u, kind %d: %s\n", (unsigned)flash.cut_at, (int)flash.kind, text);
		exit(1);
	}
}

static pc_key make(uint8_t type, uint8_t seed) {
	pc_key key = {.version = PC_KEY_VERSION, .type = type};
	memset(key.secret, seed, type == PC_KEY_AES_128 ? 16 : 32);
	if (pc_key_has_point(type)) {
		memset(key.point, seed + 1, sizeof key.point);
	}
	return key;
}

/* What a boot does. `serial` is another one at each. */
static void boot(uint8_t serial) {
	pc_key key;
	require(pc_records_open(&records, &flash.flash) == PC_KEYSTORE_OK, "the store does not open");
	require(pc_records_boot(&records) == PC_KEYSTORE_OK, "the boot is not counted");
	require(records.boots > boots, "the count went back");
	boots = records.boots;
	pc_keystore_status status = pc_records_load(&records, NULL, 0, &key);
	if (status == PC_KEYSTORE_NONE) {
		require(!has_key, "the attestation key is lost");
		key = make(PC_KEY_ATTESTATION, serial);
		require(pc_records_save(&records, NULL, 0, &key) == PC_KEYSTORE_OK, "the attestation key is not kept");
	} else {
		require(status == PC_KEYSTORE_OK, "the attestation key is damaged");
	}
	require(!has_key || memcmp(first_secret, key.secret, 32) == 0, "another attestation key");
	memcpy(first_secret, key.secret, 32);
	has_key = true;
	uint8_t point[64];
	require(pc_records_public(&records, NULL, 0, NULL, point) == PC_KEYSTORE_OK, "no public key");
	require(memcmp(point, key.point, 64) == 0, "another public key");
	key = make(PC_KEY_ATTESTATION, 0xEE);
	require(pc_records_save(&records, NULL, 0, &key) == PC_KEYSTORE_POLICY, "a second attestation key is kept");
}

/* An app's keys. */
static void use(uint8_t serial) {
	pc_key key = make(PC_KEY_AES_128, 0x33), found;
	pc_keystore_status status = pc_records_load(&records, "label", 5, &found);
	if (status == PC_KEYSTORE_OK) {
		require(memcmp(&key, &found, sizeof key) == 0, "a label's key is another one");
		label_gone = false;
	} else {
		/* A removal that was cut may leave it damaged; it can be removed all the same. */
		require(status == PC_KEYSTORE_NONE || status == PC_KEYSTORE_KEY, "a label's key can't be had");
		if (status == PC_KEYSTORE_KEY) {
			require(pc_records_remove(&records, "label", 5) == PC_KEYSTORE_OK, "a damaged key stays");
		}
		require(pc_records_save(&records, "label", 5, &key) == PC_KEYSTORE_OK, "a label's key is not kept");
	}
	if (serial % 2 == 0) {
		require(pc_records_remove(&records, "label", 5) == PC_KEYSTORE_OK, "a label's key is not removed");
		label_gone = true;
		require(pc_records_load(&records, "label", 5, &found) == PC_KEYSTORE_NONE, "a removed key is there");
	}
}

/* So many boots before the first that may be cut: 0, or just before the sector is full. */
static uint32_t life(uint32_t before, uint32_t cut, torn kind, uint32_t seed) {
	nor_open(&flash, 8192, 4096, seed);
	boots = 0;
	has_key = false;
	label_gone = false;
	for (uint32_t i = 0; i < before; i++) {
		boot((uint8_t)i);
		use((uint8_t)i);
	}
	flash.cut_at = cut == 0 ? 0 : flash.operations + cut;
	flash.kind = kind;
	uint32_t start = flash.operations, whole = 0;
	if (setjmp(flash.power) == 0) {
		for (uint8_t i = 0; i < 4; i++) {
			boot((uint8_t)(100 + i));
			use((uint8_t)(100 + i));
		}
		whole = flash.operations - start;
	}
	flash.cut_at = 0;
	for (uint8_t i = 0; i < 3; i++) {
		nor_boot(&flash);
		boot((uint8_t)(200 + i));
		use((uint8_t)(200 + i));
	}
	require(flash.violation == NULL, flash.violation == NULL ? "" : flash.violation);
	nor_close(&flash);
	return whole;
}

int main(void) {
	static const uint32_t befores[] = {0, 10, 34};
	unsigned long lives = 0;
	for (size_t i = 0; i < sizeof befores / sizeof befores[0]; i++) {
		uint32_t operations = life(befores[i], 0, TORN_NOTHING, 1);
		for (uint32_t cut = 1; cut <= operations; cut++) {
			for (int kind = 0; kind < TORN_KINDS; kind++) {
				(void)life(befores[i], cut, (torn)kind, cut);
				lives++;
			}
		}
		printf("%u boots before: %u operations\n", (unsigned)befores[i], (unsigned)operations);
	}
	printf("%lu lives\n", lives);
	return 0;
}
