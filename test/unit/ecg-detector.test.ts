// The detector against references: the very TypeScript of the device on Node, through frames, sensor and patch.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { QrsDetector } from "../../firmware/signal/qrs.ts";
import { recordFrames } from "../../tools/signals/frames.ts";
import { openRecord, type Recording } from "../../tools/signals/record.ts";
import { score } from "../../tools/signals/score.ts";
import { syntheticRecording } from "../../tools/signals/synthetic.ts";
import { isBeat, readAnnotations } from "../../tools/signals/wfdb.ts";
import { type Bench, runStream } from "./ecg-bench.ts";

const RECORD_100 = join(import.meta.dirname, "../../../shared/data/ecg/mitdb-100");

function run(record: Recording, options = {}): Bench {
	return runStream(Buffer.concat([...recordFrames(record, options)]));
}

function times(bench: Bench): number[] {
	return bench.beats.map((beat) => beat.t);
}

/** Changes the samples of a recording's only signal. */
function altered<R extends Recording>(record: R, change: (value: number, index: number) => number): R {
	const signals = record.signals.map((signal) => ({ ...signal, samples: signal.samples.map(change) }));
	return { ...record, signals };
}

describe.skipIf(!existsSync(`${RECORD_100}.hea`))("MIT-BIH record 100", () => {
	const reference = existsSync(`${RECORD_100}.atr`)
		? readAnnotations(`${RECORD_100}.atr`)
				.filter(isBeat)
				.map(({ sample }) => sample / 360)
		: [];

	test.each([
		["MLII", 0],
		["V5", 1],
	])("lead %s, 30 minutes: Se and +P of at least 99.5 %%", (_name, signal) => {
		const bench = run(openRecord(RECORD_100), { signal });
		const result = score(reference, times(bench));
		expect(result.truePositives + result.falseNegatives).toBe(2267);
		expect(result.sensitivity).toBeGreaterThanOrEqual(0.995);
		expect(result.positivePredictivity).toBeGreaterThanOrEqual(0.995);
		expect(result.maxError).toBeLessThan(0.03);
		expect(bench.faults).toEqual([]);
		expect(bench.ended).toBeLessThan(1_806_000);
	});

	test("half of the amplitude, turned over: the same beats", () => {
		const record = altered(openRecord(RECORD_100), (value) => 1024 - Math.round((value - 1024) / 2));
		const until = 300;
		const result = score(reference, times(run(record, { to: until })), { until: until - 1 });
		expect(result.falseNegatives + result.falsePositives).toBe(0);
		expect(result.maxError).toBeLessThan(0.06);
	});
});

