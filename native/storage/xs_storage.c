/*
 * xs_storage.c: natives of embedded:storage/key-value and embedded:storage/flash, over the storage area of hal.h.
 *
 * A handle is a host object whose data is what it opens; 0 once it is closed. The area ends with the sectors of
 * native/keystore, which nothing in here reaches; the `dataSectors` sectors before them are the partition "data", the rest
 * is the partition "key-value".
 */
#include "area.h"
#include "hal.h"
#include "kv.h"
#include "partition.h"

#include "mc.defines.h"
#include "xsmc.h"

#include <string.h>

/* "defines": {"storage": {"dataSectors": n}} in a manifest. */
#ifdef MODDEF_STORAGE_DATASECTORS
#define DATA_SECTORS ((uint32_t)(MODDEF_STORAGE_DATASECTORS))
#else
#define DATA_SECTORS 4u
#endif

#define DOMAIN_MAX 15u
#define NAME_MAX 64u
#define TAG_STRING 1u /* key-value.ts: the values that are text */

/* The board has one storage area, and so does this file. */
static struct {
	kv_flash flash;
	kv_flash key_value_flash;
	kv_store store;
	uint32_t users; /* open key-value handles; the store is mounted as long as there is one */
} area;

enum { KEY_VALUE, DATA, PARTITIONS };
static const char *const names[PARTITIONS] = {"key-value", "data"};
static partition partitions[PARTITIONS];

static bool area_program(void *context, uint32_t offset, const void *data, size_t size) {
	(void)context;
	return hal_flash_program(offset, data, size) == HAL_OK;
}

static bool area_erase(void *context, uint32_t offset) {
	(void)context;
	return hal_flash_erase(offset) == HAL_OK;
}

static void area_find(xsMachine *the) {
	const hal_flash_area *board = hal_flash();
	if (board == NULL || board->size == 0) {
		xsUnknownError("storage: this board has no flash for it");
	}
	uint32_t sectors = board->size / board->sector;
	if (sectors < DATA_SECTORS + 2 + PC_KEY_SECTORS) {
		xsUnknownError("storage: %d sectors of flash are too few for %d and dataSectors = %d", (int)sectors,
			(int)PC_KEY_SECTORS + 2, (int)DATA_SECTORS);
	}
	uint32_t raw = DATA_SECTORS * board->sector;
	uint32_t size = board->size - PC_KEY_SECTORS * board->sector;
	area.flash = (kv_flash){board->base, size, board->sector, board->unit, area_program, area_erase, NULL};
	area.key_value_flash = area.flash;
	area.key_value_flash.size = size - raw;
	partitions[KEY_VALUE] = (partition){&area.flash, 0, size - raw};
	partitions[DATA] = (partition){&area.flash, size - raw, raw};
}

static void need_arguments(xsMachine *the, xsIntegerValue count) {
	if (xsmcArgc < count) {
		xsTypeError("storage: %d arguments expected", (int)count);
	}
}

/* An integer from 0 to `max`, or a RangeError that names it. */
static uint32_t index_of(xsMachine *the, xsSlot *slot, const char *what, uint32_t max) {
	xsNumberValue number = fxToNumber(the, slot);
	if (!(number >= 0 && number <= (xsNumberValue)max) || number != (xsNumberValue)(uint32_t)number) {
		xsRangeError("storage: %s must be an integer from 0 to %d", what, (int)max);
	}
	return (uint32_t)number;
}

/* ---- key-value -------------------------------------------------------------------------------------------------- */

void xs_kv_destructor(void *data) {
	if (data != NULL && area.users > 0) {
		area.users--;
	}
}

static kv_store *opened(xsMachine *the, xsIntegerValue arguments) {
	need_arguments(the, arguments);
	kv_store *store = xsmcGetHostDataValidate(xsArg(0), (void *)xs_kv_destructor);
	if (store == NULL) {
		xsUnknownError("key-value: closed");
	}
	return store;
}

static void refuse(xsMachine *the, kv_status status) {
	switch (status) {
	case KV_OK:
		return;
	case KV_FULL:
		xsUnknownError("key-value: full");
		return;
	case KV_CORRUPT:
		xsUnknownError("key-value: the value is corrupt");
		return;
	case KV_FAULT:
		xsUnknownError("key-value: the flash failed");
		return;
	default:
		xsRangeError("key-value: value is longer than %d bytes", (int)kv_value_max(&area.store));
	}
}

/* Arguments 1 and 2, domain and key, as one key of the store: the domain, a zero byte, the key. XS strings hold no zero
 * byte, so no two pairs are the same. */
static size_t key_of(xsMachine *the, uint8_t key[KV_KEY_MAX]) {
	const char *domain = xsmcToString(xsArg(1));
	size_t prefix = strlen(domain);
	if (prefix < 1 || prefix > DOMAIN_MAX) {
		xsRangeError("key-value: path must have 1 to %d bytes, has %d", (int)DOMAIN_MAX, (int)prefix);
	}
	memcpy(key, domain, prefix + 1);
	if (xsmcArgc < 3) {
		return prefix + 1;
	}
	const char *name = xsmcToString(xsArg(2));
	size_t size = strlen(name);
	if (size < 1 || size > NAME_MAX) {
		xsRangeError("key-value: key must have 1 to %d bytes, has %d", (int)NAME_MAX, (int)size);
	}
	memcpy(key + prefix + 1, name, size);
	return prefix + 1 + size;
}

