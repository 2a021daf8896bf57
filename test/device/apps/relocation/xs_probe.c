/* xs_probe.c: what somebody could try who can write anywhere and jump anywhere. */
#include "build.h"
#include "xsmc.h"

#include <stdint.h>

#if PC_BUILD_MOVES
#include "arena.h"

extern uint32_t pc_dispatch[], __relocatable_start[];

static uintptr_t address_of(xsIntegerValue what) {
	switch (what) {
	case 0: /* the running half */
		return pc_arena_relocator.half_address[pc_arena_relocator.running];
	case 1: /* the empty one */
		return pc_arena_relocator.half_address[1 - pc_arena_relocator.running];
	case 2:
		return (uintptr_t)pc_dispatch;
	case 3:
		return (uintptr_t)&pc_arena_relocator;
	case 4:
		return (uintptr_t)__relocatable_start;
	default: /* a function */
		return pc_dispatch[0] & ~1u;
	}
}
#else
static uintptr_t address_of(xsIntegerValue what) {
	(void)what;
	return 0;
}
#endif

void xs_probe_address(xsMachine *the) {
	xsmcSetNumber(xsResult, (xsNumberValue)address_of(xsmcToInteger(xsArg(0))));
}

void xs_probe_write(xsMachine *the) {
	*(volatile uint32_t *)(uintptr_t)xsmcToNumber(xsArg(0)) = 0;
}

void xs_probe_jump(xsMachine *the) {
	((void (*)(void))((uintptr_t)xsmcToNumber(xsArg(0)) | 1u))();
}
