// Reads Moddable manifest.json files: combines includes and platforms, then matches files to module names.

import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { bearsslFolder } from "../bearssl.mjs";
import type { Board } from "./board.ts";
import { pericardRoot } from "./board.ts";
import { BuildError, displayPath, suggestion } from "./errors.ts";
import { checkPolicy } from "./relocation-policy.ts";

/** A module of the device: one script, known to `import` by its name. */
export interface Module {
	readonly name: string;
	/** The absolute path of the .ts, .js, .mjs or .json file; "" for a module that is generated (`mc/config`). */
	readonly file: string;
	/** The .d.ts beside a .js, if there is one. */
	readonly types: string | undefined;
	/** The manifest that lists it, and where in it. */
	readonly manifest: string;
	readonly key: string;
}

/**
 * The C files that one manifest lists; they are compiled when a module of that manifest is in the image, or the C files of
 * a manifest that includes it are compiled.
 */
export interface NativeGroup {
	readonly manifest: string;
	/** The manifests that it includes. */
	readonly includes: readonly string[];
	/** What the size report calls it: the name of the manifest's folder. */
	readonly component: string;
	readonly sources: readonly string[];
	readonly headers: readonly string[];
	/** Names of the modules that the same manifest lists. */
	readonly modules: readonly string[];
	/** The code of its sources may move while it runs, in an image that has pericard/relocation (docs/relocation.md). */
	readonly relocatable: boolean;
}

/** "creation" of the manifests, merged; undefined where no manifest gives a value. */
export interface Creation {
	static: number | undefined;
	/** What `static` may shrink to where code that moves leaves no more RAM; undefined: it may not. */
	least?: number | undefined;
	chunk: { initial: number | undefined; incremental: number | undefined };
	heap: { initial: number | undefined; incremental: number | undefined };
	stack: number | undefined;
	keys: { initial: number | undefined; incremental: number | undefined };
}

/** What the machine has at least, whatever the manifests say: bytes, and slots of its stack. */
export interface Room {
	/** As many of them as RAM has, if code that moves takes some of it. */
	readonly static: number;
	readonly stack: number;
}

/** A JSON value. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
type JsonObject = { readonly [key: string]: Json };

/** A module that must be in the image even though `main` may not reach it. */
export interface Preload {
	readonly name: string;
	readonly manifest: string;
	readonly key: string;
}

/** Everything that an app, its includes and its board say, combined. */
export interface Manifest {
	/** The app's name: $(NAME), or the name of its folder or file. */
	readonly name: string;
	/** The folder that the app's files are shown relative to. */
	readonly dir: string;
	/** Every manifest that was read, in the order of their effect. */
	readonly files: readonly string[];
	readonly modules: Map<string, Module>;
	readonly natives: readonly NativeGroup[];
	readonly preload: readonly Preload[];
	readonly strip: readonly string[];
	readonly creation: Creation;
	readonly defines: JsonObject;
	readonly config: JsonObject;
	/** Resource name -> file. */
	readonly data: ReadonlyMap<string, string>;
	/** compilerOptions that the manifests add. */
	readonly compilerOptions: JsonObject;
	/** .d.ts files that belong to no script: ambient declarations. */
	readonly declarations: readonly string[];
	/** True for a single file: modules that it imports by a relative path need not be listed. */
	readonly implicit: boolean;
	/** Things a person should know that are no errors. */
	readonly notes: readonly string[];
}

const scriptExtensions = [".ts", ".js", ".mjs"];
const moduleExtensions = [".d.ts", ...scriptExtensions, ".c", ".S", ".h"];
/* Matched only when a manifest writes the ending. */
const explicitExtensions = [".json"];

const handledKeys = new Set([
	"build",
	"include",
	"modules",
	"preload",
	"strip",
	"creation",
	"defines",
	"config",
	"data",
	"relocatable",
	"platforms",
	"typescript",
	"error",
	"warning",
]);
/* Keys that Moddable documents and that mean nothing to this tool-chain: what they'd have done. */
const ignoredKeys = new Map([
	["resources", "resources are converted by the Moddable SDK only; use data for raw files"],
	["ble", "there is no BLE on these boards"],
	["recipes", "make recipes belong to the Moddable SDK"],
	["run", "mods are not supported"],
	["commonjs", "CommonJS modules are not supported"],
	["bundle", ""],
	["ffi", "generated foreign functions are not supported; use native()"],
	["dependency", ""],
	["components", ""],
	["zephyrConfig", ""],
	["zephyrShields", ""],
	["zephyrOverlay", ""],
]);
const allKeys = [...handledKeys, ...ignoredKeys.keys()];

