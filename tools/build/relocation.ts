// Code that moves on the device: takes the objects of the set apart into units, leads what refers to them from outside through
// the dispatch table, and writes the relocation table.
//
// docs/relocation.md has the format and says why; native/relocate/table.h is the device's side of it. In short: each section
// of code becomes a unit. A call from unit to unit stays a call and is patched when one of them moves. A call out of the set
// goes to a unit of its own that jumps on where a call doesn't reach flash from RAM. A call into the set, and every address of a
// function that is stored anywhere, is that of a veneer in flash, which jumps through the dispatch table: so no address of
// moved code is ever kept.

import { compareNames, crc32 } from "./archive.ts";
import { readElf } from "./elf.ts";
import {
	bindings,
	ElfObject,
	type ObjectRelocation,
	type ObjectSection,
	type ObjectSymbol,
	sectionFlags,
	sectionTypes,
	symbolTypes,
} from "./elf-object.ts";
import { BuildError } from "./errors.ts";
import { fileOffset } from "./reference.ts";
import type { Machine, PatchKind, Reference } from "./relocation-machine.ts";
import { rv32 } from "./relocation-rv32.ts";
import { thumb } from "./relocation-thumb.ts";

/** An object file. `label` names its source, wherever the folders are. */
export interface SetObject {
	readonly label: string;
	readonly bytes: Buffer;
}

export interface RelocationOptions {
	/** Bytes of one half of the arena. */
	readonly halfSize: number;
	/** Before each unit is a gap of 0..2^gapLog2 - 1 words. If not given, gaps get about half of the room that is left. */
	readonly gapLog2?: number;
	/** The name of the dispatch table's variable. */
	readonly dispatch?: string;
}

/** The target of a patch whose target never moves. */
export const OUTSIDE = 1023;

export interface Patch {
	/** Bytes from the unit's start. */
	readonly place: number;
	readonly kind: PatchKind;
	/** Number of a unit, or OUTSIDE. */
	readonly target: number;
	/** Where in the target's unit the place refers to, without bit 0 of a Thumb function. */
	readonly addend: number;
	/** Where in the unit the other part of a displacement is (relocation-machine.ts). */
	readonly pair?: number | undefined;
}

export interface Unit {
	/** The section it was. */
	readonly name: string;
	/** The source file; "generated" for a way out of the set. */
	readonly file: string;
	/** Bytes from the start of the canonical code. */
	readonly offset: number;
	/** Bytes, a multiple of 4. */
	readonly size: number;
	readonly align: number;
	readonly patches: readonly Patch[];
}

export interface Entry {
	/** What is called: the veneer's name. */
	readonly name: string;
	readonly unit: number;
	/** Bytes from the unit's start. */
	readonly offset: number;
}

export interface RelocationPlan {
	readonly machine: Machine;
	/** In canonical order. */
	readonly units: readonly Unit[];
	/** In the order of the dispatch table. */
	readonly entries: readonly Entry[];
	/** Bytes of the canonical code. */
	readonly codeSize: number;
	readonly halfSize: number;
	readonly gapLog2: number;
	/** How many places the first unit may have. */
	readonly offsets: number;
	/** The relocation table as it is in flash. */
	readonly table: Buffer;
	/** The objects to link in place of those of the set. */
	readonly objects: readonly SetObject[];
	/** Assembler source of what goes with them: the veneers, the ways out, the table, the dispatch table. */
	readonly source: string;
}

const magic = 0x4c524350;
const version = 1;
const headerSize = 32;
const mostUnits = 1023;
const largestAlign = 64;
const largestUnit = 0x10000;

/* Where a symbol is. */
type Target =
	| {
			readonly where: "code" | "data";
			readonly object: ElfObject;
			readonly section: ObjectSection;
			readonly symbol: ObjectSymbol;
	  }
	| { readonly where: "outside"; readonly symbol: ObjectSymbol };

const key = (object: ElfObject, section: number): string => `${object.file}\0${section}`;
const isCode = ({ type, flags, size }: ObjectSection): boolean =>
	type === sectionTypes.program &&
	(flags & sectionFlags.alloc) !== 0 &&
	(flags & sectionFlags.execute) !== 0 &&
	size > 0;
const isData = ({ type, flags }: ObjectSection): boolean =>
	(flags & sectionFlags.alloc) !== 0 && (flags & sectionFlags.execute) === 0 && type !== 0x70000001; /* ARM_EXIDX */

