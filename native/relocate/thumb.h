/* thumb.h: Armv7-M, Thumb-2: see machine.h. Encodings: DDI 0403. */
#ifndef PERICARD_RELOCATION_THUMB_H
#define PERICARD_RELOCATION_THUMB_H

/* Instructions of a Cortex-M4: for copying words, for a unit, for a patch; patches of a part of a unit, words that are
 * copied or wiped, bytes and words that are compared in one step. */
#define WORDS_WORK(words) ((words) / 2u)
#define UNIT_WORK 70u
#define PATCH_WORK 23u
#define PART_PATCHES 147u
#define COPIED 6800u
#define WIPED 4096u
#define COMPARED 128u
#define COMPARE_WORK 62u
#define COMPARED_WORD_WORK 3u
#define SCANNED 320u

/* ---- words ------------------------------------------------------------------------------------------------------- */

/* Copies and fills take most of a move: eight words at once, half an instruction a word. */
#if defined(__ARM_ARCH) && __ARM_ARCH_ISA_THUMB >= 2

static void copy_words(uint32_t *to, const uint32_t *from, uint32_t count) {
	uint32_t blocks = count / 16;
	if (blocks != 0) {
		__asm__ volatile("1: ldmia %1!, {r3-r6, r8-r10, r12}\n\t"
						 "stmia %0!, {r3-r6, r8-r10, r12}\n\t"
						 "ldmia %1!, {r3-r6, r8-r10, r12}\n\t"
						 "stmia %0!, {r3-r6, r8-r10, r12}\n\t"
						 "subs %2, #1\n\t"
						 "bne 1b"
						 : "+r"(to), "+r"(from), "+r"(blocks)
						 :
						 : "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r12", "cc", "memory");
	}
	if ((count & 8) != 0) {
		__asm__ volatile("ldmia %1!, {r3-r6, r8-r10, r12}\n\t"
						 "stmia %0!, {r3-r6, r8-r10, r12}"
						 : "+r"(to), "+r"(from)
						 :
						 : "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r12", "memory");
	}
	if ((count & 4) != 0) {
		__asm__ volatile("ldmia %1!, {r3-r6}\n\t"
						 "stmia %0!, {r3-r6}"
						 : "+r"(to), "+r"(from)
						 :
						 : "r3", "r4", "r5", "r6", "memory");
	}
	for (count &= 3; count > 0; count--) {
		*to++ = *from++;
	}
}

/* Are `count` words the same? */
__attribute__((noinline)) static bool same_words(const uint32_t *a, const uint32_t *b, uint32_t count) {
	uint32_t blocks = count / 4;
	if (blocks != 0) {
		__asm__ volatile("1: ldmia %0!, {r3-r6}\n\t"
						 "ldmia %1!, {r8-r10, r12}\n\t"
						 "cmp r3, r8\n\t"
						 "ittt eq\n\t"
						 "cmpeq r4, r9\n\t"
						 "cmpeq r5, r10\n\t"
						 "cmpeq r6, r12\n\t"
						 "bne 2f\n\t"
						 "subs %2, #1\n\t"
						 "bne 1b\n"
						 "2:"
						 : "+r"(a), "+r"(b), "+r"(blocks)
						 :
						 : "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r12", "cc", "memory");
		if (blocks != 0) {
			return false;
		}
	}
	for (count &= 3; count > 0; count--) {
		if (*a++ != *b++) {
			return false;
		}
	}
	return true;
}

static void trap_words(uint32_t *to, uint32_t count) {
	uint32_t blocks = count / 32;
	if (blocks != 0) {
		__asm__ volatile("mov r3, %2\n\tmov r4, %2\n\tmov r5, %2\n\tmov r6, %2\n\t"
						 "mov r8, %2\n\tmov r9, %2\n\tmov r10, %2\n\tmov r12, %2\n\t"
						 "1: stmia %0!, {r3-r6, r8-r10, r12}\n\t"
						 "stmia %0!, {r3-r6, r8-r10, r12}\n\t"
						 "stmia %0!, {r3-r6, r8-r10, r12}\n\t"
						 "stmia %0!, {r3-r6, r8-r10, r12}\n\t"
						 "subs %1, #1\n\t"
						 "bne 1b"
						 : "+r"(to), "+r"(blocks)
						 : "r"(PC_RELOCATION_TRAP)
						 : "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r12", "cc", "memory");
	}
	for (count %= 32; count > 0; count--) {
		*to++ = PC_RELOCATION_TRAP;
	}
}

#else /* a test, on another machine */

static inline bool same_words(const uint32_t *a, const uint32_t *b, uint32_t count) {
	return memcmp(a, b, count * sizeof *a) == 0;
}

static void copy_words(uint32_t *to, const uint32_t *from, uint32_t count) {
	memcpy(to, from, count * sizeof *to);
}

static void trap_words(uint32_t *to, uint32_t count) {
	for (uint32_t i = 0; i < count; i++) {
		to[i] = PC_RELOCATION_TRAP;
	}
}

#endif

/* ---- fields ------------------------------------------------------------------------------------------------------ */

/* What applying patch `word` of `unit` adds to its field. */
static uint32_t shift_of(const pc_relocator *r, unsigned half, uint32_t unit_delta, const uint32_t *patch) {
	uint32_t word = *patch, target = pc_patch_target(word);
	pc_patch_kind kind = pc_patch_kind_of(word);
	uint32_t shift = target == PC_RELOCATION_OUTSIDE ? 0 : delta(r, half, target);
	if (kind == PC_PATCH_MOVW || kind == PC_PATCH_MOVT) {
		uint32_t before = r->code_address + 4u * r->table->units[target].offset + patch[1];
		return kind == PC_PATCH_MOVW ? shift : ((before + shift) >> 16) - (before >> 16);
	}
	return kind == PC_PATCH_ABS32 ? shift : shift - unit_delta;
}

