// The frames between an ECG front end and the device, written once: the device reads them, the tools write them.
//
// Runs on XS as well as on Node and imports nothing; whoever uses it hands in a CRC-16/IBM-3740 ("CCITT-FALSE").
//
//   offset  size  field (little-endian)
//   0       2     0xA5 0x5A
//   2       1     type: 1 format, 2 samples, 3 end of record
//   3       1     payload length n
//   4       2     sequence: counts "samples" frames from 0; "format" and "end" carry the number of the next one
//   6       n     payload
//   6+n     2     CRC-16 of bytes 2 .. 6+n-1
//
//   format   u32 rate in mHz, u16 ADC units per mV, s16 ADC value of 0 mV, u8 leads, u8 bits of the ADC
//   samples  u8 status (bit 0 lead-off, bit 1 saturated), u8 count 1..16, count x s16 of lead 1 in ADC units
//   end      nothing

/** CRC-16/IBM-3740 (polynomial 0x1021, initial value 0xFFFF) of bytes `start` up to but not including `end`. */
export type Crc16 = (bytes: Uint8Array, start: number, end: number) => number;

export interface EcgFormat {
	/** Samples per second, a multiple of 0.001. */
	readonly sampleRate: number;
	/** ADC units per millivolt, 1..65535. */
	readonly unitsPerMillivolt: number;
	/** ADC value of 0 mV, -32768..32767. */
	readonly baseline: number;
	/** Leads that the front end has, 1..255; only lead 1 is sent. */
	readonly leads: number;
	/** Resolution of the ADC, 1..16. */
	readonly bits: number;
}

export const FRAME_FORMAT = 1;
export const FRAME_SAMPLES = 2;
export const FRAME_END = 3;

export const STATUS_LEAD_OFF = 1;
export const STATUS_SATURATED = 2;

/** Most samples of one frame. */
export const SAMPLES_PER_FRAME = 16;

const SYNC_0 = 0xa5;
const SYNC_1 = 0x5a;
const HEADER = 6;
const FORMAT_PAYLOAD = 10;
const MAX_PAYLOAD = 2 + 2 * SAMPLES_PER_FRAME;
const OVERHEAD = HEADER + 2;
const CAPACITY = 256;

function seal(frame: Uint8Array, type: number, sequence: number, crc16: Crc16): Uint8Array {
	const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
	frame[0] = SYNC_0;
	frame[1] = SYNC_1;
	frame[2] = type;
	frame[3] = frame.length - OVERHEAD;
	view.setUint16(4, sequence & 0xffff, true);
	view.setUint16(frame.length - 2, crc16(frame, 2, frame.length - 2), true);
	return frame;
}

function inRange(name: string, value: number, low: number, high: number): number {
	if (!(value >= low && value <= high)) {
		throw new RangeError(`ECG frame: ${name} is ${value}, expected ${low}..${high}`);
	}
	return value;
}

export function encodeFormat(format: EcgFormat, sequence: number, crc16: Crc16): Uint8Array {
	const frame = new Uint8Array(OVERHEAD + FORMAT_PAYLOAD);
	const view = new DataView(frame.buffer);
	view.setUint32(HEADER, Math.round(inRange("sample rate", format.sampleRate, 0.001, 4294967) * 1000), true);
	view.setUint16(HEADER + 4, inRange("units per millivolt", format.unitsPerMillivolt, 1, 65535), true);
	view.setInt16(HEADER + 6, inRange("baseline", format.baseline, -32768, 32767), true);
	view.setUint8(HEADER + 8, inRange("number of leads", format.leads, 1, 255));
	view.setUint8(HEADER + 9, inRange("ADC bits", format.bits, 1, 16));
	return seal(frame, FRAME_FORMAT, sequence, crc16);
}

/** `samples`: 1..16 values of -32768..32767; `status`: STATUS_* bits. */
export function encodeSamples(samples: ArrayLike<number>, status: number, sequence: number, crc16: Crc16): Uint8Array {
	const count = inRange("number of samples", samples.length, 1, SAMPLES_PER_FRAME);
	const frame = new Uint8Array(OVERHEAD + 2 + 2 * count);
	const view = new DataView(frame.buffer);
	view.setUint8(HEADER, status);
	view.setUint8(HEADER + 1, count);
	for (let i = 0; i < count; i++) {
		view.setInt16(HEADER + 2 + 2 * i, inRange("sample", samples[i] as number, -32768, 32767), true);
	}
	return seal(frame, FRAME_SAMPLES, sequence, crc16);
}

