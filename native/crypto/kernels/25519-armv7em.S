/*
 * 25519-armv7em.S: arithmetic modulo p = 2^255 - 19 and the Montgomery ladder for ARMv7E-M; the twin of 25519-portable.c.
 *
 * A field element is eight words, least significant first, any value below 2^256. Products come out below 2^255 + 2^231
 * ("tight" below); sums and differences of two tight elements fit eight words. UMAAL (a product plus two words never
 * exceeds two words) does all: rows of the multiplication, folding by 2^256 = 38, and sums with a carry in a register.
 *
 * Constant time: no branch and no address depends on an operand. Choosing between two elements uses SEL, whose flags
 * (GE) are set from the secret bit.
 */
#include "twin.h"

#if PC_KERNELS_ASSEMBLY

	.syntax	unified
	.thumb
	.section .text.pc_25519_product, "ax", %progbits

/* What `mul_*` and `square` use at sp. All frames below begin like this. */
	.equ	C0, 0		/* words 0 to 6 of a product */
	.equ	RETURN, 28
	.equ	OPERAND, 32	/* mul: pointer to the first operand's last two words; square: its last word */
	.equ	SPILL, 36	/* square: two words */
	.equ	S1, 44		/* second operands of mul_s1 and mul_s2 */
	.equ	S2, 76
	.equ	FRAME, 108

/* ---- multiplication --------------------------------------------------------------------------------------------- */

