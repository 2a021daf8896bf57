/*
 * sha512-armv7em.S: the compression function of SHA-512 (FIPS 180-4) for ARMv7E-M; the twin of sha512-portable.c.
 *
 * Small rather than unrolled: the message schedule is computed first, for all 80 words; then in each round the state moves
 * down the stack by one word, so that one loop body fits all rounds; every 32 rounds it goes back up. a, e and b ^ c stay in registers, as in
 * Maj(a, b, c) = b ^ ((a ^ b) & (b ^ c)).
 * Constant time: loops alone branch.
 */
#include "twin.h"

#if PC_KERNELS_ASSEMBLY

	.syntax	unified
	.thumb
	.section .text.pc_sha512, "ax", %progbits

	.equ	ROOM, 256	/* for the 32 words that the state moves down by */
	.equ	LAST, 128	/* for those of the last 16 rounds */

/* The low word of a sum of three rotations of (\lo, \hi); with the two exchanged, the high word. */
	.macro	big_sigma1 t lo hi
	lsr	\t, \lo, #14
	eor	\t, \t, \hi, lsl #18
	eor	\t, \t, \lo, lsr #18
	eor	\t, \t, \hi, lsl #14
	eor	\t, \t, \hi, lsr #9
	eor	\t, \t, \lo, lsl #23
	.endm

	.macro	big_sigma0 t lo hi
	lsr	\t, \lo, #28
	eor	\t, \t, \hi, lsl #4
	eor	\t, \t, \hi, lsr #2
	eor	\t, \t, \lo, lsl #30
	eor	\t, \t, \hi, lsr #7
	eor	\t, \t, \lo, lsl #25
	.endm

