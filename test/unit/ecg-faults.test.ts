// What goes wrong between skin and device: it is reported as a fault, and never as a beat.

import { describe, expect, test } from "vitest";
import type { BeatReport } from "../../firmware/apps/ecg-patch/patch.ts";
import { decodeHeartRate } from "../../firmware/profiles/heart-rate.ts";
import { recordFrames } from "../../tools/signals/frames.ts";
import { NO_SAMPLE } from "../../tools/signals/record.ts";
import { score } from "../../tools/signals/score.ts";
import { type SyntheticRecording, syntheticRecording } from "../../tools/signals/synthetic.ts";
import { type Bench, type BenchOptions, runStream } from "./ecg-bench.ts";

const RATE = 250;
const clean = syntheticRecording({ seconds: 60, sampleRate: RATE, seed: 11 });
const reference = clean.beats.map((beat) => beat / RATE);
const FRAME_SECONDS = 16 / RATE;

/** The frames of a record; format frames are numbered along. */
function framesOf(record: SyntheticRecording): Uint8Array[] {
	return [...recordFrames(record)];
}

function run(frames: readonly Uint8Array[], options?: BenchOptions): Bench {
	return runStream(Buffer.concat(frames), options);
}

function names(faults: readonly BeatReport[]): (string | null)[] {
	return faults.map((fault) => fault.fault);
}

/** No beat that the record does not have; every beat outside of `spoiled` (seconds) is found. */
function expectNoFalseBeats(bench: Bench, spoiled: readonly [number, number]): void {
	const beats = bench.beats.map((beat) => beat.t);
	expect(score(reference, beats, { exclude: 0 }).extra).toEqual([]);
	expect(score(reference, beats, { until: spoiled[0] }).missed).toEqual([]);
	expect(score(reference, beats, { exclude: spoiled[1], until: 59.5 }).missed).toEqual([]);
}

/** No interval and no rate may come out of a stretch that was not seen. */
function expectBreakInRhythm(bench: Bench, at: number): void {
	const after = bench.beats.find((beat) => beat.t > at);
	expect(after).toMatchObject({ rr: null, bpm: null });
}

function withSamples(change: (value: number, time: number) => number): SyntheticRecording {
	const signals = clean.signals.map((signal) => ({
		...signal,
		low: -2048,
		high: 2047,
		samples: signal.samples.map((value, index) => change(value, index / RATE)),
	}));
	return { ...clean, signals };
}

test("a clean record has no faults, flows at its own rate and ends", () => {
	const bench = run(framesOf(clean));
	expect(bench.faults).toEqual([]);
	expect(bench.ended).toBeGreaterThanOrEqual(60_000);
	expect(bench.ended).toBeLessThanOrEqual(60_100);
	expectNoFalseBeats(bench, [60, 60]);
	const stopped = run(framesOf(clean), { milliseconds: 20_000 });
	expect(stopped.beats.at(-1)?.t).toBeLessThanOrEqual(20);
	expect(stopped.bytesTaken).toBeLessThan(20 * RATE * 3 + 300);
});

