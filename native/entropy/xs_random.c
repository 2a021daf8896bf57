/* xs_random.c: natives of pericard/random. */
#include "entropy.h"
#include "hal.h"

#include "xsmc.h"

/* (buffer) -> pc_entropy_status */
void xs_random_fill(xsMachine *the) {
	void *data;
	xsUnsignedValue size;
	if (xsmcArgc < 1) {
		xsTypeError("random: a buffer is expected");
	}
	xsmcGetBufferWritable(xsArg(0), &data, &size);
	xsmcSetInteger(xsResult, (xsIntegerValue)pc_random(data, size));
}

/* () -> pc_entropy_status */
void xs_random_state(xsMachine *the) {
	xsmcSetInteger(xsResult, (xsIntegerValue)pc_entropy_state());
}

/* () -> hal_entropy_kind */
void xs_random_source(xsMachine *the) {
	xsmcSetInteger(xsResult, (xsIntegerValue)hal_entropy_source());
}
