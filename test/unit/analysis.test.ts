// The tools that watch and disturb routines on the emulated core: cycles, traces, skipped instructions, stack.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildImage, type Image } from "../../tools/analysis/image.ts";
import { type Machine, openMachine, Room, RoutineError, type Trace } from "../../tools/analysis/machine.ts";
import {
	type Cost,
	checkModel,
	comparedWithHardware,
	difference,
	handComputed,
	measureSequence,
} from "../../tools/analysis/model.ts";
import { secretValues } from "../../tools/analysis/secrets.ts";
import { choosePositions, type SkipOptions, skipInstructions } from "../../tools/analysis/skips.ts";
import { compareLists, compareTraces } from "../../tools/analysis/trace.ts";

const folder = "test/native/analysis";
const missing = spawnSync("qemu-system-arm", ["--version"]).status !== 0;

/** One image of files in test/native/analysis, and one machine that runs it, for the tests of a group. */
function place(entries: readonly string[], ...files: readonly string[]) {
	const held: { image?: Image; machine?: Machine } = {};
	beforeAll(async () => {
		held.image = await buildImage({ sources: files.map((file) => `${folder}/${file}`), entries });
		held.machine = await openMachine(held.image);
	});
	afterAll(() => held.machine?.close());
	const get = <T>(value: T | undefined): T => {
		if (value === undefined) throw new Error(`the image of ${files} was not built`);
		return value;
	};
	return { image: () => get(held.image), machine: () => get(held.machine) };
}

describe.skipIf(missing)("the cycle model", () => {
	const at = place([...Object.keys(handComputed), "marked"], "../../../tools/analysis/timing.S");

	test.each(Object.entries(handComputed))("%s", async (routine, expected) => {
		expect(await measureSequence(at.machine(), routine)).toEqual(expected);
	});

	test("the model checks itself, and tells what differs", async () => {
		expect(await checkModel(at.machine())).toEqual([]);
		const wrong = { plain: { instructions: 4, cycles: 5, leastCycles: 4 }, stores: handComputed.stores as Cost };
		expect(await checkModel(at.machine(), wrong)).toEqual(["plain: 4 instructions, 4 cycles; expected 4, 5"]);
	});

	test("the document has the published figures that the model was compared with", () => {
		const page = readFileSync(new URL("../../docs/analysis.md", import.meta.url), "utf8");
		const rows = page.split("\n").map((line) => line.split("|").map((cell) => cell.trim()));
		const number = (value: number) => value.toLocaleString("en");
		for (const { routine, published, model } of comparedWithHardware) {
			const row = rows.find((cells) => cells[1] === routine);
			expect(row?.[2]).toMatch(new RegExp(`^${number(published)}\\b`));
			expect(row?.slice(3, 5)).toEqual([number(model), `${difference(published, model)} %`]);
		}
	});

	test("counts what lies between two marks, each time", async () => {
		const call = { routine: "marked", arguments: [new Room(64)] };
		const run = await at.machine().call(call, { between: ["mark_from", "mark_to"] });
		expect([run.instructions, run.accesses, run.cycles]).toEqual([4, 4, 6]);
		const all = await at.machine().call(call);
		expect([all.instructions, all.cycles]).toEqual([12, 1 + 2 * (1 + 3 + 1 + 1) + 2 + 1]);
	});

	test("says where divisions were", async () => {
		const { divisions } = await at.machine().call({ routine: "divisions" });
		expect(divisions.map((address) => at.image().place(address).offset)).toEqual([4, 8]);
	});
});

