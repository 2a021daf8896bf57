// The machine's memory on this machine, under sanitizers: allocations of C in any order.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { sanitized } from "./storage-native.ts";

const root = join(import.meta.dirname, "../..");
const dir = mkdtempSync(join(tmpdir(), "pericard-memory-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test("allocations of C don't overlap, and leave nothing behind", () => {
	const program = join(dir, "memory");
	const files = ["hosts/common/memory.c", "test/native/memory/driver.c"].map((file) => join(root, file));
	const flags = ["-std=c11", "-g", "-O1", "-Wall", "-Wextra", "-Werror", `-I${join(root, "hosts/common")}`];
	execFileSync("gcc", [...flags, ...sanitized, ...files, "-o", program], { stdio: ["ignore", "pipe", "pipe"] });
	for (const seed of [1, 2, 3]) {
		const said = execFileSync(program, [String(seed), "100000"], { encoding: "utf8" });
		expect(said).toMatch(/^20000 of 20000 bytes free, [1-9]\d* refused\n$/);
	}
});
