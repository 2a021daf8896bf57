/* sensed.c: what the sensor reads. A function of its own, so that a test can replace it. */
#include "xsmc.h"

__attribute__((noinline)) int attacks_sensed(void);
__attribute__((noinline)) int attacks_sensed(void) {
	static volatile int value = 98;
	return value;
}

void xs_attacks_sensed(xsMachine *the) {
	xsmcSetInteger(xsResult, attacks_sensed());
}
