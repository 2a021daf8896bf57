/*
 * rv32.S: start-up of rv32.c, and the way between the machine's mode, where the relocator is, and the user's, where all else
 * runs.
 */
	.option norelax
	.option arch, +zicsr

	.section .text.first, "ax", %progbits
	.global _start
_start:
	la sp, __machine_stack_top
	la t0, trap
	csrw mtvec, t0
	call machine_main
1:	j 1b

/* uint32_t enter(context *c): goes on with what stands still in c, until a trap; its cause. c: x1 to x31 at 4, then at 128 pc,
 * our sp, mstatus. */
	.section .text.enter, "ax", %progbits
	.global enter
	.type enter, %function
	.balign 4
enter:
	addi sp, sp, -64
	sw ra, 0(sp)
	sw s0, 4(sp)
	sw s1, 8(sp)
	sw s2, 12(sp)
	sw s3, 16(sp)
	sw s4, 20(sp)
	sw s5, 24(sp)
	sw s6, 28(sp)
	sw s7, 32(sp)
	sw s8, 36(sp)
	sw s9, 40(sp)
	sw s10, 44(sp)
	sw s11, 48(sp)
	sw sp, 132(a0)
	lw t0, 128(a0)
	csrw mepc, t0
	lw t0, 136(a0)
	csrw mstatus, t0
	csrw mscratch, a0
	.irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	lw x\n, 4 * \n(a0)
	.endr
	lw a0, 40(a0)
	mret

	.balign 4
trap:
	csrrw a0, mscratch, a0
	.irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	sw x\n, 4 * \n(a0)
	.endr
	csrr t0, mscratch
	sw t0, 40(a0)
	csrr t0, mepc
	sw t0, 128(a0)
	lw sp, 132(a0)
	lw ra, 0(sp)
	lw s0, 4(sp)
	lw s1, 8(sp)
	lw s2, 12(sp)
	lw s3, 16(sp)
	lw s4, 20(sp)
	lw s5, 24(sp)
	lw s6, 28(sp)
	lw s7, 32(sp)
	lw s8, 36(sp)
	lw s9, 40(sp)
	lw s10, 44(sp)
	lw s11, 48(sp)
	addi sp, sp, 64
	csrr a0, mcause
	ret

/* Where a function that was called from outside comes back to. */
	.section .text.leave, "ax", %progbits
	.global leave
	.type leave, %function
	.balign 4
leave:
	ecall
	.size leave, . - leave
