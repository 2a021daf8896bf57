// Ties code that moves (relocation.ts) into an image: chooses the arena, writes the objects that the linker takes instead of
// those that were compiled, and what they need besides.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { MemoryRegion } from "./board.ts";
import { readElf } from "./elf.ts";
import { BuildError } from "./errors.ts";
import { layoutBits } from "./layout.ts";
import { neededNames, planRelocation, type RelocationPlan, type SetObject } from "./relocation.ts";

/** An object of the image: its label (independent of folders) and where the linker finds it in the output folder. */
export interface PlacedObject {
	readonly label: string;
	readonly path: string;
	/** It is of the set: its code moves. */
	readonly moves: boolean;
}

/** Where the veneers and the table are: of the native region, as the set was. */
export const movingObject = "objects/native/relocation/relocation.o";
/** The assembler source of that object. */
export const movingSource = "generated/relocation.S";

/** An arena: parts of a block of eight, as many for each half, and the block's last one for the state (hosts/cortex-m/arena.h). */
interface Arena {
	readonly blockLog2: number;
	readonly halfParts: number;
	/** Bytes of a part. */
	readonly part: number;
	/** Bytes of a half. */
	readonly half: number;
	/** All bytes. */
	readonly size: number;
}

/* All there are, the smallest first. */
const arenas: readonly Arena[] = [14, 15, 16, 17, 18]
	.flatMap((blockLog2) =>
		[1, 2, 3].map((halfParts): Arena => {
			const part = 2 ** blockLog2 / 8;
			return { blockLog2, halfParts, part, half: part * halfParts, size: part * (2 * halfParts + 1) };
		}),
	)
	.sort((a, b) => a.size - b.size);
/* Any set that can be described at all fits (native/relocate/table.h). */
const widest = 0xfff0 * 4;
/* Bytes that the relocator's state has besides the dispatch table and the layouts, at most. */
const stateSize = 1024;
/* The MPU's last three regions; those before are the board's (hosts/cortex-m/mpu.c). */
const firstRegion = 5;
/* Of a half, at least: the room that gaps and offset have is what makes a place hard to guess. */
const leastRoom = 1.2;

const declare = ["pc_dispatch", "pc_relocation_layouts", "pc_relocation_data", "pc_relocation_data_end"];

/** Stands for the generated object in the link that shows what an image needs. */
export function plainSource(): string {
	const names = [...declare, "pc_arena_map"];
	const lines = ['\t.section .moving.table, "a", %progbits', `\t.global ${names.join(", ")}`];
	return `${[...lines, ...names.map((name) => `${name}:`), "\t.word 0"].join("\n")}\n`;
}

export interface MovingImage {
	readonly plan: RelocationPlan;
	/** Symbols that sections.ld takes from the command line. */
	readonly symbols: Readonly<Record<string, number>>;
	/** Bytes of RAM. */
	readonly arena: number;
	/** What is left of RAM for the heap. */
	readonly left: number;
}

/**
 * Plans an image whose objects have been linked once without moving anything (`elf`), and puts the objects to link now
 * in their places below `dir`. Throws BuildError for code that can't be moved.
 */
export function moveObjects(
	dir: string,
	elf: string,
	objects: readonly PlacedObject[],
	ram: MemoryRegion,
): MovingImage {
	const read = ({ label, path }: PlacedObject): SetObject => ({ label, bytes: readFileSync(join(dir, path)) });
	const moving = objects.filter(({ moves }) => moves).sort((a, b) => (a.label < b.label ? -1 : 1));
	const rest = objects.filter(({ moves }) => !moves);
	const linked = readFileSync(join(dir, elf));
	const { plan, arena } = choosePlan(moving.map(read), neededNames(rest.map(read), linked));
	/* At the end of RAM, where its block ends, too: so all before it is one piece. */
	const end = Math.floor((ram.origin + ram.size) / 2 ** arena.blockLog2) * 2 ** arena.blockLog2;
	const start = end - arena.size;
	const heap = readElf(linked, elf).symbols.find(({ name }) => name === "__heap_start")?.value ?? ram.origin;
	for (const [index, { bytes }] of plan.objects.entries()) {
		const path = join(dir, moving[index]?.path ?? "");
		rmSync(path, { force: true }); // it may be a link into the cache
		writeFileSync(path, bytes);
	}
	/* Code and table in whole eighths of a block, in which the MPU forbids execution. */
	const size = roundUp(plan.codeSize, 4) + roundUp(plan.table.length, 64) + 64;
	const canonical = Math.max(256, 2 ** Math.ceil(Math.log2(size * 2)));
	const codeLog2 = Math.log2(canonical);
	writeFileSync(join(dir, movingSource), `${plan.source}${arenaSource(arena, codeLog2)}`);
	return {
		plan,
		arena: arena.size,
		left: Math.max(0, start - roundUp(heap, 16)),
		symbols: {
			__moving_block: canonical,
			__moving_size: roundUp(size, canonical / 8),
			__arena_at: start,
			__arena_half: arena.half,
			__arena_part: arena.part,
		},
	};
}

