// A recording in memory, whatever file it came from, and the one place that chooses a reader by file name.

import { existsSync } from "node:fs";
import { extname } from "node:path";
import { readCsv } from "./csv.ts";
import { readWfdb } from "./wfdb.ts";

/** A file that cannot be read as a recording: what is wrong, what was expected, what to do. */
export class RecordError extends Error {
	override readonly name = "RecordError";
	readonly file: string;

	constructor(file: string, message: string) {
		super(`${file}: ${message}`);
		this.file = file;
	}
}

/** Stands in `samples` where the recording has no value (electrode off, empty cell). */
export const NO_SAMPLE = -32768;

export interface Signal {
	readonly name: string;
	/** ADC units per millivolt. */
	readonly unitsPerMillivolt: number;
	/** ADC value of 0 mV. */
	readonly baseline: number;
	/** Resolution of the ADC in bits. */
	readonly bits: number;
	/** The values at which the ADC saturates: at or below `low`, at or above `high`. */
	readonly low: number;
	readonly high: number;
	/** ADC units, or NO_SAMPLE. */
	readonly samples: Int16Array;
}

export interface Recording {
	readonly name: string;
	/** Samples per second of each signal. */
	readonly sampleRate: number;
	readonly signals: readonly Signal[];
}

/**
 * Opens a WFDB record (`x.hea`, `x.dat` or `x`) or a CSV file (`x.csv`).
 * @throws RecordError when the file is missing or malformed.
 */
export function openRecord(path: string): Recording {
	switch (extname(path).toLowerCase()) {
		case ".csv":
			return readCsv(path);
		case ".hea":
		case ".dat":
			return readWfdb(`${path.slice(0, -4)}.hea`);
		default:
			if (existsSync(`${path}.hea`)) {
				return readWfdb(`${path}.hea`);
			}
			if (existsSync(path)) {
				throw new RecordError(
					path,
					"not a recording; expected a WFDB record (x.hea, x.dat or x) or a CSV file (x.csv)",
				);
			}
			throw new RecordError(path, "no such recording; neither this file nor a WFDB header with .hea appended exists");
	}
}
