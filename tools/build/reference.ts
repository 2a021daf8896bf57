// Reference values: what a device that runs an image unchanged measures, computed out of the ELF file.
//
// native/measure does on the device what is done here; docs/measurement.md describes both.

import { createHash } from "node:crypto";
import { encode } from "../../firmware/attestation/codec/cbor.ts";
import { headerSize, moduleEntrySize, resourceEntrySize } from "./archive.ts";
import type { Board } from "./board.ts";
import { type Elf, readElf } from "./elf.ts";
import { BuildError } from "./errors.ts";
import type { Identity } from "./identity.ts";
import { layoutBits } from "./layout.ts";
import { canonicalDispatch, type RelocationPlan } from "./relocation.ts";

/** The components of an image, in canonical order (docs/measurement.md). */
export const componentTypes = ["native", "xs", "app", "config"] as const;
export type ComponentType = (typeof componentTypes)[number];

/** One region: its name (at most 64 characters of ASCII; others are "?") and its SHA-256, 64 hex digits in lower case. */
export interface ReferenceEntry {
	readonly name: string;
	readonly value: string;
}

/** One component of the token. */
export interface ReferenceComponent {
	readonly type: ComponentType;
	/** The engine's version, or the image's. */
	readonly version: string;
	/** SHA-256, hex, over the deterministic CBOR array of [name, digest] of `entries`. */
	readonly value: string;
	/** In canonical order. */
	readonly entries: readonly ReferenceEntry[];
}

/** `<name>.reference.json`: all that a verifier compares evidence with. */
export interface Reference {
	readonly format: 1;
	readonly app: string;
	readonly board: string;
	/** The image's version: "version" of the manifests' defines.image. */
	readonly version: string;
	/** The engine's version, such as "13.3.0". */
	readonly engine: string;
	readonly debug: boolean;
	/** Of a device that runs this image with its debug port as the image sets it. */
	readonly lifecycle: "secured" | "non-psa-rot-debug";
	/** 64 hex digits each. */
	readonly implementationId: string;
	readonly signerId: string;
	/** Four, in the order of `componentTypes`. */
	readonly components: readonly ReferenceComponent[];
	/** Only of an image whose code moves. */
	readonly relocation?: ReferenceRelocation;
}

/** What the numbers in a device's evidence of its moving code are of (docs/relocation.md). */
export interface ReferenceRelocation {
	/** Of a layout, rounded down. */
	readonly bits: number;
	/** Names of the functions that the dispatch table leads to, by their number. */
	readonly entries: readonly string[];
	/** What moves as a whole, by its number: a function, or an assembler section; and the file that it comes from. */
	readonly units: readonly { readonly name: string; readonly file: string }[];
}

/** A named piece of an image. */
export interface Region {
	readonly component: ComponentType;
	readonly name: string;
	/** Where it lies on the device: in flash, in option bytes; on posix in the process. */
	readonly address: number;
	readonly bytes: Buffer;
	/** What the device computes out of RAM, and no bytes of the image. */
	readonly derived?: boolean;
}

/** The most bytes that a region's name has (PC_MEASURE_NAME). */
export const longestRegionName = 64;

/* The regions outside of the archive, in canonical order, by symbols of the linker scripts; hosts/<family>/image.c. */
interface Part {
	readonly component: ComponentType;
	readonly name: string;
	readonly start: string;
	readonly end: string;
	readonly process: boolean;
	/** Only in images whose code moves: bytes of flash, or what is in RAM in canonical form. */
	readonly moving?: "flash" | "code" | "dispatch";
}

