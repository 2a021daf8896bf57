/*
 * aes-armv7em.S: AES for ARMv7E-M, two blocks at a time, bitsliced and fixsliced; the twin of aes-portable.c.
 *
 * Method: Adomnicai, Peyrin, "Fixslicing AES-like ciphers" (TCHES 2021/1): ShiftRows is never done, MixColumns and the
 * round keys take its place into account. Own choices: the state starts with ShiftRows done once ahead, so that of the four
 * kinds of MixColumns the dearest two run least; the S-box was scheduled by tools/crypto/aes-sbox-search.cpp; masked rotations need no
 * mask registers; and CTR mode reuses what blocks with nearby counters share in rounds 1 and 2 (Park, Lee, "FACE", TCHES
 * 2018/3), here without tables.
 *
 * Representation. Bit 7-j of all 32 bytes is in r<j>. There byte r holds row r, and in it bit 2s+b the byte of block b
 * in stored column s. While p ShiftRows are pending, the byte of row r and true column c is in stored column c + p*r.
 * Input has p = -1, round i (from 1) ends with p = i - 1, the output has p = 1 modulo 4 for 10 and for 14 rounds.
 *
 * Constant time: no branch and no address depends on key, data or MAC; counters and lengths are public.
 */
#include "twin.h"

#if PC_KERNELS_ASSEMBLY

	.syntax	unified
	.thumb
	.section .text.pc_aes, "ax", %progbits

#include "aes-sbox.inc"

/* The frame that all entries share below their saved registers. */
	.equ	SLOTS, 0	/* spilled by the S-box, up to 6 words */
	.equ	RETURN, 24	/* return address of `rounds` and `sub_bytes` */
	.equ	END, 28		/* behind the last fixsliced round key: the plain last round key */
	.equ	KEY, 32		/* the first fixsliced round key */
	.equ	CTR_DATA, 36
	.equ	BLOCKS, 40
	.equ	IV, 44		/* the three words before the counter */
	.equ	CC, 56
	.equ	LOCAL, 60	/* from here on, each entry has its own */

/* ---- building stones -------------------------------------------------------------------------------------------- */

/* Exchanges the bits of \a under \mask << \n with those of \b under \mask. */
	.macro	swapmove a b n mask
	eor	r8, \b, \a, lsr #\n
	and	r8, r8, #\mask
	eors	\b, r8
	eor	\a, \a, r8, lsl #\n
	.endm

/* Words to bit planes, or back. Word 2c+b (column c of block b) is in r<7-2c-b>. Uses r8. */
	.macro	transpose
	swapmove r7 r6 1 0x55555555
	swapmove r5 r4 1 0x55555555
	swapmove r3 r2 1 0x55555555
	swapmove r1 r0 1 0x55555555
	swapmove r7 r5 2 0x33333333
	swapmove r6 r4 2 0x33333333
	swapmove r3 r1 2 0x33333333
	swapmove r2 r0 2 0x33333333
	swapmove r7 r3 4 0x0f0f0f0f
	swapmove r6 r2 4 0x0f0f0f0f
	swapmove r5 r1 4 0x0f0f0f0f
	swapmove r4 r0 4 0x0f0f0f0f
	.endm

/*
 * ShiftRows on the columns \c0..\c3 of one block, with \t; the result is in \c0, \t, \c2, \c3. Needs GE = 1010: SEL then
 * takes rows 1 and 3 from its first operand.
 */
	.macro	shift_rows c0 c1 c2 c3 t
	sel	\t, \c1, \c0
	sel	\c1, \c2, \c1
	sel	\c2, \c3, \c2
	sel	\c3, \c0, \c3
	pkhbt	\c0, \t, \c2
	pkhbt	\c2, \c2, \t
	pkhbt	\t, \c1, \c3
	pkhbt	\c3, \c3, \c1
	.endm

/* By carries out of bytes: an emulator (Renode 1.16) ignores MSR APSR_g. */
	.macro	select_odd_rows t
	mov	\t, #0xFF00FF00
	uadd8	\t, \t, \t
	.endm

/* Adds the round key at r12 and moves r12 on. Uses r8-r11, lr. */
	.macro	add_round_key
	ldmia	r12!, {r8-r11, lr}
	eor	r0, r0, r8
	eor	r1, r1, r9
	eor	r2, r2, r10
	eor	r3, r3, r11
	eor	r4, r4, lr
	ldmia	r12!, {r8-r10}
	eor	r5, r5, r8
	eor	r6, r6, r9
	eor	r7, r7, r10
	.endm

