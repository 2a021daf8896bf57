// From main to the modules of an image: names, reach, types, and the text of each error.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { buildGraph } from "../../tools/build/graph.ts";
import { checkNatives } from "../../tools/build/link.ts";
import { readManifest } from "../../tools/build/manifest.ts";
import { findLine, makeSymbols, symbolize } from "../../tools/build/symbols.ts";
import { board, failure, files, within } from "./build-fixtures.ts";

const all = { modules: { "*": "./*" } };

async function graph(content: Readonly<Record<string, unknown>>, app = "app") {
	const root = files(content);
	const manifest = readManifest(join(root, app), board(), { root });
	const built = await buildGraph(manifest, join(root, "out"));
	const js = (name: string) => readFileSync(join(root, `out/${name}.js`), "utf8");
	return { built, names: built.modules.map(({ module }) => module.name), js, root };
}

async function error(content: Readonly<Record<string, unknown>>, app = "app"): Promise<string> {
	const root = files(content);
	const manifest = readManifest(join(root, app), board(), { root });
	const found = await failure(() => buildGraph(manifest, join(root, "out")));
	expect(found.name).toBe("BuildError");
	return within(root, found.message);
}

describe("reach", () => {
	test("main, what it imports, preload and literal dynamic imports; nothing else", async () => {
		const { names } = await graph({
			"app/manifest.json": { ...all, preload: "early" },
			"app/main.ts": 'import { a } from "a"; console.log(a); const later = await import("later"); console.log(later);',
			"app/a.ts": 'import type { T } from "types"; export { a } from "b"; export const t: T = 1;',
			"app/b.ts": "export const a = 1;",
			"app/types.ts": "export type T = number;",
			"app/later.ts": "export const x = 1;",
			"app/early.ts": "export {};",
			"app/unused.ts": "export {};",
		});
		expect(names).toEqual(["a", "b", "early", "later", "main"]);
	});

	test("a computed import keeps every listed module", async () => {
		const { names, built } = await graph({
			"app/manifest.json": all,
			"app/main.ts": "export const load = (name: string): Promise<unknown> => import(name);",
			"app/plugin.ts": 'import { n } from "./deep.ts"; export const m = n;',
			"app/deep.ts": "export const n = 1;",
		});
		expect(names).toEqual(["deep", "main", "mc/config", "plugin"]);
		expect(built.modules.every((module) => module.object.code.length > 0)).toBe(true);
	});

	test("a single file brings what it imports by a relative path", async () => {
		const { names, built } = await graph(
			{
				"app/hello.ts": 'import { a } from "./lib/a.ts"; import { c } from "../shared/c"; console.log(a, c);',
				"app/lib/a.ts": 'export { b as a } from "./b.js";',
				"app/lib/b.ts": "export const b = 1;",
				"shared/c.ts": "export const c = 1;",
			},
			"app/hello.ts",
		);
		expect(names).toEqual(["lib/a", "lib/b", "main", "up/shared/c"]);
		expect(built.modules.map((module) => module.source)).toEqual([
			"lib/a.ts",
			"lib/b.ts",
			"hello.ts",
			"../shared/c.ts",
		]);
	});
});

describe("names", () => {
	test("relative specifiers become the names of the modules", async () => {
		const { js } = await graph({
			"app/manifest.json": {
				modules: { "*": "./main", "pericard/x/*": "./x/*", "other/name": "./renamed" },
			},
			"app/main.ts": 'import { a } from "pericard/x/a"; import { r } from "./renamed.ts"; console.log(a, r);',
			"app/x/a.ts": 'import { b } from "./b.ts"; export const a = b;',
			"app/x/b.ts": "export const b = 1;",
			"app/renamed.ts": "export const r = 1;",
		});
		expect(js("pericard/x/a")).toContain('from "pericard/x/b"');
		expect(js("main")).toContain('from "other/name"');
	});

	test("an import that is no module is an error with its place and the closest names", async () => {
		const app = { "app/manifest.json": all, "app/sensor.ts": "export {};" };
		expect(await error({ ...app, "app/main.ts": '\nimport "sensro";' })).toBe(
			'app/main.ts:2:8: no module "sensro"; did you mean "sensor"?',
		);
		expect(await error({ ...app, "app/main.ts": 'import { x } from "sensro"; x();' })).toBe(
			"app/main.ts:1:19: error TS2307: Cannot find module 'sensro' or its corresponding type declarations; did you mean \"sensor\"?",
		);
		expect(await error({ ...app, "app/main.ts": 'import "./sensro";' })).toBe(
			'app/main.ts:1:8: no module "./sensro" beside "main"; did you mean "sensor"?',
		);
	});

	test("a file that no manifest lists is named", async () => {
		expect(
			await error({
				"app/manifest.json": { modules: { "*": "./main" } },
				"app/main.ts": 'import { x } from "./extra.ts"; console.log(x);',
				"app/extra.ts": "export const x = 1;",
			}),
		).toBe(
			'app/main.ts:1:19: "./extra.ts" is app/extra.ts, which no manifest lists: add it to "modules" of app/manifest.json',
		);
	});
});

