// The figures of `pericard bench relocation`: what it costs that code moves while it runs, and what that is worth
// (docs/relocation.md). All of them are of images as they are delivered: ecg-patch, and an app that has every function of native/crypto,
// each beside the same code in flash. Instructions are exact, cycles are modelled (docs/analysis.md).

import { join } from "node:path";
import { findGadgets, type Gadget, gadgetSurvival } from "../analysis/gadgets.ts";
import { type Call, type Machine, Room } from "../analysis/machine.ts";
import { pericardRoot } from "../build/board.ts";
import { type Build, buildFirmware } from "../build/build.ts";
import { singleGuessBits } from "../build/layout.ts";
import type { MovingReport } from "../build/moving.ts";
import { openDevice } from "../harness/device.ts";
import { NOISE_SYMBOL, noiseAt, noiseRecord } from "../harness/noise.ts";
import { recordStream } from "../signals/frames.ts";
import { syntheticRecording } from "../signals/synthetic.ts";
import { operations } from "./crypto.ts";
import { MovingMachine, movingReportOf, openFirmware, type Phase, type Step } from "./moving.ts";

/** The board whose instructions are counted, and the clock that its time is told by. */
export const BOARD = "mps2-an386";
export const CLOCK = 64e6;
/** Periods of which the overhead is measured, ms. */
export const PERIODS = [50, 200, 1000, 10_000] as const;

export const TARGETS = {
	functions: { least: 64 },
	bytes: { least: 16 * 1024 },
	epochInstructions: { most: 60_000 },
	longestMaskedInstructions: { most: 6400 },
	dispatchInstructions: { most: 12 },
	permutationEntropyBits: { least: 256 },
	"overhead at 200 ms": { most: 0.01 },
	"overhead at 10000 ms": { most: 0.001 },
} as const satisfies Readonly<Record<string, { readonly least?: number; readonly most?: number }>>;

const PATCH = join(pericardRoot, "firmware", "apps", "ecg-patch");
const CRYPTO = join(pericardRoot, "tools", "bench", "apps", "moving-crypto");
/** Epochs that are measured, and whose code is looked through for gadgets. */
const EPOCHS = 100;
/** Seconds of ECG before the measurement, and of it: whole periods, all of them. */
const WARM_SECONDS = 5;
const ECG_SECONDS = 20;

export interface Cost {
	readonly instructions: number;
	readonly cycles: number;
}

/** A part of an epoch; `seed` is the DRBG's share, spread over the epochs that a seed lasts for. */
export type Part = Exclude<Phase, "check"> | "patch" | "seed";

export interface PrimitiveOverhead {
	readonly name: string;
	/** An operation, with the code in flash and with the code that moves; no move comes between. */
	readonly flash: Cost;
	readonly moving: Cost;
	/** Of a device that does nothing else, by period in ms: more cycles than in flash, moves and calls together. */
	readonly overhead: Readonly<Record<string, number>>;
}

/** What ecg-patch executes at a period, in the seconds that were measured. */
export interface PatchRun {
	readonly moves: number;
	/** Beyond those of the image whose code stays in flash. */
	readonly instructions: number;
	/** Their share of all that the app executes. */
	readonly ofItsOwn: number;
}

/** What `--json` prints. */
export interface RelocationFigures {
	readonly board: string;
	readonly app: string;
	readonly functions: number;
	/** Of them: no functions, but ways out of the set. */
	readonly waysOut: number;
	readonly bytes: number;
	readonly entries: number;
	/** The mean epoch with the DRBG's share, and the most expensive one without. */
	readonly epochInstructions: number;
	readonly epochCycles: number;
	readonly mostEpochInstructions: number;
	/** What it takes more to check the half that is left: once a second at most where the period moves the code. */
	readonly checkInstructions: number;
	readonly checkCycles: number;
	readonly parts: Readonly<Record<Part, Cost>>;
	/** With interrupts masked. */
	readonly longestMaskedInstructions: number;
	readonly longestMaskedCycles: number;
	/** For which events and timers wait, draws apart. */
	readonly longestStepInstructions: number;
	readonly longestDrawInstructions: number;
	/** Share of the processor's time that ecg-patch takes more than with its code in flash, by period in ms. */
	readonly overhead: Readonly<Record<string, number>>;
	readonly patch: Readonly<Record<string, PatchRun>>;
	readonly primitives: readonly PrimitiveOverhead[];
	/** A call into the set, and one out of it: beyond those of a call in flash. */
	readonly dispatchInstructions: number;
	readonly callOutInstructions: number;
	readonly permutationEntropyBits: number;
	readonly gapEntropyBits: number;
	readonly offsetEntropyBits: number;
	readonly layoutEntropyBits: number;
	readonly singleGuessBits: number;
	/** Bytes more than in the image whose code stays in flash. */
	readonly flashBytes: number;
	readonly ramBytes: number;
	readonly tableBytes: number;
	readonly arenaBytes: number;
	readonly gadgets: GadgetFigures;
}