describe.skipIf(missing)("calls", () => {
	const entries = ["leaf", "frame", "deep", "six", "wide", "reads_from", "never", "fills"];
	const at = place(entries, "calls.c", "stack.S");

	test.each([
		["leaf", [2, 3], 0],
		["frame", [], 120],
		["deep", [1], 16],
		["deep", [50], 800],
	] as const)("%s(%s) uses %i bytes of stack", async (routine, numbers, bytes) => {
		expect((await at.machine().call({ routine, arguments: numbers })).stack).toBe(bytes);
	});

	test("a routine that uses all of the stack is found out", async () => {
		await expect(at.machine().call({ routine: "deep", arguments: [767] })).rejects.toThrow("all of the stack");
		await expect(at.machine().call({ routine: "deep", arguments: [5000] })).rejects.toThrow("deep faults at");
	});

	test("arguments are passed in registers and on the stack, results in one register or two", async () => {
		expect((await at.machine().call({ routine: "six", arguments: [1, 2, 3, 4, 5, 6] })).value).toBe(654321);
		const { value, high } = await at.machine().call({ routine: "wide", arguments: [0xffffffff, -1] });
		expect([value, high]).toEqual([1, 0xfffffffe]);
	});

	test("memory is as it was before each call, or as the last one left it", async () => {
		const call = { routine: "fills", arguments: [new Uint8Array([7, 7, 7]), 3] };
		const fill = async (keep: boolean) => {
			const run = await at.machine().call({ ...call, keep });
			return [...(await at.machine().read(run.arguments[0] ?? 0, 3))];
		};
		expect(await fill(false)).toEqual([8, 9, 10]);
		expect(await fill(false)).toEqual([8, 9, 10]);
		expect(await fill(true)).toEqual([11, 12, 13]);
		expect(await fill(false)).toEqual([8, 9, 10]);
	});

	test("a fault and a hang are told with their places", async () => {
		const fault = at.machine().call({ routine: "reads_from", arguments: [0xc0000000] });
		await expect(fault).rejects.toThrow("reads_from faults at reads_from+0x0 (test/native/analysis/calls.c:");
		const hang = at.machine().call({ routine: "never", limit: 10_000 });
		await expect(hang).rejects.toThrow(RoutineError);
		await expect(hang).rejects.toThrow(/never has not returned, it is at never\+0x0/);
		expect((await at.machine().call({ routine: "leaf", arguments: [2, 3] })).value).toBe(5);
	});

	test("an unknown symbol is a mistake", async () => {
		await expect(buildImage({ sources: [`${folder}/calls.c`], entries: ["leef"] })).rejects.toThrow("leef");
		await expect(at.machine().call({ routine: "leef" })).rejects.toThrow('did you mean "leaf"');
	});
});

describe.skipIf(missing)("comparing traces", () => {
	const entries = [
		...["branch_leaks", "branch_keeps", "table_leaks", "table_keeps", "compare_leaks", "compare_keeps"],
		...["division_leaks", "condition_leaks", "leaks_before"],
	];
	const at = place(entries, "leaks.c");
	const guess = new Uint8Array(16).fill(0x55);
	const calls = (routine: string) => secretValues(16).map((secret) => ({ routine, arguments: [secret, guess] }));

	test.each(["branch_keeps", "table_keeps", "compare_keeps"])("%s is found constant", async (routine) => {
		const report = await compareTraces(at.machine(), calls(routine));
		expect(report.text).toMatch(/: 50 runs, one trace of \d+ instructions$/);
		expect(report).toMatchObject({ constant: true, runs: 50, differences: [], divisions: [] });
	});

	test.each([
		["branch_leaks", "branch"],
		["table_leaks", "address"],
		["compare_leaks", "branch"],
		["condition_leaks", "condition"],
	])("%s is caught: %s", async (routine, kind) => {
		const report = await compareTraces(at.machine(), calls(routine));
		expect(report.constant).toBe(false);
		const [first] = report.differences;
		expect(first?.kind).toBe(kind);
		expect(at.image().place(first?.instruction ?? 0).symbol).toBe(routine);
		expect(report.text).toMatch(new RegExp(`at ${routine}\\+0x\\w+ \\(${folder}/leaks\\.c:\\d+\\), instruction \\d+`));
	});

	test("a table's entries are named", async () => {
		const { text } = await compareTraces(at.machine(), calls("table_leaks"));
		expect(text).toMatch(
			/an address at table_leaks\+\S+ \(.*\), instruction \d+ of the run: table\+0x0 or table\+0x3c/,
		);
	});

	test("a division is caught, unless its function is said to work on nothing secret", async () => {
		const report = await compareTraces(at.machine(), calls("division_leaks"));
		expect(report).toMatchObject({ constant: false, differences: [] });
		expect(report.text).toMatch(/a division at division_leaks\+0x/);
		const allowed = await compareTraces(at.machine(), calls("division_leaks"), { divisions: ["division_leaks"] });
		expect(allowed.constant).toBe(true);
	});

	test("only what is between two marks counts", async () => {
		const all = await compareTraces(at.machine(), calls("leaks_before"));
		expect(all.constant).toBe(false);
		const part = await compareTraces(at.machine(), calls("leaks_before"), { between: ["part_begins", "part_ends"] });
		expect(part.constant).toBe(true);
		expect(part.instructions).toBeGreaterThan(1000);
		expect(part.instructions).toBeLessThan(all.instructions);
	});

	test("lists part where they do", () => {
		const READ = 0x80000004;
		const list = (...words: number[]): Trace => ({ length: words.length / 2, words: Uint32Array.from(words) });
		const one = list(0x10, 0, 0x12, 0, 0x2000, READ, 0x14, 0);
		expect(compareLists(one, one)).toEqual([]);
		expect(compareLists(one, list(0x10, 0, 0x12, 0, 0x2004, READ, 0x16, 0))).toEqual([
			{ kind: "address", instruction: 0x12, position: 1, first: 0x2000, other: 0x2004 },
		]);
		expect(compareLists(one, list(0x10, 0, 0x12, 0, 0x2000, READ, 0x16, 0))).toEqual([
			{ kind: "branch", instruction: 0x12, position: 1, first: 0x14, other: 0x16 },
		]);
		expect(compareLists(one, list(0x10, 0, 0x12, 0, 0x14, 0))).toEqual([
			{ kind: "condition", instruction: 0x12, position: 1, first: 0x2000, other: undefined },
		]);
		expect(compareLists(one, list(0x10, 0, 0x12, 0, 0x2000, READ))).toEqual([
			{ kind: "length", instruction: 0x12, position: 1, first: 0x14, other: undefined },
		]);
		const byte = list(0x10, 0, 0x12, 0, 0x2000, 0x80000001, 0x14, 0);
		expect(compareLists(one, byte)).toMatchObject([{ kind: "address", position: 1 }]);
	});
});