const moving = { component: "native", process: false } as const;
const parts: readonly Part[] = [
	{ component: "native", name: "vectors", start: "__flash_start", end: "__null_page_end", process: false },
	{ component: "native", name: "host", start: "__host_start", end: "__host_end", process: true },
	{ component: "native", name: "native", start: "__native_start", end: "__native_end", process: true },
	{ ...moving, name: "canonical", start: "__relocatable_start", end: "__relocatable_end", moving: "flash" },
	{ ...moving, name: "relocation", start: "__relocatable_end", end: "__moving_end", moving: "flash" },
	{ component: "native", name: "library", start: "__library_start", end: "__library_end", process: true },
	{ component: "native", name: "data", start: "__data_load", end: "__flash_end", process: false },
	{ ...moving, name: "moved", start: "__relocatable_start", end: "__relocatable_end", moving: "code" },
	{ ...moving, name: "dispatch", start: "pc_dispatch", end: "pc_relocation_layouts", moving: "dispatch" },
	{ component: "xs", name: "xs", start: "__engine_start", end: "__engine_end", process: true },
	{
		component: "config",
		name: "machine",
		start: "__configuration_start",
		end: "__configuration_end",
		process: true,
	},
];

const erased = 0xff;

/** Where in an ELF file the byte is that a device finds at `address` before start-up; undefined if the file has none. */
export function fileOffset(elf: Elf, address: number): number | undefined {
	const segment = elf.segments.find(({ physical, size }) => address >= physical && address < physical + size);
	return segment === undefined ? undefined : segment.offset + (address - segment.physical);
}

/** The regions of an image in canonical order. Throws BuildError if they leave anything out that a device holds. */
export function imageRegions(file: Buffer, board: Board): Region[] {
	const elf = readElf(file, board.name);
	const symbols = new Map(elf.symbols.filter(({ defined }) => defined).map(({ name, value }) => [name, value]));
	const host = board.cpu === "host";
	const at = (symbol: string): number => {
		const value = symbols.get(symbol);
		if (value === undefined) throw new BuildError(`the linker script of ${board.name} defines no ${symbol}`);
		return value;
	};
	const bytes = (start: number, end: number): Buffer => {
		const offset = fileOffset(elf, start);
		if (start !== end && (offset === undefined || fileOffset(elf, end - 1) !== offset + (end - start) - 1)) {
			throw new BuildError(`the image has no bytes at 0x${start.toString(16)} to 0x${end.toString(16)}`);
		}
		return file.subarray(offset ?? 0, (offset ?? 0) + (end - start));
	};
	const regions: Region[] = [];
	for (const component of componentTypes) {
		for (const part of parts) {
			if (part.component !== component || (host && !part.process)) continue;
			if (part.moving !== undefined && !symbols.has("pc_relocation_data")) continue;
			const address = at(part.start);
			if (part.moving === "dispatch") {
				const table = bytes(at("pc_relocation_data"), at("pc_relocation_data_end"));
				const words = canonicalDispatch(table, at("__relocatable_start"));
				if (words.length !== at(part.end) - address) throw new BuildError("the dispatch table has another size");
				regions.push({ component, name: part.name, address, bytes: words, derived: true });
				continue;
			}
			if (part.moving === "code") {
				regions.push({ component, name: part.name, address, bytes: bytes(address, at(part.end)), derived: true });
				continue;
			}
			regions.push({ component, name: part.name, address, bytes: bytes(address, at(part.end)) });
		}
		if (component === "app") {
			const address = at("__archive_start");
			regions.push(...archiveRegions(bytes(address, at("__archive_end")), address));
		}
	}
	if (board.options !== undefined) regions.push(optionsRegion(file, elf, board.options.origin, board.options.size));
	if (host) checkRelocations(elf, regions);
	else checkCoverage(elf, regions);
	return regions;
}