/** The names that other objects have to find elsewhere. */
export function undefinedNames(objects: readonly SetObject[]): Set<string> {
	const names = new Set<string>();
	for (const { bytes, label } of objects) {
		for (const { name, defined } of readElf(bytes, label).symbols) if (!defined) names.add(name);
	}
	return names;
}

/**
 * The names that the rest of an image needs of the set: of those that its objects refer to, the ones that a plain link of the
 * whole image keeps (`linked`, its ELF file). Without that link, all that objects refer to which are not linked themselves
 * would be moved along.
 */
export function neededNames(rest: readonly SetObject[], linked: Buffer): Set<string> {
	const kept = new Set(
		readElf(linked, "the image")
			.symbols.filter(({ defined }) => defined)
			.map(({ name }) => name),
	);
	return new Set([...undefinedNames(rest)].filter((name) => kept.has(name)));
}

/**
 * Plans how the code of `objects` moves. `needed` are the names that the rest of the image refers to; what they don't lead to
 * is left out. Throws BuildError, with symbol and file, for code that can't be moved.
 */
export function planRelocation(
	objects: readonly SetObject[],
	needed: ReadonlySet<string>,
	options: RelocationOptions,
): RelocationPlan {
	const files = objects.map(({ bytes, label }) => new ElfObject(bytes, label));
	const machine = machineOf(files);
	const labels = new Set(files.map(({ file }) => file));
	if (labels.size !== files.length) throw new BuildError("two objects of the set have one name");
	const globals = new Map<string, Target>();
	const place = (object: ElfObject, symbol: ObjectSymbol): Target => {
		const section = symbol.section === undefined ? undefined : object.sections[symbol.section];
		if (section === undefined) return { where: "outside", symbol };
		return { where: isCode(section) ? "code" : "data", object, section, symbol };
	};
	for (const object of files) {
		for (const symbol of object.symbols) {
			if (symbol.binding === bindings.local || symbol.section === undefined) continue;
			const target = place(object, symbol);
			if (symbol.binding === bindings.weak && target.where === "code") {
				throw new BuildError(`"${symbol.name}" is weak: another may take its place, so it can't be moved`, {
					file: object.file,
				});
			}
			if (globals.has(symbol.name)) throw new BuildError(`"${symbol.name}" is defined twice`, { file: object.file });
			globals.set(symbol.name, target);
		}
	}
	const resolve = (object: ElfObject, symbol: ObjectSymbol): Target =>
		symbol.defined ? place(object, symbol) : (globals.get(symbol.name) ?? { where: "outside", symbol });

	/* What is needed, and what that needs. */
	const bySection = new Map<string, ObjectRelocation[]>();
	for (const object of files) {
		for (const relocation of object.relocations) {
			const list = bySection.get(key(object, relocation.section));
			if (list === undefined) bySection.set(key(object, relocation.section), [relocation]);
			else list.push(relocation);
		}
	}
	const relocationsOf = (object: ElfObject, section: ObjectSection): readonly ObjectRelocation[] =>
		bySection.get(key(object, section.index)) ?? [];
	const live = new Set<string>();
	const open: { object: ElfObject; section: ObjectSection }[] = [];
	const mark = (target: Target | undefined): void => {
		if (target === undefined || target.where === "outside" || live.has(key(target.object, target.section.index)))
			return;
		live.add(key(target.object, target.section.index));
		open.push(target);
	};
	for (const name of needed) mark(globals.get(name));
	for (let next = open.pop(); next !== undefined; next = open.pop()) {
		for (const { symbol } of relocationsOf(next.object, next.section)) mark(resolve(next.object, symbol));
	}

	/* Units: the sections of code in the order of the objects, then the ways out by name. */
	const code = files.flatMap((object) =>
		object.sections
			.filter((section) => isCode(section) && live.has(key(object, section.index)))
			.map((section) => ({ object, section })),
	);
	const numbers = new Map(code.map(({ object, section }, index) => [key(object, section.index), index]));
	const entries = new Map<string, Slot>();
	const enter = (target: Target): string => {
		if (target.where !== "code") throw new Error("not a function of the set");
		const { object, section, symbol } = target;
		const unit = numbers.get(key(object, section.index)) ?? 0;
		const offset = symbol.value & ~1;
		const name = symbol.binding === bindings.local ? `${symbol.name}.${unit}` : symbol.name;
		const slot = entries.get(`${unit}:${offset}`);
		if (slot === undefined) entries.set(`${unit}:${offset}`, { names: [name], unit, offset });
		else if (!slot.names.includes(name)) slot.names.push(name);
		return name;
	};
	for (const name of needed) {
		const target = globals.get(name);
		if (target?.where !== "code") continue;
		if (target.symbol.type !== symbolTypes.func) {
			throw new BuildError(`"${name}" is code or data among code, but no function: it can't be used from outside`, {
				file: target.object.file,
			});
		}
		enter(target);
	}

	const sectionOf =
		(object: ElfObject) =>
		(symbol: ObjectSymbol): string | undefined => {
			const target = resolve(object, symbol);
			return target.where === "outside" ? undefined : key(target.object, target.section.index);
		};
	const patchesOf = code.map(({ object, section }, own): OpenPatch[] => {
		const list: OpenPatch[] = [];
		const relocations = relocationsOf(object, section);
		const fail = ({ type, offset, symbol }: ObjectRelocation, why: string): never => {
			const against = symbol.name === "" ? "" : ` against "${symbol.name}"`;
			const what = `${machine.relocationNames[type] ?? `relocation ${type}`}${against}`;
			const where = `${section.name}+0x${offset.toString(16)}`;
			throw new BuildError(`"${functionAt(object, section, offset)}" can't be moved: ${what} at ${where}${why}`, {
				file: object.file,
			});
		};
		const patch = (reference: Reference): void => {
			const { kind, relocation, symbol, addend, pair, follows = false } = reference;
			const { offset } = relocation;
			const target = resolve(object, symbol);
			if (kind === "within") {
				if (target.where !== "code" || numbers.get(key(target.object, target.section.index)) !== own) {
					fail(relocation, " reaches no other function");
				}
				return;
			}
			if (machine.isWord(kind) && offset % 4 !== 0) fail(relocation, " is not aligned to a word");
			const goOutside = (): void => {
				if (machine.isRelative(kind)) list.push({ place: offset, kind, target: OUTSIDE, addend: 0, pair });
			};
			if (target.where === "code") {
				const isFunction = target.symbol.type === symbolTypes.func;
				if (isFunction && addend === 0 && machine.isAddress(kind)) {
					const veneer = enter(target); /* an address that may be kept */
					if (!follows) object.redirect(relocation, veneer);
					goOutside();
					return;
				}
				const value = isFunction ? target.symbol.value & ~1 : target.symbol.value;
				const unit = numbers.get(key(target.object, target.section.index)) ?? fail(relocation, "");
				if (unit === own && machine.keepsOwn && (machine.isRelative(kind) || machine.isCall(kind))) return;
				list.push({ place: offset, kind, target: unit, addend: value + addend, pair });
				if (!symbol.defined && !follows) object.redirect(relocation, movedName(symbol.name));
			} else if (machine.isCall(kind)) {
				if (target.where === "data") fail(relocation, " is a call of data");
				if (symbol.binding === bindings.weak) fail(relocation, " is a call of what may not be there");
				if (addend !== 0) fail(relocation, " leads into a function outside of the set");
				if (machine.wayOut !== undefined) {
					list.push({ place: offset, kind, target: symbol.name, addend: 0 });
					object.redirect(relocation, outName(symbol.name));
				} else if (!machine.isRelative(kind)) {
					fail(relocation, " reaches nothing outside of the set");
				} else {
					goOutside();
				}
			} else {
				goOutside(); /* or it is an address that is the same wherever the unit is */
			}
		};
		for (const reference of machine.references({ object, section, relocations, sectionOf: sectionOf(object), fail })) {
			patch(reference);
		}
		return list.sort((a, b) => a.place - b.place);
	});

	/* Data that holds addresses of functions. What nobody needs is not linked, and if it were it would not find them. */
	for (const object of files) {
		for (const section of object.sections.filter(isData)) {
			for (const relocation of relocationsOf(object, section)) {
				const target = resolve(object, relocation.symbol);
				if (target.where !== "code") continue;
				const isLive = live.has(key(object, section.index));
				if (
					machine.isDistance(relocation, { relocations: relocationsOf(object, section), sectionOf: sectionOf(object) })
				) {
					continue;
				}
				const isFunction = target.symbol.type === symbolTypes.func;
				const addend = isFunction ? machine.wordAddend(relocation, section) : undefined;
				if (addend === 0) {
					object.redirect(relocation, isLive ? enter(target) : `${target.symbol.name}.unused`);
				} else if (isLive) {
					const where = `${section.name}+0x${relocation.offset.toString(16)}`;
					const name = functionAt(target.object, target.section, target.symbol.value);
					const what = machine.relocationNames[relocation.type] ?? relocation.type;
					const advice = isFunction ? "" : machine.labelAdvice;
					throw new BuildError(`"${name}" can't be moved: ${what} at ${where} refers to more than its start${advice}`, {
						file: object.file,
					});
				}
			}
		}
	}

	/* The ways out come last, by name. */
	const outNames = [...new Set(patchesOf.flat().flatMap(({ target }) => (typeof target === "string" ? [target] : [])))];
	outNames.sort(compareNames);
	const units: Unit[] = [];
	let end = 0;
	const add = (unit: Omit<Unit, "offset">): void => {
		const offset = roundUp(end, unit.align);
		units.push({ ...unit, offset });
		end = offset + unit.size;
	};
	for (const [index, { object, section }] of code.entries()) {
		const align = Math.max(4, section.align);
		const name = functionAt(object, section, 0);
		if (align > largestAlign) throw new BuildError(`"${name}" is aligned to ${align} bytes`, { file: object.file });
		if (section.size > largestUnit) throw new BuildError(`"${name}" has ${section.size} bytes`, { file: object.file });
		const patches = (patchesOf[index] ?? []).map(
			({ target, ...patch }): Patch => ({
				...patch,
				target: typeof target === "number" ? target : code.length + outNames.indexOf(target),
			}),
		);
		add({ name, file: object.file, size: roundUp(section.size, 4), align, patches });
		object.renameSection(section, unitSection(index));
		object.alignSection(section, align);
	}
	for (const name of outNames) add({ name: outName(name), file: generated, size: 8, align: 4, patches: [] });
	if (units.length > mostUnits)
		throw new BuildError(`${units.length} functions can't be moved: at most ${mostUnits} can`);
	if (units.length === 0) throw new BuildError("there is no function to move");

	/* Nobody finds a function of the set under its name but through the table. */
	for (const object of files) {
		for (const symbol of object.symbols) {
			const target = place(object, symbol);
			if (target.where === "code" && symbol.binding !== bindings.local)
				object.renameSymbol(symbol, movedName(symbol.name));
		}
		for (const section of object.sections) {
			if (isCode(section) && !live.has(key(object, section.index)))
				object.renameSection(section, `.unused${section.name}`);
		}
	}

	const slots = [...entries.values()].sort((a, b) => a.unit - b.unit || a.offset - b.offset);
	const gapLog2 = options.gapLog2 ?? chooseGap(units, options.halfSize);
	const offsets = countOffsets(units, options.halfSize, gapLog2);
	if (offsets < 1) {
		const least = options.halfSize / 4 - offsets + 1;
		throw new BuildError(
			`the code that moves takes ${least * 4} bytes with its gaps: a half of the arena has ${options.halfSize}`,
		);
	}
	const table = makeTable(machine, units, slots, end, options.halfSize, gapLog2);
	return {
		machine,
		units,
		entries: slots.map(({ names, ...slot }) => ({ ...slot, name: names[0] ?? "" })),
		codeSize: end,
		halfSize: options.halfSize,
		gapLog2,
		offsets,
		table,
		objects: files.map((object) => ({ label: object.file, bytes: object.write() })),
		source: makeSource(machine, slots, outNames, code.length, units.length, table, options.dispatch ?? "pc_dispatch"),
	};
}