/* The SDK's own base manifests: their place is taken by ours, so that one app manifest serves both tool-chains. */
const sdkBases = new Set([
	"$(MODDABLE)/examples/manifest_base.json",
	"$(MODDABLE)/examples/manifest_typings.json",
	"$(MODDABLE)/modules/io/manifest.json",
]);

interface Group {
	manifest: string;
	sources: Map<string, string>;
	headers: Set<string>;
	modules: Set<string>;
}

/* A set of files to match later, when all variables and excludes are known. */
interface Pattern {
	readonly manifest: string;
	readonly key: string;
	readonly name: string;
	readonly text: string;
	readonly path: string;
}

class Reader {
	readonly files: string[] = [];
	readonly notes: string[] = [];
	readonly preload: Preload[] = [];
	readonly strip: string[] = [];
	readonly patterns: Pattern[] = [];
	readonly excludes: Pattern[] = [];
	readonly dataPatterns: Pattern[] = [];
	readonly dataExcludes: Pattern[] = [];
	creation: JsonObject = {};
	defines: JsonObject = {};
	config: JsonObject = {};
	compilerOptions: JsonObject = {};
	readonly variables = new Map<string, string>();
	/* Manifests whose C files may move. */
	readonly relocatable = new Set<string>();
	/* Manifest -> manifests that it includes. */
	readonly includes = new Map<string, Set<string>>();
	readonly #seen = new Set<string>();
	readonly #reading: string[] = [];
	readonly #board: Board;
	readonly #base: string;

	constructor(board: Board, base: string, root: string) {
		this.#board = board;
		this.#base = base;
		this.variables.set("PERICARD", root);
		this.variables.set("PLATFORM", "pericard");
		this.variables.set("SUBPLATFORM", board.name);
		this.variables.set("BEARSSL", bearsslFolder());
		const moddable = process.env.MODDABLE;
		if (moddable !== undefined && moddable !== "") this.variables.set("MODDABLE", moddable);
	}

