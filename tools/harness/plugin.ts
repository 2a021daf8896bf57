// Compiles the QEMU plugin, once for each version of its source.

import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { cacheDirectory, contentHash } from "../build/cache.ts";

const SOURCES = join(import.meta.dirname, "qemu-plugin");
const FLAGS = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-fvisibility=hidden"];

/** The path of the compiled plugin. Throws with the compiler's messages. */
export async function qemuPlugin(): Promise<string> {
	const source = join(SOURCES, "pericard-plugin.c");
	const hash = contentHash(...FLAGS, readFileSync(source), readFileSync(join(SOURCES, "qemu-api.h")));
	const cache = cacheDirectory("qemu-plugin");
	const plugin = join(cache, `${hash}.so`);
	if (existsSync(plugin)) return plugin;
	const work = mkdtempSync(join(cache, "work-"));
	try {
		const output = join(work, "plugin.so");
		await promisify(execFile)("gcc", [...FLAGS, "-o", output, source, "-ldl", "-pthread"]);
		renameSync(output, plugin);
		return plugin;
	} catch (cause) {
		throw new Error("the QEMU plugin does not compile (is gcc installed?)", { cause });
	} finally {
		rmSync(work, { recursive: true, force: true });
	}
}
