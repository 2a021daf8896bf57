// What relocation.ts has to know of the machine whose code moves: relocation-thumb.ts and relocation-rv32.ts.

import type { ElfObject, ObjectRelocation, ObjectSection, ObjectSymbol } from "./elf-object.ts";

/** How a place is patched: the kinds of native/relocate/table.h. */
export type PatchKind =
	| "abs32"
	| "rel32"
	/* Thumb */
	| "branch24"
	| "branch19"
	| "movw"
	| "movt"
	| "prel31"
	/* RV32 */
	| "call"
	| "jal"
	| "hi20"
	| "lo12"
	| "pcrelHi20"
	| "pcrelLo12";

/** A place of a section that refers to something. */
export interface Reference {
	/** `within`: it reaches no other unit, and needs no patch in its own. */
	readonly kind: PatchKind | "within";
	/** For messages; and whose symbol is another one if that is called by another name. */
	readonly relocation: ObjectRelocation;
	readonly symbol: ObjectSymbol;
	/** Where it refers to, from the symbol on. */
	readonly addend: number;
	/** pcrelHi20: where one of its lower parts is; pcrelLo12: where its upper part is. */
	readonly pair?: number;
	/** The symbol is that of another relocation, which leads this one along. */
	readonly follows?: boolean;
}

/** A section of an object, and who can say where in the set a symbol is. */
export interface Place {
	readonly object: ElfObject;
	readonly section: ObjectSection;
	readonly relocations: readonly ObjectRelocation[];
	/** The section's name among all of the set; undefined: outside. */
	sectionOf(symbol: ObjectSymbol): string | undefined;
	/** Throws: the relocation can't be moved. */
	fail(relocation: ObjectRelocation, why: string): never;
}

export interface Machine {
	readonly name: string;
	/** Of an ELF file's header, and of the relocation table's. */
	readonly elf: number;
	readonly id: number;
	/** Of a word that traps when it is executed, each byte. */
	readonly trap: number;
	/** Bit 0 of a function's address. */
	readonly addressBit: 0 | 1;
	readonly relocationNames: Readonly<Record<number, string>>;
	readonly kinds: Readonly<Partial<Record<PatchKind, number>>>;
	/** A call or jump. */
	isCall(kind: PatchKind): boolean;
	/** The address of what is referred to, which may be kept: a function's is that of its veneer. */
	isAddress(kind: PatchKind): boolean;
	/** The field is what it refers to, less the place where it is. */
	isRelative(kind: PatchKind): boolean;
	/** A word that is no instruction. */
	isWord(kind: PatchKind): boolean;
	/** A reference to its own unit has a relocation as well, and needs no patch. */
	readonly keepsOwn: boolean;
	/** What the relocations of a section of code say. */
	references(place: Place): Reference[];
	/** A word with the address of something: what is added to it; undefined: the relocation is another one. */
	wordAddend(relocation: ObjectRelocation, section: ObjectSection): number | undefined;
	/** Relocations of data that say nothing but how far apart two places of one section are. */
	isDistance(relocation: ObjectRelocation, place: Pick<Place, "relocations" | "sectionOf">): boolean;
	/** Does the field at `at`, which is address `from`, refer to `to`? `pair` is an address, too. */
	refersTo(kind: PatchKind, code: Buffer, at: number, from: number, to: number, pair: number): boolean;
	/** What may help where data lead into a function. */
	readonly labelAdvice: string;
	/** Of an assembler file. */
	readonly header: readonly string[];
	/** Instructions that jump to where the word `dispatch` leads. */
	veneer(dispatch: string): readonly string[];
	/** Of 8 bytes: a jump to a function that a call doesn't reach; undefined: calls reach everything. */
	readonly wayOut: ((name: string) => readonly string[]) | undefined;
}
