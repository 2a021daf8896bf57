// `pericard bench relocation`: its targets are met, its figures go together, and the documents say the same.

import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { missesOf, PERIODS, type RelocationFigures, TARGETS, targetFigures } from "../../tools/bench/relocation.ts";
import { relocationText } from "../../tools/cli/bench.ts";

const ROOT = join(import.meta.dirname, "../..");
const missing = ["qemu-system-arm", "arm-none-eabi-gcc"].some((tool) => spawnSync(tool, ["--version"]).status !== 0);
/** How far a document's figure may be from the measured one; or by 1 in its last digit. */
const TOLERANCE = 0.05;

/** Numbers in the rows of a table of docs/relocation.md, by the name in code quotes in their first cell. */
function rows(heading: string): Map<string, number[]> {
	const page = readFileSync(join(ROOT, "docs/relocation.md"), "utf8");
	const at = page.indexOf(`\n${heading}\n`);
	if (at < 0) throw new Error(`docs/relocation.md has no "${heading}"`);
	const section = page.slice(at + heading.length + 2).split(/^#+ /m)[0] ?? "";
	const found = new Map<string, number[]>();
	for (const line of section.split("\n")) {
		const [, name = "", ...cells] = line.split("|").map((cell) => cell.trim().replace(/(?<=\d),(?=\d{3})/g, ""));
		const quoted = /^`([\w-]+)`/.exec(name)?.[1];
		if (quoted !== undefined) found.set(quoted, cells.slice(0, -1).map(Number.parseFloat));
	}
	return found;
}

/** Is every number of a row near the expected one? Else a row that says what was measured. */
function outdated(cells: readonly number[] | undefined, expected: readonly number[], unit = TOLERANCE): string {
	const near = expected.every((value, index) => {
		const digit = 10 ** -(/\.(\d+)/.exec(String(cells?.[index]))?.[1]?.length ?? 0);
		return Math.abs((cells?.[index] ?? Number.NaN) - value) <= Math.max(unit * Math.abs(value), digit);
	});
	return near ? "" : `measured: ${expected.join(" | ")}`;
}

describe.skipIf(missing)("pericard bench relocation", () => {
	const out = mkdtempSync(join(tmpdir(), "pericard-bench-"));
	const held: { code?: unknown; stdout?: string; stderr?: string; figures?: RelocationFigures } = {};
	beforeAll(async () => {
		const args = [join(ROOT, "tools/bin/pericard.mjs"), "bench", "relocation", "--json", "--out", out];
		await new Promise<void>((done) => {
			execFile(process.execPath, args, { cwd: ROOT }, (error, stdout, stderr) => {
				Object.assign(held, { code: error?.code ?? 0, stdout, stderr });
				done();
			});
		});
		held.figures = JSON.parse(held.stdout ?? "") as RelocationFigures;
	}, 300_000);
	afterAll(() => rmSync(out, { recursive: true, force: true }));
	const figures = (): RelocationFigures => {
		if (held.figures === undefined) throw new Error(`nothing was measured\n${held.stderr}`);
		return held.figures;
	};

	test("every target is met, and a figure that misses its target is told", () => {
		expect(held.stderr).toBe("");
		expect(held.code).toBe(0);
		expect(missesOf(figures())).toEqual([]);
		const worse = { ...figures(), functions: 63, epochInstructions: 60_001, overhead: { 200: 0.011, 10000: 0.001 } };
		expect(missesOf(worse)).toEqual([
			"functions: 63, at least 64",
			"epochInstructions: 60001, at most 60000",
			"overhead at 200 ms: 0.011, at most 0.01",
		]);
		expect(missesOf({ ...figures(), overhead: {} })).toHaveLength(2);
		expect(Object.keys(targetFigures(figures()))).toEqual(expect.arrayContaining(Object.keys(TARGETS)));
	});

	test("--json is one object with all that was asked for, and people get tables with the targets", () => {
		const found = figures();
		for (const name of ["functions", "bytes", "epochInstructions", "longestMaskedInstructions"] as const) {
			expect(Number.isInteger(found[name]), name).toBe(true);
		}
		for (const name of ["dispatchInstructions", "permutationEntropyBits", "singleGuessBits"] as const) {
			expect(found[name], name).toBeGreaterThan(0);
		}
		expect(Object.keys(found.overhead).map(Number)).toEqual([...PERIODS]);
		const text = relocationText(found, TARGETS, targetFigures(found));
		expect(text).toMatch(new RegExp(`^epochInstructions +${found.epochInstructions} +at most 60000$`, "m"));
		expect(text).toMatch(/^overhead at 200 ms +0\.\d+ % +at most 1\.00 %$/m);
		expect(text).toMatch(/^hmac-sha256-32 .* % +\d.* %$/m);
		expect(text).toContain(`chance of 1 in ${Math.round(2 ** found.singleGuessBits).toLocaleString("en")}`);
		expect(text).toContain(`one of 2^${found.permutationEntropyBits}`);
	});

	test("the parts of an epoch are all of it; a flip is what masks interrupts", () => {
		const { parts, epochInstructions, epochCycles, longestMaskedInstructions, longestStepInstructions } = figures();
		const sum = (key: "instructions" | "cycles") => Object.values(parts).reduce((total, part) => total + part[key], 0);
		expect(Math.abs(sum("instructions") - epochInstructions)).toBeLessThan(8);
		expect(Math.abs(sum("cycles") - epochCycles)).toBeLessThan(8);
		expect(longestMaskedInstructions).toBeLessThan(parts.flip.instructions);
		expect(longestMaskedInstructions).toBeGreaterThan(9 * figures().entries);
		expect(longestStepInstructions).toBeLessThanOrEqual(4000);
		for (const { instructions, cycles } of Object.values(parts)) expect(cycles).toBeGreaterThan(instructions);
	});

	test("in ecg-patch at work a move takes what it takes alone, a check each second, and a fifth for the event loop", () => {
		const { patch, overhead, epochInstructions, checkInstructions } = figures();
		for (const period of PERIODS) {
			const { moves = 0, instructions = 0 } = patch[period] ?? {};
			const each = instructions / moves - Math.min(1, period / 1000) * checkInstructions;
			expect(each / epochInstructions, `${period} ms`).toBeGreaterThan(0.97);
			/* Two moves alone are lost in what garbage collections make of it. */
			expect(each / epochInstructions, `${period} ms`).toBeLessThan(moves > 10 ? 1.2 : 2);
			expect(overhead[period], `${period} ms`).toBeGreaterThan(instructions / moves / (period * 64e3));
		}
	});

	test("primitives take a few instructions a call more than in flash", () => {
		const { primitives } = figures();
		expect(primitives.map(({ name }) => name)).toEqual(
			expect.arrayContaining(["p256-sign-verified", "p256-verify", "p256-ecdh", "x25519", "ed25519-sign-verified"]),
		);
		expect(primitives.length).toBeGreaterThan(20);
		for (const { name, flash, moving, overhead } of primitives) {
			const more = moving.instructions - flash.instructions;
			expect(more, name).toBeGreaterThan(0);
			expect(more / flash.instructions, name).toBeLessThan(0.006);
			expect(overhead[10_000], name).toBeLessThan(overhead[50] ?? 0);
			expect(overhead[10_000], name).toBeGreaterThan(moving.cycles / flash.cycles - 1);
		}
	});

	test("gadgets of one epoch are hardly ever where they were in another, and never in the next", () => {
		const { gadgets } = figures();
		expect(gadgets.epochs).toBe(100);
		expect(gadgets.found).toBeGreaterThan(300);
		expect(gadgets.mean).toBeGreaterThan(0);
		expect(gadgets.mean).toBeLessThan(0.001);
		/* The largest unit may be where it was, by chance; all of them never are. */
		expect(gadgets.most).toBeLessThan(0.25);
		expect(gadgets.nextMost).toBe(0);
	});

	test("docs/relocation.md has the figures", () => {
		const now = figures();
		const check = (heading: string, expected: ReadonlyMap<string, readonly number[]>, unit?: number) => {
			const table = rows(heading);
			for (const [name, values] of expected)
				expect(`${name}: ${outdated(table.get(name), values, unit)}`).toBe(`${name}: `);
		};
		const { functions, entries, bytes, tableBytes, arenaBytes, epochInstructions, epochCycles } = now;
		const plain = { functions, entries, bytes, tableBytes, arenaBytes, epochInstructions, epochCycles };
		const { longestMaskedInstructions, longestMaskedCycles, longestStepInstructions, longestDrawInstructions } = now;
		const long = { longestMaskedInstructions, longestMaskedCycles, longestStepInstructions, longestDrawInstructions };
		const { dispatchInstructions, callOutInstructions, permutationEntropyBits, singleGuessBits } = now;
		const other = { dispatchInstructions, callOutInstructions, permutationEntropyBits, singleGuessBits };
		const { flashBytes, ramBytes, gapEntropyBits, offsetEntropyBits, layoutEntropyBits } = now;
		const more = { flashBytes, ramBytes, gapEntropyBits, offsetEntropyBits, layoutEntropyBits };
		const all = { ...plain, ...long, ...other, ...more };
		check("## Figures", new Map(Object.entries(all).map(([name, value]) => [name, [value]])));
		const parts = Object.entries(now.parts).map(
			([name, { instructions, cycles }]) => [name, [instructions, cycles]] as const,
		);
		check("### An epoch's parts", new Map(parts));
		const periods = Object.entries(now.patch).map(
			([period, { moves, ofItsOwn }]) => [period, [moves, 100 * (now.overhead[period] ?? 0), 100 * ofItsOwn]] as const,
		);
		check("### Overhead", new Map(periods), 0.1);
		const primitives = now.primitives.map(
			({ name, flash, moving, overhead }) =>
				[
					name,
					[flash.instructions, moving.instructions, ...PERIODS.map((period) => 100 * (overhead[period] ?? 0))],
				] as const,
		);
		check("### Overhead", new Map(primitives), 0.05);
		/* By chance: another build draws other layouts. */
		const { found, mean, sameHalfMean } = now.gadgets;
		check("### Gadgets", new Map([["found", [found]]]), 0.05);
		check("### Gadgets", new Map([["mean", [100 * mean, 100 * sameHalfMean]]]), 0.6);
	});
});
