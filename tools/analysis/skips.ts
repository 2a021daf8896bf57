// Leaves out one instruction of a routine, each in turn, and sees what becomes of its decision.

import { availableParallelism } from "node:os";
import type { Image, Place } from "./image.ts";
import { type Call, type Machine, openMachine, type SkipResult } from "./machine.ts";
import { seededBytes } from "./secrets.ts";

/** How a run with one instruction left out ended: what it decided, or that it did not come to a decision. */
export type Verdict = "refused" | "accepted" | "fault" | "hang";

/** An ended run: its result and what the watched memory holds. */
export interface End {
	/** R0. */
	readonly value: number;
	readonly memory: Uint8Array;
}

export interface SkipOptions {
	/** Whether a run has accepted what it had to refuse. */
	readonly accepted: (end: End) => boolean;
	/** Memory that `accepted` wants to see: a variable's or an address. */
	readonly watch?: { readonly at: number | string; readonly size: number };
	/** Functions that must not be reached: a run that comes there has accepted, and ends. */
	readonly forbidden?: readonly string[];
	/** Functions each of whose instructions is left out, at each of its executions; all if not given. */
	readonly every?: readonly string[];
	/** Of the other functions: how many executions of each instruction; 1 if not given. */
	readonly sample?: number;
	/** Decides which ones. */
	readonly seed?: string;
	/** Emulators at once; as many as there are processors if not given. */
	readonly machines?: number;
	readonly progress?: (done: number, total: number) => void;
}

/** A run that accepted. */
export interface Skip extends Place {
	/** Number of the instruction in the undisturbed run, from 0. */
	readonly position: number;
	readonly value: number;
	/** `function+0x12 (file.c:34)` */
	readonly text: string;
}

export interface SkipCounts {
	/** Instructions that the undisturbed run executes. */
	executed: number;
	tried: number;
	refused: number;
	accepted: number;
	fault: number;
	hang: number;
}

export interface SkipReport extends Readonly<SkipCounts> {
	/** Every way to make the routine accept. */
	readonly failures: readonly Skip[];
	/** The counts of each function, most tried first. */
	readonly functions: ReadonlyMap<string, Readonly<SkipCounts>>;
	/** Different instructions that the undisturbed run executes, and that were left out. */
	readonly distinct: { readonly executed: number; readonly tried: number };
	/** The counts for people, as a Markdown table, and the failures below. */
	readonly text: string;
}

/* So many positions go to an emulator at once. Each such part begins with a walk from the routine's start. */
const PART = 512;
/* How far a disturbed run may go beyond the length of the undisturbed one. */
const FACTOR = 2;
const MARGIN = 20_000;

/**
 * The positions to try: all executions of the instructions that `every` holds for, of each other one the first execution and
 * `sample` - 1 others, which the seed decides. Ascending.
 */
export function choosePositions(
	addresses: Uint32Array,
	every: (address: number) => boolean,
	sample = 1,
	seed = "skips",
): Uint32Array {
	const counts = new Map<number, number>();
	for (const address of addresses) counts.set(address, (counts.get(address) ?? 0) + 1);
	const wanted = new Map<number, Set<number> | undefined>();
	for (const [address, count] of counts) {
		wanted.set(address, count <= sample || every(address) ? undefined : pick(count, sample, `${seed}/${address}`));
	}
	const seen = new Map<number, number>();
	const positions: number[] = [];
	addresses.forEach((address, position) => {
		const occurrence = seen.get(address) ?? 0;
		seen.set(address, occurrence + 1);
		if (wanted.get(address)?.has(occurrence) ?? true) positions.push(position);
	});
	return Uint32Array.from(positions);
}

/* `size` different numbers below `count`, one of them 0. */
function pick(count: number, size: number, seed: string): Set<number> {
	const picked = new Set(size > 0 ? [0] : []);
	for (let round = 0; picked.size < size; round++) {
		const bytes = Buffer.from(seededBytes(64, `${seed}/${round}`));
		for (let at = 0; at < bytes.length && picked.size < size; at += 4) picked.add(bytes.readUInt32LE(at) % count);
	}
	return picked;
}

/**
 * Runs a call that the routine refuses, once for each chosen instruction, with that one left out. Throws if it doesn't
 * refuse when nothing is left out.
 */
