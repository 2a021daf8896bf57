/* globals.c: `trace` (Moddable's: items without separator or newline) and `console` (items, spaces, newline). */
#include "globals.h"

#include "console.h"

#include "xsmc.h"

static void say(xsMachine *the, xsSlot *item) {
	pc_console_text(fxToString(the, item));
}

static void xs_trace(xsMachine *the) {
	xsIntegerValue count = xsmcArgc;
	for (xsIntegerValue i = 0; i < count; i++) {
		say(the, &xsArg(i));
	}
}

/* Objects as JSON, errors with their stack, everything else as its string. Uses the three variables of its caller. */
static void say_value(xsMachine *the, xsSlot *item) {
	if (xsmcTypeOf(*item) == xsReferenceType && !xsmcIsInstanceOf(*item, xsFunctionPrototype)) {
		if (xsmcIsInstanceOf(*item, xsErrorPrototype)) {
			xsmcGet(xsVar(0), *item, xsID("stack"));
			say(the, &xsVar(0));
			return;
		}
		xsTry {
			xsmcGet(xsVar(0), xsGlobal, xsID("JSON"));
			xsVar(1) = xsCall1(xsVar(0), xsID("stringify"), *item);
		}
		xsCatch {
			xsmcSetUndefined(xsVar(1));
		}
		if (xsmcTypeOf(xsVar(1)) != xsUndefinedType) {
			say(the, &xsVar(1));
			return;
		}
	}
	if (xsmcTypeOf(*item) == xsSymbolType) {
		xsVar(1) = xsCall0(*item, xsID("toString"));
		say(the, &xsVar(1));
		return;
	}
	xsVar(2) = *item;
	say(the, &xsVar(2));
}

static void xs_console_log(xsMachine *the) {
	xsIntegerValue count = xsmcArgc;
	xsmcVars(3);
	for (xsIntegerValue i = 0; i < count; i++) {
		if (i > 0) {
			pc_console_text(" ");
		}
		xsSlot item = xsArg(i);
		say_value(the, &item);
	}
	pc_console_text("\n");
}

void pc_globals_define(void *machine) {
	static const char *const methods[] = {"log", "info", "warn", "error", "debug"};
	xsBeginHost((xsMachine *)machine);
	xsmcVars(2);
	xsVar(0) = xsNewHostFunction(xs_trace, 0);
	xsmcDefine(xsGlobal, xsID("trace"), xsVar(0), xsDontEnum);
	xsVar(0) = xsmcNewObject();
	xsVar(1) = xsNewHostFunction(xs_console_log, 0);
	for (unsigned i = 0; i < sizeof methods / sizeof methods[0]; i++) {
		xsmcDefine(xsVar(0), xsID(methods[i]), xsVar(1), xsDefault);
	}
	xsmcDefine(xsGlobal, xsID("console"), xsVar(0), xsDontEnum);
	xsEndHost();
}