/** Of the gadgets of an epoch, the share that is at the same address in another one. */
export interface GadgetFigures {
	readonly epochs: number;
	/** In an epoch, on average. */
	readonly found: number;
	readonly mean: number;
	readonly most: number;
	/** Of epochs in the same half alone, and of two in a row. */
	readonly sameHalfMean: number;
	readonly nextMost: number;
}

export interface RelocationReport {
	readonly figures: RelocationFigures;
	/** What misses its target; empty if all is well. */
	readonly misses: readonly string[];
}

type Progress = (message: string) => void;

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const total = (costs: readonly Cost[]): Cost => ({
	instructions: costs.reduce((sum, cost) => sum + cost.instructions, 0),
	cycles: costs.reduce((sum, cost) => sum + cost.cycles, 0),
});

/** Measures everything. Throws if an image does not do what it should. */
export async function measureRelocation(out: string, progress: Progress): Promise<RelocationReport> {
	progress("building ecg-patch");
	const buildPatch = (name: string, relocation: "none" | { period: number; jitter: number }): Promise<Build> =>
		buildFirmware({ app: PATCH, board: BOARD, out: join(out, name), relocation });
	const fixed = await buildPatch("fixed", "none");
	const builds = new Map<number, Build>();
	for (const period of PERIODS) builds.set(period, await buildPatch(`period-${period}`, { period, jitter: 0 }));
	/* They differ in the policy alone. */
	const build = builds.get(PERIODS[0]) as Build;
	const report = movingReportOf(build);
	progress(`${EPOCHS} epochs`);
	const epochs = await measureEpochs(build);
	progress("calls");
	const calls = await measureCalls(build, fixed, report);
	const patch = await measurePatch(fixed, builds, epochs, progress);
	const primitives = await measurePrimitives(out, patch.overhead, progress);
	const { permutation, gaps, offset, layout } = report.bits;
	const figures: RelocationFigures = {
		board: BOARD,
		app: build.name,
		functions: report.functions,
		waysOut: report.units.filter(({ file }) => file === "generated").length,
		bytes: report.bytes,
		entries: report.entries.length,
		...epochs.figures,
		overhead: patch.overhead,
		patch: patch.runs,
		primitives,
		...calls,
		permutationEntropyBits: permutation,
		gapEntropyBits: gaps,
		offsetEntropyBits: offset,
		layoutEntropyBits: layout,
		singleGuessBits: Math.floor(singleGuessBits(report) * 10) / 10,
		flashBytes: build.size.flashTotal - fixed.size.flashTotal,
		ramBytes: build.size.ramTotal - fixed.size.ramTotal,
		tableBytes: report.tableBytes,
		arenaBytes: report.arenaBytes,
		gadgets: epochs.gadgets,
	};
	return { figures, misses: missesOf(figures) };
}

/** What a figure of TARGETS is. */
export function targetFigures(figures: RelocationFigures): Readonly<Record<keyof typeof TARGETS, number>> {
	return {
		...figures,
		"overhead at 200 ms": figures.overhead["200"] ?? Number.NaN,
		"overhead at 10000 ms": figures.overhead["10000"] ?? Number.NaN,
	};
}

/** A line for each figure that misses its target. */
export function missesOf(figures: RelocationFigures): string[] {
	const values = targetFigures(figures);
	return Object.entries(TARGETS).flatMap(([name, target]) => {
		const value = values[name as keyof typeof TARGETS];
		if ("least" in target && !(value >= target.least)) return [`${name}: ${value}, at least ${target.least}`];
		if ("most" in target && !(value <= target.most)) return [`${name}: ${value}, at most ${target.most}`];
		return [];
	});
}

/* ---- epochs ---- */