interface OpenPatch extends Omit<Patch, "target"> {
	/** A name: it is outside of the set. */
	readonly target: number | string;
}

interface Slot {
	readonly names: string[];
	readonly unit: number;
	readonly offset: number;
}

function machineOf(files: readonly ElfObject[]): Machine {
	const [first] = files;
	const machine = [thumb, rv32].find(({ elf }) => elf === first?.machine) ?? thumb;
	for (const { file, machine: elf } of files) {
		if (elf !== machine.elf) throw new BuildError(`not code of ${machine.name}, as it would have to be`, { file });
	}
	return machine;
}

/** The section that a unit is linked in: sorting by name gives the canonical order. */
export function unitSection(index: number): string {
	return `.moved.${String(index).padStart(5, "0")}`;
}

/* The file of the ways out. */
const generated = "generated";
const movedName = (name: string): string => `${name}.moved`;
const outName = (name: string): string => `${name}.out`;
const roundUp = (value: number, align: number): number => Math.ceil(value / align) * align;

/* The function that an offset belongs to, or the section. */
function functionAt(object: ElfObject, section: ObjectSection, offset: number): string {
	const before = object.symbols.filter(
		(symbol) => symbol.section === section.index && symbol.type === symbolTypes.func && (symbol.value & ~1) <= offset,
	);
	before.sort((a, b) => b.value - a.value || a.binding - b.binding);
	return before[0]?.name ?? section.name;
}

