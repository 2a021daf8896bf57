// buildFirmware: from an app's folder or file to an image for one board.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { bearssl, bearsslAdvice, bearsslFolder, bearsslProblem } from "../bearssl.mjs";
import { xsSources } from "../xs/xs.ts";
import { type Archive, compareNames, type HostRef, noName, readArchive, writeArchive } from "./archive.ts";
import { type Board, pericardRoot, readBoard } from "./board.ts";
import { placeCode } from "./bytecode.ts";
import { Compiler, engineDescription, type Source } from "./cc.ts";
import { makeCorim } from "./corim.ts";
import { type Diversity, readSeed, type Seed } from "./diversify.ts";
import { BuildError, displayPath } from "./errors.ts";
import { buildGraph, type Graph } from "./graph.ts";
import { buildHeader, identitySource, readIdentity } from "./identity.ts";
import { checkNatives, configSource, definesSource, link, nativesSource } from "./link.ts";
import { locked } from "./lock.ts";
import { type Creation, type Manifest, type Room, readManifest } from "./manifest.ts";
import { movingReport } from "./moving.ts";
import { imageRegions, makeReference, type Reference } from "./reference.ts";
import { checkPolicy, type RelocationPolicy } from "./relocation-policy.ts";
import type { SizeReport } from "./size.ts";
import { makeSymbols } from "./symbols.ts";

export { BuildError } from "./errors.ts";
export type { RelocationPolicy } from "./relocation-policy.ts";
export type { SizeReport } from "./size.ts";

export interface BuildOptions {
	/** A folder with a manifest.json, a manifest, a single .ts file, or the name of an app in firmware/apps. */
	readonly app: string;
	readonly board: string;
	/** The output goes to `<out>/<board>/<app>[-debug][-sanitize][-<seed's ID>]`; `build` if not given. */
	readonly out?: string;
	/** Line tables in the archive, and an image that says it is a debug build. */
	readonly debug?: boolean;
	/** AddressSanitizer and UndefinedBehaviorSanitizer; posix only. */
	readonly sanitize?: boolean;
	/** A seed (text or bytes): the functions in flash get an order of their own, with reference values of their own. */
	readonly diversify?: string | Uint8Array | undefined;
	/** When code moves, in place of what the manifests say; "none": it stays in flash, to compare with. */
	readonly relocation?: RelocationPolicy | "none";
	/** key=value pairs that override "config" of the manifests. */
	readonly config?: Readonly<Record<string, string>>;
	/** Memory that the machine has at least, though the manifests give it less. */
	readonly room?: Room;
	readonly progress?: (message: string) => void;
}

export interface Build {
	/** The app's name. */
	readonly name: string;
	readonly board: string;
	/** Folder of all outputs. */
	readonly dir: string;
	/** The ELF file; on posix the executable. */
	readonly elf: string;
	readonly hex?: string;
	readonly map?: string;
	readonly archive: string;
	readonly symbolsFile: string;
	readonly size: SizeReport;
	/** Address of each symbol of the ELF. */
	readonly symbols: Map<string, number>;
	/** Names of the modules in the image. */
	readonly modules: readonly string[];
	/** What a device that runs the image unchanged measures. */
	readonly reference: Reference;
	/** `<name>.reference.json`: the same, in a file. */
	readonly referenceFile: string;
	/** `<name>.corim`: the same as CoRIM (CBOR). */
	readonly corimFile: string;
	/** With a seed: how much its order is worth; also in `<name>.diversity.json`. */
	readonly diversity?: Diversity;
}

/* Cores in native/ that the hosts themselves call. */
const hostCores = ["native/archive/archive.c", "native/crc/crc.c"];
/* An app that preloads it, by manifests/relocation.json, moves what may move, if its board can. */
const relocator = "pericard/relocation";

