// The finder of gadgets: what it takes for one, and that it reads instructions as the disassembler does.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findGadgets, gadgetSurvival } from "../../tools/analysis/gadgets.ts";

const missing = spawnSync("arm-none-eabi-objdump", ["--version"]).status !== 0;
const code = (...halfwords: readonly number[]) => new Uint8Array(Uint16Array.from(halfwords).buffer);
const ends = (...halfwords: readonly number[]) => findGadgets(code(...halfwords), 0).map(({ end }) => end);

test("a gadget is what runs into an indirect branch, from every halfword", () => {
	/* movs r0, #1; pop {r4, r5, pc}; mov.w r0, #1, whose second half is lsls r1, r0, #0 of its own; bx lr */
	expect(findGadgets(code(0x2001, 0xbd30, 0xf04f, 0x0001, 0x4770), 0x20000000)).toEqual([
		{ address: 0x20000000, halfwords: [0x2001, 0xbd30], end: "pop pc" },
		{ address: 0x20000002, halfwords: [0xbd30], end: "pop pc" },
		{ address: 0x20000004, halfwords: [0xf04f, 0x0001, 0x4770], end: "bx lr" },
		{ address: 0x20000006, halfwords: [0x0001, 0x4770], end: "bx lr" },
		{ address: 0x20000008, halfwords: [0x4770], end: "bx lr" },
	]);
	const long = [...Array(9).fill(0xbf00), 0x4770];
	expect(findGadgets(code(...long), 0).map(({ address }) => address)).toEqual([10, 12, 14, 16, 18]);
	expect(findGadgets(code(...long), 0, 9)).toHaveLength(10);
});

test("every kind of indirect branch ends one; direct branches, literals' targets and faults do not", () => {
	expect(ends(0x4718, 0x4798, 0x46af, 0x449f)).toEqual(["bx r3", "blx r3", "mov pc", "add pc"]);
	expect(ends(0xe8bd, 0x8010)).toEqual(["pop pc"]); // pop.w {r4, pc}
	expect(ends(0xe893, 0x8010)).toEqual(["ldm pc"]); // ldm r3, {r4, pc}
	expect(ends(0xf8d0, 0xf004)).toEqual(["ldr pc"]); // ldr pc, [r0, #4]
	expect(ends(0xf85d, 0xfb04)).toEqual(["ldr pc"]); // ldr pc, [sp], #4
	expect(ends(0xf8df, 0xf000)).toEqual([]); // ldr pc, [pc]: a veneer
	for (const stop of [0xe7fe, 0xd0fe, 0xb108, 0xde00, 0xbe00, 0xdf00, 0xb7ff])
		expect(ends(stop, 0xbd10)).toEqual(["pop pc"]);
	expect(ends(0xf7ff, 0xfffe, 0xbf00)).toEqual([]); // bl
	expect(ends(0xf8d0)).toEqual([]); // cut off
});

test("the share of gadgets that two epochs have in common is that of equal bytes at equal addresses", () => {
	const first = findGadgets(code(0x2001, 0xbd30, 0xde00, 0x4770), 0x1000);
	expect(first).toHaveLength(3);
	const same = { address: 0x1000, code: code(0x2002, 0xbd30, 0xde00, 0x4770) };
	const moved = { address: 0x1002, code: same.code };
	const others = [same, moved].map(({ address, code: bytes }) => findGadgets(bytes, address));
	const { pairs, mean, most } = gadgetSurvival([first, ...others]);
	expect(pairs).toBe(3);
	expect(most).toBeCloseTo(2 / 3, 10); // first and same: the one with movs differs
	expect(mean).toBeCloseTo(2 / 9, 10);
});

test.skipIf(missing)("instructions are as long as the disassembler says, and branch where it says so", () => {
	const dir = mkdtempSync(join(tmpdir(), "pericard-gadgets-"));
	const root = join(import.meta.dirname, "../..");
	const flags = [
		"-mcpu=cortex-m4",
		"-mthumb",
		"-mfloat-abi=hard",
		"-mfpu=fpv4-sp-d16",
		"-Os",
		"-I",
		`${root}/native/crypto`,
	];
	const sources = ["tools/analysis/timing.S", "native/crypto/kernels/p256-armv7em.S", "native/relocate/relocate.c"];
	const indirect = /^(bx|blx)\t\w+|^(pop|ldm)[.\w]*\t.*\bpc\}|^ldr[.w]*\tpc, \[(?!pc)|^(mov|add)\tpc, /;
	const direct =
		/^(b|bl|cbn?z|svc|udf|bkpt|tbb|tbh)(eq|ne|cs|cc|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)?(\.\w)?\t|^ldr[.w]*\tpc, \[pc/;
	const kinds = { ends: 0, next: 0, stop: 0 };
	try {
		for (const [index, file] of sources.entries()) {
			const object = join(dir, `${index}.o`);
			execFileSync("arm-none-eabi-gcc", [...flags, "-c", join(root, file), "-o", object]);
			const text = execFileSync("arm-none-eabi-objdump", ["-dz", object], { encoding: "utf8" });
			for (const [, hex = "", line = ""] of text.matchAll(/^ +[0-9a-f]+:\t((?:[0-9a-f]{4} ?)+)\s*\t(.*)$/gm)) {
				if (line.startsWith(".")) continue; // a literal
				const halfwords = hex
					.trim()
					.split(" ")
					.map((digits) => Number.parseInt(digits, 16));
				const kind = indirect.test(line) ? "ends" : direct.test(line) ? "stop" : "next";
				const gadget = findGadgets(code(...halfwords, 0x4770), 0).find(({ address }) => address === 0);
				const ended = gadget?.halfwords.length === halfwords.length ? "ends" : "next";
				kinds[kind]++;
				expect(`${line}: ${gadget === undefined ? "stop" : ended}`).toBe(`${line}: ${kind}`);
			}
		}
	} finally {
		rmSync(dir, { recursive: true, force: true });
	}
	expect(Math.min(...Object.values(kinds))).toBeGreaterThan(50);
	expect(kinds.next).toBeGreaterThan(2000);
});