/* Words of a half that units and gaps take at worst: native/relocate/table.c, check_units. */
function mostWords(units: readonly Unit[], gapLog2: number): number {
	const gap = 2 ** gapLog2 - 1;
	return units.reduce((sum, { size, align }) => sum + size / 4 + gap + align / 4 - 1, -gap);
}

function countOffsets(units: readonly Unit[], halfSize: number, gapLog2: number): number {
	return halfSize / 4 - mostWords(units, gapLog2) + 1;
}

/* Gaps get up to half of what is left: they tell units apart, the offset makes each of them hard to guess. */
function chooseGap(units: readonly Unit[], halfSize: number): number {
	const room = countOffsets(units, halfSize, 0);
	let gapLog2 = 0;
	while (gapLog2 < 8 && countOffsets(units, halfSize, gapLog2 + 1) >= room / 2) gapLog2++;
	return gapLog2;
}

function makeTable(
	machine: Machine,
	units: readonly Unit[],
	slots: readonly Slot[],
	codeSize: number,
	halfSize: number,
	gapLog2: number,
): Buffer {
	const words = units.map(({ patches }) => patches.flatMap((patch) => patchWords(machine, patch)));
	const patchCount = words.reduce((sum, list) => sum + list.length, 0);
	if (halfSize % largestAlign !== 0 || halfSize / 4 > 0xffff) {
		throw new BuildError(`a half of the arena has a multiple of ${largestAlign} bytes, below 256 KB, not ${halfSize}`);
	}
	const table = Buffer.alloc(headerSize + units.length * 8 + slots.length * 4 + patchCount * 4);
	table.writeUInt32LE(magic, 0);
	table[4] = version;
	table[5] = machine.id;
	table[6] = gapLog2;
	table.writeUInt16LE(units.length, 8);
	table.writeUInt16LE(slots.length, 10);
	table.writeUInt32LE(patchCount, 12);
	table.writeUInt32LE(codeSize / 4, 16);
	table.writeUInt32LE(halfSize / 4, 20);
	table.writeUInt32LE(table.length, 24);
	let at = headerSize;
	for (const [index, { offset, size, align }] of units.entries()) {
		table.writeUInt16LE(offset / 4, at);
		table.writeUInt16LE(size / 4, at + 2);
		table.writeUInt16LE(words[index]?.length ?? 0, at + 4);
		table[at + 6] = Math.log2(align);
		at += 8;
	}
	for (const { unit, offset } of slots) {
		table.writeUInt16LE(unit, at);
		table.writeUInt16LE(offset / 2, at + 2);
		at += 4;
	}
	for (const word of words.flat()) at = table.writeUInt32LE(word >>> 0, at);
	table.writeUInt32LE(crc32(table.subarray(32), crc32(table.subarray(0, 28))), 28);
	return table;
}

