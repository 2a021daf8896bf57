/*
 * mpu.c: memory protection on Armv7-M: the board's map, then the null page and the stack's guard, which no code may touch.
 *
 * PRIVDEFENA stays clear: an address outside of every region faults, for privileged code too. The vector table lies in
 * the null page; the core fetches vectors through its default map, which the MPU does not check (DDI 0403, B3.5.1).
 */
#include "cortex-m.h"

#define NULL_PAGE_LOG2 9u /* 512 bytes: __null_page_end in sections.ld */
#define GUARD_LOG2 8u     /* 256 bytes: __stack_guard in sections.ld */

extern uint8_t __stack_guard[];

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

static void set_region(unsigned number, uint32_t base, uint8_t size_log2, uint8_t access) {
	PC_MPU_RNR = number;
	PC_MPU_RBAR = base;
	PC_MPU_RASR = attributes(access) | (uint32_t)(size_log2 - 1) << 1 | 1u;
}

void pc_mpu_enable(void) {
	unsigned number = 0;
	PC_MPU_CTRL = 0;
	for (; number < pc_board_region_count; number++) {
		const pc_mpu_region *region = &pc_board_regions[number];
		set_region(number, region->base, region->size_log2, region->access);
	}
	set_region(number++, 0, NULL_PAGE_LOG2, PC_MPU_NONE);
	set_region(number, (uint32_t)(uintptr_t)__stack_guard, GUARD_LOG2, PC_MPU_NONE);
	PC_MPU_CTRL = 1;
	__asm__ volatile("dsb\n\tisb" : : : "memory");
}
