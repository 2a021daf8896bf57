// What the tests of relocation share: the C programs on this machine, objects out of assembler text, and the linker as the
// judge of where a patch must lead.

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pericardRoot } from "../../tools/build/board.ts";
import { readElf } from "../../tools/build/elf.ts";
import { fileOffset } from "../../tools/build/reference.ts";
import { type RelocationPlan, type SetObject, unitSection } from "../../tools/build/relocation.ts";

export const scratch = mkdtempSync(join(tmpdir(), "pericard-relocation-"));
const sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
const includes = ["native/relocate", "native/crc", "native/entropy", "test/native/relocate"].map(
	(path) => `-I${join(pericardRoot, path)}`,
);
const sources = [
	"native/relocate/relocate.c",
	"native/relocate/table.c",
	"native/crc/crc.c",
	"native/entropy/stream.c",
	"test/native/relocate/host.c",
];

/** Compiles test/native/relocate/<name>.c with the relocator, for this machine; the program is called `as`. */
export function program(name: string, compiler = "gcc", flags: readonly string[] = [], as = name): string {
	const output = join(scratch, as);
	if (existsSync(output)) return output;
	const files = [...sources, `test/native/relocate/${name}.c`].map((file) => join(pericardRoot, file));
	const strict = ["-std=c11", "-g", "-O1", "-Wall", "-Wextra", "-Werror", ...sanitizers, ...includes];
	execFileSync(compiler, [...strict, ...flags, ...files, "-o", output], { stdio: ["ignore", "pipe", "pipe"] });
	return output;
}

/** Who compiles and links for a machine. */
export interface Toolchain {
	readonly prefix: string;
	readonly cflags: readonly string[];
	readonly ldflags: readonly string[];
}

export const armTools: Toolchain = {
	prefix: "arm-none-eabi",
	cflags: ["-mcpu=cortex-m4", "-mthumb"],
	ldflags: [],
};
export const rv32Tools: Toolchain = {
	prefix: "riscv64-unknown-elf",
	cflags: ["-march=rv32imc", "-mabi=ilp32", "-mno-relax", "-fno-jump-tables"],
	ldflags: ["-m", "elf32lriscv"],
};

/** An object of assembler or C text. */
export function objectOf(
	name: string,
	text: string,
	tools: Toolchain = armTools,
	flags: readonly string[] = [],
): SetObject {
	const source = join(scratch, name);
	writeFileSync(source, text);
	return { label: name, bytes: compileFile(source, tools, flags) };
}

export function compileFile(source: string, tools: Toolchain = armTools, flags: readonly string[] = []): Buffer {
	const output = join(scratch, "object.o");
	const all = [...tools.cflags, "-Os", "-ffunction-sections", "-ffreestanding", "-Wa,--fatal-warnings", ...flags];
	execFileSync(`${tools.prefix}-gcc`, [...all, "-c", source, "-o", output], { stdio: ["ignore", "pipe", "pipe"] });
	return readFileSync(output);
}

/* An image with nothing but the set, what it calls and the veneers. */
const bareScript = `
SECTIONS
{
	. = 0x1000;
	.text : { KEEP(*(.text .text.*)) *(.rodata .rodata.*) }
	.relocatable : ALIGN(64)
	{
		__relocatable_start = .;
		KEEP(*(SORT_BY_NAME(.moved.*)))
		. = ALIGN(4);
		__relocatable_end = .;
		. += 64;
	} = TRAP
	. = 0x1F000;
	.moving_table : { KEEP(*(.moving.table)) }
	. = 0x10000000;
	.bss (NOLOAD) : { *(.bss .bss.* .moving.state) }
	/DISCARD/ : { *(.unused.*) *(.ARM.*) *(.comment) *(.note*) }
}
`;

export interface BareImage {
	readonly elf: string;
	relink(script: (text: string) => string): Promise<string>;
}

let links = 0;

const trapOf = ({ machine: { trap } }: RelocationPlan): string => `0x${trap.toString(16).padStart(2, "0").repeat(4)}`;

