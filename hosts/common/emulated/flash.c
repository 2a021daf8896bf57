/*
 * flash.c: the storage area of the emulated board: the last 64 KB of its PSRAM behave as NOR flash. The board has no
 * flash controller, so this file keeps NOR's rules: a program only clears bits, an erase sets a sector.
 */
#include "hal.h"
#include "harness.h"

#include <string.h>

#define SECTOR 4096u
#define UNIT 4u

extern uint8_t __storage_start[], __storage_end[];

const hal_flash_area *hal_flash(void) {
	static hal_flash_area area;
	area.base = __storage_start;
	area.size = (uint32_t)(__storage_end - __storage_start);
	area.sector = SECTOR;
	area.unit = UNIT;
	return &area;
}

hal_status hal_flash_program(uint32_t offset, const void *data, size_t size) {
	uint32_t total = (uint32_t)(__storage_end - __storage_start);
	if (offset % UNIT != 0 || size % UNIT != 0 || offset > total || size > total - offset) {
		return HAL_RANGE;
	}
	volatile uint32_t *words = (volatile uint32_t *)(uintptr_t)(__storage_start + offset);
	const uint8_t *bytes = data;
	for (size_t i = 0; i < size / UNIT; i++) {
		uint32_t word;
		memcpy(&word, bytes + i * UNIT, UNIT);
		if ((words[i] & word) != word) {
			return HAL_FAULT; /* a bit would have to go from 0 to 1 */
		}
		words[i] = word;
		pc_flash_step(offset + (uint32_t)i * UNIT, UNIT);
	}
	return HAL_OK;
}

hal_status hal_flash_erase(uint32_t offset) {
	uint32_t total = (uint32_t)(__storage_end - __storage_start);
	if (offset % SECTOR != 0 || offset >= total) {
		return HAL_RANGE;
	}
	memset(__storage_start + offset, 0xFF, SECTOR);
	pc_flash_step(offset, SECTOR);
	return HAL_OK;
}