/** Builds an image. Throws BuildError for every mistake in the app, its manifests or its C files. */
export async function buildFirmware(options: BuildOptions): Promise<Build> {
	const progress = options.progress ?? (() => {});
	const board = readBoard(options.board);
	const debug = options.debug ?? false;
	const sanitize = options.sanitize ?? false;
	if (sanitize && board.cpu !== "host") throw new BuildError(`sanitizers run on posix only, not on ${board.name}`);
	const seed = options.diversify === undefined ? undefined : readSeed(options.diversify);
	const manifest = readManifest(findApp(options.app), board, {
		config: options.config,
		room: options.room,
	});
	for (const note of manifest.notes) progress(`note: ${note}`);

	const variant = `${manifest.name}${debug ? "-debug" : ""}${sanitize ? "-sanitize" : ""}${seed ? `-${seed.id}` : ""}`;
	const dir = resolve(options.out ?? "build", board.name, variant);
	return locked(
		`${dir}.lock`,
		() => progress(`waiting for another build in ${displayPath(dir)}`),
		() => buildIn(dir, manifest, board, { debug, sanitize, seed, relocation: options.relocation, progress }),
	);
}

interface Variant {
	readonly debug: boolean;
	readonly sanitize: boolean;
	readonly seed: Seed | undefined;
	readonly relocation: RelocationPolicy | "none" | undefined;
	readonly progress: (message: string) => void;
}

async function buildIn(dir: string, manifest: Manifest, board: Board, variant: Variant): Promise<Build> {
	const { debug, sanitize, seed, relocation, progress } = variant;
	const generated = join(dir, "generated");
	for (const folder of ["generated", "modules"]) {
		rmSync(join(dir, folder), { recursive: true, force: true });
		mkdirSync(join(dir, folder), { recursive: true });
	}

	const graph = await buildGraph(manifest, join(dir, "modules"), progress);
	const names = [...new Set(graph.natives.map((use) => use.name))].sort(compareNames);
	writeFileSync(join(generated, "natives.c"), nativesSource(names));
	const configure = (creation: Creation): void =>
		writeFileSync(
			join(generated, "config.c"),
			configSource(creation, manifest.name, debug ? "debug" : "release", board.cpu === "host"),
		);
	configure(manifest.creation);
	const identity = readIdentity(manifest, board.name, graph.engine.version, debug);
	writeFileSync(join(generated, "identity.c"), identitySource(identity));
	const used = nativeFiles(manifest, graph);
	const moves =
		relocation !== "none" &&
		board.relocates &&
		manifest.preload.some(({ name }) => name === relocator) &&
		used.some((source) => source.relocatable);
	writeFileSync(join(generated, "build.h"), buildHeader(debug, moves));
	writeFileSync(
		join(generated, "mc.defines.h"),
		definesSource(definesOf(manifest, relocation), manifest.files.at(-1) ?? manifest.dir),
	);

	const include = includeFolders(manifest);
	const compilerOptions = { board, sanitize, generated, app: manifest.dir, include, progress };
	const compiler = new Compiler(compilerOptions);
	const label = (file: string): string => compiler.label(file);
	const natives = used.sort((a, b) => compareNames(label(a.file), label(b.file)));
	const sources = [...engineFiles(), ...hostFiles(board), ...natives];
	const objects = await compiler.compile([...unique(sources), ...generatedFiles(generated)]);
	checkNatives(graph.natives, objects);

	const archive = writeArchive(makeArchive(graph, manifest, names, debug));
	readArchive(archive);
	progress("linking");
	const linked = await link({
		board,
		manifest,
		name: manifest.name,
		dir,
		objects,
		archive,
		sanitize,
		seed,
		moves,
		label,
		resize: async (bytes) => {
			progress(`a heap of ${bytes} bytes, for code that moves takes RAM`);
			configure({ ...manifest.creation, static: bytes });
			/* A compiler reads a file once. */
			const again = new Compiler({ ...compilerOptions, progress: () => {} });
			const [object] = await again.compile([generatedSource(generated, "config.c")]);
			if (object === undefined) throw new Error("no config.c");
			return object;
		},
	});
	const symbolsFile = join(dir, `${manifest.name}.symbols.json`);
	writeFileSync(symbolsFile, `${JSON.stringify(makeSymbols(graph.modules))}\n`);
	writeFileSync(join(dir, `${manifest.name}.size.json`), `${JSON.stringify(linked.size, null, "\t")}\n`);
	const reference = makeReference(imageRegions(readFileSync(linked.elf), board), identity, linked.moving?.plan);
	const referenceFile = join(dir, `${manifest.name}.reference.json`);
	const corimFile = join(dir, `${manifest.name}.corim`);
	writeFileSync(referenceFile, `${JSON.stringify(reference, null, "\t")}\n`);
	writeFileSync(corimFile, makeCorim(reference));
	const { diversity, moving } = linked;
	if (moving !== undefined) {
		const report = JSON.stringify(movingReport(moving), null, "\t");
		writeFileSync(join(dir, `${manifest.name}.relocation.json`), `${report}\n`);
	}
	if (diversity !== undefined) {
		writeFileSync(join(dir, `${manifest.name}.diversity.json`), `${JSON.stringify(diversity, null, "\t")}\n`);
	}
	return {
		name: manifest.name,
		board: board.name,
		dir,
		elf: linked.elf,
		...(linked.hex === undefined ? {} : { hex: linked.hex }),
		map: linked.map,
		archive: linked.archive,
		symbolsFile,
		size: linked.size,
		symbols: linked.symbols,
		modules: graph.modules.map(({ module }) => module.name),
		reference,
		referenceFile,
		corimFile,
		...(diversity === undefined ? {} : { diversity }),
	};
}

