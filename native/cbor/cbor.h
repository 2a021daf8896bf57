/*
 * cbor.h: writes CBOR in the one deterministic way of RFC 8949 section 4.2.1: heads in their shortest form, definite lengths.
 * The order of a map's keys is the caller's business.
 *
 * Integers go to 2^32 - 1 and down to -2^32: nothing here is larger.
 */
#ifndef PERICARD_CBOR_H
#define PERICARD_CBOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Major types, as they stand in the first byte of an item. */
#define PC_CBOR_UINT 0x00u
#define PC_CBOR_NEGATIVE 0x20u /* -1 - value */
#define PC_CBOR_BYTES 0x40u
#define PC_CBOR_TEXT 0x60u
#define PC_CBOR_ARRAY 0x80u
#define PC_CBOR_MAP 0xA0u
#define PC_CBOR_TAG 0xC0u

/* The most bytes of a head. */
#define PC_CBOR_HEAD 5u

/* Writes the head of an item with its value in the fewest bytes; returns how many. */
size_t pc_cbor_head(uint8_t out[PC_CBOR_HEAD], uint8_t major, uint32_t value);

/* Items one behind the other. The memory is the caller's. What doesn't fit is left out, and `overflow` says so for good. */
typedef struct {
	uint8_t *data;
	size_t capacity;
	size_t size;
	bool overflow;
} pc_cbor;

void pc_cbor_begin(pc_cbor *cbor, uint8_t *data, size_t capacity);
void pc_cbor_int(pc_cbor *cbor, int64_t value); /* -2^32 .. 2^32 - 1 */
void pc_cbor_bytes(pc_cbor *cbor, const void *data, size_t size);
void pc_cbor_text(pc_cbor *cbor, const char *text); /* NUL-terminated UTF-8 */
void pc_cbor_array(pc_cbor *cbor, uint32_t items);  /* they follow */
void pc_cbor_map(pc_cbor *cbor, uint32_t pairs);    /* they follow */
void pc_cbor_tag(pc_cbor *cbor, uint32_t tag);      /* its item follows */

/* As pc_cbor_bytes, but for the content, which the caller fills in: where, or NULL if it doesn't fit. */
uint8_t *pc_cbor_room(pc_cbor *cbor, size_t size);

#endif
