// Generates the C that ties an image together, links it, and writes ELF, HEX and map.

import { copyFileSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { namesCrc } from "./archive.ts";
import type { Board } from "./board.ts";
import { pericardRoot } from "./board.ts";
import { type ObjectFile, type SourceKind, toolNames } from "./cc.ts";
import {
	checkOrder,
	type Diversity,
	diversify,
	measureDiversity,
	orderOf,
	orderScripts,
	type Seed,
} from "./diversify.ts";
import { type Elf, readElf } from "./elf.ts";
import { BuildError, suggestion } from "./errors.ts";
import type { NativeUse } from "./graph.ts";
import type { Creation, Json, Manifest } from "./manifest.ts";
import { type MovingImage, moveObjects, movingObject, movingSource, prepare } from "./moving.ts";
import { runTool } from "./process.ts";
import { checkRelocation } from "./relocation.ts";
import { measure, readMap, type SizeReport } from "./size.ts";

/* What the machine gets where no manifest says anything. */
const creationDefaults = { static: 65536, chunk: [4096, 512], heap: [1024, 64], stack: 384, keys: [64, 32] } as const;

/** natives.c: the table that an archive's native numbers index. `names` are sorted. */
export function nativesSource(names: readonly string[]): string {
	const declarations = names.map((name) => `extern void ${name}(void *the);`);
	const entries = names.length === 0 ? ["\t0,"] : names.map((name) => `\t${name},`);
	return lines(
		"/* Generated: host functions that TypeScript names, sorted; an archive refers to them by number. */",
		"#include <stdint.h>",
		"",
		"typedef void (*pc_native)(void *the);",
		...declarations,
		"",
		"extern const pc_native pc_natives[];",
		"extern const uint32_t pc_native_count;",
		"extern const uint32_t pc_native_names_crc;",
		"",
		"const pc_native pc_natives[] = {",
		...entries,
		"};",
		`const uint32_t pc_native_count = ${names.length};`,
		`const uint32_t pc_native_names_crc = 0x${namesCrc(names).toString(16).padStart(8, "0")};`,
	);
}

/** config.c: "creation" of the manifest and the heap. A host of 64 bits has slots of twice the size. */
export function configSource(creation: Creation, app: string, build: "release" | "debug", host: boolean): string {
	const staticBytes = (creation.static ?? creationDefaults.static) * (host ? 2 : 1);
	const values = [
		["static_bytes", staticBytes],
		["chunk_initial", creation.chunk.initial ?? creationDefaults.chunk[0]],
		["chunk_incremental", creation.chunk.incremental ?? creationDefaults.chunk[1]],
		["heap_initial", creation.heap.initial ?? creationDefaults.heap[0]],
		["heap_incremental", creation.heap.incremental ?? creationDefaults.heap[1]],
		["stack", creation.stack ?? creationDefaults.stack],
		["keys_initial", creation.keys.initial ?? creationDefaults.keys[0]],
		["keys_incremental", creation.keys.incremental ?? creationDefaults.keys[1]],
	];
	/* A device's linker script places the heap; in a process it is plain memory. */
	const section = host ? "" : 'section(".heap"), ';
	const measured = '__attribute__((section(".configuration")))';
	return lines(
		'/* Generated: "creation" of the manifests, and the heap. */',
		'#include "config.h"',
		"",
		`uint8_t pc_heap[${staticBytes}] __attribute__((${section}aligned(16)));`,
		"",
		`static const char app[] ${measured} = ${JSON.stringify(app)};`,
		`static const char build[] ${measured} = ${JSON.stringify(build)};`,
		`const struct pc_creation_t pc_creation ${measured} = {`,
		...values.map(([name, value]) => `\t.${name} = ${value},`),
		"\t.app = app,",
		"\t.build = build,",
		"};",
	);
}

/** mc.defines.h: "defines" of the manifests as MODDEF_<NAME>_<KEY>, by Moddable's rules. */
export function definesSource(defines: { readonly [key: string]: Json }, manifestFile: string): string {
	const out: string[] = [];
	const walk = (value: { readonly [key: string]: Json }, prefix: string, key: string): void => {
		for (const [name, item] of Object.entries(value)) {
			if (name.startsWith("//")) continue;
			const macro = `${prefix}_${name.replace(/[^A-Za-z0-9]/g, "_").toUpperCase()}`;
			if (typeof item === "object" && item !== null && !Array.isArray(item)) {
				walk(item as { readonly [key: string]: Json }, macro, `${key}.${name}`);
			} else if (typeof item === "string") {
				const text = item.startsWith("#") ? JSON.stringify(item.slice(1)) : `(${item})`;
				out.push(`#define ${macro} ${text}`);
			} else if (typeof item === "number" || typeof item === "boolean") {
				out.push(`#define ${macro} (${Number(item)})`);
			} else {
				throw new BuildError("expected a number, a boolean or a string", { file: manifestFile, key: `${key}.${name}` });
			}
		}
	};
	walk(defines, "MODDEF", "defines");
	return lines('/* Generated: "defines" of the manifests. */', "#pragma once", "", ...out);
}

/** The assembler file that places the archive. Its path is relative to the folder where it is assembled. */
export function archiveSource(archive: string): string {
	return lines(
		"/* Generated: the archive of modules, executed in place. */",
		'\t.section .archive, "a", %progbits',
		"\t.balign 16",
		"\t.global pc_archive_start",
		"pc_archive_start:",
		`\t.incbin "${archive}"`,
		"\t.global pc_archive_end",
		"pc_archive_end:",
		"\t.byte 0",
		"\t.balign 16",
		'\t.section .note.GNU-stack, "", %progbits',
	);
}

function lines(...text: readonly string[]): string {
	return `${text.join("\n")}\n`;
}

/** Checks that every native that the modules name is a global function of an object. Throws BuildError. */
export function checkNatives(uses: readonly NativeUse[], objects: readonly ObjectFile[]): void {
	if (uses.length === 0) return;
	const defined = new Set<string>();
	for (const { object } of objects) {
		for (const symbol of readElf(readFileSync(object), object).symbols) {
			if (symbol.global && symbol.defined) defined.add(symbol.name);
		}
	}
	/* What a module may name is what was written to be called by one, not every function of the image. */
	const foreign = uses.find((use) => !use.name.startsWith("xs_"));
	if (foreign !== undefined) {
		const { name, file, line } = foreign;
		throw new BuildError(`"${name}" is no native: names of natives begin with "xs_"`, { file, line });
	}
	const missing = uses.filter((use) => !defined.has(use.name));
	if (missing.length === 0) return;
	const candidates = [...defined].filter((name) => name.startsWith("xs_"));
	const messages = missing.map(({ name, file, line }) => {
		const why = `no C file of this build defines the native "${name}"${suggestion(name, candidates)}`;
		return new BuildError(why, { file, line }).message;
	});
	throw Object.assign(new BuildError(messages.join("\n")), { file: missing[0]?.file });
}

export interface LinkInput {
	readonly board: Board;
	readonly manifest: Manifest;
	readonly name: string;
	/** The output folder; objects, the map and the image go there. */
	readonly dir: string;
	readonly objects: readonly ObjectFile[];
	readonly archive: Uint8Array;
	readonly sanitize: boolean;
	/** Of the order of functions; without one it is the linker's. */
	readonly seed?: Seed | undefined;
	/** Code of the sources that may move does. */
	readonly moves?: boolean;
	/** Compiles config.c anew, for a heap of so many bytes. */
	readonly resize?: (bytes: number) => Promise<ObjectFile>;
	/** The name of a source that does not depend on where folders are; needed if code moves. */
	readonly label?: (file: string) => string;
}

export interface LinkOutput {
	readonly elf: string;
	readonly hex: string | undefined;
	readonly map: string;
	readonly archive: string;
	readonly size: SizeReport;
	readonly symbols: Map<string, number>;
	/** Only with a seed. */
	readonly diversity: Diversity | undefined;
	/** Only of an image whose code moves. */
	readonly moving: MovingImage | undefined;
}

/* Objects of one kind have a folder of their own, so that the map tells what is what. */
const folders: Readonly<Record<SourceKind, string>> = {
	engine: "engine",
	host: "host",
	native: "native",
	library: "library",
	generated: "generated",
};

/** Links an image. All paths that the linker sees are relative to `dir`: its output does not depend on where that is. */
export async function link(input: LinkInput): Promise<LinkOutput> {
	const { board, dir, name, sanitize } = input;
	const { cc, objcopy } = toolNames(board);
	const host = board.cpu === "host";
	const components = new Map<string, string>();
	const objects: string[] = [];
	const placed: { label: string; path: string; moves: boolean }[] = [];
	rmSync(join(dir, "objects"), { recursive: true, force: true });
	for (const { source, object } of input.objects) {
		const stem = basename(source.file).replace(/\.[^.]*$/, "");
		const folder = join(
			"objects",
			folders[source.kind],
			source.kind === "native" || source.kind === "library" ? (source.component.split(":")[1] ?? "") : "",
		);
		let path = join(folder, `${stem}.o`);
		for (let count = 2; components.has(path); count++) path = join(folder, `${stem}-${count}.o`);
		components.set(path, source.component);
		objects.push(path);
		const label = input.label?.(source.file) ?? source.file;
		placed.push({ label, path, moves: input.moves === true && source.relocatable === true });
		mkdirSync(join(dir, folder), { recursive: true });
		place(object, join(dir, path));
	}
	const archive = `${name}.archive`;
	writeFileSync(join(dir, archive), input.archive);
	writeFileSync(join(dir, "generated/archive.S"), archiveSource(archive));
	const archiveObject = "objects/generated/archive.o";
	mkdirSync(join(dir, dirname(archiveObject)), { recursive: true });
	await must(cc, [...board.cflags, "-c", "generated/archive.S", "-o", archiveObject], dir);
	objects.push(archiveObject);
	components.set(archiveObject, "app");
	const assemble = (): Promise<void> => must(cc, [...board.cflags, "-c", movingSource, "-o", movingObject], dir);
	if (input.moves === true) {
		prepare(dir);
		await assemble();
		objects.push(movingObject);
		components.set(movingObject, "relocation");
	}

	const elf = host ? name : `${name}.elf`;
	const map = `${name}.map`;
	const args = [...board.cflags, "-Wl,--gc-sections", "-Wl,--build-id=none", `-Wl,-Map=${map}`];
	if (host) {
		args.push("-no-pie");
		if (sanitize) args.push("-fsanitize=address,undefined");
	} else {
		if (!board.cflags.some((flag) => flag.startsWith("--specs="))) args.push("--specs=nano.specs");
		args.push("-nostartfiles", "-Wl,--fatal-warnings", "-Wl,--no-warn-rwx-segments", "-Wl,-z,noexecstack");
	}
	if (board.linkerScript !== undefined) {
		/* Copied, because the map names the scripts by their paths. */
		for (const folder of [join(pericardRoot, "hosts/cortex-m"), board.dir]) {
			for (const file of readdirSync(folder).filter((file) => file.endsWith(".ld"))) {
				copyFileSync(join(folder, file), join(dir, "generated", file));
			}
		}
		args.push("-Lgenerated", "-T", `generated/${basename(board.linkerScript)}`);
	}
	args.push(...board.ldflags, "-o", elf, ...objects, ...board.libs);
	await must(cc, args, dir);
	/* What of the set an image needs the linker knows: it links twice. */
	const moving = input.moves === true && board.ram ? moveObjects(dir, elf, placed, board.ram) : undefined;
	if (moving !== undefined) {
		await assemble();
		await fitHeap(input, moving);
		args.push(...Object.entries(moving.symbols).map(([symbol, value]) => `-Wl,--defsym=${symbol}=${value}`));
		await must(cc, args, dir);
	}
	const { seed } = input;
	const mapEntries = () => readMap(readFileSync(join(dir, map), "utf8"));
	/* What is in the image, and in which order, the linker knows: it links twice. */
	const order = seed === undefined ? undefined : diversify(orderOf(mapEntries()), seed);
	if (order !== undefined) {
		orderScripts(join(dir, "generated"), order);
		await must(cc, args, dir);
		checkOrder(mapEntries(), order);
	}
	if (moving !== undefined) checkRelocation(readFileSync(join(dir, elf)), elf, moving.plan);
	if (!host) await must(objcopy, ["-O", "ihex", elf, `${name}.hex`], dir);
	const content: Elf = readElf(readFileSync(join(dir, elf)), elf);
	const size = measure(mapEntries(), content.sections, (object) => components.get(object.replace(/^\.\//, "")));
	const symbols = new Map<string, number>();
	for (const symbol of content.symbols) {
		if (symbol.defined && (symbol.global || !symbols.has(symbol.name))) symbols.set(symbol.name, symbol.value);
	}
	return {
		elf: join(dir, elf),
		hex: host ? undefined : join(dir, `${name}.hex`),
		map: join(dir, map),
		archive: join(dir, archive),
		size,
		symbols,
		diversity: seed === undefined || order === undefined ? undefined : measureDiversity(content, order, seed),
		moving,
	};
}

/* The heap gets what code that moves leaves, if the manifest can do with that. */
async function fitHeap({ dir, manifest, resize }: LinkInput, { arena, left }: MovingImage): Promise<void> {
	const { static: size = creationDefaults.static, least = size } = manifest.creation;
	if (size <= left) return;
	const bytes = Math.floor(left / 1024) * 1024;
	if (bytes < least || resize === undefined) {
		const need = `its heap needs ${least} bytes of RAM, and code that moves, in an arena of ${arena}, leaves ${left}`;
		throw new BuildError(`the image does not fit: ${need}`);
	}
	const path = join(dir, "objects/generated/config.o");
	rmSync(path, { force: true });
	place((await resize(bytes)).object, path);
}

function place(from: string, to: string): void {
	try {
		linkSync(from, to);
	} catch {
		copyFileSync(from, to);
	}
}

async function must(tool: string, args: readonly string[], cwd: string): Promise<void> {
	const result = await runTool(tool, args, cwd);
	if (result.code === 0) return;
	const text = result.stderr.trim();
	const overflow = /region `(\w+)' overflowed by (\d+) bytes/.exec(text);
	const why =
		overflow === null ? `${tool} failed` : `the image does not fit: ${overflow[1]} is ${overflow[2]} bytes too small`;
	throw new BuildError(`${why}\n${text}`);
}
