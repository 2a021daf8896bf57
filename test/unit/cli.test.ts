// The command line through its front door: help, exit codes, hints, errors without stacks.

import { execFile, spawnSync } from "node:child_process";
import {
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { nearest } from "../../tools/cli/command.ts";
import { table } from "../../tools/cli/table.ts";
import { trace } from "../../tools/cli/trace.ts";
import { requirements } from "../../tools/requirements.mjs";

const ROOT = join(import.meta.dirname, "../..");
const BIN = join(ROOT, "tools/bin/pericard.mjs");
const VERBS = ["doctor", "new", "build", "run", "test", "attest", "demo", "bench"];

interface Result {
	readonly code: number;
	readonly stdout: string;
	readonly stderr: string;
}

function pericard(words: readonly string[], cwd = ROOT): Promise<Result> {
	return node([BIN, ...words], cwd);
}

function node(words: readonly string[], cwd = ROOT, env = process.env): Promise<Result> {
	return new Promise((resolve) => {
		execFile(process.execPath, [...words], { cwd, env, encoding: "utf8" }, (error, stdout, stderr) => {
			const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
			resolve({ code, stdout, stderr });
		});
	});
}

/** What a user must never see for a mistake of theirs. */
const STACK = /\n\s+at .*(file:|node:|\()/;

let scratch = "";
beforeAll(() => {
	scratch = mkdtempSync(join(tmpdir(), "pericard-cli-"));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe("help", () => {
	test("the general help names every verb and the exit codes", async () => {
		const { code, stdout, stderr } = await pericard(["--help"]);
		expect(code).toBe(0);
		expect(stderr).toBe("");
		for (const verb of VERBS) expect(stdout).toMatch(new RegExp(`^  ${verb} `, "m"));
		expect(stdout).toContain("Exit codes:");
	});

	test.each(VERBS)("%s --help teaches: usage, options, examples, exit codes", async (verb) => {
		const { code, stdout, stderr } = await pericard([verb, "--help"]);
		expect(stderr).toBe("");
		expect(code).toBe(0);
		expect(stdout).toMatch(new RegExp(`^usage: pericard ${verb}`));
		for (const part of ["Options:", "--help", "Examples:", `pericard ${verb}`, "Exit codes:"])
			expect(stdout).toContain(part);
		expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(110);
	});

	test("help <verb> is the same, and --help wins over missing words", async () => {
		const [first, second] = await Promise.all([
			pericard(["help", "build"]),
			pericard(["build", "--help", "--board", "mps2-an386"]),
		]);
		expect(first).toEqual(second);
	});

	test("without a verb: the help on stderr and exit code 2", async () => {
		const { code, stdout, stderr } = await pericard([]);
		expect(code).toBe(2);
		expect(stdout).toBe("");
		expect(stderr).toContain("usage: pericard <verb>");
	});

	test("--version is the package's", async () => {
		const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
		expect((await pericard(["--version"])).stdout.trim()).toBe(version);
	});
});

describe("mistakes end with 2, a message and a hint, and no stack", () => {
	test.each<[string, string[], RegExp]>([
		["unknown verb", ["biuld"], /unknown verb "biuld"[\s\S]*did you mean `pericard build`/],
		["unknown verb, nothing near", ["frobnicate"], /unknown verb[\s\S]*pericard --help/],
		["unknown option", ["build", "x.ts", "--bord", "posix"], /unknown option --bord[\s\S]*did you mean --board/],
		["option before the verb", ["--board", "posix"], /unknown option "--board"/],
		["value missing", ["build", "x.ts", "--board"], /--board needs a value/],
		["value is an option", ["build", "x.ts", "--out", "--json"], /--out needs a value/],
		["switch with a value", ["build", "x.ts", "--json=yes"], /--json takes no value/],
		[
			"unknown board",
			["build", "__APP__", "--board", "mps2-an368"],
			/no board "mps2-an368"[\s\S]*did you mean mps2-an386/,
		],
		[
			"unknown emulator",
			["run", "__APP__", "--emulator", "quemu"],
			/one of qemu, renode, posix[\s\S]*did you mean qemu/,
		],
		[
			"board without that emulator",
			["run", "__APP__", "--board", "nrf52840dk", "--emulator", "qemu"],
			/does not run in qemu/,
		],
		["seconds is no number", ["run", "__APP__", "--seconds", "ten"], /--seconds takes a number above 0/],
		["seconds below 0", ["run", "__APP__", "--seconds=-1"], /--seconds takes a number above 0/],
		["nothing to measure", ["bench", "cripto"], /nothing to measure is called "cripto"[\s\S]*did you mean crypto/],
		["no board to count on", ["bench", "crypto", "--board", "posix"], /counted on mps2-an386, not on posix/],
		["an option of the other", ["bench", "crypto", "--full"], /there is no --full/],
		["no board that moves code", ["bench", "relocation", "--board", "posix"], /bench relocation: .*not on posix/],
		["nothing to measure, but nearly", ["bench", "relocate"], /did you mean relocation/],
		["no app", ["run", "no-such-app"], /there is no app at no-such-app[\s\S]*manifest\.json/],
		["no app named", ["build"], /<app> is missing/],
		["word too many", ["doctor", "everything"], /one word too many: everything/],
		["a folder without a manifest", ["build", "__SCRATCH__"], /has no manifest\.json/],
		["a file that is no app", ["build", "__TEXT__"], /is no app/],
		["no input file", ["run", "__APP__", "--input", "none.hea"], /there is no file none\.hea/],
		["input that is a folder", ["run", "__APP__", "--input", "__SCRATCH__"], /is a folder/],
		[
			"sanitizers on a microcontroller",
			["run", "__APP__", "--sanitize"],
			/do not run on mps2-an386[\s\S]*--board posix/,
		],
		["output below a file", ["build", "__APP__", "--board", "posix", "--out", "__TEXT__"], /ENOTDIR.*notes\.txt/],
		["input that is no record", ["run", "__APP__", "--input", "__CSV__"], /bad\.csv: /],
	])("%s", async (_name, words, expected) => {
		const app = join(scratch, "hello.ts");
		writeFileSync(app, 'console.log("hello");\n');
		writeFileSync(join(scratch, "notes.txt"), "notes\n");
		writeFileSync(join(scratch, "bad.csv"), "what,is\nthis,\n");
		const places: Record<string, string> = {
			__APP__: app,
			__SCRATCH__: scratch,
			__TEXT__: join(scratch, "notes.txt"),
			__CSV__: join(scratch, "bad.csv"),
		};
		const { code, stdout, stderr } = await pericard(words.map((word) => places[word] ?? word));
		expect(stderr).toMatch(expected);
		expect(stderr).not.toMatch(STACK);
		expect(stdout).toBe("");
		expect(code).toBe(2);
	});
});

test.skipIf(!existsSync("/dev/full"))("an output that can't be written is told, without a stack", () => {
	const words = ["-c", `"$0" "$1" doctor --json > /dev/full`, process.execPath, BIN];
	const { status, stderr } = spawnSync("/bin/sh", words, { encoding: "utf8" });
	expect(stderr).toMatch(/^pericard: can't write the output: .*\n$/);
	expect(status).toBe(2);
});

describe("new", () => {
	test("writes an app with its name in it, and refuses a folder that is not empty", async () => {
		const first = await pericard(["new", "my-device"], scratch);
		expect(first.stderr).toBe("");
		expect(first.code).toBe(0);
		const dir = join(scratch, "my-device");
		for (const file of ["main.ts", "manifest.json", "test/main.test.ts", "README.md", "tsconfig.json"]) {
			expect(existsSync(join(dir, file)), file).toBe(true);
			expect(readFileSync(join(dir, file), "utf8")).not.toMatch(/{{|}}/);
		}
		expect(readFileSync(join(dir, "README.md"), "utf8")).toMatch(/^# my-device/);
		JSON.parse(readFileSync(join(dir, "manifest.json"), "utf8"));

		const before = readdirSync(dir).sort();
		const second = await pericard(["new", "my-device"], scratch);
		expect(second.code).toBe(2);
		expect(second.stderr).toMatch(/my-device is not empty/);
		expect(second.stderr).not.toMatch(STACK);
		expect(readdirSync(dir).sort()).toEqual(before);
	});

	test("takes an empty folder, tells --json, refuses a name that is none", async () => {
		mkdirSync(join(scratch, "empty"));
		const made = await pericard(["new", "empty", "--json"], scratch);
		expect(made.code).toBe(0);
		expect(JSON.parse(made.stdout)).toMatchObject({ name: "empty", dir: join(scratch, "empty") });
		const refused = await pericard(["new", "a b"], scratch);
		expect(refused.code).toBe(2);
		expect(refused.stderr).toMatch(/no name for an app/);
	});
});

describe("doctor", () => {
	test("--json is an array that a script can read", async () => {
		const { code, stdout } = await pericard(["doctor", "--json"]);
		const findings = JSON.parse(stdout) as Record<string, unknown>[];
		expect(findings.map((finding) => finding.id)).toEqual([
			"node",
			"npm-packages",
			...requirements.map((tool) => tool.id),
		]);
		for (const finding of findings) {
			expect(["build", "test", "optional"]).toContain(finding.need);
			expect(typeof finding.found).toBe("boolean");
			// What is missing says how to get it, what is there does not.
			expect(finding.install !== undefined).toBe(finding.found === false);
		}
		const missing = findings.some((finding) => finding.need === "build" && finding.found === false);
		expect(code).toBe(missing ? 2 : 0);
	});

	test("a machine without tools: exit code 2 and how to get them", async () => {
		const { code, stdout } = await node([BIN, "doctor"], ROOT, { ...process.env, PATH: "/nonexistent" });
		expect(code).toBe(2);
		expect(stdout).toMatch(/missing +arm-none-eabi-gcc/);
		expect(stdout).toMatch(/get it: .*gcc-arm-none-eabi/);
		expect(stdout).toMatch(/npm run setup/);
	});
});

describe("set-up", () => {
	const setup = join(ROOT, "tools/setup.mjs");

	test("has nothing to do where everything is there, and is done at once", async () => {
		await node([setup]);
		const start = performance.now();
		const { code, stdout, stderr } = await node([setup]);
		expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "", stderr: "" });
		// A loaded machine gets some room: without load it is under 0.3 s.
		expect(performance.now() - start).toBeLessThan(2000);
	});

	test("--check installs nothing and names what is missing", async () => {
		const { code, stderr } = await node([setup, "--check", "--test"], ROOT, { ...process.env, PATH: "/nonexistent" });
		expect(code).toBe(2);
		for (const name of ["arm-none-eabi-gcc", "qemu-system-arm", "clang-format", "libnewlib-arm-none-eabi"]) {
			expect(stderr).toContain(name);
		}
	});

	test("another system is told what to install", async () => {
		// A PATH without apt-get is a system without it.
		const bin = join(scratch, "bin");
		mkdirSync(bin);
		symlinkSync(process.execPath, join(bin, "node"));
		const { code, stderr } = await node([setup], ROOT, { ...process.env, PATH: bin });
		expect(code).toBe(2);
		expect(stderr).toMatch(/not Debian or Ubuntu, so nothing was installed/);
		expect(stderr).toContain("arm-none-eabi-gcc");
	});

	test("the lock file names the packages of all platforms: npm ci refuses it else", () => {
		const { packages } = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as {
			packages: Record<string, { optionalDependencies?: Record<string, string> }>;
		};
		const wanted = Object.values(packages).flatMap((entry) => Object.keys(entry.optionalDependencies ?? {}));
		const there = Object.keys(packages).map((path) => path.replace(/^.*node_modules\//, ""));
		expect(wanted.filter((name) => !there.includes(name))).toEqual([]);
	});

	test("an unknown option is refused", async () => {
		expect((await node([setup, "--yes"])).code).toBe(2);
	});
});

test("works from a link to the package, in another folder, whatever tsconfig lies there", () => {
	mkdirSync(join(scratch, "elsewhere/node_modules/.bin"), { recursive: true });
	symlinkSync(ROOT, join(scratch, "elsewhere/node_modules/pericard"));
	symlinkSync("../pericard/tools/bin/pericard.mjs", join(scratch, "elsewhere/node_modules/.bin/pericard"));
	writeFileSync(join(scratch, "elsewhere/tsconfig.json"), '{ "compilerOptions": { "paths": {"*": ["./nothing/*"]} } }');
	const result = spawnSync("node_modules/.bin/pericard", ["--help"], {
		cwd: join(scratch, "elsewhere"),
		encoding: "utf8",
	});
	expect(result.stderr).toBe("");
	expect(result.status).toBe(0);
});

describe("pieces", () => {
	test("the nearest name", () => {
		expect(nearest("tset", VERBS)).toBe("test");
		expect(nearest("rnu", VERBS)).toBe("run");
		expect(nearest("dem", VERBS)).toBe("demo");
		expect(nearest("zzz", VERBS)).toBeUndefined();
	});

	test("a table", () => {
		expect(table(["part", "bytes"], [["xs", "120"]], ["total", "120"])).toBe(
			["part   bytes", "-----  -----", "xs       120", "-----  -----", "total    120"].join("\n"),
		);
	});

	test("a trace: the low left, the high right, a gap where there is no value", () => {
		const lines = trace([0, 0, Number.NaN, Number.NaN, 1, 1], 3, 2, 0, 1);
		expect(lines).toEqual(["  \u2809", "\u28c0  "]);
	});
});
