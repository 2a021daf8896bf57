// A front end without hardware: the synthetic ECG at its own rate, for demonstrations and tests of an app.

import { type EcgFormat, SAMPLES_PER_FRAME } from "./codec.ts";
import type { EcgFault, FrontEnd, Polled } from "./front-end.ts";
import { SyntheticEcg, type SyntheticOptions } from "./synthetic.ts";

export interface SyntheticFrontEndOptions extends Partial<SyntheticOptions> {
	/** Seconds until the record ends; default never. */
	readonly seconds?: number;
}

export class SyntheticFrontEnd implements FrontEnd {
	readonly model = "Pericard synthetic ECG";
	readonly attached = true;
	readonly format: EcgFormat;
	index = 0;
	count = 0;
	readonly samples: number[] = new Array<number>(SAMPLES_PER_FRAME).fill(0);
	readonly fault: EcgFault | null = null;

	private readonly ecg: SyntheticEcg;
	private readonly samplesPerMs: number;
	private readonly end: number;
	private epoch = Number.NaN;
	private taken = 0;

	constructor(options: SyntheticFrontEndOptions) {
		const sampleRate = options.sampleRate ?? 250;
		const unitsPerMillivolt = options.unitsPerMillivolt ?? 200;
		this.format = { sampleRate, unitsPerMillivolt, baseline: 0, leads: 1, bits: 12 };
		this.ecg = new SyntheticEcg({ ...options, sampleRate, unitsPerMillivolt });
		this.samplesPerMs = sampleRate / 1000;
		this.end = Math.round((options.seconds ?? Number.POSITIVE_INFINITY) * sampleRate);
	}

	poll(ticks: number): Polled {
		if (Number.isNaN(this.epoch)) {
			this.epoch = ticks;
		}
		const left = this.end - this.taken;
		if (left <= 0) {
			return "end";
		}
		const count = Math.min(left, SAMPLES_PER_FRAME);
		if (this.taken + count > (ticks - this.epoch) * this.samplesPerMs) {
			return undefined;
		}
		this.ecg.read(this.samples, count);
		this.index = this.taken;
		this.count = count;
		this.taken += count;
		return "batch";
	}

	close(): void {}
}
