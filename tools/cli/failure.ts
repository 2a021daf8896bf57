// How a failure on the device is told: what happened, and where in the app's TypeScript.

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Build } from "../build/build.ts";
import { displayPath } from "../build/errors.ts";
import { loadSymbols, type Symbols } from "../build/symbols.ts";
import type { DeviceRecord } from "../harness/records.ts";
import { ROOT } from "./paths.ts";

/** What the lines of a stack need: the build's symbols, and the folder that the app's files are named from. */
export interface Origin {
	readonly build: Build;
	readonly dir: string;
}

/** Lines that tell of a failure record: uncaught, rejection, abort, fault, or an end with a status. */
export function describeFailure(origin: Origin, record: DeviceRecord): string[] {
	const text = (key: string) => String(record[key] ?? "");
	switch (record.event) {
		case "uncaught":
		case "rejection": {
			const what = record.event === "uncaught" ? "Uncaught" : "Unhandled rejection:";
			// What was thrown may be no error: then it has no name, and no stack.
			const thrown = text("name") === "" ? ["thrown value", text("message")] : [text("name"), text("message")];
			return [`${what} ${thrown.join(": ")}`, ...stackLines(origin, text("stack")), ...cause(origin, text("cause"))];
		}
		case "abort":
		case "fault": {
			const what = record.event === "fault" ? "The processor faulted" : "The firmware aborted";
			// The message of an abort may be a place in the code.
			const place = stackLines(origin, ` ${text("message")}`);
			const message = text("message") === "" || place.length > 0 ? "" : ` (${text("message")})`;
			return [
				`${what}: ${text("reason")}${message}`,
				...place,
				...registers(origin, record),
				...advice(text("reason")),
			];
		}
		default:
			return [`The app ended with status ${text("status")}`];
	}
}

/** The error's cause: its message, and the lines of its stack. */
function cause(origin: Origin, told: string): string[] {
	if (told === "") return [];
	const stack = stackLines(origin, told);
	const message = told.split(/\n\s*at /)[0];
	return [`Caused by ${message}`, ...stack];
}

/** What a developer can do about a limit of the machine. */
function advice(reason: string): string[] {
	const key = { "stack-overflow": "stack", "out-of-memory": "static" }[reason];
	return key === undefined
		? []
		: [`hint: creation.${key} in the app's manifest.json sets this limit (docs/toolchain.md)`];
}

/** A line of the device's console; where it is one of a stack that the app itself prints, in the app's TypeScript. */
export function consoleLine(origin: Origin, line: string): string {
	if (!/^\s*at .*\([^()]+:\d+\)$/.test(line)) return line;
	return stackLines(origin, ` ${line.trim()}`)[0] ?? line;
}

const symbols = new WeakMap<Build, Symbols>();

function symbolsOf(build: Build): Symbols {
	const found = symbols.get(build) ?? loadSymbols(build.symbolsFile);
	symbols.set(build, found);
	return found;
}

/** The stack of an error of the device, in the app's TypeScript: "    at name (file.ts:line)". */
export function stackLines(origin: Origin, stack: string): string[] {
	if (stack === "") return [];
	return symbolsOf(origin.build)
		.stack(stack)
		.split("\n")
		.map((line) => line.trim())
		.filter((line) => line.startsWith("at ") && line !== "at ()")
		.map((line) => `    ${line.replace(/\(([^()]+):(\d+)\)$/, (_, file, at) => `(${shown(origin, file)}:${at})`)}`);
}

/** A source of the image as the user would open it from here: sources are named from the app's folder or from Pericard's. */
function shown(origin: Origin, file: string): string {
	const found = [resolve(origin.dir, file), resolve(ROOT, file)].find((path) => existsSync(path));
	return found === undefined ? file : displayPath(found);
}

/** The registers of a fault, code addresses with the C function that they are in. */
function registers(origin: Origin, record: DeviceRecord): string[] {
	return ["pc", "lr", "cfsr", "hfsr", "address"].flatMap((name) => {
		const value = record[name];
		if (typeof value !== "number") return [];
		const code = name === "pc" || name === "lr" ? functionAt(origin.build, value) : undefined;
		const number = `0x${value.toString(16).padStart(8, "0")}`;
		return [`    ${name.padEnd(7)} ${number}${code === undefined ? "" : `  ${code}`}`];
	});
}

/** The symbol that an address is in or behind. */
function functionAt(build: Build, address: number): string | undefined {
	let best: string | undefined;
	let start = 0;
	for (const [name, value] of build.symbols) {
		// Bit 0 of a code address is Thumb's.
		const at = value & ~1;
		if (at <= (address & ~1) && at > start) {
			best = name;
			start = at;
		}
	}
	return best;
}
