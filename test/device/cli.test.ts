// The command line on real images: what a user sees of a run, a failure, and an app's tests.

import { execFile, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { syntheticRecording } from "../../tools/signals/synthetic.ts";
import { packAnnotations, writeRecord } from "../unit/wfdb-writer.ts";

const BIN = join(import.meta.dirname, "../../tools/bin/pericard.mjs");

interface Result {
	readonly code: number;
	readonly stdout: string;
	readonly stderr: string;
}

let folder = "";
beforeAll(() => {
	folder = mkdtempSync(join(tmpdir(), "pericard-run-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the command in the scratch folder, as a user does in a folder of theirs. */
function pericard(...words: string[]): Promise<Result> {
	return new Promise((resolve) => {
		execFile(process.execPath, [BIN, ...words], { cwd: folder, encoding: "utf8" }, (error, stdout, stderr) => {
			const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
			resolve({ code, stdout, stderr });
		});
	});
}

function write(name: string, text: string): string {
	mkdirSync(join(folder, name, ".."), { recursive: true });
	writeFileSync(join(folder, name), text);
	return name;
}

describe.each(["posix", "mps2-an386"])("on %s", (board) => {
	test("run: a file that was just written says hello, and ends", async () => {
		const app = write(`${board}/hello.ts`, 'const name: string = "world";\nconsole.log("hello, " + name);\n');
		const { code, stdout, stderr } = await pericard("run", app, "--board", board);
		expect(stderr).toMatch(/the app ended after \d+\.\d+ s/);
		expect(stdout).toBe("hello, world\n");
		expect(code).toBe(0);
	});

	test("run --seconds: ends when the time is up, in emulated time", async () => {
		const app = write(
			`${board}/ticks.ts`,
			'import Timer from "timer";\nimport { report } from "pericard/report";\nlet n = 0;\nTimer.repeat(() => report("tick", { n: ++n }), 1000);\n',
		);
		const { code, stdout, stderr } = await pericard("run", app, "--board", board, "--seconds", "60.5", "--json");
		expect(stderr).toBe("");
		expect(
			stdout
				.trimEnd()
				.split("\n")
				.map((line) => JSON.parse(line)),
		).toEqual(Array.from({ length: 60 }, (_, index) => ({ n: index + 1 })));
		expect(code).toBe(0);
	});

	test("run: an uncaught exception prints its TypeScript stack and exits with 1", async () => {
		const app = write(
			`${board}/boom.ts`,
			[
				"interface Sample {", // types take lines that the JavaScript does not have
				"	readonly value: number;",
				"}",
				"function check(sample: Sample): void {",
				"	if (sample.value > 3) throw new RangeError(String(sample.value).concat(' is too much'));",
				"}",
				'console.log("going");',
				"check({ value: 4 });",
				"",
			].join("\n"),
		);
		const { code, stdout, stderr } = await pericard("run", app, "--board", board);
		expect(stdout).toBe("going\n");
		expect(stderr).toMatch(/Uncaught RangeError: 4 is too much/);
		expect(stderr).toMatch(new RegExp(`at check \\(${board}/boom\\.ts:5\\)`));
		expect(stderr).toMatch(new RegExp(`\\(${board}/boom\\.ts:8\\)`));
		expect(code).toBe(1);
	});

	test("run: an error tells its cause with its place; a thrown value that is no error is told as it is", async () => {
		const app = write(
			`${board}/cause.ts`,
			[
				"function read(): void {",
				"	throw new TypeError('no sensor');",
				"}",
				"try {",
				"	read();",
				"} catch (cause) {",
				"	throw new Error('no reading', { cause });",
				"}",
				"",
			].join("\n"),
		);
		const first = await pericard("run", app, "--board", board);
		expect(first.stderr.split("\n").slice(-6)).toEqual([
			"Uncaught Error: no reading",
			`    at (${board}/cause.ts:7)`,
			"Caused by TypeError: no sensor",
			`    at read (${board}/cause.ts:2)`,
			`    at (${board}/cause.ts:5)`,
			"",
		]);
		expect(first.code).toBe(1);
		for (const [value, told] of [
			["undefined", "undefined"],
			["{ code: 5 }", "[object Object]"],
		]) {
			const { code, stderr } = await pericard("run", write(`${board}/value.ts`, `throw ${value};\n`), "--board", board);
			expect(stderr.split("\n").at(-2)).toBe(`Uncaught thrown value: ${told}`);
			expect(code).toBe(1);
		}
	});

	test("run: a limit of the machine names the key that sets it", async () => {
		const deep = write(
			`${board}/deep.ts`,
			"function deep(n: number): number {\n\treturn deep(n + 1) + 1;\n}\ndeep(0);\n",
		);
		const { code, stderr } = await pericard("run", deep, "--board", board);
		expect(stderr).toMatch(
			/aborted: stack-overflow\n {4}at \(.*deep\.ts:2\)\nhint: creation\.stack in .*manifest\.json/,
		);
		expect(code).toBe(1);
	});

	test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
		"run: %s ends an app that never rests, as shells tell it",
		async (signal) => {
			const app = write(`${board}/busy.ts`, 'console.log("busy");\nfor (;;) {}\n');
			const child = spawn(process.execPath, [BIN, "run", app, "--board", board], { cwd: folder });
			let [out, err] = ["", ""];
			child.stderr.on("data", (data) => {
				err += data;
			});
			child.stdout.on("data", (data) => {
				out += data;
				if (out.includes("busy\n")) child.kill(signal);
			});
			const ended = await new Promise((resolve) => child.on("close", (code) => resolve(code)));
			expect(ended).toBe(128 + constants.signals[signal]);
			expect(err).not.toMatch(/pericard: /);
		},
	);

	test("run: what the app reports as lines, and a stack that it prints itself in TypeScript", async () => {
		const app = write(
			`${board}/tells.ts`,
			[
				'import { report } from "pericard/report";',
				"interface Nothing {}",
				"function fail(): void {",
				"	throw new Error('told');",
				"}",
				"try {",
				"	fail();",
				"} catch (error) {",
				"	console.log(error);",
				"}",
				"report('reading', { value: 3.5, unit: 'mV', missing: null, list: [1, 2] });",
				"report('state', 'asleep');",
				"console.log('at home (as:1) it stays');",
				"",
			].join("\n"),
		);
		const { code, stdout } = await pericard("run", app, "--board", board);
		expect(stdout.split("\n")).toEqual([
			"Error: told",
			`    at fail (${board}/tells.ts:4)`,
			`    at (${board}/tells.ts:7)`,
			"[reading]  value 3.5  unit mV  list [1,2]",
			"[state]  asleep",
			"at home (as:1) it stays",
			"",
		]);
		expect(code).toBe(0);
	});

	test("test: an app from the template passes", async () => {
		if (!existsSync(join(folder, "my-device"))) await pericard("new", "my-device");
		const { code, stdout, stderr } = await pericard("test", "my-device", "--board", board);
		expect(stderr).not.toMatch(/FAIL/);
		expect(stdout).toContain("✓ median > takes the middle value");
		expect(stdout).toMatch(/^3 passed, 0 failed$/m);
		expect(code).toBe(0);
	});

	test("test: all tests of the reference app pass on the device", async () => {
		const { code, stdout, stderr } = await pericard("test", "ecg-patch", "--board", board);
		expect(stdout.match(/^ [✓✗-] .*$/gm), stderr).toEqual([
			" ✓ codec > the native CRC is CRC-16/IBM-3740",
			" ✓ codec > bytes of a frame",
			" ✓ heart rate measurement > bytes with contact and an interval",
			" ✓ patch > finds every beat of a synthetic ECG, with its interval and rate",
			" ✓ patch > a corrupt frame is a fault, and no beat",
			" ✓ patch > missing frames are a gap, and record time goes on",
			" ✓ patch > a dead front end is no signal, told once",
			" ✓ sensor > samples come at their own rate, and stop with close()",
		]);
		expect(stdout).toMatch(/^8 passed, 0 failed$/m);
		expect(code).toBe(0);
	});

	test("test: a failure has file and line, and fails the run", async () => {
		const app = write(
			`${board}/fails.test.ts`,
			[
				'import { describe, expect, test } from "pericard/test";',
				"",
				'describe("sums", () => {',
				'	test("right", () => expect(1 + 1).toBe(2));',
				'	test("wrong", () => {',
				"		expect(1 + 1).toBe(3);",
				"	});",
				'	test.skip("later");',
				"});",
				"",
			].join("\n"),
		);
		const { code, stdout, stderr } = await pericard("test", app, "--board", board);
		expect(stdout).toContain("✗ sums > wrong");
		expect(stderr).toMatch(/FAIL {2}sums > wrong/);
		expect(stderr).toMatch(new RegExp(`${board}/fails\\.test\\.ts:6\\)`));
		expect(stdout).toMatch(/^1 passed, 1 failed, 1 skipped$/m);
		expect(code).toBe(1);
	});

	test("test: a crash is a failure, and so is a file without tests", async () => {
		const crash = write(
			`${board}/crash.test.ts`,
			'import { test } from "pericard/test";\ntest("one", () => {});\nthrow new Error("at load");\n',
		);
		const first = await pericard("test", crash, "--board", board);
		expect(first.stderr).toMatch(/Error: at load/);
		expect(first.code).toBe(1);
		const none = await pericard("test", write(`${board}/none.test.ts`, "export {};\n"), "--board", board);
		expect(none.stderr).toMatch(/No test ran/);
		expect(none.code).toBe(1);
	});

	test("attest: the reference app is affirmed; what was saved is judged the same, and is a replay for another challenge", async () => {
		const { code, stdout, stderr } = await pericard("attest", "ecg-patch", "--board", board, "--json", "--save", board);
		expect(stderr).toMatch(/^saved in /);
		const result = JSON.parse(stdout);
		expect(result).toMatchObject({ board, app: "ecg-patch", verdict: "affirming" });
		expect(result.components.map((component: { name: string }) => component.name)).toEqual([
			"native",
			"xs",
			"app",
			"config",
		]);
		for (const component of result.components) expect(component.measured).toBe(component.expected);
		expect(result.relocation).toMatchObject(board === "posix" ? { status: "none" } : { status: "ready", change: null });
		expect(result.reasons).toEqual([expect.stringMatching(/^entropy source: development; accepted, since the board/)]);
		expect(code).toBe(0);
		const kept = ["--token", `${board}/token.cbor`, "--key", `${board}/key.json`];
		const again = ["attest", "ecg-patch", "--board", board, ...kept];
		expect((await pericard(...again, "--nonce", result.nonce)).code).toBe(0);
		const replay = await pericard(...again, "--nonce", "00".repeat(32));
		expect(replay.stdout).toMatch(/^verdict: contraindicated\n {2}contraindicated: token for another nonce/m);
		expect(replay.code).toBe(1);
		// Another device where this one's key is expected.
		const other = await pericard("attest", "ecg-patch", "--board", board, "--seed", "2", "--key", `${board}/key.json`);
		expect(other.stdout).toMatch(/^verdict: none\n {2}none: unknown key: /m);
		expect(other.code).toBe(1);
	}, 300_000);

	test("attest: a debug image is a warning, an app without the service is told how to get it", async () => {
		const debug = await pericard(
			"attest",
			"ecg-patch",
			"--board",
			board,
			"--debug",
			"--json",
			"--nonce",
			"07".repeat(64),
		);
		const result = JSON.parse(debug.stdout);
		expect(result).toMatchObject({ verdict: "warning", nonce: "07".repeat(64) });
		expect(result.reasons[0]).toMatch(/^the device's lifecycle is non-psa-rot-debug \(0x4000\)/);
		expect(debug.code).toBe(1);
		const silent = await pericard("attest", write(`${board}/silent.ts`, 'console.log("hush");\n'), "--board", board);
		expect(silent.stderr).toMatch(/silent can't be attested: .*\nhint: put .*manifests\/attestation\.json/);
		expect(silent.code).toBe(2);
	}, 300_000);
});

test("build: a type error stops it, with file and line, exit code 1", async () => {
	const app = write("typed.ts", 'const count: number = "three";\nconsole.log(count);\n');
	const { code, stdout, stderr } = await pericard("build", app);
	expect(stderr).toMatch(/typed\.ts:1:7/);
	expect(stderr).not.toMatch(/internal error/);
	expect(stdout).toBe("");
	expect(code).toBe(1);
});

test("build --json: the figures of its table, and files that exist", async () => {
	const app = write("small.ts", 'console.log("small");\n');
	const [json, text] = [await pericard("build", app, "--json"), await pericard("build", app)];
	const build = JSON.parse(json.stdout) as {
		elf: string;
		hex: string;
		map: string;
		version: string;
		reference: string;
		corim: string;
		size: { flash: Record<string, number>; flashTotal: number };
	};
	for (const file of [build.elf, build.hex, build.map, build.corim]) expect(existsSync(file), file).toBe(true);
	expect(JSON.parse(readFileSync(build.reference, "utf8"))).toMatchObject({
		format: 1,
		app: "small",
		version: "0.0.0",
	});
	expect(build.version).toBe("0.0.0");
	for (const name of ["small.reference.json", "small.corim"]) expect(text.stdout).toContain(name);
	expect(text.stdout).toContain("small 0.0.0 for mps2-an386 (lifecycle secured)");
	expect(Object.values(build.size.flash).reduce((sum, bytes) => sum + bytes, 0)).toBe(build.size.flashTotal);
	expect(text.stdout.replaceAll(" ", "")).toContain(`total${build.size.flashTotal}`);
});

test("demo: without a terminal a line a beat, the summary, then the verdicts", async () => {
	const { code, stdout, stderr } = await pericard("demo", "--seconds", "12");
	expect(stderr).not.toMatch(/internal error/);
	const beats = stdout.match(/^ +\d+\.\d{3} s {2}beat .*$/gm) ?? [];
	expect(beats.length).toBeGreaterThan(8);
	expect(stdout).toMatch(/12\.0 s on the device: \d+ beats, mean \d+ bpm/);
	const [, proof = ""] = stdout.split("Is it still what was built?");
	const lines = proof.split("\n").filter((line) => line.startsWith("  "));
	expect(lines).toEqual(
		[
			/^ {2}honest device +affirming$/,
			/^ {2}attack: one bit of the module pericard\/signal\/qrs flipped +contraindicated$/,
			/^ {4}app: module "pericard\/signal\/qrs" is not what was built$/,
			/^ {2}attack: the C function pc_crc16 patched to return 0 +contraindicated$/,
			/^ {4}native: region "\w+" is not what was built$/,
			/^ {2}attack: the honest answer sent again +contraindicated$/,
			/^ {4}replayed token: its nonce [0-9a-f]{16}… has been answered before$/,
			/^ {2}attack: pc_keystore_make patched in RAM, where it runs +contraindicated$/,
			/^ {4}moved code: function "pc_keystore_make" \(.*\) is not what was built$/,
			/^ {2}attack: pc_sha256_update called where it was an epoch ago +memory-fault$/,
			/^ {4}epoch \d+'s address, used in epoch \d+; the next answer: affirming, the device started after a failure: memory-fault$/,
		].map((line) => expect.stringMatching(line)),
	);
	expect(code).toBe(0);
});

test("run --watch-layout: a line a move, and what the app says between", async () => {
	const { code, stdout } = await pericard("run", "ecg-patch", "--seconds", "4", "--watch-layout");
	const moves = [...stdout.matchAll(/^ *(\d\.\d\d) s {2}epoch +(\d+) {2}0x[\da-f]{8} ([a-e.-]{64}) {2}(.*)$/gm)];
	expect(moves.length).toBeGreaterThan(3);
	expect(moves.map(([, , epoch]) => Number(epoch))).toEqual(moves.map((_, index) => index + 1));
	expect(moves.map(([, , , , what]) => what)).toEqual(
		moves.map((_, index) => (index === 0 ? "first seen" : "all moved")),
	);
	expect(new Set(moves.map(([, , , bar]) => bar)).size).toBe(moves.length);
	expect(stdout).toMatch(/^\d+ functions, [\d,]+ bytes, move between two halves of/m);
	expect(stdout).toMatch(/^\[beat\] {2}t \d/m);
	expect(code).toBe(0);
}, 300_000);

test("run --json of ecg-patch: one object a beat, with t, rr, bpm and fault", async () => {
	const { code, stdout } = await pericard("run", "ecg-patch", "--seconds", "10", "--json");
	const beats = stdout
		.trimEnd()
		.split("\n")
		.map((line) => JSON.parse(line) as Record<string, unknown>);
	expect(beats.length).toBeGreaterThan(5);
	for (const beat of beats) expect(Object.keys(beat)).toEqual(["t", "rr", "bpm", "fault"]);
	expect(code).toBe(0);
});

test("bench --full --json: every figure that the README names, within its target", async () => {
	const record = syntheticRecording({ seconds: 20, sampleRate: 250, seed: 5 });
	const samples = Array.from(record.signals[0]?.samples ?? []);
	const path = writeRecord(folder, "bench", 16, 250, [{ name: "ECG", samples }]);
	writeFileSync(`${path}.atr`, packAnnotations(record.beats.filter((beat) => beat < 19.5 * 250)));
	const { code, stdout, stderr } = await pericard("bench", "--json", "--full", "--input", "bench.hea");
	expect(stderr).toBe("");
	expect(code).toBe(0);
	const figures = JSON.parse(stdout) as {
		name: string;
		value: number;
		unit: string;
		board: string;
		component?: string;
	}[];
	const boards = ["mps2-an386", "nrf52840dk", "posix"];
	for (const figure of figures) {
		const size = /^((attest|relocation)-)?(flash|ram)-bytes$/.test(figure.name);
		expect(Object.keys(figure)).toEqual(["name", "value", "unit", "board", ...(size ? ["component"] : [])]);
		expect(figure).toMatchObject({ name: expect.any(String), value: expect.any(Number), board: expect.any(String) });
		expect(figure.value).toBeGreaterThanOrEqual(0);
	}
	for (const board of boards) {
		for (const name of ["flash-bytes", "ram-bytes"]) {
			const parts = figures.filter((figure) => figure.name === name && figure.board === board);
			const totals = parts.filter((figure) => figure.component === "total");
			expect(totals.length).toBe(1);
			expect(new Set(parts.map((part) => part.component)).size).toBe(parts.length);
			expect(parts.every((part) => part.unit === "bytes" && Number.isInteger(part.value))).toBe(true);
			const sum = parts.filter((part) => part.component !== "total").reduce((all, part) => all + part.value, 0);
			expect(sum).toBe(totals[0]?.value);
		}
	}
	const counted = figures.filter((figure) => figure.component === undefined);
	expect(counted.map(({ name, unit, board }) => [name, unit, board])).toEqual([
		["boot", "instructions", "mps2-an386"],
		["ecg-sample", "instructions", "mps2-an386"],
		["js-loop", "instructions", "mps2-an386"],
		["js-call", "instructions", "mps2-an386"],
		["js-typed-array", "instructions", "mps2-an386"],
		["p256-sign", "instructions", "mps2-an386"],
		["p256-verify", "instructions", "mps2-an386"],
		["p256-ecdh", "instructions", "mps2-an386"],
		["x25519", "instructions", "mps2-an386"],
		["ed25519-sign", "instructions", "mps2-an386"],
		["ed25519-verify", "instructions", "mps2-an386"],
		["aes128-ctr-per-byte", "instructions", "mps2-an386"],
		["aes128-ccm-per-byte", "instructions", "mps2-an386"],
		["aes128-gcm-per-byte", "instructions", "mps2-an386"],
		["sha256-per-byte", "instructions", "mps2-an386"],
		["attest-total", "instructions", "mps2-an386"],
		["attest-longest-slice", "instructions", "mps2-an386"],
		["token-bytes", "bytes", "mps2-an386"],
		["idle-wakeups-per-second", "1/s", "mps2-an386"],
		["ecg-sensitivity", "%", "mps2-an386"],
		["ecg-positive-predictivity", "%", "mps2-an386"],
	]);

	const value = (name: string) => counted.find((figure) => figure.name === name)?.value ?? Number.NaN;
	const total = (name: string, board: string) =>
		figures.find((figure) => figure.name === name && figure.board === board && figure.component === "total")?.value ??
		Number.NaN;
	// The app without attestation and with its code in flash, and what each adds.
	const added = { flash: total("attest-flash-bytes", "nrf52840dk"), ram: total("attest-ram-bytes", "nrf52840dk") };
	const moving = {
		flash: total("relocation-flash-bytes", "nrf52840dk"),
		ram: total("relocation-ram-bytes", "nrf52840dk"),
	};
	expect(total("flash-bytes", "nrf52840dk") - moving.flash - added.flash).toBeLessThanOrEqual(400_000);
	expect(added.flash).toBeLessThanOrEqual(40_000);
	expect(added.flash).toBeGreaterThan(20_000);
	expect(moving.flash).toBeLessThanOrEqual(24_000);
	expect(total("ram-bytes", "nrf52840dk") - moving.ram).toBeLessThanOrEqual(150_000);
	expect(moving.ram).toBeLessThanOrEqual(58_000);
	expect(moving.ram).toBeGreaterThan(40_000);
	expect(added.ram).toBeLessThanOrEqual(8_000);
	expect(added.ram).toBeGreaterThan(4_000);
	expect(value("boot")).toBeLessThanOrEqual(1_000_000);
	expect(value("ecg-sample")).toBeLessThanOrEqual(40_000);
	expect(value("idle-wakeups-per-second")).toBe(0);
	expect(value("ecg-sensitivity")).toBe(100);
	expect(value("ecg-positive-predictivity")).toBeGreaterThan(90); // the record's last beat is in no annotation
	// A call costs more than a loop that makes none; nothing costs nothing.
	expect(value("boot")).toBeGreaterThan(50_000);
	expect(value("ecg-sample")).toBeGreaterThan(1000);
	expect(value("js-loop")).toBeGreaterThan(10);
	expect(value("js-call")).toBeGreaterThan(value("js-loop"));
	expect(value("sha256-per-byte")).toBeGreaterThan(10);
	expect(value("sha256-per-byte")).toBeLessThanOrEqual(40);
	expect(value("p256-sign")).toBeGreaterThan(100_000);
	expect(value("p256-sign")).toBeLessThanOrEqual(450_000);
	expect(value("p256-verify")).toBeGreaterThan(value("p256-sign"));
	expect(value("attest-longest-slice")).toBeLessThanOrEqual(64_000);
	expect(value("attest-longest-slice")).toBeGreaterThan(40_000);
	expect(value("token-bytes")).toBeLessThanOrEqual(640);
	expect(value("token-bytes")).toBeGreaterThan(500);
	const hashedAndSigned = total("flash-bytes", "mps2-an386") * value("sha256-per-byte") + value("p256-sign");
	expect(value("attest-total")).toBeLessThanOrEqual(1.3 * hashedAndSigned);
	expect(value("attest-total")).toBeGreaterThan(0.9 * hashedAndSigned);
	const readme = readFileSync(join(import.meta.dirname, "../../README.md"), "utf8");
	for (const { name } of figures) expect(readme).toContain(name);
}, 300_000);
