// The readers of recordings: WFDB formats 212 and 16, annotations, CSV; and what they say about damaged files.

import {
	appendFileSync,
	existsSync,
	mkdtempSync,
	readFileSync,
	renameSync,
	rmSync,
	truncateSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseCsv } from "../../tools/signals/csv.ts";
import { NO_SAMPLE, openRecord, RecordError } from "../../tools/signals/record.ts";
import { isBeat, parseAnnotations, readAnnotations } from "../../tools/signals/wfdb.ts";
import { packAnnotations, word, writeRecord } from "./wfdb-writer.ts";

const RECORD_100 = join(import.meta.dirname, "../../../shared/data/ecg/mitdb-100");

const first = [995, -2047, 2047, 0, -1, 1, 1234];
const second = [-5, 100, -100, 2000, -2000, 7, 1011];

let folder: string;
beforeAll(() => {
	folder = mkdtempSync(join(tmpdir(), "pericard-wfdb-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, format: 16 | 212 = 212): string {
	return writeRecord(folder, name, format, 360, [
		{ name: "MLII", samples: first, gain: "200(1024)/mV", bits: 11, adcZero: 1024 },
		{ name: "V5", samples: second },
	]);
}

function editHeader(path: string, edit: (text: string) => string): void {
	writeFileSync(`${path}.hea`, edit(readFileSync(`${path}.hea`, "utf8")));
}

describe("WFDB signals", () => {
	test.each([212, 16] as const)("format %i, two signals, an odd number of samples", (format) => {
		const path = write(`two-${format}`, format);
		for (const name of [path, `${path}.hea`, `${path}.dat`]) {
			const record = openRecord(name);
			expect(record.sampleRate).toBe(360);
			expect(record.signals.map((signal) => signal.name)).toEqual(["MLII", "V5"]);
			expect([...(record.signals[0]?.samples ?? [])]).toEqual(first);
			expect([...(record.signals[1]?.samples ?? [])]).toEqual(second);
			expect(record.signals[0]).toMatchObject({ unitsPerMillivolt: 200, baseline: 1024, bits: 11, low: 0, high: 2047 });
		}
	});

	test("one signal of odd length in format 212 ends in two bytes", () => {
		const path = writeRecord(folder, "odd", 212, 250, [{ name: "I", samples: [1, -2, 3] }]);
		expect(readFileSync(`${path}.dat`).length).toBe(5);
		expect([...(openRecord(path).signals[0]?.samples ?? [])]).toEqual([1, -2, 3]);
	});

	test("values that mean `no sample` are told apart", () => {
		const path = writeRecord(folder, "invalid", 212, 250, [{ name: "I", samples: [1, -2048, 3, 4] }]);
		expect([...(openRecord(path).signals[0]?.samples ?? [])]).toEqual([1, NO_SAMPLE, 3, 4]);
	});

	test("the length is taken from the file where the header has none; units other than mV are scaled", () => {
		const path = write("open-end");
		editHeader(path, (text) =>
			text.replace("open-end 2 360 7", "open-end 2 360").replace("200(1024)/mV", "0.2(1024)/uV"),
		);
		const signal = openRecord(path).signals[0];
		expect(signal?.samples.length).toBe(7);
		expect(signal?.unitsPerMillivolt).toBe(200);
	});

	test("a renamed record is found by its own name", () => {
		const path = write("before");
		renameSync(`${path}.hea`, join(folder, "after.hea"));
		renameSync(`${path}.dat`, join(folder, "after.dat"));
		expect(openRecord(join(folder, "after")).signals.length).toBe(2);
	});

	const damage: readonly [string, (path: string) => void, RegExp][] = [
		["truncated.dat", (path) => truncateSync(`${path}.dat`, 12), /truncated: 12 bytes, expected 21 .*fetch it again/],
		["flipped bit", (path) => editData(path, 4), /checksum of signal .* is -?\d+, the header says/],
		["other file", (path) => editData(path, 0), /starts with \d+, the header says 995/],
		["no data", (path) => rmSync(`${path}.dat`), /cannot read the signal file/],
		["empty header", (path) => writeFileSync(`${path}.hea`, ""), /header is empty/],
		[
			"half header",
			(path) => editHeader(path, (text) => text.split("\n").slice(0, 3).join("\n")),
			/2 signals announced, 1 described/,
		],
		[
			"cut line",
			(path) => editHeader(path, (text) => text.replace(/ 212 .* V5/, "")),
			/expected at least a file name and a format/,
		],
		["no signals", (path) => editHeader(path, (text) => text.replace(" 2 360", " 0 360")), /at least one signal/],
		["no rate", (path) => editHeader(path, (text) => text.replace(" 360 ", " x ")), /sampling frequency is "x"/],
		["format 310", (path) => editHeader(path, (text) => text.replaceAll(" 212 ", " 310 ")), /format 310 is not read/],
		["4 a frame", (path) => editHeader(path, (text) => text.replaceAll(" 212 ", " 212x4 ")), /4 samples per frame/],
		["mmHg", (path) => editHeader(path, (text) => text.replace("/mV", "/mmHg")), /unit is "mmHg"/],
		["segments", (path) => editHeader(path, (text) => text.replace(/^segments 2/m, "segments/3 2")), /multi-segment/],
		["letters", (path) => editHeader(path, (text) => text.replace(" 11 1024", " 11 zero")), /ADC zero is "zero"/],
	];
	function editData(path: string, at: number): void {
		const bytes = readFileSync(`${path}.dat`);
		bytes[at] = (bytes[at] as number) ^ 1;
		writeFileSync(`${path}.dat`, bytes);
	}
	test.each(damage)("%s: a clear error", (name, spoil, message) => {
		const path = write(name.replace(/\W/g, "-").replace(/-dat$/, ""));
		spoil(path);
		expect(() => openRecord(path)).toThrow(RecordError);
		expect(() => openRecord(path)).toThrow(message);
	});

	test("no such file, and a file that is no recording", () => {
		expect(() => openRecord(join(folder, "absent"))).toThrow(/no such recording/);
		expect(() => openRecord(join(folder, "absent.csv"))).toThrow(/cannot read the file/);
		appendFileSync(join(folder, "notes.txt"), "hello");
		expect(() => openRecord(join(folder, "notes.txt"))).toThrow(/not a recording/);
	});
});

describe("MIT annotations", () => {
	test("every kind of field", () => {
		const bytes = Uint8Array.from([
			...word(28, 18), // rhythm
			...word(63, 3), // AUX "(N\0", padded to even
			...[0x28, 0x4e, 0x00, 0x00],
			...word(1, 59),
			...word(61, -1), // SUB
			...word(62, 1), // CHN, holds on
			...word(59, 0), // SKIP 70000: high half first
			...[1, 0, 0x70, 0x11],
			...word(5, 10),
			...word(60, 3), // NUM, holds on
			...word(8, 20),
			...[0, 0],
		]);
		expect(parseAnnotations("x.atr", bytes)).toEqual([
			{ sample: 18, code: 28, subtype: 0, channel: 0, number: 0, text: "(N" },
			{ sample: 77, code: 1, subtype: -1, channel: 1, number: 0, text: "" },
			{ sample: 70087, code: 5, subtype: 0, channel: 1, number: 3, text: "" },
			{ sample: 70107, code: 8, subtype: 0, channel: 1, number: 3, text: "" },
		]);
	});

	test("beats far apart", () => {
		const beats = [5, 6, 1029, 2052, 3076, 200_000, 5_000_000];
		const annotations = parseAnnotations("x.atr", packAnnotations(beats));
		expect(annotations.map((annotation) => annotation.sample)).toEqual(beats);
		expect(annotations.every(isBeat)).toBe(true);
	});

	test("damaged files", () => {
		const bytes = packAnnotations([5, 5000]);
		for (let length = 0; length < bytes.length; length++) {
			expect(() => parseAnnotations("x.atr", bytes.subarray(0, length))).toThrow(/end within/);
		}
		expect(() => parseAnnotations("x.atr", Uint8Array.from([...word(61, 1), 0, 0]))).toThrow(/without its annotation/);
		expect(() => readAnnotations(join(folder, "absent.atr"))).toThrow(/cannot read the annotation file/);
	});
});

describe("CSV", () => {
	test("values with a stated rate; an empty cell is no sample", () => {
		const record = parseCsv("x.csv", "# rate: 128\nECG\n0.5\n-0.25\nnan\n");
		expect(record.sampleRate).toBe(128);
		expect([...(record.signals[0]?.samples ?? [])]).toEqual([500, -250, NO_SAMPLE]);
	});

	test("time and value: the rate comes from the times; units from the column's name", () => {
		const lines = Array.from({ length: 361 }, (_, i) => `${(i / 360).toFixed(3)};${i}`);
		const record = parseCsv("x.csv", `t;signal (uV)\n${lines.join("\r\n")}`);
		expect(record.sampleRate).toBe(360);
		expect(record.signals[0]?.samples[250]).toBe(250);
	});

	test("the recorder's limits: stated, seen as a plateau, or those of the number", () => {
		expect(parseCsv("x.csv", "# rate: 100\n# range: -5 5\n1\n2\n").signals[0]).toMatchObject({
			low: -5000,
			high: 5000,
		});
		const clipped = [...new Array(100).fill(0), ...new Array(20).fill(2.5), 0.1, 0.2];
		expect(parseCsv("x.csv", `# rate: 100\n${clipped.join("\n")}`).signals[0]).toMatchObject({
			low: -32767,
			high: 2500,
		});
		expect(parseCsv("x.csv", "# rate: 100\n0\n0\n1\n0\n99\n").signals[0]).toMatchObject({ low: -32767, high: 32767 });
	});

	test.each([
		["1\n2\n", /sampling rate is unknown; add a line/],
		["# rate: fast\n1\n", /line 1: the rate is "fast"/],
		["# rate: 100\n", /no samples/],
		["# rate: 100\n1\n2,3\n", /line 3: 2 columns, expected 1/],
		["# rate: 100\n1\nx\n", /line 3: "x" is no number/],
		["0,1\n0.01,2\n0.5,3\n0.51,4\n", /evenly spaced/],
	])("%j", (text, message) => {
		expect(() => parseCsv("x.csv", text)).toThrow(message);
	});
});

describe.skipIf(!existsSync(`${RECORD_100}.hea`))("MIT-BIH record 100", () => {
	test("signals with their checksums, and annotations", () => {
		const record = openRecord(RECORD_100);
		expect(record).toMatchObject({ name: "100", sampleRate: 360 });
		expect(record.signals.map(({ name, samples }) => [name, samples.length])).toEqual([
			["MLII", 650000],
			["V5", 650000],
		]);
		const annotations = readAnnotations(`${RECORD_100}.atr`);
		expect(annotations.length).toBe(2274);
		const counts = (code: number): number => annotations.filter((annotation) => annotation.code === code).length;
		expect([counts(1), counts(8), counts(5), annotations.filter(isBeat).length]).toEqual([2239, 33, 1, 2273]);
	});
});
