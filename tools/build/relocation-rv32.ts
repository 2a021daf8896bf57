// Code that moves on RV32: its relocations, fields and veneers (relocation-machine.ts).
//
// An address is taken apart: LUI or AUIPC has the upper 20 bits, the instruction that uses it the lower 12. AUIPC and JALR call
// over 4 GB, so calls leave the set on their own: there is no way out. Linker relaxation changes code while it is linked, which
// no table could follow: the set is compiled without (-mno-relax), and without jump tables, which are data that lead into a
// function (-fno-jump-tables).

import type { ObjectRelocation } from "./elf-object.ts";
import type { Machine, PatchKind, Place, Reference } from "./relocation-machine.ts";

/* RISC-V ELF Specification (psABI 1.0), section 8.4. */
const relocationNames: Readonly<Record<number, string>> = {
	0: "R_RISCV_NONE",
	1: "R_RISCV_32",
	2: "R_RISCV_64",
	16: "R_RISCV_BRANCH",
	17: "R_RISCV_JAL",
	18: "R_RISCV_CALL",
	19: "R_RISCV_CALL_PLT",
	20: "R_RISCV_GOT_HI20",
	21: "R_RISCV_TLS_GOT_HI20",
	22: "R_RISCV_TLS_GD_HI20",
	23: "R_RISCV_PCREL_HI20",
	24: "R_RISCV_PCREL_LO12_I",
	25: "R_RISCV_PCREL_LO12_S",
	26: "R_RISCV_HI20",
	27: "R_RISCV_LO12_I",
	28: "R_RISCV_LO12_S",
	29: "R_RISCV_TPREL_HI20",
	30: "R_RISCV_TPREL_LO12_I",
	31: "R_RISCV_TPREL_LO12_S",
	32: "R_RISCV_TPREL_ADD",
	33: "R_RISCV_ADD8",
	34: "R_RISCV_ADD16",
	35: "R_RISCV_ADD32",
	37: "R_RISCV_SUB8",
	38: "R_RISCV_SUB16",
	39: "R_RISCV_SUB32",
	43: "R_RISCV_ALIGN",
	44: "R_RISCV_RVC_BRANCH",
	45: "R_RISCV_RVC_JUMP",
	46: "R_RISCV_RVC_LUI",
	51: "R_RISCV_RELAX",
	52: "R_RISCV_SUB6",
	53: "R_RISCV_SET6",
	54: "R_RISCV_SET8",
	55: "R_RISCV_SET16",
	56: "R_RISCV_SET32",
	57: "R_RISCV_32_PCREL",
	59: "R_RISCV_PLT32",
};
const types = { pcrelHi20: 23, add32: 35, sub32: 39, align: 43, relax: 51 } as const;
const noPatch = new Set([0]);
const kindOf: Readonly<Record<number, PatchKind | "within">> = {
	1: "abs32",
	16: "within",
	17: "jal",
	18: "call",
	19: "call",
	23: "pcrelHi20",
	24: "pcrelLo12",
	25: "pcrelLo12",
	26: "hi20",
	27: "lo12",
	28: "lo12",
	44: "within",
	45: "within",
	57: "rel32",
};
/* They come in two at one place: plus one symbol, less another. */
const adds: Readonly<Record<number, number>> = { 33: 37, 34: 38, 35: 39, 53: 52, 54: 37, 55: 38, 56: 39 };
const subs = new Set(Object.values(adds));

/* The relocation that goes with an addition, or a subtraction. */
function partner(
	{ type, offset, entry }: ObjectRelocation,
	relocations: readonly ObjectRelocation[],
): ObjectRelocation | undefined {
	return relocations.find(
		(other) =>
			other.offset === offset && other.entry !== entry && (adds[type] === other.type || adds[other.type] === type),
	);
}

function isDistance(
	relocation: ObjectRelocation,
	{ relocations, sectionOf }: Pick<Place, "relocations" | "sectionOf">,
): boolean {
	if (adds[relocation.type] === undefined && !subs.has(relocation.type)) return false;
	const other = partner(relocation, relocations);
	const section = sectionOf(relocation.symbol);
	return other !== undefined && section !== undefined && section === sectionOf(other.symbol);
}

