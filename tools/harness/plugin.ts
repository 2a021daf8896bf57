// Compiles our QEMU plugins, once for each version of their sources.

import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { cacheDirectory, contentHash } from "../build/cache.ts";

const SOURCES = join(import.meta.dirname, "qemu-plugin");
const FLAGS = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-fvisibility=hidden"];
const PLUGINS = {
	/** What a device in QEMU runs under. */
	device: ["pericard-plugin.c"],
	/** What tools/analysis watches and disturbs routines with. */
	analysis: ["analysis-plugin.c", "cortex-m4.c"],
} as const;

/** The path of a compiled plugin. Throws with the compiler's messages. */
export async function qemuPlugin(name: keyof typeof PLUGINS = "device"): Promise<string> {
	const sources = PLUGINS[name].map((file) => join(SOURCES, file));
	const headers = readdirSync(SOURCES).filter((file) => file.endsWith(".h"));
	const inputs = [...sources, ...headers.sort().map((file) => join(SOURCES, file))];
	const hash = contentHash(...FLAGS, ...inputs.map((file) => readFileSync(file)));
	const cache = cacheDirectory("qemu-plugin");
	const plugin = join(cache, `${hash}.so`);
	if (existsSync(plugin)) return plugin;
	const work = mkdtempSync(join(cache, "work-"));
	try {
		const output = join(work, "plugin.so");
		await promisify(execFile)("gcc", [...FLAGS, "-o", output, ...sources, "-ldl", "-pthread"]);
		renameSync(output, plugin);
		return plugin;
	} catch (cause) {
		throw new Error("the QEMU plugin does not compile (is gcc installed?)", { cause });
	} finally {
		rmSync(work, { recursive: true, force: true });
	}
}