function patchWords({ kinds, name }: Machine, { place, kind, target, addend, pair = 0 }: Patch): number[] {
	const number = kinds[kind];
	if (number === undefined) throw new Error(`${name} has no patches "${kind}"`);
	const word = (place / 2) | (number << 15) | (target << 18);
	if (kind === "movw" || kind === "movt" || kind === "hi20") return [word, addend];
	return kind === "pcrelHi20" ? [word, pair / 2] : [word];
}

function makeSource(
	machine: Machine,
	slots: readonly Slot[],
	outNames: readonly string[],
	firstOut: number,
	units: number,
	table: Buffer,
	dispatch: string,
): string {
	const lines = ["/* Generated: the ways into the code that moves, and out of it; the relocation table; its state. */"];
	lines.push(...machine.header);
	const begin = (name: string): string[] => [`\t.global ${name}`, `\t.type ${name}, %function`, `${name}:`];
	for (const [index, { names }] of slots.entries()) {
		lines.push(`\t.section .text.enter.${names[0]}, "ax", %progbits`, "\t.balign 4", ...names.flatMap(begin));
		lines.push(...machine.veneer(`${dispatch} + ${index * 4}`));
		lines.push(...names.map((name) => `\t.size ${name}, . - ${name}`));
	}
	for (const [index, name] of outNames.entries()) {
		lines.push(`\t.section ${unitSection(firstOut + index)}, "ax", %progbits`, "\t.balign 4", ...begin(outName(name)));
		lines.push(...(machine.wayOut?.(name) ?? []), `\t.size ${outName(name)}, . - ${outName(name)}`);
	}
	lines.push('\t.section .moving.table, "a", %progbits', "\t.balign 4");
	lines.push("\t.global pc_relocation_data", "pc_relocation_data:");
	for (let at = 0; at < table.length; at += 16) lines.push(`\t.byte ${[...table.subarray(at, at + 16)].join(", ")}`);
	lines.push("\t.global pc_relocation_data_end", "pc_relocation_data_end:");
	/* Two layouts, each of a place and an order. */
	lines.push('\t.section .moving.state, "aw", %nobits', "\t.balign 4");
	lines.push(`\t.global ${dispatch}`, `${dispatch}:`, `\t.space ${slots.length * 4}`);
	lines.push("\t.global pc_relocation_layouts", "pc_relocation_layouts:", `\t.space ${units * 8}`);
	return `${lines.join("\n")}\n`;
}

