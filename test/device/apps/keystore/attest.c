/* attest.c: signs with the attestation key, as native/attestation does. */
#include "background.h"
#include "keystore.h"
#include "platform.h"

#include "xsmc.h"

#include <string.h>

static struct {
	pc_job job;
	xsSlot callback;
	uint8_t hash[32], signature[64];
	pc_keystore_status status;
} request;

static void body(pc_job *job) {
	(void)job;
	request.status = pc_keystore_attest(request.hash, request.signature);
}

static void done(pc_job *job, void *machine) {
	(void)job;
	xsBeginHost(machine);
	xsmcVars(2);
	xsTry {
		xsVar(0) = request.callback;
		xsForget(request.callback);
		xsmcSetArrayBuffer(xsVar(1), request.signature, sizeof request.signature);
		(void)xsCallFunction1(xsVar(0), xsGlobal, xsVar(1));
	}
	xsCatch {
		pc_uncaught(the, false);
	}
	xsEndHost();
}

/* (digest, callback): calls back with a signature, all zeros if there is none */
void xs_test_attest(xsMachine *the) {
	void *data;
	xsUnsignedValue size;
	xsmcGetBufferReadable(xsArg(0), &data, &size);
	memcpy(request.hash, data, size < 32 ? size : 32);
	memset(request.signature, 0, sizeof request.signature);
	request.callback = xsArg(1);
	xsRemember(request.callback);
	request.job = (pc_job){.body = body, .done = done};
	pc_background_start(&request.job);
}

/* () -> what attesting says outside of a background job */
void xs_test_attest_here(xsMachine *the) {
	xsmcSetInteger(xsResult, (xsIntegerValue)pc_keystore_attest(request.hash, request.signature));
}

/* () -> bytes of the fibre's stack that were used at most */
void xs_test_stack(xsMachine *the) {
	xsmcSetInteger(xsResult, (xsIntegerValue)pc_background_stack_used());
}