/* "defines" of the manifests, with another policy of moving if one is given. */
function definesOf(manifest: Manifest, relocation: RelocationPolicy | "none" | undefined): Manifest["defines"] {
	if (relocation === undefined || relocation === "none") return manifest.defines;
	checkPolicy(relocation, {});
	const own = manifest.defines.relocation;
	return { ...manifest.defines, relocation: { ...(typeof own === "object" ? own : {}), ...relocation } };
}

function findApp(app: string): string {
	const own = join(pericardRoot, "firmware/apps", app);
	return !existsSync(app) && /^[\w.-]+$/.test(app) && existsSync(own) ? own : app;
}

function engineFiles(): Source[] {
	const { sources } = xsSources();
	return engineDescription().sources.map((name) => ({
		file: join(sources, name),
		kind: "engine",
		component: "engine",
	}));
}

function hostFiles(board: Board): Source[] {
	const files = new Set<string>();
	for (const pattern of board.sources) {
		const path = resolve(board.dir, pattern);
		const expression = new RegExp(
			`^${basename(path)
				.replace(/[.+?^${}()|[\]\\]/g, "\\$&")
				.replaceAll("*", ".*")}$`,
		);
		const matches = existsSync(dirname(path)) ? readdirSync(dirname(path)).filter((name) => expression.test(name)) : [];
		if (matches.length === 0) {
			throw new BuildError(`no file matches "${pattern}"`, { file: join(board.dir, "board.json"), key: "sources" });
		}
		for (const name of matches.sort()) if (/\.[cS]$/.test(name)) files.add(join(dirname(path), name));
	}
	for (const core of hostCores) files.add(join(pericardRoot, core));
	return [...files].map((file) => ({ file, kind: "host", component: "host" }));
}

