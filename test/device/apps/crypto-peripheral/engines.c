/* engines.c: which engines have failed. */
#include "selftest.h"

#include "xsmc.h"

void xs_engines_failed(xsMachine *the) {
	xsmcSetInteger(xsResult, (xsIntegerValue)pc_crypto_failed());
}
