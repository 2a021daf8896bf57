// Code that moves on RV32: the plan out of objects, the relocator on this machine against the linker, and an image in QEMU.

import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { crc32 } from "../../tools/build/archive.ts";
import { pericardRoot } from "../../tools/build/board.ts";
import { readElf } from "../../tools/build/elf.ts";
import { checkRelocation, planRelocation, type RelocationPlan } from "../../tools/build/relocation.ts";
import { expectAnswers } from "./relocation-answers.ts";
import {
	bareImage,
	compileFile,
	linkedUnits,
	objectOf,
	program,
	runMoves,
	rv32Tools,
	scratch,
} from "./relocation-native.ts";
import { halfSize, type Rv32Image, rv32Image } from "./relocation-rv32-image.ts";

const absent = (tool: string): boolean => spawnSync(tool, ["--version"]).status !== 0;
const missing = absent("riscv64-unknown-elf-gcc");
const clang = ["clang", "clang-14"].find((name) => !absent(name));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const machine = ["-DPC_RELOCATION_MACHINE=2"];
const moves = (): string => program("moves", "gcc", machine, "moves-rv32");
const kinds = (): Buffer => compileFile(join(pericardRoot, "test/native/relocate/kinds-rv32.S"), rv32Tools);

const unit = (name: string, body: string): string =>
	`\t.option norelax\n\t.section .text.${name}, "ax", %progbits\n\t.global ${name}\n\t.type ${name}, %function\n${name}:\n${body}\n`;
const outside = unit("outside", "\tret");
const caller = `${outside}${unit("caller", "\tcall first\n\ttail second")}`;