/* (\w0..\w5, \k) += a[0..5] * b[\row], the carry coming to lie in \k; a[0..5] is in r0-r3, r6, r7. */
	.macro	mul_row s row w0 w1 w2 w3 w4 w5 k
	ldr	lr, [sp, #\s + 4 * (\row)]
	mov	\k, #0
	umaal	\w0, \k, r0, lr
	umaal	\w1, \k, r1, lr
	umaal	\w2, \k, r2, lr
	umaal	\w3, \k, r3, lr
	umaal	\w4, \k, r6, lr
	umaal	\w5, \k, r7, lr
	.endm

/*
 * r0-r7 = a * b, a at r8 and b at sp + \s. Uses all registers. Six words of a stay in registers while all of b passes,
 * then two words of a while all of b passes again: the twelve partial sums then stay in registers too.
 */
	.macro	multiply s
	str	lr, [sp, #RETURN]
	ldmia	r8!, {r0-r3, r6, r7}
	str	r8, [sp, #OPERAND]
	ldr	lr, [sp, #\s]
	umull	r4, r5, r0, lr
	mov	r8, #0
	umaal	r5, r8, r1, lr
	mov	r9, #0
	umaal	r8, r9, r2, lr
	mov	r10, #0
	umaal	r9, r10, r3, lr
	mov	r11, #0
	umaal	r10, r11, r6, lr
	mov	r12, #0
	umaal	r11, r12, r7, lr
	str	r4, [sp, #C0]
	mul_row	\s, 1, r5, r8, r9, r10, r11, r12, r4
	str	r5, [sp, #C0 + 4]
	mul_row	\s, 2, r8, r9, r10, r11, r12, r4, r5
	str	r8, [sp, #C0 + 8]
	mul_row	\s, 3, r9, r10, r11, r12, r4, r5, r8
	str	r9, [sp, #C0 + 12]
	mul_row	\s, 4, r10, r11, r12, r4, r5, r8, r9
	str	r10, [sp, #C0 + 16]
	mul_row	\s, 5, r11, r12, r4, r5, r8, r9, r10
	str	r11, [sp, #C0 + 20]
	mul_row	\s, 6, r12, r4, r5, r8, r9, r10, r11
	str	r12, [sp, #C0 + 24]
	mul_row	\s, 7, r4, r5, r8, r9, r10, r11, r12
	/* Words 7 to 13 are in r4, r5, r8-r12. */
	ldr	lr, [sp, #OPERAND]
	ldr	r0, [lr]
	ldr	r1, [lr, #4]
	ldr	r6, [sp, #C0 + 24]
	ldr	r2, [sp, #\s]
	ldr	lr, [sp, #\s + 4]
	mov	r7, #0
	mov	r3, #0
	umaal	r6, r7, r0, r2
	umaal	r7, r3, r1, r2
	umaal	r7, r4, r0, lr
	umaal	r3, r4, r1, lr
	ldr	r2, [sp, #\s + 8]
	ldr	lr, [sp, #\s + 12]
	umaal	r3, r5, r0, r2
	umaal	r4, r5, r1, r2
	umaal	r4, r8, r0, lr
	umaal	r5, r8, r1, lr
	ldr	r2, [sp, #\s + 16]
	ldr	lr, [sp, #\s + 20]
	umaal	r5, r9, r0, r2
	umaal	r8, r9, r1, r2
	umaal	r8, r10, r0, lr
	umaal	r9, r10, r1, lr
	ldr	r2, [sp, #\s + 24]
	ldr	lr, [sp, #\s + 28]
	umaal	r9, r11, r0, r2
	umaal	r10, r11, r1, r2
	umaal	r10, r12, r0, lr
	umaal	r11, r12, r1, lr
	/* Words 6 to 15 are in r6, r7, r3-r5, r8-r12. The top first: what exceeds 255 bits goes in at the bottom, times 19. */
	mov	lr, #38
	mov	r0, #0
	umaal	r7, r0, r12, lr
	adds	r7, r7, r7
	adc	r0, r0, r0
	lsr	r7, r7, #1
	mov	r12, #19
	mul	r12, r12, r0
	ldr	r0, [sp, #C0]
	ldr	r1, [sp, #C0 + 4]
	ldr	r2, [sp, #C0 + 8]
	umaal	r0, r12, r3, lr
	umaal	r1, r12, r4, lr
	umaal	r2, r12, r5, lr
	ldr	r3, [sp, #C0 + 12]
	ldr	r4, [sp, #C0 + 16]
	ldr	r5, [sp, #C0 + 20]
	umaal	r3, r12, r8, lr
	umaal	r4, r12, r9, lr
	umaal	r5, r12, r10, lr
	umaal	r6, r12, r11, lr
	add	r7, r7, r12
	ldr	pc, [sp, #RETURN]
	.endm

	.type	mul_s1, %function
	.thumb_func
mul_s1:	multiply S1

	.type	mul_s2, %function
	.thumb_func
mul_s2:	multiply S2

/* ---- squaring --------------------------------------------------------------------------------------------------- */

/*
 * The square of a = r0-r7 into r0, r1, r2, lr, r12, r5, r7, r8. Uses all registers.
 *
 * Row j adds a[j] * (2 * a[0..j-1] + a[j] * 2^32j). The words of 2 * a take the place of those of a as soon as these have
 * done; the carry flag of that doubling stays alive through all rows (nothing else sets flags). The bit that doubling
 * shifts out of a[j-1] in row j is made up for by a[j] & -bit as the second addend of a[j]^2.
 */
	.type	square, %function
	.thumb_func
square:
	str	lr, [sp, #RETURN]
	str	r7, [sp, #OPERAND]
	umull	r8, r9, r0, r0
	and	lr, r1, r0, asr #31
	adds	r0, r0, r0
	str	r8, [sp, #C0]
	mov	r8, #0
	umaal	r9, r8, r0, r1
	str	r9, [sp, #C0 + 4]
	umaal	r8, lr, r1, r1
	and	r9, r2, r1, asr #31
	adcs	r1, r1, r1
	mov	r10, #0
	umaal	r8, r10, r0, r2
	str	r8, [sp, #C0 + 8]
	umaal	lr, r10, r1, r2
	umaal	r10, r9, r2, r2
	and	r8, r3, r2, asr #31
	adcs	r2, r2, r2
	mov	r11, #0
	umaal	lr, r11, r0, r3
	str	lr, [sp, #C0 + 12]
	umaal	r10, r11, r1, r3
	umaal	r9, r11, r2, r3
	umaal	r11, r8, r3, r3
	and	lr, r4, r3, asr #31
	adcs	r3, r3, r3
	mov	r12, #0
	umaal	r10, r12, r0, r4
	str	r10, [sp, #C0 + 16]
	umaal	r9, r12, r1, r4
	umaal	r11, r12, r2, r4
	umaal	r8, r12, r3, r4
	umaal	r12, lr, r4, r4
	and	r10, r5, r4, asr #31
	adcs	r4, r4, r4
	mov	r7, #0
	umaal	r9, r7, r0, r5
	str	r9, [sp, #C0 + 20]
	umaal	r11, r7, r1, r5
	umaal	r8, r7, r2, r5
	umaal	r12, r7, r3, r5
	umaal	lr, r7, r4, r5
	umaal	r7, r10, r5, r5
	adcs	r5, r5, r5
	mov	r9, #0
	umaal	r11, r9, r0, r6
	str	r11, [sp, #C0 + 24]
	umaal	r8, r9, r1, r6
	umaal	r12, r9, r2, r6
	umaal	lr, r9, r3, r6
	umaal	r7, r9, r4, r6
	umaal	r10, r9, r5, r6
	sbc	r11, r11, r11
	bic	r11, r6, r11
	umaal	r9, r11, r6, r6
	adcs	r6, r6, r6
	/* Words 7 to 13 are in r8, r12, lr, r7, r10, r9, r11; the last two make room. */
	str	r9, [sp, #SPILL]
	str	r11, [sp, #SPILL + 4]
	ldr	r11, [sp, #OPERAND]
	mov	r9, #0
	umaal	r8, r9, r0, r11
	umaal	r12, r9, r1, r11
	umaal	lr, r9, r2, r11
	umaal	r7, r9, r3, r11
	umaal	r10, r9, r4, r11
	ldr	r4, [sp, #SPILL]
	ldr	r3, [sp, #SPILL + 4]
	umaal	r4, r9, r5, r11
	umaal	r3, r9, r6, r11
	sbc	r5, r5, r5
	bic	r5, r11, r5
	umaal	r9, r5, r11, r11
	/* Words 7 to 15 are in r8, r12, lr, r7, r10, r4, r3, r9, r5. Fold as in `multiply`. */
	mov	r11, #38
	mov	r6, #0
	umaal	r8, r6, r5, r11
	adds	r8, r8, r8
	adc	r6, r6, r6
	lsr	r8, r8, #1
	mov	r5, #19
	mul	r6, r6, r5
	ldr	r0, [sp, #C0]
	ldr	r1, [sp, #C0 + 4]
	ldr	r2, [sp, #C0 + 8]
	umaal	r0, r6, r12, r11
	umaal	r1, r6, lr, r11
	umaal	r2, r6, r7, r11
	ldr	lr, [sp, #C0 + 12]
	ldr	r12, [sp, #C0 + 16]
	ldr	r5, [sp, #C0 + 20]
	ldr	r7, [sp, #C0 + 24]
	umaal	lr, r6, r10, r11
	umaal	r12, r6, r4, r11
	umaal	r5, r6, r3, r11
	umaal	r7, r6, r9, r11
	add	r8, r8, r6
	ldr	pc, [sp, #RETURN]

/* The result of `square` to r0-r7. */
	.macro	order_square
	mov	r3, lr
	mov	r4, r12
	mov	r6, r7
	mov	r7, r8
	.endm

	.macro	store_square to
	str	r0, [sp, #\to]
	str	r1, [sp, #\to + 4]
	str	r2, [sp, #\to + 8]
	str	lr, [sp, #\to + 12]
	str	r12, [sp, #\to + 16]
	str	r5, [sp, #\to + 20]
	str	r7, [sp, #\to + 24]
	str	r8, [sp, #\to + 28]
	.endm

/* ---- the Montgomery ladder -------------------------------------------------------------------------------------- */

	.equ	A, FRAME	/* X2 + Z2, then E */
	.equ	C, FRAME + 32	/* X3 + Z3, then AA, then the new X2 */
	.equ	X1, FRAME + 64
	.equ	U, FRAME + 96	/* DA, then DA - CB less 2^256 if that was negative */
	.equ	X3, FRAME + 128
	.equ	STATE, FRAME + 160
	.equ	SWAPS, FRAME + 164
	.equ	INDEX, FRAME + 168	/* of the bit */
	.equ	INNER, FRAME + 172	/* steps until the next call of pc_crypto_spend */
	.equ	BORROW, FRAME + 176	/* 38 if DA - CB was negative, else 0 */
	.equ	LADDER_FRAME, FRAME + 184
	.equ	STEPS_PER_CALL, 5	/* divides 255 */
	.equ	STEP_INSTRUCTIONS, 1420

/*
 * With z in r0-r7 and x at sp + \x, both tight, begins x + z (loads x[0], x[1] into r11, r12). The sum's top is cut to 31
 * bits and lr (0 to 2) is what was cut off; 19 times that goes in as the carry, in r8. r9 = 1.
 */
	.macro	add_sub_begin x
	ldr	lr, [sp, #\x + 28]
	ldr	r11, [sp, #\x]
	ldr	r12, [sp, #\x + 4]
	lsr	lr, lr, #1
	add	lr, lr, r7, lsr #1
	lsr	lr, lr, #30
	add	r8, lr, lr, lsl #1
	add	r8, r8, lr, lsl #4
	mov	r9, #1
	.endm

/* One word: \t = \x - \z, then \z += \x. */
	.macro	add_sub_word sub t x z
	\sub	\t, \x, \z
	umaal	\z, r8, \x, r9
	.endm

	.macro	load_pair from a b
	ldr	\a, [sp, #\from]
	ldr	\b, [sp, #\from + 4]
	.endm

/* Word \n of the same: the sum's word is stored at once, and its register takes the next word of the difference. */
	.macro	add_sub_store sub n to t x z
	add_sub_word \sub, \t, \x, \z
	.if \n == 7
	add	\z, \z, lr, lsl #31
	.endif
	str	\z, [sp, #\to + 4 * \n]
	.endm

/* x + z to sp + \sum and x - z to sp + \difference; z in r0-r7, x at sp + \x, both tight. */
	.macro	add_sub x sum difference
	add_sub_begin \x
	add_sub_store subs, 0, \sum, r10, r11, r0
	add_sub_store sbcs, 1, \sum, r0, r12, r1
	load_pair \x + 8, r11, r12
	add_sub_store sbcs, 2, \sum, r1, r11, r2
	add_sub_store sbcs, 3, \sum, r2, r12, r3
	load_pair \x + 16, r11, r12
	add_sub_store sbcs, 4, \sum, r3, r11, r4
	add_sub_store sbcs, 5, \sum, r4, r12, r5
	load_pair \x + 24, r11, r12
	add_sub_store sbcs, 6, \sum, r5, r11, r6
	add_sub_store sbcs, 7, \sum, r6, r12, r7
	/* A negative difference has become greater by 2^256, which is 38. */
	sbc	r7, r7, r7
	and	r7, r7, #38
	subs	r10, r10, r7
	sbcs	r0, r0, #0
	sbcs	r1, r1, #0
	sbcs	r2, r2, #0
	sbcs	r3, r3, #0
	sbcs	r4, r4, #0
	sbcs	r5, r5, #0
	sbc	r6, r6, #0
	str	r10, [sp, #\difference]
	str	r0, [sp, #\difference + 4]
	str	r1, [sp, #\difference + 8]
	str	r2, [sp, #\difference + 12]
	str	r3, [sp, #\difference + 16]
	str	r4, [sp, #\difference + 20]
	str	r5, [sp, #\difference + 24]
	str	r6, [sp, #\difference + 28]
	.endm

/* r0-r7 = the element at sp + \q if GE is set, else the one at sp + \p. */
	.macro	select_half p q a b c d
	ldr	\a, [sp, #\p]
	ldr	\b, [sp, #\p + 4]
	ldr	\c, [sp, #\p + 8]
	ldr	\d, [sp, #\p + 12]
	ldr	r8, [sp, #\q]
	ldr	r9, [sp, #\q + 4]
	ldr	r10, [sp, #\q + 8]
	ldr	r11, [sp, #\q + 12]
	sel	\a, r8, \a
	sel	\b, r9, \b
	sel	\c, r10, \c
	sel	\d, r11, \d
	.endm

	.macro	select p q
	select_half \p, \q, r0, r1, r2, r3
	select_half \p + 16, \q + 16, r4, r5, r6, r7
	.endm

	.macro	store_product to
	add	r8, sp, #\to
	stmia	r8, {r0-r7}
	.endm

/*
 * void pc_25519_ladder(uint32_t state[32], const uint32_t x1[8], const uint32_t swaps[8])
 *
 * 255 steps of the ladder on (X2:Z2), (X3:Z3), whose difference is (x1:1), by bits 254 to 0 of swaps: 1 exchanges the
 * points before the step, which then doubles the first and adds the second to it. state holds X2+Z2, X2-Z2, X3+Z3,
 * X3-Z3, 8 words each; on return the first two.
 *
 * One step is RFC 7748's, but the points are never exchanged: the products DA and CB at most change their places then,
 * which their sum and the square of their difference do not show, so that it is enough to select what is doubled.
 */
	.section .text.pc_25519_ladder, "ax", %progbits
	.global	pc_25519_ladder
	.type	pc_25519_ladder, %function
	.thumb_func
pc_25519_ladder:
	push	{r4-r11, lr}
	sub	sp, #LADDER_FRAME
	str	r0, [sp, #STATE]
	str	r2, [sp, #SWAPS]
	ldmia	r1, {r4-r11}
	add	r12, sp, #X1
	stmia	r12, {r4-r11}
	.irp	to, A, S2, C, S1
	ldmia	r0!, {r4-r11}
	add	r12, sp, #\to
	stmia	r12, {r4-r11}
	.endr
	mov	r0, #254
	str	r0, [sp, #INDEX]
1:	mov	r0, #STEPS_PER_CALL
	str	r0, [sp, #INNER]

2:	add	r8, sp, #A
	bl	mul_s1
	store_product U
	add	r8, sp, #C
	bl	mul_s2
	/* r0-r7 = DA + CB; U = DA - CB */
	add_sub_begin U
	add_sub_word subs, r10, r11, r0
	str	r10, [sp, #U]
	add_sub_word sbcs, r10, r12, r1
	str	r10, [sp, #U + 4]
	load_pair U + 8, r11, r12
	add_sub_word sbcs, r10, r11, r2
	str	r10, [sp, #U + 8]
	add_sub_word sbcs, r10, r12, r3
	str	r10, [sp, #U + 12]
	load_pair U + 16, r11, r12
	add_sub_word sbcs, r10, r11, r4
	str	r10, [sp, #U + 16]
	add_sub_word sbcs, r10, r12, r5
	str	r10, [sp, #U + 20]
	load_pair U + 24, r11, r12
	add_sub_word sbcs, r10, r11, r6
	str	r10, [sp, #U + 24]
	add_sub_word sbcs, r10, r12, r7
	str	r10, [sp, #U + 28]
	sbc	r10, r10, r10
	and	r10, r10, #38
	str	r10, [sp, #BORROW]
	add	r7, r7, lr, lsl #31
	bl	square
	store_square X3
	/* AA = A^2 or C^2, BB = B^2 or D^2 */
	ldr	r0, [sp, #INDEX]
	ldr	r1, [sp, #SWAPS]
	lsr	r2, r0, #5
	ldr	r1, [r1, r2, lsl #2]
	and	r0, r0, #31
	lsr	r1, r1, r0
	sbfx	r1, r1, #0, #1
	uadd8	r1, r1, r1	/* GE: of all ones a carry from every byte */
	select	A, C
	bl	square
	store_square C
	select	S2, S1
	bl	square
	store_square S2
	/* E = AA - BB */
	ldr	r3, [sp, #C]
	ldr	r4, [sp, #C + 4]
	ldr	r6, [sp, #C + 8]
	ldr	r9, [sp, #C + 12]
	subs	r0, r3, r0
	sbcs	r1, r4, r1
	sbcs	r2, r6, r2
	sbcs	lr, r9, lr
	ldr	r3, [sp, #C + 16]
	ldr	r4, [sp, #C + 20]
	ldr	r6, [sp, #C + 24]
	ldr	r9, [sp, #C + 28]
	sbcs	r12, r3, r12
	sbcs	r5, r4, r5
	sbcs	r7, r6, r7
	sbcs	r8, r9, r8
	sbc	r10, r10, r10
	and	r10, r10, #38
	subs	r0, r0, r10
	sbcs	r1, r1, #0
	sbcs	r2, r2, #0
	sbcs	lr, lr, #0
	sbcs	r12, r12, #0
	sbcs	r5, r5, #0
	sbcs	r7, r7, #0
	sbc	r8, r8, #0
	store_square A
	/* S1 = AA + 121665 E; AA[4..7] are in r3, r4, r6, r9 */
	movw	r10, #121665 & 0xFFFF
	movt	r10, #121665 >> 16
	mov	r11, #0
	umaal	r9, r11, r8, r10
	adds	r9, r9, r9
	adc	r11, r11, r11
	lsr	r9, r9, #1
	mov	r8, #19
	mul	r11, r11, r8
	ldr	r8, [sp, #C]
	umaal	r8, r11, r0, r10
	str	r8, [sp, #S1]
	ldr	r8, [sp, #C + 4]
	ldr	r0, [sp, #C + 8]
	umaal	r8, r11, r1, r10
	umaal	r0, r11, r2, r10
	str	r8, [sp, #S1 + 4]
	str	r0, [sp, #S1 + 8]
	ldr	r8, [sp, #C + 12]
	umaal	r8, r11, lr, r10
	umaal	r3, r11, r12, r10
	umaal	r4, r11, r5, r10
	umaal	r6, r11, r7, r10
	add	r9, r9, r11
	str	r8, [sp, #S1 + 12]
	str	r3, [sp, #S1 + 16]
	str	r4, [sp, #S1 + 20]
	str	r6, [sp, #S1 + 24]
	str	r9, [sp, #S1 + 28]
	/* X2 = AA BB, Z2 = E (AA + 121665 E); at once A and B for the next step */
	add	r8, sp, #C
	bl	mul_s2
	store_product C
	add	r8, sp, #A
	bl	mul_s1
	add_sub	C, A, S2
	/* Z3 = X1 (DA - CB)^2; at once C and D */
	add	r8, sp, #U
	ldmia	r8, {r0-r7}
	ldr	r8, [sp, #BORROW]
	subs	r0, r0, r8
	sbcs	r1, r1, #0
	sbcs	r2, r2, #0
	sbcs	r3, r3, #0
	sbcs	r4, r4, #0
	sbcs	r5, r5, #0
	sbcs	r6, r6, #0
	sbc	r7, r7, #0
	bl	square
	store_square S1
	add	r8, sp, #X1
	bl	mul_s1
	add_sub	X3, C, S1

	ldr	r0, [sp, #INDEX]
	ldr	r1, [sp, #INNER]
	subs	r0, #1
	str	r0, [sp, #INDEX]
	subs	r1, #1
	str	r1, [sp, #INNER]
	bne	2b
	ldr	r1, =pc_crypto_spend
	movw	r0, #STEPS_PER_CALL * STEP_INSTRUCTIONS
	ldr	r1, [r1]
	cbz	r1, 3f
	blx	r1
3:	ldr	r0, [sp, #INDEX]
	cmp	r0, #0
	bge	1b

	ldr	r0, [sp, #STATE]
	.irp	from, A, S2
	add	r12, sp, #\from
	ldmia	r12, {r4-r11}
	stmia	r0!, {r4-r11}
	.endr
	add	sp, #LADDER_FRAME
	pop	{r4-r11, pc}
	.ltorg
	.size	pc_25519_ladder, . - pc_25519_ladder

/* ---- points on the Edwards curve -------------------------------------------------------------------------------- */

	.equ	V, FRAME
	.equ	H, FRAME + 32
	.equ	F, FRAME + 64
	.equ	POINT, FRAME + 96
	.equ	OTHER, FRAME + 100
	.equ	FLAGS, FRAME + 104
	.equ	COUNT, FRAME + 108	/* doublings to come; adding: 1 */
	.equ	POINT_FRAME, FRAME + 116

/* r0-r7 to offset \to of the point. */
	.macro	store_coordinate to
	ldr	r8, [sp, #POINT]
	.if \to
	add	r8, r8, #\to
	.endif
	stmia	r8, {r0-r7}
	.endm

/* \to = the element at r8, which moves on. Uses r0-r7. */
	.macro	copy to
	ldmia	r8!, {r0-r7}
	add	r9, sp, #\to
	stmia	r9, {r0-r7}
	.endm

/*
 * void pc_25519_double(pc_25519_point *p, uint32_t n): p = 2^n p, n from 1. (RFC 8032, 5.1.4; Hisil, Wong, Carter, Dawson,
 * "Twisted Edwards curves revisited", 2008.) T isn't read; it is computed in the last doubling.
 */
	.section .text.pc_25519_points, "ax", %progbits
	.global	pc_25519_double
	.type	pc_25519_double, %function
	.thumb_func
pc_25519_double:
	push	{r4-r11, lr}
	sub	sp, #POINT_FRAME
	movs	r2, #1
	str	r0, [sp, #POINT]
	str	r1, [sp, #COUNT]
	str	r2, [sp, #FLAGS]
double_again:
	/* H = X^2 + Y^2, G = X^2 - Y^2 */
	ldr	r8, [sp, #POINT]
	ldmia	r8, {r0-r7}
	bl	square
	store_square V
	ldr	r8, [sp, #POINT]
	add	r8, r8, #32
	ldmia	r8, {r0-r7}
	add	r9, sp, #F
	stmia	r9, {r0-r7}
	bl	square
	order_square
	add_sub	V, H, S2
	/* E = H - (X + Y)^2; X + Y is below 2^256 after the top was cut */
	ldr	r8, [sp, #POINT]
	ldmia	r8, {r0-r7}
	add_sub_begin F
	umaal	r0, r8, r11, r9
	umaal	r1, r8, r12, r9
	load_pair F + 8, r11, r12
	umaal	r2, r8, r11, r9
	umaal	r3, r8, r12, r9
	load_pair F + 16, r11, r12
	umaal	r4, r8, r11, r9
	umaal	r5, r8, r12, r9
	load_pair F + 24, r11, r12
	umaal	r6, r8, r11, r9
	umaal	r7, r8, r12, r9
	add	r7, r7, lr, lsl #31
	bl	square
	ldr	r3, [sp, #H]
	ldr	r4, [sp, #H + 4]
	ldr	r6, [sp, #H + 8]
	ldr	r9, [sp, #H + 12]
	subs	r0, r3, r0
	sbcs	r1, r4, r1
	sbcs	r2, r6, r2
	sbcs	lr, r9, lr
	ldr	r3, [sp, #H + 16]
	ldr	r4, [sp, #H + 20]
	ldr	r6, [sp, #H + 24]
	ldr	r9, [sp, #H + 28]
	sbcs	r12, r3, r12
	sbcs	r5, r4, r5
	sbcs	r7, r6, r7
	sbcs	r8, r9, r8
	sbc	r10, r10, r10
	and	r10, r10, #38
	subs	r0, r0, r10
	sbcs	r1, r1, #0
	sbcs	r2, r2, #0
	sbcs	lr, lr, #0
	sbcs	r12, r12, #0
	sbcs	r5, r5, #0
	sbcs	r7, r7, #0
	sbc	r8, r8, #0
	store_square S1
	/* F = G + 2 Z^2 */
	ldr	r8, [sp, #POINT]
	add	r8, r8, #64
	ldmia	r8, {r0-r7}
	bl	square
	ldr	r4, [sp, #S2 + 28]
	mov	r6, #2
	mov	r9, #0
	umaal	r4, r9, r8, r6
	adds	r4, r4, r4
	adc	r9, r9, r9
	lsr	r4, r4, #1
	mov	r3, #19
	mul	r9, r9, r3
	ldr	r3, [sp, #S2]
	ldr	r8, [sp, #S2 + 4]
	ldr	r10, [sp, #S2 + 8]
	ldr	r11, [sp, #S2 + 12]
	umaal	r3, r9, r0, r6
	umaal	r8, r9, r1, r6
	umaal	r10, r9, r2, r6
	umaal	r11, r9, lr, r6
	ldr	r0, [sp, #S2 + 16]
	ldr	r1, [sp, #S2 + 20]
	ldr	r2, [sp, #S2 + 24]
	umaal	r0, r9, r12, r6
	umaal	r1, r9, r5, r6
	umaal	r2, r9, r7, r6
	add	r4, r4, r9
	str	r3, [sp, #F]
	str	r8, [sp, #F + 4]
	str	r10, [sp, #F + 8]
	str	r11, [sp, #F + 12]
	str	r0, [sp, #F + 16]
	str	r1, [sp, #F + 20]
	str	r2, [sp, #F + 24]
	str	r4, [sp, #F + 28]
	b	finish_point
	.size	pc_25519_double, . - pc_25519_double

/*
 * void pc_25519_add_cached(pc_25519_point *p, const pc_25519_cached *q, uint32_t flags): p += q, a complete addition
 * ("add-2008-hwcd-3" of the same paper). Flag 1: compute T; flag 2: q has a Z (else it is 1 and q->z2 isn't read).
 */
	.global	pc_25519_add_cached
	.type	pc_25519_add_cached, %function
	.thumb_func
pc_25519_add_cached:
	push	{r4-r11, lr}
	sub	sp, #POINT_FRAME
	str	r0, [sp, #POINT]
	str	r1, [sp, #OTHER]
	str	r2, [sp, #FLAGS]
	movs	r2, #1
	str	r2, [sp, #COUNT]
	/* Y + X, Y - X */
	add	r8, r0, #32
	copy	V
	ldr	r8, [sp, #POINT]
	ldmia	r8, {r0-r7}
	add_sub	V, S2, S1
	/* H = B + A, E = B - A */
	ldr	r8, [sp, #OTHER]
	bl	mul_s2
	store_product V
	ldr	r8, [sp, #OTHER]
	add	r8, r8, #32
	bl	mul_s1
	add_sub	V, H, S1
	/* D = Z * 2Z' */
	ldr	r9, [sp, #FLAGS]
	ldr	r8, [sp, #POINT]
	lsls	r9, r9, #30
	add	r8, r8, #64
	bpl	1f
	copy	S2
	ldr	r8, [sp, #OTHER]
	add	r8, r8, #96
	bl	mul_s2
	b	2f
1:	ldmia	r8, {r0-r7}
	/* 2Z; what exceeds 255 bits goes in at the bottom */
	lsr	r8, r7, #30
	bic	r7, r7, #0xC0000000
	add	r9, r8, r8, lsl #1
	add	r8, r9, r8, lsl #4
	adds	r0, r0, r0
	adcs	r1, r1, r1
	adcs	r2, r2, r2
	adcs	r3, r3, r3
	adcs	r4, r4, r4
	adcs	r5, r5, r5
	adcs	r6, r6, r6
	adc	r7, r7, r7
	adds	r0, r0, r8
	adcs	r1, r1, #0
	adcs	r2, r2, #0
	adcs	r3, r3, #0
	adcs	r4, r4, #0
	adcs	r5, r5, #0
	adcs	r6, r6, #0
	adc	r7, r7, #0
2:	store_product V
	/* G = D + C, F = D - C, C = T * 2dT' */
	ldr	r8, [sp, #POINT]
	add	r8, r8, #96
	copy	S2
	ldr	r8, [sp, #OTHER]
	add	r8, r8, #64
	bl	mul_s2
	add_sub	V, S2, F
finish_point:
	/* X, Y, Z, T = EF, GH, FG, EH with E in S1, G in S2 */
	add	r8, sp, #F
	bl	mul_s1
	store_coordinate 0
	add	r8, sp, #H
	bl	mul_s2
	store_coordinate 32
	add	r8, sp, #F
	bl	mul_s2
	store_coordinate 64
	ldr	r8, [sp, #COUNT]
	ldr	r0, [sp, #FLAGS]
	subs	r8, #1
	str	r8, [sp, #COUNT]
	bne	double_again
	lsls	r0, r0, #31
	beq	3f
	add	r8, sp, #H
	bl	mul_s1
	store_coordinate 96
3:	add	sp, #POINT_FRAME
	pop	{r4-r11, pc}
	.size	pc_25519_add_cached, . - pc_25519_add_cached

/*
 * void pc_25519_select(pc_25519_cached *out, const pc_25519_affine table[8], uint32_t digit): table[digit & 7], negated
 * if digit & 8. Reads the whole table.
 */
	.section .text.pc_25519_select, "ax", %progbits
	.global	pc_25519_select
	.type	pc_25519_select, %function
	.thumb_func
pc_25519_select:
	push	{r0, r4-r11, lr}
	sub	sp, #16
	str	r1, [sp]
	str	r2, [sp, #4]
	mov	r12, #0
	/* Coordinate by coordinate; with a minus the first two change places. */
1:	str	r12, [sp, #8]
	ldr	r1, [sp]
	and	r2, r2, #7
	add	r1, r1, r12, lsl #5
	ldmia	r1!, {r4-r11}
	mov	r12, #1
2:	add	r1, r1, #64
	eor	lr, r12, r2
	sub	lr, lr, #1
	asr	lr, lr, #31	/* all ones where r12 = r2 */
	uadd8	lr, lr, lr
	ldmia	r1!, {r0, r3, lr}
	sel	r4, r0, r4
	sel	r5, r3, r5
	sel	r6, lr, r6
	ldmia	r1!, {r0, r3, lr}
	sel	r7, r0, r7
	sel	r8, r3, r8
	sel	r9, lr, r9
	ldmia	r1!, {r0, r3}
	add	r12, r12, #1
	sel	r10, r0, r10
	sel	r11, r3, r11
	cmp	r12, #8
	bne	2b
	ldr	r12, [sp, #8]
	ldr	r0, [sp, #16]
	ldr	r2, [sp, #4]
	cmp	r12, #2
	beq	3f
	add	r0, r0, r12, lsl #5
	stmia	r0, {r4-r11}
	add	r12, r12, #1
	b	1b
3:	/* p - t where negated; t is below p */
	add	r0, r0, #64
	stmia	r0, {r4-r11}
	ubfx	r1, r2, #3, #1
	rsb	r1, r1, #0
	uadd8	r1, r1, r1
	mvn	r1, #18
	mvn	r2, #0
	subs	r4, r1, r4
	sbcs	r5, r2, r5
	sbcs	r6, r2, r6
	sbcs	r7, r2, r7
	sbcs	r8, r2, r8
	sbcs	r9, r2, r9
	sbcs	r10, r2, r10
	mvn	r2, #0x80000000
	sbc	r11, r2, r11
	ldmia	r0, {r1-r3, r12}
	sel	r4, r4, r1
	sel	r5, r5, r2
	sel	r6, r6, r3
	sel	r7, r7, r12
	ldr	r1, [r0, #16]
	ldr	r2, [r0, #20]
	ldr	r3, [r0, #24]
	ldr	r12, [r0, #28]
	sel	r8, r8, r1
	sel	r9, r9, r2
	sel	r10, r10, r3
	sel	r11, r11, r12
	stmia	r0, {r4-r11}
	sub	r0, r0, #64
	mov	r1, #4
4:	ldr	r4, [r0]
	ldr	r5, [r0, #4]
	ldr	r6, [r0, #32]
	ldr	r7, [r0, #36]
	sel	r8, r6, r4
	sel	r9, r7, r5
	sel	r6, r4, r6
	sel	r7, r5, r7
	str	r6, [r0, #32]
	str	r7, [r0, #36]
	str	r8, [r0], #4
	str	r9, [r0], #4
	subs	r1, #1
	bne	4b
	add	sp, #20
	pop	{r4-r11, pc}
	.size	pc_25519_select, . - pc_25519_select

/* ---- single operations ------------------------------------------------------------------------------------------ */

/* void pc_25519_mul(uint32_t r[8], const uint32_t a[8], const uint32_t b[8]); r may be a or b */
	.section .text.pc_25519_mul, "ax", %progbits
	.global	pc_25519_mul
	.type	pc_25519_mul, %function
	.thumb_func
pc_25519_mul:
	push	{r0, r4-r11, lr}
	sub	sp, #S2
	ldmia	r2, {r4-r11}
	add	r12, sp, #S1
	stmia	r12, {r4-r11}
	mov	r8, r1
	bl	mul_s1
	add	sp, #S2
	pop	{r8}
	stmia	r8, {r0-r7}
	pop	{r4-r11, pc}
	.size	pc_25519_mul, . - pc_25519_mul

/* void pc_25519_sqr(uint32_t r[8], const uint32_t a[8], uint32_t n): a^(2^n), n from 1; r may be a */
	.section .text.pc_25519_sqr, "ax", %progbits
	.global	pc_25519_sqr
	.type	pc_25519_sqr, %function
	.thumb_func
pc_25519_sqr:
	push	{r0, r2, r4-r11, lr}
	sub	sp, #S1
	mov	r8, r1
	ldmia	r8, {r0-r7}
1:	bl	square
	order_square
	ldr	r8, [sp, #S1 + 4]
	subs	r8, #1
	str	r8, [sp, #S1 + 4]
	bne	1b
	ldr	r8, [sp, #S1]
	add	sp, #S1 + 8
	stmia	r8, {r0-r7}
	pop	{r4-r11, pc}
	.size	pc_25519_sqr, . - pc_25519_sqr

/* void pc_25519_add(uint32_t r[8], const uint32_t a[8], const uint32_t b[8]): any a and b; any may be another */
	.section .text.pc_25519_add, "ax", %progbits
	.global	pc_25519_add
	.type	pc_25519_add, %function
	.thumb_func
pc_25519_add:
	push	{r0, r4-r11, lr}
	ldmia	r1, {r4-r11}
	ldmia	r2!, {r0, r1, r3, r12}
	adds	r4, r4, r0
	adcs	r5, r5, r1
	adcs	r6, r6, r3
	adcs	r7, r7, r12
	ldmia	r2, {r0-r3}
	adcs	r8, r8, r0
	adcs	r9, r9, r1
	adcs	r10, r10, r2
	adcs	r11, r11, r3
	mov	r0, #0
	adc	r1, r0, r0
	/* Two folds: the first may carry once more, but then leaves next to nothing. */
	mov	r2, #38
	mul	r1, r1, r2
	adds	r4, r4, r1
	adcs	r5, r5, #0
	adcs	r6, r6, #0
	adcs	r7, r7, #0
	adcs	r8, r8, #0
	adcs	r9, r9, #0
	adcs	r10, r10, #0
	adcs	r11, r11, #0
	adc	r1, r0, r0
	mul	r1, r1, r2
	add	r4, r4, r1
	pop	{r0}
	stmia	r0, {r4-r11}
	pop	{r4-r11, pc}
	.size	pc_25519_add, . - pc_25519_add

/* void pc_25519_sub(uint32_t r[8], const uint32_t a[8], const uint32_t b[8]): as pc_25519_add */
	.section .text.pc_25519_sub, "ax", %progbits
	.global	pc_25519_sub
	.type	pc_25519_sub, %function
	.thumb_func
pc_25519_sub:
	push	{r0, r4-r11, lr}
	ldmia	r1, {r4-r11}
	ldmia	r2!, {r0, r1, r3, r12}
	subs	r4, r4, r0
	sbcs	r5, r5, r1
	sbcs	r6, r6, r3
	sbcs	r7, r7, r12
	ldmia	r2, {r0-r3}
	sbcs	r8, r8, r0
	sbcs	r9, r9, r1
	sbcs	r10, r10, r2
	sbcs	r11, r11, r3
	sbc	r1, r1, r1
	and	r1, r1, #38
	subs	r4, r4, r1
	sbcs	r5, r5, #0
	sbcs	r6, r6, #0
	sbcs	r7, r7, #0
	sbcs	r8, r8, #0
	sbcs	r9, r9, #0
	sbcs	r10, r10, #0
	sbcs	r11, r11, #0
	sbc	r1, r1, r1
	and	r1, r1, #38
	sub	r4, r4, r1
	pop	{r0}
	stmia	r0, {r4-r11}
	pop	{r4-r11, pc}
	.size	pc_25519_sub, . - pc_25519_sub

#endif

	.section .note.GNU-stack, "", %progbits
