/*
 * arena.h: the arena of native/relocate on Armv7-M: which of it may be written and executed when, by three MPU regions.
 *
 * The arena lies in a block of 1 << block_log2 bytes, aligned to that, of eight subregions (DDI 0403, B3.5.9). Each half has
 * as many of them as the other; what nothing has is ordinary RAM. Two regions of the block's size lie over it:
 *
 *    protect   read-only, execute-never     but for the parts that are open: those are RAM again, execute-never
 *    run       read-only, executable        the parts of the halves that run, above `protect`
 *
 * and a third, of the state's own size, over the dispatch table and the relocator's state: read-only, execute-never, but
 * while it is open; where a half has at most three parts the state may have one of the block's instead, which `protect`
 * covers. Another region makes the canonical code in flash execute-never. So no part is ever writable and executable, and
 * what is writable is so only in a step of the relocator.
 */
#ifndef PERICARD_ARENA_H
#define PERICARD_ARENA_H

#include "relocate.h"

#include <stdint.h>

typedef struct {
	uint32_t block;   /* its address */
	uint32_t half[2]; /* addresses of the halves */
	uint32_t state;   /* address of the dispatch table and of the relocator's state */
	uint32_t code;    /* address of the canonical code */
	uint32_t
		code_end; /* and its end, both in whole eighths of one block of `code_log2`; 0: `code` is that block, all of it */
	uint8_t block_log2;
	uint8_t parts[2];   /* of each half, a bit each */
	uint8_t state_part; /* of the state, as a bit; 0: it lies outside of the block */
	uint8_t state_log2; /* its size, if it does */
	uint8_t code_log2;
	uint8_t first_region; /* the MPU regions are this and the next three, or two */
} pc_arena;

/* The arena of this image, which tools/build/moving.ts has chosen. Weak: without it no code moves, and mpu.c asks whether it is
 * there. */
extern const pc_arena pc_arena_map __attribute__((weak));
extern pc_relocator pc_arena_relocator;

/* For pc_relocate_ops. */
void pc_arena_open(void *context, unsigned half);
void pc_arena_close(void *context);
void pc_arena_flip(void *context, unsigned half);
void pc_arena_retire(void *context, unsigned half);

/* Protects the arena: all closed, nothing runs. Behind pc_mpu_enable(), before pc_relocate_begin(). */
void pc_arena_protect(void);

#endif
