#!/usr/bin/env node
// All checks of this repository, one after the other: format and lint, types, C format, tests.
//
//   node tools/test.mjs               everything
//   node tools/test.mjs lint          all but the tests
//   node tools/test.mjs <words...>    the tests whose file name has one of the words (no lint)
//
// Ends with the counts of the tests on a line of their own; exit code 1 if any check or test failed.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = (name) => join(root, "node_modules", ".bin", name);

function run(command, args) {
	return spawnSync(command, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] }).status === 0;
}

/** The C files of the repository: those that git knows or would take. */
function cFiles() {
	const listed = spawnSync("git", ["ls-files", "-co", "--exclude-standard", "*.c", "*.h"], {
		cwd: root,
		encoding: "utf8",
	});
	if (listed.status !== 0) console.error("git ls-files failed: the C files are not known");
	return (listed.stdout ?? "").split("\n").filter((file) => file !== "");
}

const checks = [
	{ name: "biome", run: () => run(bin("biome"), ["check", "--error-on-warnings", "."]) },
	{ name: "tsc", run: () => run(bin("tsc"), ["--noEmit", "-p", "tsconfig.json"]) },
	{
		name: "clang-format",
		run: () => {
			const files = cFiles();
			return files.length > 0 && run("clang-format", ["--dry-run", "-Werror", ...files]);
		},
	},
];

/** Runs vitest; the counts come from its JSON report, beside the lines that it prints itself. */
function vitest(words) {
	const folder = mkdtempSync(join(tmpdir(), "pericard-test-"));
	const report = join(folder, "report.json");
	const ok = run(process.execPath, [
		join(root, "node_modules", "vitest", "vitest.mjs"),
		"run",
		...words,
		`--reporter=${process.env.CI === "true" ? "verbose" : "default"}`,
		"--reporter=json",
		`--outputFile.json=${report}`,
	]);
	let counts = { passed: 0, failed: 0, skipped: 0 };
	try {
		const result = JSON.parse(readFileSync(report, "utf8"));
		// A file that fails to load has no tests in it that could count.
		const broken = result.testResults.filter((file) => file.status === "failed" && file.assertionResults.length === 0);
		counts = {
			passed: result.numPassedTests,
			failed: result.numFailedTests + broken.length,
			skipped: result.numPendingTests + result.numTodoTests,
		};
	} catch {
		// vitest ended without a report; `ok` tells.
	}
	rmSync(folder, { recursive: true });
	return { ok, ...counts };
}

const words = process.argv.slice(2);
const failed = [];
if (words.length === 0 || words[0] === "lint") {
	for (const check of checks) {
		const start = Date.now();
		const ok = check.run();
		console.log(`${ok ? "ok" : "FAILED"}  ${check.name} (${((Date.now() - start) / 1000).toFixed(1)} s)`);
		if (!ok) failed.push(check.name);
	}
}
if (words[0] !== "lint") {
	const { ok, ...counts } = vitest(words);
	if (!ok || counts.passed + counts.failed === 0) failed.push("vitest");
	// A failed check of the code counts as one failed test, so that the line says no less than the exit code.
	const lost = counts.failed + failed.filter((name) => name !== "vitest" || counts.failed === 0).length;
	if (failed.length > 0) console.log(`failed: ${failed.join(", ")}`);
	console.log(`${counts.passed} passed, ${lost} failed, ${counts.skipped} skipped`);
}
process.exitCode = failed.length === 0 ? 0 : 1;
