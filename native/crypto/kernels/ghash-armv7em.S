/*
 * ghash-armv7em.S: GHASH (SP 800-38D) for ARMv7E-M; the twin of ghash-portable.c.
 *
 * Method: polynomials over GF(2) are multiplied by integer multiplications of operands with holes, as described by Pornin
 * for BearSSL ("constant-time multiplication"): of each operand only every fourth bit is kept, so that at most eight ones
 * add up in the four bits that each bit of the product has; its lowest is the sum over GF(2). Four times four such products
 * make one of 32 by 32 bits, nine of these make one of 128 by 128 bits (Karatsuba, twice). Bits are reversed in GHASH,
 * which costs a product one bit of shift; it is taken out of h once (h divided by the variable). h's parts are masked once.
 * Constant time: the only branches depend on the length.
 */
#include "twin.h"

#if PC_KERNELS_ASSEMBLY

	.syntax	unified
	.thumb
	.section .text.pc_ghash, "ax", %progbits

/* (r0, r1) = the sum of four products, bit by bit; of its bits only those of one residue modulo 4 count. */
	.macro	residue a b c d w x y z
	umull	r0, r1, \a, \w
	umull	r2, r3, \b, \x
	eors	r0, r2
	eors	r1, r3
	umull	r2, r3, \c, \y
	eors	r0, r2
	eors	r1, r3
	umull	r2, r3, \d, \z
	eors	r0, r2
	eors	r1, r3
	.endm

	.macro	add_residue mask
	and	r0, r0, #\mask
	and	r1, r1, #\mask
	orrs	r4, r0
	orrs	r5, r1
	.endm

