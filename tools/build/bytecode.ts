// Rewrites XS bytecode so that it runs in place: names become machine IDs, and functions and strings stay in flash.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type XsModule, xsSources } from "../xs/xs.ts";

/** What must be known of the engine's instructions: by opcode, and the opcodes that have a form for code in flash. */
interface Instructions {
	/**
	 * Bytes of an instruction by opcode: positive, with its operand; 0, an opcode and a symbol's u16; -1, -2, -4, an
	 * opcode, a length of that many bytes and as many bytes of data.
	 */
	readonly sizes: readonly number[];
	/** Opcode -> the opcode that does the same without copying to RAM. */
	readonly inPlace: ReadonlyMap<number, number>;
}

let known: Instructions | undefined;

/* The table is read from the engine's own sources: opcodes are numbered anew in each of its versions. */
function instructions(): Instructions {
	if (known !== undefined) return known;
	const { sources } = xsSources();
	const header = readFileSync(join(sources, "xsCommon.h"), "utf8");
	const names = /XS_NO_CODE[\s\S]*?XS_CODE_COUNT/.exec(header)?.[0].match(/XS_(NO_)?CODE\w*/g) ?? [];
	names.pop();
	/* Names have 16 bits. */
	const common = readFileSync(join(sources, "xsCommon.c"), "utf8").replace(/#ifdef mx32bitID[^#]*#else/g, "");
	const table = /gxCodeSizes\[XS_CODE_COUNT\][^{]*\{([^}]*)\}/.exec(common);
	const sizes = (table?.[1] ?? "").match(/-?\d+(?= \/\*)/g)?.map(Number) ?? [];
	const opcodes = new Map(names.map((name, index) => [name, index]));
	const inPlace = new Map<number, number>();
	for (const kind of ["CODE", "STRING"]) {
		for (const size of [1, 2, 4]) {
			const from = opcodes.get(`XS_CODE_${kind}_${size}`);
			const to = opcodes.get(`XS_CODE_${kind}_ARCHIVE_${size}`);
			if (from === undefined || to === undefined) throw new Error("the engine has other instructions than expected");
			inPlace.set(from, to);
		}
	}
	if (sizes.length !== names.length) throw new Error(`${names.length} instructions, ${sizes.length} sizes`);
	known = { sizes, inPlace };
	return known;
}

/**
 * The code of a module, ready to be executed where it lies. `idOf` gives the machine ID of a name. Throws if the code's
 * instructions and the places of its names disagree: then compiler and engine are of different versions.
 */
export function placeCode(module: XsModule, idOf: (name: string) => number): Buffer {
	const { sizes, inPlace } = instructions();
	const code = Buffer.from(module.code);
	const ids = new Set(module.ids);
	const wrong = (offset: number): Error => new Error(`module ${module.name}: unexpected code at offset ${offset}`);
	let offset = 0;
	while (offset < code.length) {
		const opcode = code[offset] as number;
		const size = sizes[opcode];
		if (size === undefined || opcode === 0) throw wrong(offset);
		const replacement = inPlace.get(opcode);
		if (replacement !== undefined) code[offset] = replacement;
		if (size > 0) {
			offset += size;
		} else if (size === 0) {
			const index = code.readUInt16LE(offset + 1);
			const name = module.symbols[index];
			if (ids.delete(offset + 1)) {
				if (name === undefined || name === null) throw wrong(offset);
				code.writeUInt16LE(idOf(name), offset + 1);
			} else if (index !== 0) {
				throw wrong(offset);
			}
			offset += 3;
		} else if (size === -1) {
			offset += 2 + code.readUInt8(offset + 1);
		} else if (size === -2) {
			offset += 3 + code.readUInt16LE(offset + 1);
		} else {
			offset += 5 + code.readInt32LE(offset + 1);
		}
	}
	if (offset !== code.length || ids.size > 0) throw wrong(offset);
	return code;
}
