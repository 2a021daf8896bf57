/*
 * fault.c: a fault becomes a record that survives the reset which follows, and a line on the console.
 *
 * The handler leaves the stack it came from at once: that stack may be what overflowed.
 */
#include "cortex-m.h"
#include "hal.h"
#include "moving.h"
#include "reset.h"

#include <stdbool.h>
#include <string.h>

#define FAULT_STACK_WORDS 256u

uint32_t pc_fibre_limit;

static uint32_t fault_stack[FAULT_STACK_WORDS] __attribute__((section(".noinit"), aligned(8), used));

extern uint8_t __stack_limit[], __ram_end[];

/* An access up to so far below the stack is taken for an overflow of it. */
#define GUARD 0x10000u

/* The registers that an exception pushes (DDI 0403, B1.5.6). */
typedef struct {
	uint32_t r0, r1, r2, r3, r12, lr, pc, psr;
} pushed_registers;

_Noreturn void pc_fault(const pushed_registers *pushed, const uint32_t *rest);

__attribute__((naked)) void pc_fault_handler(void) {
	__asm__ volatile("tst lr, #4\n\t"
					 "ite eq\n\t"
					 "mrseq r0, msp\n\t"
					 "mrsne r0, psp\n\t"
					 "ldr r1, =fault_stack + 1024\n\t"
					 "mov sp, r1\n\t"
					 "push {r4-r11}\n\t"
					 "mov r1, sp\n\t"
					 "bl pc_fault\n\t"
					 ".ltorg");
}

/* Was the fibre running, and has it run over its stack? */
static bool fibre_overflow(uint32_t frame) {
	uint32_t psp;
	__asm__ volatile("mrs %0, psp" : "=r"(psp));
	return frame == psp && frame < pc_fibre_limit;
}

static pc_reset_reason reason_of(uint32_t exception, uint32_t cfsr, uint32_t address, uint32_t frame) {
	uint32_t limit = (uint32_t)(uintptr_t)__stack_limit;
	bool in_guard = (cfsr & PC_CFSR_MMARVALID) != 0 && address < limit && address >= limit - GUARD;
	if (in_guard || (cfsr & PC_CFSR_MSTKERR) != 0 || fibre_overflow(frame)) {
		return PC_RESET_STACK_OVERFLOW;
	}
	switch (exception) {
	case 2:
		return PC_RESET_WATCHDOG; /* the boards wire nothing else to NMI */
	case 4:
		return PC_RESET_MEMORY_FAULT;
	case 5:
		return PC_RESET_BUS_FAULT;
	case 6:
		return PC_RESET_USAGE_FAULT;
	default:
		return PC_RESET_HARD_FAULT;
	}
}

/* A place that code has left, or where nobody may write or run: an exploit that failed, or code that holds an old address. */
static bool of_moving_code(const pc_reset_record *record) {
	return pc_moving_covers(record->pc) || pc_moving_covers(record->address);
}

_Noreturn void pc_fault(const pushed_registers *pushed, const uint32_t *rest) {
	uint32_t exception;
	__asm__ volatile("mrs %0, ipsr" : "=r"(exception));
	uint32_t cfsr = PC_SCB_CFSR;
	uint32_t hfsr = PC_SCB_HFSR;
	uint32_t address = (cfsr & PC_CFSR_MMARVALID) != 0   ? PC_SCB_MMFAR
					   : (cfsr & PC_CFSR_BFARVALID) != 0 ? PC_SCB_BFAR
														 : 0u;
	uintptr_t frame = (uintptr_t)pushed;
	pc_reset_record *record = pc_reset_prepare(reason_of(exception, cfsr, address, (uint32_t)frame), "");
	record->sp = (uint32_t)frame;
	record->cfsr = cfsr;
	record->hfsr = hfsr;
	record->address = address;
	/* Registers that could not be pushed are not there to be read. */
	if ((cfsr & PC_CFSR_MSTKERR) == 0 && frame % 4 == 0 && frame >= (uintptr_t)__stack_limit &&
		frame + sizeof *pushed <= (uintptr_t)__ram_end) {
		record->pc = pushed->pc;
		record->lr = pushed->lr;
		record->psr = pushed->psr;
		record->r[0] = pushed->r0;
		record->r[1] = pushed->r1;
		record->r[2] = pushed->r2;
		record->r[3] = pushed->r3;
		record->r[12] = pushed->r12;
	}
	for (unsigned i = 0; i < 8; i++) {
		record->r[4 + i] = rest[i];
	}
	if (of_moving_code(record)) {
		strncpy(record->message, "at the place of code that moves", sizeof record->message - 1);
	}
	pc_reset_commit(record);
}