/*
 * BL and B.W: S imm10 : J1 J2 imm11. Code and arena are so small that a displacement, at most 2^22 bytes both ways, leaves
 * J1 and J2 at 1: what counts is S:imm10:imm11:0, modulo 2^23. (DDI 0403, A7.7.12 and A7.7.18.)
 */
#if defined(__ARM_ARCH) && __ARM_ARCH_ISA_THUMB >= 2
/* Most of a move's patches are these, and a compiler does not see that BFI does it. */
static inline uint32_t add_to_branch(uint32_t raw, uint32_t halfwords) {
	uint32_t value = raw >> 16 & 0x7FFu;
	__asm__("bfi %0, %1, #11, #11" : "+r"(value) : "r"(raw));
	value += halfwords;
	__asm__("bfi %0, %1, #16, #11" : "+r"(raw) : "r"(value));
	__asm__("bfi %0, %1, #0, #11" : "+r"(raw) : "r"(value >> 11));
	return raw;
}
#else
static inline uint32_t add_to_branch(uint32_t raw, uint32_t halfwords) {
	uint32_t value = ((raw & 0x7FFu) << 11 | (raw >> 16 & 0x7FFu)) + halfwords;
	return (raw & 0xF800F800u) | (value >> 11 & 0x7FFu) | (value & 0x7FFu) << 16;
}
#endif

/* Adds to the field of an instruction, or of a word: modulo the field's size, so that adding -shift undoes it. The first
 * halfword of an instruction is the lower one of `raw`. Encodings: DDI 0403, A7.7.12 (B), A7.7.76 (MOV), A7.7.79
 * (MOVT). */
static uint32_t add_to_field(pc_patch_kind kind, uint32_t raw, uint32_t shift) {
	switch (kind) {
	case PC_PATCH_BRANCH24:
		return add_to_branch(raw, shift >> 1);
	case PC_PATCH_BRANCH19: {
		/* S cond imm6 : J1 J2 imm11; the displacement is S:J2:J1:imm6:imm11:0. */
		uint32_t value = (raw >> 10 & 1u) << 20 | (raw >> 27 & 1u) << 19 | (raw >> 29 & 1u) << 18 |
						 (raw & 0x3Fu) << 12 | (raw >> 16 & 0x7FFu) << 1;
		value += shift;
		return (raw & 0xD000FBC0u) | (value >> 20 & 1u) << 10 | (value >> 12 & 0x3Fu) | (value >> 18 & 1u) << 29 |
			   (value >> 19 & 1u) << 27 | (value >> 1 & 0x7FFu) << 16;
	}
	case PC_PATCH_MOVW:
	case PC_PATCH_MOVT: {
		/* i imm4 : imm3 Rd imm8; the value is imm4:i:imm3:imm8. */
		uint32_t value = (raw & 0xFu) << 12 | (raw >> 10 & 1u) << 11 | (raw >> 28 & 7u) << 8 | (raw >> 16 & 0xFFu);
		value += shift;
		return (raw & 0x8F00FBF0u) | (value >> 12 & 0xFu) | (value >> 11 & 1u) << 10 | (value >> 8 & 7u) << 28 |
			   (value & 0xFFu) << 16;
	}
	case PC_PATCH_PREL31:
		return (raw & 0x80000000u) | ((raw + shift) & 0x7FFFFFFFu);
	default:
		return raw + shift;
	}
}

/* ---- patches ----------------------------------------------------------------------------------------------------- */

/* A patch that is no call. */
__attribute__((noinline)) static void patch_other(
	const pc_relocator *r, unsigned half, uint32_t unit, uint8_t *code, const uint32_t *patch, uint32_t sign) {
	uint8_t *place = code + pc_patch_place(*patch);
	uint32_t shift = sign * shift_of(r, half, delta(r, half, unit), patch);
	write_place(place, add_to_field(pc_patch_kind_of(*patch), read_place(place), shift));
}

/* Applies the patches [patch, end) of a unit, or takes them off: `sign` is 1 or its negative. Nearly all are calls: their loop is apart, so that all it needs stays in
 * registers. */
static inline void patch_unit(
	const pc_relocator *r, unsigned half, uint32_t unit, const uint32_t *patch, const uint32_t *end, uint32_t sign) {
	const pc_relocation_unit *units = r->table->units;
	const uint16_t *places = r->layout[half].place;
	uint8_t *code = (uint8_t *)(r->half[half] + places[unit]);
	uint32_t own = (uint32_t)places[unit] - units[unit].offset; /* words */
	uint32_t factor = 2u * sign;
	while (patch < end) {
		uint32_t word = *patch;
		while (pc_patch_kind_of(word) == PC_PATCH_BRANCH24) {
			uint8_t *place = code + pc_patch_place(word);
			uint32_t target = pc_patch_target(word);
			uint32_t halfwords = factor * ((uint32_t)places[target] - units[target].offset - own);
			write_place(place, add_to_branch(read_place(place), halfwords));
			if (++patch == end) {
				return;
			}
			word = *patch;
		}
		patch_other(r, half, unit, code, patch, sign);
		patch += pc_patch_size(word);
	}
}

/* The word of a patched place, of a unit that is at `moved`, without the patch. */
static inline uint32_t undo_patch(const pc_relocator *r, unsigned half, uint32_t unit_delta, const uint8_t *moved,
	const uint32_t *patch, uint32_t part) {
	(void)part;
	uint32_t shift = shift_of(r, half, unit_delta, patch);
	return add_to_field(pc_patch_kind_of(*patch), read_place(moved + pc_patch_place(*patch)), 0u - shift);
}

#endif
