// Reads an ELF32 object file, changes names, alignments and what relocations refer to, and writes it again.
//
// Formats: System V ABI, chapter 4; relocations without addends (REL), as the Arm ABI has them, or with (RELA), as RISC-V's.

import { BuildError } from "./errors.ts";

export const sectionFlags = { alloc: 2, execute: 4 } as const;
export const sectionTypes = { program: 1, symbols: 2, strings: 3, rela: 4, empty: 8, rel: 9 } as const;
export const symbolTypes = { none: 0, object: 1, func: 2, section: 3, file: 4 } as const;
export const bindings = { local: 0, global: 1, weak: 2 } as const;

/** Symbols that belong to no section have an index of this or above, or 0 if they are defined elsewhere. */
const reserved = 0xff00;

export interface ObjectSection {
	readonly index: number;
	readonly name: string;
	readonly type: number;
	readonly flags: number;
	/** The content; empty for .bss. */
	readonly bytes: Buffer;
	readonly size: number;
	readonly align: number;
}

export interface ObjectSymbol {
	readonly index: number;
	/** A section's symbol has its section's name. */
	readonly name: string;
	readonly value: number;
	readonly size: number;
	readonly binding: number;
	readonly type: number;
	/** Index of its section; undefined: defined in another file, or absolute. */
	readonly section: number | undefined;
	readonly defined: boolean;
}

export interface ObjectRelocation {
	/** Index of the section that is patched. */
	readonly section: number;
	/** Bytes from its start. */
	readonly offset: number;
	readonly type: number;
	readonly symbol: ObjectSymbol;
	/** What is added to the symbol's value; undefined: the field has it. */
	readonly addend: number | undefined;
	/** Where the entry is in the file. */
	readonly entry: number;
}

const headerSize = 52;
const sectionSize = 40;
const symbolSize = 16;
const relSize = 8;
const relaSize = 12;

/* Arm's ABI has relocations without addends, RISC-V's with. */
const hasAddends = (machine: number): boolean => machine !== 40;

/** An object file that can be changed. `file` is what messages call it. */
export class ElfObject {
	readonly file: string;
	/** e_machine: 40 is Arm, 243 RISC-V. */
	readonly machine: number;
	readonly sections: readonly ObjectSection[];
	readonly symbols: readonly ObjectSymbol[];
	readonly relocations: readonly ObjectRelocation[];
	readonly #bytes: Buffer;
	readonly #headers: number;
	readonly #symbolTable: number;
	readonly #sectionNames: number;
	readonly #symbolNames: number;
	/* Strings and symbols that are added. */
	readonly #strings = new Map<number, { base: number; text: string }>();
	readonly #added: Buffer[] = [];
	readonly #undefined = new Map<string, number>();

