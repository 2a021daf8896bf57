/*
 * verdict.h: a "yes" that one skipped instruction does not make.
 *
 * A disturbed core leaves out an instruction: a branch, a comparison, a call, a load. So whoever decides here
 *   - says yes by a word that nothing else has, and that is computed of what was compared, not chosen by a branch;
 *   - looks twice, in two calls that share no result, at everything that must hold: what is left out of one look, or turned
 *     in it, the other one sees;
 *   - takes counts of what loops have done into the comparison.
 * docs/crypto.md, "Faults", has the method and what test/unit/crypto-faults.test.ts has tried.
 */
#ifndef PERICARD_KERNELS_VERDICT_H
#define PERICARD_KERNELS_VERDICT_H

#include <stddef.h>
#include <stdint.h>

/* Half of its bits are set. All that isn't this is a no. */
#define PC_VERDICT_YES 0x3CA5965Au

/* The same value; but the compiler doesn't know, and can't find that two looks are one. */
static inline uint32_t pc_opaque(uint32_t value) {
	__asm__ volatile("" : "+r"(value));
	return value;
}

/* 0 if all of `size` bytes are the same and all were looked at; in a time that doesn't tell where they differ. */
static inline __attribute__((always_inline)) uint32_t pc_differences(const void *a, const void *b, size_t size) {
	const volatile uint8_t *left = a, *right = b;
	uint32_t difference = 0;
	size_t seen = 0;
	for (; seen != size; seen++) {
		difference |= (uint32_t)(left[seen] ^ right[seen]);
	}
	return difference | (pc_opaque((uint32_t)seen) ^ (uint32_t)size);
}

/* The same for words; both are aligned, and their size is a multiple of 4. */
static inline __attribute__((always_inline)) uint32_t pc_word_differences(const void *a, const void *b, size_t size) {
	const volatile uint32_t *left = a, *right = b;
	uint32_t difference = 0;
	size_t seen = 0;
	for (; seen != size / 4; seen++) {
		difference |= left[seen] ^ right[seen];
	}
	return difference | (pc_opaque((uint32_t)seen) ^ (uint32_t)(size / 4));
}

/* All ones, or 0 for 0. */
static inline uint32_t pc_any(uint32_t value) {
	return 0u - ((value | (0u - value)) >> 31);
}

#define PC_VERDICT_SHARE 0x96C35A3Cu

/* What two looks say, each 0 for "nothing wrong": PC_VERDICT_YES, or another word. No register holds the yes before the last
 * addition: it is the sum of two shares, one from each look. */
static inline uint32_t pc_verdict(uint32_t first, uint32_t second) {
	uint32_t left = pc_opaque(PC_VERDICT_SHARE) ^ pc_any(first);
	uint32_t right = pc_opaque(PC_VERDICT_YES - PC_VERDICT_SHARE) ^ pc_any(second);
	return pc_opaque(left) + pc_opaque(right);
}

#endif
