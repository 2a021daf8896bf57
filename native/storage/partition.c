/* partition.c: see partition.h. */
#include "partition.h"

#include <string.h>

const uint8_t *partition_at(const partition *p, uint32_t offset, uint32_t size) {
	if (offset > p->size || size > p->size - offset) {
		return NULL;
	}
	return p->flash->base + p->offset + offset;
}

partition_status partition_write(const partition *p, uint32_t offset, const void *data, uint32_t size) {
	const uint8_t *now = partition_at(p, offset, size);
	const uint8_t *bytes = data;
	if (now == NULL) {
		return PARTITION_RANGE;
	}
	for (uint32_t i = 0; i < size; i++) {
		if ((now[i] & bytes[i]) != bytes[i]) {
			return PARTITION_NOT_ERASED;
		}
	}
	/* Whole words through a small buffer; 0xFF around the ends programs nothing. */
	uint32_t words[16];
	for (uint32_t done = 0; done < size;) {
		uint32_t lead = (offset + done) % 4;
		uint32_t step = size - done < sizeof words - lead ? size - done : (uint32_t)sizeof words - lead;
		memset(words, 0xFF, sizeof words);
		memcpy((uint8_t *)words + lead, bytes + done, step);
		uint32_t at = p->offset + offset + done - lead;
		if (!p->flash->program(p->flash->context, at, words, (lead + step + 3u) & ~3u)) {
			return PARTITION_FAULT;
		}
		done += step;
	}
	return memcmp(now, bytes, size) == 0 ? PARTITION_OK : PARTITION_FAULT;
}

partition_status partition_erase(const partition *p, uint32_t block) {
	if (block >= p->size / p->flash->sector) {
		return PARTITION_RANGE;
	}
	bool ok = p->flash->erase(p->flash->context, p->offset + block * p->flash->sector);
	return ok ? PARTITION_OK : PARTITION_FAULT;
}
