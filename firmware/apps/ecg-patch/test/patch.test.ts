// The ECG patch on the device itself: the engine's arithmetic, the native CRC and the real timers under the same code
// that the host tests run. Beats, rates and faults in depth are tested there.

import { crc16 } from "pericard/crc";
import { decodeHeartRate, encodeHeartRate } from "pericard/profiles/heart-rate";
import { encodeEnd, encodeFormat, encodeSamples } from "pericard/sensors/ecg/encoder";
import { EcgSensor } from "pericard/sensors/ecg/sensor";
import { SerialFrontEnd } from "pericard/sensors/ecg/serial-front-end";
import { SyntheticEcg } from "pericard/sensors/ecg/synthetic";
import { SyntheticFrontEnd } from "pericard/sensors/ecg/synthetic-front-end";
import { describe, expect, test } from "pericard/test";
import Time from "time";
import Timer from "timer";
import { type BeatReport, Patch } from "../patch.ts";

const RATE = 250;
const format = { sampleRate: RATE, unitsPerMillivolt: 200, baseline: 0, leads: 1, bits: 12 };

/** The reports of a patch. */
class Reports {
	readonly beats: BeatReport[] = [];
	readonly faults: BeatReport[] = [];
	readonly values: Uint8Array[] = [];
	readonly patch = new Patch({
		report: (_type, data) => {
			const beat = data as BeatReport;
			(beat.fault === null ? this.beats : this.faults).push(beat);
		},
		notify: (_uuid, value) => {
			this.values.push(value);
		},
	});
}

/** Runs the patch over frames, as fast as the device can: the sensor's clock is the test's. */
function run(next: () => Uint8Array | undefined, milliseconds: number): Reports {
	const reports = new Reports();
	let now = 0;
	let wake: (() => void) | null = null;
	class Port {
		read(buffer: Uint8Array): number | undefined {
			const bytes = next();
			if (bytes === undefined) {
				return undefined;
			}
			buffer.set(bytes);
			return bytes.length;
		}
		close(): void {}
	}
	const sensor = new EcgSensor({
		sensor: { io: SerialFrontEnd, serial: Port, port: 1, crc16 },
		clock: {
			ticks: () => now,
			repeat: (callback) => {
				wake = callback;
				return () => {
					wake = null;
				};
			},
		},
		onReadable() {
			const sample = this.sample();
			if (sample !== undefined) {
				reports.patch.take(sample, this.format);
			}
		},
		onEnd() {
			reports.patch.end();
		},
	});
	while (now < milliseconds && wake !== null) {
		now += 50;
		(wake as () => void)();
	}
	sensor.close();
	return reports;
}

/** Frames of a synthetic ECG, one at each call; `change` may spoil one. R peaks are noted in `peaks`, in seconds. */
function frames(
	seconds: number,
	peaks: number[],
	change: (frame: Uint8Array, number: number) => Uint8Array | undefined = (frame) => frame,
): () => Uint8Array | undefined {
	const ecg = new SyntheticEcg({ sampleRate: RATE, unitsPerMillivolt: 200, seed: 3 });
	const samples = new Array<number>(16).fill(0);
	const count = Math.floor((seconds * RATE) / 16);
	let last = -1;
	let number = -1;
	return () => {
		for (;;) {
			if (number < 0) {
				number = 0;
				return encodeFormat(format, 0, crc16);
			}
			if (number === count) {
				number++;
				return encodeEnd(count, crc16);
			}
			if (number > count) {
				return undefined;
			}
			ecg.read(samples, 16);
			if (ecg.lastPeak !== last) {
				last = ecg.lastPeak;
				peaks.push(last / RATE);
			}
			const frame = change(encodeSamples(samples, 0, number, crc16), number);
			number++;
			if (frame !== undefined) {
				return frame;
			}
		}
	};
}

/** Every beat is one of the peaks, within 30 ms. */
function expectOnly(beats: readonly BeatReport[], peaks: readonly number[]): void {
	for (const beat of beats) {
		expect(peaks.some((peak) => Math.abs(peak - beat.t) < 0.03)).toBe(true);
	}
}

