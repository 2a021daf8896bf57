/*
 * nvmc.c: the storage area in the last 64 KB of flash, through the flash controller.
 *
 * A word takes 41 us and a page 85 ms, and the CPU stands still meanwhile because it runs from the same flash. A page is
 * therefore erased in slices: between two of them interrupts are served, so the longest pause is one slice. A power cut
 * between slices leaves a page of undefined content, as one during an unsliced erase does.
 *
 * A word may be programmed twice between two erases (nWRITE, 4.3.8). The MPU lets only this area be written at all.
 */
#include "board.h"

#define PAGE_SLICE_MS 2u
/* The slices must add up to t_ERASEPAGE = 85 ms, and one may be 5 % short (t_ERASEPAGEPARTIAL,acc). */
#define PAGE_SLICES 45u

extern const uint8_t __storage_start[];
extern const uint8_t __storage_end[];

const hal_flash_area *hal_flash(void) {
	static hal_flash_area area;
	area.base = __storage_start;
	area.size = (uint32_t)(__storage_end - __storage_start);
	area.sector = NRF_NVMC_PAGE;
	area.unit = 4;
	return &area;
}

static void wait_ready(void) {
	while ((NRF_NVMC_READY & 1u) == 0) {
	}
}

static void set_mode(uint32_t mode) {
	wait_ready();
	NRF_NVMC_CONFIG = mode;
	nrf_barrier();
}

hal_status hal_flash_program(uint32_t offset, const void *data, size_t size) {
	const uint32_t area = (uint32_t)(__storage_end - __storage_start);
	if (offset % 4u != 0 || size % 4u != 0 || offset > area || size > area - offset) {
		return HAL_RANGE;
	}
	volatile uint32_t *target = (volatile uint32_t *)((uintptr_t)__storage_start + offset);
	const uint8_t *bytes = data;
	hal_status status = HAL_OK;
	set_mode(NRF_NVMC_WRITE_ENABLE);
	for (size_t i = 0; i < size / 4u; i++, bytes += 4) {
		const uint32_t word =
			(uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
		if ((target[i] & word) != word) {
			status = HAL_FAULT; /* a cleared bit can't be set again */
			break;
		}
		if (target[i] == word) {
			continue; /* nothing to clear: spare one of the two writes a word stands */
		}
		target[i] = word;
		nrf_barrier();
		wait_ready();
		if (target[i] != word) {
			status = HAL_FAULT;
			break;
		}
	}
	set_mode(NRF_NVMC_READ_ONLY);
	return status;
}

hal_status hal_flash_erase(uint32_t offset) {
	const uint32_t area = (uint32_t)(__storage_end - __storage_start);
	if (offset % NRF_NVMC_PAGE != 0 || offset >= area) {
		return HAL_RANGE;
	}
	const uintptr_t page = (uintptr_t)__storage_start + offset;
	NRF_NVMC_ERASEPAGEPARTIALCFG = PAGE_SLICE_MS;
	for (unsigned slice = 0; slice < PAGE_SLICES; slice++) {
		set_mode(NRF_NVMC_ERASE_ENABLE);
		NRF_NVMC_ERASEPAGEPARTIAL = (uint32_t)page;
		nrf_barrier();
		set_mode(NRF_NVMC_READ_ONLY);
	}
	const volatile uint32_t *word = (const volatile uint32_t *)page;
	for (unsigned i = 0; i < NRF_NVMC_PAGE / 4u; i++) {
		if (word[i] != 0xFFFFFFFFu) {
			return HAL_FAULT;
		}
	}
	return HAL_OK;
}
