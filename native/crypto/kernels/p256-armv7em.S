/*
 * p256-armv7em.S: P-256 for cores with UMAAL. What each function computes is said in p256-core.h, why it is right in
 * README.md.
 *
 * UMAAL lo, hi, a, b sets hi:lo = a * b + lo + hi, which never overflows, in one cycle on a Cortex-M4. A row of a
 * product is four of them with the carry in hi; the carry register starts with whatever else is to be added to the
 * lowest column of the row. Montgomery reduction (Montgomery 1985) gives most of these: since p = -1 mod 2^96, the
 * quotient limb m[j] is column j itself, and m * p is m << 96, plus m << 192, plus m * (2^32 - 1) << 224, minus the m
 * that clears column j.
 *
 * Inside this file, field functions (names without pc_) take operands by address in r1 and r2, leave the result in r4
 * to r11, and destroy all other registers but sp.
 */
#include "twin.h"

#if PC_KERNELS_ASSEMBLY

	.syntax unified
	.thumb
	.section .text.pc_p256, "ax", %progbits

	.macro function name
	.global \name
	.type \name, %function
	.thumb_func
\name:
	.endm

	.macro routine name
	.type \name, %function
	.thumb_func
\name:
	.endm

/* w3:w2:w1:w0 += m * x3:x2:x1:x0 + c, with the new top limb in c. */
	.macro row m, c, x0, x1, x2, x3, w0, w1, w2, w3
	umaal	\w0, \c, \x0, \m
	umaal	\w1, \c, \x1, \m
	umaal	\w2, \c, \x2, \m
	umaal	\w3, \c, \x3, \m
	.endm

/* The first row: nothing to add. */
	.macro first_row m, c, x0, x1, x2, x3, w0, w1, w2, w3
	umull	\w0, \w1, \x0, \m
	mov	\w2, #0
	umaal	\w1, \w2, \x1, \m
	mov	\w3, #0
	umaal	\w2, \w3, \x2, \m
	mov	\c, #0
	umaal	\w3, \c, \x3, \m
	.endm

/*
 * Ends a multiplication. v0..v7 are columns 8..15, on the stack are c7 (what m[0] * (2^32 - 1) << 224 carries into
 * column 8) and m[1..7], which are popped. Adds what is left of m * p, subtracts p, adds it again if the result is
 * negative; the result is in r4..r11. Three chains run: carry register c for the multiples of 2^32 - 1, the carry
 * flag for m << 192 at the same time, and then the carry flag for m << 96.
 *
 * -p = 2^224 - 2^192 - 2^96 + 1 - 2^256 costs nothing: the 1 comes in as the carry flag, which the caller has set,
 * and the limbs ffffffff at 3, 4, 5 and fffffffe at 6 ride on the additions of 0 (sbcs with #0 adds ffffffff, with #1
 * fffffffe). u0..u7 is where v0..v7 live after the last chain.
 */
	.macro finish v0, v1, v2, v3, v4, v5, v6, v7, c, x, y, z, w, f, u0, u1, u2, u3, u4, u5, u6, u7
	pop	{\c, \x, \y, \z, \w}		// c7, m1, m2, m3, m4
	mvn	\f, #0
	umaal	\v0, \c, \x, \f
	adcs	\v0, \v0, \y
	umaal	\v1, \c, \y, \f
	adcs	\v1, \v1, \z
	umaal	\v2, \c, \z, \f
	adcs	\v2, \v2, \w
	pop	{\x, \y, \z}			// m5, m6, m7
	umaal	\v3, \c, \w, \f
	adcs	\v3, \v3, \x
	umaal	\v4, \c, \x, \f
	adcs	\v4, \v4, \y
	umaal	\v5, \c, \y, \f
	adcs	\v5, \v5, \z
	umaal	\v6, \c, \z, \f
	adcs	\v6, \v6, #0
	adcs	\v7, \v7, \c
	sbc	\c, \c, \c			// carry - 1
	adds	\u0, \v0, \x
	adcs	\u1, \v1, \y
	adcs	\u2, \v2, \z
	sbcs	\u3, \v3, #0
	sbcs	\u4, \v4, #0
	sbcs	\u5, \v5, #0
	sbcs	\u6, \v6, #1
	adcs	\u7, \v7, #0
	adc	\c, \c, #0			// both carries - 1: -1 if negative, else 0
	adds	r4, \u0, \c
	adcs	r5, \u1, \c
	adcs	r6, \u2, \c
	adcs	r7, \u3, #0
	adcs	r8, \u4, #0
	adcs	r9, \u5, #0
	adcs	r10, \u6, \c, lsr #31
	adc	r11, \u7, \c
	.endm