interface Epochs {
	readonly figures: Pick<
		RelocationFigures,
		| "epochInstructions"
		| "epochCycles"
		| "mostEpochInstructions"
		| "checkInstructions"
		| "checkCycles"
		| "parts"
		| "longestMaskedInstructions"
		| "longestMaskedCycles"
		| "longestStepInstructions"
		| "longestDrawInstructions"
	>;
	readonly gadgets: GadgetFigures;
}

/** Moves ecg-patch's code, as often as a seed allows in each machine. */
async function measureEpochs(build: Build): Promise<Epochs> {
	const moves: Step[][] = [];
	const of = (name: Phase, steps: readonly Step[]): Cost => total(steps.filter(({ phase }) => phase === name));
	let [copy, check]: Cost[] = [];
	let longest = 0;
	const dumps: { readonly boot: number; readonly address: number; readonly gadgets: Gadget[] }[] = [];
	const seeds: Cost[] = [];
	let masked: Cost | undefined;
	let lasts = 0;
	for (let boot = 1; dumps.length < EPOCHS; boot++) {
		const moving = await MovingMachine.start(build, boot);
		try {
			if (boot === 1) {
				/* These do more, or watch a part of what they do, and are none of the epochs that are counted. */
				masked = await measureMasked(moving);
				copy = of("copy", (await moving.move({ between: ["copy_units", "apply_patches"] })) ?? []);
				const thorough = (await moving.move({ thorough: true })) ?? [];
				check = of("check", thorough);
				longest = Math.max(...thorough.filter(({ phase }) => phase !== "draw").map(({ instructions }) => instructions));
				lasts = 6; // with that at boot
			}
			seeds.push(await moving.seed());
			for (;;) {
				const steps = await moving.move();
				if (steps === undefined) break;
				if (boot === 1) lasts++;
				if (dumps.length === EPOCHS) continue;
				moves.push(steps);
				const { address, code } = await moving.dump();
				dumps.push({ boot, address, gadgets: findGadgets(code, address) });
			}
		} finally {
			await moving.close();
		}
	}
	const steps = moves.flat();
	const seed = {
		instructions: mean(seeds.map((cost) => cost.instructions)) / lasts,
		cycles: mean(seeds.map((cost) => cost.cycles)) / lasts,
	};
	const part = (name: Phase): Cost => {
		const { instructions, cycles } = of(name, steps);
		return { instructions: instructions / moves.length, cycles: cycles / moves.length };
	};
	const filled = part("copy");
	if (copy === undefined || check === undefined || masked === undefined) throw new Error("nothing has moved");
	const rounded = ({ instructions, cycles }: Cost): Cost => ({
		instructions: Math.round(instructions),
		cycles: Math.round(cycles),
	});
	const parts: Record<Part, Cost> = {
		seed: rounded(seed),
		draw: rounded(part("draw")),
		shuffle: rounded(part("shuffle")),
		place: rounded(part("place")),
		copy: rounded(copy),
		patch: rounded({
			instructions: filled.instructions - copy.instructions,
			cycles: filled.cycles - copy.cycles,
		}),
		flip: rounded(part("flip")),
		wipe: rounded(part("wipe")),
	};
	const all = moves.map((list) => total(list));
	const most = (phase: (name: Phase) => boolean): number =>
		Math.max(...steps.filter((step) => phase(step.phase)).map(({ instructions }) => instructions));
	const lists = dumps.map(({ gadgets }) => gadgets);
	const sameHalf = (first: number, other: number): boolean => dumps[first]?.address === dumps[other]?.address;
	const isNext = (first: number, other: number): boolean =>
		other === first + 1 && dumps[first]?.boot === dumps[other]?.boot;
	const every = gadgetSurvival(lists);
	return {
		figures: {
			epochInstructions: Math.round(mean(all.map(({ instructions }) => instructions)) + seed.instructions),
			epochCycles: Math.round(mean(all.map(({ cycles }) => cycles)) + seed.cycles),
			mostEpochInstructions: Math.max(...all.map(({ instructions }) => instructions)),
			parts,
			checkInstructions: check.instructions,
			checkCycles: check.cycles,
			longestMaskedInstructions: masked.instructions,
			longestMaskedCycles: masked.cycles,
			longestStepInstructions: Math.max(
				longest,
				most((phase) => phase !== "draw"),
			),
			longestDrawInstructions: most((phase) => phase === "draw"),
		},
		gadgets: {
			epochs: dumps.length,
			found: Math.round(mean(lists.map((list) => list.length))),
			mean: every.mean,
			most: every.most,
			sameHalfMean: gadgetSurvival(lists, sameHalf).mean,
			nextMost: gadgetSurvival(lists, isNext).most,
		},
	};
}

