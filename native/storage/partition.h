/*
 * partition.h: a part of the flash that is looked at as a device of its own.
 *
 * The storage area of a board is cut in two: the key-value store in front, raw sectors for the application behind it. A
 * partition can't be left: every function refuses what reaches outside. Nothing here allocates or has state.
 */
#ifndef PERICARD_PARTITION_H
#define PERICARD_PARTITION_H

#include "kv.h"

typedef enum {
	PARTITION_OK = 0,
	PARTITION_RANGE = 1,      /* reaches outside of the partition */
	PARTITION_NOT_ERASED = 2, /* a bit would have to change from 0 to 1; nothing was written */
	PARTITION_FAULT = 3,      /* the flash failed */
} partition_status;

/* `offset` and `size` are whole sectors of `flash`. */
typedef struct {
	const kv_flash *flash;
	uint32_t offset;
	uint32_t size;
} partition;

/* Bytes in place, valid as long as nobody writes there; NULL when they reach outside. */
const uint8_t *partition_at(const partition *p, uint32_t offset, uint32_t size);

/* Writes bytes anywhere: words that are only touched in part keep their other bytes. Each word that is touched counts as
 * programmed once more (two times between erases on an nRF52840). Not atomic. */
partition_status partition_write(const partition *p, uint32_t offset, const void *data, uint32_t size);

/* Erases sector `block` of the partition. */
partition_status partition_erase(const partition *p, uint32_t block);

#endif
