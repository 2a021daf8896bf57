// Builds an image of nothing but C and assembler files, whose routines are called from outside (machine.ts).

import { copyFileSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { basename, isAbsolute, join, resolve } from "node:path";
import { bearsslFolder } from "../bearssl.mjs";
import { type MemoryRegion, pericardRoot, readBoard } from "../build/board.ts";
import { cacheDirectory, contentHash } from "../build/cache.ts";
import { Compiler, type Source, toolNames } from "../build/cc.ts";
import { type ElfSymbol, readElf } from "../build/elf.ts";
import { BuildError, suggestion } from "../build/errors.ts";
import { runTool } from "../build/process.ts";

export interface ImageOptions {
	/** C and assembler files; relative ones are under the root of Pericard. They are compiled as in a firmware, or with flags
	 * of their own behind those. */
	readonly sources: readonly (string | { readonly file: string; readonly cflags: readonly string[] })[];
	/** Names of the functions and variables that are called or read from outside. What they don't need is left out. */
	readonly entries: readonly string[];
	/** Folders of headers, beside those of native/. */
	readonly include?: readonly string[];
	/** More flags for every file, behind the board's: `-O2`, `-DNAME=1`. */
	readonly cflags?: readonly string[];
}

/** Where an address lies in an image. */
export interface Place {
	readonly address: number;
	/** The function or variable, or undefined between them. */
	readonly symbol: string | undefined;
	/** Bytes from the symbol's start. */
	readonly offset: number;
}

const typeObject = 1;
const typeFunction = 2;

/** A built image: where its symbols and its memory are. Addresses of functions are without the Thumb bit. */
export class Image {
	readonly elf: string;
	readonly code: MemoryRegion;
	readonly ram: MemoryRegion;
	readonly stack: { readonly limit: number; readonly top: number };
	/** RAM that the image does not use, from here to the end of `ram`. */
	readonly free: number;
	readonly #symbols: ReadonlyMap<string, ElfSymbol>;
	readonly #ordered: readonly ElfSymbol[];

	/** `unused`: the symbol from which on the image's RAM is free to be used. */
	constructor(elf: string, ram: MemoryRegion, unused = "__heap_end") {
		this.elf = elf;
		this.ram = ram;
		const { symbols } = readElf(readFileSync(elf), elf);
		const defined = symbols
			.filter((symbol) => symbol.defined && !symbol.name.startsWith("$"))
			.map((symbol) => (symbol.type === typeFunction ? { ...symbol, value: symbol.value & ~1 } : symbol));
		const named = new Map<string, ElfSymbol>();
		for (const symbol of defined) {
			if (symbol.global || !named.has(symbol.name)) named.set(symbol.name, symbol);
		}
		this.#symbols = named;
		this.#ordered = defined
			.filter(({ name, type }) => type === typeFunction || (type === typeObject && !name.startsWith("__")))
			.sort((a, b) => a.value - b.value || a.size - b.size);
		this.stack = { limit: this.address("__stack_limit"), top: this.address("__stack_top") };
		this.free = (this.address(unused) + 15) & ~15;
		this.code = { origin: this.address("__flash_start"), size: this.address("__flash_end") };
	}

	/** The address of a symbol. Throws if the image has none of that name. */
	address(name: string): number {
		return this.#symbol(name).value;
	}

	/** Bytes of flash: code, constants and what variables hold at the start. */
	get flash(): number {
		return this.address("__flash_end") - this.address("__flash_start");
	}

	/** The bytes that a symbol takes. */
	size(name: string): number {
		return this.#symbol(name).size;
	}

	/** The function or variable that an address belongs to. A function in assembler may have no size: it ends at the next. */
	place(address: number): Place {
		let low = 0;
		let high = this.#ordered.length;
		while (low < high) {
			const middle = (low + high) >> 1;
			if ((this.#ordered[middle]?.value ?? 0) <= address) low = middle + 1;
			else high = middle;
		}
		const symbol = this.#ordered[low - 1];
		const known = symbol !== undefined && (symbol.size === 0 || address < symbol.value + symbol.size);
		return { address, symbol: known ? symbol.name : undefined, offset: known ? address - symbol.value : 0 };
	}

	/** `function+0x12 (folder/file.c:34)` for each address. */
	async describe(addresses: readonly number[]): Promise<string[]> {
		if (addresses.length === 0) return [];
		const args = ["-e", this.elf, ...addresses.map((address) => `0x${address.toString(16)}`)];
		const { stdout } = await runTool("arm-none-eabi-addr2line", args);
		const lines = stdout.split("\n");
		return addresses.map((address, index) => {
			/* Paths are labelled by the compiler (tools/build/cc.ts): Pericard's own begin with its name. */
			const line = lines[index]?.replace(/ \(discriminator \d+\)$/, "").replace(/^(pericard\/){1,2}/, "") ?? "";
			const { symbol, offset } = this.place(address);
			const name = symbol === undefined ? `0x${address.toString(16)}` : `${symbol}+0x${offset.toString(16)}`;
			return /^\?\?|:[?0]$|^$/.test(line) ? name : `${name} (${line})`;
		});
	}

	#symbol(name: string): ElfSymbol {
		const symbol = this.#symbols.get(name);
		if (symbol === undefined)
			throw new Error(`the image has no symbol "${name}"${suggestion(name, this.#symbols.keys())}`);
		return symbol;
	}
}

const BOARD = "mps2-an386";
/* The start-up that every Cortex-M board has, and what it calls. */
const startup = ["hosts/cortex-m/startup.c", "hosts/cortex-m/mpu.c", "tools/analysis/bare.c"];
const headers = ["native/archive"];

/** Builds an image. Throws BuildError with the messages of the compiler or the linker. */
export async function buildImage(options: ImageOptions): Promise<Image> {
	return (await compileImage(options))(options.entries);
}

/** Compiles the files once; what it gives links an image of some functions and variables, as often as it is called. */
export async function compileImage(
	options: Omit<ImageOptions, "entries">,
): Promise<(entries: ImageOptions["entries"]) => Promise<Image>> {
	const plain = readBoard(BOARD);
	const board = { ...plain, cflags: [...plain.cflags, ...(options.cflags ?? [])] };
	if (board.linkerScript === undefined || board.ram === undefined) throw new BuildError(`${BOARD} has no memory`);
	const absolute = (path: string) => (isAbsolute(path) ? path : resolve(pericardRoot, path));
	const sources = [
		...startup.map((file): Source => ({ file: absolute(file), kind: "host", component: "host" })),
		...options.sources.map((source): Source => {
			const { file, cflags } = typeof source === "string" ? { file: source, cflags: [] } : source;
			const library = absolute(file).startsWith(`${bearsslFolder()}/`);
			return { file: absolute(file), kind: library ? "library" : "native", component: "native:image", cflags };
		}),
	];
	for (const { file } of sources) if (!existsSync(file)) throw new BuildError("no such file", { file });
	const compiler = new Compiler({
		board,
		sanitize: false,
		generated: cacheDirectory("images", "generated"),
		app: pericardRoot,
		include: [...headers, ...(options.include ?? [])].map(absolute),
		progress: () => {},
	});
	const objects = await compiler.compile(sources);

	const { linkerScript, ram } = board;
	return async (entries) => {
		const scripts = [linkerScript, join(pericardRoot, "hosts/cortex-m/sections.ld")];
		const flags = [
			...[...board.cflags, "--specs=nano.specs", "-nostartfiles", "-Wl,--gc-sections", "-Wl,--build-id=none"],
			...["-Wl,--fatal-warnings", "-Wl,--no-warn-rwx-segments", "-Wl,-z,noexecstack"],
			...entries.map((name) => `-Wl,--require-defined=${name}`),
			...board.libs,
		];
		const cache = cacheDirectory("images");
		const inputs = objects.map(({ object }) => basename(object));
		const elf = join(cache, `${contentHash(...flags, ...inputs, ...scripts.map((file) => readFileSync(file)))}.elf`);
		if (!existsSync(elf)) {
			const work = mkdtempSync(join(cache, "work-"));
			try {
				for (const script of scripts) copyFileSync(script, join(work, basename(script)));
				const files = objects.map(({ object }) => object);
				const args = [...flags, `-L${work}`, "-T", join(work, basename(linkerScript)), ...files, ...board.libs];
				const result = await runTool(toolNames(board).cc, [...args, "-o", join(work, "image.elf")]);
				if (result.code !== 0) throw new BuildError(`the image does not link\n${result.stderr.trim()}`);
				renameSync(join(work, "image.elf"), elf);
			} finally {
				rmSync(work, { recursive: true, force: true });
			}
		}
		return new Image(elf, ram);
	};
}
