/*
 * listeners.c: who is called for which event of hal.h: functions of the I/O classes, which keep the application running
 * until they are taken away, and C (listeners.h).
 */
#include "listeners.h"

#include "hal.h"
#include "platform.h"

#include "xsmc.h"

#define LISTENERS 9u

static struct {
	xsSlot function;
	bool set;
} listeners[LISTENERS];

static pc_listener *natives;

void pc_listen(pc_listener *listener) {
	listener->again = HAL_FOREVER;
	listener->next = natives;
	natives = listener;
	hal_event_raise(listener->events);
}

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

uint64_t pc_listeners_run(void *machine, uint32_t events) {
	for (unsigned bit = 0; bit < LISTENERS; bit++) {
		if ((events >> bit & 1u) != 0 && listeners[bit].set) {
			call(machine, bit);
			pc_jobs_run(machine);
		}
	}
	uint64_t next = HAL_FOREVER;
	for (pc_listener *listener = natives; listener != NULL; listener = listener->next) {
		uint32_t pending = events & listener->events;
		if (pending != 0 || listener->again <= hal_now_us()) {
			listener->again = listener->call(listener, machine, pending);
			pc_jobs_run(machine);
		}
		next = listener->again < next ? listener->again : next;
	}
	return next;
}