describe("codec", () => {
	test("the native CRC is CRC-16/IBM-3740", () => {
		expect(crc16(Uint8Array.of(0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39))).toBe(0x29b1);
	});

	test("bytes of a frame", () => {
		const frame = encodeSamples([1, -2], 1, 0x1234, crc16);
		expect(Array.from(frame.slice(0, 12))).toEqual([0xa5, 0x5a, 2, 6, 0x34, 0x12, 1, 2, 1, 0, 0xfe, 0xff]);
	});
});

describe("heart rate measurement", () => {
	test("bytes with contact and an interval", () => {
		const bytes = encodeHeartRate({ bpm: 75, contact: true, rr: [0.8] });
		expect(Array.from(bytes)).toEqual([0x16, 75, 0x33, 0x03]);
	});
});

describe("patch", () => {
	test("finds every beat of a synthetic ECG, with its interval and rate", () => {
		const peaks: number[] = [];
		const { beats, faults, values } = run(frames(15, peaks), 16_000);
		expect(faults).toEqual([]);
		expectOnly(beats, peaks);
		expect(beats.length).toBe(peaks.filter((peak) => peak > 0.3 && peak < 14.9).length);
		expect(beats[0]?.rr).toBeNull();
		const last = beats[beats.length - 1];
		expect(last?.rr).toBeCloseTo((last?.t ?? 0) - (beats[beats.length - 2]?.t ?? 0), 2);
		expect(decodeHeartRate(values[values.length - 1] as Uint8Array).bpm).toBe(last?.bpm);
	});

	test("a corrupt frame is a fault, and no beat", () => {
		const peaks: number[] = [];
		const spoil = (frame: Uint8Array, number: number): Uint8Array => {
			if (number === 100) {
				frame[20] = (frame[20] as number) ^ 1;
			}
			return frame;
		};
		const { beats, faults } = run(frames(12, peaks, spoil), 13_000);
		expect(faults.map((fault) => fault.fault)).toEqual(["corrupt-frame"]);
		expect(faults[0]?.t).toBe(6.4);
		expectOnly(beats, peaks);
		expect(beats.some((beat) => beat.t > 8)).toBe(true);
	});

	test("missing frames are a gap, and record time goes on", () => {
		const peaks: number[] = [];
		const lose = (frame: Uint8Array, number: number): Uint8Array | undefined =>
			number >= 100 && number < 110 ? undefined : frame;
		const { beats, faults } = run(frames(12, peaks, lose), 13_000);
		expect(faults.map((fault) => fault.fault)).toEqual(["gap"]);
		expectOnly(beats, peaks);
	});

	test("a dead front end is no signal, told once", () => {
		const { beats, faults } = run(() => undefined, 2000);
		expect(faults).toEqual([{ t: 0, rr: null, bpm: null, fault: "no-signal" }]);
		expect(beats).toEqual([]);
	});
});

describe("sensor", () => {
	test("samples come at their own rate, and stop with close()", async () => {
		let taken = 0;
		const started = Time.microseconds;
		const sensor = new EcgSensor({
			sensor: { io: SyntheticFrontEnd, sampleRate: RATE },
			clock: {
				ticks: () => Time.microseconds / 1000,
				repeat: (callback, interval) => {
					const timer = Timer.repeat(callback, interval);
					return () => Timer.clear(timer);
				},
			},
			onReadable() {
				taken += this.sample()?.count ?? 0;
			},
		});
		await new Promise<void>((resolve) => Timer.set(() => resolve(), 1000));
		const due = ((Time.microseconds - started) / 1_000_000) * RATE;
		expect(taken).toBeGreaterThan(due - 45);
		expect(taken).toBeLessThanOrEqual(due);
		expect(sensor.identification.classification).toBe("Electrocardiogram");
		sensor.close();
		sensor.close();
		expect(() => sensor.sample()).toThrow("closed");
		const before = taken;
		await new Promise<void>((resolve) => Timer.set(() => resolve(), 200));
		expect(taken).toBe(before);
	});
});
