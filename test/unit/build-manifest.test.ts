// Manifests: what each key means, and the text of each error.

import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { BuildError } from "../../tools/build/errors.ts";
import { readManifest } from "../../tools/build/manifest.ts";
import { board, failure, files, within } from "./build-fixtures.ts";

/* Reads app/manifest.json of a tree of files; the tree is Pericard's root, too. */
function read(content: Readonly<Record<string, unknown>>, name = "mps2-an386", config?: Record<string, string>) {
	const root = files(content);
	const manifest = readManifest(join(root, "app"), board({ name }), { root, config });
	const modules = Object.fromEntries(
		[...manifest.modules.values()].map((m) => [m.name, m.file.replace(`${root}/`, "")]),
	);
	delete modules["mc/config"];
	return { manifest, modules, root };
}

/* The error of an app, with paths relative to the tree. */
async function error(content: Readonly<Record<string, unknown>>): Promise<string> {
	const root = files(content);
	const found = await failure(() => readManifest(join(root, "app"), board(), { root }));
	expect(found).toBeInstanceOf(BuildError);
	return within(root, found.message);
}

const main = { "app/main.ts": "" };

describe("modules", () => {
	test("a file is a module of its own name, of the name it is given, or of a prefix and its name", () => {
		const { modules } = read({
			...main,
			"app/manifest.json": {
				modules: { "*": ["./main", "./lib/*"], "sensor/*": "./sensors/*", "embedded:io/serial": "./uart" },
			},
			"app/lib/a.ts": "",
			"app/lib/b.js": "",
			"app/lib/notes.txt": "",
			"app/sensors/ecg.ts": "",
			"app/uart.ts": "",
		});
		expect(modules).toEqual({
			main: "app/main.ts",
			a: "app/lib/a.ts",
			b: "app/lib/b.js",
			"sensor/ecg": "app/sensors/ecg.ts",
			"embedded:io/serial": "app/uart.ts",
		});
	});

	test("~ excludes files", () => {
		const { modules } = read({
			...main,
			"app/manifest.json": { modules: { "*": "./*", "~": ["./old", "./x*.ts"] } },
			"app/old.ts": "",
			"app/x1.ts": "",
			"app/kept.ts": "",
		});
		expect(Object.keys(modules).sort()).toEqual(["kept", "main"]);
	});

	test("C files, assembler files and headers belong to the manifest, not to a module", () => {
		const { manifest, root } = read({
			...main,
			"app/manifest.json": { modules: { "*": "./*" } },
			"app/fast.c": "",
			"app/fast.S": "",
			"app/fast.h": "",
			"app/fast.inc": "",
		});
		expect(manifest.natives).toEqual([
			{
				manifest: join(root, "app/manifest.json"),
				includes: [],
				component: "app",
				sources: [join(root, "app/fast.S"), join(root, "app/fast.c")],
				headers: [join(root, "app/fast.h")],
				modules: ["main"],
				relocatable: false,
			},
		]);
	});

	test("a declaration belongs to the .js beside it, another one is ambient", () => {
		const { manifest, root } = read({
			...main,
			"app/manifest.json": { modules: { "*": "./*" } },
			"app/old.js": "",
			"app/old.d.ts": "",
			"app/globals.d.ts": "",
		});
		expect(manifest.modules.get("old")?.types).toBe(join(root, "app/old.d.ts"));
		expect(manifest.declarations).toEqual([join(root, "app/globals.d.ts")]);
	});

	test("a later manifest's module takes the place of an earlier one, with a note", () => {
		const { modules, manifest } = read({
			...main,
			"app/manifest.json": { include: "../lib/manifest.json", modules: { "*": ["./main", "./timer"] } },
			"app/timer.ts": "",
			"lib/manifest.json": { modules: { "*": "./timer" } },
			"lib/timer.ts": "",
		});
		expect(modules.timer).toBe("app/timer.ts");
		expect(manifest.notes.join()).toContain('module "timer" takes the place of');
	});

	test("errors name the file and the key", async () => {
		expect(await error({ ...main, "app/manifest.json": { modules: { "*": ["./maim"] } } })).toBe(
			'app/manifest.json: modules["*"][0]: no file matches "./maim"; did you mean "main"?',
		);
		expect(await error({ ...main, "app/manifest.json": { modules: { "*": "./main", x: "./lib/y" } } })).toBe(
			'app/manifest.json: modules["x"]: no file matches "./lib/y": no folder "app/lib"',
		);
		expect(await error({ "app/manifest.json": { modules: {} } })).toBe('app/manifest.json: modules: no module "main"');
		expect(await error({ ...main, "app/main.js": "", "app/manifest.json": { modules: { "*": "./main" } } })).toContain(
			'modules["*"]: module "main" has two scripts',
		);
		expect(await error({ ...main, "app/manifest.json": { modules: { "*": 3 } } })).toBe(
			'app/manifest.json: modules["*"]: expected a string or an array of strings',
		);
		expect(await error({ ...main, "app/x.cpp": "", "app/manifest.json": { modules: { "*": ["./x.cpp"] } } })).toBe(
			'app/manifest.json: modules["*"][0]: "./x.cpp" is no module: only .ts, .js, .mjs, .json, .c, .S and .h files are',
		);
	});
});

