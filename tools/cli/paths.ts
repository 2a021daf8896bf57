// Where things are: Pericard itself, its boards, and the app that a user names.

import { existsSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type Board, boardNames, pericardRoot, readBoard } from "../build/board.ts";
import { CliError, nearest, type OptionSpec } from "./command.ts";

/** The folder of this package. */
export const ROOT = pericardRoot;

export const DEFAULT_BOARD = "mps2-an386";

export const BOARD_OPTION: OptionSpec = {
	value: "BOARD",
	help: `the board to build for: ${boardNames().join(", ")}`,
	default: DEFAULT_BOARD,
};

/** The board of that name. Throws CliError. */
export function findBoard(name: string): Board {
	const names = boardNames();
	if (names.includes(name)) return readBoard(name);
	const near = nearest(name, names);
	const known = `the boards are ${names.join(", ")}`;
	throw new CliError(`there is no board "${name}"`, near === undefined ? known : `did you mean ${near}? (${known})`);
}

/** The folder that an app's files are named from. */
export function appFolder(app: string): string {
	return statSync(app).isDirectory() ? app : dirname(app);
}

/** The absolute path of an app: a folder with a manifest.json, a .ts file, or the name of one in firmware/apps. Throws CliError. */
export function findApp(word: string): string {
	const path = resolve(word);
	if (!existsSync(path)) {
		const own = join(ROOT, "firmware", "apps", word);
		if (/^[a-z0-9-]+$/.test(word) && existsSync(join(own, "manifest.json"))) return own;
		throw new CliError(`there is no app at ${word}`, "an app is a folder with a manifest.json, or a .ts file");
	}
	if (statSync(path).isDirectory()) {
		if (existsSync(join(path, "manifest.json"))) return path;
		throw new CliError(`${word} has no manifest.json`, "an app is a folder with a manifest.json, or a .ts file");
	}
	if (path.endsWith(".ts") && !path.endsWith(".d.ts")) return path;
	throw new CliError(`${word} is no app`, "an app is a folder with a manifest.json, or a .ts file");
}
