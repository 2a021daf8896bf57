/* kinds-rv32.S: one place for each kind of patch, in units that refer to each other. */
	.option norelax

	.section .text.first, "ax", %progbits
	.balign 4
	.global first
	.type first, %function
first:
	call second
	jal third
	beqz a0, 1f
	j 1f
	nop
1:	lui a0, %hi(numbers + 6)
	addi a0, a0, %lo(numbers + 6)
	lui a1, %hi(numbers + 8)
	sw a0, %lo(numbers + 8)(a1)
	j 3f
2:	lw a2, %pcrel_lo(3f)(a2)	// before its upper part
	sw a2, %pcrel_lo(3f)(a2)
	j 4f
3:	auipc a2, %pcrel_hi(numbers + 4)
	j 2b
4:	auipc a3, %pcrel_hi(flash_data)
	lw a3, %pcrel_lo(4b)(a3)
	la a4, helper			// an address that may be kept: the veneer's
	lui a5, %hi(helper)
	addi a5, a5, %lo(helper)
	call outside
	call first
	tail second
	.balign 4
relative:
	.word numbers - .		// R_RISCV_ADD32, R_RISCV_SUB32
	.word numbers + 4 - relative
	.word flash_data - .
	.word 1b - first		// the same wherever it is
	.word relative + 2
	.size first, . - first

	.section .text.second, "ax", %progbits
	.balign 8
	.global second
	.type second, %function
second:
	j third
	.balign 4
	.reloc ., R_RISCV_32_PCREL, third
	.word 0
	.size second, . - second

	.section .text.third, "ax", %progbits
	.type third, %function
third:
	bnez a0, third
	tail second
	c.nop
	.size third, . - third

/* Constants among code: a unit as well. */
	.section .text.numbers, "ax", %progbits
	.balign 64
numbers:
	.word 1, 2, numbers + 8, 4
	.space 48

	.section .text.helper, "ax", %progbits
	.type helper, %function
helper:
	ret
	.size helper, . - helper

	.section .text.never, "ax", %progbits
	.type never, %function
never:
	call first
	ret
	.size never, . - never

	.section .rodata.flash_data, "a", %progbits
	.balign 4
	.global flash_data
flash_data:
	.word helper, second
