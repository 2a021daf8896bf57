// The ECG as a sensor of ECMA-419: options object, configure(), sample(), close(), and the Provenance extension
// (configuration, identification, and ticks and faults with every sample).

import type { EcgFormat } from "./codec.ts";
import type { EcgFault, FrontEnd } from "./front-end.ts";

/** Where time comes from: on the device modules `time` and `timer`, elsewhere a test's own. */
export interface EcgClock {
	/** Monotonic milliseconds. */
	ticks(): number;
	/** Calls back every `interval` milliseconds until the returned function is called. */
	repeat(callback: () => void, interval: number): () => void;
}

/** `io` is a front end's class; the other properties are its options. */
export type EcgSource<Options extends object> = Options & { readonly io: new (options: Options) => FrontEnd };

export interface EcgSensorOptions<Options extends object> {
	readonly sensor: EcgSource<Options>;
	readonly clock: EcgClock;
	/** A batch can be had by sample(). Batches come in the order of the record. */
	readonly onReadable?: (this: EcgSensor<Options>) => void;
	/** The record has ended; no batch follows. */
	readonly onEnd?: (this: EcgSensor<Options>) => void;
}

export interface EcgConfiguration {
	/** Milliseconds between two looks at the front end, 10..200; default 50. */
	interval: number;
}

/** Some consecutive samples of the first lead. Valid until the next batch: copy what is to be kept. */
export interface EcgSample {
	/** Sensor clock in milliseconds when the batch was taken. */
	ticks: number;
	/** What is wrong with this batch; undefined when nothing is. */
	faults: EcgFault | undefined;
	/** Index of the first sample in the record: missing samples are counted, so `index / sampleRate` is record time. */
	index: number;
	/** Number of samples; 0 when the batch only tells of a fault. */
	count: number;
	/** The first `count` entries are ADC units. */
	samples: readonly number[];
}

const DEFAULT_INTERVAL = 50;
/** Bounds the work of one wake-up when there is much to catch up with. */
const BATCHES_PER_WAKE_UP = 64;

export class EcgSensor<Options extends object = object> {
	private readonly frontEnd: FrontEnd;
	private readonly clock: EcgClock;
	private readonly onReadable: ((this: EcgSensor<Options>) => void) | undefined;
	private readonly onEnd: ((this: EcgSensor<Options>) => void) | undefined;
	private readonly current: EcgSample;
	private interval = DEFAULT_INTERVAL;
	private cancel: (() => void) | null;
	private readable = false;
	private closed = false;

	/** Opens the front end and starts sampling. Throws what the front end's class throws. */
	constructor(options: EcgSensorOptions<Options>) {
		const { sensor, clock, onReadable, onEnd } = options;
		this.clock = clock;
		this.onReadable = onReadable;
		this.onEnd = onEnd;
		this.frontEnd = new sensor.io(sensor);
		this.current = { ticks: 0, faults: undefined, index: 0, count: 0, samples: this.frontEnd.samples };
		this.cancel = clock.repeat(() => this.wake(), this.interval);
	}

	/** @throws RangeError for an interval outside 10..200 ms. */
	configure(options: Partial<EcgConfiguration>): void {
		this.check();
		const { interval } = options;
		if (interval !== undefined) {
			if (!(interval >= 10 && interval <= 200)) {
				throw new RangeError(`ECG sensor: interval is ${interval} ms, expected 10..200`);
			}
			this.interval = interval;
			if (this.cancel !== null) {
				this.cancel();
				this.cancel = this.clock.repeat(() => this.wake(), interval);
			}
		}
	}

	get configuration(): EcgConfiguration {
		return { interval: this.interval };
	}

	get identification(): { model: string; classification: string } {
		return { model: this.frontEnd.model, classification: "Electrocardiogram" };
	}

	/** The front end has shown a sign of life, be it a damaged one. */
	get attached(): boolean {
		return this.frontEnd.attached;
	}

	/** Rate and units of the samples; null until the front end has told them, known with the first sample. */
	get format(): EcgFormat | null {
		return this.frontEnd.format;
	}

	/** The batch that onReadable told of; undefined when there is none. */
	sample(): EcgSample | undefined {
		this.check();
		return this.readable ? this.current : undefined;
	}

	/** Stops sampling and releases the front end. May be called again. */
	close(): void {
		if (!this.closed) {
			this.closed = true;
			this.readable = false;
			this.stop();
			this.frontEnd.close();
		}
	}

	private check(): void {
		if (this.closed) {
			throw new Error("ECG sensor: closed");
		}
	}

	private stop(): void {
		if (this.cancel !== null) {
			this.cancel();
			this.cancel = null;
		}
	}

	private wake(): void {
		const frontEnd = this.frontEnd;
		const current = this.current;
		const ticks = this.clock.ticks();
		for (let i = 0; i < BATCHES_PER_WAKE_UP && !this.closed; i++) {
			const found = frontEnd.poll(ticks);
			if (found === "batch") {
				current.ticks = ticks;
				current.faults = frontEnd.fault ?? undefined;
				current.index = frontEnd.index;
				current.count = frontEnd.count;
				current.samples = frontEnd.samples;
				this.readable = true;
				this.onReadable?.call(this);
				this.readable = false;
			} else {
				if (found === "end") {
					this.stop();
					this.onEnd?.call(this);
				}
				return;
			}
		}
	}
}
