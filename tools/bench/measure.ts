// The figures of `pericard bench`: what each is, and how it is measured.
//
// Instructions are those that the emulated Cortex-M4F executes (QEMU, -icount): the same on every machine and at every
// run. They are no cycles: on hardware, flash wait states and multi-cycle instructions come on top.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { pericardRoot } from "../build/board.ts";
import { type Build, buildFirmware } from "../build/build.ts";
import { type Device, openDevice } from "../harness/device.ts";
import { recordStream } from "../signals/frames.ts";
import type { Recording } from "../signals/record.ts";
import { score } from "../signals/score.ts";
import { syntheticRecording } from "../signals/synthetic.ts";
import { isBeat, readAnnotations } from "../signals/wfdb.ts";
import { additions, attestationCost } from "./attestation.ts";
import { primitives } from "./crypto.ts";

/** One figure. `component` only where a board's bytes are split. */
export interface Figure {
	readonly name: string;
	readonly value: number;
	readonly unit: string;
	readonly board: string;
	readonly component?: string;
}

type Progress = (message: string) => void;

const PATCH = join(pericardRoot, "firmware", "apps", "ecg-patch");
const APPS = join(pericardRoot, "tools", "bench", "apps");
/** Iterations of the loops in apps/js-*.ts. */
const ITERATIONS = 100_000;
/** The board whose instructions are counted. */
export const COUNTED = "mps2-an386";

/** Flash and RAM of ecg-patch on each board, and how much of them is there for attestation and for code that
 * moves; on posix what the process has
 * loaded of the firmware in their place. */
export async function sizes(boards: readonly string[], out: string, progress: Progress): Promise<Figure[]> {
	const figures: Figure[] = [];
	for (const board of boards) {
		progress(`ecg-patch for ${board}`);
		const { size } = await buildFirmware({ app: PATCH, board, out });
		const add = (name: string, parts: Readonly<Record<string, number>>, total: number) => {
			const entries = Object.entries(parts).filter(([, value]) => value > 0);
			entries.sort((a, b) => b[1] - a[1]);
			for (const [component, value] of [...entries, ["total", total] as const]) {
				figures.push({ name, value, unit: "bytes", board, component });
			}
		};
		add("flash-bytes", size.flash, size.flashTotal);
		add("ram-bytes", size.ram, size.ramTotal);
		const { attestation, relocation } = await additions(PATCH, board, size, out);
		const addition = { unit: "bytes", board, component: "total" };
		figures.push({ name: "attest-flash-bytes", value: attestation.flash, ...addition });
		figures.push({ name: "attest-ram-bytes", value: attestation.ram, ...addition });
		figures.push({ name: "relocation-flash-bytes", value: relocation.flash, ...addition });
		figures.push({ name: "relocation-ram-bytes", value: relocation.ram, ...addition });
	}
	return figures;
}

async function withDevice<T>(
	build: Build,
	input: AsyncIterable<Uint8Array> | undefined,
	use: (device: Device) => Promise<T>,
): Promise<T> {
	const device = await openDevice(build, { emulator: "qemu", ...(input === undefined ? {} : { input }) });
	try {
		await device.start();
		return await use(device);
	} finally {
		await device.stop();
	}
}

/** Instruction counts at the marks of an app of apps/. */
async function marks(app: string, count: number, out: string): Promise<bigint[]> {
	const build = await buildFirmware({ app: join(APPS, app), board: COUNTED, out });
	return withDevice(build, undefined, async (device) => {
		const reason = await device.run(30);
		const found = await device.marks();
		if (found.length !== count) {
			throw new Error(`${app}: ${found.length} marks, expected ${count} (the run ended by "${reason}")`);
		}
		return found;
	});
}

const round = (value: number) => Math.round(value * 100) / 100;

/** The figures that are counted in the emulator. */
export async function counts(out: string, progress: Progress): Promise<Figure[]> {
	const figures: Figure[] = [];
	const add = (name: string, value: number, unit: string) => figures.push({ name, value, unit, board: COUNTED });

	progress("boot");
	add("boot", Number((await marks("boot.ts", 1, out))[0]), "instructions");
	progress("ecg-sample");
	add("ecg-sample", await ecgSample(out), "instructions");
	for (const name of ["js-loop", "js-call", "js-typed-array"]) {
		progress(name);
		const [from = 0n, to = 0n] = await marks(`${name}.ts`, 2, out);
		add(name, round(Number(to - from) / ITERATIONS), "instructions");
	}
	progress("crypto");
	for (const { name, unit, instructions } of await primitives()) {
		add(unit === "byte" ? `${name}-per-byte` : name, instructions, "instructions");
	}
	progress("attestation");
	const build = await buildFirmware({ app: PATCH, board: COUNTED, out, config: { input: "serial" } });
	const cost = await attestationCost(build);
	add("attest-total", cost.total, "instructions");
	add("attest-longest-slice", cost.longestSlice, "instructions");
	add("token-bytes", cost.tokenBytes, "bytes");
	progress("idle-wakeups-per-second");
	add("idle-wakeups-per-second", await idleWakeups(out), "1/s");
	return figures;
}

/**
 * All instructions of ecg-patch between the 5th and the 15th second of a synthetic record, by its samples: receiving
 * the frame, the filters, the detector, the reports and the garbage collector, nothing left out.
 */
async function ecgSample(out: string): Promise<number> {
	const record = syntheticRecording({ seconds: 20 });
	const build = await buildFirmware({ app: PATCH, board: COUNTED, out });
	return withDevice(build, recordStream(record), async (device) => {
		await device.run(5);
		const before = await device.instructions();
		await device.run(10);
		return round(Number((await device.instructions()) - before) / (10 * record.sampleRate));
	});
}

async function idleWakeups(out: string): Promise<number> {
	const build = await buildFirmware({ app: join(APPS, "idle.ts"), board: COUNTED, out });
	return withDevice(build, undefined, async (device) => {
		await device.run(15);
		const report = device.records().find((record) => record.event === "report");
		const data = report?.data as { seconds: number; wakeups: number } | undefined;
		if (data === undefined) throw new Error("idle: no report");
		return data.wakeups / data.seconds;
	});
}

/** Detector against annotations over a whole record, on the emulated ARM (150 ms window, the first 5 s excluded). */
export async function accuracy(
	record: Recording,
	annotations: string,
	out: string,
	progress: Progress,
): Promise<Figure[]> {
	if (!existsSync(annotations)) throw new Error(`there is no annotation file ${annotations}`);
	const seconds = (record.signals[0]?.samples.length ?? 0) / record.sampleRate;
	progress(`ecg-patch over record ${record.name}, ${Math.round(seconds)} s`);
	const reference = readAnnotations(annotations)
		.filter(isBeat)
		.map((annotation) => annotation.sample / record.sampleRate);
	const build = await buildFirmware({ app: PATCH, board: COUNTED, out });
	const detected = await withDevice(build, recordStream(record), async (device) => {
		await device.run(seconds + 2);
		return device
			.records()
			.filter((found) => found.event === "report")
			.map((found) => found.data as { t: number; fault: string | null })
			.filter((beat) => beat.fault === null || beat.fault === undefined)
			.map((beat) => beat.t);
	});
	const result = score(reference, detected);
	const figure = (name: string, value: number) => ({ name, value: round(value * 100), unit: "%", board: COUNTED });
	return [
		figure("ecg-sensitivity", result.sensitivity),
		figure("ecg-positive-predictivity", result.positivePredictivity),
	];
}
