// The XS engine's sources as a build input, and the compiler front end (xsc.c) built from them and called.

import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheDirectory, contentHash } from "../build/cache.ts";

/** Absolute folders of the engine's sources, as the npm package ships them. */
export interface XsSources {
	/** The folder that holds the other three. */
	readonly root: string;
	/** `xs*.c` and their private headers. */
	readonly sources: string;
	/** `xs.h` and `xsmc.h`, for natives. */
	readonly includes: string;
	/** `xsPlatform.h` and `xsHost.h`. */
	readonly platforms: string;
}

/** A native that a module's code refers to. */
export interface XsHost {
	/** Index into the module's `symbols` of the function's name, or -1. */
	readonly symbol: number;
	/** The function's `length`, 0..127, or -1: not a function but the prototype of a native class (a destructor). */
	readonly length: number;
	/** The C function. */
	readonly name: string;
	/** Line of the JavaScript, 1-based. */
	readonly line: number;
}

/** A compiled module. docs/xs-compiler.md describes each field. */
export interface XsModule {
	readonly name: string;
	/** The names that the code uses, by the index that the code carries; index 0 is always null: no name. */
	readonly symbols: readonly (string | null)[];
	readonly code: Uint8Array;
	/** Byte offsets in `code` of each little-endian u16 symbol index (never of index 0), ascending. */
	readonly ids: readonly number[];
	/** In the order of the indices that HOST codes carry. */
	readonly hosts: readonly XsHost[];
	/** `[byte offset, line of the JavaScript]`, ascending by offset: the line holds until the next entry's offset. */
	readonly lines: readonly (readonly [offset: number, line: number])[];
	/** Specifiers of static imports and of `export ... from`, each once, in source order. */
	readonly imports: readonly string[];
	/** Specifiers of `import("literal")`, each once. */
	readonly dynamicImports: readonly string[];
	/** Whether there is an `import()` whose argument is no string literal. */
	readonly computedImport: boolean;
}

/** The identifiers that the engine is born with. */
export interface XsEngine {
	readonly version: readonly [major: number, minor: number, patch: number];
	/** The first `symbols` entries of `ids` describe symbols (`Symbol.iterator`, ...) and are no names. */
	readonly symbols: number;
	/** By machine ID; the first ID that a module may define is `ids.length`. */
	readonly ids: readonly string[];
}

/** A mistake in the source: what and where. */
export interface XsProblem {
	/** Line of the JavaScript, 1-based. */
	readonly line: number;
	readonly message: string;
}

/** The source does not compile. `message` has one line a problem: `file:line: what`. */
export class XsCompileError extends Error {
	override readonly name = "XsCompileError";
	readonly file: string;
	readonly problems: readonly XsProblem[];

	constructor(file: string, problems: readonly XsProblem[]) {
		super(problems.map(({ line, message }) => `${file}:${line}: ${message}`).join("\n"));
		this.file = file;
		this.problems = problems;
	}
}

const engineSources = [
	"xsBigInt.c",
	"xsCommon.c",
	"xsdtoa.c",
	"xsLexical.c",
	"xsre.c",
	"xsScope.c",
	"xsScript.c",
	"xsSourceMap.c",
	"xsSyntaxical.c",
	"xsTree.c",
] as const;
const ownSources = ["xsc.c", "native.c", "coder.c"] as const;
const engineFlags = ["-std=gnu11", "-O1", "-fno-common", "-DmxParse=1", "-DmxCompile=1", "-DmxCESU8=1"] as const;
const ownWarnings = ["-Wall", "-Wextra", "-Werror"] as const;
const outputLimit = 256 * 1024 * 1024; // bytes that the tool may print

/** Finds the engine's sources. Throws if the package is not installed. */
export function xsSources(): XsSources {
	let manifest: string;
	try {
		manifest = createRequire(import.meta.url).resolve("@agoric/xsnap/package.json");
	} catch {
		throw new Error("the XS engine's sources are missing: run `npm install` (package @agoric/xsnap)");
	}
	const root = join(dirname(manifest), "moddable", "xs");
	const folders = {
		root,
		sources: join(root, "sources"),
		includes: join(root, "includes"),
		platforms: join(root, "platforms"),
	};
	for (const folder of Object.values(folders)) {
		if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
			throw new Error(`the XS engine's sources are incomplete: ${folder} is missing; run \`npm ci\``);
		}
	}
	return folders;
}

interface Finished {
	/** Exit code; null after a signal. */
	readonly code: number | null;
	readonly stdout: string;
	readonly stderr: string;
}

function run(command: string, args: readonly string[], cwd?: string): Promise<Finished> {
	return new Promise((resolve, reject) => {
		execFile(command, args, { cwd, maxBuffer: outputLimit }, (error, stdout, stderr) => {
			if (error !== null && typeof error.code === "string") {
				reject(error); // it did not start, or printed too much
			} else {
				resolve({ code: error === null ? 0 : typeof error.code === "number" ? error.code : null, stdout, stderr });
			}
		});
	});
}

