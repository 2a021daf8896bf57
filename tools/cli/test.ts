// `pericard test`: an app's test/*.test.ts, run on the device, told as vitest would tell it.

import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, relative } from "node:path";
import { BUILD_OPTIONS, buildApp } from "./build.ts";
import { type Arguments, CliError, type Command, FAILED, OK } from "./command.ts";
import { consoleLine, describeFailure, stackLines } from "./failure.ts";
import { appFolder, DEFAULT_BOARD, findApp } from "./paths.ts";
import { progressLines } from "./progress.ts";
import { chooseEmulator, runSession } from "./session.ts";

/** Emulated seconds that all tests of an app may take. */
const DEADLINE = 600;

/**
 * The machine of a test image: pericard/test, the tests and what they keep come on top of what an app needs. It still
 * fits a device of 256 KB.
 */
const ROOM = { static: 196_608, stack: 512 };

/** What the device says of one test. */
interface TestRecord {
	readonly suite: string;
	readonly name: string;
	readonly ok: boolean;
	readonly skipped: boolean;
	readonly message: string;
	readonly stack: string;
}

/** The test files of an app: its test/*.test.ts, or the app itself where it is such a file. */
function testFiles(app: string): string[] {
	if (app.endsWith(".test.ts")) return [app];
	const folder = join(appFolder(app), "test");
	if (!existsSync(folder)) return [];
	return readdirSync(folder)
		.filter((file) => file.endsWith(".test.ts"))
		.sort()
		.map((file) => join(folder, file));
}

/**
 * Writes an app whose `main` loads the test files, beside all other modules of the app under test; pericard/test runs
 * what they define. Returns what to build, and the folder that its sources are named from.
 */
function writeTestApp(app: string, files: readonly string[]): { app: string; dir: string } {
	if (files[0] === app) return { app, dir: appFolder(app) };
	const name = basename(app).replace(/(\.test)?\.ts$/, "");
	const dir = join(tmpdir(), `pericard-${process.getuid?.() ?? 0}`, `${name}-${hash(app)}`, `${name}-test`);
	mkdirSync(dir, { recursive: true });
	const main = ["// Written by `pericard test`: loads the tests; pericard/test runs them when all are loaded.", ""];
	for (const file of files) main.push(`import ${JSON.stringify(relative(dir, file))};`);
	main.push("");
	const entry = join(dir, `${name}-test.ts`);
	writeFileSync(entry, main.join("\n"));
	// A single file brings what it imports; the modules of an app are those of its manifest and the tests.
	if (!statSync(app).isDirectory()) return { app: entry, dir };
	const modules: Record<string, string> = { main: entry };
	for (const file of files) modules[`test/${basename(file, ".ts")}`] = file;
	const manifest = { build: { NAME: `${name}-test` }, include: [join(app, "manifest.json")], modules };
	writeFileSync(join(dir, "manifest.json"), JSON.stringify(manifest, null, "\t"));
	return { app: dir, dir };
}

/** A short name for a path (FNV-1a). */
function hash(text: string): string {
	let value = 0x811c9dc5;
	for (const char of text) value = Math.imul(value ^ (char.codePointAt(0) ?? 0), 0x01000193) >>> 0;
	return value.toString(16).padStart(8, "0");
}

function asTest(record: Readonly<Record<string, unknown>>): TestRecord {
	const text = (key: string) => (typeof record[key] === "string" ? (record[key] as string) : "");
	return {
		suite: text("suite"),
		name: text("name"),
		ok: record.ok === true,
		skipped: record.skipped === true,
		message: text("message"),
		stack: text("stack"),
	};
}