/* CPSID i; and what ends it: CPSIE i, or MSR PRIMASK (DDI 0403, B5.2.1, B5.2.3). */
const masks = (code: number): boolean => code === 0xb672;
const unmasks = (code: number, next: number): boolean =>
	code === 0xb662 || ((code & 0xfff0) === 0xf380 && (next & 0xffff) === 0x8810);

/** The longest time with interrupts masked in a whole epoch: found in the list of all that it executes, measured in the next. */
async function measureMasked(moving: MovingMachine): Promise<Cost> {
	const { machine } = moving;
	const { origin, size } = machine.image.code;
	const flash = Buffer.from(await machine.read(origin, size));
	const halfword = (address: number): number =>
		address >= origin && address + 2 <= origin + size ? flash.readUInt16LE(address - origin) : 0;
	let longest: { instructions: number; from: number; to: number } | undefined;
	const look = async (): Promise<void> => {
		const { words } = await machine.list();
		let [from, count] = [0, 0];
		for (let at = 0; at < words.length; at += 2) {
			if (words[at + 1] !== 0) continue;
			const address = words[at] as number;
			if (from === 0 && masks(halfword(address))) [from, count] = [address, 0];
			if (from === 0) continue;
			if (unmasks(halfword(address), halfword(address + 2))) {
				if (count > (longest?.instructions ?? 0)) longest = { instructions: count, from, to: address };
				from = 0;
			}
			count++;
		}
		if (from !== 0) throw new Error("a step of a move ends with interrupts masked");
	};
	await moving.move({ record: true }, look);
	if (longest === undefined) throw new Error("a move masks no interrupts");
	const { from, to } = longest;
	/* To the one half, and to the other. */
	const flips: Cost[] = [];
	for (let half = 0; half < 2; half++) {
		const steps = (await moving.move({ between: [from, to] })) ?? [];
		flips.push(...steps.filter(({ instructions }) => instructions > 0).slice(1));
	}
	if (flips.length !== 2) throw new Error("a move masks interrupts for longest elsewhere than in its flip");
	const [instructions, cycles] = (["instructions", "cycles"] as const).map((name) =>
		Math.max(...flips.map((flip) => flip[name])),
	);
	return { instructions: instructions ?? 0, cycles: cycles ?? 0 };
}

/* ---- calls ---- */

/** What calls take: the same request of random numbers in both images, whose paths differ in them alone. */
async function measureCalls(
	build: Build,
	fixed: Build,
	report: MovingReport,
): Promise<Pick<RelocationFigures, "dispatchInstructions" | "callOutInstructions">> {
	const memory = [{ at: NOISE_SYMBOL, bytes: noiseRecord(noiseAt({ seed: 1 }, 0)) }];
	const call: Call = { routine: "pc_random", arguments: [new Room(32), 32], keep: true };
	const plain = await openFirmware(fixed);
	const moving = await MovingMachine.start(build, 1);
	try {
		await plain.call({ ...call, memory }); // it begins the generator
		const there = await plain.call(call);
		const { machine } = moving;
		const run = await machine.call(call, { record: true });
		const { words } = await machine.list();
		const path = [...words].filter((_, index) => index % 2 === 0 && words[index + 1] === 0);
		const { address, code } = await moving.dump();
		const half = new DataView(code.buffer, code.byteOffset, code.byteLength);
		const isInside = (at: number): boolean => at >= address && at < address + code.length;
		const veneers = new Set(report.entries.map((name) => machine.image.address(name)));
		const isWayOut = (at: number): boolean =>
			isInside(at) &&
			(half.getUint16(at - address, true) & 0xff7f) === 0xf85f &&
			half.getUint16(at - address + 2, true) >= 0xf000;
		const [ins, outs] = [veneers.has.bind(veneers), isWayOut].map((is) => path.filter(is).length) as [number, number];
		/* From a veneer's first instruction to the first in the arena. */
		const first = path.findIndex((at) => veneers.has(at));
		const dispatchInstructions = path.slice(first).findIndex(isInside);
		const callOutInstructions = (run.instructions - there.instructions - ins * dispatchInstructions) / outs;
		if (first < 0 || !Number.isInteger(callOutInstructions)) throw new Error("not only calls differ where code moves");
		return { dispatchInstructions, callOutInstructions };
	} finally {
		await moving.close();
		await plain.close();
	}
}

