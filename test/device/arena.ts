// What must be in the arena of an image whose code moves, by docs/relocation.md alone: reads the relocator's state through the
// debugger and says what differs, be it only a byte that nothing executes.

import { readFileSync } from "node:fs";
import type { Build } from "../../tools/build/build.ts";
import { readElf } from "../../tools/build/elf.ts";
import { fileOffset } from "../../tools/build/reference.ts";
import type { Device } from "../../tools/harness/device.ts";

/** Phases of a move, as native/relocate/relocate.c counts them. */
export const phases = [
	"idle",
	"shuffle",
	"place",
	"copy",
	"calls",
	"flip",
	"drain",
	"places",
	"undo",
	"check",
	"wipe",
] as const;
export type Phase = (typeof phases)[number];

const OUTSIDE = 1023;
const TRAP = 0xde;
/* Of pc_relocator (native/relocate/relocate.h) on a core of 32 bits. */
const state = { halfAddress: 24, epoch: 52, running: 56, phase: 57, size: 64 } as const;

interface Unit {
	readonly name: string;
	/** Bytes. */
	readonly offset: number;
	readonly size: number;
	readonly align: number;
	readonly patches: readonly {
		readonly place: number;
		readonly kind: number;
		readonly target: number;
		readonly addend: number;
	}[];
}

/** The relocator's state and the arena at one moment. */
export interface Snapshot {
	readonly epoch: number;
	readonly running: 0 | 1;
	readonly phase: Phase;
	readonly halfAddress: readonly [number, number];
	/** Of each half, of each unit: bytes from the half's start. */
	readonly places: readonly [readonly number[], readonly number[]];
	readonly dispatch: readonly number[];
	readonly halves: readonly [Buffer, Buffer];
}

export class Arena {
	readonly units: readonly Unit[];
	readonly entries: readonly { readonly name: string; readonly unit: number; readonly offset: number }[];
	readonly codeAddress: number;
	readonly code: Buffer;
	readonly halfSize: number;
	readonly gapLog2: number;
	readonly offsets: number;
	readonly #symbols: ReadonlyMap<string, number>;

	constructor(build: Build) {
		const bytes = readFileSync(build.elf);
		const elf = readElf(bytes, build.elf);
		const report = JSON.parse(readFileSync(build.elf.replace(/elf$/, "relocation.json"), "utf8")) as {
			readonly units: readonly { readonly name: string }[];
			readonly entries: readonly string[];
			readonly offsets: number;
		};
		this.offsets = report.offsets;
		this.#symbols = build.symbols;
		const at = (address: number): Buffer => {
			const offset = fileOffset(elf, address);
			if (offset === undefined) throw new Error(`${build.elf} has no byte at 0x${address.toString(16)}`);
			return bytes.subarray(offset);
		};
		const table = at(this.#symbol("pc_relocation_data"));
		const [units, entries] = [table.readUInt16LE(8), table.readUInt16LE(10)];
		this.gapLog2 = table.readUInt8(6);
		this.halfSize = table.readUInt32LE(20) * 4;
		this.codeAddress = this.#symbol("__relocatable_start");
		this.code = at(this.codeAddress).subarray(0, table.readUInt32LE(16) * 4);
		let patch = 32 + 8 * units + 4 * entries;
		this.units = Array.from({ length: units }, (_, index) => {
			const unit = 32 + 8 * index;
			const end = patch + 4 * table.readUInt16LE(unit + 4);
			const patches = [];
			for (; patch < end; patch += 4) {
				const word = table.readUInt32LE(patch);
				const kind = (word >>> 15) & 7;
				if (kind === 4 || kind === 5) patch += 4;
				const addend = kind === 4 || kind === 5 ? table.readUInt32LE(patch) : 0;
				patches.push({ place: (word & 0x7fff) * 2, kind, target: (word >>> 18) & 0x3ff, addend });
			}
			return {
				name: report.units[index]?.name ?? "?",
				offset: table.readUInt16LE(unit) * 4,
				size: table.readUInt16LE(unit + 2) * 4,
				align: 2 ** table.readUInt8(unit + 6),
				patches,
			};
		});
		this.entries = report.entries.map((name, index) => {
			const entry = 32 + 8 * units + 4 * index;
			return { name, unit: table.readUInt16LE(entry), offset: table.readUInt16LE(entry + 2) * 2 };
		});
	}

	#symbol(name: string): number {
		const value = this.#symbols.get(name);
		if (value === undefined) throw new Error(`the image has no symbol ${name}`);
		return value;
	}

	/** The relocator's state without the arena. */
	async state(device: Device): Promise<Omit<Snapshot, "places" | "dispatch" | "halves">> {
		const words = Buffer.from(await device.readMemory("pc_arena_relocator", state.size));
		return {
			epoch: words.readUInt32LE(state.epoch),
			running: words.readUInt8(state.running) === 0 ? 0 : 1,
			phase: phaseOf(words.readUInt8(state.phase)),
			halfAddress: [words.readUInt32LE(state.halfAddress), words.readUInt32LE(state.halfAddress + 4)],
		};
	}

