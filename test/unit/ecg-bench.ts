// The ECG sensor and the patch on Node: a serial port with bytes in it, a clock that tests move, the reports as a list.

import { type BeatReport, Patch, type TraceReport } from "../../firmware/apps/ecg-patch/patch.ts";
import { EcgSensor } from "../../firmware/sensors/ecg/sensor.ts";
import { SerialFrontEnd } from "../../firmware/sensors/ecg/serial-front-end.ts";
import { crc16 } from "../../tools/signals/frames.ts";

export interface Bench {
	readonly beats: readonly BeatReport[];
	readonly faults: readonly BeatReport[];
	readonly traces: readonly TraceReport[];
	readonly notified: readonly { readonly uuid: string; readonly value: Uint8Array }[];
	/** Milliseconds at which the record ended, or undefined. */
	readonly ended: number | undefined;
	/** Most bytes that the device had taken ahead of `millisecond`, by millisecond of the test's clock. */
	readonly bytesTaken: number;
}

export interface BenchOptions {
	/** Milliseconds to run; default until the record ends, at most an hour. */
	readonly milliseconds?: number;
	readonly trace?: number;
	/** Bytes that the port has at a time; default all of them. */
	readonly arrived?: (millisecond: number) => number;
}

/** Runs the device's code over a stream of bytes. */
export function runStream(bytes: Uint8Array, options: BenchOptions = {}): Bench {
	const beats: BeatReport[] = [];
	const faults: BeatReport[] = [];
	const traces: TraceReport[] = [];
	const notified: { uuid: string; value: Uint8Array }[] = [];
	let now = 1000;
	let at = 0;
	let ended: number | undefined;
	let tick: (() => void) | undefined;
	let interval = 0;
	class Port {
		read(buffer: Uint8Array): number | undefined {
			const limit = Math.min(bytes.length, options.arrived?.(now - 1000) ?? bytes.length);
			const count = Math.min(buffer.length, limit - at);
			if (count <= 0) {
				return undefined;
			}
			buffer.set(bytes.subarray(at, at + count));
			at += count;
			return count;
		}
		close(): void {}
	}
	const patch = new Patch({
		report: (type, data) => {
			if (type === "trace") {
				traces.push(data as TraceReport);
			} else {
				const report = data as BeatReport;
				(report.fault === null ? beats : faults).push(report);
			}
		},
		notify: (uuid, value) => notified.push({ uuid, value }),
		trace: options.trace ?? 0,
	});
	const sensor = new EcgSensor({
		sensor: { io: SerialFrontEnd, serial: Port, port: 1, crc16 },
		clock: {
			ticks: () => now,
			repeat: (callback, milliseconds) => {
				tick = callback;
				interval = milliseconds;
				return () => {
					tick = undefined;
				};
			},
		},
		onReadable() {
			const sample = this.sample();
			if (sample !== undefined) {
				patch.take(sample, this.format);
			}
		},
		onEnd() {
			patch.end();
			ended = now - 1000;
			this.close();
		},
	});
	const limit = now + (options.milliseconds ?? 3_600_000);
	while (tick !== undefined && now < limit) {
		now += interval;
		tick();
	}
	sensor.close();
	return { beats, faults, traces, notified, ended, bytesTaken: at };
}
