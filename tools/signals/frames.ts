// Turns a recording into the byte stream that an ECG front end sends; the frames themselves are written by the firmware's own encoder.

import { SAMPLES_PER_FRAME, STATUS_LEAD_OFF, STATUS_SATURATED } from "../../firmware/sensors/ecg/codec.ts";
import { encodeEnd, encodeFormat, encodeSamples } from "../../firmware/sensors/ecg/encoder.ts";
import { NO_SAMPLE, RecordError, type Recording, type Signal } from "./record.ts";

/** CRC-16/IBM-3740 (CCITT-FALSE); the check value of "123456789" is 0x29B1. */
export function crc16(bytes: Uint8Array, start = 0, end = bytes.length): number {
	let crc = 0xffff;
	for (let i = start; i < end; i++) {
		crc ^= (bytes[i] as number) << 8;
		for (let bit = 0; bit < 8; bit++) {
			crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
		}
	}
	return crc;
}

export interface StreamOptions {
	/** Index or name of the signal; default the first. */
	readonly signal?: number | string;
	/** Part of the record in seconds; default all of it. */
	readonly from?: number;
	readonly to?: number;
}

function choose(record: Recording, wanted: number | string): Signal {
	const signal =
		typeof wanted === "number" ? record.signals[wanted] : record.signals.find(({ name }) => name === wanted);
	if (signal === undefined) {
		const names = record.signals.map(({ name }, index) => `${index} (${name})`).join(", ");
		throw new RecordError(record.name, `has no signal ${wanted}; it has ${names}`);
	}
	return signal;
}

/**
 * The frames of a record in order: format (again every second, for a device that lost the first), samples, end.
 * A frame is marked lead-off where the record has no value, saturated where a sample stands on a rail of the ADC.
 */
export function* recordFrames(record: Recording, options: StreamOptions = {}): Generator<Uint8Array> {
	const { name, unitsPerMillivolt, baseline, bits, low, high, samples } = choose(record, options.signal ?? 0);
	const rate = record.sampleRate;
	if (!(rate >= 100 && rate <= 1000)) {
		throw new RecordError(record.name, `is sampled at ${rate} Hz; the device takes 100..1000 Hz, resample the record`);
	}
	// The stream has whole units per millivolt: a finer gain would only matter to amplitudes, by less than one unit.
	const format = {
		sampleRate: rate,
		unitsPerMillivolt: Math.max(1, Math.min(65535, Math.round(unitsPerMillivolt))),
		baseline,
		leads: record.signals.length,
		bits,
	};
	if (!(unitsPerMillivolt > 0)) {
		throw new RecordError(
			record.name,
			`signal ${name} has gain ${unitsPerMillivolt}, expected units per millivolt above 0`,
		);
	}
	const first = Math.max(0, Math.round((options.from ?? 0) * rate));
	const end = Math.min(samples.length, options.to === undefined ? samples.length : Math.round(options.to * rate));
	const framesPerFormat = Math.max(1, Math.round(rate / SAMPLES_PER_FRAME));
	let sequence = 0;
	let held = baseline;
	for (let at = first; at < end; at += SAMPLES_PER_FRAME) {
		if (sequence % framesPerFormat === 0) {
			yield encodeFormat(format, sequence, crc16);
		}
		let status = 0;
		const values: number[] = [];
		for (let i = at; i < Math.min(at + SAMPLES_PER_FRAME, end); i++) {
			const sample = samples[i] as number;
			if (sample === NO_SAMPLE) {
				status |= STATUS_LEAD_OFF;
			} else {
				if (sample <= low || sample >= high) {
					status |= STATUS_SATURATED;
				}
				held = sample;
			}
			values.push(held);
		}
		yield encodeSamples(values, status, sequence, crc16);
		sequence++;
	}
	yield encodeEnd(sequence, crc16);
}

/** The same as a stream of byte chunks of about `chunk` bytes, made as fast as they are taken. */
export async function* recordStream(
	record: Recording,
	options: StreamOptions & { readonly chunk?: number } = {},
): AsyncGenerator<Uint8Array> {
	const target = options.chunk ?? 4096;
	let parts: Uint8Array[] = [];
	let size = 0;
	for (const frame of recordFrames(record, options)) {
		parts.push(frame);
		size += frame.length;
		if (size >= target) {
			yield Buffer.concat(parts);
			parts = [];
			size = 0;
		}
	}
	if (size > 0) {
		yield Buffer.concat(parts);
	}
}