describe("frames", () => {
	test.each([1, 200, 777])("a corrupt frame, number %i", (number) => {
		const frames = framesOf(clean).map((frame, index) =>
			index === number ? frame.map((b, i) => (i === 20 ? b ^ 4 : b)) : frame,
		);
		const bench = run(frames);
		expect(names(bench.faults)).toEqual(["corrupt-frame"]);
		const at = bench.faults[0]?.t ?? 0;
		expectNoFalseBeats(bench, [at - 1, at + 1]);
		expectBreakInRhythm(bench, at);
	});

	test("every tenth frame corrupt: a fault each, and still no false beat", () => {
		const frames = framesOf(clean).map((frame, index) =>
			index % 10 === 9 ? frame.map((b, i) => (i === 9 ? b ^ 0x80 : b)) : frame,
		);
		const bench = run(frames);
		expect(new Set(names(bench.faults))).toEqual(new Set(["corrupt-frame"]));
		expect(bench.faults.length).toBe(frames.length / 10 - ((frames.length / 10) % 1));
		expectNoFalseBeats(bench, [0, 60]);
	});

	test.each([1, 2, 30, 200])("a gap of %i frames: record time goes on", (lost) => {
		const frames = framesOf(clean);
		frames.splice(400, lost);
		const bench = run(frames);
		expect(names(bench.faults)).toEqual(["gap"]);
		const at = bench.faults[0]?.t ?? 0;
		const seconds = lost * FRAME_SECONDS;
		expectNoFalseBeats(bench, [at - seconds - 1, at + 1]);
		expectBreakInRhythm(bench, at);
		// A jump of more than ten seconds is not waited for.
		expect(bench.ended).toBeGreaterThan(seconds > 10 ? 59_900 - seconds * 1000 : 59_900);
	});

	test("a frame sent twice is a gap, not time", () => {
		const frames = framesOf(clean);
		frames.splice(400, 0, frames[400] as Uint8Array);
		const bench = run(frames);
		expect(names(bench.faults)).toContain("gap");
		expect(
			score(
				reference,
				bench.beats.map((beat) => beat.t),
				{ exclude: 0 },
			).extra,
		).toEqual([]);
	});

	test("the last frames are missing: the end says so", () => {
		const frames = framesOf(clean);
		frames.splice(frames.length - 3, 2);
		const bench = run(frames);
		expect(names(bench.faults)).toEqual(["gap"]);
		expect(bench.ended).toBeDefined();
	});

	test("the first format is truncated: nothing is let through until the next one", () => {
		const frames = framesOf(clean);
		frames[0] = (frames[0] as Uint8Array).slice(0, 9);
		const bench = run(frames);
		expect(names(bench.faults)).toEqual(["corrupt-frame", "bad-format"]);
		expectNoFalseBeats(bench, [0, 5]);
	});

	test("no format ever, and a format out of range: no beats", () => {
		const samples = framesOf(clean).filter((frame) => frame[2] !== 1);
		expect(names(run(samples).faults)).toContain("bad-format");
		expect(run(samples).beats).toEqual([]);
	});

	test("a stream cut off anywhere: a fault, and no end", () => {
		const bytes = Buffer.concat(framesOf(clean));
		for (const length of [0, 1, 7, 100, 12_345, bytes.length - 1]) {
			const bench = runStream(bytes.subarray(0, length), { milliseconds: 70_000 });
			expect(bench.ended).toBeUndefined();
			expect(names(bench.faults)).toEqual(["no-signal"]);
			expect(
				score(
					reference,
					bench.beats.map((beat) => beat.t),
					{ exclude: 0 },
				).extra,
			).toEqual([]);
		}
	});
});

describe("dead front end", () => {
	test("never a byte", () => {
		const bench = run([], { milliseconds: 5000 });
		expect(names(bench.faults)).toEqual(["no-signal"]);
		expect(bench.beats).toEqual([]);
	});

	test("only noise on the line", () => {
		const noise = Uint8Array.from({ length: 100_000 }, (_, i) => (Math.imul(i, 2654435761) >>> 13) & 0xff);
		const bench = runStream(noise, { milliseconds: 20_000 });
		expect(names(bench.faults)).toEqual(["corrupt-frame", "no-signal"]);
		expect(bench.beats).toEqual([]);
	});

	test("silent for three seconds, then on: told once, and no beat between", () => {
		const frames = framesOf(clean);
		const bytes = Buffer.concat(frames);
		const half = Buffer.concat(frames.slice(0, 400)).length;
		const at = 385 * FRAME_SECONDS * 1000;
		const bench = runStream(bytes, {
			arrived: (now) => (now < at + 3000 ? half : bytes.length),
		});
		expect(names(bench.faults)).toEqual(["no-signal"]);
		const told = bench.faults[0]?.t ?? 0;
		// The record did not go on in the silence: afterwards it does, from where it stood, with new thresholds.
		expectNoFalseBeats(bench, [told - 1, told + 5]);
		expectBreakInRhythm(bench, told);
	});

	test("late by less than 250 ms now and then: no fault", () => {
		const bytes = Buffer.concat(framesOf(clean));
		const perMs = bytes.length / 60_000;
		const bench = runStream(bytes, { arrived: (now) => Math.floor(now / 150) * 150 * perMs });
		expect(bench.faults).toEqual([]);
		expectNoFalseBeats(bench, [59, 60]);
	});
});

