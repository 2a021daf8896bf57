// Does a routine take the same way through its code and its data whatever a secret is?

import type { Call, CallOptions, Machine, Trace } from "./machine.ts";

/**
 * Where two runs part: "branch", other instructions follow; "address", the same instruction accesses other data;
 * "condition", it accesses data in one run only; "length", one run ends there.
 */
export type DifferenceKind = "branch" | "address" | "condition" | "length";

export interface Difference {
	readonly kind: DifferenceKind;
	/** The instruction that depends on the secret: the last one that both runs have executed. */
	readonly instruction: number;
	/** Its number in the run. */
	readonly position: number;
	/** The two addresses: of the next instructions, or of the data. Undefined where a run has none. */
	readonly first: number | undefined;
	readonly other: number | undefined;
}

export interface TraceReport {
	/** All runs have the same trace, and none divides but where that is allowed. */
	readonly constant: boolean;
	readonly runs: number;
	/** Of the first run. */
	readonly instructions: number;
	readonly cycles: number;
	/** Instructions that behave differently, in the order of the run, each once: of the first two runs that differ. */
	readonly differences: readonly Difference[];
	/** Numbers of the two calls that differ. */
	readonly differing: readonly [number, number] | undefined;
	/** Addresses of divisions that were executed and are not allowed. */
	readonly divisions: readonly number[];
	/** All of that for people; one line for each finding. */
	readonly text: string;
}

export interface TraceOptions {
	readonly between?: CallOptions["between"];
	/** Functions whose divisions work on nothing secret. */
	readonly divisions?: readonly string[];
}

/** Where two traces part, at most `limit` places. After a branch nothing more can be compared. */
export function compareLists(first: Trace, other: Trace, limit = 16): Difference[] {
	const found: Difference[] = [];
	const seen = new Set<number>();
	const a = first.words;
	const b = other.words;
	let instruction = 0;
	let position = -1;
	const note = (kind: DifferenceKind, x: number | undefined, y: number | undefined): void => {
		if (!seen.has(instruction)) found.push({ kind, instruction, position, first: x, other: y });
		seen.add(instruction);
	};
	const shared = Math.min(a.length, b.length);
	for (let at = 0; at < shared && found.length < limit; at += 2) {
		const [x, y, accessA, accessB] = [a[at], b[at], a[at + 1], b[at + 1]];
		if (x !== y || accessA !== accessB) {
			if (accessA === 0 && accessB === 0) note("branch", x, y);
			else if (accessA === 0 || accessB === 0) note("condition", accessA ? x : undefined, accessB ? y : undefined);
			else note("address", x, y);
			if (accessA === 0 || accessB === 0) return found;
		} else if (accessA === 0) {
			instruction = x ?? 0;
			position++;
		}
	}
	if (a.length !== b.length && found.length < limit) note("length", a[shared], b[shared]);
	return found;
}

/**
 * Calls a routine once for each secret and compares what it executed and accessed. All calls but their secrets must be
 * alike: the same buffers, of the same sizes, in the same order.
 */
export async function compareTraces(
	machine: Machine,
	calls: readonly Call[],
	options: TraceOptions = {},
): Promise<TraceReport> {
	const { between } = options;
	const [one] = calls;
	if (one === undefined || calls.length < 2) throw new RangeError("traces are compared of two calls or more");
	const first = await machine.call(one, { between });
	if (first.instructions === 0) throw new Error(`nothing of ${one.routine} was watched`);
	const divisions = new Set(first.divisions);
	let differing: readonly [number, number] | undefined;
	let runs = 1;
	for (const call of calls.slice(1)) {
		const run = await machine.call(call, { between });
		for (const address of run.divisions) divisions.add(address);
		if (run.instructionTrace !== first.instructionTrace || run.dataTrace !== first.dataTrace) differing ??= [0, runs];
		runs++;
	}
	const differences = differing === undefined ? [] : await locate(machine, calls, differing, between);
	const allowed = new Set(options.divisions ?? []);
	const forbidden = [...divisions].filter((address) => !allowed.has(machine.image.place(address).symbol ?? ""));
	const report = { runs, instructions: first.instructions, cycles: first.cycles, differences, differing };
	const constant = differing === undefined && forbidden.length === 0;
	const text = await describe(machine, one.routine, { ...report, divisions: forbidden, constant });
	return { ...report, constant, divisions: forbidden, text };
}

async function locate(
	machine: Machine,
	calls: readonly Call[],
	differing: readonly [number, number],
	between: CallOptions["between"],
): Promise<Difference[]> {
	const lists: Trace[] = [];
	for (const index of differing) {
		await machine.call(calls[index] as Call, { between, record: true });
		lists.push(await machine.list());
	}
	return compareLists(lists[0] as Trace, lists[1] as Trace);
}

async function describe(machine: Machine, routine: string, report: Omit<TraceReport, "text">): Promise<string> {
	const { differences, differing, divisions, runs, instructions } = report;
	if (report.constant) return `${routine}: ${runs} runs, one trace of ${instructions} instructions`;
	const { image } = machine;
	const places = await image.describe(differences.map(({ instruction }) => instruction));
	const hex = (value: number | undefined) => (value === undefined ? "nothing" : `0x${value.toString(16)}`);
	const symbol = (value: number | undefined) => {
		if (value === undefined) return "nothing";
		const place = image.place(value);
		return place.symbol === undefined ? hex(value) : `${place.symbol}+0x${place.offset.toString(16)}`;
	};
	const lines = differences.map(({ kind, position, first, other }, index) => {
		const where = `${places[index]}, instruction ${position} of the run`;
		if (kind === "branch") return `a branch at ${where}: to ${symbol(first)} or ${symbol(other)}`;
		if (kind === "address") return `an address at ${where}: ${symbol(first)} or ${symbol(other)}`;
		if (kind === "condition") return `an access under a condition at ${where}: ${hex(first)} or ${hex(other)}`;
		return `an end at ${where}`;
	});
	for (const place of await image.describe(divisions))
		lines.push(`a division at ${place}: its time is that of its operands`);
	const calls = differing === undefined ? "" : ` (calls ${differing.join(" and ")})`;
	return `${routine}: ${runs} runs, not constant${calls}\n${lines.map((line) => `  ${line}`).join("\n")}`;
}