	/** Throws BuildError if the bytes are no object of a 32-bit little-endian machine. */
	constructor(bytes: Buffer, file: string) {
		this.file = file;
		this.#bytes = Buffer.from(bytes);
		const data = this.#bytes;
		if (data.length < headerSize || data.readUInt32BE(0) !== 0x7f454c46 || data[4] !== 1 || data[5] !== 1) {
			throw new BuildError("not a 32-bit little-endian ELF file", { file });
		}
		if (data.readUInt16LE(16) !== 1) throw new BuildError("not an object file", { file });
		this.machine = data.readUInt16LE(18);
		this.#headers = data.readUInt32LE(32);
		const count = data.readUInt16LE(48);
		this.#sectionNames = data.readUInt16LE(50);
		const field = (index: number, at: number): number => data.readUInt32LE(this.#headers + index * sectionSize + at);
		const text = (table: number, offset: number): string => {
			const start = field(table, 16) + offset;
			return data.toString("utf8", start, data.indexOf(0, start));
		};
		this.sections = Array.from({ length: count }, (_, index): ObjectSection => {
			const [type, size, offset] = [field(index, 4), field(index, 20), field(index, 16)];
			return {
				index,
				name: text(this.#sectionNames, field(index, 0)),
				type,
				flags: field(index, 8),
				bytes: data.subarray(offset, offset + (type === sectionTypes.empty ? 0 : size)),
				size,
				align: Math.max(1, field(index, 32)),
			};
		});
		this.#symbolTable = this.sections.findIndex(({ type }) => type === sectionTypes.symbols);
		if (this.#symbolTable < 0) throw new BuildError("no symbols", { file });
		this.#symbolNames = field(this.#symbolTable, 24);
		const symbols: ObjectSymbol[] = [];
		const table = field(this.#symbolTable, 16);
		for (let index = 0; index < field(this.#symbolTable, 20) / symbolSize; index++) {
			const at = table + index * symbolSize;
			const info = data[at + 12] ?? 0;
			const place = data.readUInt16LE(at + 14);
			const section = place !== 0 && place < reserved ? place : undefined;
			const own = text(this.#symbolNames, data.readUInt32LE(at));
			symbols.push({
				index,
				name: own === "" && section !== undefined ? (this.sections[section]?.name ?? "") : own,
				value: data.readUInt32LE(at + 4),
				size: data.readUInt32LE(at + 8),
				binding: info >> 4,
				type: info & 15,
				section,
				defined: place !== 0,
			});
		}
		this.symbols = symbols;
		const relocations: ObjectRelocation[] = [];
		for (const { index, type } of this.sections) {
			if (type !== sectionTypes.rel && type !== sectionTypes.rela) continue;
			if ((type === sectionTypes.rela) !== hasAddends(this.machine)) {
				throw new BuildError("relocations of another kind than its machine has", { file });
			}
			const size = type === sectionTypes.rela ? relaSize : relSize;
			for (let entry = field(index, 16); entry < field(index, 16) + field(index, 20); entry += size) {
				const info = data.readUInt32LE(entry + 4);
				const symbol = symbols[info >>> 8];
				if (symbol === undefined) throw new BuildError("a relocation refers to no symbol", { file });
				const section = field(index, 28);
				const addend = type === sectionTypes.rela ? data.readInt32LE(entry + 8) : undefined;
				relocations.push({ section, offset: data.readUInt32LE(entry), type: info & 255, symbol, addend, entry });
			}
		}
		this.relocations = relocations;
	}

	renameSection(section: ObjectSection, name: string): void {
		const at = this.#headers + section.index * sectionSize;
		this.#bytes.writeUInt32LE(this.#string(this.#sectionNames, name), at);
	}

	/** Bytes, a power of 2. */
	alignSection(section: ObjectSection, align: number): void {
		this.#bytes.writeUInt32LE(align, this.#headers + section.index * sectionSize + 32);
	}

	renameSymbol(symbol: ObjectSymbol, name: string): void {
		const table = this.#bytes.readUInt32LE(this.#headers + this.#symbolTable * sectionSize + 16);
		this.#bytes.writeUInt32LE(this.#string(this.#symbolNames, name), table + symbol.index * symbolSize);
	}

	/** Lets a relocation refer to a symbol of that name in another file. */
	redirect(relocation: ObjectRelocation, name: string): void {
		let index = this.#undefined.get(name);
		if (index === undefined) {
			index = this.symbols.length + this.#added.length;
			const symbol = Buffer.alloc(symbolSize);
			symbol.writeUInt32LE(this.#string(this.#symbolNames, name), 0);
			symbol[12] = bindings.global << 4;
			this.#added.push(symbol);
			this.#undefined.set(name, index);
		}
		this.#bytes.writeUInt32LE((index << 8) | relocation.type, relocation.entry + 4);
	}

	/** The object as it is now. */
	write(): Buffer {
		const parts = [this.#bytes];
		let end = this.#bytes.length;
		const headers = Buffer.from(
			this.#bytes.subarray(this.#headers, this.#headers + this.sections.length * sectionSize),
		);
		/* A table that grows moves behind the end. */
		const replace = (index: number, added: Buffer): void => {
			const section = this.sections[index];
			if (section === undefined || added.length === 0) return;
			const at = index * sectionSize;
			const old = headers.readUInt32LE(at + 16);
			const content = Buffer.concat([this.#bytes.subarray(old, old + headers.readUInt32LE(at + 20)), added]);
			const padding = Buffer.alloc((4 - (end % 4)) % 4);
			headers.writeUInt32LE(end + padding.length, at + 16);
			headers.writeUInt32LE(content.length, at + 20);
			parts.push(padding, content);
			end += padding.length + content.length;
		};
		for (const [index, { text }] of this.#strings) replace(index, Buffer.from(text, "utf8"));
		replace(this.#symbolTable, Buffer.concat(this.#added));
		const bytes = Buffer.concat(parts);
		headers.copy(bytes, this.#headers);
		return bytes;
	}

	#string(table: number, text: string): number {
		let strings = this.#strings.get(table);
		if (strings === undefined) {
			strings = { base: this.sections[table]?.size ?? 0, text: "" };
			this.#strings.set(table, strings);
		}
		const offset = strings.base + Buffer.byteLength(strings.text);
		strings.text += `${text}\0`;
		return offset;
	}
}
