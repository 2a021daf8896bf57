/* counter.c: natives of every form, and a count of what the collector destroyed. */
#include <stdint.h>

#include "xsmc.h"

static int destroyed;

void xs_counter_destructor(void *data) {
	if (data != NULL) {
		destroyed++;
	}
}

/* constructor(start) */
void xs_counter(xsMachine *the) {
	xsIntegerValue start = xsmcArgc > 0 ? xsmcToInteger(xsArg(0)) : 0;
	xsmcSetHostData(xsThis, (void *)(intptr_t)(start + 1));
}

static xsIntegerValue count_of(xsMachine *the) {
	intptr_t data = (intptr_t)xsmcGetHostData(xsThis);
	if (data == 0) {
		xsTypeError("no counter");
	}
	return (xsIntegerValue)(data - 1);
}

/* add(n) -> new count */
void xs_counter_add(xsMachine *the) {
	xsIntegerValue count = count_of(the) + xsmcToInteger(xsArg(0));
	xsmcSetHostData(xsThis, (void *)(intptr_t)(count + 1));
	xsmcSetInteger(xsResult, count);
}

void xs_counter_get_count(xsMachine *the) {
	xsmcSetInteger(xsResult, count_of(the));
}

void xs_counter_set_count(xsMachine *the) {
	xsmcSetHostData(xsThis, (void *)(intptr_t)(xsmcToInteger(xsArg(0)) + 1));
}

/* static: how many the collector has destroyed */
void xs_counter_destroyed(xsMachine *the) {
	xsmcSetInteger(xsResult, destroyed);
}

/* function sum(...numbers) */
void xs_sum(xsMachine *the) {
	xsNumberValue sum = 0;
	xsIntegerValue argc = xsmcArgc;
	for (xsIntegerValue i = 0; i < argc; i++) {
		sum += xsmcToNumber(xsArg(i));
	}
	xsmcSetNumber(xsResult, sum);
}

/* function fail(): throws from C */
void xs_fail(xsMachine *the) {
	xsRangeError("failed in C");
}