/** The dispatch table as it is when every unit is where the linker has put it: what a device computes (relocate.h). */
export function canonicalDispatch(table: Buffer, start: number): Buffer {
	const units = table.readUInt16LE(8);
	const entries = table.readUInt16LE(10);
	const words = Buffer.alloc(entries * 4);
	const bit = table[5] === thumb.id ? thumb.addressBit : rv32.addressBit;
	for (let index = 0; index < entries; index++) {
		const entry = headerSize + units * 8 + index * 4;
		const unit = headerSize + table.readUInt16LE(entry) * 8;
		const address = start + table.readUInt16LE(unit) * 4 + table.readUInt16LE(entry + 2) * 2;
		words.writeUInt32LE((address | bit) >>> 0, index * 4);
	}
	return words;
}

/**
 * Checks a linked image against its plan: that the linker put every unit where the table says, that every place that is
 * patched refers to what the table says, and that the image has this table. Throws BuildError. Gives the canonical code.
 */
export function checkRelocation(image: Buffer, file: string, plan: RelocationPlan): Buffer {
	const elf = readElf(image, file);
	const at = (name: string): number => {
		const symbol = elf.symbols.find((symbol) => symbol.name === name && symbol.defined);
		if (symbol === undefined) throw new BuildError(`the image has no symbol "${name}"`, { file });
		return symbol.value;
	};
	const read = (start: number, size: number): Buffer => {
		const offset = fileOffset(elf, start);
		if (offset === undefined) throw new BuildError(`the image has nothing at 0x${start.toString(16)}`, { file });
		return image.subarray(offset, offset + size);
	};
	const start = at("__relocatable_start");
	if (start % largestAlign !== 0)
		throw new BuildError(`the code that moves is not aligned to ${largestAlign}`, { file });
	if (at("__relocatable_end") - start < plan.codeSize) throw new BuildError("code that moves was not linked", { file });
	if (!read(at("pc_relocation_data"), plan.table.length).equals(plan.table)) {
		throw new BuildError("the image has another relocation table", { file });
	}
	const code = read(start, plan.codeSize);
	let end = 0;
	for (const unit of plan.units) {
		if (code.subarray(end, unit.offset).some((byte) => byte !== plan.machine.trap)) {
			throw new BuildError(`what lies before "${unit.name}" is no filling`, { file });
		}
		end = unit.offset + unit.size;
		if (unit.file === generated && (code.readUInt32LE(unit.offset + 4) & 1) === 0) {
			throw new BuildError(
				`"${unit.name.slice(0, -outName("").length)}" is called by code that moves, but is no function`,
				{
					file,
				},
			);
		}
		for (const { place, kind, target, addend, pair = 0 } of unit.patches) {
			if (target === OUTSIDE) continue;
			const at = unit.offset + place;
			const to = start + (plan.units[target]?.offset ?? 0) + addend;
			const same = plan.machine.refersTo(kind, code, at, start + at, to, start + unit.offset + pair);
			if (!same) throw new BuildError(`"${unit.name}" was linked differently at 0x${place.toString(16)}`, { file });
		}
	}
	for (const { name, unit, offset } of plan.entries) {
		const moved = elf.symbols.find((symbol) => symbol.name === movedName(name));
		const value = start + (plan.units[unit]?.offset ?? 0) + offset;
		if (moved !== undefined && ((moved.value ^ value) & ~1) !== 0)
			throw new BuildError(`"${name}" was linked elsewhere`, { file });
	}
	return Buffer.from(code);
}
