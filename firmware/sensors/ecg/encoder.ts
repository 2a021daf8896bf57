// Writes the frames of codec.ts: the side of the front end, for tools and tests. A device that only reads leaves it out.

import { type Crc16, type EcgFormat, FRAME, SAMPLES_PER_FRAME } from "./codec.ts";

function seal(frame: Uint8Array, type: number, sequence: number, crc16: Crc16): Uint8Array {
	const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
	frame[0] = FRAME.sync0;
	frame[1] = FRAME.sync1;
	frame[2] = type;
	frame[3] = frame.length - FRAME.overhead;
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
	const frame = new Uint8Array(FRAME.overhead + FRAME.formatPayload);
	const view = new DataView(frame.buffer);
	view.setUint32(FRAME.header, Math.round(inRange("sample rate", format.sampleRate, 0.001, 4294967) * 1000), true);
	view.setUint16(FRAME.header + 4, inRange("units per millivolt", format.unitsPerMillivolt, 1, 65535), true);
	view.setInt16(FRAME.header + 6, inRange("baseline", format.baseline, -32768, 32767), true);
	view.setUint8(FRAME.header + 8, inRange("number of leads", format.leads, 1, 255));
	view.setUint8(FRAME.header + 9, inRange("ADC bits", format.bits, 1, 16));
	return seal(frame, FRAME.format, sequence, crc16);
}

/** `samples`: 1..16 values of -32768..32767; `status`: STATUS_* bits. */
export function encodeSamples(samples: ArrayLike<number>, status: number, sequence: number, crc16: Crc16): Uint8Array {
	const count = inRange("number of samples", samples.length, 1, SAMPLES_PER_FRAME);
	const frame = new Uint8Array(FRAME.overhead + 2 + 2 * count);
	const view = new DataView(frame.buffer);
	view.setUint8(FRAME.header, status);
	view.setUint8(FRAME.header + 1, count);
	for (let i = 0; i < count; i++) {
		view.setInt16(FRAME.header + 2 + 2 * i, inRange("sample", samples[i] as number, -32768, 32767), true);
	}
	return seal(frame, FRAME.samples, sequence, crc16);
}

export function encodeEnd(sequence: number, crc16: Crc16): Uint8Array {
	return seal(new Uint8Array(FRAME.overhead), FRAME.end, sequence, crc16);
}