describe("types", () => {
	test("a syntax error is told alone, and a .js module without types as what it is", async () => {
		expect(await error({ "app/manifest.json": all, "app/main.ts": "function f(a) { return a; }\nconst = 2;" })).toMatch(
			/^app\/main\.ts:2:7: error TS\d+: .*(\napp\/main\.ts:2:.*)*$/,
		);
		const untyped = { "app/manifest.json": all, "app/j.js": "export const j = 1;" };
		expect(await error({ ...untyped, "app/main.ts": 'import { j } from "j"; j();' })).toBe(
			"app/main.ts:1:19: error TS2307: module 'j' is JavaScript without types: put j.d.ts beside it",
		);
	});

	test("errors stop the build, each with file, line and column", async () => {
		expect(
			await error({
				"app/manifest.json": all,
				"app/main.ts": 'import { n } from "n";\nconst s: string = n;\nexport const t = s + window;',
				"app/n.ts": "export const n = 1;\nexport function f(a) { return a; }",
			}),
		).toBe(
			[
				"app/main.ts:2:7: error TS2322: Type 'number' is not assignable to type 'string'.",
				"app/main.ts:3:22: error TS2304: Cannot find name 'window'.",
				"app/n.ts:2:19: error TS7006: Parameter 'a' implicitly has an 'any' type.",
			].join("\n"),
		);
	});

	test("config has its values' types, and what is not in it is unknown", async () => {
		const app = { "app/manifest.json": { ...all, config: { ssid: "x", n: { list: [1, 2] }, "a-b": null } } };
		const main = (code: string) => ({ ...app, "app/main.ts": `import config from "mc/config";\n${code}` });
		const { js } = await graph(
			main("export const l: number | undefined = config.n.list[0]; export const s: string = config.ssid;"),
		);
		expect(js("mc/config")).toContain(
			'Object.freeze({ ["ssid"]: "x", ["n"]: Object.freeze({ ["list"]: Object.freeze([1, 2]) })',
		);
		expect(await error(main("config.ssid = 3;"))).toContain("app/main.ts:2:");
		expect(await error(main("export const x: string = config.missing;"))).toContain("Type 'unknown' is not assignable");
	});

	test("a .js needs a declaration, its own or Moddable's", async () => {
		const main = 'import { n } from "old"; export const m: number = n;';
		const app = { "app/manifest.json": all, "app/main.ts": main, "app/old.js": "export const n = 1;" };
		expect(await error(app)).toContain("app/main.ts:1:19: error TS");
		const { names } = await graph({ ...app, "app/old.d.ts": "export const n: number;" });
		expect(names).toEqual(["main", "old"]);
		const timer = await graph({
			"app/manifest.json": all,
			"app/main.ts": 'import Timer from "timer"; Timer.set(() => {}, 1);',
			"app/timer.js": "export default class Timer { static set() {} }",
		});
		expect(timer.names).toEqual(["main", "timer"]);
	});

	test("compiler options of the manifest add to strict", async () => {
		const options = { compilerOptions: { noUnusedLocals: true, strict: false } };
		const content = {
			"app/manifest.json": { ...all, typescript: { tsconfig: options } },
			"app/main.ts": "const a = 1;",
		};
		expect(await error(content)).toContain("error TS6133: 'a' is declared but its value is never read.");
	});
});

describe("natives", () => {
	const app = {
		"app/manifest.json": all,
		"app/main.ts": [
			"interface Options { a: number }",
			"",
			"export const add: (a: number, b: number) => number = native(",
			'	"xs_add",',
			");",
			'export class Port extends Native("xs_port_destructor") {',
			'	read(): number { return native<(this: Port) => number>("xs_port_read").call(this); }',
			"}",
			"export const o: Options = { a: add(1, 2) };",
		].join("\n"),
	};

	test("are found with the lines of the TypeScript", async () => {
		const { built } = await graph(app);
		expect(built.natives.map(({ name, line }) => [name, line])).toEqual([
			["xs_add", 3],
			["xs_port_destructor", 6],
			["xs_port_read", 7],
		]);
	});

	test("one that no object defines is an error", async () => {
		const { built, root } = await graph(app);
		const message = (await failure(() => checkNatives(built.natives.slice(0, 1), []))).message;
		expect(within(root, message)).toBe('app/main.ts:3: no C file of this build defines the native "xs_add"');
	});
});

test("what XS does not take is told with the line of the TypeScript", async () => {
	expect(
		await error({
			"app/manifest.json": all,
			"app/main.ts":
				'interface Gone { a: 1 }\nexport type Also = Gone;\nconst name: string = "xs_a";\nexport const f = native(name);',
		}),
	).toMatch(/^app\/main\.ts:4: /);
});

describe("symbols", () => {
	const lines = [
		[5, 10, 0],
		[20, 12, 0],
		[30, 11, 0],
	] as const;
	const symbols = makeSymbols([{ module: { name: "a/b" }, source: "lib/b.ts", lines }] as never);

	test("an offset belongs to the code before it", () => {
		expect(findLine(symbols, "a/b", 3)).toBeUndefined();
		expect(findLine(symbols, "a/b", 6)).toEqual({ file: "lib/b.ts", line: 10 });
		expect(findLine(symbols, "a/b", 20)).toEqual({ file: "lib/b.ts", line: 10 });
		expect(findLine(symbols, "a/b", 21)).toEqual({ file: "lib/b.ts", line: 12 });
		expect(findLine(symbols, "a/b", 9999)).toEqual({ file: "lib/b.ts", line: 11 });
		expect(findLine(symbols, "c", 9)).toBeUndefined();
	});

	test("stacks are rewritten, other text is not", () => {
		const stack = "Error: no (a/b:9)\n at f (a/b:25)\n at (a/b:6)\n at g (c:9)\n at h ()";
		expect(symbolize(stack, symbols)).toBe(
			"Error: no (a/b:9)\n at f (lib/b.ts:12)\n at (lib/b.ts:10)\n at g (c:9)\n at h ()",
		);
	});
});
