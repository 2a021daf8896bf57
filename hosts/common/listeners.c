/*
 * listeners.c: who is called for which event of hal.h. A listener is a function of one of the I/O classes; it keeps the
 * application running until it is taken away.
 */
#include "hal.h"
#include "platform.h"

#include "xsmc.h"

#define LISTENERS 9u

static struct {
	xsSlot function;
	bool set;
} listeners[LISTENERS];

/* (event bit 0..8, function or undefined) */
void xs_listen(xsMachine *the) {
	xsIntegerValue bit = xsmcToInteger(xsArg(0));
	if (bit < 0 || bit >= (xsIntegerValue)LISTENERS) {
		xsRangeError("no event %d", (int)bit);
	}
	if (listeners[bit].set) {
		xsForget(listeners[bit].function);
		listeners[bit].set = false;
		pc_release();
	}
	if (xsmcArgc > 1 && xsmcTypeOf(xsArg(1)) == xsReferenceType) {
		listeners[bit].function = xsArg(1);
		xsRemember(listeners[bit].function);
		listeners[bit].set = true;
		pc_hold();
		/* What arrived before there was a listener is an event for it too. */
		hal_event_raise(1u << bit);
	}
}

/* In a function of its own: xsTry is a setjmp, and a loop's variables would not survive it. */
static void call(xsMachine *machine, unsigned bit) {
	xsBeginHost(machine);
	xsmcVars(1);
	xsTry {
		xsVar(0) = listeners[bit].function;
		xsCallFunction0(xsVar(0), xsGlobal);
	}
	xsCatch {
		pc_uncaught(the, false);
	}
	xsEndHost();
}

void pc_listeners_run(void *machine, uint32_t events) {
	for (unsigned bit = 0; bit < LISTENERS; bit++) {
		if ((events >> bit & 1u) != 0 && listeners[bit].set) {
			call(machine, bit);
			pc_jobs_run(machine);
		}
	}
}
