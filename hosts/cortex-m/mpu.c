/*
 * mpu.c: memory protection on Armv7-M: nothing is accessible, but for the board's map, and of that not the null page.
 *
 * Region 0 forbids the lower half of the address space. PRIVDEFENA stays clear, which forbids what no region covers; the
 * region says it once more for an emulator that does not, where no code moves. The stack lies at the bottom of RAM, so what is below RAM is its
 * guard. The vector table lies in the null page; the core fetches vectors through its default map, which the MPU does not
 * check (DDI 0403, B3.5.1). The null page is 1 KB because an emulator may protect whole kilobytes only.
 *
 * What is read once in a while only, as option bytes are, needs no region of its own: pc_mpu_read() lends it the null page's.
 */
#include "cortex-m.h"

#define BACKGROUND_LOG2 31u
#define NULL_PAGE_LOG2 10u /* __null_page_end in sections.ld */
#define NULL_PAGE (1u << NULL_PAGE_LOG2)

/* RASR: XN, AP, TEX/S/C/B. AP 000 none, 011 read-write, 110 read-only. */
static uint32_t attributes(uint8_t access) {
	switch (access) {
	case PC_MPU_READ_EXECUTE:
		return 6u << 24 | 1u << 17;
	case PC_MPU_READ:
		return 1u << 28 | 6u << 24 | 1u << 17;
	case PC_MPU_READ_WRITE:
		return 1u << 28 | 3u << 24 | 1u << 19 | 3u << 16;
	case PC_MPU_DEVICE:
		return 1u << 28 | 3u << 24 | 1u << 18 | 1u << 16;
	default:
		return 1u << 28;
	}
}

/* arena.h; NULL in an image whose code stays where it is. */
extern const uint8_t pc_arena_map[] __attribute__((weak));

static unsigned null_region;

static void set_region(unsigned number, uint32_t base, uint8_t size_log2, uint8_t access) {
	PC_MPU_RNR = number;
	PC_MPU_RBAR = base;
	PC_MPU_RASR = attributes(access) | (uint32_t)(size_log2 - 1) << 1 | 1u;
}

void pc_mpu_enable(void) {
	unsigned number = 0;
	PC_MPU_CTRL = 0;
	/* Code that moves needs three regions of the eight. */
	if (pc_arena_map == NULL) {
		set_region(number++, 0, BACKGROUND_LOG2, PC_MPU_NONE);
	}
	for (unsigned i = 0; i < pc_board_region_count; i++) {
		const pc_mpu_region *region = &pc_board_regions[i];
		set_region(number++, region->base, region->size_log2, region->access);
	}
	null_region = number;
	set_region(number, 0, NULL_PAGE_LOG2, PC_MPU_NONE);
	PC_MPU_CTRL = 1;
	__asm__ volatile("dsb\n\tisb" : : : "memory");
}

static void lend_null_region(uint32_t base, pc_mpu_access access) {
	set_region(null_region, base, NULL_PAGE_LOG2, (uint8_t)access);
	__asm__ volatile("dsb\n\tisb" : : : "memory");
}

void pc_mpu_read(uint8_t *to, const uint8_t *from, size_t size) {
	uint32_t address = (uint32_t)(uintptr_t)from;
	while (size > 0) {
		uint32_t page = address & ~(NULL_PAGE - 1), end = page + NULL_PAGE;
		uint32_t state = pc_irq_save();
		lend_null_region(page, PC_MPU_READ);
		for (; size > 0 && address != end; size--) {
			*to++ = *(const volatile uint8_t *)(uintptr_t)address++;
		}
		lend_null_region(0, PC_MPU_NONE);
		pc_irq_restore(state);
	}
}
