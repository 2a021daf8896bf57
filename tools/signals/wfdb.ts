// Reads WFDB records as PhysioNet publishes them: header (.hea), signals in formats 212 and 16, MIT annotations (.atr).
//
// After header(5), signal(5) and annot(5) of the WFDB Applications Guide (Moody). Not read, and said so: multi-segment
// records, several samples per frame, other signal formats.

import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { NO_SAMPLE, RecordError, type Recording, type Signal } from "./record.ts";

/** Units per millivolt where a header gives none (WFDB's DEFGAIN). */
const DEFAULT_GAIN = 200;
const DEFAULT_RATE = 250;

interface SignalLine {
	readonly file: string;
	readonly format: 16 | 212;
	readonly byteOffset: number;
	readonly unitsPerMillivolt: number;
	readonly baseline: number;
	readonly bits: number;
	readonly adcZero: number;
	readonly initialValue: number | undefined;
	readonly checksum: number | undefined;
	readonly name: string;
}

export interface WfdbHeader {
	readonly name: string;
	readonly sampleRate: number;
	/** Samples per signal, undefined when the header leaves it to the file size. */
	readonly length: number | undefined;
	readonly signals: readonly SignalLine[];
	/** Text of the comment lines, without the `#`. */
	readonly comments: readonly string[];
}

function read(path: string, role: string): Buffer {
	try {
		return readFileSync(path);
	} catch (error) {
		const reason = error instanceof Error ? error.message : String(error);
		throw new RecordError(
			path,
			`cannot read the ${role} (${reason}); a WFDB record needs its .hea and .dat side by side`,
		);
	}
}

function integer(path: string, what: string, text: string | undefined): number | undefined {
	if (text === undefined) {
		return undefined;
	}
	if (!/^[+-]?\d+$/.test(text)) {
		throw new RecordError(path, `${what} is "${text}", expected an integer`);
	}
	return Number(text);
}

function parseSignalLine(path: string, line: string, number: number): SignalLine {
	const where = `signal line ${number}`;
	const fields = line.trim().split(/\s+/);
	const [file, formatField] = fields;
	if (file === undefined || formatField === undefined) {
		throw new RecordError(path, `${where} is "${line}", expected at least a file name and a format`);
	}
	const format = /^(\d+)(?:x(\d+))?(?::(\d+))?(?:\+(\d+))?$/.exec(formatField);
	if (!format) {
		throw new RecordError(path, `${where}: format is "${formatField}", expected a number such as 212 or 16`);
	}
	const code = Number(format[1]);
	if (code !== 16 && code !== 212) {
		throw new RecordError(path, `${where}: signal format ${code} is not read; convert the record to 212 or 16 (xform)`);
	}
	if (format[2] !== undefined && Number(format[2]) !== 1) {
		throw new RecordError(
			path,
			`${where}: ${format[2]} samples per frame; only 1 is read, resample the record (xform)`,
		);
	}
	if (format[3] !== undefined && Number(format[3]) !== 0) {
		throw new RecordError(path, `${where}: skewed by ${format[3]} samples; only skew 0 is read, deskew the record`);
	}
	const gain = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?:\((-?\d+)\))?(?:\/(\S+))?$/.exec(
		fields[2] ?? `${DEFAULT_GAIN}`,
	);
	if (!gain) {
		throw new RecordError(path, `${where}: gain is "${fields[2]}", expected for example 200(1024)/mV`);
	}
	const units = gain[3] ?? "mV";
	const scale = { mv: 1, uv: 1000, v: 0.001 }[units.toLowerCase()];
	if (scale === undefined) {
		throw new RecordError(path, `${where}: physical unit is "${units}", expected mV, uV or V`);
	}
	const bits = integer(path, `${where}: ADC resolution`, fields[3]) || (code === 212 ? 12 : 16);
	if (bits < 1 || bits > 16) {
		throw new RecordError(path, `${where}: ADC resolution is ${bits} bits, expected 1..16`);
	}
	const adcZero = integer(path, `${where}: ADC zero`, fields[4]) ?? 0;
	const baseline = integer(path, `${where}: baseline`, gain[2]) ?? adcZero;
	return {
		file,
		format: code,
		byteOffset: Number(format[4] ?? 0),
		unitsPerMillivolt: (Number(gain[1]) || DEFAULT_GAIN) * scale,
		baseline,
		bits,
		adcZero,
		initialValue: integer(path, `${where}: initial value`, fields[5]),
		checksum: integer(path, `${where}: checksum`, fields[6]),
		name: fields.slice(8).join(" ") || `signal ${number}`,
	};
}

