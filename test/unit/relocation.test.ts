// Code that moves: the plan out of objects, the relocator on this machine against the linker, its draws, its table's parser.

import { execFileSync, spawnSync } from "node:child_process";
import { createCipheriv } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pericardRoot } from "../../tools/build/board.ts";
import { readElf } from "../../tools/build/elf.ts";
import { layoutBits, placeChances, singleGuessBits } from "../../tools/build/layout.ts";
import { checkRelocation, planRelocation, type RelocationPlan } from "../../tools/build/relocation.ts";
import { movingImage, removeImages } from "./relocation-image.ts";
import { bareImage, compileFile, linkedUnits, objectOf, program, runMoves, scratch } from "./relocation-native.ts";

const missing = spawnSync("arm-none-eabi-gcc", ["--version"]).status !== 0;
const clang = ["clang", "clang-14"].find((name) => spawnSync(name, ["--version"]).status === 0);
afterAll(() => {
	rmSync(scratch, { recursive: true, force: true });
	removeImages();
});

const caller = `
	.syntax unified
	.thumb
	.section .text.caller, "ax", %progbits
	.global outside, caller
	.type outside, %function
	.type caller, %function
outside:
	bx lr
caller:
	bl first
	ldr r0, =second
	bx r0
`;
const code = (text: string): string => `\t.syntax unified\n\t.thumb\n${text}\n`;
const unit = (name: string, body: string): string =>
	code(`\t.section .text.${name}, "ax", %progbits\n\t.global ${name}\n\t.type ${name}, %function\n${name}:\n${body}`);

