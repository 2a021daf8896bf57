// Another order of functions for each device, out of a seed: what stays in flash has other addresses on every one.
//
// The linker places the sections of a region in the order in which it meets them. Each function has a section of its own
// (-ffunction-sections, the engine's too, for its whole-program optimisation ends in an object with one a function), so a
// linker script that names them one by one decides the order. docs/relocation.md, "Diversity of the rest", has the seed's
// way to an order, to the byte.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Elf } from "./elf.ts";
import { BuildError } from "./errors.ts";
import type { MapEntry } from "./size.ts";

/** The regions whose functions have an order of the device's own: output sections `.<name>`, in the order of flash. */
export const diverseRegions = ["host", "engine", "native", "library"] as const;
export type DiverseRegion = (typeof diverseRegions)[number];

/** What a build knows of a seed. */
export interface Seed {
	/** 32 bytes. Who knows them knows the layout. */
	readonly key: Uint8Array;
	/** 16 hex digits that tell seeds apart. */
	readonly id: string;
	/** The most that a seed of its length can be worth: 8 a byte, never more than 256. */
	readonly bits: number;
}

/** How far the order of one region, or of all, is from being known. */
export interface Spread {
	/** What moves as a whole: a function, or an object of libc or assembler with several. */
	readonly units: number;
	/** Functions in the units. */
	readonly functions: number;
	/** log2 of the number of orders: of `units`!; of all regions the sum. */
	readonly permutationEntropyBits: number;
	/** The best guess at the address of a function: log2 of `units`; of all regions the least. */
	readonly singleGuessBits: number;
}

/** `<name>.diversity.json`: how diverse an image is. It tells nothing of the order. */
export interface Diversity extends Spread {
	readonly format: 1;
	/** The seed's. */
	readonly id: string;
	readonly seedBits: number;
	readonly regions: readonly (Spread & { readonly name: DiverseRegion })[];
}

/** Units of a region in the order of their addresses: `object(section)`, as the map has them. */
export type Order = Readonly<Record<DiverseRegion, readonly string[]>>;

const seedLabel = "pericard diversify 1\0";
const idLabel = "pericard diversify id 1\0";
const functionType = 2;

/** Takes a seed in: text counts as UTF-8. Throws BuildError if it is empty. */
export function readSeed(seed: string | Uint8Array): Seed {
	const bytes = Buffer.from(seed);
	if (bytes.length === 0) throw new BuildError("the seed of --diversify is empty");
	const key = createHash("sha256").update(seedLabel).update(bytes).digest();
	const id = createHash("sha256").update(idLabel).update(key).digest("hex").slice(0, 16);
	return { key, id, bits: Math.min(256, 8 * bytes.length) };
}

/** A stream of numbers: SHA-256 over the key, the region's name, a zero byte and a counter (4 bytes, big-endian) from 0 on. */
export class Draw {
	readonly #key: Uint8Array;
	readonly #region: string;
	#counter = 0;
	#block = Buffer.alloc(0);

	constructor(key: Uint8Array, region: string) {
		this.#key = key;
		this.#region = region;
	}

	/* Each block is eight words, big-endian. */
	#word(): number {
		if (this.#block.length === 0) {
			const counter = Buffer.alloc(4);
			counter.writeUInt32BE(this.#counter++);
			this.#block = createHash("sha256").update(this.#key).update(`${this.#region}\0`).update(counter).digest();
		}
		const word = this.#block.readUInt32BE(0);
		this.#block = this.#block.subarray(4);
		return word;
	}

	/** A number of 0 to count - 1, each as likely: words from the last whole multiple of `count` on are thrown away. */
	below(count: number): number {
		const end = 2 ** 32 - (2 ** 32 % count);
		for (;;) {
			const word = this.#word();
			if (word < end) return word % count;
		}
	}
}

/** The items in the order that the key gives them in this region: Fisher and Yates, from the last place down. */
export function shuffle<T>(items: readonly T[], key: Uint8Array, region: string): T[] {
	const result = [...items];
	const draw = new Draw(key, region);
	for (let last = result.length - 1; last > 0; last--) {
		const chosen = draw.below(last + 1);
		const item = result[last] as T;
		result[last] = result[chosen] as T;
		result[chosen] = item;
	}
	return result;
}

