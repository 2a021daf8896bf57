// Folders of files for the tests of the build, and a board that needs no tools.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll } from "vitest";
import type { Board } from "../../tools/build/board.ts";
import { displayPath } from "../../tools/build/errors.ts";

const folders: string[] = [];

afterAll(() => {
	for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** An empty folder that goes away after the tests of this file. */
export function scratch(): string {
	const folder = mkdtempSync(join(tmpdir(), "pericard-build-"));
	folders.push(folder);
	return folder;
}

/** A new folder with these files; an object becomes JSON. */
export function files(content: Readonly<Record<string, unknown>>, folder = scratch()): string {
	for (const [name, value] of Object.entries(content)) {
		const path = join(folder, name);
		mkdirSync(dirname(path), { recursive: true });
		writeFileSync(path, typeof value === "string" ? value : JSON.stringify(value));
	}
	return folder;
}

export function board(values: Partial<Board> = {}): Board {
	return {
		name: "mps2-an386",
		description: "",
		cpu: "cortex-m4f",
		dir: "/",
		cflags: [],
		ldflags: [],
		libs: [],
		sources: [],
		linkerScript: undefined,
		flash: undefined,
		ram: undefined,
		options: undefined,
		manifest: undefined,
		emulators: [],
		emulated: false,
		relocates: false,
		...values,
	};
}

/** A message with paths relative to `folder`: it shows them relative to the working directory where that is near. */
export function within(folder: string, message: string): string {
	return message.replaceAll(`${displayPath(folder)}/`, "").replaceAll(`${folder}/`, "");
}

/** The error that `action` ends in; fails if it does not. */
export async function failure(action: () => unknown): Promise<Error> {
	try {
		await action();
	} catch (error) {
		return error as Error;
	}
	throw new Error("expected an error");
}