/*
 * (r4, r5) = the product of a word and four masked parts, all five from the list at POSITION, which moves on. Uses all
 * registers.
 */
	.macro	multiply
	ldr	r11, [sp, #POSITION]
	ldmia	r11!, {r6-r10}
	str	r11, [sp, #POSITION]
	and	r11, r6, #0x22222222
	and	r12, r6, #0x44444444
	and	lr, r6, #0x88888888
	and	r6, r6, #0x11111111
	residue	r6, r11, r12, lr, r7, r10, r9, r8
	and	r4, r0, #0x11111111
	and	r5, r1, #0x11111111
	residue	r6, r11, r12, lr, r8, r7, r10, r9
	add_residue 0x22222222
	residue	r6, r11, r12, lr, r9, r8, r7, r10
	add_residue 0x44444444
	residue	r6, r11, r12, lr, r10, r9, r8, r7
	add_residue 0x88888888
	.endm

/*
 * The list: for the low half, the high half and their sum (Karatsuba, first step) three times a word of y and the masked
 * parts of the same word of h - the low word, the high word and their sum (second step) - and then the product, 4 words.
 */
	.equ	PART, 76
	.equ	PRODUCT, 60
	.equ	PRODUCTS, 228	/* the first two of each three products */
	.equ	POSITION, 244
	.equ	DATA, 248
	.equ	LENGTH, 252
	.equ	Y, 256
	.equ	LAST, 260	/* room for a partial block */
	.equ	FRAME, 276

/* The words of y or h, lowest first in \a..\d, to their places in the list. Uses r12, changes \a..\d. */
	.macro	spread a b c d
	str	\a, [sp, #0]
	str	\b, [sp, #20]
	eor	r12, \a, \b
	str	r12, [sp, #40]
	str	\c, [sp, #PART]
	str	\d, [sp, #PART + 20]
	eor	r12, \c, \d
	str	r12, [sp, #PART + 40]
	eor	\a, \a, \c
	eor	\b, \b, \d
	str	\a, [sp, #2 * PART]
	str	\b, [sp, #2 * PART + 20]
	eor	\a, \a, \b
	str	\a, [sp, #2 * PART + 40]
	.endm

/* 16 big-endian bytes at \from, lowest word first. */
	.macro	load_block from a b c d
	ldr	\a, [\from, #12]
	ldr	\b, [\from, #8]
	ldr	\c, [\from, #4]
	ldr	\d, [\from]
	rev	\a, \a
	rev	\b, \b
	rev	\c, \c
	rev	\d, \d
	.endm

/* \z += w (1 + v + v^2 + v^7) for w in \w; v is a shift to the right, from \z into \y. */
	.macro	reduce w y z
	eor	\y, \y, \w, lsl #31
	eor	\y, \y, \w, lsl #30
	eor	\y, \y, \w, lsl #25
	eor	\z, \z, \w
	eor	\z, \z, \w, lsr #1
	eor	\z, \z, \w, lsr #2
	eor	\z, \z, \w, lsr #7
	.endm

/* void pc_ghash(void *y, const void *h, const void *data, size_t len) */
	.global	pc_ghash
	.type	pc_ghash, %function
	.thumb_func
pc_ghash:
	cmp	r3, #0
	it	eq
	bxeq	lr
	push	{r4-r11, lr}
	sub	sp, #FRAME
	str	r0, [sp, #Y]
	str	r2, [sp, #DATA]
	str	r3, [sp, #LENGTH]
	load_block r0, r8, r9, r10, r11
	/* h / v: a shift to the left; what leaves comes back as 1 / v + ... = v^127 + v^6 + v + 1 */
	load_block r1, r4, r5, r6, r7
	asr	r0, r7, #31
	adds	r4, r4, r4
	adcs	r5, r5, r5
	adcs	r6, r6, r6
	adcs	r7, r7, r7
	and	r1, r0, #0xC2000000
	and	r0, r0, #1
	eor	r7, r7, r1
	eor	r4, r4, r0
	spread	r4, r5, r6, r7
	mov	r0, sp
	mov	r1, #3
1:	mov	r2, #3
2:	ldr	r3, [r0], #4
	and	r4, r3, #0x11111111
	and	r5, r3, #0x22222222
	and	r6, r3, #0x44444444
	and	r7, r3, #0x88888888
	stmia	r0!, {r4-r7}
	subs	r2, #1
	bne	2b
	add	r0, #PART - PRODUCT
	subs	r1, #1
	bne	1b

3:	ldr	r12, [sp, #DATA]
	ldr	r0, [sp, #LENGTH]
	subs	r0, #16
	blo	6f
	str	r0, [sp, #LENGTH]
4:	load_block r12, r4, r5, r6, r7
	add	r12, r12, #16
	str	r12, [sp, #DATA]
	eor	r8, r8, r4
	eor	r9, r9, r5
	eor	r10, r10, r6
	eor	r11, r11, r7
	spread	r8, r9, r10, r11
	str	sp, [sp, #POSITION]
5:	multiply
	str	r4, [sp, #PRODUCTS]
	str	r5, [sp, #PRODUCTS + 4]
	multiply
	str	r4, [sp, #PRODUCTS + 8]
	str	r5, [sp, #PRODUCTS + 12]
	multiply
	ldr	r0, [sp, #PRODUCTS]
	ldr	r1, [sp, #PRODUCTS + 4]
	ldr	r2, [sp, #PRODUCTS + 8]
	ldr	r3, [sp, #PRODUCTS + 12]
	ldr	r6, [sp, #POSITION]
	eors	r4, r0
	eors	r5, r1
	eors	r4, r2
	eors	r5, r3
	eors	r1, r4
	eors	r2, r5
	stmia	r6!, {r0-r3}
	str	r6, [sp, #POSITION]
	add	r7, sp, #3 * PART
	cmp	r6, r7
	bne	5b
	/* r0-r3 is the product of the sums; with the others taken away it is what belongs in the middle. */
	add	r12, sp, #PRODUCT
	ldmia	r12, {r4-r7}
	add	r12, sp, #PART + PRODUCT
	ldmia	r12, {r8-r11}
	eors	r0, r4
	eors	r1, r5
	eors	r2, r6
	eors	r3, r7
	eor	r0, r0, r8
	eor	r1, r1, r9
	eor	r2, r2, r10
	eor	r3, r3, r11
	eors	r6, r0
	eors	r7, r1
	eor	r8, r8, r2
	eor	r9, r9, r3
	reduce	r4, r7, r8
	reduce	r5, r8, r9
	reduce	r6, r9, r10
	reduce	r7, r10, r11
	ldr	r0, [sp, #LENGTH]
	tst	r0, #16			/* every second block reports, and the last one */
	bne	3b
	mov	r0, #1400
	bl	pc_crypto_spent
	ldr	r0, [sp, #LENGTH]
	cmp	r0, #0
	bne	3b
	ldr	r0, [sp, #Y]
	rev	r8, r8
	rev	r9, r9
	rev	r10, r10
	rev	r11, r11
	str	r11, [r0]
	str	r10, [r0, #4]
	str	r9, [r0, #8]
	str	r8, [r0, #12]
	add	sp, #FRAME
	pop	{r4-r11, pc}

6:	/* A partial block, padded with zeros. */
	movs	r1, #0
	str	r1, [sp, #LENGTH]
	str	r1, [sp, #LAST]
	str	r1, [sp, #LAST + 4]
	str	r1, [sp, #LAST + 8]
	str	r1, [sp, #LAST + 12]
	adds	r0, #16
	add	r1, sp, #LAST
7:	ldrb	r2, [r12], #1
	strb	r2, [r1], #1
	subs	r0, #1
	bne	7b
	add	r12, sp, #LAST
	b	4b
	.size	pc_ghash, . - pc_ghash

#endif

	.section .note.GNU-stack, "", %progbits
