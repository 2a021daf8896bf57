// Whole builds, run as a process of this machine: what a developer sees of the tool-chain.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { boardNames, readBoard } from "../../tools/build/board.ts";
import { buildFirmware } from "../../tools/build/build.ts";
import { loadSymbols } from "../../tools/build/symbols.ts";
import { failure, files, scratch, within } from "./build-fixtures.ts";

interface Result {
	readonly text: string;
	readonly records: readonly Record<string, unknown>[];
}

/* Runs a posix image until it ends or resets; its console's text and records. */
function run(executable: string): Result {
	const { stdout } = spawnSync(executable, { timeout: 20_000, maxBuffer: 1 << 15, killSignal: "SIGKILL" });
	const lines = stdout.toString().split("\n");
	const records = lines.filter((line) => line.startsWith("\x1e")).map((line) => JSON.parse(line.slice(1)));
	const text = lines.filter((line) => !line.startsWith("\x1e")).join("\n");
	return { text, records };
}

test("a single file that somebody just wrote", async () => {
	const app = join(files({ "hello.ts": 'const answer: number = 6 * 7;\nconsole.log("hello", answer);\n' }), "hello.ts");
	const build = await buildFirmware({ app, board: "posix", out: scratch() });
	const { text, records } = run(build.elf);
	expect(text).toContain("hello 42");
	expect(records[0]).toMatchObject({ event: "boot", app: "hello", build: "release", archive: "ok" });
	expect(records.at(-1)).toMatchObject({ event: "end", status: 0 });
});

test("builds in one folder at once take turns; a lock that a killed build left is nobody's", async () => {
	const app = join(files({ "twice.ts": 'console.log("whole");\n' }), "twice.ts");
	const out = scratch();
	mkdirSync(join(out, "mps2-an386"));
	const killed = spawnSync(process.execPath, ["-e", ""]).pid;
	writeFileSync(join(out, "mps2-an386/twice.lock"), String(killed));
	const waits: string[] = [];
	const progress = (message: string) => {
		if (message.startsWith("waiting")) waits.push(message);
	};
	const builds = await Promise.all([1, 2, 3].map(() => buildFirmware({ app, board: "mps2-an386", out, progress })));
	const [first, ...others] = builds.map(({ size }) => size.flashTotal);
	expect(others).toEqual([first, first]);
	expect(waits.length).toBe(2);
	expect(existsSync(join(out, "mps2-an386/twice.lock"))).toBe(false);
});

test("natives of the app's own, config, defines and data", async () => {
	const app = files({
		"manifest.json": {
			build: { NAME: "parts" },
			modules: { "*": "./*" },
			config: { greeting: "hi", list: [1, { deep: true }] },
			defines: { part: { factor: 3, name: "#thrice" } },
			data: { "*": "./assets/*" },
		},
		"assets/note.txt": "a note",
		"main.ts": [
			'import config from "mc/config";',
			'import Resource from "Resource";',
			'import { Counter, name, scale } from "./scale.ts";',
			"const counter = new Counter(scale(2));",
			"counter.add(1);",
			"console.log(config.greeting, Object.isFrozen(config.list[1]), counter.value, name());",
			'console.log(String.fromCharCode(...new Uint8Array(new Resource("note.txt"))));',
		].join("\n"),
		"scale.ts": [
			'export const scale: (value: number) => number = native("xs_scale");',
			'export const name: () => string = native("xs_scale_name");',
			'export class Counter extends Native("xs_counter_destructor") {',
			'\tconstructor(start: number) { super(); native<(this: Counter, start: number) => void>("xs_counter").call(this, start); }',
			'\tadd(more: number): void { native<(this: Counter, more: number) => void>("xs_counter_add").call(this, more); }',
			'\tget value(): number { return native<(this: Counter) => number>("xs_counter_value").call(this); }',
			"}",
		].join("\n"),
		"scale.c": [
			'#include "xsmc.h"',
			'#include "mc.defines.h"',
			"#include <stdint.h>",
			"void xs_scale(xsMachine *the) { xsmcSetInteger(xsResult, xsmcToInteger(xsArg(0)) * MODDEF_PART_FACTOR); }",
			"void xs_scale_name(xsMachine *the) { xsmcSetString(xsResult, MODDEF_PART_NAME); }",
			"void xs_counter_destructor(void *data) { (void)data; }",
			"void xs_counter(xsMachine *the) { xsmcSetHostData(xsThis, (void *)(intptr_t)xsmcToInteger(xsArg(0))); }",
			"void xs_counter_add(xsMachine *the) {",
			"\tintptr_t value = (intptr_t)xsmcGetHostData(xsThis) + xsmcToInteger(xsArg(0));",
			"\txsmcSetHostData(xsThis, (void *)value);",
			"}",
			"void xs_counter_value(xsMachine *the) { xsmcSetInteger(xsResult, (xsIntegerValue)(intptr_t)xsmcGetHostData(xsThis)); }",
		].join("\n"),
	});
	const build = await buildFirmware({ app, board: "posix", out: scratch(), config: { greeting: "hello" } });
	expect(build.modules).toEqual(["Resource", "main", "mc/config", "scale"]);
	expect(build.size.flash["native:app"]).toBeGreaterThan(0);
	expect(build.symbols.get("xs_scale")).toBeGreaterThan(0);
	expect(run(build.elf).text).toContain("hello true 7 thrice\na note\n");
});