/** The host's C compiler and what identifies it. */
async function hostCompiler(): Promise<{ readonly command: string; readonly version: string }> {
	for (const command of ["gcc", "cc"]) {
		try {
			const { code, stdout } = await run(command, ["--version"]);
			if (code === 0) {
				return { command, version: stdout };
			}
		} catch {
			// not on PATH
		}
	}
	throw new Error(
		"no C compiler for this machine: gcc (or cc) is not on PATH; on Debian: apt-get install gcc libc6-dev",
	);
}

/**
 * Builds `pericard-xsc` for this machine unless the cache has it (about 5 s of one core), and returns its path. The
 * cache's key covers all sources, the flags and the compiler. Several processes may build at once: each builds in a
 * folder of its own and renames the result into place.
 */
export async function buildCompiler(progress?: (message: string) => void): Promise<string> {
	const here = dirname(fileURLToPath(import.meta.url));
	const { sources, includes, platforms } = xsSources();
	const compiler = await hostCompiler();
	const inputs = [
		...[...ownSources, "xsc.h"].map((name) => join(here, name)),
		...[...engineSources, "xsCode.c"].map((name) => join(sources, name)),
		...[sources, includes, platforms].flatMap((folder) =>
			readdirSync(folder)
				.filter((name) => name.endsWith(".h"))
				.sort()
				.map((name) => join(folder, name)),
		),
	];
	const key = contentHash(
		compiler.version,
		process.arch,
		[...engineFlags, ...ownWarnings].join(" "),
		...inputs.map((path) => readFileSync(path)),
	);
	const directory = cacheDirectory("xsc");
	const tool = join(directory, `pericard-xsc-${key.slice(0, 32)}`);
	if (statSync(tool, { throwIfNoEntry: false })?.isFile()) {
		return tool;
	}
	progress?.("building the XS compiler");
	const scratch = mkdtempSync(join(directory, "build-"));
	try {
		const paths = ["-isystem", sources, "-isystem", includes, "-isystem", platforms];
		const jobs = [
			...ownSources.map((name) => [...engineFlags, ...ownWarnings, ...paths, "-c", join(here, name)]),
			...engineSources.map((name) => [...engineFlags, "-w", ...paths, "-c", join(sources, name)]),
		];
		const compile = async (args: readonly string[]): Promise<void> => {
			const { code, stderr } = await run(compiler.command, args, scratch);
			if (code !== 0) {
				throw new Error(`the XS compiler does not build: ${compiler.command} ${args.join(" ")}\n${stderr}`);
			}
		};
		const worker = async (): Promise<void> => {
			for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
				await compile(job);
			}
		};
		await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, worker));
		const objects = [...ownSources, ...engineSources].map((name) => name.replace(/c$/, "o"));
		await compile(["-o", "pericard-xsc", ...objects, "-lm", "-lpthread"]);
		renameSync(join(scratch, "pericard-xsc"), tool);
	} finally {
		rmSync(scratch, { recursive: true, force: true });
	}
	return tool;
}

/** The problems in the tool's messages, or none if they are not about the source. */
function problems(file: string, stderr: string): XsProblem[] {
	const found: XsProblem[] = [];
	for (const text of stderr.split("\n")) {
		const match = text.startsWith(`${file}:`) ? /^(\d+): (.*)$/.exec(text.slice(file.length + 1)) : null;
		if (match !== null) {
			found.push({ line: Number(match[1]), message: match[2] ?? "" });
		}
	}
	return found;
}

function failure(what: string, { code, stderr }: Finished): Error {
	return new Error(`pericard-xsc ${what}: ${code === null ? "it crashed" : `exit code ${code}`}\n${stderr}`.trimEnd());
}

/**
 * Compiles one ES module.
 *
 * @param tool path from buildCompiler()
 * @param jsFile the JavaScript; how it is named here is how messages name it
 * @param name the specifier under which other modules import it
 * @throws XsCompileError for mistakes in the source; Error if the tool fails
 */
export async function compileModule(tool: string, jsFile: string, name: string): Promise<XsModule> {
	const finished = await run(tool, [jsFile, "--name", name]);
	if (finished.code !== 0) {
		const found = finished.code === 1 ? problems(jsFile, finished.stderr) : [];
		throw found.length > 0 ? new XsCompileError(jsFile, found) : failure(jsFile, finished);
	}
	const module = JSON.parse(finished.stdout) as Omit<XsModule, "code"> & { readonly code: string };
	return { ...module, code: Buffer.from(module.code, "base64") };
}

/** What the engine that the tool was built from knows by itself. */
export async function engineIds(tool: string): Promise<XsEngine> {
	const finished = await run(tool, ["--ids"]);
	if (finished.code !== 0) {
		throw failure("--ids", finished);
	}
	return JSON.parse(finished.stdout) as XsEngine;
}
