// The records of native/keystore on this machine: the power cut at every flash operation, and any content of the flash.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { has, run, sanitized } from "./storage-native.ts";

const root = join(import.meta.dirname, "../..");
const dir = mkdtempSync(join(tmpdir(), "pericard-keystore-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const sources = ["native/keystore/records.c", "native/storage/kv.c", "native/crc/crc.c", "test/native/storage/nor.c"];
const folders = ["native/keystore", "native/storage", "native/crc", "native/entropy", "test/native/storage"];

function compile(compiler: string, name: string, flags: readonly string[]): string {
	const program = join(dir, name);
	const files = [...sources, `test/native/keystore/${name}.c`].map((file) => join(root, file));
	const strict = [
		"-std=c11",
		"-g",
		"-Wall",
		"-Wextra",
		"-Werror",
		...folders.map((folder) => `-I${join(root, folder)}`),
	];
	execFileSync(compiler, [...strict, ...flags, ...files, "-o", program], {
		stdio: ["ignore", "pipe", "pipe"],
	});
	return program;
}

describe("records", () => {
	test("outlive a power cut at every operation of the flash", { timeout: 400_000 }, async () => {
		const { status, stdout, stderr } = await run(compile("gcc", "powercut", ["-O1", ...sanitized]), []);
		expect(status, `${stdout}${stderr}`).toBe(0);
		const lives = Number(/(\d+) lives/.exec(stdout)?.[1]);
		expect(lives).toBeGreaterThan(2000);
	});

	const clang = ["clang", "clang-14"].find(has);
	test.skipIf(clang === undefined)("of any content do no harm (needs clang)", { timeout: 400_000 }, async () => {
		const program = compile(clang as string, "fuzz", ["-O1", "-fsanitize=fuzzer", ...sanitized]);
		const limits = ["-runs=5000", "-seed=1", "-max_len=1100", "-max_total_time=60", "-len_control=0"];
		const { status, stderr } = await run(program, [...limits, `-artifact_prefix=${dir}/`]);
		expect(status, stderr.slice(-4000)).toBe(0);
		expect(stderr).toContain("DONE");
	});
});
