/* arena.c: see arena.h. */

/* Opened and closed with each step of a move. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O2")
#endif

#include "arena.h"

#include "cortex-m.h"

enum { CODE, PROTECT, RUN, STATE };

/* RASR: XN 28, AP 26..24 (110 read-only), TEX S C B 21..16 as mpu.c has them for RAM and flash, SRD 15..8, SIZE 5..1. */
#define READ_ONLY (6u << 24)
#define NEVER (1u << 28)
#define RAM (1u << 19 | 3u << 16)
#define FLASH (1u << 17)
#define VALID 16u /* RBAR: it names the region, too */

/* Parts that run, a bit each. */
static uint8_t runs;

static void set(unsigned region, uint32_t base, uint32_t attributes) {
	PC_MPU_RBAR = base | VALID | (pc_arena_map.first_region + region);
	PC_MPU_RASR = attributes;
}

static void settle(void) {
	__asm__ volatile("dsb\n\tisb" : : : "memory");
}

static uint32_t size_field(unsigned size_log2) {
	return (uint32_t)(size_log2 - 1) << 1 | 1u;
}

static unsigned parts_of(unsigned half) {
	return half < 2 ? pc_arena_map.parts[half] : 0;
}

/* A subregion whose bit is set in SRD does not count, and neither do those that no half has. */
static void protect_but(unsigned open) {
	uint32_t all = pc_arena_map.parts[0] | pc_arena_map.parts[1] | pc_arena_map.state_part;
	set(PROTECT, pc_arena_map.block,
		NEVER | READ_ONLY | RAM | (~(all & ~open) & 0xFFu) << 8 | size_field(pc_arena_map.block_log2));
}

static void run(void) {
	set(RUN, pc_arena_map.block,
		runs == 0 ? 0 : READ_ONLY | RAM | (~(uint32_t)runs & 0xFFu) << 8 | size_field(pc_arena_map.block_log2));
}

static void close_state(uint32_t closed) {
	if (pc_arena_map.state_log2 == 0) {
		return;
	}
	set(STATE, pc_arena_map.state, closed == 0 ? 0 : NEVER | READ_ONLY | RAM | size_field(pc_arena_map.state_log2));
}

void pc_arena_open(void *context, unsigned half) {
	(void)context;
	close_state(0);
	if (half < 2 || pc_arena_map.state_part != 0) {
		protect_but((parts_of(half) & ~(unsigned)runs) | pc_arena_map.state_part); /* what runs never opens */
	}
	settle();
}

void pc_arena_close(void *context) {
	(void)context;
	close_state(1);
	protect_but(0);
	settle();
}

/* A function of its own, so that an observer finds where interrupts are masked and where they are not any more. */
__attribute__((noinline)) void pc_arena_flip(void *context, unsigned half) {
	uint32_t state = pc_irq_save();
	pc_arena_open(context, 2);
	pc_relocate_commit(&pc_arena_relocator);
	runs = (uint8_t)(runs | parts_of(half));
	run();
	pc_arena_close(context);
	pc_irq_restore(state);
}

void pc_arena_retire(void *context, unsigned half) {
	(void)context;
	runs = (uint8_t)(runs & ~parts_of(half));
	run();
	settle();
}

void pc_arena_protect(void) {
	runs = 0;
	uint32_t grain = 1u << pc_arena_map.code_log2 >> 3, base = pc_arena_map.code & ~(8u * grain - 1), skipped = 0;
	for (uint32_t i = 0; i < 8 && pc_arena_map.code_end != 0; i++) {
		uint32_t address = base + i * grain;
		skipped |= address < pc_arena_map.code || address >= pc_arena_map.code_end ? 1u << i : 0;
	}
	set(CODE, base, NEVER | READ_ONLY | FLASH | skipped << 8 | size_field(pc_arena_map.code_log2));
	run();
	pc_arena_close(NULL);
}
