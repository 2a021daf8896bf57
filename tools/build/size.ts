// Where the flash and the RAM of an image go: by component, out of the linker's map and the ELF's sections.

import type { ElfSection } from "./elf.ts";

/** Bytes. The sum of the components is the total. */
export interface SizeReport {
	readonly flash: Readonly<Record<string, number>>;
	readonly ram: Readonly<Record<string, number>>;
	readonly flashTotal: number;
	readonly ramTotal: number;
}

/** A contribution of one object file to one output section. */
export interface MapEntry {
	readonly section: string;
	readonly input: string;
	readonly address: number;
	readonly size: number;
	/** The object's path, or `archive.a(member.o)`; "" for what the linker adds. */
	readonly object: string;
}

/** Reads the memory map part of a map file of GNU ld. */
export function readMap(text: string): MapEntry[] {
	const start = text.indexOf("\nLinker script and memory map\n");
	const entries: MapEntry[] = [];
	let section = "";
	let pending = "";
	for (const raw of text.slice(Math.max(0, start)).split("\n")) {
		/* A long name stands alone; its numbers follow on the next line. */
		if (/^ ?[.*]?[\w.*$-][^\s]*$/.test(raw) && !raw.includes("=")) {
			pending = raw;
			if (!raw.startsWith(" ")) section = raw;
			continue;
		}
		const line = /^\s{10,}0x/.test(raw) && pending !== "" ? `${pending} ${raw.trim()}` : raw;
		pending = "";
		const output = /^([.\w][^\s]*)\s+0x([0-9a-f]+)\s+0x([0-9a-f]+)/.exec(line);
		if (output !== null) {
			section = output[1] ?? "";
			continue;
		}
		const input = /^ ([.*\w][^\s]*)\s+0x([0-9a-f]+)\s+0x([0-9a-f]+)(?:\s+(\S.*))?\s*$/.exec(line);
		if (input === null || section === "") continue;
		const size = Number.parseInt(input[3] ?? "0", 16);
		if (size === 0) continue;
		entries.push({
			section,
			input: input[1] ?? "",
			address: Number.parseInt(input[2] ?? "0", 16),
			size,
			object: input[1] === "*fill*" ? "" : (input[4] ?? ""),
		});
	}
	return entries;
}

/**
 * Adds up an image. `componentOf` names the component of an object file, or undefined for one of a library. Flash is
 * everything that is loaded, with the initial values of .data; RAM is everything writable, with heap and stack.
 */
export function measure(
	map: readonly MapEntry[],
	sections: readonly ElfSection[],
	componentOf: (object: string) => string | undefined,
): SizeReport {
	const flash: Record<string, number> = {};
	const ram: Record<string, number> = {};
	let flashTotal = 0;
	let ramTotal = 0;
	const add = (to: Record<string, number>, component: string, size: number): void => {
		if (size > 0) to[component] = (to[component] ?? 0) + size;
	};
	for (const section of sections) {
		if (!section.allocated || section.size === 0) continue;
		const targets: Record<string, number>[] = [];
		/* What only the C library of a Linux process asks for is no memory of a device's, but it is loaded. */
		if (!section.empty) {
			targets.push(flash);
			flashTotal += section.size;
		}
		if (section.writable || isRam(section)) {
			targets.push(ram);
			ramTotal += section.size;
		}
		const whole = wholeSection(section.name);
		let rest = section.size;
		if (whole === undefined) {
			for (const entry of map) {
				if (entry.section !== section.name || entry.object === "") continue;
				const component = entry.input === heapInput ? "heap" : (componentOf(entry.object) ?? "libc");
				const size = Math.min(entry.size, rest);
				rest -= size;
				for (const target of targets) add(target, component, size);
			}
		}
		/* Alignment and what the linker makes itself. */
		for (const target of targets) add(target, whole ?? "padding", rest);
	}
	return { flash: sorted(flash), ram: sorted(ram), flashTotal, ramTotal };
}

/* The heap of a process has no section of its own. */
const heapInput = ".bss.pc_heap";

function isRam(section: ElfSection): boolean {
	return section.empty;
}

function wholeSection(name: string): string | undefined {
	if (name.startsWith(".vectors")) return "vectors";
	if (name === ".archive") return "app";
	if (name === ".uicr") return "options";
	if (name === ".heap") return "heap";
	if (name === ".arena") return "arena";
	if (name === ".stack") return "stack";
	return undefined;
}

function sorted(sizes: Record<string, number>): Record<string, number> {
	return Object.fromEntries(Object.entries(sizes).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)));
}
