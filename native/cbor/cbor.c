/* cbor.c: see cbor.h. */
#include "cbor.h"

#include <string.h>

size_t pc_cbor_head(uint8_t out[PC_CBOR_HEAD], uint8_t major, uint32_t value) {
	if (value < 24) {
		out[0] = (uint8_t)(major | value);
		return 1;
	}
	size_t bytes = value < 0x100 ? 1 : value < 0x10000 ? 2 : 4;
	out[0] = (uint8_t)(major | (bytes == 1 ? 24u : bytes == 2 ? 25u : 26u));
	for (size_t i = 0; i < bytes; i++) {
		out[1 + i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
	}
	return 1 + bytes;
}

void pc_cbor_begin(pc_cbor *cbor, uint8_t *data, size_t capacity) {
	*cbor = (pc_cbor){.data = data, .capacity = capacity};
}

static uint8_t *take(pc_cbor *cbor, size_t size) {
	if (cbor->overflow || size > cbor->capacity - cbor->size) {
		cbor->overflow = true;
		return NULL;
	}
	uint8_t *at = cbor->data + cbor->size;
	cbor->size += size;
	return at;
}

static void put(pc_cbor *cbor, const void *data, size_t size) {
	uint8_t *at = take(cbor, size);
	if (at != NULL && size > 0) {
		memcpy(at, data, size);
	}
}

static void put_head(pc_cbor *cbor, uint8_t major, uint32_t value) {
	uint8_t head[PC_CBOR_HEAD];
	put(cbor, head, pc_cbor_head(head, major, value));
}

void pc_cbor_int(pc_cbor *cbor, int64_t value) {
	if (value < 0) {
		put_head(cbor, PC_CBOR_NEGATIVE, (uint32_t)(-1 - value));
	} else {
		put_head(cbor, PC_CBOR_UINT, (uint32_t)value);
	}
}

void pc_cbor_bytes(pc_cbor *cbor, const void *data, size_t size) {
	put_head(cbor, PC_CBOR_BYTES, (uint32_t)size);
	put(cbor, data, size);
}

void pc_cbor_text(pc_cbor *cbor, const char *text) {
	size_t size = strlen(text);
	put_head(cbor, PC_CBOR_TEXT, (uint32_t)size);
	put(cbor, text, size);
}

void pc_cbor_array(pc_cbor *cbor, uint32_t items) {
	put_head(cbor, PC_CBOR_ARRAY, items);
}

void pc_cbor_map(pc_cbor *cbor, uint32_t pairs) {
	put_head(cbor, PC_CBOR_MAP, pairs);
}

void pc_cbor_tag(pc_cbor *cbor, uint32_t tag) {
	put_head(cbor, PC_CBOR_TAG, tag);
}

uint8_t *pc_cbor_room(pc_cbor *cbor, size_t size) {
	put_head(cbor, PC_CBOR_BYTES, (uint32_t)size);
	return take(cbor, size);
}