/*
 * MixColumns while \p ShiftRows are pending. With R the step from a byte to the one below it in its true column, and
 * T = a + R(a), the new column is 2T + R(a) + R(R(T)). R is a rotation of the word by 8 and of each byte by 2p; the latter
 * costs three instructions: in x + ((x + (x ror 24)) & low bits) the bits that a rotation carries over to the next byte are
 * already the right ones. So the planes below lie in front of a rotation by \n, which comes free with the next use.
 */
	.macro	mix_plane p n a t
	.if \p == 0
	eor	\t, \a, \a, ror #8
	eor	\a, \a, \t, ror #8
	.else
	eor	r9, \a, \a, ror #24
	.if \p == 1
	and	r9, r9, #0x03030303
	.elseif \p == 2
	and	r9, r9, #0x0f0f0f0f
	.else
	and	r9, r9, #0x3f3f3f3f
	.endif
	eor	r9, r9, \a
	eor	\t, \a, r9, ror #\n
	.if \p == 2
	eor	\a, r9, \t, ror #16 - \n
	.else
	eor	\a, \t, \t, ror #24
	and	\a, \a, #0x0f0f0f0f
	eor	\a, \a, \t
	eor	\a, r9, \a, ror #20 - \n
	.endif
	.endif
	.endm

	.macro	mix_columns p n
	mix_plane \p, \n, r0, r8
	mix_plane \p, \n, r1, r10
	eor	r0, r10, r0, ror #\n
	mix_plane \p, \n, r2, r10
	eor	r1, r10, r1, ror #\n
	mix_plane \p, \n, r3, r10
	eor	r2, r10, r2, ror #\n
	mix_plane \p, \n, r4, r10
	eor	r3, r10, r3, ror #\n
	eor	r3, r3, r8
	mix_plane \p, \n, r5, r10
	eor	r4, r10, r4, ror #\n
	eor	r4, r4, r8
	mix_plane \p, \n, r6, r10
	eor	r5, r10, r5, ror #\n
	mix_plane \p, \n, r7, r10
	eor	r6, r10, r6, ror #\n
	eor	r6, r6, r8
	eor	r7, r8, r7, ror #\n
	.endm

/* ---- the cipher ------------------------------------------------------------------------------------------------- */

/*
 * Encrypts two blocks: block 0 in r7, r9, r3, r1 (its columns), block 1 in r6, r10, r2, r0. Called by bl. The result is
 * in r7, lr, r3, r1 and r6, r8, r2, r0. Needs GE = 1010 (select_odd_rows).
 */
	.thumb_func