export async function skipInstructions(image: Image, call: Call, options: SkipOptions): Promise<SkipReport> {
	const machines = [await openMachine(image)];
	try {
		const [first] = machines as [Machine];
		const run = await first.call(call, { record: true });
		const addresses = instructionsOf((await first.list()).words);
		const { watch } = options;
		const memory = watch === undefined ? new Uint8Array() : await first.read(watch.at, watch.size);
		if (options.accepted({ value: run.value, memory })) {
			throw new Error(`${call.routine} accepts though no instruction is left out`);
		}
		const every = options.every === undefined ? undefined : new Set(options.every);
		for (const name of every ?? []) image.address(name);
		const all = (address: number) => every?.has(image.place(address).symbol ?? "") ?? true;
		const positions = choosePositions(addresses, all, options.sample, options.seed);

		const parts: Uint32Array[] = [];
		for (let at = 0; at < positions.length; at += PART) parts.push(positions.subarray(at, at + PART));
		const wanted = Math.min(parts.length, options.machines ?? availableParallelism());
		while (machines.length < wanted) machines.push(await openMachine(image));
		const results: SkipResult[] = [];
		const request = { watch, reached: options.forbidden, limit: run.instructions * FACTOR + MARGIN };
		await Promise.all(
			machines.map(async (machine) => {
				for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
					const done = await machine.skip(call, { ...request, positions: part });
					if (done.value !== run.value) throw new Error(`${call.routine} does not do the same each time`);
					for (const result of done.results) {
						if (result.address !== addresses[result.position]) throw new Error("the emulator has lost its place");
						results.push(result);
					}
					options.progress?.(results.length, positions.length);
				}
			}),
		);
		results.sort((a, b) => a.position - b.position);
		return await report(image, call.routine, addresses, results, options.accepted);
	} finally {
		await Promise.all(machines.map((machine) => machine.close()));
	}
}

/* The addresses of the instructions of a recorded call. */
function instructionsOf(words: Uint32Array): Uint32Array {
	const addresses = new Uint32Array(words.length / 2);
	let count = 0;
	for (let at = 0; at < words.length; at += 2) if (words[at + 1] === 0) addresses[count++] = words[at] ?? 0;
	return addresses.slice(0, count);
}

function verdict(result: SkipResult, accepted: SkipOptions["accepted"]): Verdict {
	if (result.outcome === "reached") return "accepted";
	if (result.outcome !== "returned") return result.outcome;
	return accepted(result) ? "accepted" : "refused";
}

async function report(
	image: Image,
	routine: string,
	addresses: Uint32Array,
	results: readonly SkipResult[],
	accepted: SkipOptions["accepted"],
): Promise<SkipReport> {
	const none = (): SkipCounts => ({ executed: 0, tried: 0, refused: 0, accepted: 0, fault: 0, hang: 0 });
	const total = none();
	const functions = new Map<string, SkipCounts>();
	const names = new Map<number, string>();
	const countsOf = (address: number): SkipCounts => {
		const name = names.get(address) ?? image.place(address).symbol ?? "?";
		names.set(address, name);
		const counts = functions.get(name) ?? none();
		functions.set(name, counts);
		return counts;
	};
	for (const address of addresses) {
		total.executed++;
		countsOf(address).executed++;
	}
	const failed: SkipResult[] = [];
	for (const result of results) {
		const outcome = verdict(result, accepted);
		for (const counts of [total, countsOf(result.address)]) {
			counts.tried++;
			counts[outcome]++;
		}
		if (outcome === "accepted") failed.push(result);
	}
	const texts = await image.describe(failed.map(({ address }) => address));
	const failures = failed.map(({ position, address, value }, index) => ({
		...image.place(address),
		position,
		value,
		text: texts[index] ?? "",
	}));
	const sorted = new Map([...functions].sort(([, a], [, b]) => b.tried - a.tried));
	const distinct = { executed: names.size, tried: new Set(results.map(({ address }) => address)).size };
	return { ...total, failures, functions: sorted, distinct, text: table(routine, total, sorted, failures) };
}

function table(
	routine: string,
	total: SkipCounts,
	functions: ReadonlyMap<string, SkipCounts>,
	failures: readonly Skip[],
): string {
	const row = (name: string, counts: SkipCounts) =>
		`| ${[name, counts.executed, counts.tried, counts.refused, counts.accepted, counts.fault, counts.hang].join(" | ")} |`;
	return [
		`| ${routine} | executed | tried | refused | accepted | fault | hang |`,
		"| --- | --: | --: | --: | --: | --: | --: |",
		...[...functions].map(([name, counts]) => row(name, counts)),
		row("all", total),
		...failures.map(({ text, position }) => `accepts without ${text}, instruction ${position} of the run`),
	].join("\n");
}