	/* Reads a manifest file and, before it, what it includes. A file that was read already has no second effect. */
	read(file: string, from?: { file: string; key: string; text: string }): void {
		if (this.#reading.includes(file)) {
			throw new BuildError(`"${from?.text ?? file}" includes itself`, from);
		}
		if (this.#seen.has(file)) return;
		this.#seen.add(file);
		if (!existsSync(file)) throw new BuildError(`no file "${from?.text ?? displayPath(file)}"`, from ?? { file });
		this.#reading.push(file);
		this.section(parseJsonFile(file), file, "");
		this.#reading.pop();
		this.files.push(file);
	}

	section(manifest: JsonObject, file: string, prefix: string): void {
		for (const [name, value] of Object.entries(manifest)) {
			if (name.startsWith("//")) continue;
			const key = prefix + name;
			const why = ignoredKeys.get(name);
			if (why !== undefined) {
				if (why !== "" && !isEmpty(value)) this.notes.push(`${displayPath(file)}: ${key}: ignored: ${why}`);
			} else if (!handledKeys.has(name)) {
				throw new BuildError(`unknown key${suggestion(name, allKeys)}`, { file, key });
			}
		}
		const at = (name: string) => ({ file, key: prefix + name });
		if (manifest.error !== undefined) throw new BuildError(asText(manifest.error, at("error")), at("error"));
		if (manifest.warning !== undefined) {
			this.notes.push(`${displayPath(file)}: ${asText(manifest.warning, at("warning"))}`);
		}
		this.#build(manifest.build, at("build"));
		this.#include(manifest.include, at("include"));
		this.#build(manifest.build, at("build"));
		this.#paths(manifest.modules, at("modules"), this.patterns, this.excludes);
		this.#paths(manifest.data, at("data"), this.dataPatterns, this.dataExcludes);
		if (manifest.relocatable !== undefined) {
			if (typeof manifest.relocatable !== "boolean") throw new BuildError("expected true or false", at("relocatable"));
			if (manifest.relocatable) this.relocatable.add(file);
			else this.relocatable.delete(file);
		}
		if (manifest.preload !== undefined) {
			for (const [index, name] of asTexts(manifest.preload, at("preload")).entries()) {
				const key = Array.isArray(manifest.preload) ? `${prefix}preload[${index}]` : `${prefix}preload`;
				this.preload.push({ name, manifest: file, key });
			}
		}
		if (manifest.strip !== undefined) this.strip.push(...asTexts(manifest.strip, at("strip")));
		if (manifest.creation !== undefined) {
			const creation = asObject(manifest.creation, at("creation"));
			this.#checkCreation(creation, creationShape, file, `${prefix}creation`);
			this.creation = merge(this.creation, creation);
		}
		if (manifest.defines !== undefined) {
			const defines = asObject(manifest.defines, at("defines"));
			if (defines.relocation !== undefined) {
				checkPolicy(asObject(defines.relocation, at("defines.relocation")), at("defines.relocation"));
			}
			this.defines = merge(this.defines, defines);
		}
		if (manifest.config !== undefined) this.config = merge(this.config, asObject(manifest.config, at("config")));
		this.#typescript(manifest.typescript, at("typescript"));
		this.#platforms(manifest.platforms, at("platforms"));
	}

	substitute(text: string, at: { file: string; key: string }): string {
		return text.replace(/\$\(([^)]*)\)/g, (_, name: string) => {
			const value = this.variables.get(name);
			if (value !== undefined) return value;
			if (name === "MODDABLE") {
				throw new BuildError(`"${text}" needs the Moddable SDK, and $MODDABLE is not set`, at);
			}
			throw new BuildError(`$(${name}) is not defined${suggestion(name, this.variables.keys())}`, at);
		});
	}