describe("include", () => {
	test("is depth first; objects merge and the later value wins", () => {
		const { manifest, root } = read({
			...main,
			"app/manifest.json": {
				include: ["./a.json", "./b.json"],
				modules: { "*": "./main" },
				config: { who: "app", deep: { y: 2 } },
			},
			"app/a.json": { include: "./c.json", config: { who: "a", deep: { x: 1, y: 1 } } },
			"app/b.json": { include: ["./c.json"], config: { b: true } },
			"app/c.json": { config: { who: "c", c: true } },
		});
		expect(manifest.files.map((file) => file.replace(`${root}/app/`, ""))).toEqual([
			"c.json",
			"a.json",
			"b.json",
			"manifest.json",
		]);
		expect(manifest.config).toEqual({ who: "app", deep: { x: 1, y: 2 }, b: true, c: true });
	});

	test("base.json comes first, then the board's manifest, then the app's", () => {
		const root = files({
			...main,
			"app/manifest.json": { modules: { "*": "./main" }, creation: { stack: 3 } },
			"manifests/base.json": { creation: { static: 1, stack: 1, chunk: { initial: 1 } } },
			"board/manifest.json": { creation: { static: 2, stack: 2 } },
		});
		const manifest = readManifest(join(root, "app"), board({ manifest: join(root, "board/manifest.json") }), { root });
		expect(manifest.creation).toMatchObject({ static: 2, stack: 3, chunk: { initial: 1 } });
	});

	test("the SDK's base manifests stand for ours", () => {
		const { manifest } = read({
			...main,
			"app/manifest.json": {
				include: ["$(MODDABLE)/examples/manifest_base.json", "$(MODDABLE)/examples/manifest_typings.json"],
				modules: { "*": "./main" },
			},
			"manifests/base.json": { config: { base: true } },
		});
		expect(manifest.config).toEqual({ base: true });
	});

	test("errors name the file and the key", async () => {
		expect(await error({ ...main, "app/manifest.json": { include: ["./nope.json"] } })).toBe(
			'app/manifest.json: include[0]: no file "./nope.json"',
		);
		expect(await error({ ...main, "app/manifest.json": { include: [{ git: "https://example.org/x.git" }] } })).toBe(
			"app/manifest.json: include[0]: a manifest in a git repository can't be included: clone it and include its path",
		);
		expect(await error({ ...main, "app/manifest.json": { include: "./manifest.json" } })).toBe(
			'app/manifest.json: include: "./manifest.json" includes itself',
		);
	});
});

describe("build", () => {
	afterEach(() => vi.unstubAllEnvs());

	test("variables stand in paths, with those of the tool-chain", () => {
		const { modules, manifest } = read({
			...main,
			"app/manifest.json": {
				build: { LIB: "$(PERICARD)/lib", PARTS: "$(LIB)/parts", NAME: "heart" },
				modules: { "*": ["./main", "$(PARTS)/*", "./$(PLATFORM)-$(SUBPLATFORM)"] },
			},
			"lib/parts/one.ts": "",
			"app/pericard-mps2-an386.ts": "",
		});
		expect(modules.one).toBe("lib/parts/one.ts");
		expect(modules["pericard-mps2-an386"]).toBeDefined();
		expect(manifest.name).toBe("heart");
	});

	test("an unknown variable is an error", async () => {
		vi.stubEnv("MODDABLE", "");
		expect(await error({ ...main, "app/manifest.json": { modules: { "*": "$(MODULE)/x" } } })).toBe(
			'app/manifest.json: modules["*"]: $(MODULE) is not defined',
		);
		expect(await error({ ...main, "app/manifest.json": { include: "$(MODDABLE)/modules/x/manifest.json" } })).toBe(
			'app/manifest.json: include: "$(MODDABLE)/modules/x/manifest.json" needs the Moddable SDK, and $MODDABLE is not set',
		);
	});
});