/* The C files of those manifests that also list a module of the image, and of those that such manifests include. */
function nativeFiles(manifest: Manifest, graph: Graph): Source[] {
	const modules = new Set(graph.modules.map(({ module }) => module.name));
	const used = new Set(manifest.natives.filter((group) => group.modules.some((name) => modules.has(name))));
	for (const group of used) {
		for (const other of manifest.natives) if (group.includes.includes(other.manifest)) used.add(other);
	}
	const library = bearsslFolder();
	const sources = manifest.natives
		.filter((group) => used.has(group))
		.flatMap((group) =>
			group.sources.map(
				(file): Source =>
					file.startsWith(`${library}/`)
						? { file, kind: "library", component: "native:bearssl", relocatable: group.relocatable }
						: { file, kind: "native", component: `native:${group.component}`, relocatable: group.relocatable },
			),
		);
	const files = sources.filter(({ kind }) => kind === "library").map(({ file }) => relative(library, file));
	const unknown = files.find((file) => bearssl.files[file] === undefined);
	if (unknown !== undefined) throw new BuildError(`native/crypto/bearssl.json has no SHA-256 for ${unknown}`);
	const problem = files.length === 0 ? undefined : bearsslProblem();
	if (problem !== undefined) throw new BuildError(`${problem}\n${bearsslAdvice()}`);
	return sources;
}

function generatedSource(generated: string, name: string): Source {
	return { file: join(generated, name), kind: "generated", component: "host" };
}

function generatedFiles(generated: string): Source[] {
	return ["natives.c", "config.c", "identity.c"].map((name) => generatedSource(generated, name));
}

function unique(sources: readonly Source[]): Source[] {
	return [...new Map([...sources].reverse().map((source) => [source.file, source])).values()].reverse();
}

/* Every folder of native/, for the hosts and for each other, and those of the manifests' own C files. */
function includeFolders(manifest: Manifest): string[] {
	const folders = new Set<string>();
	const native = join(pericardRoot, "native");
	if (existsSync(native)) {
		for (const entry of readdirSync(native, { withFileTypes: true })) {
			if (entry.isDirectory()) folders.add(join(native, entry.name));
		}
	}
	for (const group of manifest.natives) {
		for (const file of [...group.sources, ...group.headers]) {
			if (!file.startsWith(`${bearsslFolder()}/`)) folders.add(dirname(file));
		}
	}
	return [...folders];
}

/* Gives every name of the modules its machine ID and writes that into the code. */
function makeArchive(graph: Graph, manifest: Manifest, natives: readonly string[], debug: boolean): Archive {
	const firstId = graph.engine.ids.length;
	const builtin = new Map<string, number>();
	for (let id = firstId - 1; id >= graph.engine.symbols; id--) builtin.set(graph.engine.ids[id] as string, id);
	const used = new Set<string>();
	for (const { object } of graph.modules) {
		for (const name of object.symbols) if (name !== null && !builtin.has(name)) used.add(name);
	}
	const symbols = [...used].sort(compareNames);
	/* 0xFFFF is kept for "no name". */
	if (firstId + symbols.length >= noName) throw new BuildError(`${symbols.length} different names are too many`);
	const ids = new Map([...builtin, ...symbols.map((name, index): [string, number] => [name, firstId + index])]);
	const idOf = (name: string): number => {
		const id = ids.get(name);
		if (id === undefined) throw new Error(`name ${name} has no ID`);
		return id;
	};
	const numbers = new Map(natives.map((name, index) => [name, index]));
	const [major, minor, patch] = graph.engine.version;
	return {
		engine: ((major << 24) | (minor << 16) | (patch << 8)) >>> 0,
		firstId,
		debug,
		symbols,
		hosts: natives,
		modules: graph.modules.map((module) => ({
			name: module.module.name,
			code: placeCode(module.object, idOf),
			hostRefs: module.object.hosts.map(({ name, symbol, length }): HostRef => {
				const label = symbol < 0 ? null : module.object.symbols[symbol];
				const native = numbers.get(name);
				if (native === undefined) throw new Error(`native ${name} has no number`);
				return { native, length, nameId: label == null ? noName : (ids.get(label) ?? noName) };
			}),
			lines: module.lines.map(([offset, line]): [number, number] => [offset, line]),
			source: debug ? module.source : undefined,
			preload: module.preload,
		})),
		resources: [...manifest.data].map(([name, file]) => ({ name, data: readFileSync(file) })),
	};
}
