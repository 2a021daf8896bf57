/* violations.c: what no firmware may do, done on purpose, each to see its fault recorded. */
#include <stdint.h>

#include "xsmc.h"

/* Writes where code lies. */
void xs_violate_write_code(xsMachine *the) {
	(void)the;
	volatile uint32_t *code = (volatile uint32_t *)((uintptr_t)&xs_violate_write_code & ~(uintptr_t)3);
	*code = 0;
}

/* Jumps into RAM. */
void xs_violate_execute_data(xsMachine *the) {
	(void)the;
	static uint16_t code[2] = {0x4770, 0x4770}; /* bx lr */
	((void (*)(void))((uintptr_t)code | 1))();
}

/* Reads through a null pointer. */
void xs_violate_read_null(xsMachine *the) {
	volatile uint32_t *volatile null = (volatile uint32_t *)(uintptr_t)4;
	xsmcSetInteger(xsResult, (xsIntegerValue)*null);
}

/* Touches an address where nothing is. */
void xs_violate_read_nowhere(xsMachine *the) {
	volatile uint32_t *volatile nowhere = (volatile uint32_t *)(uintptr_t)0x30000000u;
	xsmcSetInteger(xsResult, (xsIntegerValue)*nowhere);
}

static int descend(volatile int depth) {
	volatile int frame[16];
	frame[depth & 15] = depth;
	return depth < 0 ? 0 : descend(depth + 1) + frame[depth & 15];
}

/* Runs out of C stack where XS does not check. */
void xs_violate_overflow(xsMachine *the) {
	xsmcSetInteger(xsResult, descend(0));
}

/* Executes an undefined instruction. */
void xs_violate_undefined(xsMachine *the) {
	(void)the;
	__builtin_trap();
}
