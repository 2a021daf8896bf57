/*
 * cortex-m4.c: the cost of each instruction (cortex-m4.h), from its encoding (ARMv7-M Architecture Reference Manual, A5).
 */
#include "cortex-m4.h"

#include <string.h>

#define NONE (-1)
#define SP 13u
#define PC 15u

static unsigned registers(unsigned list) {
	return (unsigned)__builtin_popcount(list & 0xFFFFu);
}

static pc_cost plain(unsigned cycles) {
	return (pc_cost){(uint8_t)cycles, PC_COST_PLAIN, false, NONE, NONE, NONE};
}

static pc_cost memory(unsigned cycles) {
	return (pc_cost){(uint8_t)cycles, PC_COST_MEMORY, false, NONE, NONE, NONE};
}

static pc_cost single(bool load, unsigned target, unsigned base, int index) {
	if (load)
		return (pc_cost){2, PC_COST_LOAD, false, (int8_t)target, (int8_t)base, (int8_t)index};
	return (pc_cost){1, PC_COST_STORE, false, NONE, (int8_t)base, (int8_t)index};
}

static pc_cost short_cost(unsigned w) {
	if (w >> 11 == 0x09) /* LDR from a literal */
		return single(true, w >> 8 & 7, PC, NONE);
	if (w >> 12 == 0x5) /* register offset: STR, STRH, STRB, then loads */
		return single((w >> 9 & 7) >= 3, w & 7, w >> 3 & 7, (int)(w >> 6 & 7));
	if (w >> 13 == 0x3 || w >> 12 == 0x8) /* immediate offset */
		return single(w >> 11 & 1, w & 7, w >> 3 & 7, NONE);
	if (w >> 12 == 0x9) /* from SP */
		return single(w >> 11 & 1, w >> 8 & 7, SP, NONE);
	if ((w & 0xF600) == 0xB400) /* PUSH, POP */
		return memory(1 + registers(w & 0x1FF));
	if (w >> 12 == 0xC) /* STM, LDM */
		return memory(1 + registers(w & 0xFF));
	if (w >> 8 == 0xBF && (w & 15)) /* IT: folded into the instruction before it */
		return plain(0);
	return plain(1);
}

/* LDRD and STRD; exclusive accesses; TBB and TBH. */
static pc_cost double_cost(unsigned a, unsigned b) {
	if ((a & 0xFFF0) == 0xE8D0 && (b & 0xE0) == 0)
		return memory(2); /* TBB, TBH: and the reload */
	return memory(a & 0x0120 ? 3 : 2);
}

static pc_cost fpu_transfer_cost(unsigned a, unsigned b) {
	if ((a & 0x01E0) == 0x0040)
		return plain(2); /* VMOV of two registers */
	if ((a & 0x0120) == 0x0100)
		return memory(b & 0x100 ? 3 : 2); /* VLDR, VSTR */
	return memory(1 + (b & 0xFF));        /* VLDM, VSTM, VPUSH, VPOP: counts words */
}

static pc_cost fpu_data_cost(unsigned a, unsigned b) {
	if (b & 0x10)
		return plain(1); /* VMOV of one register, VMRS, VMSR */
	switch (a >> 4 & 0xB) {
	case 0x0: /* VMLA, VMLS */
	case 0x1: /* VNMLA, VNMLS */
	case 0x9: /* VFNMA, VFNMS */
	case 0xA: /* VFMA, VFMS */
		return plain(3);
	case 0x8: /* VDIV */
		return plain(14);
	case 0xB: /* VSQRT, and much that takes 1 */
		return plain((a & 15) == 1 && (b & 0xC0) == 0xC0 ? 14 : 1);
	default:
		return plain(1);
	}
}

static pc_cost long_cost(unsigned a, unsigned b) {
	if ((a & 0xFE40) == 0xE800) /* LDM, STM, and PUSH and POP of high registers */
		return memory(1 + registers(b));
	if ((a & 0xFE40) == 0xE840)
		return double_cost(a, b);
	if ((a & 0xFE00) == 0xF800) {
		bool load = a >> 4 & 1, shifted = !(a & 0x80) && !(b & 0xFC0);
		if (load && b >> 12 == PC && (a & 0x60) != 0x40)
			return plain(1); /* PLD and PLI do nothing */
		return single(load, b >> 12, a & 15, shifted && (a & 15) != PC ? (int)(b & 15) : NONE);
	}
	if ((a & 0xFFD0) == 0xFB90) {
		pc_cost cost = plain(6);
		cost.divides = true;
		return cost;
	}
	if ((b & 0x0E00) == 0x0A00 && (a & 0xFE00) == 0xEC00)
		return fpu_transfer_cost(a, b);
	if ((b & 0x0E00) == 0x0A00 && (a & 0xFF00) == 0xEE00)
		return fpu_data_cost(a, b);
	return plain(1);
}

uint8_t pc_instruction_size(const uint8_t *code) {
	uint16_t first;
	memcpy(&first, code, sizeof first);
	return first >= 0xE800 ? 4 : 2;
}

pc_cost pc_instruction_cost(const uint8_t *code) {
	uint16_t w[2] = {0, 0};
	size_t size = pc_instruction_size(code);
	memcpy(w, code, size);
	return size == 2 ? short_cost(w[0]) : long_cost(w[0], w[1]);
}

/* "If the next instruction is an LDR or STR, and the destination of the first LDR is not used to compute the address for
 * the next instruction, then one cycle is removed from the cost of the next instruction"; a store costs 1 in any case. */
bool pc_load_pipelines(const pc_cost *load, const pc_cost *before, bool stores) {
	if (load->kind != PC_COST_LOAD)
		return false;
	if (before->kind == PC_COST_STORE)
		return stores;
	return before->kind == PC_COST_LOAD && before->target != load->base && before->target != load->index;
}

unsigned pc_unaligned_cost(uint64_t address, unsigned size) {
	if (size == 4)
		return address & 1 ? 2 : (address & 2) >> 1;
	return size == 2 ? (unsigned)(address & 1) : 0;
}
