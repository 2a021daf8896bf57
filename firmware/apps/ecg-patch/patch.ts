// The ECG patch without its hardware: batches of samples in, reports of beats and faults out.

import { encodeHeartRate, HEART_RATE_MEASUREMENT } from "../../profiles/heart-rate.ts";
import type { Notify } from "../../profiles/notifier.ts";
import type { EcgFormat } from "../../sensors/ecg/codec.ts";
import type { EcgFault } from "../../sensors/ecg/front-end.ts";
import type { EcgSample } from "../../sensors/ecg/sensor.ts";
import { LeadOffDetector } from "../../signal/lead-off.ts";
import { QrsDetector } from "../../signal/qrs.ts";
import { Rhythm } from "../../signal/rhythm.ts";

/** What is reported as "beat", for a beat as well as for a fault. */
export interface BeatReport {
	/** Seconds of the record. */
	readonly t: number;
	/** Seconds since the beat before; null after a fault, and for a fault. */
	readonly rr: number | null;
	/** Beats per minute over the last eight intervals; null until known, and for a fault. */
	readonly bpm: number | null;
	/** Null for a beat. */
	readonly fault: EcgFault | null;
}

/** Some values of the signal for a picture of it, reported as "trace". */
export interface TraceReport {
	/** Seconds of the record, of the first value. */
	readonly t: number;
	/** Values per second. */
	readonly rate: number;
	/** Millivolts. */
	readonly mv: readonly number[];
}

export interface PatchOptions {
	readonly report: (type: "beat" | "trace", data: BeatReport | TraceReport) => void;
	/** Gets the Heart Rate Measurement with every beat, and when the electrodes come off. */
	readonly notify?: Notify;
	/** Values per second of "trace" reports; 0, the default, for none. */
	readonly trace?: number;
}

/** Seconds after a fault in which peaks are no beats: an amplifier recovers from a rail, a loose electrode settles. */
const SETTLE_SATURATION = 0.5;
const SETTLE_ELECTRODE = 1;
const VALUES_PER_TRACE = 10;

export class Patch {
	beats = 0;
	faults = 0;

	private readonly options: PatchOptions;
	private format: EcgFormat | null = null;
	private detector: QrsDetector | null = null;
	private leadOff: LeadOffDetector | null = null;
	private rhythm: Rhythm | null = null;
	/** The fault that holds on, and how to go on when it is over. */
	private fault: EcgFault | null = null;
	private interrupted = false;
	private settle = 0;
	private relearn = false;
	private traceStep = 0;
	private traceNext = 0;
	private traceAt = 0;
	private traceValues: number[] = [];

	constructor(options: PatchOptions) {
		this.options = options;
	}

	/** Takes one batch of the sensor; `format` is the sensor's. */
	take(sample: EcgSample, format: EcgFormat | null): void {
		if (format !== null && this.format === null) {
			this.start(format);
		}
		const fault = sample.faults;
		if (fault !== undefined) {
			this.interrupt(fault, sample.index, sample.count === 0);
			return;
		}
		const detector = this.detector;
		const leadOff = this.leadOff;
		if (detector === null || leadOff === null) {
			return;
		}
		const { index, count, samples } = sample;
		if (this.traceStep > 0) {
			this.trace(index, count, samples);
		}
		if (leadOff.process(samples, count)) {
			this.interrupt("lead-off", index, false);
			return;
		}
		if (this.interrupted) {
			this.interrupted = false;
			this.fault = null;
			detector.restart(index, this.settle, this.relearn);
			this.settle = 0;
			this.relearn = false;
		}
		if (detector.process(samples, count) > 0) {
			this.tell(detector.beats);
		}
	}

	/** The record has ended: tells of what the detector still holds. */
	end(): void {
		if (this.detector !== null && !this.interrupted && this.detector.flush() > 0) {
			this.tell(this.detector.beats);
		}
	}

	private start(format: EcgFormat): void {
		const { sampleRate, unitsPerMillivolt } = format;
		this.format = format;
		this.detector = new QrsDetector({ sampleRate, unitsPerMillivolt });
		this.leadOff = new LeadOffDetector(sampleRate, unitsPerMillivolt);
		this.rhythm = new Rhythm(sampleRate);
		const trace = this.options.trace ?? 0;
		this.traceStep = trace > 0 ? Math.max(1, Math.round(sampleRate / trace)) : 0;
		// The record may have begun before the format was known.
		this.interrupted = true;
	}

	private tell(beats: readonly number[]): void {
		const { format, rhythm, options } = this;
		if (format === null || rhythm === null) {
			return;
		}
		for (let i = 0; i < beats.length; i++) {
			const index = beats[i] as number;
			rhythm.beat(index);
			const { rr, bpm } = rhythm;
			this.beats++;
			options.report("beat", { t: this.seconds(index), rr, bpm, fault: null });
			if (options.notify !== undefined && bpm !== null) {
				const intervals = rr !== null && rr < 64 ? [rr] : [];
				options.notify(HEART_RATE_MEASUREMENT, encodeHeartRate({ bpm, contact: true, rr: intervals }));
			}
		}
	}

	/** `event`: the fault is over as soon as it is told; otherwise it is told once and holds on. */
	private interrupt(fault: EcgFault, index: number, event: boolean): void {
		this.interrupted = true;
		this.rhythm?.restart();
		if (fault === "saturation") {
			this.settle = Math.max(this.settle, SETTLE_SATURATION);
		} else if (fault === "lead-off" || fault === "no-signal") {
			this.settle = SETTLE_ELECTRODE;
			this.relearn = true;
		}
		if (event) {
			this.leadOff?.restart();
		} else if (fault === this.fault) {
			return;
		}
		this.fault = event ? null : fault;
		this.faults++;
		this.options.report("beat", { t: this.seconds(index), rr: null, bpm: null, fault });
		if (fault === "lead-off") {
			this.options.notify?.(HEART_RATE_MEASUREMENT, encodeHeartRate({ bpm: 0, contact: false, rr: [] }));
		}
	}

	private seconds(index: number): number {
		// Before the format is known there is no rate, and record time has not begun.
		return this.format === null ? 0 : Math.round((index * 1000) / this.format.sampleRate) / 1000;
	}

	private trace(index: number, count: number, samples: readonly number[]): void {
		const format = this.format as EcgFormat;
		const values = this.traceValues;
		let i = this.traceNext;
		for (; i < count; i += this.traceStep) {
			if (values.length === 0) {
				this.traceAt = index + i;
			}
			values.push(Math.round((((samples[i] as number) - format.baseline) * 100) / format.unitsPerMillivolt) / 100);
			if (values.length === VALUES_PER_TRACE) {
				const rate = format.sampleRate / this.traceStep;
				this.options.report("trace", { t: this.seconds(this.traceAt), rate, mv: values.slice() });
				values.length = 0;
			}
		}
		this.traceNext = i - count;
	}
}
