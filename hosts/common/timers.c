/*
 * timers.c: the natives of module "timer" and the part of the event loop that runs them.
 *
 * Timers are few, so a list in order of creation is searched; a timer is remembered (kept from collection) while it is
 * scheduled. Intervals are in milliseconds, with fractions: a repeating timer keeps its own raster and does not drift.
 * One that takes longer than its interval falls behind its raster, but holds up neither the other timers nor events.
 */
#include "hal.h"
#include "platform.h"

#include "xs-platform.h"
#include "xsmc.h"

typedef struct timer {
	struct timer *next;
	uint64_t when;
	uint64_t interval; /* microseconds; 0: once */
	uint32_t pass;     /* of pc_timers_run that it ran in last */
	bool scheduled;
	bool cleared;
	xsSlot self;
	xsSlot callback;
} timer;

static timer *timers;
static uint32_t pass;

static void destroyed(void *data) {
	/* A scheduled timer is remembered, so only a cleared or finished one comes here; timers_sweep has taken it. */
	(void)data;
}

static uint64_t to_us(xsMachine *the, xsNumberValue ms) {
	if (!(ms >= 0)) {
		ms = 0;
	}
	if (ms > 4e12) {
		xsRangeError("interval is out of range (0 to 4e12 ms)");
	}
	return (uint64_t)(ms * 1000.0 + 0.5);
}

/* A repetition that rounds to no time at all would be none. */
static uint64_t to_interval(xsMachine *the, xsNumberValue ms) {
	uint64_t us = to_us(the, ms);
	return us == 0 && ms > 0 ? 1 : us;
}

/* The data of a timer object, NULL when it is cleared or has run. Throws a TypeError for anything else. */
static timer *data_of(xsMachine *the, xsSlot *slot) {
	xsDestructor volatile destructor = NULL; /* kept across the setjmp of xsTry */
	if (xsmcTypeOf(*slot) == xsReferenceType) {
		xsTry {
			destructor = xsGetHostDestructor(*slot);
		}
		xsCatch {
			/* no host object at all */
		}
	}
	if (destructor != destroyed) {
		xsTypeError("no timer");
	}
	return xsmcGetHostData(*slot);
}

static timer *timer_of(xsMachine *the, xsSlot *slot) {
	timer *found = data_of(the, slot);
	if (found == NULL) {
		xsTypeError("timer is cleared or has run");
	}
	return found;
}

static void schedule(timer *t, uint64_t delay, uint64_t interval) {
	t->when = hal_now_us() + delay;
	t->interval = interval;
	if (!t->scheduled) {
		t->scheduled = true;
		pc_hold();
	}
}

static void unschedule(timer *t) {
	if (t->scheduled) {
		t->scheduled = false;
		pc_release();
	}
}

/* Forgets a timer; its memory goes at the next sweep, since the loop may stand on it. */
static void clear(xsMachine *the, timer *t) {
	if (!t->cleared) {
		unschedule(t);
		t->cleared = true;
		xsmcSetHostData(t->self, NULL);
		xsForget(t->self);
		xsForget(t->callback);
	}
}

static xsNumberValue optional_number(xsMachine *the, xsIntegerValue index, xsNumberValue otherwise) {
	return xsmcArgc > index && xsmcTypeOf(xsArg(index)) != xsUndefinedType ? xsmcToNumber(xsArg(index)) : otherwise;
}

/* (callback, delay ms, repeat ms or undefined) -> timer */
void xs_timer_set(xsMachine *the) {
	if (xsmcArgc < 1 || xsmcTypeOf(xsArg(0)) != xsReferenceType || !xsmcIsInstanceOf(xsArg(0), xsFunctionPrototype)) {
		xsTypeError("callback is no function");
	}
	uint64_t delay = to_us(the, optional_number(the, 1, 0));
	uint64_t interval = to_interval(the, optional_number(the, 2, 0));
	timer *t = pc_calloc(1, sizeof *t);
	if (t == NULL) {
		xsUnknownError("no memory for a timer");
	}
	xsmcVars(1);
	xsVar(0) = xsNewHostObject(destroyed);
	xsmcSetHostData(xsVar(0), t);
	t->self = xsVar(0);
	t->callback = xsArg(0);
	xsRemember(t->self);
	xsRemember(t->callback);
	timer **last = &timers;
	while (*last != NULL) {
		last = &(*last)->next;
	}
	*last = t;
	schedule(t, delay, interval);
	xsResult = xsVar(0);
}

/* (timer, delay ms or undefined, repeat ms or undefined); without a delay the timer stops until scheduled again */
void xs_timer_schedule(xsMachine *the) {
	timer *t = timer_of(the, &xsArg(0));
	if (xsmcArgc < 2 || xsmcTypeOf(xsArg(1)) == xsUndefinedType) {
		unschedule(t);
		return;
	}
	uint64_t delay = to_us(the, xsmcToNumber(xsArg(1)));
	uint64_t interval = to_interval(the, optional_number(the, 2, 0));
	/* The conversions may have run code that cleared the timer. */
	schedule(timer_of(the, &xsArg(0)), delay, interval);
}

/* (timer or undefined or null) */
void xs_timer_clear(xsMachine *the) {
	if (xsmcArgc < 1 || xsmcTypeOf(xsArg(0)) == xsUndefinedType || xsmcTypeOf(xsArg(0)) == xsNullType) {
		return;
	}
	timer *t = data_of(the, &xsArg(0));
	if (t != NULL) {
		clear(the, t);
	}
}

/* (ms): sleeps, and lets nothing else run */
void xs_timer_delay(xsMachine *the) {
	uint64_t until = hal_now_us() + to_us(the, optional_number(the, 0, 0));
	uint32_t events = 0;
	while (hal_now_us() < until) {
		hal_idle(until);
		events |= hal_events_take(); /* nobody sleeps while one is pending */
	}
	hal_event_raise(events); /* for the loop */
}

static void sweep(void) {
	timer **link = &timers;
	while (*link != NULL) {
		timer *t = *link;
		if (t->cleared) {
			*link = t->next;
			pc_free(t);
		} else {
			link = &t->next;
		}
	}
}

static void fire(xsMachine *machine, timer *t) {
	xsBeginHost(machine);
	xsmcVars(2);
	xsTry {
		xsVar(0) = t->self;
		xsVar(1) = t->callback;
		if (t->interval > 0) {
			t->when += t->interval;
		} else {
			unschedule(t);
		}
		xsCallFunction1(xsVar(1), xsVar(0), xsVar(0));
		if (!t->scheduled && !t->cleared && t->interval == 0) {
			clear(the, t);
		}
	}
	xsCatch {
		pc_uncaught(the, false);
	}
	xsEndHost();
}

/* The timer that is due first at `now` and has not run in this pass, of equals the older one; NULL when none is due. */
static timer *first_due(uint64_t now) {
	timer *first = NULL;
	for (timer *t = timers; t != NULL; t = t->next) {
		if (t->scheduled && t->when <= now && t->pass != pass && (first == NULL || t->when < first->when)) {
			first = t;
		}
	}
	return first;
}

uint64_t pc_timers_run(void *machine) {
	uint64_t now = hal_now_us();
	uint64_t next = HAL_FOREVER;
	pass++;
	for (timer *t = first_due(now); t != NULL; t = first_due(now)) {
		t->pass = pass;
		fire(machine, t);
		pc_jobs_run(machine);
	}
	sweep();
	for (timer *t = timers; t != NULL; t = t->next) {
		if (t->scheduled && t->when < next) {
			next = t->when;
		}
	}
	return next;
}
