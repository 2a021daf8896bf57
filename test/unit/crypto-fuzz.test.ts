// Runs the libFuzzer targets of native/crypto for a bounded number of inputs each.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bearssl, bearsslFolder } from "../../tools/bearssl.mjs";
import { mapParallel, runTool } from "../../tools/build/process.ts";
import { cryptoIncludes, cryptoSources } from "./crypto-native.ts";
import { has, run } from "./storage-native.ts";

const clang = ["clang", "clang-14"].find(has);
const dir = mkdtempSync(join(tmpdir(), "pericard-crypto-fuzz-"));
const program = join(dir, "fuzz");
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/* Inputs for each target: about a second. */
const targets = {
	point: 400,
	"p256-verify": 150,
	"ed25519-verify": 200,
	x25519: 150,
	"ccm-open": 8000,
	"gcm-open": 8000,
} as const;

describe.skipIf(clang === undefined)("fuzzing native/crypto (needs clang)", () => {
	beforeAll(async () => {
		const flags = ["-O1", "-g", "-fsanitize=fuzzer,address,undefined", "-fno-sanitize-recover=all"];
		const sources = [
			...cryptoSources().filter((file) => file.endsWith(".c")),
			join(import.meta.dirname, "../native/crypto/fuzz.c"),
		];
		const objects = await mapParallel(sources, async (file) => {
			const object = join(dir, `${sources.indexOf(file)}.o`);
			const own = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", ...cryptoIncludes];
			const library = [...bearssl.cflags, `-I${join(bearsslFolder(), "inc")}`, `-I${join(bearsslFolder(), "src")}`];
			const args = [...flags, ...(file.startsWith(bearsslFolder()) ? library : own), "-c", file, "-o", object];
			const { code, stderr } = await runTool(clang as string, args);
			expect(code, stderr).toBe(0);
			return object;
		});
		const { code, stderr } = await runTool(clang as string, [...flags, ...objects, "-o", program]);
		expect(code, stderr).toBe(0);
	});

	test.each(Object.entries(targets))("%s", async (target, runs) => {
		const limits = [`-runs=${runs}`, "-seed=1", "-max_len=700", "-max_total_time=30", "-len_control=0"];
		const args = [`FUZZ_TARGET=${target}`, program, ...limits, `-artifact_prefix=${dir}/`];
		const { status, stderr } = await run("env", args);
		expect(status, stderr.slice(-4000)).toBe(0);
		expect(stderr).toContain("DONE");
	});
});