/** The regions of an archive: the directory up to the first code; then each entry's content up to the next, whatever lies between. */
export function archiveRegions(archive: Buffer, address: number): Region[] {
	const entries: { name: string; offset: number }[] = [];
	const add = (count: number, table: number, size: number, prefix: string): void => {
		for (let index = 0; index < count; index++) {
			const entry = table + index * size;
			const name = archive.readUInt32LE(entry);
			const text = archive.toString("latin1", name, archive.indexOf(0, name)).replace(/[^ -~]/g, "?");
			entries.push({ name: prefix + text, offset: archive.readUInt32LE(entry + 4) });
		}
	};
	if (archive.length < headerSize) throw new BuildError("the image has no archive");
	add(archive.readUInt32LE(28), archive.readUInt32LE(32), moduleEntrySize, "module:");
	add(archive.readUInt32LE(44), archive.readUInt32LE(48), resourceEntrySize, "resource:");
	entries.unshift({ name: "directory", offset: 0 });
	return entries.map(({ name, offset }, index): Region => {
		const [kind = "", ...rest] = name.split(":");
		if (name.length > longestRegionName) {
			const most = longestRegionName - kind.length - 1;
			throw new BuildError(
				`${kind} "${rest.join(":")}": its name is longer than the ${most} bytes that can be measured`,
			);
		}
		const end = entries[index + 1]?.offset ?? archive.length;
		if (end < offset) throw new BuildError("the archive's parts are not in the order of its directory");
		return { component: "app", name, address: address + offset, bytes: archive.subarray(offset, end) };
	});
}

function optionsRegion(file: Buffer, elf: Elf, address: number, size: number): Region {
	const bytes = Buffer.alloc(size, erased);
	for (let index = 0; index < size; index++) {
		const offset = fileOffset(elf, address + index);
		if (offset !== undefined) bytes[index] = file[offset] as number;
	}
	return { component: "config", name: "options", address, bytes };
}

/* Every byte that is loaded is in exactly one region. */
function checkCoverage(elf: Elf, regions: readonly Region[]): void {
	const sorted = regions.filter(({ derived }) => derived !== true).sort((a, b) => a.address - b.address);
	for (const [index, region] of sorted.entries()) {
		const next = sorted[index + 1];
		if (next !== undefined && next.address < region.address + region.bytes.length) {
			throw new BuildError(`regions "${region.name}" and "${next.name}" overlap`);
		}
	}
	for (const { physical, size } of elf.segments) {
		let from = physical;
		for (const { address, bytes } of sorted) {
			if (address <= from && from < address + bytes.length) from = address + bytes.length;
		}
		if (from < physical + size) {
			throw new BuildError(
				`the image has bytes that no region holds, at 0x${from.toString(16)}: a section that sections.ld doesn't name?`,
			);
		}
	}
}

/* What the loader changes in a process would not be as in the file. */
function checkRelocations(elf: Elf, regions: readonly Region[]): void {
	for (const place of elf.relocations) {
		const region = regions.find(({ address, bytes }) => place >= address && place < address + bytes.length);
		if (region !== undefined) {
			throw new BuildError(`region "${region.name}" needs the loader, at 0x${place.toString(16)}`);
		}
	}
}

/** SHA-256 over the deterministic CBOR of the entries: the measurement value of a component. */
export function componentValue(entries: readonly ReferenceEntry[]): string {
	const items = entries.map(({ name, value }) => [name, Buffer.from(value, "hex")]);
	return createHash("sha256").update(encode(items)).digest("hex");
}

/** The reference values of an image; `plan`: of its code that moves, if any does. */
export function makeReference(regions: readonly Region[], identity: Identity, plan?: RelocationPlan): Reference {
	const { app, board, version, engine, debug, implementationId, signerId } = identity;
	const components = componentTypes.map((type): ReferenceComponent => {
		const entries = regions
			.filter(({ component }) => component === type)
			.map(({ name, bytes }) => ({ name, value: createHash("sha256").update(bytes).digest("hex") }));
		return { type, version: type === "xs" ? engine : version, value: componentValue(entries), entries };
	});
	const lifecycle = debug ? "non-psa-rot-debug" : "secured";
	const values = { app, board, version, engine, debug, lifecycle, implementationId, signerId, components } as const;
	return { format: 1, ...values, ...(plan === undefined ? {} : { relocation: movingNames(plan) }) };
}

function movingNames(plan: RelocationPlan): ReferenceRelocation {
	return {
		bits: Math.floor(layoutBits(plan).layout),
		entries: plan.entries.map(({ name }) => name),
		units: plan.units.map(({ name, file }) => ({ name, file })),
	};
}
