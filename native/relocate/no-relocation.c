/*
 * no-relocation.c: the provider of relocation where no code moves: on a board that can't, or in a build that doesn't. It does
 * nothing and says so, in JavaScript and in evidence: "none".
 */
#include "moving.h"

#include "build.h"

#if !PC_BUILD_MOVES

pc_moving pc_moving_state(void) {
	return (pc_moving){.status = PC_MOVING_FIXED, .module = true};
}

#endif