describe("platforms", () => {
	const app = (platforms: unknown) => ({
		...main,
		"app/manifest.json": { modules: { "*": "./main" }, platforms },
	});

	test.each([["pericard/mps2-an386"], ["mps2-an386"], ["*/mps2-an386"], ["pericard/*"], ["pericard"], ["..."]])(
		"%s matches",
		(name) => {
			const { manifest } = read(app({ [name]: { config: { hit: true } }, esp32: { error: "not here" } }));
			expect(manifest.config).toEqual({ hit: true });
		},
	);

	test("the best match wins, and the platform's own entry comes first", () => {
		const { manifest } = read(
			app({
				"pericard/*": { config: { wild: true } },
				"pericard/mps2-an386": { config: { own: true, who: "board" } },
				pericard: { config: { all: true, who: "platform" } },
				"...": { error: "no" },
			}),
		);
		expect(manifest.config).toEqual({ own: true, all: true, who: "board" });
	});

	test("error and warning", async () => {
		expect(await error(app({ "...": { error: "needs BLE" } }))).toBe(
			'app/manifest.json: platforms["..."].error: needs BLE',
		);
		expect(read(app({ "pericard/*": { warning: "untested" } })).manifest.notes.join()).toContain("untested");
	});
});

describe("other keys", () => {
	test("creation, with the SDK's older name for keys", async () => {
		const { manifest } = read({
			...main,
			"app/manifest.json": {
				modules: { "*": "./main" },
				creation: {
					static: 50000,
					chunk: { initial: 10, incremental: 20 },
					heap: { initial: 30, incremental: 40 },
					stack: 50,
					keys: { available: 60, name: 53, symbol: 3 },
					parser: { buffer: 1024, table: 17 },
					main: "main",
				},
			},
		});
		expect(manifest.creation).toEqual({
			static: 50000,
			chunk: { initial: 10, incremental: 20 },
			heap: { initial: 30, incremental: 40 },
			stack: 50,
			keys: { initial: 60, incremental: undefined },
		});
		const wrong = (creation: unknown) => error({ ...main, "app/manifest.json": { creation } });
		expect(await wrong({ stak: 3 })).toBe('app/manifest.json: creation.stak: unknown key; did you mean "stack"?');
		expect(await wrong({ chunk: { initial: -1 } })).toBe(
			"app/manifest.json: creation.chunk.initial: expected a whole number of at least 0",
		);
		expect(await wrong({ static: 0 })).toContain("creation.static: the heap of an image is one static block");
		expect(await wrong({ main: "app" })).toContain("creation.main: the first module of an image is");
	});

	test("a policy of moving code has its keys and their ranges", async () => {
		const tree = (relocation: unknown) => ({
			...main,
			"app/manifest.json": { modules: { "*": "./main" }, defines: { relocation } },
		});
		const policy = {
			"//": "often",
			period: 0,
			jitter: 100,
			floor: 65_535,
			beforeAttestation: false,
			afterAnomaly: true,
		};
		expect(read(tree(policy)).manifest.defines.relocation).toEqual(policy);
		const wrong: readonly (readonly [unknown, string])[] = [
			[{ jiter: 5 }, '.jiter: unknown key; did you mean "jitter"?'],
			[{ period: -1 }, ".period: expected a whole number from 0 to 86400000, not -1"],
			[{ jitter: 101 }, ".jitter: expected a whole number from 0 to 100, not 101"],
			[{ floor: "256" }, '.floor: expected a whole number from 0 to 65535, not "256"'],
			[{ afterAnomaly: 1 }, ".afterAnomaly: expected true or false"],
			[[], ": expected an object"],
		];
		for (const [value, text] of wrong) {
			expect(await error(tree(value))).toBe(`app/manifest.json: defines.relocation${text}`);
		}
	});

	test("relocatable says whose C files may move", async () => {
		const tree = (relocatable?: unknown) => ({
			...main,
			"app/manifest.json": { modules: { "*": "./*" }, include: "../still/manifest.json", relocatable },
			"app/fast.c": "",
			"still/manifest.json": { modules: { "*": "./slow" } },
			"still/slow.c": "",
		});
		const moving = (value?: unknown) =>
			read(tree(value))
				.manifest.natives.filter(({ relocatable }) => relocatable)
				.map(({ component }) => component);
		expect(moving(true)).toEqual(["app"]);
		expect(moving(false)).toEqual([]);
		expect(moving()).toEqual([]);
		for (const value of ["yes", 1, null, ["./fast.c"]]) {
			expect(await error(tree(value))).toBe("app/manifest.json: relocatable: expected true or false");
		}
	});

	test("preload, strip, data, config overrides and compiler options", async () => {
		const { manifest, root } = read(
			{
				...main,
				"app/manifest.json": {
					"//": "comments are keys that begin so",
					modules: { "*": "./main" },
					preload: ["main"],
					strip: ["*", "RegExp"],
					data: { "*": "./assets/*", "~": "./assets/x.bin", logo: "./assets/a.bin" },
					config: { ssid: "none", deep: { kept: 1 } },
					typescript: { compiler: "tsc", tsconfig: { compilerOptions: { noUnusedLocals: true } } },
				},
				"app/assets/a.bin": "a",
				"app/assets/x.bin": "x",
			},
			"mps2-an386",
			{ ssid: "home" },
		);
		expect(manifest.preload.map((preload) => preload.name)).toEqual(["main"]);
		expect(manifest.strip).toEqual(["*", "RegExp"]);
		expect([...manifest.data]).toEqual([
			["a.bin", join(root, "app/assets/a.bin")],
			["logo.bin", join(root, "app/assets/a.bin")],
		]);
		expect(manifest.config).toEqual({ ssid: "home", deep: { kept: 1 } });
		expect(manifest.compilerOptions).toEqual({ noUnusedLocals: true });
		expect(await error({ ...main, "app/manifest.json": { modules: { "*": "./main" }, preload: "mian" } })).toBe(
			'app/manifest.json: preload: no module "mian"; did you mean "main"?',
		);
	});

	test("an unknown key is an error, one of the SDK's that can't count here a note", async () => {
		expect(await error({ ...main, "app/manifest.json": { module: {} } })).toBe(
			'app/manifest.json: module: unknown key; did you mean "modules"?',
		);
		const { manifest } = read({
			...main,
			"app/manifest.json": { modules: { "*": "./main" }, resources: { "*": "./x" }, ble: {}, bundle: { id: "x" } },
		});
		expect(manifest.notes.length).toBe(1);
		expect(manifest.notes[0]).toContain("manifest.json: resources: ignored:");
	});

	test("an app's name is made of its file's; one without a letter of ASCII is an app all the same", () => {
		const name = (file: string) => readManifest(join(files({ [file]: "" }), file), board()).name;
		expect(["heart rate.ts", "ünï.ts", "日本.ts", "v1.2.ts"].map(name)).toEqual(["heart-rate", "n-", "app", "v1.2"]);
	});

	test("what is no JSON is told with its place", async () => {
		expect(await error({ ...main, "app/manifest.json": '{\n\t"modules": {,}\n}' })).toMatch(
			/^app\/manifest\.json:2:\d+: not JSON: /,
		);
		expect(await error({ ...main, "app/manifest.json": "[]" })).toBe("app/manifest.json: expected an object");
	});
});

describe("the app", () => {
	test("is a folder, a manifest, or a single file", () => {
		const root = files({ "one/manifest.json": { modules: { main: "./start" } }, "one/start.ts": "", "my app.ts": "" });
		for (const path of ["one", "one/manifest.json"]) {
			const manifest = readManifest(join(root, path), board(), { root });
			expect(manifest).toMatchObject({ name: "one", dir: join(root, "one"), implicit: false });
		}
		const single = readManifest(join(root, "my app.ts"), board(), { root });
		expect(single).toMatchObject({ name: "my-app", dir: root, implicit: true });
		expect(single.modules.get("main")?.file).toBe(join(root, "my app.ts"));
	});

	test("errors", async () => {
		const root = files({ "empty/x.txt": "", "notes.txt": "" });
		const message = async (path: string) =>
			within(root, (await failure(() => readManifest(join(root, path), board(), { root }))).message);
		expect(await message("nothing")).toBe('no app "nothing": expected a folder with a manifest.json, or a .ts file');
		expect(await message("empty")).toBe("empty: no manifest.json in this folder");
		expect(await message("notes.txt")).toBe("notes.txt: an app is a folder with a manifest.json, or a .ts file");
	});
});
