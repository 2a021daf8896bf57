// Reads hosts/<board>/board.json: how to compile and link for one board.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { BuildError, suggestion } from "./errors.ts";

/** The root of Pericard's own tree: where hosts/, native/ and firmware/ are. */
export const pericardRoot = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

/** A range of addresses on the device, in bytes. */
export interface MemoryRegion {
	readonly origin: number;
	readonly size: number;
}

/** A board as its board.json describes it; every path is absolute. */
export interface Board {
	readonly name: string;
	readonly description: string;
	/** `host` builds a process for this machine; anything else is built with arm-none-eabi-gcc. */
	readonly cpu: string;
	readonly dir: string;
	/** Flags of the board for every compilation, assembly and link. */
	readonly cflags: readonly string[];
	/** Flags for the link only. */
	readonly ldflags: readonly string[];
	readonly libs: readonly string[];
	/** Globs of C and assembler files, relative to `dir`. */
	readonly sources: readonly string[];
	readonly linkerScript: string | undefined;
	readonly flash: MemoryRegion | undefined;
	readonly ram: MemoryRegion | undefined;
	/** Option bytes beside the flash, 0xFF where no image sets them; measured whole. */
	readonly options: MemoryRegion | undefined;
	/** The Moddable manifest that comes after the base and before the app's. */
	readonly manifest: string | undefined;
	readonly emulators: readonly string[];
	/** Runs in emulators only: its random numbers come of a seed of the harness. */
	readonly emulated: boolean;
	/** Its memory protection has room for code that moves (docs/relocation.md). */
	readonly relocates: boolean;
}

const keys = new Set([
	"name",
	"description",
	"cpu",
	"cflags",
	"ldflags",
	"libs",
	"sources",
	"linkerScript",
	"flash",
	"ram",
	"options",
	"manifest",
	"emulators",
	"emulated",
	"relocates",
]);

/** The names of all boards of this tree. */
export function boardNames(root = pericardRoot): string[] {
	const hosts = join(root, "hosts");
	if (!existsSync(hosts)) return [];
	return readdirSync(hosts)
		.filter((name) => existsSync(join(hosts, name, "board.json")))
		.sort();
}

/** Reads the board `name`. Throws BuildError for an unknown board, key or wrong type. */
export function readBoard(name: string, root = pericardRoot): Board {
	const file = join(root, "hosts", name, "board.json");
	if (!existsSync(file)) {
		const names = boardNames(root);
		throw new BuildError(
			`no board "${name}"${suggestion(name, names)}${names.length > 0 ? ` (boards: ${names.join(", ")})` : ""}`,
		);
	}
	const dir = dirname(file);
	let json: unknown;
	try {
		json = JSON.parse(readFileSync(file, "utf8"));
	} catch (error) {
		throw new BuildError(`not JSON: ${(error as Error).message}`, { file });
	}
	if (typeof json !== "object" || json === null || Array.isArray(json)) {
		throw new BuildError("a board is a JSON object", { file });
	}
	const board = json as Record<string, unknown>;
	for (const key of Object.keys(board)) {
		if (!keys.has(key)) throw new BuildError(`unknown key${suggestion(key, keys)}`, { file, key });
	}
	const text = (key: string): string | undefined => {
		const value = board[key];
		if (value === undefined) return undefined;
		if (typeof value !== "string") throw new BuildError("expected a string", { file, key });
		return value;
	};
	const texts = (key: string): string[] => {
		const value = board[key];
		if (value === undefined) return [];
		if (!Array.isArray(value) || !value.every((item) => typeof item === "string")) {
			throw new BuildError("expected an array of strings", { file, key });
		}
		return value as string[];
	};
	const path = (key: string): string | undefined => {
		const value = text(key);
		if (value === undefined) return undefined;
		const found = resolve(dir, value);
		if (!existsSync(found)) throw new BuildError(`no file "${value}"`, { file, key });
		return found;
	};
	const region = (key: string): MemoryRegion | undefined => {
		const value = board[key];
		if (value === undefined) return undefined;
		const { origin, size } = value as Record<string, unknown>;
		if (typeof origin !== "number" || typeof size !== "number") {
			throw new BuildError('expected {"origin": number, "size": number}', { file, key });
		}
		return { origin, size };
	};
	for (const key of ["emulated", "relocates"]) {
		if (board[key] !== undefined && typeof board[key] !== "boolean") {
			throw new BuildError("expected true or false", { file, key });
		}
	}
	const cpu = text("cpu");
	if (cpu === undefined) throw new BuildError("missing", { file, key: "cpu" });
	return {
		name: text("name") ?? name,
		description: text("description") ?? "",
		cpu,
		dir,
		cflags: texts("cflags"),
		ldflags: texts("ldflags"),
		libs: texts("libs"),
		sources: texts("sources"),
		linkerScript: path("linkerScript"),
		flash: region("flash"),
		ram: region("ram"),
		options: region("options"),
		manifest: path("manifest"),
		emulators: texts("emulators"),
		emulated: board.emulated === true,
		relocates: board.relocates === true,
	};
}
