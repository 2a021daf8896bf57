// Code that moves on Armv7-M: its relocations, fields and veneers (relocation-machine.ts).

import type { ObjectRelocation, ObjectSection } from "./elf-object.ts";
import type { Machine, PatchKind, Place, Reference } from "./relocation-machine.ts";

/* ELF for the Arm Architecture (IHI 0044), section 4.6.1: those that the compiler makes and those that need a name. */
const relocationNames: Readonly<Record<number, string>> = {
	0: "R_ARM_NONE",
	2: "R_ARM_ABS32",
	3: "R_ARM_REL32",
	5: "R_ARM_ABS16",
	8: "R_ARM_ABS8",
	10: "R_ARM_THM_CALL",
	11: "R_ARM_THM_PC8",
	25: "R_ARM_BASE_PREL",
	26: "R_ARM_GOT_BREL",
	28: "R_ARM_CALL",
	29: "R_ARM_JUMP24",
	30: "R_ARM_THM_JUMP24",
	38: "R_ARM_TARGET1",
	40: "R_ARM_V4BX",
	41: "R_ARM_TARGET2",
	42: "R_ARM_PREL31",
	43: "R_ARM_MOVW_ABS_NC",
	44: "R_ARM_MOVT_ABS",
	47: "R_ARM_THM_MOVW_ABS_NC",
	48: "R_ARM_THM_MOVT_ABS",
	49: "R_ARM_THM_MOVW_PREL_NC",
	50: "R_ARM_THM_MOVT_PREL",
	51: "R_ARM_THM_JUMP19",
	52: "R_ARM_THM_JUMP6",
	53: "R_ARM_THM_ALU_PREL_11_0",
	54: "R_ARM_THM_PC12",
	102: "R_ARM_THM_JUMP11",
	103: "R_ARM_THM_JUMP8",
	104: "R_ARM_TLS_GD32",
	107: "R_ARM_TLS_IE32",
	108: "R_ARM_TLS_LE32",
};
const noPatch = new Set([0, 40]);
const kindOf: Readonly<Record<number, PatchKind>> = {
	2: "abs32",
	3: "rel32",
	10: "branch24",
	30: "branch24",
	42: "prel31",
	47: "movw",
	48: "movt",
	51: "branch19",
};

const isCall = (kind: PatchKind): boolean => kind === "branch24" || kind === "branch19";
const isWord = (kind: PatchKind): boolean => kind === "abs32" || kind === "rel32" || kind === "prel31";

/* The field of a branch is less by the 4 bytes that PC is ahead. */
const ahead = 4;

export const thumb: Machine = {
	name: "Armv7-M",
	elf: 40,
	id: 1,
	trap: 0xde,
	addressBit: 1,
	relocationNames,
	kinds: { abs32: 0, rel32: 1, branch24: 2, branch19: 3, movw: 4, movt: 5, prel31: 6 },
	isCall,
	isAddress: (kind) => kind === "abs32" || kind === "movw" || kind === "movt",
	isRelative: (kind) => kind === "rel32" || kind === "prel31",
	isWord,
	keepsOwn: false,
	references({ section, relocations, fail }: Place): Reference[] {
		return relocations
			.filter(({ type }) => !noPatch.has(type))
			.map((relocation) => {
				const kind = kindOf[relocation.type] ?? fail(relocation, " is not supported");
				const addend = readField(kind, section.bytes, relocation.offset) + (isCall(kind) ? ahead : 0);
				return { kind, relocation, symbol: relocation.symbol, addend };
			});
	},
	wordAddend: ({ type, offset }: ObjectRelocation, section: ObjectSection) =>
		kindOf[type] === "abs32" ? readField("abs32", section.bytes, offset) : undefined,
	isDistance: () => false,
	refersTo(kind, code, at, from, to) {
		const value = readField(kind, code, at);
		if (kind === "movw" || kind === "movt") {
			return ((kind === "movw" ? to : to >>> 16) & 0xfffe) === (value & 0xfffe);
		}
		const found = kind === "abs32" ? value : isCall(kind) ? from + ahead + value : from + value;
		return ((found ^ to) & ~1) === 0;
	},
	labelAdvice: "",
	/* A veneer into the set takes two instructions and no register but ip, a way out one and none. */
	header: ["\t.syntax unified", "\t.thumb"],
	veneer: (dispatch) => ["\tldr.w ip, [pc, #4]", "\tldr.w pc, [ip]", `\t.word ${dispatch}`],
	wayOut: (name) => ["\tldr.w pc, [pc, #0]", `\t.word ${name}`],
};

/* The number in a field: add_to_field of native/relocate/thumb.h says where its bits are. */
function readField(kind: PatchKind, bytes: Buffer, at: number): number {
	if (kind === "prel31") return (bytes.readInt32LE(at) << 1) >> 1;
	if (isWord(kind)) return bytes.readInt32LE(at);
	const first = bytes.readUInt16LE(at);
	const second = bytes.readUInt16LE(at + 2);
	const sign = (first >> 10) & 1;
	const [j1, j2] = [(second >> 13) & 1, (second >> 11) & 1];
	if (kind === "branch24") {
		const high = (sign << 24) | ((j1 ^ sign ^ 1) << 23) | ((j2 ^ sign ^ 1) << 22);
		return ((high | ((first & 0x3ff) << 12) | ((second & 0x7ff) << 1)) << 7) >> 7;
	}
	if (kind === "branch19") {
		const high = (sign << 20) | (j2 << 19) | (j1 << 18);
		return ((high | ((first & 0x3f) << 12) | ((second & 0x7ff) << 1)) << 11) >> 11;
	}
	return ((((first & 15) << 12) | (sign << 11) | (((second >> 12) & 7) << 8) | (second & 0xff)) << 16) >> 16;
}