/** Links a plan with objects from outside. */
export function bareImage(plan: RelocationPlan, outside: readonly SetObject[], tools: Toolchain = armTools): BareImage {
	const image = links;
	const bare = bareScript.replace("TRAP", trapOf(plan));
	const veneers = objectOf("veneers.S", plan.source, tools);
	const files = [...plan.objects, ...outside, veneers].map(({ bytes }, index) => {
		const file = join(scratch, `link-${image}-${index}.o`);
		writeFileSync(file, bytes);
		return file;
	});
	const link = (script: string): string => {
		const elf = join(scratch, `bare-${links}.elf`);
		const text = join(scratch, `bare-${links++}.ld`);
		writeFileSync(text, script);
		const args = [
			...tools.ldflags,
			"-nostdlib",
			"--gc-sections",
			"--fatal-warnings",
			"--no-warn-rwx-segments",
			"-T",
			text,
			...files,
		];
		execFileSync(`${tools.prefix}-ld`, [...args, "-o", elf], { stdio: ["ignore", "pipe", "pipe"] });
		return elf;
	};
	return { elf: link(bare), relink: async (change) => link(change(bare)) };
}

/** What `moves` wrote of one layout. */
export interface Layout {
	readonly half: number;
	/** Bytes from the half's start. */
	readonly places: readonly number[];
	readonly dispatch: readonly number[];
	readonly bytes: Buffer;
}

export interface Moves {
	readonly layouts: readonly Layout[];
	/** In 1/65536 bits: permutation, gaps, offset, layout. */
	readonly bits: readonly number[];
}

/** Moves the code of an image on this machine, by test/native/relocate/moves.c. Throws with what it found wrong. */
export function runMoves(
	moves: string,
	plan: RelocationPlan,
	code: Buffer,
	address: number,
	half: number,
	seed: number,
	count: number,
): Moves {
	const [table, canonical, out] = ["table", "code", "out"].map((name) => join(scratch, `moves-${name}`)) as [
		string,
		string,
		string,
	];
	writeFileSync(table, plan.table);
	writeFileSync(canonical, code);
	const text = execFileSync(moves, [table, canonical, ...[address, half, seed, count].map(String), out], {
		encoding: "utf8",
		stdio: ["ignore", "pipe", "pipe"],
	});
	const bytes = readFileSync(out);
	const [units, entries] = [plan.units.length, plan.entries.length];
	const size = 4 + units * 2 + entries * 4 + plan.halfSize;
	const layouts = Array.from({ length: bytes.length / size }, (_, index): Layout => {
		const at = index * size;
		return {
			half: bytes.readUInt32LE(at),
			places: Array.from({ length: units }, (_, unit) => bytes.readUInt16LE(at + 4 + unit * 2) * 4),
			dispatch: Array.from({ length: entries }, (_, entry) => bytes.readUInt32LE(at + 4 + units * 2 + entry * 4)),
			bytes: bytes.subarray(at + size - plan.halfSize, at + size),
		};
	});
	return { layouts, bits: text.trim().split(" ").map(Number) };
}

/** The units as the linker makes them where a layout has them. */
export async function linkedUnits(
	image: { relink(script: (text: string) => string): Promise<string> },
	plan: RelocationPlan,
	layout: Layout,
): Promise<Buffer[]> {
	const sections = layout.places.map((place, unit) => {
		const name = unitSection(unit);
		return `\t${name.replace(".moved.", ".m")} 0x${(layout.half + place).toString(16)} : { KEEP(*(${name})) . = ALIGN(4); } = ${trapOf(plan)}`;
	});
	const elf = await image.relink((text) =>
		text
			.replace(/\tKEEP\(\*\(SORT_BY_NAME\(\.moved\.\*\)\)\)\n/, "")
			.replace("\t\t. += 2 * __half_size;\n", "") /* the arena's place is taken */
			.replace(/(\n\t\/DISCARD\/)/, `\n${sections.join("\n")}\n$1`),
	);
	const bytes = readFileSync(elf);
	const file = readElf(bytes, elf);
	return plan.units.map(({ size }, unit) => {
		const offset = fileOffset(file, layout.half + (layout.places[unit] ?? 0));
		if (offset === undefined) throw new Error("a unit was not linked");
		return Buffer.from(bytes.subarray(offset, offset + size));
	});
}