/* W[i] for W[i-2] = (\lo, \hi), to which it goes; lr points to W[i-16] and moves on. */
	.macro	next_word lo hi
	ldr	r2, [lr, #8]
	ldr	r3, [lr, #12]
	ldr	r4, [lr, #72]
	ldr	r5, [lr, #76]
	ldr	r0, [lr]
	ldr	r1, [lr, #4]
	lsr	r6, r2, #1
	eor	r6, r6, r3, lsl #31
	eor	r6, r6, r2, lsr #8
	eor	r6, r6, r3, lsl #24
	eor	r6, r6, r2, lsr #7
	eor	r6, r6, r3, lsl #25
	lsr	r7, r3, #1
	eor	r7, r7, r2, lsl #31
	eor	r7, r7, r3, lsr #8
	eor	r7, r7, r2, lsl #24
	eor	r7, r7, r3, lsr #7
	adds	r0, r0, r4
	adc	r1, r1, r5
	adds	r0, r0, r6
	adc	r1, r1, r7
	lsr	r6, \lo, #19
	eor	r6, r6, \hi, lsl #13
	eor	r6, r6, \hi, lsr #29
	eor	r6, r6, \lo, lsl #3
	eor	r6, r6, \lo, lsr #6
	eor	r6, r6, \hi, lsl #26
	lsr	r7, \hi, #19
	eor	r7, r7, \lo, lsl #13
	eor	r7, r7, \lo, lsr #29
	eor	r7, r7, \hi, lsl #3
	eor	r7, r7, \hi, lsr #6
	adds	\lo, r0, r6
	adc	\hi, r1, r7
	str	\lo, [lr, #128]
	str	\hi, [lr, #132]
	add	lr, lr, #8
	.endm

/* One round: a in r8, r9, e in r6, r7, b ^ c in \x, \y before and in \t, \u behind it. */
	.macro	round t u x y
	ldr	r0, [sp, #56]
	ldr	r1, [sp, #60]
	ldr	\t, [sp, #40]
	ldr	\u, [sp, #44]
	ldr	r4, [sp, #48]
	ldr	r5, [sp, #52]
	eor	\t, \t, r4
	eor	\u, \u, r5
	and	\t, \t, r6
	and	\u, \u, r7
	eor	\t, \t, r4
	eor	\u, \u, r5
	adds	r0, r0, \t
	adc	r1, r1, \u
	big_sigma1 \t, r6, r7
	big_sigma1 \u, r7, r6
	adds	r0, r0, \t
	adc	r1, r1, \u
	ldmia	r12!, {\t, \u}
	adds	r0, r0, \t
	adc	r1, r1, \u
	ldmia	lr!, {\t, \u}
	adds	r0, r0, \t
	adc	r1, r1, \u
	ldr	\t, [sp, #24]
	ldr	\u, [sp, #28]
	ldr	r4, [sp, #8]
	ldr	r5, [sp, #12]
	adds	r6, \t, r0
	adc	r7, \u, r1
	str	r6, [sp, #24]
	str	r7, [sp, #28]
	big_sigma0 \t, r8, r9
	big_sigma0 \u, r9, r8
	adds	r0, r0, \t
	adc	r1, r1, \u
	eor	\t, r8, r4
	eor	\u, r9, r5
	and	\x, \x, \t
	and	\y, \y, \u
	eor	\x, \x, r4
	eor	\y, \y, r5
	adds	r8, r0, \x
	adc	r9, r1, \y
	stmdb	sp!, {r8, r9}
	.endm

/* void pc_sha512_schedule(uint64_t w[80], const uint8_t data[128]) */
	.global	pc_sha512_schedule
	.type	pc_sha512_schedule, %function
	.thumb_func
pc_sha512_schedule:
	push	{r4-r11, lr}
	mov	lr, r0
	mov	r12, #8
1:	ldr	r9, [r1]
	ldr	r8, [r1, #4]
	ldr	r11, [r1, #8]
	ldr	r10, [r1, #12]
	add	r1, r1, #16
	rev	r8, r8
	rev	r9, r9
	rev	r10, r10
	rev	r11, r11
	stmia	lr!, {r8-r11}
	subs	r12, #1
	bne	1b
	add	r12, r0, #512
	mov	lr, r0
2:	next_word r8, r9
	next_word r10, r11
	cmp	lr, r12
	bne	2b
	pop	{r4-r11, pc}
	.size	pc_sha512_schedule, . - pc_sha512_schedule

/* void pc_sha512_rounds(uint64_t state[8], const uint64_t w[80]) */
	.global	pc_sha512_rounds
	.type	pc_sha512_rounds, %function
	.thumb_func
pc_sha512_rounds:
	push	{r0, r4-r11, lr}
	mov	lr, r1
	/* The state lies at the top of its room; sp goes down through it. */
	sub	sp, #64
	mov	r12, sp
	ldmia	r0!, {r4-r11}
	stmia	r12!, {r4-r11}
	eor	r10, r6, r8
	eor	r11, r7, r9
	ldmia	r0, {r0-r7}
	stmia	r12, {r0-r7}
	mov	r6, r0
	mov	r7, r1
	ldr	r8, [sp]
	ldr	r9, [sp, #4]
	adr	r12, constants
3:	round	r2, r3, r10, r11
	round	r10, r11, r2, r3
	adr	r2, constants
	sub	r2, r12, r2	/* 8 bytes a round */
	lsls	r3, r2, #24
	beq	5f
	cmp	r2, #640
	bne	3b

	ldr	lr, [sp, #LAST + 64]
	mov	r12, #4
	mov	r10, sp
4:	ldmia	lr, {r0-r3}
	ldmia	r10!, {r4-r7}
	adds	r0, r0, r4
	adcs	r1, r5
	adds	r2, r2, r6
	adcs	r3, r7
	stmia	lr!, {r0-r3}
	subs	r12, #1
	bne	4b
	add	sp, #LAST + 68
	pop	{r4-r11, pc}

5:	mov	r0, sp
	add	r1, sp, #ROOM
	.rept	4
	ldmia	r0!, {r2-r5}
	stmia	r1!, {r2-r5}
	.endr
	add	sp, #ROOM
	b	3b
	.size	pc_sha512_rounds, . - pc_sha512_rounds

	.p2align 2
constants:
	.quad	0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc
	.quad	0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118
	.quad	0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2
	.quad	0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694
	.quad	0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65
	.quad	0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5
	.quad	0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4
	.quad	0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f, 0x142929670a0e6e70
	.quad	0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df
	.quad	0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b
	.quad	0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30
	.quad	0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8
	.quad	0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8
	.quad	0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3
	.quad	0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec
	.quad	0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b
	.quad	0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178
	.quad	0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b
	.quad	0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c
	.quad	0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817

#endif

	.section .note.GNU-stack, "", %progbits
