// Runs the tools of a build: compilers, linker, objcopy.

import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { BuildError } from "./errors.ts";

export interface ToolOutput {
	readonly code: number;
	readonly stdout: string;
	readonly stderr: string;
}

/* What to install where a tool is missing. */
const packages: Readonly<Record<string, string>> = {
	gcc: "gcc",
	"arm-none-eabi-gcc": "gcc-arm-none-eabi and libnewlib-arm-none-eabi",
	"arm-none-eabi-objcopy": "binutils-arm-none-eabi",
};

/** A tool that is not on PATH; `hint` says what to install. */
export class MissingToolError extends BuildError {
	readonly hint: string;

	constructor(tool: string) {
		super(`${tool} is not installed`);
		this.hint = `install ${packages[tool] ?? tool} (npm run setup does it, pericard doctor lists all tools)`;
	}
}

/** Runs a tool to its end. Throws MissingToolError if there is none; a failure of the tool is in `code`. */
export function runTool(tool: string, args: readonly string[], cwd?: string): Promise<ToolOutput> {
	return new Promise((resolvePromise, reject) => {
		/* Messages in English and dates as they are, whatever the user's locale: output must not depend on it. */
		const env = { ...process.env, LC_ALL: "C", SOURCE_DATE_EPOCH: "0" };
		const child = spawn(tool, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
		const stdout: Buffer[] = [];
		const stderr: Buffer[] = [];
		child.stdout.on("data", (data: Buffer) => stdout.push(data));
		child.stderr.on("data", (data: Buffer) => stderr.push(data));
		child.on("error", (error: NodeJS.ErrnoException) => {
			reject(error.code === "ENOENT" ? new MissingToolError(tool) : error);
		});
		child.on("close", (code) => {
			resolvePromise({
				code: code ?? 1,
				stdout: Buffer.concat(stdout).toString(),
				stderr: Buffer.concat(stderr).toString(),
			});
		});
	});
}

/** Maps with as many tasks at once as the machine has processors. Keeps the order; the first failure ends it. */
export async function mapParallel<T, R>(items: readonly T[], task: (item: T) => Promise<R>): Promise<R[]> {
	const results: R[] = new Array(items.length);
	let next = 0;
	const worker = async (): Promise<void> => {
		while (next < items.length) {
			const index = next++;
			results[index] = await task(items[index] as T);
		}
	};
	const workers = Math.min(items.length, Math.max(1, availableParallelism()));
	try {
		await Promise.all(Array.from({ length: workers }, worker));
	} finally {
		next = items.length;
	}
	return results;
}