/** @throws RecordError */
export function parseHeader(path: string, text: string): WfdbHeader {
	const lines = text.split(/\r?\n/);
	const comments = lines.filter((line) => line.startsWith("#")).map((line) => line.slice(1).trim());
	const content = lines.filter((line) => line.trim() !== "" && !line.startsWith("#"));
	const recordLine = content[0];
	if (recordLine === undefined) {
		throw new RecordError(path, "the header is empty; expected a record line such as `100 2 360 650000`");
	}
	const fields = recordLine.trim().split(/\s+/);
	const name = fields[0] as string;
	if (name.includes("/")) {
		throw new RecordError(path, "a multi-segment record is not read; give one of its segments");
	}
	const count = integer(path, "the number of signals", fields[1]);
	if (count === undefined || count < 1) {
		throw new RecordError(path, `the record line is "${recordLine}"; expected a name and at least one signal`);
	}
	const rateText = (fields[2] ?? `${DEFAULT_RATE}`).split("/")[0] as string;
	const sampleRate = Number(rateText);
	if (!(sampleRate > 0)) {
		throw new RecordError(path, `the sampling frequency is "${rateText}", expected samples per second above 0`);
	}
	const length = integer(path, "the number of samples", fields[3]);
	const signalLines = content.slice(1, 1 + count);
	if (signalLines.length < count) {
		throw new RecordError(path, `the header is truncated: ${count} signals announced, ${signalLines.length} described`);
	}
	return {
		name,
		sampleRate,
		length: length === 0 ? undefined : length,
		signals: signalLines.map((line, index) => parseSignalLine(path, line, index + 1)),
		comments,
	};
}

/** Two 12-bit two's complement samples in three bytes: low bytes in 0 and 2, high nibbles in 1. */
function decode212(bytes: Uint8Array, count: number): Int16Array {
	const samples = new Int16Array(count);
	for (let i = 0, at = 0; i < count; i += 2, at += 3) {
		const middle = bytes[at + 1] as number;
		samples[i] = (((middle & 0x0f) << 28) >> 20) | (bytes[at] as number);
		if (i + 1 < count) {
			samples[i + 1] = (((middle & 0xf0) << 24) >> 20) | (bytes[at + 2] as number);
		}
	}
	return samples;
}

function decode16(bytes: Uint8Array, count: number): Int16Array {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const samples = new Int16Array(count);
	for (let i = 0; i < count; i++) {
		samples[i] = view.getInt16(2 * i, true);
	}
	return samples;
}

/** How many samples `size` bytes hold, and how many bytes `count` samples take. */
const PACKING = {
	212: { samples: (size: number) => Math.floor((size * 2) / 3), bytes: (count: number) => Math.ceil((count * 3) / 2) },
	16: { samples: (size: number) => size >> 1, bytes: (count: number) => 2 * count },
} as const;

function verify(path: string, line: SignalLine, samples: Int16Array): void {
	if (line.initialValue !== undefined && samples.length > 0 && samples[0] !== line.initialValue) {
		throw new RecordError(
			path,
			`signal ${line.name} starts with ${samples[0]}, the header says ${line.initialValue}; the files do not belong together`,
		);
	}
	if (line.checksum !== undefined) {
		let sum = 0;
		for (const sample of samples) {
			sum = (sum + sample) & 0xffff;
		}
		if (sum !== (line.checksum & 0xffff)) {
			throw new RecordError(
				path,
				`checksum of signal ${line.name} is ${(sum << 16) >> 16}, the header says ${line.checksum}; the file is damaged, fetch it again`,
			);
		}
	}
}

/**
 * Reads a record by its header file; its signal files are looked for by the header's names, then by the header's own
 * (a record that was renamed). Initial values and checksums are verified.
 * @throws RecordError
 */
