/*
 * fuzz.c: libFuzzer target for native/keystore's records: a flash of any content, and records that pass the checks of the store
 * with any content.
 */
#include "nor.h"
#include "records.h"

#include <stdlib.h>
#include <string.h>

static void require(bool what) {
	if (!what) {
		abort();
	}
}

static bool right(const pc_key *key, bool attestation) {
	bool type = attestation ? key->type == PC_KEY_ATTESTATION : key->type >= 1 && key->type <= PC_KEY_AES_128;
	return key->version == PC_KEY_VERSION && type && key->zero[0] == 0 && key->zero[1] == 0;
}

static bool empty(const pc_key *key) {
	static const pc_key nothing;
	return memcmp(key, &nothing, sizeof nothing) == 0;
}

static void use(const kv_flash *flash) {
	pc_records records;
	pc_key key;
	uint8_t point[64], type = 0;
	require(pc_records_open(&records, flash) == PC_KEYSTORE_OK);
	uint32_t before = records.boots;
	pc_keystore_status status = pc_records_boot(&records);
	require(status != PC_KEYSTORE_OK || records.boots > before);
	for (int i = 0; i < 2; i++) {
		const char *label = i == 0 ? NULL : "label";
		status = pc_records_load(&records, label, 5, &key);
		require(status == PC_KEYSTORE_OK ? right(&key, i == 0) : empty(&key));
		require(pc_records_public(&records, label, 5, &type, point) == status);
		require(status != PC_KEYSTORE_OK || (type == key.type && memcmp(point, key.point, 64) == 0));
	}
	pc_key made = {.version = PC_KEY_VERSION, .type = PC_KEY_HMAC_SHA256, .secret = {1, 2, 3}};
	(void)pc_records_remove(&records, "label", 5);
	if (pc_records_save(&records, "label", 5, &made) == PC_KEYSTORE_OK) {
		require(pc_records_load(&records, "label", 5, &key) == PC_KEYSTORE_OK && memcmp(&key, &made, sizeof key) == 0);
	}
	require(pc_records_load(&records, "", 0, &key) == PC_KEYSTORE_POLICY && empty(&key));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	if (size < 2) {
		return 0;
	}
	nor *flash = malloc(sizeof *flash);
	nor_open(flash, 1024, 512, 1);
	flash->writes_allowed = 255;
	if (data[0] % 2 == 0) {
		memcpy(flash->mem, data + 1, size - 1 < 1024 ? size - 1 : 1024);
		for (uint32_t word = 0; word < 256; word++) {
			memcpy(&flash->cells[word], flash->mem + 4 * word, 4);
		}
	} else {
		/* Records by their names: 1 byte name, 1 byte tag, 1 byte length, value. */
		kv_store store;
		require(kv_mount(&store, &flash->flash) == KV_OK);
		for (size_t at = 1; at + 3 < size;) {
			static const char *const names[] = {"a", "b", "klabel", "k"};
			const char *name = names[data[at] % 4];
			size_t length = data[at + 2] % 120;
			length = length < size - at - 3 ? length : size - at - 3;
			(void)kv_set(&store, name, strlen(name), data + at + 3, length, data[at + 1] % 3);
			at += 3 + length;
		}
	}
	use(&flash->flash);
	use(&flash->flash);
	nor_close(flash);
	free(flash);
	return 0;
}
