// Compiles C and assembler files, each object cached by the content of everything that went into it.

import { copyFileSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { bearssl, bearsslFolder } from "../bearssl.mjs";
import { xsSources } from "../xs/xs.ts";
import { compareNames } from "./archive.ts";
import type { Board } from "./board.ts";
import { pericardRoot } from "./board.ts";
import { cacheDirectory, contentHash } from "./cache.ts";
import { BuildError } from "./errors.ts";
import { mapParallel, runTool } from "./process.ts";

/** What a C file is part of; it decides its flags. */
export type SourceKind = "engine" | "host" | "native" | "library" | "generated";

export interface Source {
	readonly file: string;
	readonly kind: SourceKind;
	/** What the size report calls it: "engine", "host", "native:crc", ... */
	readonly component: string;
	/** Flags for this file alone, behind all others. */
	readonly cflags?: readonly string[];
	/** Its code may move while it runs. */
	readonly relocatable?: boolean;
}

export interface ObjectFile {
	readonly source: Source;
	/** A file of the cache; not to be written to. */
	readonly object: string;
}

/** `hosts/common/engine.json`: how to compile XS. */
export interface EngineDescription {
	readonly sources: readonly string[];
	/** Macros that change what XS's headers declare: for every C file of the image. */
	readonly defines: readonly string[];
	/** Flags for XS's own files. */
	readonly cflags: readonly string[];
	readonly perFile: Readonly<Record<string, readonly string[]>>;
}

export interface CompilerOptions {
	readonly board: Board;
	readonly sanitize: boolean;
	/** The folder of generated files, which is also on the include path. */
	readonly generated: string;
	/** The app's folder. */
	readonly app: string;
	/** Folders of headers that manifests list. */
	readonly include: readonly string[];
	readonly progress: (message: string) => void;
}

export function engineDescription(): EngineDescription {
	const file = join(pericardRoot, "hosts/common/engine.json");
	const json = JSON.parse(readFileSync(file, "utf8")) as Partial<EngineDescription>;
	return {
		sources: json.sources ?? [],
		defines: json.defines ?? [],
		cflags: json.cflags ?? [],
		perFile: json.perFile ?? {},
	};
}

/** The names of the tools for a board. */
export function toolNames(board: Board): { readonly cc: string; readonly objcopy: string } {
	return board.cpu === "host"
		? { cc: "gcc", objcopy: "objcopy" }
		: { cc: "arm-none-eabi-gcc", objcopy: "arm-none-eabi-objcopy" };
}

/* -g3 changes nothing of what is loaded: a release ELF can be debugged too. */
const commonFlags = ["-Os", "-g3", "-ffunction-sections", "-fdata-sections", "-fno-common", "-fno-strict-aliasing"];
const ownWarnings = ["-Wall", "-Wextra"];
const wholeEngineFlags = ["-flto", "-flto-partition=one", "-r", "-nostdlib", "-flinker-output=nolto-rel"];
/* Where the engine is compiled and optimised: GCC writes paths into the optimised code relative to the way from the one
 * folder to the other, so both are the same wherever the checkout and the cache are. */
const ENGINE_FOLDER = "/";
const hostOnlyFlags = ["-D_GNU_SOURCE"];
const targetOnlyFlags = ["-fno-unwind-tables", "-fno-asynchronous-unwind-tables"];

/** The C compiler of one build. */
export class Compiler {
	readonly #options: CompilerOptions;
	readonly #engine: EngineDescription;
	readonly #xs = xsSources();
	/* [folder, label]: how a path is named in objects and cache keys, longest folder first. */
	readonly #roots: (readonly [string, string])[];
	readonly #hashes = new Map<string, string | undefined>();
	/* Folders of headers, in the same order wherever they are. */
	readonly #include: readonly string[];
	readonly #cache: string;

	constructor(options: CompilerOptions) {
		this.#options = options;
		this.#engine = engineDescription();
		const roots: [string, string][] = [
			[pericardRoot, "pericard"],
			[this.#xs.root, "xs"],
			[bearsslFolder(), "bearssl"],
			[options.generated, "generated"],
		];
		if (!within(options.app, pericardRoot)) roots.push([options.app, "app"]);
		for (const dir of options.include) {
			if (!roots.some(([root]) => within(dir, root))) roots.push([dir, `include/${basename(dir)}`]);
		}
		this.#roots = roots.sort((a, b) => b[0].length - a[0].length);
		this.#include = [...options.include].sort((a, b) => compareNames(this.label(a), this.label(b)));
		this.#cache = cacheDirectory("objects");
	}

	/** Compiles all sources; the engine's become one object. Throws BuildError with the compiler's messages. */
	async compile(sources: readonly Source[]): Promise<ObjectFile[]> {
		const objects = await this.#compileEach(sources);
		if (!this.#optimizesEngine) return objects;
		const engine = objects.filter(({ source }) => source.kind === "engine");
		const others = objects.filter(({ source }) => source.kind !== "engine");
		return engine.length === 0 ? others : [await this.#optimizeEngine(engine), ...others];
	}

	/* A processor's build has no need of it, and sanitizers get in its way. */
	get #optimizesEngine(): boolean {
		return this.#options.board.cpu !== "host" && !this.#options.sanitize;
	}

	/*
	 * Optimises the engine as a whole (link-time optimisation), into one object that later links take as it is: 9 KB of
	 * flash less. One partition, so that the result does not depend on the number of processors.
	 */
	async #optimizeEngine(objects: readonly ObjectFile[]): Promise<ObjectFile> {
		const { board, progress } = this.#options;
		const { cc } = toolNames(board);
		const flags = [...commonFlags, ...targetOnlyFlags, ...board.cflags, ...wholeEngineFlags];
		const key = contentHash("engine 4", ...flags, ...objects.map(({ object }) => basename(object)));
		const file = join(this.#cache, `${key}.o`);
		const [first] = objects;
		const source: Source = { file: "engine.c", kind: "engine", component: first?.source.component ?? "engine" };
		if (existsSync(file)) return { source, object: file };
		progress("engine: optimising as a whole");
		const work = mkdtempSync(join(this.#cache, "work-"));
		try {
			/* Named alike wherever they are: the names may appear in the result. */
			const names = objects.map(({ source }) => `${basename(source.file, ".c")}.o`);
			for (const [index, { object }] of objects.entries()) copyFileSync(object, join(work, names[index] as string));
			const paths = [...names, "-o", "engine.o"].map((name) => (name.startsWith("-") ? name : join(work, name)));
			const result = await runTool(cc, [...flags, ...this.#maps, ...paths], ENGINE_FOLDER);
			if (result.code !== 0) throw new BuildError(`${cc} failed on the engine\n${result.stderr.trimEnd()}`);
			renameSync(join(work, "engine.o"), file);
			return { source, object: file };
		} finally {
			rmSync(work, { recursive: true, force: true });
		}
	}

	/* The compiler's flags that name paths by their labels. */
	get #maps(): string[] {
		return [...this.#roots].reverse().map(([dir, label]) => `-ffile-prefix-map=${dir}=${label}`);
	}

	/* GCC 12 keeps its map of paths from the assembler, which writes those of .S files. */
	get #assemblerMaps(): string[] {
		const maps = [...this.#roots].reverse().map(([dir, label]) => `--debug-prefix-map=${dir}=${label}`);
		return maps.flatMap((map) => ["-Xassembler", map]);
	}

	async #compileEach(sources: readonly Source[]): Promise<ObjectFile[]> {
		const { cc } = toolNames(this.#options.board);
		const { stdout, code, stderr } = await runTool(cc, ["--version"]);
		if (code !== 0) throw new BuildError(`${cc} --version failed: ${stderr}`);
		const totals = new Map<SourceKind, number>();
		for (const { kind } of sources) totals.set(kind, (totals.get(kind) ?? 0) + 1);
		const done = new Map<SourceKind, number>();
		return mapParallel(sources, async (source) => {
			const object = await this.#compileOne(cc, stdout, source);
			const count = (done.get(source.kind) ?? 0) + 1;
			done.set(source.kind, count);
			if (object.compiled) this.#options.progress(`${source.kind} ${count}/${totals.get(source.kind)}`);
			return { source, object: object.file };
		});
	}

	/** The compiler's flags for a kind of file, without the maps of paths. */
	flags(source: Source): string[] {
		const { board, sanitize, generated } = this.#options;
		const xs = [this.#xs.includes, this.#xs.sources, this.#xs.platforms];
		const common = join(pericardRoot, "hosts/common");
		const host = board.cpu === "host";
		const flags = [...commonFlags, ...(host ? hostOnlyFlags : targetOnlyFlags), ...board.cflags];
		if (!host && !board.cflags.some((flag) => flag.startsWith("--specs="))) flags.push("--specs=nano.specs");
		if (source.kind !== "library") flags.push(...this.#engine.defines.map((define) => `-D${define}`));
		if (source.kind === "engine") {
			/* XS shifts, casts and aligns as it likes: only memory errors are of interest in it. */
			if (sanitize) flags.push("-fsanitize=address", "-fno-omit-frame-pointer");
			if (this.#optimizesEngine) flags.push("-flto");
			flags.push(...this.#engine.cflags, ...(this.#engine.perFile[basename(source.file)] ?? []));
			flags.push(`-I${common}`, ...xs.map((dir) => `-I${dir}`));
			return flags;
		}
		if (sanitize) flags.push("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer");
		if (source.kind === "library") {
			flags.push(...bearssl.cflags);
			flags.push(...["inc", "src"].map((folder) => `-I${join(bearsslFolder(), folder)}`));
			return flags;
		}
		flags.push("-std=gnu11", ...ownWarnings);
		if (within(source.file, pericardRoot)) flags.push("-Werror");
		const include = [dirname(source.file), board.dir, common, join(pericardRoot, "hosts/cortex-m"), generated];
		/* What is Pericard's own has no use for the folders of an app: so its objects serve all apps. */
		const { app } = this.#options;
		const own = ["native", "hosts"].some((folder) => within(source.file, join(pericardRoot, folder)));
		const ofApp = (path: string): boolean => own && app !== pericardRoot && within(path, app);
		include.push(...this.#include.filter((path) => !ofApp(path)));
		flags.push(...[...new Set(include)].map((dir) => `-I${dir}`), ...xs.flatMap((dir) => ["-isystem", dir]));
		flags.push("-isystem", join(bearsslFolder(), "inc"));
		return flags;
	}

	async #compileOne(cc: string, version: string, source: Source): Promise<{ file: string; compiled: boolean }> {
		const { file } = source;
		const flags = [...this.flags(source), ...(source.cflags ?? [])];
		const whole = source.kind === "engine" && this.#optimizesEngine;
		const assembler = file.endsWith(".S");
		const key = contentHash(
			whole ? "object of a whole 1" : assembler ? "assembler file 1" : "object 1",
			version,
			...flags.map((flag) => this.#labelled(flag)),
			this.label(file),
			this.#hash(file) ?? "",
		);
		/* What the same source included when it was compiled before: a list of alternatives, newest first. */
		const index = join(this.#cache, `${key}.json`);
		const variants = readVariants(index);
		for (const variant of variants) {
			const object = join(this.#cache, `${variant.object}.o`);
			if (!existsSync(object)) continue;
			if (Object.entries(variant.dependencies).every(([label, hash]) => this.#hash(this.#unlabel(label)) === hash)) {
				return { file: object, compiled: false };
			}
		}
		const work = mkdtempSync(join(this.#cache, "work-"));
		try {
			const object = join(work, "out.o");
			const depfile = join(work, "out.d");
			const maps = [...this.#maps, ...(assembler ? this.#assemblerMaps : [])];
			const args = [...flags, ...maps, "-MD", "-MF", depfile, "-MT", "out", "-c", file, "-o", object];
			const result = await runTool(cc, args, whole ? ENGINE_FOLDER : pericardRoot);
			if (result.code !== 0) {
				throw Object.assign(new BuildError(`${cc} failed on ${this.label(file)}\n${result.stderr.trimEnd()}`), {
					file,
				});
			}
			if (result.stderr.trim() !== "") this.#options.progress(result.stderr.trimEnd());
			const dependencies: Record<string, string> = {};
			for (const path of readDepfile(readFileSync(depfile, "utf8"))) {
				const absolute = resolve(pericardRoot, path);
				dependencies[this.label(absolute)] = this.#hash(absolute) ?? "";
			}
			const hash = contentHash(key, JSON.stringify(Object.entries(dependencies).sort()));
			const final = join(this.#cache, `${hash}.o`);
			renameSync(object, final);
			const others = variants.filter((variant) => variant.object !== hash).slice(0, 7);
			writeFileSync(join(work, "index"), JSON.stringify([{ object: hash, dependencies }, ...others]));
			renameSync(join(work, "index"), index);
			return { file: final, compiled: true };
		} finally {
			rmSync(work, { recursive: true, force: true });
		}
	}

	#hash(file: string): string | undefined {
		if (!this.#hashes.has(file)) {
			this.#hashes.set(file, existsSync(file) ? contentHash(readFileSync(file)) : undefined);
		}
		return this.#hashes.get(file);
	}

	/** A path as it is called in objects: independent of where the folders are, so what must not depend on that sorts by it. */
	label(path: string): string {
		for (const [dir, label] of this.#roots) if (within(path, dir)) return `${label}${path.slice(dir.length)}`;
		return path;
	}

	#unlabel(path: string): string {
		if (isAbsolute(path)) return path;
		for (const [dir, label] of this.#roots) if (path.startsWith(`${label}/`)) return dir + path.slice(label.length);
		return path;
	}

	#labelled(flag: string): string {
		return flag.startsWith("-I") ? `-I${this.label(flag.slice(2))}` : this.label(flag);
	}
}

function within(path: string, dir: string): boolean {
	return path === dir || path.startsWith(`${dir}/`);
}

interface Variant {
	readonly object: string;
	readonly dependencies: Readonly<Record<string, string>>;
}

function readVariants(index: string): Variant[] {
	if (!existsSync(index)) return [];
	try {
		return JSON.parse(readFileSync(index, "utf8")) as Variant[];
	} catch {
		return [];
	}
}

/* The files of a make rule "out: a b \ c"; a space in a name is escaped. */
function readDepfile(text: string): string[] {
	const list = text.slice(text.indexOf(":") + 1).replace(/\\\n/g, " ");
	return (list.match(/(?:\\.|\S)+/g) ?? []).map((name) => name.replace(/\\(.)/g, "$1").replace(/\$\$/g, "$"));
}
