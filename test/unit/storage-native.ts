// Compiles the C tests of the key-value store with the host's compilers.

import { execFile, execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
export const store = join(root, "native/storage/kv.c");

const includes = ["native/storage", "native/crc", "test/native/storage"].map((path) => `-I${join(root, path)}`);
const strict = ["-std=c11", "-g", "-Wall", "-Wextra", "-Werror", ...includes];
export const sanitized = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];

export function source(name: string): string {
	return join(root, "test/native/storage", name);
}

export function scratch(): string {
	return mkdtempSync(join(tmpdir(), "pericard-storage-"));
}

/** Runs a compiler; throws with its messages. */
export function compile(
	compiler: string,
	flags: readonly string[],
	sources: readonly string[],
	output: string,
): string {
	execFileSync(compiler, [...strict, ...flags, ...sources, "-o", output], { stdio: ["ignore", "pipe", "pipe"] });
	return output;
}

export interface Result {
	readonly status: number | null;
	readonly stdout: string;
	readonly stderr: string;
}

/** Runs a program to its end; the test runner stays awake meanwhile. */
export function run(program: string, args: readonly string[]): Promise<Result> {
	return new Promise((resolve) => {
		const child = execFile(program, args, { encoding: "utf8", maxBuffer: 1 << 26 }, (_error, stdout, stderr) =>
			resolve({ status: child.exitCode, stdout, stderr }),
		);
	});
}

export function has(program: string): boolean {
	return spawnSync(program, ["--version"], { stdio: "ignore" }).status === 0;
}
