// Commits one violation a start, in order, and reports how the last one ended.

import config from "mc/config";
import { report } from "pericard/report";
import { resetRecord, restart } from "pericard/system";
import { Watchdog } from "pericard/watchdog";
import Timer from "timer";

const all: readonly [name: string, commit: () => void][] = [
	["write-code", native("xs_violate_write_code")],
	["execute-data", native("xs_violate_execute_data")],
	["read-null", native("xs_violate_read_null")],
	["read-nowhere", native("xs_violate_read_nowhere")],
	["c-overflow", native("xs_violate_overflow")],
	["undefined", native("xs_violate_undefined")],
	["js-overflow", () => void deeper(0)],
	["out-of-memory", () => void hoard()],
	["uncaught", () => thrower()],
	["rejection", () => void Promise.reject(new TypeError("nobody cares"))],
	["timer-uncaught", () => void Timer.set(thrower, 5)],
	["watchdog", () => starve()],
	["nul", () => raise("a\0b")],
	["restart", () => restart("because I can")],
	["long", () => restart("é".repeat(60))],
];

/** Without what an emulator can't survive. */
const violations = all.filter(([name]) => name !== config.skip);

function deeper(n: number): number {
	return deeper(n + 1) + n;
}

function hoard(): void {
	const things: unknown[] = [];
	for (;;) things.push({ a: things.length, b: [things.length] });
}

function thrower(): void {
	throw new RangeError("out of patience");
}

function raise(message: string): void {
	throw new Error(message);
}

function starve(): void {
	new Watchdog({ timeout: 200 });
	for (;;) Timer.delay(1000);
}

const last = violations[resetRecord.count - 1]?.[0] ?? "none";
report("reset", { after: last, ...resetRecord });
const next = violations[resetRecord.count];
if (next) next[1]();