encrypt:
	str	lr, [sp, #RETURN]
	shift_rows r7 r9 r3 r1 r5
	shift_rows r6 r10 r2 r0 r4
	transpose
	ldr	r12, [sp, #KEY]
1:	add_round_key
	sbox	SLOTS
	mix_columns 0, 8
	add_round_key
second_sbox:
	sbox	SLOTS
	ldr	r8, [sp, #END]
	cmp	r12, r8
	bhs	2f
	mix_columns 1, 10
	add_round_key
third_sbox:
	sbox	SLOTS
	mix_columns 2, 12
	add_round_key
	sbox	SLOTS
	mix_columns 3, 14
	b	1b

2:	bhi	3f
	transpose
	shift_rows r7 r5 r3 r1 lr
	shift_rows r6 r4 r2 r0 r8
	ldmia	r12, {r9-r12}
	eor	r7, r7, r9
	eor	r6, r6, r9
	eor	lr, lr, r10
	eor	r8, r8, r10
	eor	r3, r3, r11
	eor	r2, r2, r11
	eor	r1, r1, r12
	eor	r0, r0, r12
3:	ldr	pc, [sp, #RETURN]

/* `encrypt` from behind the addition of the third round key to the planes r0-r7; r12: the fourth. */
	.thumb_func
encrypt_from_third:
	str	lr, [sp, #RETURN]
	b	third_sbox

/* SubBytes alone of the planes r0-r7, with the code above. */
	.thumb_func
sub_bytes:
	str	lr, [sp, #RETURN]
	ldr	r12, [sp, #END]
	add	r12, r12, #1
	b	second_sbox

/* Columns as `transpose` wants them into planes. Uses r8. */
	.thumb_func
transpose_words:
	transpose
	bx	lr

/* Adds a block of the data at r12 to \a..\d in place and moves r12 on. Data need not be aligned. Uses r4, r5, r9, r10. */
	.macro	add_data a b c d
	ldr	r4, [r12]
	ldr	r5, [r12, #4]
	ldr	r9, [r12, #8]
	ldr	r10, [r12, #12]
	eor	r4, r4, \a
	eor	r5, r5, \b
	eor	r9, r9, \c
	eor	r10, r10, \d
	str	r4, [r12], #4
	str	r5, [r12], #4
	str	r9, [r12], #4
	str	r10, [r12], #4
	.endm

/* Reports the work of two calls of `encrypt`; only what is in the frame, r4 and r9 is needed after it. */
	.macro	report
	ldr	r0, [sp, #END]
	ldr	r1, [sp, #KEY]
	sub	r0, r0, r1		/* 32 bytes a round */
	add	r0, r0, r0, lsl #1
	lsl	r0, r0, #2
	bl	pc_crypto_spent
	select_odd_rows r0
	.endm

/* ---- SubWord for the key schedule ------------------------------------------------------------------------------- */

/* uint32_t pc_aes_core_subword(uint32_t word): the S-box, without its addition of 0x63, on four bytes. */
	.global	pc_aes_core_subword
	.type	pc_aes_core_subword, %function
	.thumb_func
pc_aes_core_subword:
	push	{r4-r11, lr}
	sub	sp, #36
	movs	r1, #0		/* any value less than 2^32 - 1 */
	str	r1, [sp, #END]
	and	r7, r0, #0x01010101
	lsrs	r6, r0, #1
	and	r6, r6, #0x01010101
	lsrs	r5, r0, #2
	and	r5, r5, #0x01010101
	lsrs	r4, r0, #3
	and	r4, r4, #0x01010101
	lsrs	r3, r0, #4
	and	r3, r3, #0x01010101
	lsrs	r2, r0, #5
	and	r2, r2, #0x01010101
	lsrs	r1, r0, #6
	and	r1, r1, #0x01010101
	lsrs	r0, r0, #7
	and	r0, r0, #0x01010101
	bl	sub_bytes
	orr	r0, r1, r0, lsl #1
	orr	r0, r2, r0, lsl #1
	orr	r0, r3, r0, lsl #1
	orr	r0, r4, r0, lsl #1
	orr	r0, r5, r0, lsl #1
	orr	r0, r6, r0, lsl #1
	orr	r0, r7, r0, lsl #1
	add	sp, #36
	pop	{r4-r11, pc}
	.size	pc_aes_core_subword, . - pc_aes_core_subword

/*
 * void pc_aes_core_fixslice(uint32_t out[8], const uint32_t columns[4], uint32_t pending): a round key into planes.
 * Each column is needed where the `pending` ShiftRows will take it to: 4 - pending of them are done, modulo 4.
 */
	.global	pc_aes_core_fixslice
	.type	pc_aes_core_fixslice, %function
	.thumb_func
pc_aes_core_fixslice:
	push	{r0, r4-r11, lr}
	select_odd_rows r8
	rsb	r8, r2, #4
	ldmia	r1, {r7, r9-r11}
	ands	r8, r8, #3
	beq	2f
1:	shift_rows r7 r9 r10 r11 r5
	mov	r9, r5
	subs	r8, #1
	bne	1b
2:	mov	r6, r7
	mov	r5, r9
	mov	r4, r9
	mov	r3, r10
	mov	r2, r10
	mov	r1, r11
	mov	r0, r11
	bl	transpose_words
	pop	{r8}
	stmia	r8, {r0-r7}
	pop	{r4-r11, pc}
	.size	pc_aes_core_fixslice, . - pc_aes_core_fixslice

/* ---- CTR and CBC-MAC side by side ------------------------------------------------------------------------------- */

	.equ	MAC, LOCAL		/* running CBC-MAC, 4 words */
	.equ	MAC_DATA, LOCAL + 16
	.equ	STEPS, LOCAL + 20	/* bytes that CTR_DATA (low half) and MAC_DATA (high half) move on per block */
	.equ	STATE, LOCAL + 24
	.equ	CTRMAC_FRAME, LOCAL + 32	/* makes a multiple of 8 with the saved registers */

/*
 * void pc_aes_core_ctrmac(const pc_aes_keys *keys, uint32_t state[8], uint8_t *ctr_data, const uint8_t *mac_data,
 *                         size_t blocks, uint32_t steps)
 */
	.global	pc_aes_core_ctrmac
	.type	pc_aes_core_ctrmac, %function
	.thumb_func
pc_aes_core_ctrmac:
	push	{r4-r11, lr}
	sub	sp, #CTRMAC_FRAME
	ldr	r8, [r0], #4
	str	r0, [sp, #KEY]
	add	r8, r0, r8, lsl #5
	str	r8, [sp, #END]
	str	r1, [sp, #STATE]
	str	r2, [sp, #CTR_DATA]
	str	r3, [sp, #MAC_DATA]
	ldr	r8, [sp, #CTRMAC_FRAME + 36]
	ldr	r9, [sp, #CTRMAC_FRAME + 40]
	str	r8, [sp, #BLOCKS]
	str	r9, [sp, #STEPS]
	ldmia	r1, {r0-r7}
	add	r8, sp, #IV
	stmia	r8, {r0-r7}	/* IV, CC and MAC lie behind one another */
	select_odd_rows r9
ctrmac_block:
	ldr	r12, [sp, #MAC_DATA]
	add	r8, sp, #MAC
	ldmia	r8, {r4, r9-r11}
	ldr	r6, [r12]
	ldr	r3, [r12, #4]
	ldr	r2, [r12, #8]
	ldr	r0, [r12, #12]
	eors	r6, r4
	eor	r2, r2, r10
	eor	r10, r3, r9
	eor	r0, r0, r11
	ldr	r7, [sp, #IV]
	ldr	r9, [sp, #IV + 4]
	ldr	r3, [sp, #IV + 8]
	ldr	r8, [sp, #CC]
	rev	r1, r8
	add	r8, r8, #1
	str	r8, [sp, #CC]
	bl	encrypt
	str	r6, [sp, #MAC]
	str	r8, [sp, #MAC + 4]
	str	r2, [sp, #MAC + 8]
	str	r0, [sp, #MAC + 12]
	ldr	r12, [sp, #CTR_DATA]
	ldr	r11, [sp, #STEPS]
	ldr	r6, [sp, #MAC_DATA]
	ldr	r8, [sp, #BLOCKS]
	uxtah	r0, r12, r11
	add	r6, r6, r11, lsr #16
	str	r0, [sp, #CTR_DATA]
	str	r6, [sp, #MAC_DATA]
	add_data r7 lr r3 r1
	subs	r8, #1
	str	r8, [sp, #BLOCKS]
	beq	1f
	lsls	r8, r8, #31
	bne	ctrmac_block
	report
	b	ctrmac_block
1:
	ldr	r8, [sp, #STATE]
	ldr	r0, [sp, #CC]
	add	r12, sp, #MAC
	ldmia	r12, {r1-r4}
	add	r8, #12
	stmia	r8, {r0-r4}
	add	sp, #CTRMAC_FRAME
	pop	{r4-r11, pc}
	.size	pc_aes_core_ctrmac, . - pc_aes_core_ctrmac

/* ---- CTR -------------------------------------------------------------------------------------------------------- */

/*
 * Blocks whose counters differ in the last byte only (row 3, stored column 0 at the start) share all but one byte of
 * round 1's SubBytes and all but stored column 0 of round 2's. So rounds 1 and 2 are split by linearity:
 *   every 256 blocks   COLUMN: stored column 0 at round 2's SubBytes, less the counter byte's part, for 8 blocks at a time
 *                      (bits 0..7 of a byte are then blocks); BASE: the state at round 3, less column 0's part
 *   every 32 blocks    FIRST: SubBytes of the counter byte, byte g for counters 8g..8g+7
 *   every 8 blocks     SECOND: SubBytes of stored column 0 in round 2
 * and each pair of blocks adds MixColumns of its bits of SECOND to BASE and goes on with round 3.
 */
	.equ	COLUMN, LOCAL
	.equ	BASE, LOCAL + 32
	.equ	FIRST, LOCAL + 64
	.equ	SECOND, LOCAL + 96
	.equ	PAIRS, LOCAL + 128	/* bits of the counter that tell pairs of a group of 8 blocks; 0: no grouping */
	.equ	CTR_FRAME, LOCAL + 136
	.equ	PLAIN, 4	/* up to so many blocks grouping does not pay */

	.macro	each op imm
	.irp	r, r0, r1, r2, r3, r4, r5, r6, r7
	\op	\r, \r, #\imm
	.endr
	.endm

/* MixColumns with one ShiftRows pending where only stored column 0 is not zero: then a rotation of the word will do. */
	.macro	mix_first_plane a t
	eor	\t, \a, \a, ror #2
	eor	r9, \a, \a, ror #10
	eor	\a, r9, \a, ror #20
	.endm

	.macro	mix_first_column
	mix_first_plane r0, r8
	mix_first_plane r1, r10
	eor	r0, r10, r0, ror #2
	mix_first_plane r2, r10
	eor	r1, r10, r1, ror #2
	mix_first_plane r3, r10
	eor	r2, r10, r2, ror #2
	mix_first_plane r4, r10
	eor	r3, r10, r3, ror #2
	eor	r3, r3, r8
	mix_first_plane r5, r10
	eor	r4, r10, r4, ror #2
	eor	r4, r4, r8
	mix_first_plane r6, r10
	eor	r5, r10, r5, ror #2
	mix_first_plane r7, r10
	eor	r6, r10, r6, ror #2
	eor	r6, r6, r8
	eor	r7, r8, r7, ror #2
	.endm

/*
 * void pc_aes_core_ctr(const pc_aes_keys *keys, const uint32_t iv[3], uint32_t counter, uint8_t *data, size_t blocks)
 */
	.global	pc_aes_core_ctr
	.type	pc_aes_core_ctr, %function
	.thumb_func
pc_aes_core_ctr:
	push	{r4-r11, lr}
	sub	sp, #CTR_FRAME
	ldr	r8, [r0], #4
	ldr	r9, [sp, #CTR_FRAME + 36]
	add	r8, r0, r8, lsl #5
	str	r0, [sp, #KEY]
	str	r8, [sp, #END]
	str	r3, [sp, #CTR_DATA]
	str	r9, [sp, #BLOCKS]
	ldmia	r1, {r3-r5}
	add	r8, sp, #IV
	stmia	r8, {r3-r5}
	str	r2, [sp, #CC]
	select_odd_rows r3
	movs	r4, #6
	cmp	r9, #PLAIN
	it	ls
	movls	r4, #0
	str	r4, [sp, #PAIRS]
	bls	ctr_plain

ctr_256:
	ldr	r1, [sp, #CC]
	bic	r1, r1, #255
	rev	r1, r1
	add	r8, sp, #IV
	ldmia	r8, {r3, r5, r7}
	mov	r9, r3
	mov	r3, r7
	mov	r7, r9
	shift_rows r7 r5 r3 r1 r4
	mov	r5, r4
	mov	r6, r7
	mov	r2, r3
	mov	r0, r1
	bl	transpose_words
	ldr	r12, [sp, #KEY]
	add_round_key
	bl	sub_bytes
	each	bic 0x03000000
	mix_columns 0, 8
	ldr	r12, [sp, #KEY]
	add	r12, r12, #32
	add_round_key
	add	r12, sp, #COLUMN
	.irp	r, r0, r1, r2, r3, r4, r5, r6, r7
	and	r8, \r, #0x01010101
	rsb	r8, r8, r8, lsl #8
	str	r8, [r12], #4
	.endr
	bl	sub_bytes
	each	bic 0x03030303
	mix_columns 1, 10
	ldr	r12, [sp, #KEY]
	add	r12, r12, #64
	add_round_key
	add	r12, sp, #BASE
	stmia	r12, {r0-r7}

ctr_32:
	ldr	r12, [sp, #KEY]
	ldr	r8, [sp, #CC]
	ldmia	r12, {r0-r7}
	.irp	r, r0, r1, r2, r3, r4, r5, r6, r7
	sbfx	\r, \r, #24, #1
	.endr
	mvn	r10, #0
	eor	r7, r7, #0xAAAAAAAA
	eor	r6, r6, #0xCCCCCCCC
	eor	r5, r5, #0xF0F0F0F0
	eor	r4, r4, #0xFF00FF00
	eor	r3, r3, r10, lsl #16
	sbfx	r9, r8, #5, #1
	eor	r2, r2, r9
	sbfx	r9, r8, #6, #1
	eor	r1, r1, r9
	sbfx	r9, r8, #7, #1
	eor	r0, r0, r9
	bl	sub_bytes
	add	r12, sp, #FIRST
	stmia	r12, {r0-r7}

ctr_8:
	/* The counter byte's column of MixColumns is 1 1 3 2: plane by plane, S in rows 0-2 and 2S in rows 2-3. */
	ldr	r8, [sp, #CC]
	add	r12, sp, #FIRST
	ubfx	r8, r8, #3, #2
	add	r12, r12, r8
	ldrb	r0, [r12]
	ldrb	r1, [r12, #4]
	ldrb	r2, [r12, #8]
	ldrb	r3, [r12, #12]
	ldrb	r4, [r12, #16]
	ldrb	r5, [r12, #20]
	ldrb	r6, [r12, #24]
	ldrb	r7, [r12, #28]
	movw	r8, #0x0101
	movt	r8, #0x0001
	lsl	r9, r8, #16
	mul	r10, r0, r9
	mul	r11, r1, r9
	mul	r0, r0, r8
	eors	r0, r0, r11
	mul	r11, r2, r9
	mul	r1, r1, r8
	eors	r1, r1, r11
	mul	r11, r3, r9
	mul	r2, r2, r8
	eors	r2, r2, r11
	mul	r11, r4, r9
	mul	r3, r3, r8
	eors	r3, r3, r11
	eor	r3, r3, r10
	mul	r11, r5, r9
	mul	r4, r4, r8
	eors	r4, r4, r11
	eor	r4, r4, r10
	mul	r11, r6, r9
	mul	r5, r5, r8
	eors	r5, r5, r11
	mul	r11, r7, r9
	mul	r6, r6, r8
	eors	r6, r6, r11
	eor	r6, r6, r10
	mul	r7, r7, r8
	eors	r7, r7, r10
	add	r12, sp, #COLUMN
	add_round_key
	bl	sub_bytes
	add	r12, sp, #SECOND
	stmia	r12, {r0-r7}

ctr_2:
	ldr	r9, [sp, #CC]
	add	r8, sp, #SECOND
	ldmia	r8, {r0-r7}
	and	r9, r9, #6
	.irp	r, r0, r1, r2, r3, r4, r5, r6, r7
	ror	\r, \r, r9
	.endr
	each	and 0x03030303
	mix_first_column
	add	r12, sp, #BASE
	add_round_key
	ldr	r12, [sp, #KEY]
	add	r12, r12, #96
	bl	encrypt_from_third

ctr_finish:
	ldr	r11, [sp, #BLOCKS]
	ldr	r12, [sp, #CTR_DATA]
	add_data r7 lr r3 r1
	subs	r11, #1
	beq	ctr_end
	add_data r6 r8 r2 r0
	subs	r11, #1
	beq	ctr_end
	ldr	r9, [sp, #CC]
	ldr	r4, [sp, #PAIRS]
	str	r11, [sp, #BLOCKS]
	str	r12, [sp, #CTR_DATA]
	add	r9, r9, #2
	str	r9, [sp, #CC]
	add	r11, r11, #1		/* 4, 8 ... blocks are done, and there are more */
	tst	r11, #2
	bne	1f
	report
1:	tst	r9, r4
	bne	ctr_2
	cbz	r4, ctr_plain
	tst	r9, #0x18
	bne	ctr_8
	tst	r9, #0xe0
	bne	ctr_32
	b	ctr_256

ctr_plain:
	ldr	r9, [sp, #CC]
	rev	r1, r9
	add	r9, r9, #1
	rev	r0, r9
	ldr	r7, [sp, #IV]
	ldr	r9, [sp, #IV + 4]
	ldr	r3, [sp, #IV + 8]
	mov	r6, r7
	mov	r10, r9
	mov	r2, r3
	bl	encrypt
	b	ctr_finish

ctr_end:
	add	sp, #CTR_FRAME
	pop	{r4-r11, pc}
	.size	pc_aes_core_ctr, . - pc_aes_core_ctr

#endif

	.section .note.GNU-stack, "", %progbits