	#build(value: Json | undefined, at: { file: string; key: string }): void {
		if (value === undefined) return;
		for (const [name, text] of Object.entries(asObject(value, at))) {
			const key = `${at.key}.${name}`;
			if (typeof text !== "string") throw new BuildError("expected a string", { file: at.file, key });
			this.variables.set(name, this.substitute(text, { file: at.file, key }));
		}
	}

	#include(value: Json | undefined, at: { file: string; key: string }): void {
		if (value === undefined) return;
		const list = Array.isArray(value) ? (value as readonly Json[]) : [value];
		for (const [index, item] of list.entries()) {
			const key = Array.isArray(value) ? `${at.key}[${index}]` : at.key;
			if (typeof item === "object" && item !== null && !Array.isArray(item) && "git" in item) {
				throw new BuildError("a manifest in a git repository can't be included: clone it and include its path", {
					file: at.file,
					key,
				});
			}
			if (typeof item !== "string") throw new BuildError("expected a path", { file: at.file, key });
			if (sdkBases.has(item)) {
				this.read(this.#base);
				continue;
			}
			const path = resolve(dirname(at.file), this.substitute(item, { file: at.file, key }));
			this.includes.set(at.file, (this.includes.get(at.file) ?? new Set()).add(path));
			this.read(path, { file: at.file, key, text: item });
		}
	}

	/* The paths of "modules" or "data", to be matched when everything is read. */
	#paths(value: Json | undefined, at: { file: string; key: string }, into: Pattern[], excludes: Pattern[]): void {
		if (value === undefined) return;
		for (const [name, paths] of Object.entries(asObject(value, at))) {
			if (name.startsWith("//")) continue;
			const base = `${at.key}[${JSON.stringify(name)}]`;
			for (const [index, text] of asTexts(paths, { file: at.file, key: base }).entries()) {
				const key = Array.isArray(paths) ? `${base}[${index}]` : base;
				const path = this.substitute(text, { file: at.file, key });
				const absolute = isAbsolute(path) ? path : join(dirname(at.file), path);
				(name === "~" ? excludes : into).push({ manifest: at.file, key, name, text, path: absolute });
			}
		}
	}

	#checkCreation(value: JsonObject, shape: Shape, file: string, key: string): void {
		for (const [name, item] of Object.entries(value)) {
			if (name.startsWith("//")) continue;
			const expected = shape[name];
			const at = { file, key: `${key}.${name}` };
			if (expected === undefined) throw new BuildError(`unknown key${suggestion(name, Object.keys(shape))}`, at);
			if (typeof expected === "object") this.#checkCreation(asObject(item, at), expected, file, at.key);
			else if (expected === "number" && !(typeof item === "number" && Number.isInteger(item) && item >= 0)) {
				throw new BuildError("expected a whole number of at least 0", at);
			} else if (expected === "main" && item !== "main") {
				throw new BuildError('the first module of an image is "main"; name yours so in "modules"', at);
			} else if (expected === "native") {
				this.notes.push(`${displayPath(file)}: ${at.key}: ignored: the board's linker script gives the C stack`);
			}
			if (key === "creation" && name === "static" && item === 0) {
				throw new BuildError("the heap of an image is one static block: give its size in bytes", at);
			}
		}
	}

	#typescript(value: Json | undefined, at: { file: string; key: string }): void {
		if (value === undefined) return;
		const section = asObject(value, at);
		for (const key of Object.keys(section)) {
			if (key !== "compiler" && key !== "tsconfig" && !key.startsWith("//")) {
				throw new BuildError(`unknown key${suggestion(key, ["compiler", "tsconfig"])}`, {
					file: at.file,
					key: `${at.key}.${key}`,
				});
			}
		}
		if (section.tsconfig === undefined) return;
		const where = { file: at.file, key: `${at.key}.tsconfig` };
		const options = asObject(section.tsconfig, where).compilerOptions;
		if (options === undefined) return;
		const deeper = { file: at.file, key: `${where.key}.compilerOptions` };
		this.compilerOptions = merge(this.compilerOptions, asObject(options, deeper));
	}

	/* Moddable's rule: the platform's entry, then the best entry of the subplatform; "..." when neither exists. */
	#platforms(value: Json | undefined, at: { file: string; key: string }): void {
		if (value === undefined) return;
		const platforms = asObject(value, at);
		const board = this.#board.name;
		const subplatform = [`pericard/${board}`, board, `*/${board}`, "pericard/*"].find((name) => name in platforms);
		let matched = ["pericard", subplatform].filter((name) => name !== undefined && name in platforms);
		if (matched.length === 0) matched = ["..."].filter((name) => name in platforms);
		for (const name of matched as string[]) {
			const prefix = `${at.key}[${JSON.stringify(name)}]`;
			const section = asObject(platforms[name] as Json, { file: at.file, key: prefix });
			this.section(section, at.file, `${prefix}.`);
		}
	}
}

type Shape = { readonly [key: string]: "number" | "main" | "native" | Shape };
const creationShape: Shape = {
	static: "number",
	chunk: { initial: "number", incremental: "number" },
	heap: { initial: "number", incremental: "number" },
	stack: "number",
	keys: { initial: "number", incremental: "number", available: "number", name: "number", symbol: "number" },
	parser: { buffer: "number", table: "number" },
	main: "main",
	nativeStack: "native",
};

/** Options of readManifest that tests need. */
export interface ManifestOptions {
	/** Pericard's tree; its manifests/base.json is the base of every app. */
	readonly root?: string;
	/** key=value pairs that override "config". */
	readonly config?: Readonly<Record<string, string>>;
	readonly room?: Room;
}

/**
 * Reads the manifest of an app for a board. `app` is the path of a folder with a manifest.json, of a manifest itself,
 * or of a single .ts or .js file. Throws BuildError.
 */