function references(place: Place): Reference[] {
	const { section, relocations, fail } = place;
	const own = relocations.filter(({ type }) => !noPatch.has(type));
	const highs = new Map(own.filter(({ type }) => type === types.pcrelHi20).map((high) => [high.offset, high]));
	const highOf = (low: ObjectRelocation): ObjectRelocation => {
		const { symbol, addend } = low;
		const high = symbol.section === section.index ? highs.get(symbol.value) : undefined;
		return high === undefined || addend !== 0 ? fail(low, " belongs to no AUIPC of this section") : high;
	};
	const lows = new Map<number, number>();
	for (const low of own) {
		const kind = kindOf[low.type];
		if (kind !== "pcrelLo12") continue;
		const high = highs.get(low.symbol.value);
		if (high !== undefined && !lows.has(high.offset)) lows.set(high.offset, low.offset);
	}
	return own.flatMap((relocation): Reference[] => {
		const { type, offset, symbol, addend = 0 } = relocation;
		if (type === types.relax || type === types.align) {
			fail(relocation, " lets the linker change the code; compile with -mno-relax");
		}
		if (isDistance(relocation, place)) return [];
		if (type === types.sub32 && partner(relocation, relocations)?.type === types.add32) return []; // with that one
		if (type === types.add32) {
			const less = partner(relocation, relocations);
			if (less === undefined || less.symbol.section !== section.index) return fail(relocation, " is not supported");
			const from = less.symbol.value + (less.addend ?? 0);
			return [{ kind: "rel32", relocation, symbol, addend: addend - from + offset }];
		}
		const kind = kindOf[type] ?? fail(relocation, " is not supported");
		if (kind === "pcrelHi20") {
			const pair = lows.get(offset) ?? fail(relocation, " has no lower part");
			return [{ kind, relocation, symbol, addend, pair }];
		}
		if (kind === "pcrelLo12") {
			const high = highOf(relocation);
			return [{ kind, relocation, symbol: high.symbol, addend: high.addend ?? 0, pair: high.offset, follows: true }];
		}
		return [{ kind, relocation, symbol, addend }];
	});
}

const upper = (value: number): number => (value + 0x800) >>> 12;

export const rv32: Machine = {
	name: "RV32",
	elf: 243,
	id: 2,
	trap: 0,
	addressBit: 0,
	relocationNames,
	kinds: { abs32: 0, rel32: 1, call: 2, jal: 3, hi20: 4, lo12: 5, pcrelHi20: 6, pcrelLo12: 7 },
	isCall: (kind) => kind === "call" || kind === "jal",
	isAddress: (kind) => ["abs32", "hi20", "lo12", "pcrelHi20", "pcrelLo12"].includes(kind),
	isRelative: (kind) => ["rel32", "call", "pcrelHi20", "pcrelLo12"].includes(kind),
	isWord: (kind) => kind === "abs32" || kind === "rel32",
	keepsOwn: true,
	references,
	wordAddend: ({ type, addend }) => (kindOf[type] === "abs32" ? addend : undefined),
	isDistance,
	refersTo(kind, code, at, from, to, pair) {
		const raw = code.readUInt32LE(at);
		const opcode = raw & 0x7f;
		switch (kind) {
			case "abs32":
				return raw === to >>> 0;
			case "rel32":
				return ((from + raw) | 0) === (to | 0);
			case "call": {
				const jalr = code.readUInt32LE(at + 4);
				const value = (raw & ~0xfff) + (jalr >> 20);
				return opcode === 0x17 && (jalr & 0x707f) === 0x67 && ((from + value) | 0) === (to | 0);
			}
			case "jal": {
				const bits = ((raw >>> 21) & 0x3ff) | (((raw >>> 20) & 1) << 10) | (((raw >>> 12) & 0xff) << 11);
				const value = ((raw >> 31) << 20) | (bits << 1);
				return opcode === 0x6f && ((from + value) | 0) === (to | 0);
			}
			case "hi20":
				return opcode === 0x37 && raw >>> 12 === upper(to | 0);
			case "pcrelHi20":
				return opcode === 0x17 && raw >>> 12 === upper((to - from) | 0);
			case "lo12":
				return lower(raw) === (to & 0xfff);
			case "pcrelLo12":
				return lower(raw) === ((to - pair) & 0xfff);
			default:
				return false;
		}
	},
	labelAdvice: " (a jump table? compile with -fno-jump-tables)",
	/* A veneer takes three instructions, and the register that a jump to a function takes anyway. */
	header: ["\t.option norelax"],
	veneer: (dispatch) => [`\tlui t1, %hi(${dispatch})`, `\tlw t1, %lo(${dispatch})(t1)`, "\tjr t1"],
	wayOut: undefined,
};

/* The lower 12 bits that a store, or a load or addition, has. */
function lower(raw: number): number {
	return (raw & 0x7b) === 0x23 ? ((raw >>> 20) & 0xfe0) | ((raw >>> 7) & 0x1f) : raw >>> 20;
}