export function readWfdb(headerPath: string): Recording {
	const header = parseHeader(headerPath, read(headerPath, "header").toString("utf8"));
	const signals = new Map<SignalLine, Signal>();
	const files = new Set(header.signals.map((line) => line.file));
	for (const file of files) {
		const lines = header.signals.filter((line) => line.file === file);
		const first = lines[0] as SignalLine;
		const path = signalPath(headerPath, file, files.size === 1);
		if (lines.some((line) => line.format !== first.format || line.byteOffset !== first.byteOffset)) {
			throw new RecordError(headerPath, `signals of one file, ${file}, have different formats; expected one for all`);
		}
		const whole = read(path, "signal file");
		const bytes = whole.subarray(first.byteOffset);
		const packing = PACKING[first.format];
		const available = Math.floor(packing.samples(bytes.length) / lines.length);
		const length = header.length ?? available;
		if (available < length) {
			throw new RecordError(
				path,
				`the file is truncated: ${whole.length} bytes, expected ${first.byteOffset + packing.bytes(length * lines.length)} for ${length} samples of ${lines.length} signals; fetch it again`,
			);
		}
		const decoded = (first.format === 212 ? decode212 : decode16)(bytes, length * lines.length);
		const invalid = first.format === 212 ? -2048 : -32768;
		lines.forEach((line, index) => {
			const samples = new Int16Array(length);
			for (let i = 0; i < length; i++) {
				samples[i] = decoded[i * lines.length + index] as number;
			}
			verify(path, line, samples);
			for (let i = 0; i < length; i++) {
				if (samples[i] === invalid) {
					samples[i] = NO_SAMPLE;
				}
			}
			const { name, unitsPerMillivolt, baseline, bits, adcZero } = line;
			const half = 2 ** (bits - 1);
			const low = adcZero - half;
			signals.set(line, { name, unitsPerMillivolt, baseline, bits, low, high: adcZero + half - 1, samples });
		});
	}
	return {
		name: header.name,
		sampleRate: header.sampleRate,
		signals: header.signals.map((line) => signals.get(line) as Signal),
	};
}

function signalPath(headerPath: string, file: string, only: boolean): string {
	const named = join(dirname(headerPath), file);
	const own = `${headerPath.slice(0, -".hea".length)}.dat`;
	return only && !existsSync(named) && existsSync(own) ? own : named;
}

export interface Annotation {
	/** Sample index. */
	readonly sample: number;
	/** Code of ECG codes (1 = N ...), see BEAT_CODES. */
	readonly code: number;
	readonly subtype: number;
	readonly channel: number;
	readonly number: number;
	/** Auxiliary text, empty when there is none. */
	readonly text: string;
}

/** Annotation codes that stand for a beat (ecgcodes.h: N L R a V F J A S E j / Q B ? e n f r). */
export const BEAT_CODES: ReadonlySet<number> = new Set([
	1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 25, 30, 34, 35, 38, 41,
]);

export function isBeat(annotation: Annotation): boolean {
	return BEAT_CODES.has(annotation.code);
}

const SKIP = 59;
const NUM = 60;
const SUB = 61;
const CHN = 62;
const AUX = 63;

/**
 * Decodes MIT annotations: 16-bit words, 6 bits of code above 10 bits of interval; SKIP, NUM, SUB, CHN and AUX belong
 * to the annotation before (SKIP to the interval after), NUM and CHN hold on until changed.
 * @throws RecordError
 */
export function parseAnnotations(path: string, bytes: Uint8Array): Annotation[] {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const annotations: Annotation[] = [];
	let at = 0;
	let sample = 0;
	let number = 0;
	let channel = 0;
	const need = (count: number, what: string): void => {
		if (at + count > bytes.length) {
			throw new RecordError(
				path,
				`the annotations end within ${what} at byte ${at}; expected an end mark, fetch the file again`,
			);
		}
	};
	const amend = (change: Partial<Annotation>): void => {
		const last = annotations.pop();
		if (last === undefined) {
			throw new RecordError(path, `a field without its annotation at byte ${at - 2}; this is no MIT annotation file`);
		}
		annotations.push({ ...last, ...change });
	};
	for (;;) {
		need(2, "a word");
		const word = view.getUint16(at, true);
		at += 2;
		if (word === 0) {
			return annotations;
		}
		const code = word >> 10;
		const interval = word & 0x3ff;
		const signed = (interval << 24) >> 24;
		switch (code) {
			case SKIP:
				need(4, "a long interval");
				// High half first (PDP-11 order); may be negative.
				sample += (view.getUint16(at, true) << 16) | view.getUint16(at + 2, true);
				at += 4;
				break;
			case NUM:
				number = signed;
				amend({ number });
				break;
			case SUB:
				amend({ subtype: signed });
				break;
			case CHN:
				channel = interval & 0xff;
				amend({ channel });
				break;
			case AUX: {
				need(interval, "a text");
				const text = Buffer.from(bytes.subarray(at, at + interval))
					.toString("latin1")
					.replace(/\0+$/, "");
				at += interval + (interval & 1);
				amend({ text });
				break;
			}
			default:
				sample += interval;
				annotations.push({ sample, code, subtype: 0, channel, number, text: "" });
		}
	}
}

/** Reads an annotation file (`x.atr`). @throws RecordError */
export function readAnnotations(path: string): Annotation[] {
	return parseAnnotations(basename(path), read(path, "annotation file"));
}
