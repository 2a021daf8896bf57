/* records.c: see records.h. */
#include "records.h"

#include "crc.h"

#include <string.h>

#define TAG 1u
#define BOOT_NAME 'b'
#define ATTESTATION_NAME 'a'
#define LABEL_NAME 'k'
/* A damaged record may have hidden the newest count, and let one of the same sector take its place: this is beyond all of
 * those. */
#define LEAP 256u

_Static_assert(sizeof(pc_key) == 100, "the format in flash");

bool pc_key_has_point(uint8_t type) {
	return type == PC_KEY_ECDSA_P256 || type == PC_KEY_ECDH_P256 || type == PC_KEY_ATTESTATION;
}

static uint32_t word_at(const uint8_t *p) {
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void put_word(uint8_t *p, uint32_t word) {
	p[0] = (uint8_t)word;
	p[1] = (uint8_t)(word >> 8);
	p[2] = (uint8_t)(word >> 16);
	p[3] = (uint8_t)(word >> 24);
}

static bool zeros(const uint8_t *data, size_t size) {
	uint8_t any = 0;
	for (size_t i = 0; i < size; i++) {
		any |= data[i];
	}
	return any == 0;
}

/* ---- names ------------------------------------------------------------------------------------------------------ */

typedef struct {
	uint8_t bytes[1 + PC_LABEL_MAX];
	size_t size;
} name;

static bool name_of(const char *label, size_t size, name *out) {
	out->bytes[0] = label == NULL ? ATTESTATION_NAME : LABEL_NAME;
	out->size = label == NULL ? 1 : 1 + size;
	if (label != NULL && (size < 1 || size > PC_LABEL_MAX)) {
		return false;
	}
	if (label != NULL) {
		memcpy(out->bytes + 1, label, size);
	}
	return true;
}

/* ---- keys ------------------------------------------------------------------------------------------------------- */

/* What is kept, in place; PC_KEYSTORE_KEY unless it is a key of the kind that belongs under this name. */
static pc_keystore_status find(const pc_records *records, const char *label, size_t size, const uint8_t **value) {
	name n;
	kv_entry entry;
	if (!name_of(label, size, &n)) {
		return PC_KEYSTORE_POLICY;
	}
	kv_status status = kv_get(&records->store, n.bytes, n.size, &entry);
	if (status == KV_ABSENT) {
		return label == NULL && records->mark != 0 ? PC_KEYSTORE_KEY : PC_KEYSTORE_NONE;
	}
	if (status != KV_OK || entry.tag != TAG || entry.value_size != sizeof(pc_key)) {
		return PC_KEYSTORE_KEY;
	}
	const uint8_t *v = entry.value;
	uint8_t type = v[offsetof(pc_key, type)];
	bool fits = label == NULL ? type == PC_KEY_ATTESTATION : type >= PC_KEY_ECDSA_P256 && type <= PC_KEY_AES_128;
	if (v[offsetof(pc_key, version)] != PC_KEY_VERSION || !fits || !zeros(v + offsetof(pc_key, zero), 2) ||
		(!pc_key_has_point(type) && !zeros(v + offsetof(pc_key, point), 64)) ||
		(type == PC_KEY_AES_128 && !zeros(v + offsetof(pc_key, secret) + 16, 16))) {
		return PC_KEYSTORE_KEY;
	}
	*value = v;
	return PC_KEYSTORE_OK;
}

pc_keystore_status pc_records_load(const pc_records *records, const char *label, size_t size, pc_key *key) {
	const uint8_t *value;
	pc_keystore_status status = find(records, label, size, &value);
	if (status == PC_KEYSTORE_OK) {
		memcpy(key, value, sizeof *key);
	} else {
		memset(key, 0, sizeof *key);
	}
	return status;
}

pc_keystore_status pc_records_public(
	const pc_records *records, const char *label, size_t size, uint8_t *type, uint8_t point[64]) {
	const uint8_t *value;
	pc_keystore_status status = find(records, label, size, &value);
	if (status == PC_KEYSTORE_OK) {
		if (type != NULL) {
			*type = value[offsetof(pc_key, type)];
		}
		memcpy(point, value + offsetof(pc_key, point), 64);
	}
	return status;
}

static uint32_t count_labels(const pc_records *records) {
	kv_iterator iterator;
	kv_entry entry;
	uint32_t count = 0;
	for (kv_begin(&records->store, &iterator); kv_next(&records->store, &iterator, &entry) == KV_OK;) {
		count += entry.key[0] == LABEL_NAME ? 1u : 0u;
	}
	return count;
}

pc_keystore_status pc_records_save(pc_records *records, const char *label, size_t size, const pc_key *key) {
	name n;
	const uint8_t *other;
	pc_keystore_status status = find(records, label, size, &other);
	if (status != PC_KEYSTORE_NONE) {
		return status == PC_KEYSTORE_OK ? PC_KEYSTORE_POLICY : status;
	}
	if (label != NULL && count_labels(records) >= PC_LABELS) {
		return PC_KEYSTORE_FULL;
	}
	(void)name_of(label, size, &n);
	switch (kv_set(&records->store, n.bytes, n.size, key, sizeof *key, TAG)) {
	case KV_OK:
		return PC_KEYSTORE_OK;
	case KV_FULL:
		return PC_KEYSTORE_FULL;
	default:
		return PC_KEYSTORE_FLASH;
	}
}

pc_keystore_status pc_records_remove(pc_records *records, const char *label, size_t size) {
	static const uint32_t nothing[sizeof(pc_key) / 4];
	const kv_flash *flash = records->store.flash;
	name n;
	kv_entry entry;
	if (label == NULL || !name_of(label, size, &n)) {
		return PC_KEYSTORE_POLICY;
	}
	/* Before the record is deleted: afterwards another may be where it was. A cut in between leaves a damaged key. */
	if (kv_get(&records->store, n.bytes, n.size, &entry) == KV_OK && entry.value_size == sizeof nothing) {
		uint32_t offset = (uint32_t)(entry.value - flash->base);
		if (!flash->program(flash->context, offset, nothing, sizeof nothing)) {
			return PC_KEYSTORE_FLASH;
		}
	}
	switch (kv_delete(&records->store, n.bytes, n.size)) {
	case KV_OK:
		return PC_KEYSTORE_OK;
	case KV_ABSENT:
		return PC_KEYSTORE_NONE;
	default:
		return PC_KEYSTORE_FLASH;
	}
}

/* ---- boots ------------------------------------------------------------------------------------------------------ */

pc_keystore_status pc_records_open(pc_records *records, const kv_flash *flash) {
	memset(records, 0, sizeof *records);
	return kv_mount(&records->store, flash) == KV_OK ? PC_KEYSTORE_OK : PC_KEYSTORE_FLASH;
}

pc_keystore_status pc_records_boot(pc_records *records) {
	static const uint8_t boot_name[1] = {BOOT_NAME};
	uint8_t value[8], point[64];
	kv_entry entry;
	kv_status status = kv_get(&records->store, boot_name, 1, &entry);
	bool damaged = records->store.corrupt > 0;
	if (status == KV_OK && entry.tag == TAG && entry.value_size == sizeof value) {
		records->boots = word_at(entry.value);
		records->mark = word_at(entry.value + 4);
	} else if (status != KV_ABSENT || damaged) {
		return PC_KEYSTORE_KEY;
	}
	uint32_t step = damaged ? LEAP : 1u;
	if (records->boots > UINT32_MAX - step) {
		return PC_KEYSTORE_KEY;
	}
	records->boots += step;
	if (pc_records_public(records, NULL, 0, NULL, point) == PC_KEYSTORE_OK) {
		uint32_t crc = pc_crc32(0, point, sizeof point);
		records->mark = crc != 0 ? crc : 1u;
	}
	put_word(value, records->boots);
	put_word(value + 4, records->mark);
	return kv_set(&records->store, boot_name, 1, value, sizeof value, TAG) == KV_OK ? PC_KEYSTORE_OK
																					: PC_KEYSTORE_FLASH;
}