describe.skipIf(missing)("planning", () => {
	const plan = (...texts: readonly string[]) =>
		planRelocation(
			texts.map((text, index) => objectOf(`part${index}.S`, text)),
			new Set(["first"]),
			{ halfSize: 4096 },
		);

	test("names symbol, file and relocation of what can't be moved", () => {
		const cases: readonly (readonly [string, RegExp])[] = [
			[
				"nop.w\n.reloc first, R_ARM_THM_PC12, elsewhere",
				/part0\.S: "first" can't be moved: R_ARM_THM_PC12 against "elsewhere" at \.text\.first\+0x0/,
			],
			["b.n elsewhere", /part0\.S: "first" can't be moved: R_ARM_THM_JUMP11 against "elsewhere"/],
			["nop\n.balign 4\n.word elsewhere(GOT)", /R_ARM_GOT_BREL against "elsewhere" at \.text\.first\+0x4/],
			["nop\n.2byte elsewhere", /R_ARM_ABS16/],
			["nop\n.4byte elsewhere", /R_ARM_ABS32 against "elsewhere" at \.text\.first\+0x2 is not aligned to a word/],
			[
				"bl constant\n.section .rodata.constant\nconstant: .word 1",
				/R_ARM_THM_CALL against "\.rodata\.constant" .* is a call of data/,
			],
			[".weak maybe\nbl maybe", /is a call of what may not be there/],
			["bl elsewhere + 8", /leads into a function outside of the set/],
			["movw r0, #:lower16:elsewhere - .", /R_ARM_THM_MOVW_PREL_NC/],
		];
		for (const [body, message] of cases) expect(() => plan(unit("first", body)), body).toThrow(message);
	});

	test("refuses what it could not keep its promise for", () => {
		expect(() => plan(unit("first", "\tbx lr\n\t.weak first"))).toThrow(/part0\.S: "first" is weak/);
		expect(() => plan(unit("first", "\tbx lr"), unit("first", "\tbx lr"))).toThrow(
			/part1\.S: "first" is defined twice/,
		);
		expect(() => plan(unit("first", "\tbx lr\n\t.balign 128"))).toThrow(/"first" is aligned to 128 bytes/);
		expect(() => plan(unit("first", "\t.space 5000"))).toThrow(
			/takes 50\d\d bytes with its gaps: a half of the arena has 4096/,
		);
		expect(() => plan(unit("other", "\tbx lr"))).toThrow(/no function to move/);
		expect(() => plan(code("\t.text\n\t.global first\nfirst:\tbx lr"))).toThrow(/"first" is .* no function/);
		const inside = unit("first", "\tldr r0, =table\n\tbx lr\n\t.section .rodata.table\ntable: .word first + 4");
		expect(() => plan(inside)).toThrow(
			/"first" can't be moved: R_ARM_ABS32 at \.rodata\.table\+0x0 refers to more than its start/,
		);
	});

	test("leaves out what nobody needs, and links nothing that refers to it", () => {
		const made = plan(unit("first", "\tbl outside\n\tbx lr"), unit("never", "\tbl first\n\tbx lr"));
		expect(made.units.map(({ name, file, size, offset }) => [name, file, size, offset])).toEqual([
			["first", "part0.S", 8, 0],
			["outside.out", "generated", 8, 8],
		]);
		expect(made.entries.map(({ name, unit, offset }) => [name, unit, offset])).toEqual([["first", 0, 0]]);
		const image = bareImage(made, [objectOf("caller.S", caller.replace("=second", "=first"))]);
		const names = readElf(readFileSync(image.elf), image.elf).symbols.map(({ name }) => name);
		expect(names).toContain("first.moved");
		expect(names).not.toContain("never.moved");
		expect(checkRelocation(readFileSync(image.elf), image.elf, made).length).toBe(16);
		const untyped = bareImage(made, [
			objectOf("caller.S", caller.replace("=second", "=first").replace(".type outside, %function", "")),
		]);
		expect(() => checkRelocation(readFileSync(untyped.elf), "x.elf", made)).toThrow(
			/x\.elf: "outside" is called by code that moves, but is no function/,
		);
		const stray = objectOf("stray.S", code("\t.text\n\t.global stray\nstray:\tbl never"));
		expect(() => bareImage(made, [objectOf("caller.S", caller), stray])).toThrow(/undefined reference to `never'/);
	});

	test("gives the same table whatever folder it is made in, to the byte", () => {
		const made = plan(unit("first", "\tbl outside\n\tbx lr"));
		expect(made.table.toString("hex")).toBe(
			[
				...["5043524c", "01010800", "0200", "0100", "01000000", "04000000", "00040000", "38000000"],
				made.table.toString("hex", 28, 32), // CRC-32, tested by the device's parser
				...["00000200", "01000200", "02000200", "00000200", "00000000", "00000500"],
			].join(""),
		);
	});
});

describe("the stream of random numbers", () => {
	const chacha = (key: Buffer, counter: number, size: number): Buffer => {
		const iv = Buffer.alloc(16);
		iv.writeUInt32LE(counter);
		return createCipheriv("chacha20", key, iv).update(Buffer.alloc(size));
	};
	const key: Buffer = Buffer.from(Array.from({ length: 32 }, (_, index) => index));

	test("is ChaCha20 (RFC 8439)", () => {
		const stream = program("stream");
		const block = (hex: string, counter: number): string =>
			execFileSync(stream, ["block", hex, String(counter)], { encoding: "utf8" }).trim();
		/* Appendix A.1, test vector 1. */
		expect(block("00".repeat(32), 0).slice(0, 64)).toBe(
			"76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7",
		);
		expect(block(key.toString("hex"), 0xfffffff0)).toBe(chacha(key, 0xfffffff0, 64).toString("hex"));
	});

	test("gives none of its bytes twice, forgets its key at each request, and ends", () => {
		const sizes = [1, 32, 33, 224, 0, 500];
		const text = execFileSync(program("stream"), ["stream", key.toString("hex"), ...sizes.map(String)], {
			encoding: "utf8",
		});
		let now: Buffer = key;
		for (const [index, size] of sizes.entries()) {
			const stream = chacha(now, 0, 32 + size);
			expect(text.split("\n")[index]).toBe(stream.toString("hex", 32));
			now = stream.subarray(0, 32);
		}
	});
});

describe("the best guess", () => {
	test("is what counting all layouts gives", () => {
		const sizes = [1, 2, 2, 5];
		const units = sizes.map((size, index) => ({
			name: "",
			file: "",
			offset: index,
			size: size * 4,
			align: 4,
			patches: [],
		}));
		const shape = { units, gapLog2: 1, offsets: 3 };
		const counts = sizes.map(() => new Map<number, number>());
		let all = 0;
		const walk = (order: readonly number[]): void => {
			if (order.length < sizes.length) {
				for (const unit of sizes.keys()) if (!order.includes(unit)) walk([...order, unit]);
				return;
			}
			for (let choice = 0; choice < 3 * 8; choice++) {
				let at = choice >> 3;
				all++;
				for (const [position, unit] of order.entries()) {
					if (position > 0) at += (choice >> (position - 1)) & 1;
					counts[unit]?.set(at, (counts[unit]?.get(at) ?? 0) + 1);
					at += sizes[unit] ?? 0;
				}
			}
		};
		walk([]);
		for (const unit of sizes.keys()) {
			const chances = placeChances(shape, unit);
			for (const [at, chance] of chances.entries()) expect(chance).toBeCloseTo((counts[unit]?.get(at) ?? 0) / all, 12);
		}
		const most = Math.max(...(counts[3]?.values() ?? []));
		expect(singleGuessBits(shape)).toBeCloseTo(-Math.log2(most / all), 9);
		expect(layoutBits(shape).layout).toBeCloseTo(Math.log2(all), 9);
	});
});

describe.skipIf(missing)("every kind of patch", () => {
	const held: {
		plan?: RelocationPlan;
		code?: Buffer;
		elf?: string;
		relink?: ReturnType<typeof bareImage>["relink"];
		moves?: string;
	} = {};
	beforeAll(() => {
		const set = { label: "kinds.S", bytes: compileFile(join(pericardRoot, "test/native/relocate/kinds.S")) };
		const plan = planRelocation([set], new Set(["first", "second", "flash_data"]), { halfSize: 4096 });
		const image = bareImage(plan, [objectOf("caller.S", caller)]);
		Object.assign(held, { plan, ...image, code: checkRelocation(readFileSync(image.elf), image.elf, plan) });
		held.moves = program("moves");
	});
	const get = <T>(value: T | undefined): T => {
		if (value === undefined) throw new Error("not built");
		return value;
	};

	test("is in the plan", () => {
		const plan = get(held.plan);
		const kinds = plan.units.flatMap(({ patches }) => patches.map(({ kind }) => kind));
		expect([...new Set(kinds)].sort()).toEqual(["abs32", "branch19", "branch24", "movt", "movw", "prel31", "rel32"]);
		expect(plan.entries.map(({ name }) => name)).toEqual(["first", "second", "helper.4"]);
		expect(plan.units.map(({ name }) => name)).toEqual([
			"first",
			"second",
			"third",
			".text.numbers",
			"helper",
			"outside.out",
		]);
	});

	test("leads where the linker would, at any place", async () => {
		const plan = get(held.plan);
		const canonical = get(held.code);
		const symbols = readElf(readFileSync(get(held.elf)), "").symbols;
		const start = symbols.find(({ name }) => name === "__relocatable_start")?.value ?? 0;
		/* Halves about where the upper 16 bits of an address change. */
		for (const [half, seed] of [
			[0x2000f000, 1],
			[0x2001f800, 2],
			[0x20000000, 3],
		] as const) {
			const { layouts } = runMoves(get(held.moves), plan, canonical, start, half, seed, 6);
			for (const layout of layouts.slice(-4)) {
				const linked = await linkedUnits({ relink: get(held.relink) }, plan, layout);
				for (const [index, { name, size }] of plan.units.entries()) {
					const place = layout.places[index] ?? 0;
					const moved = layout.bytes.subarray(place, place + size);
					expect([name, moved.toString("hex")]).toEqual([name, linked[index]?.toString("hex")]);
				}
			}
		}
	});

	test("leads there in a unit that takes several steps, too", async () => {
		const large = unit("first", "\t.rept 300\n\tbl second\n\t.endr\n\tbx lr\n\t.space 30000");
		const set = [objectOf("large.S", large), objectOf("second.S", unit("second", "\tb.w first"))];
		const plan = planRelocation(set, new Set(["first", "second"]), { halfSize: 65536 - 64 });
		const { elf, relink } = bareImage(plan, [objectOf("caller.S", caller)]);
		const start =
			readElf(readFileSync(elf), elf).symbols.find(({ name }) => name === "__relocatable_start")?.value ?? 0;
		const canonical = checkRelocation(readFileSync(elf), elf, plan);
		const { layouts } = runMoves(get(held.moves), plan, canonical, start, 0x20000000, 9, 4);
		const layout = layouts.at(-1);
		if (layout === undefined) throw new Error("no layout");
		const linked = await linkedUnits({ relink }, plan, layout);
		for (const [index, { name, size }] of plan.units.entries()) {
			const place = layout.places[index] ?? 0;
			expect(layout.bytes.subarray(place, place + size).equals(linked[index] as Buffer), name).toBe(true);
		}
	});

	test("is checked in the image", () => {
		const plan = get(held.plan);
		const image = readFileSync(get(held.elf));
		const target = plan.units[0]?.patches[0];
		const wrong = {
			...plan,
			units: [{ ...plan.units[0], patches: [{ ...target, addend: 2 }] }, ...plan.units.slice(1)],
		};
		expect(() => checkRelocation(image, "x.elf", wrong as RelocationPlan)).toThrow(
			/"first" was linked differently at 0x2/,
		);
	});
});

describe.skipIf(missing)("the relocator on this machine", () => {
	test("moves the cryptography as the linker would place it; every byte that is changed is found", async () => {
		const { plan, code: canonical, image, relink } = await movingImage({ with25519: true });
		if (plan === undefined) throw new Error("no plan");
		expect(plan.units.length).toBeGreaterThanOrEqual(64);
		expect(plan.codeSize).toBeGreaterThanOrEqual(16384);
		const start = image.address("__relocatable_start");
		const moves = program("moves");
		const { layouts, bits } = runMoves(moves, plan, canonical, start, 0x20020000, 5, 60);
		expect(layouts.length).toBe(61);
		const last = layouts.at(-1);
		if (last === undefined) throw new Error("no layout");
		const linked = await linkedUnits({ relink }, plan, last);
		for (const [index, { name, size }] of plan.units.entries()) {
			const place = last.places[index] ?? 0;
			expect(last.bytes.subarray(place, place + size).equals(linked[index] as Buffer), name).toBe(true);
		}
		for (const [index, { unit, offset }] of plan.entries.entries()) {
			expect(last.dispatch[index]).toBe(last.half + (last.places[unit] ?? 0) + offset + 1);
		}
		/* The bits are those of the formula. */
		let permutation = 0;
		for (let count = 2; count <= plan.units.length; count++) permutation += Math.log2(count);
		expect((bits[0] ?? 0) / 65536).toBeCloseTo(permutation, 1);
		expect(bits[1]).toBe((plan.units.length - 1) * plan.gapLog2 * 65536);
		expect((bits[2] ?? 0) / 65536).toBeCloseTo(Math.log2(plan.offsets), 3);
		expect(bits[3]).toBe((bits[0] ?? 0) + (bits[1] ?? 0) + (bits[2] ?? 0));
	});

	test("draws each permutation, gap and offset as often as any other", () => {
		const lines = execFileSync(program("draws"), ["10000"], { encoding: "utf8" }).trim().split("\n");
		expect(lines.length).toBe(6);
		for (const line of lines) {
			const [statistic = 0, freedom = 1] = line.split(" ").map(Number);
			/* Wilson and Hilferty: what is exceeded once in 100,000 times (4.26 standard deviations). */
			const limit = freedom * (1 - 2 / (9 * freedom) + 4.26 * Math.sqrt(2 / (9 * freedom))) ** 3;
			expect(statistic, line).toBeLessThan(limit);
		}
	});

	test.skipIf(clang === undefined)("takes tables of any kind without harm (needs clang)", { timeout: 200_000 }, () => {
		const set = { label: "kinds.S", bytes: compileFile(join(pericardRoot, "test/native/relocate/kinds.S")) };
		const plan = planRelocation([set], new Set(["first", "second"]), { halfSize: 1024 });
		const corpus = join(scratch, "corpus");
		mkdirSync(corpus, { recursive: true });
		writeFileSync(join(corpus, "whole"), Buffer.concat([Buffer.from([0]), plan.table]));
		writeFileSync(join(corpus, "mended"), Buffer.concat([Buffer.from([2]), plan.table]));
		writeFileSync(join(corpus, "made"), Buffer.concat([Buffer.from([3]), Buffer.alloc(100, 1)]));
		const fuzz = program("fuzz", clang, ["-fsanitize=fuzzer"]);
		const args = ["-runs=20000", "-seed=1", "-max_len=600", "-max_total_time=60", "-len_control=0"];
		const { status, stderr } = spawnSync(fuzz, [...args, `-artifact_prefix=${scratch}/`, corpus], { encoding: "utf8" });
		expect(status, stderr.slice(-4000)).toBe(0);
		expect(stderr).toContain("DONE");
	});
});