describe("synthetic ECG", () => {
	const cases = [100, 128, 200, 250, 360, 500, 777, 1000].flatMap((sampleRate) =>
		[30, 60, 120, 200].map((heartRate) => ({ sampleRate, heartRate })),
	);
	test.each(cases)("$heartRate bpm at $sampleRate Hz, with noise and a wandering baseline", (options) => {
		const record = syntheticRecording({ ...options, seconds: 60, noise: 0.15, wander: 0.6, seed: options.sampleRate });
		const bench = run(record);
		const reference = record.beats.map((beat) => beat / options.sampleRate);
		const result = score(reference, times(bench));
		expect(result).toMatchObject({ falseNegatives: 0, falsePositives: 0 });
		expect(result.maxError).toBeLessThan(0.03);
		expect(bench.faults).toEqual([]);
		// The rate is that of the last eight intervals: RR varies by some per cent.
		expect(Math.abs((bench.beats.at(-1)?.bpm ?? 0) - options.heartRate)).toBeLessThan(options.heartRate * 0.1);
	});

	test.each([20, 100, 1000, 6000])("%i units per millivolt", (unitsPerMillivolt) => {
		const record = syntheticRecording({ seconds: 30, unitsPerMillivolt, seed: 3 });
		const result = score(
			record.beats.map((beat) => beat / record.sampleRate),
			times(run(record)),
		);
		expect(result).toMatchObject({ falseNegatives: 0, falsePositives: 0 });
	});

	test("0.5 mV is counted, 0.12 mV is not", () => {
		expect(
			run(syntheticRecording({ seconds: 30, amplitude: 0.5, wander: 0, noise: 0.01 })).beats.length,
		).toBeGreaterThan(30);
		expect(run(syntheticRecording({ seconds: 30, amplitude: 0.12, wander: 0, noise: 0.01 })).beats).toEqual([]);
	});

	test("a fall of the amplitude to a fifth is followed within seconds, a rise at once", () => {
		const record = syntheticRecording({ seconds: 60, amplitude: 4, seed: 5 });
		// Between two beats: a jump within a wave would be an artefact of its own.
		const pause = (after: number): number => {
			const next = record.beats.findIndex((beat) => beat > after);
			return ((record.beats[next - 1] as number) + (record.beats[next] as number)) / 2;
		};
		const [from, to] = [pause(5000), pause(10000)];
		const fallen = altered(record, (value, index) => (index < from || index > to ? value : Math.round(value / 5)));
		const reference = record.beats.map((beat) => beat / 250);
		const beats = times(run(fallen));
		expect(score(reference, beats, { until: 20 })).toMatchObject({ falseNegatives: 0, falsePositives: 0 });
		expect(score(reference, beats, { exclude: 27, until: 40 })).toMatchObject({ falseNegatives: 0, falsePositives: 0 });
		expect(score(reference, beats, { exclude: 40 })).toMatchObject({ falseNegatives: 0, falsePositives: 0 });
	});

	test("the result does not depend on how the samples are cut into batches", () => {
		const { signals, sampleRate } = syntheticRecording({ seconds: 40, sampleRate: 300, noise: 0.2 });
		const samples = Array.from(signals[0]?.samples ?? []);
		const find = (size: number): number[] => {
			const detector = new QrsDetector({ sampleRate, unitsPerMillivolt: 200 });
			const beats: number[] = [];
			for (let at = 0; at < samples.length; at += size) {
				const batch = samples.slice(at, at + size);
				detector.process(batch, batch.length);
				beats.push(...detector.beats);
			}
			detector.flush();
			return [...beats, ...detector.beats];
		};
		expect(find(1).length).toBeGreaterThan(40);
		expect(find(16)).toEqual(find(1));
		expect(find(samples.length)).toEqual(find(1));
	});

	test("no ECG, no beats: silence, mains hum below the floor, slow waves", () => {
		const blank = syntheticRecording({ seconds: 30, amplitude: 0, noise: 0, wander: 0 });
		const hum = altered(blank, (_, index) => Math.round(20 * Math.sin((2 * Math.PI * 50 * index) / 250)));
		const breath = altered(blank, (_, index) => Math.round(400 * Math.sin((2 * Math.PI * 0.3 * index) / 250)));
		for (const record of [blank, hum, breath]) {
			expect(run(record).beats).toEqual([]);
		}
	});

	test("rates that the detector is not made for are refused", () => {
		expect(() => new QrsDetector({ sampleRate: 99, unitsPerMillivolt: 200 })).toThrow(/expected 100..1000/);
		expect(() => new QrsDetector({ sampleRate: 1001, unitsPerMillivolt: 200 })).toThrow(RangeError);
		expect(() => new QrsDetector({ sampleRate: 360, unitsPerMillivolt: 0 })).toThrow(/more than 0/);
		expect(() => [...recordFrames(syntheticRecording({ seconds: 1, sampleRate: 2000 }))]).toThrow(/resample/);
	});
});

describe("score", () => {
	test("one detection matches one beat, the nearer pair wins", () => {
		const options = { exclude: 0 };
		expect(score([1, 2, 3], [1.1, 2.2, 3.01], options)).toMatchObject({
			truePositives: 2,
			missed: [2],
			extra: [2.2],
		});
		expect(score([1], [0.9, 1.01], options)).toMatchObject({ truePositives: 1, extra: [0.9], missed: [] });
		expect(score([0.9, 1.01], [1], options)).toMatchObject({ truePositives: 1, extra: [], missed: [0.9] });
		expect(score([1, 6], [5.95, 6.5], {})).toMatchObject({ truePositives: 1, missed: [], extra: [6.5] });
		expect(score([4.9, 6], [5.01], {})).toMatchObject({ truePositives: 0, missed: [6], extra: [] });
	});
});