/* ---- ecg-patch at work ---- */

/** All instructions of ecg-patch in so many seconds of ECG, at each period and with its code in flash. */
async function measurePatch(
	fixed: Build,
	builds: ReadonlyMap<number, Build>,
	{ figures }: Epochs,
	progress: Progress,
): Promise<{ readonly overhead: Record<string, number>; readonly runs: Record<string, PatchRun> }> {
	const record = syntheticRecording({ seconds: WARM_SECONDS + ECG_SECONDS + 5 });
	const run = async (build: Build) => {
		const options = { emulator: "qemu", input: recordStream(record), markAt: ["pc_arena_flip"] } as const;
		const device = await openDevice(build, options);
		try {
			await device.start();
			await device.run(WARM_SECONDS);
			const before = await device.instructions();
			const skipped = (await device.marks()).length;
			await device.run(ECG_SECONDS);
			const instructions = Number((await device.instructions()) - before);
			const beats = device.records().filter(({ event }) => event === "report");
			return { instructions, moves: (await device.marks()).length - skipped, beats: JSON.stringify(beats) };
		} finally {
			await device.stop();
		}
	};
	progress("ecg-patch, its code in flash");
	const plain = await run(fixed);
	const overhead: Record<string, number> = {};
	const runs: Record<string, PatchRun> = {};
	/* Beside the moves themselves, checks and the event loop: by the cycles that instructions of a check take. */
	const cyclesOf = (instructions: number, moves: number): number =>
		moves * figures.epochCycles +
		(instructions - moves * figures.epochInstructions) * (figures.checkCycles / figures.checkInstructions);
	for (const [period, build] of builds) {
		progress(`ecg-patch, a move every ${period} ms`);
		const moving = await run(build);
		const expected = (ECG_SECONDS * 1000) / period;
		/* A period begins when the move before it is done. */
		if (Math.abs(moving.moves - expected) > 0.05 * expected) {
			throw new Error(`${moving.moves} moves in ${ECG_SECONDS} s at a period of ${period} ms`);
		}
		if (moving.beats !== plain.beats)
			throw new Error(`other beats at a period of ${period} ms than with code in flash`);
		const instructions = moving.instructions - plain.instructions;
		overhead[period] = cyclesOf(instructions, moving.moves) / ((moving.moves * period * CLOCK) / 1000);
		runs[period] = { moves: moving.moves, instructions, ofItsOwn: instructions / plain.instructions };
	}
	return { overhead, runs };
}

/* ---- primitives ---- */

/** Each primitive of native/crypto where all of it moves, and where it stays in flash. */
async function measurePrimitives(
	out: string,
	overhead: Readonly<Record<string, number>>,
	progress: Progress,
): Promise<PrimitiveOverhead[]> {
	progress("building the primitives of cryptography");
	const build = await buildFirmware({ app: CRYPTO, board: BOARD, out: join(out, "moving") });
	const fixed = await buildFirmware({ app: CRYPTO, board: BOARD, out: join(out, "fixed"), relocation: "none" });
	progress("the primitives of cryptography");
	const there = await runPrimitives(await openFirmware(fixed));
	const moved = await runPrimitives((await MovingMachine.start(build, 1)).machine);
	return [...there].map(([name, flash]) => {
		const moving = moved.get(name);
		if (moving === undefined) throw new Error(`${name} was not measured where it moves`);
		const slower = moving.cycles / flash.cycles;
		const shares = Object.entries(overhead).map(([period, share]) => [period, slower / (1 - share) - 1] as const);
		return { name, flash, moving, overhead: Object.fromEntries(shares) };
	});
}

async function runPrimitives(machine: Machine): Promise<Map<string, Cost>> {
	try {
		const costs = new Map<string, Cost>();
		const all = await operations(machine);
		for (const { name, call } of all) {
			/* A signature of an image as it is delivered has been verified. */
			if (all.some((other) => other.name === `${name}-verified`)) continue;
			await machine.call(call);
			const { instructions, cycles } = await machine.call({ ...call, keep: true });
			costs.set(name, { instructions, cycles });
		}
		return costs;
	} finally {
		await machine.close();
	}
}
