// Writes small WFDB records for the tests of the reader: an implementation of its own, from the format's description.

import { writeFileSync } from "node:fs";
import { join } from "node:path";

export function pack212(values: readonly number[]): Uint8Array {
	const bytes: number[] = [];
	for (let i = 0; i < values.length; i += 2) {
		const first = (values[i] as number) & 0xfff;
		const second = (values[i + 1] ?? 0) & 0xfff;
		bytes.push(first & 0xff, (first >> 8) | ((second >> 8) << 4), second & 0xff);
	}
	return Uint8Array.from(values.length % 2 === 0 ? bytes : bytes.slice(0, -1));
}

export function pack16(values: readonly number[]): Uint8Array {
	return Uint8Array.from(values.flatMap((value) => [value & 0xff, (value >> 8) & 0xff]));
}

function checksum(values: readonly number[]): number {
	const sum = values.reduce((total, value) => total + value, 0) & 0xffff;
	return sum > 0x7fff ? sum - 0x10000 : sum;
}

export interface WrittenSignal {
	readonly name: string;
	readonly samples: readonly number[];
	readonly gain?: string;
	readonly bits?: number;
	readonly adcZero?: number;
}

/** Writes `<folder>/<name>.hea` and `.dat`; returns the path without ending. */
export function writeRecord(
	folder: string,
	name: string,
	format: 16 | 212,
	rate: number,
	signals: readonly WrittenSignal[],
): string {
	const length = signals[0]?.samples.length ?? 0;
	const lines = signals.map(({ name: label, samples, gain = "200", bits = 12, adcZero = 0 }) =>
		[`${name}.dat`, format, gain, bits, adcZero, samples[0], checksum(samples), 0, label].join(" "),
	);
	writeFileSync(
		join(folder, `${name}.hea`),
		`# made by a test\n${name} ${signals.length} ${rate} ${length}\n${lines.join("\n")}\n# 42 F\n`,
	);
	const interleaved = Array.from({ length: length * signals.length }, (_, i) => {
		const signal = signals[i % signals.length] as WrittenSignal;
		return signal.samples[Math.floor(i / signals.length)] as number;
	});
	writeFileSync(join(folder, `${name}.dat`), format === 212 ? pack212(interleaved) : pack16(interleaved));
	return join(folder, name);
}

/** A word of an MIT annotation file. */
export function word(code: number, interval: number): number[] {
	const value = (code << 10) | (interval & 0x3ff);
	return [value & 0xff, value >> 8];
}

/** Normal beats at the given samples. */
export function packAnnotations(beats: readonly number[]): Uint8Array {
	const bytes: number[] = [];
	let last = 0;
	for (const beat of beats) {
		let interval = beat - last;
		last = beat;
		if (interval > 0x3ff) {
			bytes.push(...word(59, 0), (interval >> 16) & 0xff, interval >> 24, interval & 0xff, (interval >> 8) & 0xff);
			interval = 0;
		}
		bytes.push(...word(1, interval));
	}
	return Uint8Array.from([...bytes, 0, 0]);
}
