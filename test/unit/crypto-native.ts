// native/crypto for tests: its objects with the sanitizers, and a driver of it on this machine and on emulated Cortex-Ms.

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { bearsslFolder } from "../../tools/bearssl.mjs";
import { pericardRoot, readBoard } from "../../tools/build/board.ts";
import { cacheDirectory, contentHash } from "../../tools/build/cache.ts";
import { Compiler, type Source, toolNames } from "../../tools/build/cc.ts";
import { runTool } from "../../tools/build/process.ts";

/** Where the driver runs: here (64 bits, portable kernels, sanitizers), the assembly, and the portable kernels on 32 bits. */
export type Processor = "this machine" | "Cortex-M4" | "Cortex-M3";

/** Flags for files that include crypto.h. */
export const cryptoIncludes = [`-I${join(pericardRoot, "native/crypto")}`, "-isystem", join(bearsslFolder(), "inc")];

const machines = { "Cortex-M4": "mps2-an386", "Cortex-M3": "mps2-an385" } as const;
const tests = join(pericardRoot, "test/native/crypto/driver");
const driver = ["driver.c", "core.c", "kernels.c", "field-p256.c", "field-25519.c"].map((name) => join(tests, name));
/* Included by field-*.c, which call their inner functions. */
const included = ["p256.c", "ed25519.c"];

/** What the core is made of: C and assembler of native/crypto and of the library, without bindings to XS. */
export function cryptoSources(): string[] {
	const folder = join(pericardRoot, "native/crypto");
	const manifest = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")) as {
		readonly modules: { readonly "*": readonly string[] };
	};
	return manifest.modules["*"].flatMap((entry) => {
		if (entry.startsWith("$(BEARSSL)/")) return [join(bearsslFolder(), entry.slice("$(BEARSSL)/".length))];
		const path = /\.[cS]$/.test(entry) ? entry : `${entry}.c`;
		const [name, dir] = [basename(path), join(folder, path, "..")];
		if (name.startsWith("xs_")) return [];
		const files = name.startsWith("*") ? readdirSync(dir).filter((file) => file.endsWith(name.slice(1))) : [name];
		return files.sort().map((file) => join(dir, file));
	});
}

/* The objects, each compiled once for all tests (the cache of builds). */
async function compile(processor: Processor, sources: readonly string[]) {
	const plain = readBoard(processor === "this machine" ? "posix" : "mps2-an386");
	const cflags = {
		"this machine": [...plain.cflags, "-Wconversion"],
		"Cortex-M4": plain.cflags,
		"Cortex-M3": ["-mcpu=cortex-m3", "-mthumb"],
	}[processor];
	const board = { ...plain, cflags };
	const compiler = new Compiler({
		board,
		sanitize: processor === "this machine",
		generated: cacheDirectory("images", "generated"),
		app: pericardRoot,
		include: [join(pericardRoot, "native/crypto")],
		progress: () => {},
	});
	const objects = await compiler.compile(
		sources.map((file): Source => {
			const library = file.startsWith(`${bearsslFolder()}/`);
			return { file, kind: library ? "library" : "native", component: "native:crypto" };
		}),
	);
	return { board, objects: objects.map(({ object }) => object) };
}

/** The objects of native/crypto and of the library: to be linked to a test with -fsanitize=address,undefined -no-pie. */
export async function cryptoObjects(): Promise<string[]> {
	return (await compile("this machine", cryptoSources())).objects;
}