describe("signal", () => {
	test("saturation: a rail in the middle of a record", () => {
		const bench = run(framesOf(withSamples((value, time) => (time > 20 && time < 23 ? 2047 : value))));
		expect(names(bench.faults)).toEqual(["saturation"]);
		expectNoFalseBeats(bench, [19, 24]);
		expectBreakInRhythm(bench, 20);
	});

	test("saturation: from rail to rail, as when electrodes move", () => {
		const bench = run(
			framesOf(
				withSamples((value, time) => (time > 20 && time < 26 ? (Math.floor(time * 4) % 2 ? 2047 : -2048) : value)),
			),
		);
		expect(new Set(names(bench.faults))).toEqual(new Set(["saturation"]));
		expectNoFalseBeats(bench, [19, 29]);
	});

	test("an amplifier that recovers from a rail in a second", () => {
		const recovery = (time: number): number => Math.round(2000 * Math.exp(-(time - 22) / 0.3));
		const bench = run(
			framesOf(
				withSamples((value, time) => (time < 20 ? value : time < 22 ? 2047 : Math.min(2047, value + recovery(time)))),
			),
		);
		expect(new Set(names(bench.faults))).toEqual(new Set(["saturation"]));
		expectNoFalseBeats(bench, [19, 26]);
	});

	test("lead-off as the front end tells it", () => {
		const bench = run(framesOf(withSamples((value, time) => (time > 20 && time < 30 ? NO_SAMPLE : value))));
		expect(names(bench.faults)).toEqual(["lead-off"]);
		expectNoFalseBeats(bench, [19, 34]);
		const off = bench.notified.map(({ value }) => decodeHeartRate(value)).find(({ contact }) => contact === false);
		expect(off).toEqual({ bpm: 0, contact: false, rr: [] });
	});

	test.each([0, 1000, -700])("lead-off that only the signal shows: stuck at %i", (level) => {
		const bench = run(framesOf(withSamples((value, time) => (time > 20.3 && time < 30 ? level : value))));
		expect(names(bench.faults)).toEqual(["lead-off"]);
		expectNoFalseBeats(bench, [19, 34]);
	});
});

test("beats carry R-R and rate; each is notified in the characteristic's bytes", () => {
	const bench = run(framesOf(clean));
	const [first, ...rest] = bench.beats;
	expect(first).toMatchObject({ rr: null, bpm: null, fault: null });
	let last = first?.t ?? 0;
	for (const beat of rest) {
		expect(beat.rr).toBeCloseTo(beat.t - last, 2);
		expect(beat.bpm).toBeGreaterThan(60);
		expect(beat.bpm).toBeLessThan(80);
		last = beat.t;
	}
	const measurements = bench.notified.map(({ value }) => decodeHeartRate(value));
	expect(bench.notified.every(({ uuid }) => uuid === "2a37")).toBe(true);
	expect(measurements.map(({ bpm }) => bpm)).toEqual(rest.map((beat) => beat.bpm));
	expect(measurements.every(({ contact, rr }) => contact === true && rr.length === 1)).toBe(true);
});

test("the trace: as many values a second as asked for, in millivolts", () => {
	const { traces } = run(framesOf(clean), { trace: 50 });
	expect(traces.length).toBe(300);
	expect(traces[0]).toMatchObject({ t: 0, rate: 50 });
	expect(traces[7]?.t).toBeCloseTo(1.4);
	const values = traces.flatMap((trace) => trace.mv);
	expect(Math.max(...values)).toBeGreaterThan(0.8);
	expect(Math.max(...values)).toBeLessThan(1.5);
});