describe.skipIf(missing)("planning", () => {
	const plan = (...texts: readonly string[]) =>
		planRelocation(
			texts.map((text, index) => objectOf(`part${index}.S`, text, rv32Tools)),
			new Set(["first"]),
			{ halfSize: 4096 },
		);

	test("names symbol, file and relocation of what can't be moved", () => {
		const cases: readonly (readonly [string, RegExp])[] = [
			[
				"\t.option relax\n\tcall elsewhere",
				/part0\.S: "first" can't be moved: R_RISCV_RELAX at \.text\.first\+0x0 lets the linker change the code; compile with -mno-relax/,
			],
			["\t.option relax\n\tret\n\t.balign 8", /"first" can't be moved: R_RISCV_ALIGN .* -mno-relax/],
			[
				"\tnop\n\tjal elsewhere",
				/part0\.S: "first" can't be moved: R_RISCV_JAL against "elsewhere" at \.text\.first\+0x2 reaches nothing outside/,
			],
			[
				"\tnop\n\tnop\n\t.reloc first, R_RISCV_BRANCH, elsewhere",
				/R_RISCV_BRANCH against "elsewhere" at \.text\.first\+0x0 reaches no other function/,
			],
			[
				"\tnop\n\t.reloc first, R_RISCV_RVC_JUMP, elsewhere",
				/R_RISCV_RVC_JUMP against "elsewhere" .* reaches no other function/,
			],
			[
				"\t.option pic\n\tla a0, elsewhere",
				/R_RISCV_GOT_HI20 against "elsewhere" at \.text\.first\+0x0 is not supported/,
			],
			["\tla.tls.ie a0, elsewhere", /R_RISCV_TLS_GOT_HI20 against "elsewhere"/],
			["\tlui a0, %tprel_hi(elsewhere)", /R_RISCV_TPREL_HI20 against "elsewhere"/],
			["\tnop\n\t.4byte elsewhere", /R_RISCV_32 against "elsewhere" at \.text\.first\+0x2 is not aligned to a word/],
			["1:\tauipc a0, %pcrel_hi(elsewhere)\n\tret", /R_RISCV_PCREL_HI20 against "elsewhere" .* has no lower part/],
			[
				'\tlw a0, %pcrel_lo(there)(a0)\n\t.section .text.other, "ax"\nthere:\tauipc a0, %pcrel_hi(elsewhere)',
				/R_RISCV_PCREL_LO12_I against "there" .* belongs to no AUIPC of this section/,
			],
			["\t.balign 4\n\t.word elsewhere - outside", /R_RISCV_ADD32 against "elsewhere"/],
			["\t.weak maybe\n\tcall maybe", /R_RISCV_CALL_PLT against "maybe" .* is a call of what may not be there/],
			["\tcall constant\n\t.section .rodata.constant\nconstant: .word 1", /is a call of data/],
			["\tcall elsewhere + 8", /leads into a function outside of the set/],
		];
		for (const [body, message] of cases) expect(() => plan(unit("first", body)), body).toThrow(message);
		const branches = Array.from({ length: 9 }, (_, index) => `case ${index}: return outside(${index}) * ${index + 3};`);
		const text = `int outside(int); int first(int x) { switch (x) { ${branches.join(" ")} } return 0; }`;
		const jumps = objectOf("jumps.c", text, rv32Tools, ["-fjump-tables"]);
		expect(() => planRelocation([jumps], new Set(["first"]), { halfSize: 4096 })).toThrow(
			/jumps\.c: "first" can't be moved: R_RISCV_32 at \.rodata\+0x0 refers to more than its start .*-fno-jump-tables/,
		);
		const plain = planRelocation([objectOf("jumps.c", text, rv32Tools)], new Set(["first"]), { halfSize: 4096 });
		expect(plain.units.map(({ name }) => name)).toEqual(["first"]);
	});

	test("takes code of one machine", () => {
		const set = [
			objectOf("first.S", unit("first", "\tret"), rv32Tools),
			objectOf("second.S", "\t.text\n\t.global second\n\t.type second, %function\nsecond:\tbx lr\n"),
		];
		expect(() => planRelocation(set, new Set(["first"]), { halfSize: 4096 })).toThrow(/second\.S: not code of RV32/);
	});

	test("gives the table of docs/relocation.md, to the byte", () => {
		const made = plan(unit("first", "\tnop\n\tcall outside\n\tcall second\n\tret"), unit("second", "\tret"));
		expect(made.units.map(({ name, size }) => [name, size])).toEqual([
			["first", 20],
			["second", 4],
		]);
		expect(made.table.toString("hex")).toBe(
			[
				...["5043524c", "01020800", "0200", "0100", "02000000", "06000000", "00040000", "3c000000"],
				made.table.toString("hex", 28, 32), // CRC-32, tested by the device's parser
				...["0000050002000200", "0500010000000200", "00000000"],
				...["0100fd0f", "05000500"], // calls at halfwords 1, of what is outside, and 5, of unit 1
			].join(""),
		);
	});
});

describe.skipIf(missing)("every kind of patch", () => {
	const held: { plan?: RelocationPlan; code?: Buffer; image?: ReturnType<typeof bareImage> } = {};
	beforeAll(() => {
		const set = { label: "kinds.S", bytes: kinds() };
		const plan = planRelocation([set], new Set(["first", "second", "flash_data"]), { halfSize: 16384 });
		const image = bareImage(plan, [objectOf("caller.S", caller, rv32Tools)], rv32Tools);
		Object.assign(held, { plan, image, code: checkRelocation(readFileSync(image.elf), image.elf, plan) });
	});
	const get = <T>(value: T | undefined): T => {
		if (value === undefined) throw new Error("not built");
		return value;
	};

	test("is in the plan", () => {
		const plan = get(held.plan);
		const used = plan.units.flatMap(({ patches }) => patches.map(({ kind }) => kind));
		expect([...new Set(used)].sort()).toEqual(Object.keys(plan.machine.kinds).sort());
		expect(plan.entries.map(({ name }) => name)).toEqual(["first", "second", "helper.4"]);
		expect(plan.units.map(({ name }) => name)).toEqual(["first", "second", "third", ".text.numbers", "helper"]);
	});

	test("leads where the linker would, at any place", async () => {
		const plan = get(held.plan);
		const image = get(held.image);
		const symbols = readElf(readFileSync(image.elf), "").symbols;
		const start = symbols.find(({ name }) => name === "__relocatable_start")?.value ?? 0;
		for (const [half, seed] of [
			[0x20000000, 1],
			[0x60001800, 2],
			[0x7fffc000, 3],
		] as const) {
			const { layouts } = runMoves(moves(), plan, get(held.code), start, half, seed, 8);
			for (const layout of layouts.slice(-4)) {
				const linked = await linkedUnits(image, plan, layout);
				for (const [index, { name, size }] of plan.units.entries()) {
					const place = layout.places[index] ?? 0;
					const moved = layout.bytes.subarray(place, place + size);
					expect([name, moved.toString("hex")]).toEqual([name, linked[index]?.toString("hex")]);
				}
			}
		}
	});

	test("is refused if an upper part names no lower one", () => {
		const plan = get(held.plan);
		const table = Buffer.from(plan.table);
		const high = plan.units[0]?.patches.find(({ kind }) => kind === "pcrelHi20");
		const words = 32 + 8 * plan.units.length + 4 * plan.entries.length;
		const at = Array.from({ length: (table.length - words) / 4 }, (_, index) => words + 4 * index).find(
			(word) => (table.readUInt32LE(word) & 0x3ffff) === (((high?.place ?? 0) / 2) | (6 << 15)),
		);
		table.writeUInt32LE(table.readUInt32LE((at ?? 0) + 4) + 1, (at ?? 0) + 4);
		table.writeUInt32LE(crc32(table.subarray(32), crc32(table.subarray(0, 28))), 28);
		const run = (bytes: Buffer) =>
			runMoves(moves(), { ...plan, table: bytes }, get(held.code), 0x1000, 0x20000000, 1, 1);
		expect(() => run(plan.table)).not.toThrow();
		expect(() => run(table)).toThrow(/the table is refused \(7\)/);
	});

	test("is checked in the image", () => {
		const plan = get(held.plan);
		const image = readFileSync(get(held.image).elf);
		for (const [index, patch] of (plan.units[0]?.patches ?? []).entries()) {
			if (patch.target === 1023) continue; // where that is, only the linker knows
			const patches = plan.units[0]?.patches.with(index, { ...patch, addend: patch.addend + 0x1002 });
			const wrong = { ...plan, units: [{ ...plan.units[0], patches }, ...plan.units.slice(1)] };
			expect(() => checkRelocation(image, "x.elf", wrong as RelocationPlan), patch.kind).toThrow(
				/"first" was linked differently at 0x/,
			);
		}
	});

	test.skipIf(clang === undefined)("is taken from tables of any kind without harm (needs clang)", () => {
		const plan = planRelocation([{ label: "kinds.S", bytes: kinds() }], new Set(["first", "second"]), {
			halfSize: 1024,
		});
		const corpus = join(scratch, "corpus-rv32");
		mkdirSync(corpus, { recursive: true });
		for (const how of [0, 2, 3]) {
			writeFileSync(join(corpus, `${how}`), Buffer.concat([Buffer.from([how]), plan.table]));
		}
		const fuzz = program("fuzz", clang, ["-fsanitize=fuzzer", ...machine], "fuzz-rv32");
		const args = ["-runs=3000", "-seed=1", "-max_len=600", "-max_total_time=60", "-len_control=0"];
		const { status, stderr } = spawnSync(fuzz, [...args, `-artifact_prefix=${scratch}/`, corpus], { encoding: "utf8" });
		expect(status, stderr.slice(-4000)).toBe(0);
		expect(stderr).toContain("DONE");
	});
});

describe.skipIf(missing)("a set of cryptography", () => {
	const held: { image?: Rv32Image; lines?: readonly (readonly [string, ...string[]])[] } = {};
	beforeAll(async () => {
		held.image = await rv32Image();
	}, 120_000);
	const image = (): Rv32Image => {
		if (held.image === undefined) throw new Error("not built");
		return held.image;
	};

	test("moves as the linker would place it; every byte that is changed is found", async () => {
		const { elf, plan, code } = image();
		expect(plan.units.length).toBeGreaterThanOrEqual(64);
		expect(plan.codeSize).toBeGreaterThanOrEqual(16384);
		const symbols = readElf(readFileSync(elf), elf).symbols;
		const start = symbols.find(({ name }) => name === "__relocatable_start")?.value ?? 0;
		const { layouts } = runMoves(moves(), plan, code, start, 0x84000000, 5, 40);
		const last = layouts.at(-1);
		if (last === undefined) throw new Error("no layout");
		const linked = await linkedUnits(image(), plan, last);
		for (const [index, { name, size }] of plan.units.entries()) {
			const place = last.places[index] ?? 0;
			expect(last.bytes.subarray(place, place + size).equals(linked[index] as Buffer), name).toBe(true);
		}
		for (const [index, { unit, offset }] of plan.entries.entries()) {
			expect(last.dispatch[index]).toBe(last.half + (last.places[unit] ?? 0) + offset);
		}
	});

	describe.skipIf(absent("qemu-system-riscv32"))("in QEMU", () => {
		beforeAll(() => {
			/* An RV32IMC core with PMP and a user mode, without MMU. */
			const output = join(scratch, "rv32.txt"); // a pipe that is full would lose characters
			const args = ["-M", "virt", "-cpu", "lowrisc-ibex", "-bios", "none", "-display", "none", "-icount", "shift=0"];
			execFileSync("qemu-system-riscv32", [...args, "-serial", `file:${output}`, "-kernel", image().elf], {
				timeout: 100_000,
				stdio: ["ignore", "pipe", "pipe"],
			});
			const text = readFileSync(output, "utf8");
			held.lines = text
				.trim()
				.split(/\r?\n/)
				.map((line) => line.split(" ") as [string, ...string[]]);
		}, 120_000);
		const fault = { fetch: 1, illegal: 2, load: 5, store: 7 } as const;
		const none = 8; // the call that ends it
		const changed = { nothing: 0, unit: 2, dispatch: 4, spare: 5 } as const;
		const texts = (word: string): string[] =>
			(held.lines ?? []).filter(([first]) => first === word).map(([, ...values]) => values.join(" "));
		const numbers = (word: string): number[] => texts(word).flatMap((line) => line.split(" ").map(Number));

		test("gives the right answers, in canonical order and in 1,000 epochs", () => {
			const { plan } = image();
			expect(numbers("begin").slice(0, 3)).toEqual([0, plan.units.length, plan.entries.length]);
			expect(numbers("answers")).toEqual([1, 0, changed.nothing, 0]);
			expectAnswers(Buffer.from(texts("light")[0] ?? "", "hex"), Buffer.from(texts("heavy")[0] ?? "", "hex"));
			expect(numbers("epochs")).toEqual([0, 0, 0, 40]);
			expect(texts("end")).toEqual([""]);
		});

		test("measures the canonical code in every epoch", () => {
			const { code, plan } = image();
			const digest = createHash("sha256").update(code).digest("hex");
			expect(texts("digest")).toEqual([digest, digest]);
			expect(numbers("measure")).toEqual([0, none, plan.codeSize, 0, 1000, none, plan.codeSize, 0]);
		});

		test("finds and names what is changed", () => {
			const last = image().plan.units.length - 1;
			expect(numbers("changed-unit")).toEqual([0, 7, last].flatMap((unit) => [unit, changed.unit, unit, 0]));
			expect(numbers("changed-dispatch")).toEqual([3, changed.dispatch, 3, 0]);
			expect(numbers("changed-spare")).toEqual([100, changed.spare, 100, 0]);
			expect(numbers("changed-left")).toEqual([0, 7, last].flatMap((unit) => [0, changed.unit, unit, 0]));
		});

		test("is never writable and executable", () => {
			/* Writing, executing, reading. */
			const rights = (what: string): number[] => numbers(`rights-${what}`).slice(0, 3);
			expect(rights("data")).toEqual([none, fault.fetch, none]);
			expect(rights("text")).toEqual([fault.store, none, none]);
			for (const what of ["canonical", "table", "dispatch", "state", "waiting"]) {
				expect([what, ...rights(what)]).toEqual([what, fault.store, fault.fetch, none]);
			}
			expect(rights("machine")).toEqual([fault.store, fault.fetch, fault.load]);
			expect(rights("running")).toEqual([fault.store, fault.illegal, none]);
			const [steps, wrong, left, intact] = numbers("rights-in-a-move");
			expect(steps).toBeGreaterThan(10);
			expect([wrong, left, intact]).toEqual([0, fault.fetch, changed.nothing]);
		});

		test("a wiped half traps at every halfword, whoever executes it", () => {
			expect(numbers("wiped").slice(0, 2)).toEqual([halfSize / 2, 0]);
		});

		test("an address of one epoch is worth nothing in the next", () => {
			expect(numbers("reuse")).toEqual([none, fault.fetch, 1, 0]);
		});

		test("moves while work is in flight, and wipes no half that has a frame", () => {
			const [moved = 0, waited = 0, wrong, intact] = numbers("in-flight");
			expect(moved).toBeGreaterThan(2);
			expect(waited).toBeGreaterThan(2);
			expect([wrong, intact]).toEqual([0, changed.nothing]);
		});

		test("without random numbers, or below the floor, nothing moves, and it says so", () => {
			expect(numbers("refused")).toEqual([3, 4, 0, changed.nothing]);
		});

		test("costs what the documents say", () => {
			const [plain = 0, checking = 0, longest, found] = numbers("moves");
			const [check, longestCheck, ...nothing] = numbers("check");
			console.log(
				`an epoch: ${plain} instructions, ${checking} with a check of what is left; longest step ${longest}; ` +
					`a check ${check}, its longest step ${longestCheck}`,
			);
			expect(Math.round(plain / 1000)).toBeLessThanOrEqual(154);
			expect(Math.round(checking / 1000)).toBeLessThanOrEqual(316);
			expect(longest).toBeLessThanOrEqual(4000);
			expect(longestCheck).toBeLessThanOrEqual(4000);
			expect([found, ...nothing]).toEqual([0, 0, 0]);
		});
	});
});