test.each([false, true])("an exception's stack leads to lines of TypeScript (debug %s)", async (debug) => {
	const app = files({
		"manifest.json": { build: { NAME: "thrower" }, modules: { "*": "./*" } },
		"main.ts": [
			"interface Unused { readonly a: number }",
			'import { deep } from "./deep.ts";',
			"",
			"function outer(): number {",
			"\tconst unused: Unused = { a: 1 };",
			"\treturn unused.a + deep(3);",
			"}",
			"outer();",
		].join("\n"),
		"deep.ts":
			"/* a comment */\nexport function deep(n: number): number {\n\tif (n > 2)\n\t\tthrow new RangeError('too deep');\n\treturn n;\n}\n",
	});
	const build = await buildFirmware({ app, board: "posix", out: scratch(), debug });
	const record = run(build.elf).records.find(({ event }) => event === "uncaught");
	expect(record).toMatchObject({ name: "RangeError", message: "too deep" });
	const stack = loadSymbols(build.symbolsFile).stack(String(record?.stack));
	expect(stack).toMatch(/ at deep \(deep\.ts:4\)\n at outer \(main\.ts:6\)\n at .*\(main\.ts:8\)/);
});

test("a damaged archive is refused at boot, with the module's name", async () => {
	const app = join(files({ "victim.ts": 'console.log("must not be seen");\n' }), "victim.ts");
	const build = await buildFirmware({ app, board: "posix", out: scratch() });
	const image = readFileSync(build.elf);
	const place = image.indexOf(readFileSync(build.archive));
	expect(place).toBeGreaterThan(0);
	const entry = place + image.readUInt32LE(place + 32);
	const code = place + image.readUInt32LE(entry + 4);
	image.writeUInt8(image.readUInt8(code + 8) ^ 1, code + 8);
	writeFileSync(build.elf, image);
	const { text, records } = run(build.elf);
	expect(records[0]).toMatchObject({ event: "boot", archive: "damaged module", culprit: "main" });
	expect(text).not.toContain("must not be seen");
});

test("mistakes are told before anything runs", async () => {
	const message = async (content: Readonly<Record<string, unknown>>, options = {}) => {
		const app = files({ "manifest.json": { modules: { "*": "./*" } }, ...content });
		const error = await failure(() => buildFirmware({ app, board: "posix", out: scratch(), ...options }));
		expect(error.name).toBe("BuildError");
		return within(app, error.message);
	};
	expect(await message({ "main.ts": 'native("xs_nobody");' })).toBe(
		'main.ts:1: no C file of this build defines the native "xs_nobody"',
	);
	expect(await message({ "main.ts": '\nnative("memcpy");' })).toBe(
		'main.ts:2: "memcpy" is no native: names of natives begin with "xs_"',
	);
	expect(await message({ "main.ts": "const n: number = 'x';" })).toMatch(/^main\.ts:1:7: error TS2322: /);
	expect(await message({ "main.ts": "", "x.c": "int x = y;" })).toContain("'y' undeclared");
	expect(await message({ "main.ts": "" }, { board: "mps2-an368" })).toMatch(
		/^no board "mps2-an368"; did you mean "mps2-an386"\?/,
	);
	expect(await message({ "main.ts": "" }, { board: "mps2-an386", sanitize: true })).toBe(
		"sanitizers run on posix only, not on mps2-an386",
	);
	const big = { "manifest.json": { modules: { "*": "./*" }, creation: { static: 10_000_000 } }, "main.ts": "" };
	expect(await message(big, { board: "nrf52840dk" })).toMatch(/^the image does not fit: RAM is \d+ bytes too small\n/);
});

test("every board of the tree can be read", () => {
	expect(boardNames()).toEqual(expect.arrayContaining(["mps2-an386", "nrf52840dk", "posix"]));
	for (const name of boardNames()) expect(readBoard(name).name).toBe(name);
});
