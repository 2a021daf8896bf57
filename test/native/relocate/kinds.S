/* kinds.S: one place for each kind of patch, in units that refer to each other. */
	.syntax unified
	.thumb

	.section .text.first, "ax", %progbits
	.balign 4
	.global first
	.type first, %function
	.thumb_func
first:
	push {r4, lr}
	bl second
	cmp r0, #0
	beq.w third
	nop
	movw r1, #:lower16:numbers + 6
	bl outside
	bl first
	movt r1, #:upper16:numbers + 6
	ldr r2, =numbers + 4
	ldr r3, =helper			// an address that may be kept: the veneer's
	ldr r2, =flash_data
	pop {r4, lr}
	b.w second
	.ltorg
	.balign 4
relative:
	.word numbers - .		// R_ARM_REL32
	.reloc ., R_ARM_PREL31, second
	.word 0x80000000
	.word flash_data - .
	.size first, . - first

	.section .text.second, "ax", %progbits
	.balign 8
	.global second
	.type second, %function
	.thumb_func
second:
	b.w third
	.size second, . - second

	.section .text.third, "ax", %progbits
	.type third, %function
	.thumb_func
third:
	bne.w second
	bx lr
	nop
	.size third, . - third

/* Constants among code: a unit as well. A carry goes from the lower to the upper half wherever 64 KB begin. */
	.section .text.numbers, "ax", %progbits
	.balign 64
numbers:
	.word 1, 2, numbers + 8, 4
	.space 48

	.section .text.helper, "ax", %progbits
	.type helper, %function
	.thumb_func
helper:
	bx lr
	.size helper, . - helper

	.section .text.never, "ax", %progbits
	.type never, %function
	.thumb_func
never:
	bl first
	bx lr
	.size never, . - never

	.section .rodata.flash_data, "a", %progbits
	.balign 4
	.global flash_data
flash_data:
	.word helper, second