export function readManifest(app: string, board: Board, options: ManifestOptions = {}): Manifest {
	const root = options.root ?? pericardRoot;
	const base = join(root, "manifests/base.json");
	const path = resolve(app);
	if (!existsSync(path)) throw new BuildError(`no app "${app}": expected a folder with a manifest.json, or a .ts file`);
	const reader = new Reader(board, base, root);
	if (existsSync(base)) reader.read(base);
	if (board.manifest !== undefined) reader.read(board.manifest);

	let dir = dirname(path);
	let name = basename(path).replace(/\.[^.]*$/, "");
	let implicit = false;
	if (statSync(path).isDirectory()) {
		const file = join(path, "manifest.json");
		if (!existsSync(file)) throw new BuildError("no manifest.json in this folder", { file: path });
		dir = path;
		name = basename(path);
		reader.read(file);
	} else if (path.endsWith(".json")) {
		name = basename(dir);
		reader.read(path);
	} else if (scriptExtensions.some((extension) => path.endsWith(extension))) {
		implicit = true;
		reader.patterns.push({ manifest: path, key: "", name: "main", text: basename(path), path });
	} else {
		throw new BuildError("an app is a folder with a manifest.json, or a .ts file", { file: path });
	}
	name = reader.variables.get("NAME") ?? name;
	if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name))
		name = name.replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "");
	if (name === "") name = "app";

	let config = reader.config;
	for (const [key, value] of Object.entries(options.config ?? {})) config = merge(config, { [key]: value });
	const { modules, natives, declarations } = matchModules(reader, dir);
	if (!modules.has("main")) {
		throw new BuildError('no module "main"', { file: reader.files.at(-1) ?? path, key: "modules" });
	}
	modules.set("mc/config", { name: "mc/config", file: "", types: undefined, manifest: base, key: "config" });
	for (const preload of reader.preload) {
		if (!modules.has(preload.name)) {
			throw new BuildError(`no module "${preload.name}"${suggestion(preload.name, modules.keys())}`, {
				file: preload.manifest,
				key: preload.key,
			});
		}
	}
	return {
		name,
		dir,
		files: reader.files,
		modules,
		natives,
		preload: reader.preload,
		strip: reader.strip,
		creation: withRoom(readCreation(reader.creation), options.room),
		defines: reader.defines,
		config,
		data: matchData(reader),
		compilerOptions: reader.compilerOptions,
		declarations,
		implicit,
		notes: reader.notes,
	};
}

function withRoom(creation: Creation, room: Room | undefined): Creation {
	if (room === undefined) return creation;
	const atLeast = (key: keyof Room) => Math.max(creation[key] ?? 0, room[key]);
	return { ...creation, static: atLeast("static"), least: creation.static ?? 0, stack: atLeast("stack") };
}

function readCreation(value: JsonObject): Creation {
	const number = (path: string): number | undefined => {
		let found: Json | undefined = value;
		for (const name of path.split(".")) {
			found = typeof found === "object" && found !== null ? (found as JsonObject)[name] : undefined;
		}
		return typeof found === "number" ? found : undefined;
	};
	return {
		static: number("static"),
		chunk: { initial: number("chunk.initial"), incremental: number("chunk.incremental") },
		heap: { initial: number("heap.initial"), incremental: number("heap.incremental") },
		stack: number("stack"),
		/* The SDK's older name for keys.initial is keys.available. */
		keys: {
			initial: number("keys.initial") ?? number("keys.available"),
			incremental: number("keys.incremental"),
		},
	};
}