export function encodeEnd(sequence: number, crc16: Crc16): Uint8Array {
	return seal(new Uint8Array(OVERHEAD), FRAME_END, sequence, crc16);
}

/** What `FrameReader.next()` found. */
export const FOUND_NOTHING = 0;
export const FOUND_FORMAT = FRAME_FORMAT;
export const FOUND_SAMPLES = FRAME_SAMPLES;
export const FOUND_END = FRAME_END;
export const FOUND_CORRUPT = 4;

/**
 * Finds frames in a stream of bytes that may be damaged anywhere.
 *
 * The caller writes bytes into `room()`, says how many with `added()`, and calls `next()` until it answers
 * FOUND_NOTHING. Bytes that belong to no valid frame are skipped; a run of them is told once, as FOUND_CORRUPT.
 * Holds 256 bytes and never grows.
 */
export class FrameReader {
	/** Of the frame found last. */
	sequence = 0;
	status = 0;
	count = 0;
	/** The first `count` entries are the samples of the frame found last; reused by the next one. */
	readonly samples: number[] = new Array<number>(SAMPLES_PER_FRAME).fill(0);
	format: EcgFormat | null = null;

	private readonly crc16: Crc16;
	private readonly bytes = new Uint8Array(CAPACITY);
	private readonly view = new DataView(this.bytes.buffer);
	private start = 0;
	private end = 0;
	private inStep = true;

	constructor(crc16: Crc16) {
		this.crc16 = crc16;
	}

	/** Free space behind the bytes that still wait; the view is valid until the next call of any method. */
	room(): Uint8Array {
		if (this.start > 0) {
			this.bytes.copyWithin(0, this.start, this.end);
			this.end -= this.start;
			this.start = 0;
		}
		return new Uint8Array(this.bytes.buffer, this.end, CAPACITY - this.end);
	}

	/** `count` bytes were written into the beginning of `room()`. */
	added(count: number): void {
		this.end += count;
	}

	/** FOUND_*; takes one frame. */
	next(): number {
		const bytes = this.bytes;
		const end = this.end;
		let at = this.start;
		while (end - at >= OVERHEAD) {
			if (bytes[at] === SYNC_0 && bytes[at + 1] === SYNC_1) {
				const length = bytes[at + 3] as number;
				if (length <= MAX_PAYLOAD) {
					const crcAt = at + HEADER + length;
					if (crcAt + 2 > end) {
						break;
					}
					if (this.view.getUint16(crcAt, true) === this.crc16(bytes, at + 2, crcAt)) {
						const found = this.decode(at, length);
						if (found !== FOUND_CORRUPT) {
							this.start = crcAt + 2;
							this.inStep = true;
							if (found !== FOUND_NOTHING) {
								return found;
							}
							at = this.start;
							continue;
						}
					}
				}
			}
			at = bytes.indexOf(SYNC_0, at + 1);
			if (at < 0 || at > end) {
				at = end;
			}
			if (this.inStep) {
				this.inStep = false;
				this.start = at;
				return FOUND_CORRUPT;
			}
		}
		this.start = at;
		return FOUND_NOTHING;
	}

	/** FOUND_NOTHING for a frame of a type that is not known here. */
	private decode(at: number, length: number): number {
		const view = this.view;
		const payload = at + HEADER;
		switch (this.bytes[at + 2]) {
			case FRAME_SAMPLES: {
				const count = this.bytes[payload + 1] as number;
				if (length < 4 || length !== 2 + 2 * count) {
					return FOUND_CORRUPT;
				}
				this.status = this.bytes[payload] as number;
				this.count = count;
				const samples = this.samples;
				for (let i = 0, from = payload + 2; i < count; i++, from += 2) {
					samples[i] = view.getInt16(from, true);
				}
				break;
			}
			case FRAME_FORMAT: {
				if (length !== FORMAT_PAYLOAD) {
					return FOUND_CORRUPT;
				}
				this.format = {
					sampleRate: view.getUint32(payload, true) / 1000,
					unitsPerMillivolt: view.getUint16(payload + 4, true),
					baseline: view.getInt16(payload + 6, true),
					leads: view.getUint8(payload + 8),
					bits: view.getUint8(payload + 9),
				};
				break;
			}
			case FRAME_END:
				if (length !== 0) {
					return FOUND_CORRUPT;
				}
				break;
			default:
				return FOUND_NOTHING;
		}
		this.sequence = view.getUint16(at + 4, true);
		return this.bytes[at + 2] as number;
	}
}
