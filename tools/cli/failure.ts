// How a failure on the device is told: what happened, and where in the app's TypeScript.

import type { Build } from "../build/build.ts";
import type { ConsoleRecord } from "./records.ts";

/** Lines that tell of a failure record: uncaught, rejection, abort, fault, or an end with a status. */
export function describeFailure(build: Build, record: ConsoleRecord): string[] {
	const text = (key: string) => String(record[key] ?? "");
	switch (record.event) {
		case "uncaught":
		case "rejection": {
			const what = record.event === "uncaught" ? "Uncaught" : "Unhandled rejection:";
			return [`${what} ${text("name")}: ${text("message")}`, ...stackLines(build, text("stack"))];
		}
		case "abort":
			return [`The firmware aborted: ${text("reason")}`];
		case "fault":
			return [
				`The processor faulted: ${text("kind")}`,
				...["pc", "lr", "cfsr", "address"].flatMap((name) =>
					record[name] === undefined ? [] : [`    ${name} ${hex(record[name])}`],
				),
			];
		default:
			return [`The app ended with status ${text("status")}`];
	}
}

/** The stack of an error of the device, in the app's TypeScript: "    at name (file.ts:line)". */
export function stackLines(build: Build, stack: string): string[] {
	if (stack === "") return [];
	return loadSymbols(build.symbolsFile)
		.stack(stack)
		.split("\n")
		.map((line) => line.trim())
		.filter((line) => line.startsWith("at "))
		.map((line) => `    ${line}`);
}

function hex(value: unknown): string {
	return typeof value === "number" ? `0x${value.toString(16).padStart(8, "0")}` : String(value);
}
