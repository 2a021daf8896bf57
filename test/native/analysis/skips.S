/*
 * skips.S: routines for leaving out each instruction in turn; test/unit/analysis.test.ts knows what each then returns.
 */
	.syntax unified
	.cpu cortex-m4
	.thumb

	.macro routine name
	.section .text.\name, "ax", %progbits
	.global \name
	.type \name, %function
	.balign 4
\name:
	.endm

	/* The state of an IT block goes on over what is left out: 1, 2 and 8 are added where R0 is 1, else 4. */
	routine in_block
	movs r1, #0
	cmp r0, #1
	ittet eq
	addeq r1, #1
	addeq.w r1, r1, #2
	addne r1, #4
	addeq r1, #8
	mov r0, r1
	bx lr

	/* Never ends without the subtraction. */
	routine counted
	movs r1, #3
1:	subs r1, #1
	bne 1b
	movs r0, #1
	bx lr

	/* Reads from nowhere if the good address does not come, and sleeps if the branch does not. */
	routine dangerous
	mov r1, #0xC0000000
	mov r1, r0
	ldr r0, [r1]
	b 1f
	wfi
1:	bx lr

	/* Counts in memory, and writes over `number` if R1 does not become R0: each run must find things as they were. */
	routine writes
	ldr r1, =number
	mov r1, r0
	movs r2, #90
	str r2, [r1]
	ldr r1, =counter
	ldr r2, [r1]
	adds r2, #1
	str r2, [r1]
	ldr r1, =number
	ldr r0, [r1]
	add r0, r2
	bx lr
	.ltorg

	/* Writes into the image's code if R1 does not become R0. */
	routine writes_code
	ldr r1, =writes
	mov r1, r0
	str r0, [r1]
	bx lr
	.ltorg

	.section .bss.counter, "aw", %nobits
	.global counter
	.type counter, %object
	.balign 4
counter:
	.space 4
	.size counter, 4

	.section .data.number, "aw", %progbits
	.type number, %object
	.balign 4
number:
	.word 10
	.size number, 4

	.section .note.GNU-stack, "", %progbits