/** The order of a linked image, out of its map. */
export function orderOf(map: readonly MapEntry[]): Order {
	const order: Record<DiverseRegion, string[]> = { host: [], engine: [], native: [], library: [] };
	for (const name of diverseRegions) {
		const code = map.filter(
			({ section, input, object }) => section === `.${name}` && /^\.text(?:\.|$)/.test(input) && object !== "",
		);
		code.sort((a, b) => a.address - b.address);
		/* Sections of one name in one object stay together: no linker script can tell them apart. */
		order[name] = [...new Set(code.map(({ object, input }) => `${object}(${input})`))];
	}
	return order;
}

/** The order that a seed makes of another. */
export function diversify(order: Order, seed: Seed): Order {
	const shuffled = (name: DiverseRegion) => shuffle(order[name], seed.key, name);
	return {
		host: shuffled("host"),
		engine: shuffled("engine"),
		native: shuffled("native"),
		library: shuffled("library"),
	};
}

/**
 * A linker script in which the units of each region that the script begins come first, in this order. What has been
 * placed there, the script's own patterns no longer match.
 */
export function orderedScript(script: string, order: Order): string {
	let text = script;
	for (const name of diverseRegions) {
		const lines = order[name].map((unit) => `\t\t${pattern(unit)}\n`).join("");
		text = text.replace(new RegExp(`^[ \\t]*__${name}_start = \\.;\\n`, "m"), (line) => `${line}${lines}`);
	}
	return text;
}

/** Puts the order into the linker scripts of a folder. */
export function orderScripts(folder: string, order: Order): void {
	for (const name of readdirSync(folder).filter((name) => name.endsWith(".ld"))) {
		const file = join(folder, name);
		writeFileSync(file, orderedScript(readFileSync(file, "utf8"), order));
	}
}

/* Where the tool-chain is installed must not matter: of what is not ours, the file's name is enough. */
function pattern(unit: string): string {
	const { path, member, section } =
		/^(?<path>.*?)(?:\((?<member>[^()]*)\))?\((?<section>[^()]*)\)$/.exec(unit)?.groups ?? {};
	const file = path?.startsWith("/") ? `*${path.slice(path.lastIndexOf("/"))}` : path;
	return `"${file}${member === undefined ? "" : `:${member}`}"(${section})`;
}

/** Checks that an image has exactly the units that it should have, in the order that it should have. Throws BuildError. */
export function checkOrder(map: readonly MapEntry[], order: Order): void {
	const found = orderOf(map);
	for (const name of diverseRegions) {
		const index = order[name].findIndex((unit, index) => found[name][index] !== unit);
		const wrong = index >= 0 ? order[name][index] : found[name][order[name].length];
		if (wrong !== undefined) {
			throw new BuildError(
				`region "${name}" is not in the seed's order, from "${wrong}" on: the linker placed it elsewhere`,
			);
		}
	}
}

/** The figures of an image in an order. */
export function measureDiversity(elf: Elf, order: Order, seed: Seed): Diversity {
	const at = new Map(elf.symbols.filter(({ defined }) => defined).map(({ name, value }) => [name, value]));
	const regions = diverseRegions.map((name) => {
		const [start, end] = [at.get(`__${name}_start`) ?? 0, at.get(`__${name}_end`) ?? 0];
		const functions = new Set<number>();
		for (const { type, defined, value } of elf.symbols) {
			if (type === functionType && defined && value >= start && value < end) functions.add(value);
		}
		const units = order[name].length;
		let bits = 0;
		for (let count = 2; count <= units; count++) bits += Math.log2(count);
		return {
			name,
			units,
			functions: functions.size,
			permutationEntropyBits: tenth(bits),
			singleGuessBits: tenth(Math.log2(Math.max(1, units))),
		};
	});
	const sum = (of: (region: Spread) => number) => regions.reduce((total, region) => total + of(region), 0);
	return {
		format: 1,
		id: seed.id,
		seedBits: seed.bits,
		units: sum(({ units }) => units),
		functions: sum(({ functions }) => functions),
		permutationEntropyBits: tenth(sum((region) => region.permutationEntropyBits)),
		singleGuessBits: Math.min(...regions.map((region) => region.singleGuessBits)),
		regions,
	};
}

function tenth(bits: number): number {
	return Math.round(bits * 10) / 10;
}