async function driverProgram(processor: Processor): Promise<string> {
	const kernels = cryptoSources().filter((file) => !included.includes(basename(file)));
	const sources = [...driver, ...kernels];
	const here = processor === "this machine";
	if (!here) sources.push(join(tests, "board.c"));
	const { board, objects } = await compile(processor, sources);
	const script = join(tests, "board.ld");
	const flags = here
		? [...board.cflags, "-no-pie", "-fsanitize=address,undefined"]
		: [
				...[...board.cflags, "--specs=nano.specs", "--specs=rdimon.specs", "-T", script],
				...["-Wl,--gc-sections", "-Wl,--no-warn-rwx-segments", "-Wl,-z,noexecstack"],
			];
	const cache = cacheDirectory("images");
	const key = contentHash("crypto driver", ...flags, readFileSync(script), ...objects.map((file) => basename(file)));
	const program = join(cache, `${key}.elf`);
	if (existsSync(program)) return program;
	const work = mkdtempSync(join(cache, "work-"));
	try {
		const out = join(work, "driver");
		const result = await runTool(toolNames(board).cc, [...flags, ...objects, "-o", out]);
		if (result.code !== 0) throw new Error(`the driver does not link\n${result.stderr}`);
		renameSync(out, program);
	} finally {
		rmSync(work, { recursive: true, force: true });
	}
	return program;
}

export interface Answer {
	readonly status: string;
	readonly out: Buffer;
}

/** Bytes; a number of at most 32 bits, big-endian; or hex. */
export type Argument = Uint8Array | number | string;

function word(argument: Argument): string {
	if (typeof argument === "number") return argument.toString(16).padStart(8, "0");
	const hex = typeof argument === "string" ? argument : Buffer.from(argument).toString("hex");
	return hex === "" ? "-" : hex;
}

/** test/native/crypto/driver, running. Whoever starts one closes it. */
export class CryptoDriver {
	readonly processor: Processor;
	readonly #process: ChildProcessWithoutNullStreams;
	readonly #waiting: { readonly line: string; done(answer: Answer): void; fail(error: Error): void }[] = [];
	readonly #ended: Promise<number | null>;
	#lines: string[] = [];
	#said = "";
	#gone: Error | undefined;

	static async start(processor: Processor): Promise<CryptoDriver> {
		return new CryptoDriver(processor, await driverProgram(processor));
	}

	private constructor(processor: Processor, program: string) {
		this.processor = processor;
		this.#process =
			processor === "this machine"
				? spawn(program)
				: spawn("qemu-system-arm", [
						...["-machine", machines[processor], "-nodefaults", "-display", "none", "-monitor", "none"],
						...["-semihosting-config", "enable=on,target=native", "-kernel", program],
					]);
		this.#process.stderr.setEncoding("utf8").on("data", (text: string) => {
			this.#said += text;
		});
		this.#process.stdin.on("error", () => {});
		createInterface(this.#process.stdout).on("line", (line) => {
			const [status = "", out = ""] = line.split(/ (?=[0-9a-f]*$)/);
			this.#waiting.shift()?.done({ status, out: Buffer.from(out, "hex") });
		});
		this.#ended = new Promise((done) => {
			this.#process.once("error", (error) => {
				this.#said += String(error);
				done(null);
			});
			this.#process.once("close", done);
		});
		this.#ended.then((code) => {
			const line = this.#waiting[0]?.line.slice(0, 500);
			this.#gone = new Error(`the driver on ${processor} ended (${code}) at: ${line}\n${this.messages}`);
			for (const { fail } of this.#waiting.splice(0)) fail(this.#gone);
		});
	}

	/** What the driver and the sanitizers had to say. */
	get messages(): string {
		return this.#said.replace(/^.*has no peer\n/gm, "");
	}

	/** One operation. Many may be asked for at once: they are done in order. */
	ask(operation: string, ...args: readonly Argument[]): Promise<Answer> {
		const line = [operation, ...args.map(word)].join(" ");
		return new Promise((done, fail) => {
			if (this.#gone !== undefined) return fail(this.#gone);
			this.#waiting.push({ line, done, fail });
			if (this.#lines.push(line) > 1) return;
			queueMicrotask(() => {
				this.#process.stdin.write(`${this.#lines.join("\n")}\n`);
				this.#lines = [];
			});
		});
	}

	/** Ends it. Throws if a sanitizer had something to say, or no work was counted. */
	async close(): Promise<void> {
		this.#process.stdin.end();
		const code = await this.#ended;
		if (code !== 0 || this.messages !== "") {
			throw new Error(`the driver on ${this.processor} ended with ${code}\n${this.messages}`);
		}
	}
}