describe.skipIf(missing)("leaving out one instruction", () => {
	const at = place(["in_block", "counted", "dangerous", "writes", "writes_code", "counter"], "skips.S");
	const each = async (routine: string, numbers: readonly (number | Uint8Array)[], positions: readonly number[]) => {
		const request = { positions: Uint32Array.from(positions), limit: 10_000 };
		const { results, value } = await at.machine().skip({ routine, arguments: numbers }, request);
		expect(results.map(({ position }) => position)).toEqual(positions);
		return { value, ends: results.map(({ outcome, value }) => (outcome === "returned" ? value : outcome)) };
	};
	const first = (count: number) => Array.from({ length: count }, (_, index) => index);

	test("within an IT block too", async () => {
		expect(await each("in_block", [1], first(8))).toEqual({ value: 11, ends: [11, 11, 15, 10, 9, 11, 3, 1] });
		expect(await each("in_block", [2], first(8))).toEqual({ value: 4, ends: [4, 11, 15, 4, 4, 0, 4, 2] });
	});

	test("runs that never end, fault or sleep are told apart, and the next is not disturbed", async () => {
		expect((await each("counted", [7], first(8))).ends).toEqual(["hang", 1, 1, 1, 1, 1, 1, 7]);
		const word = new Uint8Array([42, 0, 0, 0]);
		const [address = 0] = (await at.machine().call({ routine: "dangerous", arguments: [word] })).arguments;
		const ends = [42, "fault", address, "hang"];
		expect(await each("dangerous", [word], first(4))).toEqual({ value: 42, ends });
		expect(await each("dangerous", [word], first(4))).toEqual({ value: 42, ends });
	});

	test("each run finds memory as it was", async () => {
		const ends = [11, 90 + 1, 11, 11, 10 + 90 + 1, 10 + 90 + 1, 10, 11];
		const positions = [0, 1, 2, 3, 4, 5, 6, 7];
		expect(await each("writes", [new Uint8Array(4)], positions)).toEqual({ value: 11, ends });
		expect(await each("writes", [new Uint8Array(4)], positions)).toEqual({ value: 11, ends });
	});

	test("code can't be written to", async () => {
		const { ends } = await each("writes_code", [new Uint8Array(4)], [0, 1, 2]);
		expect(ends[1]).toBe("fault");
		expect(ends[0]).toBe(ends[2]);
	});

	test("watched memory is what it is at the end of a run", async () => {
		const { results } = await at
			.machine()
			.skip(
				{ routine: "writes", arguments: [new Uint8Array(4)] },
				{ positions: Uint32Array.from([0, 6, 7]), limit: 1000, watch: { at: "counter", size: 4 } },
			);
		expect(results.map(({ memory }) => memory[0])).toEqual([1, 0, 0]);
	});

	test("a position beyond the end is a mistake", async () => {
		await expect(each("counted", [7], [0, 9])).rejects.toThrow("returns before a position");
	});

	test("positions: all of what is asked for, samples of the rest", () => {
		const addresses = Uint32Array.from([1, 2, 3, 2, 3, 2, 3, 2, 3, 4]);
		const all =
			(...these: number[]) =>
			(address: number) =>
				these.includes(address);
		expect([...choosePositions(addresses, all(1, 2, 3, 4))]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
		expect([...choosePositions(addresses, all(3))]).toEqual([0, 1, 2, 4, 6, 8, 9]);
		expect([...choosePositions(addresses, all(), 1)]).toEqual([0, 1, 2, 9]);
		const some = choosePositions(addresses, all(), 3);
		expect(some.length).toBe(8);
		expect([...some.subarray(0, 3)]).toEqual([0, 1, 2]);
		expect(choosePositions(addresses, all(), 3)).toEqual(some);
		expect(choosePositions(addresses, all(), 3, "another")).not.toEqual(some);
	});
});

describe.skipIf(missing)("a decision", () => {
	const entries = ["plain_check", "careful_check", "open_door", "door"];
	const at = place(entries, "decisions.c");
	const expected = new Uint8Array(16).fill(7);
	const tag = (value: number) => new Uint8Array(16).fill(7).fill(value, 15);
	const check = (routine: string, last: number) => ({ routine, arguments: [tag(last), expected] });
	const open = { watch: { at: "door", size: 4 }, accepted: ({ memory }) => memory[0] === 1 } satisfies SkipOptions;

	test("the doors open with the right tag only", async () => {
		for (const routine of ["plain_check", "careful_check"]) {
			for (const last of [7, 8]) {
				await at.machine().call(check(routine, last));
				expect((await at.machine().read("door", 4))[0]).toBe(last === 7 ? 1 : 0);
			}
		}
	});

	test("a plain check can be made to accept, and it is said how", async () => {
		const report = await skipInstructions(at.image(), check("plain_check", 8), open);
		expect(report.accepted).toBeGreaterThan(0);
		expect(report.failures).toHaveLength(report.accepted);
		expect(report.failures[0]?.text).toMatch(/^plain_\w+\+0x\w+ \(test\/native\/analysis\/decisions\.c:\d+\)$/);
		expect(report.text).toContain(`accepts without ${report.failures[0]?.text}, instruction `);
		expect(report.tried).toBe(report.executed);
		expect(report.refused + report.accepted + report.fault + report.hang).toBe(report.tried);
	});

	test("a careful check can't", async () => {
		const report = await skipInstructions(at.image(), check("careful_check", 8), open);
		expect(report.text).not.toContain("accepts without");
		expect(report).toMatchObject({ accepted: 0, failures: [], tried: report.executed });
		expect(report.functions.get("careful_check")?.tried).toBeGreaterThan(10);
	});

	test("a function that must not be reached ends the run", async () => {
		const options: SkipOptions = { accepted: () => false, forbidden: ["open_door"] };
		const report = await skipInstructions(at.image(), check("plain_check", 8), options);
		const watched = await skipInstructions(at.image(), check("plain_check", 8), open);
		// It is reached in every run that opens the door, and in some that leave out the opening itself.
		const positions = watched.failures.map(({ position }) => position);
		expect(report.failures.map(({ position }) => position)).toEqual(expect.arrayContaining(positions));
		expect(report.failures[0]?.value).toBe(0);
	});

	test("the result is the same with one emulator and with two, and samples are part of all", async () => {
		const one = await skipInstructions(at.image(), check("plain_check", 8), { ...open, machines: 1 });
		const two = await skipInstructions(at.image(), check("plain_check", 8), { ...open, machines: 2 });
		expect(two.text).toBe(one.text);
		const options = { ...open, every: ["plain_check"], sample: 2 };
		const sampled = await skipInstructions(at.image(), check("plain_check", 8), options);
		expect(sampled.functions.get("plain_check")).toEqual(one.functions.get("plain_check"));
		expect(sampled.tried).toBeLessThan(one.tried);
		expect(sampled.distinct).toEqual(one.distinct);
	});

	test("what accepts anyway tells nothing", async () => {
		const accepts = skipInstructions(at.image(), check("plain_check", 7), open);
		await expect(accepts).rejects.toThrow("plain_check accepts though no instruction is left out");
	});
});
