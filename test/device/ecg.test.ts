// The reference ECG patch through its front door: records and damaged streams into the serial port, reports out.
// Detector and faults in depth are tested on Node (test/unit/ecg-*.test.ts); here it is the image that a device runs.

import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { BeatReport } from "../../firmware/apps/ecg-patch/patch.ts";
import { FRAME, STATUS_LEAD_OFF } from "../../firmware/sensors/ecg/codec.ts";
import type { Device, StopReason } from "../../tools/harness/device.ts";
import { crc16, recordFrames, recordStream } from "../../tools/signals/frames.ts";
import { NO_SAMPLE, openRecord, type Recording } from "../../tools/signals/record.ts";
import { type Score, type ScoreOptions, score } from "../../tools/signals/score.ts";
import { type SyntheticRecording, syntheticRecording } from "../../tools/signals/synthetic.ts";
import { isBeat, readAnnotations } from "../../tools/signals/wfdb.ts";
import { writeRecord } from "../unit/wfdb-writer.ts";
import { describeAt, image, mps2, nrf, type Place, posix, tierOne, withDevice } from "./boards.ts";

const APP = "firmware/apps/ecg-patch";
const ROOT = join(import.meta.dirname, "../..");
const MITDB = join(ROOT, "../shared/data/ecg/mitdb-100");
/** The front end is on the serial port, whatever comes from it; everything is reported. */
const SERIAL = { config: { input: "serial", reports: "all" } } as const;