function matchModules(
	reader: Reader,
	appDir: string,
): { modules: Map<string, Module>; natives: NativeGroup[]; declarations: string[] } {
	const excluded = new Set<string>();
	for (const pattern of reader.excludes) {
		for (const file of matchFiles(pattern, moduleExtensions, explicitExtensions)) excluded.add(file);
	}
	const found = new Map<string, { script: Pattern & { file: string }; types?: string }>();
	const types = new Map<string, string>();
	const groups = new Map<string, Group>();
	for (const pattern of reader.patterns) {
		/* What is missing of the library stops the images that have it in them, not all (build.ts). */
		const files =
			pattern.text.startsWith("$(BEARSSL)/") && !existsSync(pattern.path)
				? [pattern.path]
				: matchFiles(pattern, moduleExtensions, explicitExtensions);
		if (files.length === 0) throw noMatch(pattern, moduleExtensions);
		let group = groups.get(pattern.manifest);
		if (group === undefined) {
			group = { manifest: pattern.manifest, sources: new Map(), headers: new Set(), modules: new Set() };
			groups.set(pattern.manifest, group);
		}
		for (const file of files) {
			if (excluded.has(file)) continue;
			const extension = extensionOf(file);
			if (extension === ".c" || extension === ".S") {
				group.sources.set(file, pattern.key);
				continue;
			}
			if (extension === ".h") {
				group.headers.add(file);
				continue;
			}
			const name = targetName(pattern.name, basename(file).slice(0, -extension.length));
			if (extension === ".d.ts") {
				types.set(file.slice(0, -".d.ts".length), file);
				continue;
			}
			const other = found.get(name);
			if (other !== undefined && other.script.file !== file) {
				const same = other.script.manifest === pattern.manifest;
				if (same) {
					throw new BuildError(
						`module "${name}" has two scripts: "${displayPath(other.script.file)}" and "${displayPath(file)}"`,
						{ file: pattern.manifest, key: pattern.key },
					);
				}
				reader.notes.push(
					`${displayPath(pattern.manifest)}: ${pattern.key}: module "${name}" takes the place of ${displayPath(other.script.file)}`,
				);
				groups.get(other.script.manifest)?.modules.delete(name);
			}
			found.set(name, { script: { ...pattern, file } });
			group.modules.add(name);
		}
	}
	const modules = new Map<string, Module>();
	for (const [name, { script }] of found) {
		const stem = script.file.slice(0, -extensionOf(script.file).length);
		const beside = `${stem}.d.ts`;
		const declared = script.file.endsWith(".ts")
			? undefined
			: (types.get(stem) ?? (existsSync(beside) ? beside : undefined));
		modules.set(name, { name, file: script.file, types: declared, manifest: script.manifest, key: script.key });
	}
	const natives: NativeGroup[] = [];
	for (const group of groups.values()) {
		if (group.sources.size === 0) continue;
		const dir = dirname(group.manifest);
		natives.push({
			manifest: group.manifest,
			includes: [...(reader.includes.get(group.manifest) ?? [])].sort(),
			component: dir === appDir ? "app" : basename(dir),
			sources: [...group.sources.keys()].sort(),
			headers: [...group.headers].sort(),
			modules: [...group.modules].sort(),
			relocatable: reader.relocatable.has(group.manifest),
		});
	}
	const used = new Set([...modules.values()].map((module) => module.types));
	return { modules, natives, declarations: [...types.values()].filter((file) => !used.has(file)).sort() };
}

function matchData(reader: Reader): Map<string, string> {
	const excluded = new Set<string>();
	for (const pattern of reader.dataExcludes) for (const file of matchFiles(pattern, undefined, [])) excluded.add(file);
	const data = new Map<string, string>();
	for (const pattern of reader.dataPatterns) {
		const files = matchFiles(pattern, undefined, []);
		if (files.length === 0) throw noMatch(pattern, undefined);
		for (const file of files) {
			if (excluded.has(file)) continue;
			const ending = /\.[^./]*$/.exec(file)?.[0] ?? "";
			const stem = basename(file).slice(0, basename(file).length - ending.length);
			const target = targetName(pattern.name, stem);
			data.set(target.endsWith(ending) ? target : target + ending, file);
		}
	}
	return data;
}

/* "*" -> the file's own name, "a/*" -> "a/" and the file's name, else the name as it is. */
function targetName(name: string, stem: string): string {
	return name.includes("*") ? name.replace("*", stem) : name;
}

function extensionOf(file: string): string {
	return [...moduleExtensions, ...explicitExtensions].find((extension) => file.endsWith(extension)) ?? "";
}

/* The files that a path of a manifest means, sorted. Without an ending: every file of that name with an ending that
 * `implied` has (undefined: any). A "*" stands for any characters within one name; `explicit` endings must be written. */
