// The harness's own parts that need no device: the parser of the console and torn flash.

import { expect, test } from "vitest";
import { type ConsoleItem, RecordParser } from "../../tools/harness/records.ts";
import { tearFlash } from "../../tools/harness/tear.ts";

function parse(...pieces: string[]): ConsoleItem[] {
	const parser = new RecordParser();
	return [...pieces.flatMap((piece) => parser.push(piece)), ...parser.end()];
}

test("lines and records come apart, however they are cut", () => {
	const text = 'hello\r\n\u001e{"event":"boot","n":1}\n\nunfinished\u001e{"event":"end"}\nrest';
	const whole = parse(text);
	expect(whole).toEqual([
		{ kind: "line", text: "hello" },
		{ kind: "record", record: { event: "boot", n: 1 } },
		{ kind: "line", text: "" },
		{ kind: "line", text: "unfinished" },
		{ kind: "record", record: { event: "end" } },
		{ kind: "line", text: "rest" },
	]);
	for (let at = 0; at <= text.length; at++) expect(parse(text.slice(0, at), text.slice(at))).toEqual(whole);
	expect(parse(...text)).toEqual(whole);
});

test("what is no record comes as a line", () => {
	for (const junk of ["{}", "[1]", "null", '"event"', '{"event":1}', '{"event":"x"', "\u0000\u0001"]) {
		expect(parse(`\u001e${junk}\n`)).toEqual([{ kind: "line", text: junk }]);
	}
	expect(parse("\u001e\n")).toEqual([]);
	expect(parse('\u001e{"event":"fa\u001e{"event":"boot"}\n')).toEqual([
		{ kind: "line", text: '{"event":"fa' },
		{ kind: "record", record: { event: "boot" } },
	]);
});

test("a torn word has some of its bits", () => {
	const before = new Uint8Array(64).fill(0xff);
	const after = Uint8Array.from(before);
	after.set([0, 0, 0, 0], 8);
	for (const n of [1, 2]) {
		const torn = tearFlash(before, after, n);
		expect([...torn.subarray(8, 12)].every((byte) => byte !== 0 && byte !== 0xff)).toBe(true);
		expect(torn.filter((byte) => byte !== 0xff)).toHaveLength(4);
	}
	expect(tearFlash(before, before, 1)).toEqual(before);
});

test("a torn erase has erased the first half", () => {
	const before = new Uint8Array(8192);
	const after = Uint8Array.from(before).fill(0xff, 4096);
	const torn = tearFlash(before, after, 1);
	expect(torn.subarray(0, 4096).every((byte) => byte === 0)).toBe(true);
	expect(torn.subarray(4096, 6144).every((byte) => byte === 0xff)).toBe(true);
	expect(torn.subarray(6144).every((byte) => byte !== 0 && byte !== 0xff)).toBe(true);
});
