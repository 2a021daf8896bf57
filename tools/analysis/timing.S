/*
 * timing.S: short sequences whose cycles model.ts has computed by hand. The last instruction of each goes back to the caller;
 * R0 is the address of 64 bytes.
 */
	.syntax unified
	.cpu cortex-m4
	.fpu fpv4-sp-d16
	.thumb

	.macro routine name
	.section .text.\name, "ax", %progbits
	.global \name
	.type \name, %function
	.balign 4
\name:
	.endm

	routine plain
	mov r1, #1
	add.w r2, r1, #2
	lsls r3, r1, #3
	bx lr

	routine loads_in_a_row
	ldr r1, [r0]
	ldr r2, [r0, #4]
	ldrb.w r3, [r0, #8]
	bx lr

	routine load_alone
	ldr r1, [r0]
	nop
	ldr r2, [r0, #4]
	bx lr

	routine load_of_address
	str r0, [r0]
	nop
	ldr r1, [r0]
	ldr r2, [r1]
	bx lr

	routine load_by_index
	mov r1, #4
	ldr r2, [r0, r1]
	ldrh r3, [r0, r1]
	bx lr

	routine load_of_index
	mov r1, #0
	str r1, [r0]
	nop
	ldr r1, [r0]
	ldr r2, [r0, r1]
	bx lr

	routine load_of_literal
	ldr r1, =0x12345678
	nop
	bx lr
	.ltorg

	routine stores
	str r1, [r0]
	str r1, [r0, #4]
	strb r1, [r0, #8]
	bx lr

	routine store_then_load
	str r1, [r0]
	ldr r2, [r0, #4]
	bx lr

	routine load_then_store
	ldr r1, [r0]
	str r1, [r0, #4]
	bx lr

	routine unaligned
	ldr r1, [r0, #2]
	nop
	ldr r1, [r0, #1]
	nop
	ldrh r1, [r0, #1]
	nop
	str r1, [r0, #3]
	bx lr

	routine push_and_pop
	push {r4, r5, r6, r7, lr}
	pop {r4, r5, r6, r7, pc}

	routine push_and_pop_high
	push {r4, r8, r9, lr}
	pop {r4, r8, r9, pc}

	routine multiple
	ldm r0, {r1, r2, r3}
	stm r0, {r1, r2}
	ldmia.w r0!, {r1, r2, r3, r12}
	bx lr

	routine double
	ldrd r1, r2, [r0]
	strd r1, r2, [r0, #8]
	bx lr

	routine divisions
	mov r1, #7
	udiv r2, r1, r1
	sdiv r3, r1, r1
	bx lr

	routine multiplications
	mul r1, r2, r3
	mla r1, r2, r3, r1
	umull r1, r2, r3, r12
	umlal r1, r2, r3, r12
	umaal r1, r2, r3, r12
	smull r1, r2, r3, r12
	bx lr

	/* Taken twice, then not. */
	routine loop
	movs r1, #3
1:	subs r1, #1
	bne 1b
	bx lr

	routine compare_and_branch
	movs r1, #0
	cbnz r1, 1f
	cbz r1, 1f
	nop
1:	bx lr

	routine call
	mov r12, lr
	bl leaf
	bx r12
leaf:
	bx lr

	routine table_branch
	movs r1, #1
	tbb [pc, r1]
0:	.byte (1f - 0b) / 2, (2f - 0b) / 2
1:	nop
2:	bx lr

	routine conditional
	cmp r0, r0
	ite eq
	moveq r1, #1
	movne r1, #2
	bx lr

	routine conditional_load
	cmp r0, r0
	it eq
	ldreq r1, [r0]
	bx lr

	routine conditional_load_not
	cmp r0, r0
	it ne
	ldrne r1, [r0]
	bx lr

	/* A load that does not take place is none that the next one could follow. */
	routine load_behind_none
	cmp r0, r0
	it ne
	ldrne r1, [r0]
	ldr r2, [r0]
	bx lr

	routine exclusive
	ldrex r1, [r0]
	strex r2, r1, [r0]
	bx lr

	routine floating_point
	vldr s0, [r0]
	vldr d1, [r0, #8]
	vmov s1, r1
	vmov r1, r2, s2, s3
	vadd.f32 s4, s0, s0
	vsub.f32 s4, s0, s0
	vmul.f32 s4, s0, s0
	vneg.f32 s4, s0
	vcmp.f32 s4, s0
	vmrs APSR_nzcv, fpscr
	bx lr

	routine floating_point_long
	vmla.f32 s4, s0, s0
	vfma.f32 s4, s0, s0
	vfnms.f32 s4, s0, s0
	vnmla.f32 s4, s0, s0
	vdiv.f32 s4, s0, s0
	vsqrt.f32 s4, s0
	bx lr

	routine floating_point_multiple
	vldm r0, {s0-s3}
	vpush {d8, d9}
	vpop {d8, d9}
	vstr s0, [r0]
	vstr d0, [r0]
	bx lr

	routine hints
	pld [r0]
	nop
	dsb
	bx lr

	/* The one before the last crosses a page of QEMU's, of 1 KB. */
	.section .text.across_pages, "ax", %progbits
	.balign 1024
	.space 1016
	.global across_pages
	.type across_pages, %function
across_pages:
	movs r1, #1
	movs r2, #2
	ldr r3, [r0]
	ldr.w r1, [r0, #4]
	bx lr

	/* What lies between the two marks costs 2 + 1, twice. */
	routine marked
	movs r2, #2
1:	nop
	.global mark_from
	.type mark_from, %function
mark_from:
	ldr r1, [r0]
	ldr r3, [r0]
	.global mark_to
	.type mark_to, %function
mark_to:
	subs r2, #1
	bne 1b
	bx lr

	.section .note.GNU-stack, "", %progbits
