/* system.c: natives of modules "time", "pericard/system", "pericard/watchdog", "pericard/report" and "pericard/bench". */
#include "config.h"
#include "console.h"
#include "hal.h"
#include "harness.h"
#include "machine.h"
#include "reset.h"

#include "xsmc.h"

/* ---- time ------------------------------------------------------------------------------------------------------- */

/* Milliseconds since start, as a 32-bit integer that wraps (ticks of Moddable's "time"). */
void xs_time_ticks(xsMachine *the) {
	xsmcSetInteger(xsResult, (xsIntegerValue)(uint32_t)(hal_now_us() / 1000u));
}

/* Microseconds since start, as a number. */
void xs_time_microseconds(xsMachine *the) {
	xsmcSetNumber(xsResult, (xsNumberValue)hal_now_us());
}

/* (seconds since 1970) */
void xs_time_set(xsMachine *the) {
	xsNumberValue seconds = xsmcToNumber(xsArg(0));
	if (!(seconds >= 0 && seconds < 1e12)) {
		xsRangeError("time: seconds since 1970 are out of range (0 to 1e12)");
	}
	pc_time_set(seconds);
}

/* ---- system ----------------------------------------------------------------------------------------------------- */

/* () -> why the device started: the record of reset.h as an object */
void xs_system_reset_record(xsMachine *the) {
	const pc_reset_record *record = pc_reset_last();
	xsmcVars(1);
	xsResult = xsmcNewObject();
	xsmcSetString(xsVar(0), (xsStringValue)pc_reset_name(record->reason));
	xsmcSet(xsResult, xsID("reason"), xsVar(0));
	xsmcSetString(xsVar(0), (xsStringValue)record->message);
	xsmcSet(xsResult, xsID("message"), xsVar(0));
	const struct {
		const char *name;
		uint32_t value;
	} fields[] = {
		{"count", record->count},
		{"pc", record->pc},
		{"lr", record->lr},
		{"sp", record->sp},
		{"psr", record->psr},
		{"cfsr", record->cfsr},
		{"hfsr", record->hfsr},
		{"address", record->address},
	};
	for (unsigned i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		xsmcSetNumber(xsVar(0), (xsNumberValue)fields[i].value);
		xsmcSet(xsResult, xsID(fields[i].name), xsVar(0));
	}
}

/* (message) */
void xs_system_restart(xsMachine *the) {
	const char *message = xsmcArgc > 0 && xsmcTypeOf(xsArg(0)) != xsUndefinedType ? xsmcToString(xsArg(0)) : "";
	pc_reset_commit(pc_reset_prepare(PC_RESET_SOFTWARE, message));
}

void xs_system_wakeups(xsMachine *the) {
	xsmcSetNumber(xsResult, (xsNumberValue)hal_wakeups());
}

void xs_system_app(xsMachine *the) {
	xsmcSetString(xsResult, (xsStringValue)pc_creation.app);
}

void xs_system_build(xsMachine *the) {
	xsmcSetString(xsResult, (xsStringValue)pc_creation.build);
}

/* () -> bytes in use, as an object */
void xs_system_memory(xsMachine *the) {
	struct pc_memory_use use;
	pc_machine_memory(the, &use);
	xsmcVars(1);
	xsResult = xsmcNewObject();
	const struct {
		const char *name;
		uint32_t value;
	} fields[] = {
		{"slots", use.slots},
		{"slotsPeak", use.slots_peak},
		{"chunks", use.chunks},
		{"chunksPeak", use.chunks_peak},
		{"free", use.free},
		{"keys", use.keys},
	};
	for (unsigned i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		xsmcSetNumber(xsVar(0), (xsNumberValue)fields[i].value);
		xsmcSet(xsResult, xsID(fields[i].name), xsVar(0));
	}
}

void xs_system_collect(xsMachine *the) {
	xsCollectGarbage();
}

/* ---- watchdog --------------------------------------------------------------------------------------------------- */

/* (milliseconds) */
void xs_watchdog_start(xsMachine *the) {
	xsNumberValue ms = xsmcToNumber(xsArg(0));
	hal_status status = ms >= 1 && ms <= 60000 ? hal_watchdog_start((uint32_t)ms) : HAL_RANGE;
	if (status == HAL_RANGE) {
		xsRangeError("watchdog: time-out is out of range (1 to 60000 ms)");
	}
	if (status != HAL_OK) {
		xsUnknownError("watchdog: %s", status == HAL_BUSY ? "already started" : "not on this board");
	}
}

void xs_watchdog_feed(xsMachine *the) {
	(void)the;
	hal_watchdog_feed();
}

/* ---- report and bench ------------------------------------------------------------------------------------------- */

/* (text): the text as one RFC 7464 record */
void xs_report_write(xsMachine *the) {
	pc_console_text("\x1e");
	pc_console_text(xsmcToString(xsArg(0)));
	pc_console_text("\n");
}

void xs_bench_mark(xsMachine *the) {
	(void)the;
	pc_mark();
}