	async read(device: Device): Promise<Snapshot> {
		const now = await this.state(device);
		const count = this.units.length;
		const layouts = Buffer.from(await device.readMemory("pc_relocation_layouts", 8 * count));
		const dispatch = Buffer.from(await device.readMemory("pc_dispatch", 4 * this.entries.length));
		const [first, second] = now.halfAddress;
		if (second !== first + this.halfSize) throw new Error("pc_relocator is not as test/device/arena.ts knows it");
		const halves = Buffer.from(await device.readMemory(first, 2 * this.halfSize));
		/* place and order of half 0, then of half 1 */
		const places = (half: number): number[] =>
			this.units.map((_, unit) => layouts.readUInt16LE(4 * count * half + 2 * unit) * 4);
		return {
			...now,
			places: [places(0), places(1)],
			dispatch: this.entries.map((_, entry) => dispatch.readUInt32LE(4 * entry)),
			halves: [halves.subarray(0, this.halfSize), halves.subarray(this.halfSize)],
		};
	}

	/** What a half must hold: the units at their places, traps everywhere else. */
	expected(address: number, places: readonly number[]): Buffer {
		const half = Buffer.alloc(this.halfSize, TRAP);
		const delta = this.units.map(({ offset }, unit) => address + (places[unit] ?? 0) - (this.codeAddress + offset));
		for (const [index, { offset, size, patches }] of this.units.entries()) {
			const unit = half.subarray(places[index], (places[index] ?? 0) + size);
			this.code.copy(unit, 0, offset, offset + size);
			for (const { place, kind, target, addend } of patches) {
				const to = target === OUTSIDE ? 0 : (delta[target] ?? 0);
				const canonical = this.codeAddress + (this.units[target]?.offset ?? 0) + addend;
				add(unit.subarray(place, place + 4), kind, to, to - (delta[index] ?? 0), canonical);
			}
		}
		return half;
	}

	/** What is in the arena and in the dispatch table of a device that is not in the midst of a move, and does not belong there. */
	wrong(now: Snapshot): string[] {
		const found: string[] = [];
		if (now.phase !== "idle") found.push(`a move is under way: ${now.phase}`);
		const { running } = now;
		const [address, places] = [now.halfAddress[running], now.places[running]];
		const compare = (name: string, is: Buffer, must: Buffer): void => {
			for (let at = 0; at < must.length && !is.equals(must); at++) {
				if (is[at] === must[at]) continue;
				const unit = this.units.find(
					({ size }, index) => at >= (places[index] ?? 0) && at < (places[index] ?? 0) + size,
				);
				found.push(`${name}, byte ${at} (${name === "running half" ? (unit?.name ?? "gap") : "wiped"})`);
				break;
			}
		};
		compare("running half", now.halves[running], this.expected(address, places));
		compare("other half", now.halves[1 - running] as Buffer, Buffer.alloc(this.halfSize, TRAP));
		for (const [index, { name, unit, offset }] of this.entries.entries()) {
			if (now.dispatch[index] !== address + (places[unit] ?? 0) + offset + 1) found.push(`dispatch table, ${name}`);
		}
		return found;
	}
}

function phaseOf(value: number): Phase {
	const phase = phases[value];
	if (phase === undefined) throw new Error(`no phase ${value}: pc_relocator is not as test/device/arena.ts knows it`);
	return phase;
}

/* docs/relocation.md, "The relocation table": adds to a field. */
function add(field: Buffer, kind: number, delta: number, relative: number, canonical: number): void {
	const [first, second] = [field.readUInt16LE(0), field.readUInt16LE(2)];
	const halves = (high: number, low: number): void => {
		field.writeUInt16LE(high, 0);
		field.writeUInt16LE(low, 2);
	};
	const word = field.readUInt32LE(0);
	switch (kind) {
		case 0:
			field.writeUInt32LE((word + delta) >>> 0);
			break;
		case 1:
			field.writeUInt32LE((word + relative) >>> 0);
			break;
		case 2: {
			const value = (((first & 0x7ff) << 11) | (second & 0x7ff)) + relative / 2;
			halves((first & 0xf800) | ((value >> 11) & 0x7ff), (second & 0xf800) | (value & 0x7ff));
			break;
		}
		case 3: {
			const [s, j2, j1] = [(first >> 10) & 1, (second >> 11) & 1, (second >> 13) & 1];
			const value = ((s << 19) | (j2 << 18) | (j1 << 17) | ((first & 0x3f) << 11) | (second & 0x7ff)) + relative / 2;
			halves(
				(first & 0xfbc0) | (((value >> 19) & 1) << 10) | ((value >> 11) & 0x3f),
				(second & 0xd000) | (((value >> 17) & 1) << 13) | (((value >> 18) & 1) << 11) | (value & 0x7ff),
			);
			break;
		}
		case 4:
		case 5: {
			const shift = kind === 4 ? delta : ((canonical + delta) >>> 16) - (canonical >>> 16);
			const old = ((first & 0xf) << 12) | (((first >> 10) & 1) << 11) | (((second >> 12) & 7) << 8) | (second & 0xff);
			const value = (old + shift) & 0xffff;
			halves(
				(first & 0xfbf0) | (value >> 12) | (((value >> 11) & 1) << 10),
				(second & 0x8f00) | (((value >> 8) & 7) << 12) | (value & 0xff),
			);
			break;
		}
		case 6:
			field.writeUInt32LE(((word & 0x80000000) | ((word + relative) & 0x7fffffff)) >>> 0);
			break;
		default:
			throw new Error(`no patch of kind ${kind}`);
	}
}
