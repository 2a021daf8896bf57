// Finds what a chain of returns is made of, in Thumb-2 code of Armv7E-M: a few instructions up to an indirect branch. Any
// halfword may be the first, whether the compiler meant an instruction to begin there or not, and literals count as well.

/** A few instructions that run one after the other and end in an indirect branch. */
export interface Gadget {
	/** Of the first halfword; a jump there sets bit 0. */
	readonly address: number;
	/** All of them, the branch included. */
	readonly halfwords: readonly number[];
	/** The branch: "bx lr", "bx r3", "blx r3", "pop pc", "ldm pc", "ldr pc", "mov pc", "add pc". */
	readonly end: string;
}

/** Halfwords before the branch, at most, where nothing else is asked for. */
export const GADGET_HALFWORDS = 4;

/** An instruction: its halfwords, and where it leads: on, where a register or memory says, or elsewhere (a direct
 * branch, a fault). */
interface Instruction {
	readonly size: 1 | 2;
	readonly leads: "next" | "stop" | { readonly end: string };
}

const LR = 14;
const SP = 13;
const PC = 15;

/** All gadgets of `code`, which lies at `address`, by ascending address: each with at most `most` halfwords before its branch. */
export function findGadgets(code: Uint8Array, address: number, most = GADGET_HALFWORDS): Gadget[] {
	const count = code.length >> 1;
	const halfwords = Uint16Array.from({ length: count }, (_, index) => at(code, index));
	const found: Gadget[] = [];
	for (let first = 0; first < count; first++) {
		for (let next = first; next < count && next - first <= most; ) {
			const { size, leads } = decode(halfwords[next] as number, halfwords[next + 1]);
			if (leads === "next") {
				next += size;
				continue;
			}
			if (leads !== "stop" && next + size <= count) {
				const list = [...halfwords.subarray(first, next + size)];
				found.push({ address: address + 2 * first, halfwords: list, end: leads.end });
			}
			break;
		}
	}
	return found;
}

/** What two dumps of the same code at different times have in common: of the gadgets of the one, the share that the other has too,
 * the same halfwords at the same address. */
export interface GadgetSurvival {
	readonly pairs: number;
	readonly mean: number;
	readonly most: number;
}

/** Compares each of the dumps' gadgets with those of each later one; `counts` tells which pairs are taken. */
export function gadgetSurvival(
	dumps: readonly (readonly Gadget[])[],
	counts: (first: number, other: number) => boolean = () => true,
): GadgetSurvival {
	const sets = dumps.map((list) => new Set(list.map(({ address, halfwords }) => `${address}:${halfwords}`)));
	let [pairs, sum, most] = [0, 0, 0];
	for (const [first, set] of sets.entries()) {
		for (const [other, later] of sets.entries()) {
			if (other <= first || !counts(first, other)) continue;
			let same = 0;
			for (const gadget of set) if (later.has(gadget)) same++;
			const share = set.size === 0 ? 0 : same / set.size;
			pairs++;
			sum += share;
			most = Math.max(most, share);
		}
	}
	return { pairs, mean: pairs === 0 ? 0 : sum / pairs, most };
}

const at = (code: Uint8Array, index: number): number => (code[2 * index] ?? 0) | ((code[2 * index + 1] ?? 0) << 8);
const register = (number: number): string => (number === LR ? "lr" : number === SP ? "sp" : `r${number}`);
const end = (text: string) => ({ end: text });

/* DDI 0403, A5. What faults for sure on a Cortex-M4 is "stop"; what the manual leaves open is taken for what it looks like. */
function decode(first: number, second: number | undefined): Instruction {
	if (first >> 11 < 0x1d) return { size: 1, leads: narrow(first) };
	return { size: 2, leads: second === undefined ? "stop" : wide(first, second) };
}

function narrow(code: number): Instruction["leads"] {
	const top = code >> 8;
	if (top >= 0x44 && top <= 0x47) return special(code);
	if (top < 0xb0) return "next";
	if (top < 0xc0) return miscellaneous(code);
	/* LDM, STM; then B<c>, UDF, SVC, B. */
	return top < 0xd0 ? "next" : "stop";
}

