/* xs_relocation.c: natives of pericard/relocation. */
#include "moving.h"

#include "xsmc.h"

void xs_relocation_status(xsMachine *the) {
	xsmcSetInteger(xsResult, (xsIntegerValue)pc_moving_state().status);
}

void xs_relocation_epoch(xsMachine *the) {
	xsmcSetNumber(xsResult, (xsNumberValue)pc_moving_state().epoch);
}

void xs_relocation_bits(xsMachine *the) {
	xsmcSetInteger(xsResult, (xsIntegerValue)pc_moving_state().bits);
}

void xs_relocation_request(xsMachine *the) {
	xsmcSetBoolean(xsResult, pc_moving_request());
}
