// A front end at the other end of a serial port, which sends the frames of codec.ts.
//
// The stream may come faster than the heart that it tells of (a file, an emulator): samples are taken when they are
// due by this side's clock, the rest waits in the port. So the record flows at its own rate, whoever is faster.

import {
	type Crc16,
	type EcgFormat,
	FrameReader,
	SAMPLES_PER_FRAME,
	STATUS_LEAD_OFF,
	STATUS_SATURATED,
} from "./codec.ts";
import type { EcgFault, FrontEnd, Polled } from "./front-end.ts";

/** The part of ECMA-419's Serial that is used here. */
export interface SerialPort {
	/** Fills the buffer as far as bytes wait; returns how many, or undefined when none do. */
	read(buffer: Uint8Array): number | ArrayBuffer | undefined;
	close(): void;
}

export type SerialClass = new (options: { port: number; baud: number; format: "buffer" }) => SerialPort;

export interface SerialFrontEndOptions {
	/** `embedded:io/serial` */
	readonly serial: SerialClass;
	readonly port: number;
	/** Default 115200. */
	readonly baud?: number;
	/** `pericard/crc` */
	readonly crc16: Crc16;
}

/** How late a frame may be before the front end counts as dead. */
const NO_SIGNAL_MS = 250;
/** A jump of the sequence longer than this is not waited for: the other side has moved on. */
const LONGEST_WAIT_MS = 10_000;
/** Reads of the port at one poll; bounds the time that a stream of garbage can take. */
const READS_PER_POLL = 4;

export class SerialFrontEnd implements FrontEnd {
	readonly model = "Pericard serial ECG front end";
	format: EcgFormat | null = null;
	index = 0;
	count = 0;
	readonly samples: readonly number[];
	fault: EcgFault | null = null;
	attached = false;

	private readonly port: SerialPort;
	private readonly reader: FrameReader;
	/** Time at which sample 0 was due; NaN until the first poll. */
	private epoch = Number.NaN;
	private samplesPerMs = 0;
	/** Index of the next sample. */
	private taken = 0;
	private expected = 0;
	private frameSize = SAMPLES_PER_FRAME;
	/** Samples came before a format, and that has been told. */
	private unformatted = false;
	/** Frames were lost to a corrupt stretch that has been told. */
	private damaged = false;
	private silent = false;
	/** A frame of samples has been read and waits for its fault to be taken first. */
	private held = false;
	private ended = false;

	constructor(options: SerialFrontEndOptions) {
		const { serial: Serial, port, baud = 115200, crc16 } = options;
		this.reader = new FrameReader(crc16);
		this.samples = this.reader.samples;
		this.port = new Serial({ port, baud, format: "buffer" });
	}

	poll(ticks: number): Polled {
		if (this.ended) {
			return "end";
		}
		if (this.held) {
			this.held = false;
			return this.batch();
		}
		if (Number.isNaN(this.epoch)) {
			this.epoch = ticks;
		}
		// Until the format is known nothing can be paced, and nothing is let through.
		if (this.format !== null && this.taken + this.frameSize > (ticks - this.epoch) * this.samplesPerMs) {
			return undefined;
		}
		const reader = this.reader;
		let reads = READS_PER_POLL;
		for (;;) {
			switch (reader.next()) {
				case "samples":
					if (this.format === null) {
						this.step();
						this.taken += reader.count;
						if (this.unformatted) {
							continue;
						}
						this.unformatted = true;
						return this.tell("bad-format");
					}
					if (this.silent) {
						this.silent = false;
						this.rebase(ticks);
					}
					if (this.step()) {
						return this.batch();
					}
					if (this.taken / this.samplesPerMs - (ticks - this.epoch) > LONGEST_WAIT_MS) {
						this.rebase(ticks);
					}
					this.held = true;
					return this.tell("gap");
				case "format":
					if (!this.take(reader.format, ticks)) {
						return this.tell("bad-format");
					}
					continue;
				case "end":
					this.ended = true;
					return this.step() ? "end" : this.tell("gap");
				case "corrupt":
					this.damaged = true;
					return this.tell("corrupt-frame");
				case undefined: {
					const count = reads-- > 0 ? this.port.read(reader.room()) : undefined;
					if (typeof count !== "number" || count === 0) {
						return this.late(ticks);
					}
					this.attached = true;
					reader.added(count);
				}
			}
		}
	}

	close(): void {
		this.port.close();
	}

	/** Counts the frame just read, and those missing before it. False when it's not the one that was expected. */
	private step(): boolean {
		const reader = this.reader;
		const jump = (reader.sequence - this.expected) & 0xffff;
		this.expected = (reader.sequence + 1) & 0xffff;
		// A jump back is another stream or a repetition: record time never runs back, so it goes on from here.
		if (jump > 0 && jump < 0x8000) {
			this.taken += jump * this.frameSize;
		}
		const told = this.damaged;
		this.damaged = false;
		return jump === 0 || told;
	}

	private take(format: EcgFormat | null, ticks: number): boolean {
		if (format === null || !(format.sampleRate >= 100 && format.sampleRate <= 1000) || format.unitsPerMillivolt < 1) {
			return false;
		}
		const known = this.format;
		if (known === null) {
			this.format = format;
			this.samplesPerMs = format.sampleRate / 1000;
			this.rebase(ticks);
		} else if (known.sampleRate !== format.sampleRate || known.unitsPerMillivolt !== format.unitsPerMillivolt) {
			// Another record on the same wire: the detector is set up for the first one.
			return false;
		}
		return true;
	}

	private rebase(ticks: number): void {
		this.epoch = ticks - this.taken / this.samplesPerMs;
	}

	private late(ticks: number): Polled {
		const due = this.format === null ? 0 : (this.taken + this.frameSize) / this.samplesPerMs;
		if (this.silent || ticks - this.epoch - due < NO_SIGNAL_MS) {
			return undefined;
		}
		this.silent = true;
		return this.tell("no-signal");
	}

	private tell(fault: EcgFault): Polled {
		this.index = this.taken;
		this.count = 0;
		this.fault = fault;
		return "batch";
	}

	private batch(): Polled {
		const reader = this.reader;
		const count = reader.count;
		const status = reader.status;
		this.index = this.taken;
		this.count = count;
		this.taken += count;
		this.frameSize = count;
		this.fault = status & STATUS_LEAD_OFF ? "lead-off" : status & STATUS_SATURATED ? "saturation" : null;
		return "batch";
	}
}