function matchFiles(pattern: Pattern, implied: readonly string[] | undefined, explicit: readonly string[]): string[] {
	const dir = dirname(pattern.path);
	const wanted = basename(pattern.path);
	if (wanted.startsWith("~."))
		throw new BuildError(`"${pattern.text}" is not a path`, { file: pattern.manifest, key: pattern.key });
	if (!existsSync(dir) || !statSync(dir).isDirectory()) return [];
	const known = implied === undefined ? undefined : [...implied, ...explicit];
	const ending = known?.find((extension) => wanted.endsWith(extension));
	const regexp = new RegExp(`^${wanted.split("*").map(escapeRegExp).join("[^/]*")}$`);
	const found: string[] = [];
	for (const entry of readdirSync(dir, { withFileTypes: true })) {
		const file = join(dir, entry.name);
		if (entry.name.startsWith(".") || !(entry.isFile() || (entry.isSymbolicLink() && statSync(file).isFile())))
			continue;
		if (regexp.test(entry.name) && (known === undefined || known.some((extension) => entry.name.endsWith(extension)))) {
			const own = known === undefined ? undefined : extensionOf(entry.name);
			if (own !== undefined && explicit.includes(own) && ending !== own) continue;
			/* "*.ts" is no declaration file. */
			if (own === ".d.ts" && ending !== undefined && ending !== ".d.ts") continue;
			found.push(file);
		} else if (ending === undefined) {
			const own =
				implied === undefined
					? (/\.[^.]*$/.exec(entry.name)?.[0] ?? "")
					: (implied.find((e) => entry.name.endsWith(e)) ?? "");
			if (own !== "" && regexp.test(entry.name.slice(0, -own.length))) found.push(file);
		}
	}
	return found.sort();
}

function noMatch(pattern: Pattern, extensions: readonly string[] | undefined): BuildError {
	const at = { file: pattern.manifest, key: pattern.key };
	const dir = dirname(pattern.path);
	const wanted = basename(pattern.path);
	const ending = /\.[a-z]+$/.exec(wanted)?.[0];
	if (extensions !== undefined && ending !== undefined && existsSync(pattern.path) && !wanted.includes("*")) {
		return new BuildError(`"${pattern.text}" is no module: only .ts, .js, .mjs, .json, .c, .S and .h files are`, at);
	}
	if (!existsSync(dir)) return new BuildError(`no file matches "${pattern.text}": no folder "${displayPath(dir)}"`, at);
	const names = readdirSync(dir)
		.map((name) => (ending === undefined ? name.replace(/\.[^.]*$/, "") : name))
		.filter((name) => name !== "manifest");
	return new BuildError(`no file matches "${pattern.text}"${suggestion(wanted, new Set(names))}`, at);
}

function escapeRegExp(text: string): string {
	return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function parseJsonFile(file: string): JsonObject {
	const text = readFileSync(file, "utf8");
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch (error) {
		const message = (error as Error).message;
		const position = /position (\d+)/.exec(message)?.[1];
		const before = text.slice(0, position === undefined ? text.length : Number(position)).split("\n");
		throw new BuildError(`not JSON: ${message.replace(/ in JSON at position \d+.*/s, "")}`, {
			file,
			line: before.length,
			column: (before.at(-1)?.length ?? 0) + 1,
		});
	}
	return asObject(value as Json, { file });
}

/* Objects merge deeply, anything else is replaced by the later value. */
function merge(earlier: JsonObject, later: JsonObject): JsonObject {
	const result: Record<string, Json> = { ...earlier };
	for (const [key, value] of Object.entries(later)) {
		const before = result[key];
		result[key] = isObject(before) && isObject(value) ? merge(before, value) : value;
	}
	return result;
}

function isObject(value: Json | undefined): value is JsonObject {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isEmpty(value: Json): boolean {
	return (Array.isArray(value) && value.length === 0) || (isObject(value) && Object.keys(value).length === 0);
}

function asObject(value: Json, at: { file: string; key?: string }): JsonObject {
	if (!isObject(value)) throw new BuildError("expected an object", at);
	return value;
}

function asText(value: Json, at: { file: string; key: string }): string {
	if (typeof value !== "string") throw new BuildError("expected a string", at);
	return value;
}

function asTexts(value: Json, at: { file: string; key: string }): string[] {
	if (typeof value === "string") return [value];
	if (!Array.isArray(value) || !value.every((item) => typeof item === "string")) {
		throw new BuildError("expected a string or an array of strings", at);
	}
	return [...(value as string[])];
}