/* A5.2.3: with the high registers. */
function special(code: number): Instruction["leads"] {
	const to = ((code >> 4) & 8) | (code & 7);
	const from = (code >> 3) & 15;
	if (code < 0x4500) return to === PC ? end("add pc") : "next";
	if (code < 0x4600) return "next";
	if (code < 0x4700) return to === PC ? end("mov pc") : "next";
	if (from === PC) return "stop"; // to the instruction set that this core has not
	return end(`${(code & 0x80) === 0 ? "bx" : "blx"} ${register(from)}`);
}

/* A5.2.5. */
function miscellaneous(code: number): Instruction["leads"] {
	switch ((code >> 8) & 15) {
		case 0x0: // ADD, SUB of SP
		case 0x2: // SXTH, UXTB ...
		case 0xf: // hints, IT
			return "next";
		case 0x4: // PUSH
		case 0x5:
		case 0xc: // POP
			return (code & 0x1ff) === 0 ? "stop" : "next";
		case 0xd:
			return end("pop pc");
		case 0x6: // CPS
			return (code & 0xffec) === 0xb660 ? "next" : "stop";
		case 0xa: // REV
			return (code & 0xc0) === 0x80 ? "stop" : "next";
		default: // CBZ, CBNZ, BKPT, none
			return "stop";
	}
}

function wide(first: number, second: number): Instruction["leads"] {
	switch ((first >> 9) & 15) {
		case 4: // E8, E9
			return (first & 0x40) === 0 ? multiple(first, second) : dual(first, second);
		case 5: // EA, EB: with a shifted register
			return "next";
		case 6: // EC to EF: the FPU is coprocessors 10 and 11
		case 7:
			return first < 0xef00 && ((second >> 9) & 7) === 5 ? "next" : "stop";
		case 8: // F0 to F7
		case 9:
		case 10:
		case 11:
			return (second & 0x8000) === 0 ? "next" : control(first, second);
		case 12: // F8, F9
			return single(first, second);
		case 13: // FA, FB: with registers; multiplications, divisions
			return first >= 0xfb00 || (second & 0xf000) === 0xf000 ? "next" : "stop";
		default:
			return "stop";
	}
}

/* A5.3.5: LDM and STM. */
function multiple(first: number, second: number): Instruction["leads"] {
	const mode = (first >> 7) & 3;
	const base = first & 15;
	if (mode === 0 || mode === 3 || base === PC) return "stop";
	if ((first & 0x10) === 0 || (second & 0x8000) === 0) return "next";
	return end(mode === 1 && base === SP && (first & 0x20) !== 0 ? "pop pc" : "ldm pc");
}

/* A5.3.6: LDRD, STRD, exclusive accesses; TBB and TBH go where a table in the code says. */
function dual(first: number, second: number): Instruction["leads"] {
	return (first & 0xfff0) === 0xe8d0 && (second & 0xffe0) === 0xf000 ? "stop" : "next";
}

/* A5.3.4: branches are all direct. */
function control(first: number, second: number): Instruction["leads"] {
	if ((second & 0x5000) !== 0) return "stop";
	const system = first & 0xffe0;
	return system === 0xf380 || system === 0xf3e0 || first === 0xf3af || first === 0xf3bf ? "next" : "stop";
}

/* A5.3.7 to A5.3.10. A load of PC out of a literal goes where the code says. */
function single(first: number, second: number): Instruction["leads"] {
	const size = (first >> 5) & 3;
	const load = (first & 0x10) !== 0;
	const signed = (first & 0x100) !== 0;
	const base = first & 15;
	if (size === 3 || (signed && (!load || size === 2)) || (!load && base === PC)) return "stop";
	if ((first & 0x80) === 0 && base !== PC) {
		/* Neither an index register, nor an offset of 8 bits with one of the ways to use it. */
		const indexed = (second & 0x800) !== 0;
		if (indexed ? (second & 0x500) === 0 : (second & 0x7c0) !== 0) return "stop";
	}
	if (!load || second >> 12 !== PC || size !== 2) return "next";
	return base === PC ? "stop" : end("ldr pc");
}