let folder = "";
beforeAll(() => {
	folder = mkdtempSync(join(tmpdir(), "pericard-ecg-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a run of the patch gave. */
interface Run {
	readonly beats: readonly BeatReport[];
	readonly faults: readonly BeatReport[];
	/** Values of the Heart Rate Measurement, in hexadecimal. */
	readonly notified: readonly string[];
	/** The report of the record's end. */
	readonly end: { readonly beats: number; readonly faults: number } | undefined;
	readonly reason: StopReason;
	/** Emulated seconds when the run stopped. */
	readonly seconds: number;
}

async function collect(device: Device, reason: StopReason): Promise<Run> {
	const reports = device.records().filter((record) => record.event === "report");
	const of = <T>(type: string) => reports.filter((record) => record.type === type).map((record) => record.data as T);
	const told = of<BeatReport>("beat");
	const notified = of<{ uuid: string; value: string }>("notify");
	expect(notified.every(({ uuid }) => uuid === "2a37")).toBe(true);
	return {
		beats: told.filter((report) => report.fault === null),
		faults: told.filter((report) => report.fault !== null),
		notified: notified.map(({ value }) => value),
		end: of<{ beats: number; faults: number }>("end")[0],
		reason,
		seconds: await device.now(),
	};
}

/** Runs the patch over a stream, until it ends or `seconds` are up. */
function runPatch(place: Place, input: AsyncIterable<Uint8Array> | Uint8Array, seconds: number): Promise<Run> {
	return withDevice(place, APP, async (device) => collect(device, await device.run(seconds)), {
		...SERIAL,
		device: { input },
	});
}

function scored(reference: readonly number[], run: Run, options: ScoreOptions): Score {
	const times = run.beats.map((beat) => beat.t);
	return score(reference, times, options);
}

const peaks = (record: SyntheticRecording) => record.beats.map((beat) => beat / record.sampleRate);

/** A record as a WFDB file, with the beats that it was made of, in seconds. */
function wfdb(format: 16 | 212, sampleRate: number, seconds: number): { file: string; reference: number[] } {
	const made = syntheticRecording({ seconds, sampleRate, heartRate: 75, seed: 7 });
	const samples = Array.from(made.signals[0]?.samples ?? [], (value) => value + 1024);
	const other = samples.map((_, index) => 1024 + (index % 50));
	const file = writeRecord(folder, `f${format}`, format, sampleRate, [
		{ name: "MLII", samples, gain: "200(1024)/mV", bits: 12, adcZero: 1024 },
		{ name: "V5", samples: other, gain: "200(1024)/mV", bits: 12, adcZero: 1024 },
	]);
	return { file, reference: peaks(made) };
}

describeAt(tierOne, "ecg", (place) => {
	beforeAll(() => image(APP, place.board, SERIAL));

	test.each([
		[212, 360],
		[16, 250],
	] as const)("a WFDB record of format %i: every beat, at its time, at the record's own pace", async (format, rate) => {
		const seconds = 20;
		const { file, reference } = wfdb(format, rate, seconds);
		const input = recordStream(openRecord(file));
		await withDevice(
			place,
			APP,
			async (device) => {
				// Half of the time: half of the record, though the stream could have been read at once.
				const half = await collect(device, await device.run(seconds / 2));
				expect(half.reason).toBe("time");
				expect(half.end).toBeUndefined();
				expect(half.beats.at(-1)?.t).toBeGreaterThan(seconds / 2 - 1.6);
				expect(half.beats.at(-1)?.t).toBeLessThan(seconds / 2);
				await device.run(seconds / 2 + 1);
				const run = await collect(device, "time");
				expect(run.faults).toEqual([]);
				const result = scored(reference, run, { exclude: 0.3, until: seconds - 0.3 });
				expect(result).toMatchObject({ missed: [], extra: [] });
				expect(result.truePositives).toBeGreaterThan(20);
				expect(result.maxError).toBeLessThan(0.03);
				expect(run.end).toEqual({ beats: run.beats.length, faults: 0 });
			},
			{ ...SERIAL, device: { input } },
		);
	});

	test("the record's end comes when its last sample is due", async () => {
		const record = syntheticRecording({ seconds: 6, sampleRate: 250 });
		await withDevice(
			place,
			APP,
			async (device) => {
				await device.waitFor('"type":"end"', { seconds: 10 });
				expect(await device.now()).toBeGreaterThanOrEqual(6);
				expect(await device.now()).toBeLessThan(6.3);
			},
			{ ...SERIAL, device: { input: recordStream(record) } },
		);
	});

	test("beats carry R-R and rate, and the exact bytes of the Heart Rate Measurement", async () => {
		// A pulse a second: every interval is 1.000 s = 0x0400 / 1024 s, the rate 60 = 0x3c.
		const rate = 250;
		const samples = Int16Array.from({ length: 15 * rate }, (_, index) => {
			const time = ((index + rate / 2) % rate) / rate - 0.5;
			return Math.round(240 * Math.exp(-(time * time) / (2 * 0.012 ** 2)) + 6 * Math.sin(index));
		});
		const signal = { name: "", unitsPerMillivolt: 200, baseline: 0, bits: 12, low: -2048, high: 2047, samples };
		const run = await runPatch(place, recordStream({ name: "pulses", sampleRate: rate, signals: [signal] }), 16);
		expect(run.faults).toEqual([]);
		const [first, ...rest] = run.beats;
		expect(first).toMatchObject({ rr: null, bpm: null, fault: null });
		expect(rest.length).toBeGreaterThanOrEqual(12);
		for (const beat of rest) expect(Object.keys(beat)).toEqual(["t", "rr", "bpm", "fault"]);
		for (const beat of rest) expect(beat.rr).toBeCloseTo(1, 2);
		const exact = rest.map(({ rr, bpm }) => {
			const units = Math.round((rr ?? 0) * 1024);
			return Buffer.from([0x16, bpm ?? 0, units & 0xff, units >> 8]).toString("hex");
		});
		expect(run.notified).toEqual(exact);
		expect(run.notified).toContain("163c0004");
	});

	const seconds = 16;
	const rate = 250;
	const clean = syntheticRecording({ seconds, sampleRate: rate, seed: 11 });
	const changed = (change: (value: number, time: number) => number): Recording => ({
		...clean,
		signals: clean.signals.map((signal) => ({
			...signal,
			low: -2048,
			high: 2047,
			samples: signal.samples.map((value, index) => change(value, index / rate)),
		})),
	});
	const within = (time: number) => time > 6 && time < 10;
	const flip = (frame: Uint8Array) => frame.map((byte, index) => (index === 11 ? byte ^ 0x40 : byte));
	const loose = (frame: Uint8Array) => {
		const changed = Uint8Array.from(frame);
		if (changed[2] !== FRAME.samples) return changed;
		changed[FRAME.header] = STATUS_LEAD_OFF;
		const end = changed.length - 2;
		new DataView(changed.buffer).setUint16(end, crc16(changed, 2, end), true);
		return changed;
	};
	const damaged = (change: (frames: Uint8Array[]) => Uint8Array[]) =>
		Buffer.concat(change([...recordFrames(clean)])) as Uint8Array;

	/** Faults as told, the stretch around which beats may be lost, and the part of it in which none may be told at all. */
	interface Damage {
		readonly name: string;
		readonly input: () => Uint8Array;
		readonly faults: readonly string[];
		readonly spoiled: readonly [number, number];
		readonly silent?: readonly [number, number];
		/** The stream has no end. */
		readonly endless?: boolean;
	}
	const record = (change: (value: number, time: number) => number) => () =>
		Buffer.concat([...recordFrames(changed(change))]) as Uint8Array;
	const damages: readonly Damage[] = [
		{
			// The changed bit is worth 80 mV: without the CRC it would be a beat.
			name: "a corrupt frame",
			input: () => damaged((frames) => frames.map((frame, at) => (at === 120 ? flip(frame) : frame))),
			faults: ["corrupt-frame"],
			spoiled: [6, 9],
		},
		{
			name: "every tenth frame corrupt",
			input: () =>
				damaged((frames) => frames.map((frame, at) => (at % 10 === 9 && frame[2] === 2 ? flip(frame) : frame))),
			faults: ["corrupt-frame"],
			spoiled: [0, seconds],
		},
		{
			// 1.9 s: times behind it would be off by as much.
			name: "a gap",
			input: () => damaged((frames) => frames.filter((_, at) => at < 100 || at >= 130)),
			faults: ["gap"],
			spoiled: [5, 9.5],
			silent: [6.1, 7.6],
		},
		{
			name: "a stream that breaks off in a frame",
			input: () => damaged((frames) => frames).subarray(0, 5005),
			faults: ["no-signal"],
			spoiled: [7, seconds],
			silent: [8.1, seconds],
			endless: true,
		},
		{
			name: "a dead front end",
			input: () => new Uint8Array(0),
			faults: ["no-signal"],
			spoiled: [0, seconds],
			silent: [0, seconds],
			endless: true,
		},
		{
			name: "noise on the line",
			input: () => Uint8Array.from({ length: 30_000 }, (_, i) => (Math.imul(i, 2654435761) >>> 13) & 0xff),
			faults: ["corrupt-frame", "no-signal"],
			spoiled: [0, seconds],
			silent: [0, seconds],
			endless: true,
		},
		{
			name: "saturation, from rail to rail",
			input: record((value, time) => (within(time) ? (Math.floor(time * 4) % 2 ? 2047 : -2048) : value)),
			faults: ["saturation"],
			spoiled: [5, 13],
			silent: [6.1, 10],
		},
		{
			// The loose electrode still gives something that looks like beats.
			name: "lead-off as the front end tells it",
			input: () => damaged((frames) => frames.map((frame, at) => (at >= 101 && at < 165 ? loose(frame) : frame))),
			faults: ["lead-off"],
			spoiled: [5, 14],
			silent: [6.1, 10.5],
		},
		{
			name: "a record without values",
			input: record((value, time) => (within(time) ? NO_SAMPLE : value)),
			faults: ["lead-off"],
			spoiled: [5, 14],
			silent: [6.1, 10.5],
		},
		{
			name: "lead-off that only the signal shows",
			input: record((value, time) => (within(time) ? 700 : value)),
			faults: ["lead-off"],
			spoiled: [5, 14],
			silent: [6.1, 10.5],
		},
	];

	test.each(damages.map((damage) => [damage.name, damage] as const))(
		"%s: a fault, and no beat of it",
		async (_, damage) => {
			const { input, faults, spoiled, silent, endless } = damage;
			const run = await runPatch(place, input(), seconds + 1);
			expect([...new Set(run.faults.map((fault) => fault.fault))]).toEqual(faults);
			for (const fault of run.faults) expect(fault).toMatchObject({ rr: null, bpm: null });
			const reference = peaks(clean);
			expect(scored(reference, run, { exclude: 0 }).extra).toEqual([]);
			expect(scored(reference, run, { exclude: 0.3, until: spoiled[0] }).missed).toEqual([]);
			expect(scored(reference, run, { exclude: spoiled[1], until: seconds - 0.3 }).missed).toEqual([]);
			if (silent !== undefined) {
				expect(run.beats.filter((beat) => beat.t > silent[0] && beat.t < silent[1])).toEqual([]);
			}
			// No interval spans a fault.
			for (const fault of run.faults) {
				const after = run.beats.find((beat) => beat.t > fault.t);
				if (after !== undefined) expect(after).toMatchObject({ rr: null, bpm: null });
			}
			expect(run.notified.filter((value) => value === "0400").length).toBe(faults[0] === "lead-off" ? 1 : 0);
			if (endless === true) expect(run.end).toBeUndefined();
			else expect(run.end).toEqual({ beats: run.beats.length, faults: run.faults.length });
		},
	);

	test("without input: the synthetic ECG", async () => {
		const run = await withDevice(place, APP, async (device) => collect(device, await device.run(10)));
		const reference = peaks(syntheticRecording({ seconds: 12, heartRate: 70, seed: 1 }));
		expect(run.faults).toEqual([]);
		expect(run.notified).toEqual([]);
		expect(run.beats.at(-1)?.t).toBeGreaterThan(8.5);
		const result = scored(reference, run, { exclude: 0.3, until: (run.beats.at(-1)?.t ?? 0) + 0.1 });
		expect(result).toMatchObject({ missed: [], extra: [] });
	});
});

describeAt([nrf], "ecg", (place) => {
	beforeAll(() => image(APP, place.board, SERIAL));

	test("a WFDB record: every beat, at its time, until the record's end", async () => {
		const { file, reference } = wfdb(212, 360, 8);
		const run = await runPatch(place, recordStream(openRecord(file)), 8.5);
		expect(run.faults).toEqual([]);
		const result = scored(reference, run, { exclude: 0.3, until: 7.7 });
		expect(result).toMatchObject({ missed: [], extra: [] });
		expect(result.truePositives).toBeGreaterThan(7);
		expect(run.end).toEqual({ beats: run.beats.length, faults: 0 });
	});
});

describeAt([mps2], "ecg", (place) => {
	const absent = !existsSync(`${MITDB}.hea`);
	test.skipIf(absent)("MIT-BIH record 100, the first two minutes: Se and +P of at least 99.5 %", async () => {
		const seconds = 120;
		const record = openRecord(MITDB);
		const reference = readAnnotations(`${MITDB}.atr`)
			.filter(isBeat)
			.map((annotation) => annotation.sample / record.sampleRate);
		const run = await runPatch(place, recordStream(record, { to: seconds }), seconds + 1);
		const result = scored(reference, run, { until: seconds - 0.3 });
		expect(result.truePositives).toBeGreaterThan(135);
		expect(result.sensitivity, `missed ${result.missed}`).toBeGreaterThanOrEqual(0.995);
		expect(result.positivePredictivity, `extra ${result.extra}`).toBeGreaterThanOrEqual(0.995);
	});
});

describe("ecg: the command line", () => {
	test("run --input --json prints one object a beat and a fault, and nothing else", async () => {
		const { file, reference } = wfdb(212, 360, 12);
		const words = ["run", "ecg-patch", "--board", posix.board, "--input", `${file}.hea`, "--json", "--seconds", "14"];
		const out = await new Promise<string>((resolve, reject) => {
			const command = join(ROOT, "tools/bin/pericard.mjs");
			execFile(process.execPath, [command, ...words], { cwd: folder, encoding: "utf8" }, (error, stdout) =>
				error === null ? resolve(stdout) : reject(error),
			);
		});
		expect(out.endsWith("}\n")).toBe(true);
		const objects = out
			.trimEnd()
			.split("\n")
			.map((line) => JSON.parse(line) as BeatReport);
		for (const object of objects) expect(Object.keys(object)).toEqual(["t", "rr", "bpm", "fault"]);
		const times = objects.map((object) => object.t);
		expect(score(reference, times, { exclude: 0.3, until: 11.7 })).toMatchObject({ missed: [], extra: [] });
		// Seconds, not milliseconds.
		for (const { rr, bpm } of objects.slice(2)) expect(60 / (rr ?? 0)).toBeCloseTo(bpm ?? 0, -1);
	});
});