/* Bytes that XS may take for a string: whole sequences of UTF-8 (surrogates too, and zero in two bytes, as XS keeps them),
 * no zero byte. What passed its CRC was written by kv_set, but perhaps not by this firmware. */
static bool is_text(const uint8_t *bytes, uint32_t size) {
	for (uint32_t i = 0; i < size;) {
		uint32_t more = bytes[i] < 0x80 ? 0 : bytes[i] < 0xE0 ? 1 : bytes[i] < 0xF0 ? 2 : 3;
		if (bytes[i] == 0 || (bytes[i] >= 0x80 && bytes[i] < 0xC0) || bytes[i] > 0xF4 || more >= size - i) {
			return false;
		}
		for (i++; more > 0; i++, more--) {
			if (bytes[i] >> 6 != 2) {
				return false;
			}
		}
	}
	return true;
}

/* () -> handle */
void xs_kv_open(xsMachine *the) {
	if (area.users == 0) {
		area_find(the);
		kv_status status = kv_mount(&area.store, &area.key_value_flash);
		if (status == KV_RANGE) {
			xsUnknownError("key-value: sectors of %d bytes can't be used", (int)area.flash.sector);
		}
		refuse(the, status);
	}
	xsResult = xsNewHostObject(xs_kv_destructor);
	xsmcSetHostData(xsResult, &area.store);
	area.users++;
}

/* (handle) */
void xs_kv_close(xsMachine *the) {
	(void)opened(the, 1);
	xsmcSetHostData(xsArg(0), NULL);
	area.users--;
}

/* (handle, domain, key, tag, buffer or undefined) -> the value as an ArrayBuffer, or a string if that is its tag, or the
 * number of bytes put into the buffer; undefined if there is none; minus the tag minus one, if it is another tag */
void xs_kv_read(xsMachine *the) {
	kv_store *store = opened(the, 5);
	uint8_t key[KV_KEY_MAX];
	kv_entry entry;
	uint32_t tag = index_of(the, &xsArg(3), "tag", KV_TAG_MAX);
	kv_status status = kv_get(store, key, key_of(the, key), &entry);
	if (status == KV_ABSENT) {
		return;
	}
	refuse(the, status);
	if (entry.tag != tag) {
		xsmcSetInteger(xsResult, -1 - (xsIntegerValue)entry.tag);
	} else if (tag == TAG_STRING) {
		if (!is_text(entry.value, entry.value_size)) {
			refuse(the, KV_CORRUPT);
		}
		xsmcSetStringBuffer(xsResult, (char *)(uintptr_t)entry.value, (xsIntegerValue)entry.value_size);
	} else if (xsmcTypeOf(xsArg(4)) == xsUndefinedType) {
		xsmcSetArrayBuffer(xsResult, (void *)(uintptr_t)entry.value, (xsIntegerValue)entry.value_size);
	} else {
		void *data;
		xsUnsignedValue size;
		xsmcGetBufferWritable(xsArg(4), &data, &size);
		if (size < entry.value_size) {
			xsRangeError("key-value: the value has %d bytes, the buffer %d", (int)entry.value_size, (int)size);
		}
		memcpy(data, entry.value, entry.value_size);
		xsmcSetInteger(xsResult, (xsIntegerValue)entry.value_size);
	}
}

/* (handle, domain, key, tag, buffer; or string if that is the tag) */
void xs_kv_write(xsMachine *the) {
	kv_store *store = opened(the, 5);
	uint8_t key[KV_KEY_MAX];
	void *data;
	xsUnsignedValue size;
	uint32_t tag = index_of(the, &xsArg(3), "tag", KV_TAG_MAX);
	size_t key_size = key_of(the, key);
	if (tag == TAG_STRING) {
		data = xsmcToString(xsArg(4));
		size = (xsUnsignedValue)strlen(data);
	} else {
		xsmcGetBufferReadable(xsArg(4), &data, &size);
	}
	refuse(the, kv_set(store, key, key_size, data, size, (uint8_t)tag));
}

/* (handle, domain, key) -> whether there was one */
void xs_kv_delete(xsMachine *the) {
	kv_store *store = opened(the, 3);
	uint8_t key[KV_KEY_MAX];
	kv_status status = kv_delete(store, key, key_of(the, key));
	if (status != KV_ABSENT) {
		refuse(the, status);
	}
	xsmcSetBoolean(xsResult, status == KV_OK);
}