/* The smallest arena in which there is room. */
function choosePlan(
	set: readonly SetObject[],
	needed: ReadonlySet<string>,
): { readonly plan: RelocationPlan; readonly arena: Arena } {
	const { codeSize, entries, units } = planRelocation(set, needed, { halfSize: widest });
	const state = entries.length * 4 + units.length * 8 + stateSize;
	const arena = arenas.find(({ half, part }) => half >= codeSize * leastRoom && part >= state);
	if (arena === undefined) {
		throw new BuildError(`${codeSize} bytes of code that moves are more than the largest arena has room for`);
	}
	return { plan: planRelocation(set, needed, { halfSize: arena.half }), arena };
}

/* pc_arena_map: the fields of pc_arena in hosts/cortex-m/arena.h. */
function arenaSource({ blockLog2, halfParts, part, half }: Arena, codeLog2: number): string {
	const lines = ['\t.section .rodata.pc_arena_map, "a", %progbits', "\t.balign 4"];
	lines.push("\t.global pc_arena_map", "\t.type pc_arena_map, %object", "pc_arena_map:");
	/* The last of the block: half 0, half 1, state. */
	const parts = 2 ** halfParts - 1;
	const first = 7 - 2 * halfParts;
	lines.push(`\t.word __arena_start - ${first * part}, __arena_start, __arena_start + ${half}, __arena_state`);
	lines.push("\t.word __relocatable_start, __moving_end");
	lines.push(`\t.byte ${blockLog2}, ${parts << first}, ${parts << (first + halfParts)}, ${1 << 7}`);
	lines.push(`\t.byte 0, ${codeLog2}, ${firstRegion}, 0`);
	lines.push("\t.size pc_arena_map, . - pc_arena_map");
	return `${lines.join("\n")}\n`;
}

const roundUp = (value: number, align: number): number => Math.ceil(value / align) * align;

/** `<name>.relocation.json`. */
export interface MovingReport {
	readonly format: 1;
	/** How many units there are. */
	readonly functions: number;
	/** Of the canonical code. */
	readonly bytes: number;
	/** Names, in the order of the dispatch table. */
	readonly entries: readonly string[];
	readonly tableBytes: number;
	readonly arenaBytes: number;
	readonly halfBytes: number;
	readonly gapLog2: number;
	readonly offsets: number;
	/** To one decimal, rounded down. */
	readonly bits: Readonly<Record<"permutation" | "gaps" | "offset" | "layout", number>>;
	/** In canonical order; offset in the canonical code and size in bytes. */
	readonly units: readonly {
		readonly name: string;
		readonly file: string;
		readonly offset: number;
		readonly size: number;
	}[];
}

/** What moves, for people and for what reads evidence. */
export function movingReport({ plan, arena }: MovingImage): MovingReport {
	const { units, entries, codeSize, halfSize, gapLog2, offsets, table } = plan;
	const round = (bits: number): number => Math.floor(bits * 10) / 10;
	const bits = layoutBits(plan);
	return {
		format: 1,
		functions: units.length,
		bytes: codeSize,
		entries: entries.map(({ name }) => name),
		tableBytes: table.length,
		arenaBytes: arena,
		halfBytes: halfSize,
		gapLog2,
		offsets,
		bits: {
			permutation: round(bits.permutation),
			gaps: round(bits.gaps),
			offset: round(bits.offset),
			layout: round(bits.layout),
		},
		units: units.map(({ name, file, offset, size }) => ({ name, file, offset, size })),
	};
}

/** Makes the folder of the generated object. */
export function prepare(dir: string): void {
	mkdirSync(join(dir, dirname(movingObject)), { recursive: true });
	writeFileSync(join(dir, movingSource), plainSource());
}
