/*
 * stack.S: routines that use a known amount of stack.
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

	/* 20 bytes of registers, and 100 of which only the last word is written. */
	routine frame
	push {r4, r5, r6, r7, lr}
	sub sp, #100
	str r4, [sp]
	add sp, #100
	pop {r4, r5, r6, r7, pc}

	/* 16 bytes for each of R0 levels. */
	routine deep
	push {r4, r5, r6, lr}
	subs r0, #1
	it ne
	blne deep
	pop {r4, r5, r6, pc}

	.section .note.GNU-stack, "", %progbits
