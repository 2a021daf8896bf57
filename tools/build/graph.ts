// From main to the set of modules in the image: follows imports, compiles each module, maps its code to TypeScript.

import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";
import { buildCompiler, compileModule, engineIds, XsCompileError, type XsEngine, type XsModule } from "../xs/xs.ts";
import { pericardRoot } from "./board.ts";
import { cacheDirectory, contentHash } from "./cache.ts";
import { BuildError, displayPath, suggestion } from "./errors.ts";
import type { Manifest, Module } from "./manifest.ts";
import { mapParallel } from "./process.ts";
import { type EmittedModule, type ImportSite, TypeScript } from "./typescript.ts";

/** [offset in code, line in the source, column], ascending by offset; lines count from 1, columns from 0. */
export type CodeLine = readonly [offset: number, line: number, column: number];

/** A module of the image. */
export interface GraphModule {
	readonly module: Module;
	/** How its source is shown: relative to Pericard's tree or to the app's folder, the same on every machine. */
	readonly source: string;
	readonly preload: boolean;
	readonly object: XsModule;
	readonly lines: readonly CodeLine[];
}

/** A native that a module refers to, and where. */
export interface NativeUse {
	readonly name: string;
	readonly file: string;
	readonly line: number;
}

export interface Graph {
	readonly engine: XsEngine;
	/** Sorted by name. */
	readonly modules: readonly GraphModule[];
	/** Sorted by name, then by file and line. */
	readonly natives: readonly NativeUse[];
}

/** Checks, emits and compiles all modules that the image needs. `work` receives their JavaScript. Throws BuildError. */
export async function buildGraph(
	manifest: Manifest,
	work: string,
	progress: (message: string) => void = () => {},
): Promise<Graph> {
	const tool = await buildCompiler(progress);
	const typescript = new TypeScript(manifest);
	const emitted = reach(manifest, typescript, progress);
	const preloads = new Set(manifest.preload.map((preload) => preload.name));
	const modules = await mapParallel([...emitted], async ([module, output]): Promise<GraphModule> => {
		const object = await compileCached(tool, module, output, work, typescript.sourceFile(module));
		const lines = mapLines(object.lines, output.map);
		return { module, source: sourceName(module, manifest), preload: preloads.has(module.name), object, lines };
	});
	modules.sort((a, b) => (a.module.name < b.module.name ? -1 : 1));
	const natives: NativeUse[] = [];
	for (const { module, object } of modules) {
		const output = emitted.get(module);
		if (output === undefined) continue;
		for (const host of object.hosts) {
			const line = mapLine(host.line, new TraceMap(output.map)) ?? host.line;
			natives.push({ name: host.name, file: typescript.sourceFile(module), line });
		}
	}
	natives.sort((a, b) => compare(a.name, b.name) || compare(a.file, b.file) || a.line - b.line);
	return { engine: await cachedEngineIds(tool), modules, natives };
}

function compare(a: string, b: string): number {
	return a < b ? -1 : a > b ? 1 : 0;
}

/* The modules that main, preload and dynamic imports reach, as JavaScript. */
function reach(
	manifest: Manifest,
	typescript: TypeScript,
	progress: (message: string) => void,
): Map<Module, EmittedModule> {
	const resolver = new ImportResolver(manifest);
	const wanted = ["main", ...manifest.preload.map((preload) => preload.name)];
	const roots = wanted.map((name) => manifest.modules.get(name)).filter((module) => module !== undefined);
	progress("checking TypeScript");
	typescript.check(roots);
	const emitted = new Map<Module, EmittedModule>();
	const queue = [...roots];
	let all = false;
	for (let module = queue.shift(); module !== undefined; module = queue.shift()) {
		if (emitted.has(module)) continue;
		if (!typescript.covers(module)) typescript.check([...roots, ...emitted.keys(), module, ...queue]);
		const output = typescript.emit(module, resolver.resolve);
		emitted.set(module, output);
		for (const name of output.imports) queue.push(resolver.module(name));
		/* Nobody knows what it will import: everything stays. */
		if (output.computedImport && !all) {
			all = true;
			queue.push(...manifest.modules.values());
			typescript.check([...roots, ...manifest.modules.values()]);
		}
	}
	return emitted;
}

/** Turns specifiers into module names by the rule of the device. */
export class ImportResolver {
	readonly #manifest: Manifest;
	readonly #byFile = new Map<string, string>();

	constructor(manifest: Manifest) {
		this.#manifest = manifest;
		for (const module of manifest.modules.values()) {
			if (module.file !== "") this.#byFile.set(module.file, module.name);
			if (module.types !== undefined) this.#byFile.set(module.types, module.name);
		}
	}

	module(name: string): Module {
		const module = this.#manifest.modules.get(name);
		if (module === undefined) throw new Error(`unresolved module ${name}`);
		return module;
	}

