// Reads an ECG from text: one line a sample, `value` or `time,value` in columns, millivolts.
//
//   # rate: 250                 comment lines start with #; this one states the rate in samples per second
//   # range: -5 5               and this one the limits of the recorder in millivolts: values there are saturated
//   time,mV                     an optional line of column names; mV, uV or V is the unit of the value (default mV)
//   0.000,0.12                  time in seconds, evenly spaced; the rate is taken from it where none is stated
//   0.004,                      no value: the electrode was off
//
// Columns are separated by comma, semicolon or tab. Of more than two columns the second is read. Where no range is
// stated, an extreme value that lasts for 100 ms, 1 mV or more from the median, is taken for a limit: no heart does that.

import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { NO_SAMPLE, RecordError, type Recording } from "./record.ts";

/** ADC units per millivolt that the values are converted to: 1 uV steps, +-32 mV. */
const UNITS_PER_MILLIVOLT = 1000;

function parseNumber(path: string, line: number, text: string): number {
	const value = Number(text);
	if (text.trim() === "" || !Number.isFinite(value)) {
		throw new RecordError(path, `line ${line}: "${text}" is no number; expected \`value\` or \`time,value\``);
	}
	return value;
}

/** @throws RecordError */
export function parseCsv(path: string, text: string): Recording {
	let rate: number | undefined;
	let range: readonly [number, number] | undefined;
	let unit = 1;
	let named = false;
	let columns = 0;
	const times: number[] = [];
	const values: (number | undefined)[] = [];
	text.split(/\r?\n/).forEach((line, index) => {
		const number = index + 1;
		if (line.trim() === "") {
			return;
		}
		if (line.startsWith("#")) {
			const stated = /^#\s*rate\s*[:=]\s*(\S+)/i.exec(line);
			if (stated) {
				rate = Number(stated[1]);
				if (!(rate > 0)) {
					throw new RecordError(
						path,
						`line ${number}: the rate is "${stated[1]}", expected samples per second above 0`,
					);
				}
			}
			const limits = /^#\s*range\s*[:=]\s*(\S+)\s+(\S+)/i.exec(line);
			if (limits) {
				range = [Number(limits[1]), Number(limits[2])];
				if (!(range[0] < range[1])) {
					throw new RecordError(path, `line ${number}: the range is "${limits[0]}", expected two rising millivolts`);
				}
			}
			return;
		}
		const cells = line.split(/[,;\t]/).map((cell) => cell.trim());
		if (
			!named &&
			columns === 0 &&
			cells.some((cell) => cell !== "" && Number.isNaN(Number(cell)) && !/^nan$/i.test(cell))
		) {
			named = true;
			const label = (cells.length > 1 ? cells[1] : cells[0]) ?? "";
			const stated = /\b(mv|uv|µv|v)\b/i.exec(label)?.[1]?.toLowerCase();
			unit = stated === "v" ? 1000 : stated === "uv" || stated === "µv" ? 0.001 : 1;
			return;
		}
		if (columns === 0) {
			columns = Math.min(cells.length, 2);
		}
		if (Math.min(cells.length, 2) !== columns) {
			throw new RecordError(
				path,
				`line ${number}: ${cells.length} columns, expected ${columns} as in the lines before`,
			);
		}
		const cell = cells[columns - 1] as string;
		if (columns === 2) {
			times.push(parseNumber(path, number, cells[0] as string));
		}
		values.push(cell === "" || /^nan$/i.test(cell) ? undefined : parseNumber(path, number, cell) * unit);
	});
	if (values.length === 0) {
		throw new RecordError(path, "no samples; expected lines of `value` or `time,value`");
	}
	if (rate === undefined) {
		const span = (times[times.length - 1] ?? 0) - (times[0] ?? 0);
		if (times.length < 2 || !(span > 0)) {
			throw new RecordError(
				path,
				"the sampling rate is unknown; add a line `# rate: 250` or a column of times in seconds",
			);
		}
		// Times are often rounded to milliseconds: the mean over the file is better than any single step.
		rate = Math.round(((times.length - 1) / span) * 1000) / 1000;
		const step = 1 / rate;
		times.forEach((time, index) => {
			if (Math.abs(time - (times[0] as number) - index * step) > Math.max(step / 2, 0.002)) {
				throw new RecordError(
					path,
					`sample ${index + 1} is at ${time} s, expected evenly spaced times (every ${step.toFixed(4)} s)`,
				);
			}
		});
	}
	const samples = Int16Array.from(values, (value) =>
		value === undefined ? NO_SAMPLE : Math.max(-32767, Math.min(32767, Math.round(value * UNITS_PER_MILLIVOLT))),
	);
	return {
		name: basename(path).replace(/\.csv$/i, ""),
		sampleRate: rate,
		signals: [
			{
				name: "ECG",
				unitsPerMillivolt: UNITS_PER_MILLIVOLT,
				baseline: 0,
				bits: 16,
				...limits(samples, rate, range),
				samples,
			},
		],
	};
}

/** The recorder's limits in ADC units: stated, or seen as a plateau. */
function limits(
	samples: Int16Array,
	rate: number,
	range: readonly [number, number] | undefined,
): { readonly low: number; readonly high: number } {
	if (range !== undefined) {
		return { low: Math.ceil(range[0] * UNITS_PER_MILLIVOLT), high: Math.floor(range[1] * UNITS_PER_MILLIVOLT) };
	}
	const present = samples.filter((sample) => sample !== NO_SAMPLE).sort();
	const middle = present[present.length >> 1] ?? 0;
	const plateau = (value: number): boolean => {
		let run = 0;
		return (
			Math.abs(value - middle) >= UNITS_PER_MILLIVOLT &&
			samples.some((sample) => {
				run = sample === value ? run + 1 : 0;
				return run >= 0.1 * rate;
			})
		);
	};
	const least = present[0] ?? 0;
	const most = present.at(-1) ?? 0;
	return { low: plateau(least) ? least : -32767, high: plateau(most) ? most : 32767 };
}

/** @throws RecordError */
export function readCsv(path: string): Recording {
	let text: string;
	try {
		text = readFileSync(path, "utf8");
	} catch (error) {
		throw new RecordError(path, `cannot read the file (${error instanceof Error ? error.message : String(error)})`);
	}
	return parseCsv(path, text);
}
