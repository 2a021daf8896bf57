/*
 * sha256-armv7em.S: the compression function of SHA-256 (FIPS 180-4) for ARMv7E-M; the twin of sha256-portable.c.
 *
 * The message schedule is computed first, for all 64 words, with its last seven words and all else it needs soon in
 * registers; then the rounds run with the state in registers, which change their roles instead of being moved. So neither
 * part spills. Loads stand in groups, where each but the first takes one cycle. Known tricks: rotations share a shift of
 * the second operand, and Maj(a, b, c) = b ^ ((a ^ b) & (b ^ c)), where b ^ c was the round before's a ^ b.
 * Constant time: the only branches depend on the number of blocks.
 */
#include "twin.h"

#if PC_KERNELS_ASSEMBLY

	.syntax	unified
	.thumb
	.section .text.pc_sha256_blocks, "ax", %progbits

	.equ	DATA, 256	/* behind the 64 words of the schedule */
	.equ	BLOCKS, 260
	.equ	STATE, 264

/* Words \i..\i+3 of the block at lr into \a..\d and the schedule. Data need not be aligned. */
	.macro	load_words i a b c d
	ldr	\a, [lr, #4 * (\i)]
	ldr	\b, [lr, #4 * (\i) + 4]
	ldr	\c, [lr, #4 * (\i) + 8]
	ldr	\d, [lr, #4 * (\i) + 12]
	rev	\a, \a
	rev	\b, \b
	rev	\c, \c
	rev	\d, \d
	str	\a, [sp, #4 * (\i)]
	str	\b, [sp, #4 * (\i) + 4]
	str	\c, [sp, #4 * (\i) + 8]
	str	\d, [sp, #4 * (\i) + 12]
	.endm

/* W[i] in place of W[i-16]; i counts from lr + 4 * (\at). */
	.macro	next_word at w16 w15 w7 w2
	eor	r12, \w15, \w15, ror #11
	add	\w16, \w16, \w7
	ror	r12, r12, #7
	eor	r12, r12, \w15, lsr #3
	add	\w16, \w16, r12
	eor	r12, \w2, \w2, ror #2
	ror	r12, r12, #17
	eor	r12, r12, \w2, lsr #10
	add	\w16, \w16, r12
	str	\w16, [lr, #64 + 4 * (\at)]
	.endm

/* Four words: \a = W[i-16]; \b..\e get W[i-15..i-12]; \p..\v = W[i-7..i-1]. Then \e is the next W[i-16]. */
	.macro	next_words at a b c d e p q r s t u v
	ldr	\b, [lr, #4 * (\at) + 4]
	ldr	\c, [lr, #4 * (\at) + 8]
	ldr	\d, [lr, #4 * (\at) + 12]
	ldr	\e, [lr, #4 * (\at) + 16]
	next_word \at, \a, \b, \p, \u
	next_word \at + 1, \b, \c, \q, \v
	next_word \at + 2, \c, \d, \r, \a
	next_word \at + 3, \d, \e, \s, \b
	.endm

/* One round; \x is b ^ c before, \t is a ^ b behind it. \w and \k may be \t. */
	.macro	round a b c d e f g h x t w k
	add	\h, \h, \w
	add	\h, \h, \k
	eor	\t, \e, \e, ror #5
	eor	\t, \t, \e, ror #19
	add	\h, \h, \t, ror #6
	eor	\t, \f, \g
	and	\t, \t, \e
	eor	\t, \t, \g
	add	\h, \h, \t
	add	\d, \d, \h
	eor	\t, \a, \a, ror #11
	eor	\t, \t, \a, ror #20
	add	\h, \h, \t, ror #2
	eor	\t, \a, \b
	and	\x, \x, \t
	eor	\x, \x, \b
	add	\h, \h, \x
	.endm

/* Rounds \i and \i + 1 from sp and lr. */
	.macro	two_rounds i a b c d e f g h
	ldr	r9, [sp, #4 * (\i)]
	ldr	r10, [sp, #4 * (\i) + 4]
	ldr	r11, [lr, #4 * (\i)]
	ldr	r12, [lr, #4 * (\i) + 4]
	round	\a, \b, \c, \d, \e, \f, \g, \h, r8, r9, r9, r11
	round	\h, \a, \b, \c, \d, \e, \f, \g, r9, r8, r10, r12
	.endm

	.macro	eight_rounds i
	two_rounds \i, r0, r1, r2, r3, r4, r5, r6, r7
	two_rounds \i + 2, r6, r7, r0, r1, r2, r3, r4, r5
	two_rounds \i + 4, r4, r5, r6, r7, r0, r1, r2, r3
	two_rounds \i + 6, r2, r3, r4, r5, r6, r7, r0, r1
	.endm

/* void pc_sha256_blocks(uint32_t state[8], const uint8_t *data, size_t blocks) */
	.global	pc_sha256_blocks
	.type	pc_sha256_blocks, %function
	.thumb_func
pc_sha256_blocks:
	cmp	r2, #0
	it	eq
	bxeq	lr
	push	{r4-r11, lr}
	mov	r3, r0
	push	{r1-r3}
1:	sub	sp, #256
	ldr	lr, [sp, #DATA]
	load_words 4, r1, r2, r3, r4
	load_words 8, r1, r5, r6, r7
	load_words 12, r8, r9, r10, r11
	load_words 0, r0, r1, r2, r3
	add	lr, lr, #64
	str	lr, [sp, #DATA]
	mov	lr, sp
2:	next_words 0, r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11
	next_words 4, r4, r5, r6, r7, r8, r9, r10, r11, r0, r1, r2, r3
	next_words 8, r8, r9, r10, r11, r0, r1, r2, r3, r4, r5, r6, r7
	add	lr, lr, #48
	add	r12, sp, #192
	cmp	lr, r12
	bne	2b
	ldr	r12, [sp, #STATE]
	ldmia	r12, {r0-r7}
	adr	lr, constants
	eor	r8, r1, r2
3:	eight_rounds 0
	eight_rounds 8
	add	sp, #64
	add	lr, lr, #64
	adr	r12, constants + 256
	cmp	lr, r12
	bne	3b
	ldr	lr, [sp, #STATE - 256]
	ldmia	lr, {r8-r11}
	add	r0, r0, r8
	add	r1, r1, r9
	add	r2, r2, r10
	add	r3, r3, r11
	ldr	r8, [lr, #16]
	ldr	r9, [lr, #20]
	ldr	r10, [lr, #24]
	ldr	r11, [lr, #28]
	ldr	r12, [sp, #BLOCKS - 256]
	add	r4, r4, r8
	add	r5, r5, r9
	add	r6, r6, r10
	add	r7, r7, r11
	stmia	lr, {r0-r7}
	subs	r12, #1
	str	r12, [sp, #BLOCKS - 256]
	bne	1b
	add	sp, #12
	pop	{r4-r11, pc}
	.size	pc_sha256_blocks, . - pc_sha256_blocks

	.p2align 2
constants:
	.word	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5
	.word	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174
	.word	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da
	.word	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967
	.word	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85
	.word	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070
	.word	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3
	.word	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2

#endif

	.section .note.GNU-stack, "", %progbits
