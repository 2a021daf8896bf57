// How a failure on the device is told: what happened, and where in the app's TypeScript.

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Build } from "../build/build.ts";
import { displayPath } from "../build/errors.ts";
import { loadSymbols } from "../build/symbols.ts";
import { ROOT } from "./paths.ts";
import type { ConsoleRecord } from "./records.ts";

/** What the lines of a stack need: the build's symbols, and the folder that the app's files are named from. */
export interface Origin {
	readonly build: Build;
	readonly dir: string;
}

/** Lines that tell of a failure record: uncaught, rejection, abort, fault, or an end with a status. */
export function describeFailure(origin: Origin, record: ConsoleRecord): string[] {
	const text = (key: string) => String(record[key] ?? "");
	switch (record.event) {
		case "uncaught":
		case "rejection": {
			const what = record.event === "uncaught" ? "Uncaught" : "Unhandled rejection:";
			return [`${what} ${text("name")}: ${text("message")}`, ...stackLines(origin, text("stack"))];
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
export function stackLines(origin: Origin, stack: string): string[] {
	if (stack === "") return [];
	return loadSymbols(origin.build.symbolsFile)
		.stack(stack)
		.split("\n")
		.map((line) => line.trim())
		.filter((line) => line.startsWith("at "))
		.map((line) => `    ${line.replace(/\(([^()]+):(\d+)\)$/, (_, file, at) => `(${shown(origin, file)}:${at})`)}`);
}

/** A source of the image as the user would open it from here: sources are named from the app's folder or from Pericard's. */
function shown(origin: Origin, file: string): string {
	const found = [resolve(origin.dir, file), resolve(ROOT, file)].find((path) => existsSync(path));
	return found === undefined ? file : displayPath(found);
}

function hex(value: unknown): string {
	return typeof value === "number" ? `0x${value.toString(16).padStart(8, "0")}` : String(value);
}
