// Runs the libFuzzer target of the key-value store for a bounded number of inputs.

import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { compile, has, root, run, sanitized, scratch, source } from "./storage-native.ts";

const clang = ["clang", "clang-14"].find(has);
const dir = scratch();
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe("fuzzing the key-value store (needs clang)", () => {
	test.skipIf(clang === undefined)("images and calls of any kind do no harm", { timeout: 400_000 }, async () => {
		const flags = ["-O1", "-fsanitize=fuzzer", ...sanitized];
		const sources = [source("fuzz.c"), source("nor.c"), join(root, "native/crc/crc.c")];
		const program = compile(clang as string, flags, sources, join(dir, "fuzz"));
		const { status, stderr } = await run(program, [
			"-runs=3500",
			"-seed=1",
			"-max_len=400",
			"-max_total_time=150",
			"-len_control=0",
			`-artifact_prefix=${dir}/`,
		]);
		expect(status, stderr.slice(-4000)).toBe(0);
		expect(stderr).toContain("DONE");
	});
});