/* (handle, domain) -> array of its keys */
void xs_kv_keys(xsMachine *the) {
	kv_store *store = opened(the, 2);
	uint8_t prefix[KV_KEY_MAX];
	char name[NAME_MAX + 1];
	kv_iterator iterator;
	kv_entry entry;
	xsIntegerValue count = 0;
	xsIntegerValue arguments = xsmcArgc;
	if (arguments > 2) {
		xsTypeError("storage: 2 arguments expected");
	}
	size_t size = key_of(the, prefix);
	xsmcVars(1);
	xsmcSetNewArray(xsResult, 0);
	for (kv_begin(store, &iterator); kv_next(store, &iterator, &entry) == KV_OK;) {
		if (entry.key_size > size && entry.key_size - size <= NAME_MAX && memcmp(entry.key, prefix, size) == 0) {
			memcpy(name, entry.key + size, entry.key_size - size);
			name[entry.key_size - size] = 0;
			xsmcSetString(xsVar(0), name);
			xsmcSetIndex(xsResult, (xsIndex)count, xsVar(0));
			count++;
		}
	}
}

/* (handle, buffer of 24 bytes): fills in kv_usage as six 32-bit numbers */
void xs_kv_status(xsMachine *the) {
	kv_store *store = opened(the, 2);
	void *data;
	xsUnsignedValue size;
	kv_usage usage;
	kv_examine(store, &usage);
	xsmcGetBufferWritable(xsArg(1), &data, &size);
	if (size != sizeof usage) {
		xsRangeError("key-value: a buffer of %d bytes expected", (int)sizeof usage);
	}
	memcpy(data, &usage, sizeof usage);
}

/* ---- raw flash -------------------------------------------------------------------------------------------------- */

void xs_flash_destructor(void *data) {
	(void)data; /* a partition is a constant */
}

static const partition *opened_partition(xsMachine *the, xsIntegerValue arguments) {
	need_arguments(the, arguments);
	const partition *p = xsmcGetHostDataValidate(xsArg(0), (void *)xs_flash_destructor);
	if (p == NULL) {
		xsUnknownError("flash: closed");
	}
	return p;
}

/* Only the application's own partition may be changed: the store is changed by itself. */
static const partition *writable_partition(xsMachine *the, xsIntegerValue arguments) {
	const partition *p = opened_partition(the, arguments);
	if (p != &partitions[DATA]) {
		xsUnknownError("flash: this partition can only be read");
	}
	return p;
}

static void refuse_partition(xsMachine *the, partition_status status) {
	switch (status) {
	case PARTITION_OK:
		return;
	case PARTITION_RANGE:
		xsRangeError("flash: outside of the partition");
		return;
	case PARTITION_NOT_ERASED:
		xsUnknownError("flash: not erased");
		return;
	default:
		xsUnknownError("flash: the flash failed");
	}
}

/* (index) -> name of a partition, or undefined */
void xs_flash_name(xsMachine *the) {
	need_arguments(the, 1);
	uint32_t index = index_of(the, &xsArg(0), "index", PARTITIONS);
	if (index < PARTITIONS && !(index == DATA && DATA_SECTORS == 0)) {
		xsmcSetString(xsResult, (char *)(uintptr_t)names[index]);
	}
}

/* (index) -> handle */
void xs_flash_open(xsMachine *the) {
	need_arguments(the, 1);
	uint32_t index = index_of(the, &xsArg(0), "index", PARTITIONS - 1);
	area_find(the);
	xsResult = xsNewHostObject(xs_flash_destructor);
	xsmcSetHostData(xsResult, &partitions[index]);
}

/* (handle) */
void xs_flash_close(xsMachine *the) {
	(void)opened_partition(the, 1);
	xsmcSetHostData(xsArg(0), NULL);
}

/* (handle) -> bytes of the partition */
void xs_flash_size(xsMachine *the) {
	xsmcSetInteger(xsResult, (xsIntegerValue)opened_partition(the, 1)->size);
}

/* (handle) -> bytes of a block */
void xs_flash_block(xsMachine *the) {
	xsmcSetInteger(xsResult, (xsIntegerValue)opened_partition(the, 1)->flash->sector);
}

/* (handle, offset, buffer): fills the buffer */
void xs_flash_read(xsMachine *the) {
	const partition *p = opened_partition(the, 3);
	void *data;
	xsUnsignedValue size;
	uint32_t offset = index_of(the, &xsArg(1), "offset", p->size);
	xsmcGetBufferWritable(xsArg(2), &data, &size);
	const uint8_t *from = partition_at(p, offset, size);
	if (from == NULL) {
		refuse_partition(the, PARTITION_RANGE);
	}
	memcpy(data, from, size);
}

/* (handle, offset, buffer) */
void xs_flash_write(xsMachine *the) {
	const partition *p = writable_partition(the, 3);
	void *data;
	xsUnsignedValue size;
	uint32_t offset = index_of(the, &xsArg(1), "offset", p->size);
	xsmcGetBufferReadable(xsArg(2), &data, &size);
	refuse_partition(the, partition_write(p, offset, data, size));
}

/* (handle, block) */
void xs_flash_erase(xsMachine *the) {
	const partition *p = writable_partition(the, 2);
	uint32_t block = index_of(the, &xsArg(1), "block", p->size / p->flash->sector);
	refuse_partition(the, partition_erase(p, block));
}
