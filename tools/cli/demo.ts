// `pericard demo`: the reference ECG patch in the emulator, with its beats as they are found; then it is attested.

import { join } from "node:path";
import type { Build } from "../build/build.ts";
import type { DeviceRecord } from "../harness/records.ts";
import { recordStream } from "../signals/frames.ts";
import { NO_SAMPLE, type Recording } from "../signals/record.ts";
import { syntheticRecording } from "../signals/synthetic.ts";
import { type Arguments, CliError, type Command, FAILED, OK } from "./command.ts";
import { describeFailure } from "./failure.ts";
import { findRecord } from "./input.ts";
import { DEFAULT_BOARD, ROOT } from "./paths.ts";
import { progressLines } from "./progress.ts";
import { chooseEmulator, runSession } from "./session.ts";
import { trace } from "./trace.ts";

const SECONDS = 20;
/** Seconds that the trace shows, and its size in characters: the most of it, and the least that the line below takes. */
const WINDOW = 4;
const COLUMNS = 72;
const FEWEST_COLUMNS = 48;
const ROWS = 6;

/** A beat report of ecg-patch: seconds of the record, R-R in seconds, beats a minute, or what is wrong with the signal. */
interface Beat {
	readonly t: number;
	readonly rr: number | null;
	readonly bpm: number | null;
	readonly fault: string | null;
}

function asBeat(record: DeviceRecord): Beat | undefined {
	const data = record.data as Partial<Beat> | undefined;
	if (record.event !== "report" || typeof data?.t !== "number") return undefined;
	return { t: data.t, rr: data.rr ?? null, bpm: data.bpm ?? null, fault: data.fault ?? null };
}

function beatLine(beat: Beat): string {
	const time = `${beat.t.toFixed(3).padStart(7)} s`;
	if (beat.fault !== null) return `${time}  fault  ${beat.fault}`;
	const rr = beat.rr === null ? "" : `R-R ${String(Math.round(beat.rr * 1000)).padStart(4)} ms`;
	const bpm = beat.bpm === null ? "" : `${String(Math.round(beat.bpm)).padStart(3)} bpm`;
	return `${time}  beat   ${rr}   ${bpm}`.trimEnd();
}

/** The picture in a terminal: the last seconds of the signal with its beats, and the heart rate below. */
class Screen {
	readonly #samples: Int16Array;
	readonly #rate: number;
	readonly #low: number;
	readonly #high: number;
	#drawn = 0;

