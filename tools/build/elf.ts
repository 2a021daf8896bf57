// Reads ELF files as far as a build needs it: sections, symbols, segments and places of relocations; 32 and 64 bit,
// little-endian.

import { BuildError } from "./errors.ts";

export interface ElfSection {
	readonly name: string;
	readonly address: number;
	readonly size: number;
	/** Takes memory on the device. */
	readonly allocated: boolean;
	readonly writable: boolean;
	/** Has no content in the file (.bss and the like). */
	readonly empty: boolean;
}

export interface ElfSymbol {
	readonly name: string;
	readonly value: number;
	readonly size: number;
	/** Visible to other objects. */
	readonly global: boolean;
	/** Defined here, not only referred to. */
	readonly defined: boolean;
	/** A function's or object's or untyped; files and sections are left out. */
	readonly type: number;
}

/** What a loader puts into memory. */
export interface ElfSegment {
	/** Where the program finds it, and where it lies before: the same but for the initial values of .data. */
	readonly address: number;
	readonly physical: number;
	/** Place and size of the bytes in the file. */
	readonly offset: number;
	readonly size: number;
}

export interface Elf {
	readonly sections: readonly ElfSection[];
	readonly symbols: readonly ElfSymbol[];
	readonly segments: readonly ElfSegment[];
	/** Addresses that a loader changes when it loads the program. */
	readonly relocations: readonly number[];
}

const typeSymtab = 2;
const typeRela = 4;
const typeRel = 9;
const typeLoad = 1;
const typeNobits = 8;
const symbolSection = 3;
const symbolFile = 4;

/** Reads an ELF file's content. Throws BuildError if it is none. */
export function readElf(bytes: Buffer, file: string): Elf {
	if (bytes.length < 52 || bytes.readUInt32BE(0) !== 0x7f454c46 || bytes[5] !== 1) {
		throw new BuildError("not a little-endian ELF file", { file });
	}
	const wide = bytes[4] === 2;
	const word = (offset: number): number => (wide ? Number(bytes.readBigUInt64LE(offset)) : bytes.readUInt32LE(offset));
	const tableOffset = word(wide ? 40 : 32);
	const entrySize = bytes.readUInt16LE(wide ? 58 : 46);
	const count = bytes.readUInt16LE(wide ? 60 : 48);
	const namesIndex = bytes.readUInt16LE(wide ? 62 : 50);
	const raw = Array.from({ length: count }, (_, index) => {
		const at = tableOffset + index * entrySize;
		const field = (number: number): number => word(at + 8 + number * (wide ? 8 : 4));
		return {
			name: bytes.readUInt32LE(at),
			type: bytes.readUInt32LE(at + 4),
			flags: field(0),
			address: field(1),
			offset: field(2),
			size: field(3),
			link: bytes.readUInt32LE(at + (wide ? 40 : 24)),
		};
	});
	const text = (table: number, offset: number): string => {
		const start = (raw[table]?.offset ?? 0) + offset;
		return bytes.toString("utf8", start, bytes.indexOf(0, start));
	};
	const sections = raw.map((section) => ({
		name: text(namesIndex, section.name),
		address: section.address,
		size: section.size,
		allocated: (section.flags & 2) !== 0,
		writable: (section.flags & 1) !== 0,
		empty: section.type === typeNobits,
	}));
	const symbols: ElfSymbol[] = [];
	for (const section of raw) {
		if (section.type !== typeSymtab) continue;
		const size = wide ? 24 : 16;
		for (let at = section.offset; at < section.offset + section.size; at += size) {
			const info = bytes[at + (wide ? 4 : 12)] ?? 0;
			const type = info & 15;
			if (type === symbolSection || type === symbolFile) continue;
			const name = text(section.link, bytes.readUInt32LE(at));
			if (name === "") continue;
			symbols.push({
				name,
				value: word(at + (wide ? 8 : 4)),
				size: word(at + (wide ? 16 : 8)),
				global: info >> 4 !== 0,
				defined: bytes.readUInt16LE(at + (wide ? 6 : 14)) !== 0,
				type,
			});
		}
	}
	const relocations: number[] = [];
	for (const section of raw) {
		if ((section.type !== typeRela && section.type !== typeRel) || (section.flags & 2) === 0) continue;
		const size = (wide ? 8 : 4) * (section.type === typeRela ? 3 : 2);
		for (let at = section.offset; at < section.offset + section.size; at += size) relocations.push(word(at));
	}
	return { sections, symbols, segments: readSegments(bytes, wide, word), relocations };
}

function readSegments(bytes: Buffer, wide: boolean, word: (offset: number) => number): ElfSegment[] {
	const table = word(wide ? 32 : 28);
	const entrySize = bytes.readUInt16LE(wide ? 54 : 42);
	const count = bytes.readUInt16LE(wide ? 56 : 44);
	const segments: ElfSegment[] = [];
	for (let at = table; at < table + count * entrySize; at += entrySize) {
		if (bytes.readUInt32LE(at) !== typeLoad) continue;
		/* type, (flags,) offset, address, physical, size: the wide form has the flags here. */
		const field = (number: number): number => word(at + (wide ? 8 + number * 8 : 4 + number * 4));
		segments.push({ offset: field(0), address: field(1), physical: field(2), size: field(3) });
	}
	return segments;
}
