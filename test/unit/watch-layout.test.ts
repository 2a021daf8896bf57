// `pericard run --watch-layout` on a device made by hand: what it reads of the relocator's state, and what it shows of that.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { Build } from "../../tools/build/build.ts";
import type { MovingReport } from "../../tools/build/moving.ts";
import { type LayoutWatch, layoutCells, layoutPicture, watchLayout } from "../../tools/cli/watch.ts";
import type { Device } from "../../tools/harness/device.ts";
import { type Layout, LayoutReader } from "../../tools/harness/layout.ts";

const folder = mkdtempSync(join(tmpdir(), "pericard-watch-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/* Half of the half is code: one function has a quarter of it, one an eighth, the rest of them is small. */
const sizes = [64, 1024, 64, 512, 64, 64, 128, 128];
const HALF = 4096;
const report: MovingReport = {
	format: 1,
	functions: sizes.length,
	bytes: 2048,
	entries: ["f1"],
	tableBytes: 200,
	arenaBytes: 3 * HALF,
	halfBytes: HALF,
	gapLog2: 3,
	offsets: 100,
	bits: { permutation: 15.2, gaps: 21, offset: 6.6, layout: 42.8 },
	units: sizes.map((size, unit) => ({ name: `f${unit}`, file: `src/f${unit}.c`, offset: 0, size })),
};
const HALVES = [0x20020000, 0x20020000 + HALF] as const;

/** Units one after another in an order, `gap` bytes before each. */
function layoutOf(epoch: number, order: readonly number[], gap: number): Layout {
	const running = epoch % 2 === 0 ? 0 : 1;
	const addresses = new Array<number>(sizes.length).fill(0);
	let at = HALVES[running];
	for (const unit of order) {
		at += gap;
		addresses[unit] = at;
		at += sizes[unit] ?? 0;
	}
	return { epoch, running, draining: false, halves: HALVES, addresses };
}

/** The device's memory at this layout, as native/relocate lays it out. */
function deviceAt(layout: () => Layout | undefined): Device {
	const LAYOUTS = 0x20022000;
	const readMemory = async (address: number | string, length: number): Promise<Uint8Array> => {
		const now = layout();
		if (address === "pc_arena_relocator") {
			const state = Buffer.alloc(length);
			if (now === undefined) return state;
			state.writeUInt32LE(HALVES[0], 24);
			state.writeUInt32LE(HALVES[1], 28);
			[LAYOUTS, LAYOUTS + 100, LAYOUTS + 200, LAYOUTS + 300].forEach((at, index) => {
				state.writeUInt32LE(at, 36 + 4 * index);
			});
			state.writeUInt32LE(now.epoch, 52);
			state[56] = now.running;
			state[59] = now.draining ? 1 : 0;
			return state;
		}
		if (now === undefined || address !== LAYOUTS + 200 * now.running) throw new Error(`nothing at ${address}`);
		const words = Buffer.alloc(length);
		for (const [unit, at] of now.addresses.entries()) words.writeUInt16LE((at - HALVES[now.running]) / 4, 2 * unit);
		return words;
	};
	return { readMemory } as Partial<Device> as Device;
}

function buildIn(name: string, symbols: readonly string[]): Build {
	return {
		name,
		board: "mps2-an386",
		dir: folder,
		symbols: new Map(symbols.map((symbol) => [symbol, 0x20010000])),
	} as Partial<Build> as Build;
}
writeFileSync(join(folder, "moves.relocation.json"), JSON.stringify(report));
const build = buildIn("moves", ["pc_arena_relocator"]);

const straight = layoutOf(2, [0, 1, 2, 3, 4, 5, 6, 7], 0);
const shuffled = layoutOf(3, [3, 7, 6, 1, 5, 4, 2, 0], 64);

test("the layout is read out of the relocator's state", async () => {
	const reader = LayoutReader.of(build);
	for (const layout of [straight, shuffled, { ...shuffled, draining: true }]) {
		expect(await reader?.read(deviceAt(() => layout))).toEqual(layout);
	}
	expect(await reader?.read(deviceAt(() => undefined))).toBeUndefined();
});

test("cells: letters of the largest functions, other code, and what traps", () => {
	expect(layoutCells(report, straight, 64)).toBe(`e${"a".repeat(16)}-${"b".repeat(8)}--ccdd${".".repeat(32)}`);
	expect(layoutCells(report, shuffled, 64)).toBe(`.${"b".repeat(8)}.dd.cc.${"a".repeat(16)}.-.-.-.e${".".repeat(24)}`);
	/* A cell is what most of it is. */
	expect(layoutCells(report, straight, 4)).toBe("ab..");
});

/** Lets a watch look at these layouts, a tenth of a second apart. */
async function watched(layouts: readonly (Layout | undefined)[], draws: boolean, say?: string): Promise<string> {
	let text = "";
	const watch: LayoutWatch = watchLayout(build, { columns: 100, write: (part: string) => (text += part) }, draws);
	let now: Layout | undefined;
	const device = deviceAt(() => now);
	for (const [index, layout] of layouts.entries()) {
		now = layout;
		await watch.look(device, (index + 1) / 10);
	}
	if (say !== undefined) watch.print(say);
	return text;
}

describe("without a terminal", () => {
	test("what moves, then a line a move", async () => {
		const text = await watched([undefined, straight, straight, shuffled], false, "beat 1");
		const lines = text.trimEnd().split("\n");
		expect(lines[0]).toBe("8 functions, 2,048 bytes, move between two halves of 4,096 bytes; 42.8 bits a layout");
		expect(lines.slice(1, 3)).toEqual(["  a  f1 (src/f1.c), 1,024 bytes", "  b  f3 (src/f3.c), 512 bytes"]);
		expect(lines.slice(-3)).toEqual([
			`   0.20 s  epoch    2  0x20020000 ${layoutCells(report, straight, 64)}  first seen`,
			`   0.40 s  epoch    3  0x20021000 ${layoutCells(report, shuffled, 64)}  all moved`,
			"beat 1",
		]);
		expect(text).not.toContain("\x1b");
	});

	test("a function that is where it was is not counted", async () => {
		const later = { ...straight, epoch: 4, addresses: straight.addresses.map((at, unit) => (unit < 3 ? at : at + 64)) };
		expect(await watched([straight, later], false)).toMatch(/epoch {4}4 .* 5 of 8 moved\n$/);
	});
});

describe("in a terminal", () => {
	test("the picture: rows by address that hold all cells, and where the functions were", () => {
		const picture = layoutPicture(report, shuffled, 0.4, straight, 80);
		expect(picture[0]).toBe("  epoch 3 since 0.40 s: 8 functions, all moved");
		// biome-ignore lint/suspicious/noControlCharactersInRegex: colours
		const plain = picture.map((line) => line.replace(/\x1b\[[\d;]*m/g, ""));
		const rows = plain.filter((line) => /^ {2}0x2002[\da-f]{4} {2}[a-e░·]/.test(line) && !line.includes("half"));
		expect(rows.map((row) => row.slice(14)).join("")).toBe(
			layoutCells(report, shuffled, 780).replaceAll("-", "░").replaceAll(".", "·"),
		);
		expect(plain).toContain("  0x20020000  the other half traps, until code moves there");
		expect(plain.find((line) => line.startsWith("  a  f1 "))).toMatch(
			/1,024 bytes at 0x20021[\da-f]{3}, was at 0x20020040$/,
		);
		for (const line of plain) expect(line.length).toBeLessThan(80);
		const draining = layoutPicture(report, { ...shuffled, draining: true }, 0.4, straight, 80);
		expect(draining).toContain("  0x20020000  the other half still runs what has not returned, then it is wiped");
	});

	test("a move is drawn over the picture before; what else is said goes above it", async () => {
		const text = await watched([straight, shuffled], true, "beat 1");
		const height = layoutPicture(report, straight, 0.1, undefined, 100).length;
		const parts = text.split(`\x1b[${height}A\x1b[J`);
		expect(parts).toHaveLength(3);
		expect(parts[1]).toContain("epoch 3");
		expect(parts[2]).toBe(`beat 1\n${parts[1]}`);
	});
});

test("an app whose code stays is told how to let it move", () => {
	for (const still of [buildIn("moves", []), buildIn("stays", ["pc_arena_relocator"])]) {
		expect(() => watchLayout(still, { write: () => true }, false)).toThrow(
			`no code of ${still.name} moves on mps2-an386`,
		);
	}
});