	constructor(record: Recording) {
		const signal = record.signals[0];
		if (signal === undefined) throw new CliError(`${record.name} has no signal`);
		this.#samples = signal.samples;
		this.#rate = record.sampleRate;
		let low = Number.POSITIVE_INFINITY;
		let high = Number.NEGATIVE_INFINITY;
		for (const sample of signal.samples.subarray(0, Math.ceil(this.#rate * SECONDS))) {
			if (sample === NO_SAMPLE) continue;
			low = Math.min(low, sample);
			high = Math.max(high, sample);
		}
		this.#low = low;
		this.#high = high > low ? high : low + 1;
	}

	/** Draws over the last picture. `now`: seconds of the record. */
	draw(now: number, beats: readonly Beat[]): void {
		// A line that wraps would break the redrawing.
		const columns = Math.max(FEWEST_COLUMNS, Math.min(COLUMNS, process.stdout.columns - 3));
		const points = new Float64Array(columns * 2).fill(Number.NaN);
		const start = now - WINDOW;
		const step = WINDOW / points.length;
		for (let point = 0; point < points.length; point++) {
			// The extreme of the samples under a point: a narrow R wave must not fall between two points.
			const from = Math.round((start + point * step) * this.#rate);
			const to = Math.max(from + 1, Math.round((start + (point + 1) * step) * this.#rate));
			const middle = (this.#low + this.#high) / 2;
			for (let at = Math.max(0, from); at < to; at++) {
				const sample = this.#samples[at];
				if (sample === undefined || sample === NO_SAMPLE) continue;
				const held = points[point] as number;
				if (Number.isNaN(held) || Math.abs(sample - middle) > Math.abs(held - middle)) points[point] = sample;
			}
		}
		const marks = new Array<string>(columns).fill(" ");
		for (const beat of beats) {
			const column = Math.floor((beat.t - start) / (2 * step));
			if (column >= 0 && column < columns) marks[column] = beat.fault === null ? "▼" : "!";
		}
		const last = beats.at(-1);
		const rate = last?.bpm === null || last?.bpm === undefined ? "-- bpm" : `${Math.round(last.bpm)} bpm`;
		const state = last?.fault ?? (last?.rr ? `R-R ${Math.round(last.rr * 1000)} ms` : "");
		const found = beats.filter((beat) => beat.fault === null).length;
		const lines = [
			marks.join(""),
			...trace(points, columns, ROWS, this.#low, this.#high),
			`♥ ${rate.padEnd(9)} ${state.padEnd(14)} beat ${String(found).padStart(3)}   ${now.toFixed(1).padStart(5)} s`,
		];
		const up = this.#drawn > 0 ? `\x1b[${this.#drawn}A` : "";
		process.stdout.write(up + lines.map((line) => `\x1b[2K  ${line}\n`).join(""));
		this.#drawn = lines.length;
	}
}

async function run(args: Arguments): Promise<number> {
	const emulator = chooseEmulator(DEFAULT_BOARD, "qemu");
	const seconds = args.number("seconds") ?? SECONDS;
	const input = args.text("input");
	const record = input === undefined ? syntheticRecording({ seconds: seconds + 1 }) : findRecord(input);
	const progress = progressLines(false);
	const app = join(ROOT, "firmware", "apps", "ecg-patch");
	progress(`building ecg-patch for ${DEFAULT_BOARD} (Cortex-M4F)`);
	const { buildFirmware } = await import("../build/build.ts");
	const build = await buildFirmware({
		app,
		board: DEFAULT_BOARD,
		progress,
	});
	progress("starting QEMU");
	console.log(`\necg-patch on ${DEFAULT_BOARD}, ECG "${record.name}" at ${record.sampleRate} Hz\n`);

	const screen = process.stdout.isTTY ? new Screen(record) : undefined;
	const beats: Beat[] = [];
	let proven = false;
	const outcome = await runSession(build, {
		emulator,
		input: recordStream(record),
		seconds,
		paced: screen !== undefined,
		...(screen === undefined ? {} : { onTick: (now: number) => screen.draw(now, beats) }),
		onLine: (line) => {
			if (screen === undefined) console.log(line);
		},
		onRecord: (entry) => {
			const beat = asBeat(entry);
			if (beat === undefined) return;
			beats.push(beat);
			if (screen === undefined) console.log(beatLine(beat));
		},
		afterwards: async (device) => {
			summary(build, beats, await device.now());
			const { prove } = await import("./proof.ts");
			try {
				proven = await prove(device, build, console.log);
			} catch (error) {
				const { noEvidence } = await import("./attest.ts");
				for (const line of noEvidence(error, device, { build, dir: app })) console.error(line);
			}
		},
	});
	if (outcome.failure !== undefined) {
		for (const line of describeFailure({ build, dir: app }, outcome.failure)) console.error(line);
		return FAILED;
	}
	if (!beats.some((beat) => beat.bpm !== null)) {
		console.error(`No heart rate in ${outcome.seconds.toFixed(1)} s of emulated time`);
		return FAILED;
	}
	if (!proven) {
		console.error("The verifier did not affirm the device and catch the attacks");
		return FAILED;
	}
	console.log("\nNext: `npx pericard new my-device` starts an app of your own.");
	return OK;
}

/** A line on what was seen of the heart, and on the image. */
function summary(build: Build, beats: readonly Beat[], seconds: number): void {
	const rates = beats.flatMap((beat) => (beat.bpm === null ? [] : [beat.bpm]));
	const found = beats.filter((beat) => beat.fault === null).length;
	const faults = beats.length - found;
	const { flashTotal, ramTotal } = build.size;
	const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
	const rate =
		rates.length === 0
			? "no heart rate"
			: `mean ${mean.toFixed(0)} bpm (${Math.min(...rates).toFixed(0)}..${Math.max(...rates).toFixed(0)})`;
	console.log(
		`\n${seconds.toFixed(1)} s on the device: ${found} beats, ${rate}, ${faults === 0 ? "no" : faults} faults; ` +
			`${Math.round(flashTotal / 1024)} KB flash, ${Math.round(ramTotal / 1024)} KB RAM\n`,
	);
}

export const command: Command = {
	name: "demo",
	summary: "the ECG patch in the emulator, beat by beat, and attested",
	description:
		"Builds the reference app ecg-patch for mps2-an386 (Cortex-M4F), boots it in QEMU, streams an ECG into its second serial port and shows each beat that the firmware finds. In a terminal: with a trace, at the pace of the wall clock. Elsewhere: a line a beat, as fast as it goes. Then the device is challenged to prove what it runs: as it is, and under attacks on its flash, on what it says, and on its code that moves, each of which is named.",
	positionals: [],
	options: {
		input: { value: "FILE", help: "a WFDB record (.hea) or .csv instead of the synthetic ECG" },
		seconds: { value: "S", help: `emulated seconds (default ${SECONDS})` },
	},
	examples: [
		["pericard demo", "20 seconds of a synthetic ECG"],
		["pericard demo --input 100.hea --seconds 60", "the first minute of a record"],
	],
	exitCodes: [
		[0, "the firmware found a heart rate, the verifier affirmed it and caught the attacks"],
		[1, "it did not, or it crashed"],
		[2, "wrong usage, or a tool is missing (see `pericard doctor`)"],
	],
	run,
};