async function run(args: Arguments): Promise<number> {
	const [word = ""] = args.positionals;
	const json = args.flag("json");
	const app = findApp(word);
	const emulator = chooseEmulator(args.text("board") ?? DEFAULT_BOARD, args.text("emulator"));
	const files = testFiles(app);
	if (files.length === 0) {
		throw new CliError(`${word} has no tests`, "tests are files named test/*.test.ts in the app's folder", FAILED);
	}
	const written = writeTestApp(app, files);
	const progress = progressLines(json && !args.flag("verbose"));
	const tell = (message: string) => {
		// That our main takes the place of the app's is as meant.
		if (!message.startsWith("note: ") || !message.includes(`module "main" takes the place`)) progress(message);
	};
	const build = await buildApp(args, written.app, tell, ROOM);
	const origin = { build, dir: written.dir };

	const results: TestRecord[] = [];
	const failures: string[] = [];
	let finished = false;
	const outcome = await runSession(build, {
		emulator,
		seconds: args.number("seconds") ?? DEADLINE,
		onLine: (line) => (json ? console.error : console.log)(consoleLine(origin, line)),
		onRecord: (record) => {
			if (record.event === "tests") finished = true;
			if (record.event !== "test") return;
			const test = asTest(record);
			results.push(test);
			const title = [test.suite, test.name].filter((part) => part !== "").join(" > ");
			// The frames of pericard/test itself say nothing of the failure.
			const where = stackLines(origin, test.stack).filter((line) => !line.includes("firmware/test/test.ts:"));
			if (json) {
				const { message, ...rest } = test;
				console.log(
					JSON.stringify({ ...rest, stack: where.map((line) => line.trim()), ...(test.ok ? {} : { message }) }),
				);
				return;
			}
			console.log(` ${test.skipped ? "-" : test.ok ? "✓" : "✗"} ${title}`);
			if (!test.ok) failures.push(`FAIL  ${title}\n${test.message}`, ...where, "");
		},
	});

	const count = (which: (test: TestRecord) => boolean) => results.filter(which).length;
	const passed = count((test) => test.ok && !test.skipped);
	const skipped = count((test) => test.skipped);
	let failed = count((test) => !test.ok);
	if (failures.length > 0) console.error(`\n${failures.join("\n").trimEnd()}\n`);
	if (outcome.failure !== undefined && outcome.failure.event !== "end") {
		failed += 1;
		for (const line of describeFailure(origin, outcome.failure)) console.error(line);
	} else if (results.length === 0 && outcome.reason === "ended") {
		failed += 1;
		console.error("No test ran.");
	} else if (!finished) {
		failed += 1;
		console.error(
			outcome.reason === "time"
				? `The tests did not end within ${outcome.seconds.toFixed(3)} s of emulated time.`
				: `The run ended before the tests did: ${outcome.reason}`,
		);
	}
	if (json) console.log(JSON.stringify({ board: build.board, emulator, passed, failed, skipped }));
	else {
		const listed = files.map((file) => relative(process.cwd(), file)).join(", ");
		console.log(`\n${listed} on ${build.board} (${emulator}), ${outcome.seconds.toFixed(3)} s of emulated time`);
		console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
	}
	return failed === 0 ? OK : FAILED;
}

export const command: Command = {
	name: "test",
	summary: "run an app's tests on the emulated device",
	description:
		"Builds the app's test/*.test.ts with the app's modules into one image, runs it in an emulator and prints each test as it ends; a failure with file and line. Tests import describe, test and expect from pericard/test. The app's own main does not run.",
	positionals: [{ name: "app", help: "a folder with a manifest.json, or a single file named *.test.ts" }],
	options: {
		...BUILD_OPTIONS,
		seconds: { value: "S", help: `emulated seconds that the tests may take (default ${DEADLINE})` },
		emulator: { value: "NAME", help: "default: the board's first", choices: ["qemu", "renode", "posix"] },
		json: { help: "print one object a test, {suite, name, ok, skipped, stack, message}, then one of the counts" },
	},
	examples: [
		["pericard test my-device", "all its tests, on mps2-an386"],
		["pericard test my-device --board posix --sanitize", "as a process that checks its memory accesses"],
		["pericard test crc.test.ts", "one file that needs no app"],
	],
	exitCodes: [
		[0, "every test passed"],
		[1, "a test failed, the device crashed, no test ran, or the tests do not build"],
		[2, "wrong usage, or a tool is missing (see `pericard doctor`)"],
	],
	run,
};
