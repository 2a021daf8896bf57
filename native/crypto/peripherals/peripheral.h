/*
 * peripheral.h: what all engines over a peripheral have in common.
 *
 * A peripheral is never taken at its word. It must pass a known-answer test before it is used; of what it computes a part
 * is computed by the software engine as well, before any of it is used; and it has a bounded time to answer. What fails one
 * of these isn't used again until the device restarts, and pc_crypto_failed() says so. Whenever the peripheral can't or may
 * not, the software engine does the work: the result is the same.
 */
#ifndef PERICARD_PERIPHERALS_PERIPHERAL_H
#define PERICARD_PERIPHERALS_PERIPHERAL_H

#include "../kernels/verdict.h"
#include "../selftest.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef enum {
	PC_PERIPHERAL_OK = 0,
	PC_PERIPHERAL_UNSUPPORTED, /* the board has none, or none for a key of this size */
	PC_PERIPHERAL_BUSY,        /* somebody else has it, or took it in the midst: nothing is wrong with it */
	PC_PERIPHERAL_SILENT,      /* no end within a time that is always enough */
	PC_PERIPHERAL_WRONG,       /* what it computed is not what the software computes */
} pc_peripheral_status;

/* What is known of a peripheral since the device started. One static variable an engine, from 0 on. */
typedef enum {
	PC_PERIPHERAL_UNTESTED = 0,
	PC_PERIPHERAL_WORKS,
	PC_PERIPHERAL_FAILED, /* for good */
} pc_peripheral_state;

/* Takes note of what an operation came to. */
static inline void pc_peripheral_note(pc_peripheral_state *state, pc_engine engine, pc_peripheral_status status) {
	if (status == PC_PERIPHERAL_SILENT || status == PC_PERIPHERAL_WRONG) {
		*state = PC_PERIPHERAL_FAILED;
		pc_engine_fail(engine);
	}
}

/* May it be used? Runs its known-answer test if that hasn't been done. One that is busy meanwhile is asked again next time. */
static inline bool pc_peripheral_usable(
	pc_peripheral_state *state, pc_engine engine, pc_peripheral_status (*test)(void)) {
	if (*state == PC_PERIPHERAL_UNTESTED) {
		pc_peripheral_status status = test();
		pc_peripheral_note(state, engine, status);
		if (status == PC_PERIPHERAL_OK) {
			*state = PC_PERIPHERAL_WORKS;
		}
	}
	return *state == PC_PERIPHERAL_WORKS;
}

#endif
