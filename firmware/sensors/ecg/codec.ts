// The frames between an ECG front end and the device, and how the device reads them. encoder.ts writes them.
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

/** Fixed parts of a frame; encoder.ts builds on the same. */
export const FRAME = {
	sync0: 0xa5,
	sync1: 0x5a,
	format: 1,
	samples: 2,
	end: 3,
	/** Bytes before the payload; with the CRC behind it; payload of "format". */
	header: 6,
	overhead: 8,
	formatPayload: 10,
} as const;

export const STATUS_LEAD_OFF = 1;
export const STATUS_SATURATED = 2;

/** Most samples of one frame. */
export const SAMPLES_PER_FRAME = 16;

const MAX_PAYLOAD = 2 + 2 * SAMPLES_PER_FRAME;
const CAPACITY = 256;

/** What `FrameReader.next()` found; undefined when more bytes are needed. */
export type Found = "format" | "samples" | "end" | "corrupt" | undefined;

/**
 * Finds frames in a stream of bytes that may be damaged anywhere.
 *
 * The caller writes bytes into `room()`, says how many with `added()`, and calls `next()` until it answers
 * undefined. Bytes that belong to no valid frame are skipped; a run of them is told once, as "corrupt".
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

	/** Takes one frame, or the beginning of a corrupt stretch. */
	next(): Found {
		const { sync0, sync1, header, overhead } = FRAME;
		const bytes = this.bytes;
		const end = this.end;
		let at = this.start;
		while (end - at >= overhead) {
			if (bytes[at] === sync0 && bytes[at + 1] === sync1) {
				const length = bytes[at + 3] as number;
				if (length <= MAX_PAYLOAD) {
					const crcAt = at + header + length;
					if (crcAt + 2 > end) {
						break;
					}
					if (this.view.getUint16(crcAt, true) === this.crc16(bytes, at + 2, crcAt)) {
						const found = this.decode(at, length);
						if (found !== "corrupt") {
							this.start = crcAt + 2;
							this.inStep = true;
							if (found !== undefined) {
								return found;
							}
							at = this.start;
							continue;
						}
					}
				}
			}
			at = bytes.indexOf(sync0, at + 1);
			if (at < 0 || at > end) {
				at = end;
			}
			if (this.inStep) {
				this.inStep = false;
				this.start = at;
				return "corrupt";
			}
		}
		this.start = at;
		return undefined;
	}

	/** Undefined for a frame of a type that is not known here. */
	private decode(at: number, length: number): Found {
		const view = this.view;
		const payload = at + FRAME.header;
		this.sequence = view.getUint16(at + 4, true);
		switch (this.bytes[at + 2]) {
			case FRAME.samples: {
				const count = this.bytes[payload + 1] as number;
				if (length < 4 || length !== 2 + 2 * count) {
					return "corrupt";
				}
				this.status = this.bytes[payload] as number;
				this.count = count;
				const samples = this.samples;
				for (let i = 0, from = payload + 2; i < count; i++, from += 2) {
					samples[i] = view.getInt16(from, true);
				}
				return "samples";
			}
			case FRAME.format:
				if (length !== FRAME.formatPayload) {
					return "corrupt";
				}
				this.format = {
					sampleRate: view.getUint32(payload, true) / 1000,
					unitsPerMillivolt: view.getUint16(payload + 4, true),
					baseline: view.getInt16(payload + 6, true),
					leads: view.getUint8(payload + 8),
					bits: view.getUint8(payload + 9),
				};
				return "format";
			case FRAME.end:
				return length === 0 ? "end" : "corrupt";
			default:
				return undefined;
		}
	}
}