	/**
	 * A bare specifier is a module's name. `./x` and `../x` name the file beside the importing one; that file's module, or
	 * else the module of that name relative to the importing module's name. Throws BuildError.
	 */
	readonly resolve = (specifier: string, importer: Module, site: ImportSite): string => {
		const { modules } = this.#manifest;
		if (!/^\.\.?\//.test(specifier)) {
			const name = modules.has(specifier) ? specifier : specifier.replace(/\.[jt]s$/, "");
			if (modules.has(name)) return name;
			throw new BuildError(`no module "${specifier}"${suggestion(specifier, modules.keys())}`, site);
		}
		const path = importer.file === "" ? undefined : findFile(resolve(dirname(importer.file), specifier));
		const known = path === undefined ? undefined : this.#byFile.get(path);
		if (known !== undefined) return known;
		const name = relativeName(importer.name, specifier);
		if (name !== undefined && modules.has(name)) return name;
		if (path === undefined) {
			throw new BuildError(
				`no module "${specifier}" beside "${importer.name}"${suggestion(name ?? specifier, modules.keys())}`,
				site,
			);
		}
		if (!this.#manifest.implicit) {
			throw new BuildError(
				`"${specifier}" is ${displayPath(path)}, which no manifest lists: add it to "modules" of ${displayPath(importer.manifest)}`,
				site,
			);
		}
		return this.#add(path, site);
	};

	/* A single file's imports are modules without being listed, named after their place beside it. */
	#add(path: string, site: ImportSite): string {
		const place = relative(this.#manifest.dir, path).replace(/\.(d\.)?[a-z]+$/, "");
		const name = place.replaceAll("../", "up/");
		const other = this.#manifest.modules.get(name);
		if (other !== undefined) {
			throw new BuildError(`${displayPath(path)} would be module "${name}", which is ${displayPath(other.file)}`, site);
		}
		this.#manifest.modules.set(name, { name, file: path, types: undefined, manifest: site.file, key: "" });
		this.#byFile.set(path, name);
		return name;
	}
}

/* The script that a relative specifier means: as written, with an ending added, or a .ts for a .js. */
function findFile(path: string): string | undefined {
	const stem = path.replace(/\.m?js$/, "");
	const candidates = [path, ...[".ts", ".js", ".mjs"].map((ending) => path + ending), `${stem}.ts`];
	return candidates.find((candidate) => /\.(ts|m?js|json)$/.test(candidate) && isFile(candidate));
}

function isFile(path: string): boolean {
	return existsSync(path) && statSync(path).isFile();
}

/** `specifier` relative to the name of the importing module; undefined when it climbs out. */
export function relativeName(importer: string, specifier: string): string | undefined {
	const parts = importer.split("/").slice(0, -1);
	for (const part of specifier.split("/")) {
		if (part === ".") continue;
		if (part !== "..") parts.push(part);
		else if (parts.pop() === undefined) return undefined;
	}
	return parts.join("/").replace(/\.[jt]s$/, "");
}

function sourceName(module: Module, manifest: Manifest): string {
	if (module.file === "") return module.name;
	const own = relative(pericardRoot, module.file);
	return own.startsWith("../") ? relative(manifest.dir, module.file) : own;
}

/* Compiles a module unless the cache has what the same compiler made of the same JavaScript. */
async function compileCached(
	tool: string,
	module: Module,
	output: EmittedModule,
	work: string,
	source: string,
): Promise<XsModule> {
	/* The compiler's own name holds the hash of what it was built from. */
	const key = contentHash("module 1", basename(tool), module.name, output.js);
	const cached = join(cacheDirectory("modules"), `${key}.json`);
	const file = join(work, `${module.name.replace(/[^\w./-]/g, "_")}.js`);
	mkdirSync(dirname(file), { recursive: true });
	writeFileSync(file, output.js);
	writeFileSync(`${file}.map`, output.map);
	if (existsSync(cached)) {
		const json = JSON.parse(readFileSync(cached, "utf8")) as Omit<XsModule, "code"> & { readonly code: string };
		return { ...json, code: Buffer.from(json.code, "base64") };
	}
	try {
		const object = await compileModule(tool, file, module.name);
		const temporary = `${cached}.${process.pid}`;
		writeFileSync(temporary, JSON.stringify({ ...object, code: Buffer.from(object.code).toString("base64") }));
		renameSync(temporary, cached);
		return object;
	} catch (error) {
		if (!(error instanceof XsCompileError)) throw error;
		const map = new TraceMap(output.map);
		const lines = error.problems.map(
			({ line, message }) => `${displayPath(source)}:${mapLine(line, map) ?? line}: ${message}`,
		);
		throw Object.assign(new BuildError(lines.join("\n")), { file: source });
	}
}

async function cachedEngineIds(tool: string): Promise<XsEngine> {
	const cached = join(cacheDirectory("modules"), `${basename(tool)}.ids.json`);
	if (existsSync(cached)) return JSON.parse(readFileSync(cached, "utf8")) as XsEngine;
	const engine = await engineIds(tool);
	writeFileSync(`${cached}.${process.pid}`, JSON.stringify(engine));
	renameSync(`${cached}.${process.pid}`, cached);
	return engine;
}

/* The source line that begins a line of JavaScript. */
function mapLine(line: number, map: TraceMap): number | undefined {
	for (let column = 0; column < 256; column += column === 0 ? 1 : 8) {
		const position = originalPositionFor(map, { line, column });
		if (position.line !== null) return position.line;
	}
	return undefined;
}

function mapLines(lines: readonly (readonly [number, number])[], json: string): CodeLine[] {
	const map = new TraceMap(json);
	const mapped: CodeLine[] = [];
	for (const [offset, jsLine] of lines) {
		const line = mapLine(jsLine, map);
		if (line === undefined || mapped.at(-1)?.[1] === line) continue;
		mapped.push([offset, line, 0]);
	}
	return mapped;
}