/*
 * [r1] * [r2]. Four blocks of 4 x 4 limbs: a low * b low, a low * b high, a high * b low, a high * b high. The
 * register of a limb of b becomes the carry of the next row, and then the top column of that row.
 *
 * Stack: 0 c7, 4 m1, 8 m2, 12 m3, 16 m4, 20 m5, 24 m6, 28 m7, 32 columns 8..11, 48 address of a high, 52 return
 * address. 16 holds m0 until m4 is known.
 */
	.align 2
routine multiply
	ldm	r1!, {r3-r6}
	push	{r1, lr}
	ldm	r2!, {r7-r10}
	sub	sp, #48

	first_row r7, lr, r3, r4, r5, r6, r0, r1, r11, r12
	mov	r7, #0
	row	r8, r7, r3, r4, r5, r6, r1, r11, r12, lr
	mov	r8, #0
	row	r9, r8, r3, r4, r5, r6, r11, r12, lr, r7
	mov	r9, r0				// column 3 += m0
	row	r10, r9, r3, r4, r5, r6, r12, lr, r7, r8

	// m0..m3 = r0, r1, r11, r12; columns 4..7 = lr, r7, r8, r9
	str	r0, [sp, #16]
	str	r1, [sp, #4]
	str	r11, [sp, #8]
	str	r12, [sp, #12]
	subs	r10, r1, r0			// c7:r10 = m1 + m0 * (2^32 - 1), for column 7
	sbcs	r0, r0, #0			// never borrows: leaves the carry set for finish
	str	r0, [sp, #0]

	ldr	r0, [r2]
	row	r0, r1, r3, r4, r5, r6, lr, r7, r8, r9		// column 4 += m1
	ldr	r0, [r2, #4]
	row	r0, r11, r3, r4, r5, r6, r7, r8, r9, r1		// column 5 += m2
	ldr	r0, [r2, #8]
	row	r0, r12, r3, r4, r5, r6, r8, r9, r1, r11	// column 6 += m3
	ldr	r0, [r2, #12]
	row	r0, r10, r3, r4, r5, r6, r9, r1, r11, r12

	// columns 4..11 = lr, r7, r8, r9, r1, r11, r12, r10
	str	r1, [sp, #32]
	str	r11, [sp, #36]
	str	r12, [sp, #40]
	str	r10, [sp, #44]
	ldr	r0, [sp, #48]
	ldm	r0, {r3-r6}
	ldmdb	r2, {r0, r1, r10, r11}

	mov	r12, #0
	row	r0, r12, r3, r4, r5, r6, lr, r7, r8, r9
	mov	r0, #0
	row	r1, r0, r3, r4, r5, r6, r7, r8, r9, r12
	ldr	r1, [sp, #16]			// column 6 += m0
	row	r10, r1, r3, r4, r5, r6, r8, r9, r12, r0
	mov	r10, lr				// column 7 += m4
	row	r11, r10, r3, r4, r5, r6, r9, r12, r0, r1

	// m4..m7 = lr, r7, r8, r9; columns 8..11 = r12, r0, r1, r10 and on the stack
	str	lr, [sp, #16]
	str	r7, [sp, #20]
	str	r8, [sp, #24]
	str	r9, [sp, #28]
	ldm	r2, {r7, r8, r9, r11}
	ldr	r2, [sp, #32]
	ldr	lr, [sp, #36]
	row	r7, r2, r3, r4, r5, r6, r12, r0, r1, r10
	row	r8, lr, r3, r4, r5, r6, r0, r1, r10, r2
	ldr	r7, [sp, #40]
	ldr	r8, [sp, #44]
	row	r9, r7, r3, r4, r5, r6, r1, r10, r2, lr
	row	r11, r8, r3, r4, r5, r6, r10, r2, lr, r7

	finish	r12, r0, r1, r10, r2, lr, r7, r8, r3, r4, r5, r6, r9, r11, r12, r0, r1, r9, r2, lr, r10, r11
	add	sp, #20
	pop	{pc}

/*
 * [r1]^2. With a = h << 128 | l: l * l, then 2l * h in one block, then h * h. The bit that 2l loses is added as h to
 * columns 8..11, by the carries of the last block's rows. (A 4 x 4 square by its ten different products isn't quicker
 * than sixteen UMAAL.)
 *
 * Stack: 0 c7, 4..28 m1..m7, 32 return address.
 */
	.align 2
routine square
	push	{lr}
	ldm	r1!, {r3-r6}
	sub	sp, #32

	first_row r3, r9, r3, r4, r5, r6, r0, r2, r7, r8
	mov	r10, #0
	row	r4, r10, r3, r4, r5, r6, r2, r7, r8, r9
	mov	r11, #0
	row	r5, r11, r3, r4, r5, r6, r7, r8, r9, r10
	mov	r12, r0				// column 3 += m0
	row	r6, r12, r3, r4, r5, r6, r8, r9, r10, r11

	// m0..m3 = r0, r2, r7, r8; columns 4..7 = r9..r12
	str	r2, [sp, #4]
	str	r7, [sp, #8]
	str	r8, [sp, #12]
	adds	r3, r3, r3
	adcs	r4, r4, r4
	adcs	r5, r5, r5
	adcs	r6, r6, r6
	sbc	lr, lr, lr			// 0 if a bit was lost, else -1
	adds	r9, r9, r2			// columns 4..7 += m1, m2, m3, m1
	adcs	r10, r10, r7
	adcs	r11, r11, r8
	adcs	r12, r12, r2
	sbc	r2, r2, r2
	adds	r11, r11, r0			// columns 6, 7 += m0 + (m0 * (2^32 - 1) << 32)
	adcs	r12, r12, #0
	adc	r2, r2, #0			// the two carries - 1
	subs	r12, r12, r0
	adc	r2, r2, r0			// + m0 + 1 - borrow
	str	r2, [sp, #0]
	ldm	r1, {r0, r2, r7, r8}

	mov	r1, #0
	row	r3, r1, r0, r2, r7, r8, r9, r10, r11, r12
	mov	r3, #0
	row	r4, r3, r0, r2, r7, r8, r10, r11, r12, r1
	mov	r4, #0
	row	r5, r4, r0, r2, r7, r8, r11, r12, r1, r3
	mov	r5, r9				// column 7 += m4
	row	r6, r5, r0, r2, r7, r8, r12, r1, r3, r4

	// m4..m7 = r9..r12; columns 8..11 = r1, r3, r4, r5
	str	r9, [sp, #16]
	str	r10, [sp, #20]
	str	r11, [sp, #24]
	str	r12, [sp, #28]
	bic	r6, r0, lr
	row	r0, r6, r0, r2, r7, r8, r1, r3, r4, r5
	bic	r9, r2, lr
	row	r2, r9, r0, r2, r7, r8, r3, r4, r5, r6
	bic	r10, r7, lr
	row	r7, r10, r0, r2, r7, r8, r4, r5, r6, r9
	bic	r11, r8, lr
	row	r8, r11, r0, r2, r7, r8, r5, r6, r9, r10

	cmp	r0, r0				// the carry for finish
	finish	r1, r3, r4, r5, r6, r9, r10, r11, r0, r2, r7, r8, r12, lr, r1, r3, r2, r7, r8, r9, r10, r11
	pop	{pc}

/* r4..r11 += p if r0 = -1, nothing if r0 = 0. */
	.macro add_p_if
	adds	r4, r4, r0
	adcs	r5, r5, r0
	adcs	r6, r6, r0
	adcs	r7, r7, #0
	adcs	r8, r8, #0
	adcs	r9, r9, #0
	adcs	r10, r10, r0, lsr #31
	adc	r11, r11, r0
	.endm

/* r4..r11 -= p, the borrow being a clear carry. */
	.macro subtract_p
	adds	r4, r4, #1
	adcs	r5, r5, #0
	adcs	r6, r6, #0
	sbcs	r7, r7, #0
	sbcs	r8, r8, #0
	sbcs	r9, r9, #0
	sbcs	r10, r10, #1
	adcs	r11, r11, #0
	.endm

/* r4..r11 + [r1] */
	.align 2
routine add
	ldm	r1!, {r0, r2, r3, r12}
	adds	r4, r4, r0
	adcs	r5, r5, r2
	adcs	r6, r6, r3
	adcs	r7, r7, r12
	ldm	r1, {r0, r2, r3, r12}
	adcs	r8, r8, r0
	adcs	r9, r9, r2
	adcs	r10, r10, r3
	adcs	r11, r11, r12
	sbc	r0, r0, r0
	subtract_p
	adc	r0, r0, #0
	add_p_if
	bx	lr

/* r4..r11 - [r1] */
	.align 2
routine subtract
	ldm	r1!, {r0, r2, r3, r12}
	subs	r4, r4, r0
	sbcs	r5, r5, r2
	sbcs	r6, r6, r3
	sbcs	r7, r7, r12
	ldm	r1, {r0, r2, r3, r12}
	sbcs	r8, r8, r0
	sbcs	r9, r9, r2
	sbcs	r10, r10, r3
	sbcs	r11, r11, r12
	sbc	r0, r0, r0
	add_p_if
	bx	lr

/* [r1] - r4..r11 */
	.align 2
routine subtract_from
	ldm	r1!, {r0, r2, r3, r12}
	subs	r4, r0, r4
	sbcs	r5, r2, r5
	sbcs	r6, r3, r6
	sbcs	r7, r12, r7
	ldm	r1, {r0, r2, r3, r12}
	sbcs	r8, r0, r8
	sbcs	r9, r2, r9
	sbcs	r10, r3, r10
	sbcs	r11, r12, r11
	sbc	r0, r0, r0
	add_p_if
	bx	lr

/*
 * r4..r11 - 2 * [r1]. UMAAL doubles a limb in place: limb * 1 + limb + carry. Then 0, 1 or 2 times p is added, whose
 * limbs are, with b that number and s its sign (-1 if b > 0): -b, s, s, b + s, 0, 0, b, -b.
 */
	.align 2
routine subtract_twice
	mov	r12, #1
	ldrd	r0, r2, [r1]
	mov	r3, #0
	umaal	r0, r3, r0, r12
	subs	r4, r4, r0
	umaal	r2, r3, r2, r12
	sbcs	r5, r5, r2
	ldrd	r0, r2, [r1, #8]
	umaal	r0, r3, r0, r12
	sbcs	r6, r6, r0
	umaal	r2, r3, r2, r12
	sbcs	r7, r7, r2
	ldrd	r0, r2, [r1, #16]
	umaal	r0, r3, r0, r12
	sbcs	r8, r8, r0
	umaal	r2, r3, r2, r12
	sbcs	r9, r9, r2
	ldrd	r0, r2, [r1, #24]
	umaal	r0, r3, r0, r12
	sbcs	r10, r10, r0
	umaal	r2, r3, r2, r12
	sbcs	r11, r11, r2
	sbc	r0, r0, r0
	subs	r0, r0, r3			// -b
	rsb	r1, r0, #0			// b
	asr	r2, r0, #31			// s
	add	r3, r1, r2			// b + s
	adds	r4, r4, r0
	adcs	r5, r5, r2
	adcs	r6, r6, r2
	adcs	r7, r7, r3
	adcs	r8, r8, #0
	adcs	r9, r9, #0
	adcs	r10, r10, r1
	adc	r11, r11, r0
	bx	lr

/*
 * r4..r11 * 3 / 2: three times (limb * 2 + limb + carry), p more if that is odd, half of it, p less unless that is
 * below p.
 */
	.macro three_halves
	mov	r2, #2
	mov	r1, #0
	umaal	r4, r1, r4, r2
	umaal	r5, r1, r5, r2
	umaal	r6, r1, r6, r2
	umaal	r7, r1, r7, r2
	umaal	r8, r1, r8, r2
	umaal	r9, r1, r9, r2
	umaal	r10, r1, r10, r2
	umaal	r11, r1, r11, r2
	sbfx	r0, r4, #0, #1
	adds	r4, r4, r0
	adcs	r5, r5, r0
	adcs	r6, r6, r0
	adcs	r7, r7, #0
	adcs	r8, r8, #0
	adcs	r9, r9, #0
	adcs	r10, r10, r0, lsr #31
	adcs	r11, r11, r0
	adc	r1, r1, #0
	lsrs	r1, r1, #1
	rrxs	r11, r11
	rrxs	r10, r10
	rrxs	r9, r9
	rrxs	r8, r8
	rrxs	r7, r7
	rrxs	r6, r6
	rrxs	r5, r5
	rrx	r4, r4
	subtract_p
	sbc	r0, r1, #0			// top bit + carry - 1
	add_p_if
	.endm

	.macro store at
	.if	\at
	add	r0, sp, #\at
	stm	r0, {r4-r11}
	.else
	stm	sp, {r4-r11}
	.endif
	.endm

/* Field functions for C. */
	.align 2
function pc_p256_mul
	push	{r0, r4-r11, lr}
	bl	multiply
	b	give
	.align 2
function pc_p256_square
	push	{r0, r4-r11, lr}
	bl	square
	b	give
	.align 2
function pc_p256_add
	push	{r0, r4-r11, lr}
	ldm	r1, {r4-r11}
	mov	r1, r2
	bl	add
	b	give
	.align 2
function pc_p256_sub
	push	{r0, r4-r11, lr}
	ldm	r1, {r4-r11}
	mov	r1, r2
	bl	subtract
give:
	pop	{r0}
	stm	r0, {r4-r11}
	pop	{r4-r11, pc}

/*
 * Jacobian doubling for a = -3, with everything scaled so that the only small factor is 3/2 (compare "dbl-2001-b",
 * Bernstein 2001, in the Explicit-Formulas Database): 4 multiplications, 4 squarings.
 *
 *	d = z^2, g = y^2, b = x g, a = 3/2 (x - d)(x + d)
 *	x' = a^2 - 2b, y' = a (b - x') - g^2, z' = y z
 *
 * Stack: two field elements T0 and T1, then the addresses of x, y, z, and the number of doublings left.
 */
	.equ T0, 0
	.equ T1, 32
	.equ T2, 64

	.align 2
function pc_p256_double
	push	{r4-r11, lr}
	mov	r3, r1
	add	r1, r0, #32
	add	r2, r0, #64
	push	{r0-r3}
	sub	sp, #64
1:
	ldr	r1, [sp, #72]
	bl	square				// d
	store	T0
	ldr	r1, [sp, #64]
	bl	subtract_from			// x - d
	store	T1
	ldr	r1, [sp, #64]
	ldm	sp, {r4-r11}
	bl	add				// x + d
	store	T0
	mov	r1, sp
	add	r2, sp, #T1
	bl	multiply
	three_halves				// a
	store	T0
	ldr	r1, [sp, #68]
	bl	square				// g
	store	T1
	ldrd	r1, r2, [sp, #68]
	bl	multiply
	ldr	r0, [sp, #72]
	stm	r0, {r4-r11}			// z'
	ldr	r1, [sp, #64]
	add	r2, sp, #T1
	bl	multiply
	ldr	r0, [sp, #68]
	stm	r0, {r4-r11}			// b, in the place of y
	add	r1, sp, #T1
	bl	square
	store	T1				// g^2
	mov	r1, sp
	bl	square				// a^2
	ldr	r1, [sp, #68]
	bl	subtract_twice
	ldrd	r0, r1, [sp, #64]
	stm	r0, {r4-r11}			// x'
	bl	subtract_from			// b - x', in the place of b
	ldr	r2, [sp, #68]
	stm	r2, {r4-r11}
	mov	r1, sp
	bl	multiply
	add	r1, sp, #T1
	bl	subtract
	ldr	r0, [sp, #68]
	ldr	r1, [sp, #76]
	stm	r0, {r4-r11}			// y'
	subs	r1, r1, #1
	str	r1, [sp, #76]
	bne	1b
	add	sp, #80
	pop	{r4-r11, pc}

/*
 * Jacobian plus affine (Cohen, Miyaji, Ono 1998): 8 multiplications, 3 squarings.
 *
 *	h = x2 z^2 - x, r = y2 z^3 - y, v = x h^2
 *	x' = r^2 - h^3 - 2v, y' = r (v - x') - y h^3, z' = z h
 *
 * Stack: T0, T1, T2, then the addresses of x, y, z, and x2.
 */
	.align 2
function pc_p256_add_affine
	push	{r4-r11, lr}
	mov	r3, r1
	add	r1, r0, #32
	add	r2, r0, #64
	push	{r0-r3}
	sub	sp, #96
	mov	r1, r2
	bl	square
	store	T0				// z^2
	mov	r1, sp
	ldr	r2, [sp, #108]
	bl	multiply
	ldr	r1, [sp, #96]
	bl	subtract
	store	T1				// h
	mov	r1, sp
	ldr	r2, [sp, #104]
	bl	multiply
	store	T0				// z^3
	mov	r1, sp
	ldr	r2, [sp, #108]
	adds	r2, #32
	bl	multiply
	ldr	r1, [sp, #100]
	bl	subtract
	store	T2				// r
	ldr	r1, [sp, #104]
	add	r2, sp, #T1
	bl	multiply
	ldr	r0, [sp, #104]
	stm	r0, {r4-r11}			// z'
	add	r1, sp, #T1
	bl	square
	store	T0				// h^2
	mov	r1, sp
	add	r2, sp, #T1
	bl	multiply
	store	T1				// h^3
	mov	r1, sp
	ldr	r2, [sp, #96]
	bl	multiply
	store	T0				// v
	add	r1, sp, #T1
	ldr	r2, [sp, #100]
	bl	multiply
	ldr	r0, [sp, #100]
	stm	r0, {r4-r11}			// y h^3
	add	r1, sp, #T2
	bl	square
	add	r1, sp, #T1
	bl	subtract
	mov	r1, sp
	bl	subtract_twice
	ldr	r0, [sp, #96]
	stm	r0, {r4-r11}			// x'
	mov	r1, sp
	bl	subtract_from
	store	T0
	mov	r1, sp
	add	r2, sp, #T2
	bl	multiply
	ldr	r1, [sp, #100]
	bl	subtract
	ldr	r0, [sp, #100]
	stm	r0, {r4-r11}
	add	sp, #112
	pop	{r4-r11, pc}

/*
 * Reads the whole table twice, for x and for y, and sums entry * (1 or 0). r2 has one bit set for the wanted entry
 * and one above the last entry, and moves right as the table is passed.
 */
	.macro pick bit
	ubfx	r3, r2, #\bit, #1
	ldm	r1!, {r0, r12, lr}
	mla	r4, r0, r3, r4
	mla	r5, r12, r3, r5
	mla	r6, lr, r3, r6
	ldm	r1!, {r0, r12, lr}
	mla	r7, r0, r3, r7
	mla	r8, r12, r3, r8
	mla	r9, lr, r3, r9
	ldm	r1!, {r0, r12}
	mla	r10, r0, r3, r10
	mla	r11, r12, r3, r11
	add	r1, #32
	.endm

	.align 2
routine pick_all
	push	{r2, lr}
	movs	r4, #0
	movs	r5, #0
	movs	r6, #0
	movs	r7, #0
	mov	r8, r4
	mov	r9, r4
	mov	r10, r4
	mov	r11, r4
1:
	pick	0
	pick	1
	lsr	r2, r2, #2
	cmp	r2, #1
	bne	1b
	pop	{r2, pc}

	.align 2
function pc_p256_select
	push	{r4-r11, lr}
	// r12 = -1 if digit < count
	subs	r12, r3, r2
	asr	r12, r12, #31
	eor	r3, r3, r12
	sub	r4, r2, #1
	ands	r3, r4
	mov	r4, #1
	lsl	r3, r4, r3
	lsl	r2, r4, r2
	orr	r2, r2, r3
	push	{r0, r1, r12}
	bl	pick_all
	ldrd	r0, r1, [sp]
	stm	r0, {r4-r11}
	adds	r1, #32
	bl	pick_all
	// p - y = ~y + (p + 1): p + 1 has the limbs 0, 0, 0, 1, 0, 0, 1, ffffffff. y is not 0.
	pop	{r0, r1, r12}
	lsr	r2, r12, #31
	eor	r4, r4, r12
	eor	r5, r5, r12
	eor	r6, r6, r12
	eor	r7, r7, r12
	eor	r8, r8, r12
	eor	r9, r9, r12
	eor	r10, r10, r12
	eor	r11, r11, r12
	adds	r7, r7, r2
	adcs	r8, r8, #0
	adcs	r9, r9, #0
	adcs	r10, r10, r2
	adc	r11, r11, r12
	adds	r0, #32
	stm	r0, {r4-r11}
	pop	{r4-r11, pc}

/*
 * A divstep in conditional instructions, which take their cycle whether or not they act. Flags: even g gives Z, and
 * clear N and V, so neither GT nor LT; odd g compares 2 * delta, which is odd, with 0. GT: (f, g) = (g, (g - f) / 2),
 * and delta is negated; LT: g = (g + f) / 2; else g = g / 2. In all cases delta + 1. The rows of the matrix follow f
 * and g; instead of halving the row of g, that of f is doubled.
 *
 * A row (u, v) is one register, u + (v << 16). After fifteen divsteps |u| + |v| <= 2^15, and neither is -2^15 (only
 * an initial 1 that is doubled fifteen times gets that far). So the rows start negative, and all fits sixteen bits.
 */
	.macro divstep
	lsls	r6, r3, #31
	it	ne
	cmpne	r1, #0
	itttt	gt
	subgt	r3, r3, r2
	addgt	r2, r2, r3
	subgt	r5, r5, r4
	addgt	r4, r4, r5
	it	gt
	rsbgt	r1, r1, #0
	itt	lt
	addlt	r3, r3, r2
	addlt	r5, r5, r4
	asrs	r3, r3, #1
	lsls	r4, r4, #1
	add	r1, r1, #2
	.endm

/* r1 2 delta, r2 f, r3 g; gives minus the matrix, r4 = (u, v) and r5 = (q, r) as signed halves. */
	.align 2
routine fifteen_divsteps
	mov	r4, #-1
	lsls	r5, r4, #16
	movs	r7, #5
	cmp	r7, #0				// clears V, and nothing below sets it
	.align 2
1:
	divstep
	divstep
	divstep
	subs	r7, r7, #1
	bne	1b
	add	r4, r4, #0x8000			// a negative lower half had borrowed from the upper
	eor	r4, r4, #0x8000
	add	r5, r5, #0x8000
	eor	r5, r5, #0x8000
	bx	lr

	.align 2
function pc_p256_divsteps
	push	{r0, r1, r4-r8, lr}
	ldm	r1, {r1, r2, r3}
	bl	fifteen_divsteps
	pkhbt	r12, r4, r5, lsl #16		// (u, q)
	pkhtb	r8, r5, r4, asr #16		// (v, r)
	bl	fifteen_divsteps
	smuad	r2, r4, r12
	smuad	r3, r4, r8
	smuad	r6, r5, r12
	smuad	r7, r5, r8
	pop	{r0, r4}
	stm	r0, {r2, r3, r6, r7}
	str	r1, [r4]
	pop	{r4-r8, pc}

/* Accumulators: r10:r9 for x', r12:r11 for y'. Factors: r3 u, r4 v, r5 q, r6 r, r7 and r8 those of n. */
	.macro products_n
	ldr	lr, [r2], #4
	smlal	r9, r10, r7, lr
	smlal	r11, r12, r8, lr
	ldr	lr, [r0, #36]
	smlal	r9, r10, r4, lr
	smlal	r11, r12, r6, lr
	ldr	lr, [r0], #4
	smlal	r9, r10, r3, lr
	smlal	r11, r12, r5, lr
	.endm

	.macro products
	ldr	lr, [r0, #36]
	ldr	r7, [r0], #4
	smlal	r9, r10, r4, lr
	smlal	r11, r12, r6, lr
	smlal	r9, r10, r3, r7
	smlal	r11, r12, r5, r7
	.endm

	.macro store_limb
	bic	lr, r9, #0xc0000000
	str	lr, [r0, #-8]
	bic	lr, r11, #0xc0000000
	str	lr, [r0, #28]
	.endm

	.macro next_limb
	lsr	r9, r9, #30
	orr	r9, r9, r10, lsl #2
	asr	r10, r10, #30
	lsr	r11, r11, #30
	orr	r11, r11, r12, lsl #2
	asr	r12, r12, #30
	.endm

	.align 2
function pc_p256_combine
	push	{r4-r11, lr}
	ldm	r1, {r3-r8}
	mov	r9, #0
	mov	r10, #0
	mov	r11, #0
	mov	r12, #0
	movs	r1, #4
	cmp	r2, #0
	beq	2f
	products_n				// limb 0 of both results is 0, and dropped
	next_limb
	.align 2
1:
	.rept	2
	products_n
	store_limb
	next_limb
	.endr
	subs	r1, r1, #1
	bne	1b
	b	4f
2:
	products
	next_limb
	.align 2
3:
	.rept	2
	products
	store_limb
	next_limb
	.endr
	subs	r1, r1, #1
	bne	3b
4:
	str	r9, [r0, #-4]
	str	r11, [r0, #32]
	pop	{r4-r11, pc}

/*
 * Montgomery multiplication modulo n, operand scanning (Koc, Acar, Kaliski 1996), a limb of a in a pass. n is dense,
 * so the quotient limb takes a multiplication by -1 / n. It runs a few times per signature, hence is small rather
 * than quick.
 *
 * The sum is r4..r12. Stack: address of the next limb of a, end of a, result.
 */
	.macro quotient_limb from, to
	umaal	\from, r1, r0, r3
	mov	\to, \from
	.endm

	.align 2
function pc_p256_scalar_mul
	push	{r4-r11, lr}
	add	r3, r1, #32
	push	{r1, r3}
	push	{r0}
	movs	r4, #0
	movs	r5, #0
	movs	r6, #0
	movs	r7, #0
	mov	r8, r4
	mov	r9, r4
	mov	r10, r4
	mov	r11, r4
	mov	r12, r4
	.align 2
1:
	ldr	r1, [sp, #4]
	ldr	r0, [r1], #4
	str	r1, [sp, #4]
	mov	lr, #0
	ldr	r1, [r2]
	ldr	r3, [r2, #4]
	umaal	r4, lr, r0, r1
	umaal	r5, lr, r0, r3
	ldr	r1, [r2, #8]
	ldr	r3, [r2, #12]
	umaal	r6, lr, r0, r1
	umaal	r7, lr, r0, r3
	ldr	r1, [r2, #16]
	ldr	r3, [r2, #20]
	umaal	r8, lr, r0, r1
	umaal	r9, lr, r0, r3
	ldr	r1, [r2, #24]
	ldr	r3, [r2, #28]
	umaal	r10, lr, r0, r1
	umaal	r11, lr, r0, r3
	ldr	r0, =0xee00bc4f
	adds	lr, lr, r12			// columns 8 and 9
	mov	r1, #0
	adc	r12, r1, #0
	mul	r0, r0, r4			// the limb of the quotient
	ldr	r3, =0xfc632551
	umaal	r4, r1, r0, r3
	ldr	r3, =0xf3b9cac2
	quotient_limb r5, r4
	ldr	r3, =0xa7179e84
	quotient_limb r6, r5
	ldr	r3, =0xbce6faad
	quotient_limb r7, r6
	mvn	r3, #0
	quotient_limb r8, r7
	quotient_limb r9, r8
	mov	r3, #0
	quotient_limb r10, r9
	mvn	r3, #0
	quotient_limb r11, r10
	adds	r11, lr, r1
	adc	r12, r12, #0
	ldrd	r0, r1, [sp, #4]
	cmp	r0, r1
	bne	1b
	pop	{r0, r1, r2}
	stm	r0, {r4-r11}
	mov	r0, r12
	pop	{r4-r11, pc}
	.ltorg

#endif

	.section .note.GNU-stack, "", %progbits
