/*
 * machine.h: what relocate.c needs of the machine whose code moves, in one of two files that is chosen when it is compiled:
 * thumb.h, rv32.h. A part of relocate.c; nobody else includes it.
 *
 *    copy_words, same_words, trap_words   fast copies, comparisons and fills
 *    patch_unit                           applies patches of a unit to its copy, or takes them off
 *    undo_patch                           what a patched word would be without
 *    WORDS_WORK ...                       what the parts of a step cost
 */
#ifndef PERICARD_RELOCATION_MACHINE_H
#define PERICARD_RELOCATION_MACHINE_H

#include "relocate.h"

#include <string.h>

/* Address in a half less canonical address, modulo 2^32. */
static uint32_t delta(const pc_relocator *r, unsigned half, uint32_t unit) {
	return r->half_address[half] - r->code_address +
		   4u * ((uint32_t)r->layout[half].place[unit] - r->table->units[unit].offset);
}

/* An instruction is aligned to a halfword only; Armv7-M loads and stores such a word at once. */
static inline uint32_t read_place(const uint8_t *place) {
	uint32_t raw;
	memcpy(&raw, __builtin_assume_aligned(place, 2), sizeof raw);
	return raw;
}

static inline void write_place(uint8_t *place, uint32_t raw) {
	memcpy(__builtin_assume_aligned(place, 2), &raw, sizeof raw);
}

#if PC_RELOCATION_MACHINE == PC_RELOCATION_THUMB
#include "thumb.h"
#else
#include "rv32.h"
#endif

#endif
