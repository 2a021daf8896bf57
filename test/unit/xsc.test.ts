// The XS compiler front end, through its front door: sources in, module objects and messages out.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
	buildCompiler,
	compileModule,
	engineIds,
	XsCompileError,
	type XsModule,
	xsSources,
} from "../../tools/xs/xs.ts";

let tool: string;
let folder: string;

beforeAll(async () => {
	tool = await buildCompiler();
	folder = mkdtempSync(join(tmpdir(), "pericard-xsc-"));
});

afterAll(() => {
	rmSync(folder, { recursive: true, force: true });
});

function write(source: string | Uint8Array): string {
	const file = join(folder, "module.js");
	writeFileSync(file, source);
	return file;
}

function compile(source: string): Promise<XsModule> {
	return compileModule(tool, write(source), "module");
}

/** The first problem that the compiler reports. */
async function problem(source: string): Promise<string> {
	try {
		await compile(source);
	} catch (error) {
		if (error instanceof XsCompileError) {
			return error.problems.map(({ line, message }) => `${line}: ${message}`).join("\n");
		}
		throw error;
	}
	return "";
}

function runTool(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
	const { status, stdout, stderr } = spawnSync(tool, args, { encoding: "utf8", timeout: 60_000 });
	return { status, stdout, stderr };
}

/** The names and sizes of the engine's opcodes, read from its own sources: a decoder that shares nothing with ours. */
const opcodes: readonly { name: string; size: number }[] = (() => {
	const source = readFileSync(join(xsSources().sources, "xsCommon.c"), "utf8");
	const table = /gxCodeSizes\[XS_CODE_COUNT\][^{]*\{([^}]*)\}/.exec(source)?.[1] ?? "";
	return [...table.matchAll(/(-?\d+) \/\* XS_(?:CODE_)?(\w+) \*\//g)].map((match) => ({
		name: match[2] ?? "",
		size: Number(match[1]),
	}));
})();

interface Op {
	readonly name: string;
	readonly offset: number;
	readonly size: number;
	/** STRING codes: the text. */
	readonly text: string;
}

function decode(module: XsModule): Op[] {
	const code = Buffer.from(module.code);
	const ops: Op[] = [];
	for (let offset = 0; offset < code.length; ) {
		const entry = opcodes[code.readUInt8(offset)];
		if (entry === undefined) throw new Error(`no opcode at ${offset}`);
		let size = entry.size;
		let text = "";
		if (size < 0) {
			const start = offset + 1 - size;
			size = 1 - size + code.readUIntLE(offset + 1, -size);
			text = code.toString("utf8", start, offset + size - 1);
		} else if (size === 0) {
			size = 3;
		}
		ops.push({ name: entry.name, offset, size, text });
		offset += size;
	}
	return ops;
}

function lineAt(module: XsModule, offset: number): number {
	return module.lines.findLast(([start]) => start <= offset)?.[1] ?? 0;
}

const features = `// ES2022 in one module
import def, { a as b, default as c } from "one";
import * as ns from "two";
export * from "three";
export * as four from "four";
export { b as default };
class Base { static #count = 0; #value = 1; field = this.#value; static { Base.#count++; }
	get value() { return this.#value; } set value(v) { this.#value = v; }
	#secret() { return #value in this; } static async *stream() { yield* [1, 2]; } [Symbol.iterator]() { return null; } }
class Derived extends Base { constructor(...args) { super(...args); super.value = new.target?.name ?? "none"; } }
const { x, y: [z = 1, ...rest], ...others } = { x: 1, y: [2], q: 3 };
label: for (const [k, v] of Object.entries(others)) { if (k) continue label; else break label; }
for await (const item of Derived.stream()) { rest.push(item); }
const big = 2n ** 70n, hex = 0xFFn, separated = 1_000_000, re = /(?<year>\\d{4})-\\k<year>/dgimsuy;
export const tagged = String.raw\`\${x} and \${def}\`, nothing = ns?.missing?.[z]?.(c), emoji = "\\u{1F600}😀\\uD800";
x ||= 1; let w; w ??= x && y; w **= 2;
async function run() { try { await Promise.any([]); } catch { return await import("dynamic"); } finally { w--; } }
function* generate() { const got = yield 1; switch (got) { case 1: return; default: throw new Error("no", { cause: got }); } }
const arrow = async ({ p } = {}, ...q) => ({ p, q, [p]: 1, async m() {}, get g() { return 1; } });
if (w) var hoisted = run; do { w = !w; } while (w);
var y;
export default import.meta;
`.replace(
	"export default import.meta;",
	"void [import.meta, tagged, generate, arrow, hoisted, big, hex, separated, re];",
);

describe("sources", () => {
	test("a mistake is reported with file and line", async () => {
		const file = write("const good = 1;\n\nconst bad = ;\n");
		const { status, stdout, stderr } = runTool(file, "--name", "module");
		expect(status).toBe(1);
		expect(stdout).toBe("");
		expect(stderr).toBe(`${file}:3: missing expression\n`);
		await expect(compileModule(tool, file, "module")).rejects.toThrow(`${file}:3: missing expression`);
	});

	test.each([
		["let a;\nlet a;", "2: duplicate variable a"],
		["\nbreak;", "2: invalid break"],
		["export { nowhere };", "1: unknown variable nowhere"],
		["class A {\n\tm() { this.#x; }\n}", "2: invalid private identifier"],
	])("%j", async (source, message) => {
		expect(await problem(source)).toBe(message);
	});

	test("bytes that are no text are refused", () => {
		for (const bytes of [
			[0x61, 0x0a, 0xff],
			[0x0a, 0x00],
			[0x0a, 0xc0, 0x80],
			[0x0a, 0xed, 0xa0, 0x80],
			[0x0a, 0xe2, 0x82],
		]) {
			const file = write(Uint8Array.from(bytes));
			const { status, stderr } = runTool(file, "--name", "module");
			expect(status).toBe(1);
			expect(stderr).toBe(`${file}:2: the source must be UTF-8 without zero bytes\n`);
		}
	});

	test("ES2022 compiles", async () => {
		const module = await compile(features);
		expect(module.name).toBe("module");
		expect(decode(module).at(-1)?.name).toBe("END");
	});

	test("an empty module compiles", async () => {
		const module = await compile("");
		expect(module.hosts).toEqual([]);
		expect(module.code.length).toBeGreaterThan(0);
	});

	test("deep nesting ends in a message", async () => {
		expect(await problem(`${"[".repeat(400_000)}`)).toMatch(/^1: stack overflow/);
		expect(await problem(`${"(".repeat(400_000)}`)).toMatch(/^1: stack overflow/);
		await compile(`void ${"(".repeat(1000)}0${")".repeat(1000)};`);
	});

	test("code beyond 64 KB keeps its branches", async () => {
		const body = Array.from({ length: 6000 }, (_, i) => `\tif (x === ${i}) y = "value ${i}";`).join("\n");
		const module = await compile(
			`export function f(x) {\n\tlet y;\n\tdo {\n${body}\n\t} while (x--);\n\treturn y;\n}\n`,
		);
		const ops = decode(module);
		const starts = new Set(ops.map(({ offset }) => offset));
		expect(module.code.length).toBeGreaterThan(100_000);
		const code = Buffer.from(module.code);
		const wide = ops.filter(({ name }) => /^(BRANCH.*|CODE)_4$/.test(name));
		expect(wide.length).toBeGreaterThan(1);
		for (const { offset, size } of wide) {
			expect(starts.has(offset + size + code.readInt32LE(offset + 1))).toBe(true);
		}
	});

	test("what the encoding cannot hold is refused", async () => {
		const many = (count: number, text: (index: number) => string): string =>
			Array.from({ length: count }, (_, i) => text(i)).join("");
		expect(await problem(many(66_000, (i) => `x.p${i};`))).toBe("1: too many different names in a module");
		expect(await problem(many(33_000, () => `native("x");`))).toBe("1: too many natives in a module");
		expect(await problem(`\nconst x = 0x${"f".repeat(140_000)}n;`)).toBe("2: BigInt literal too long");
	});
});

describe("the command line", () => {
	test("help and wrong usage", () => {
		const help = runTool("--help");
		expect(help.status).toBe(0);
		expect(help.stdout).toContain("usage: pericard-xsc");
		for (const args of [[], ["a.js"], ["--name"], ["a.js", "b.js", "--name", "c"], ["--what"], ["--ids", "a.js"]]) {
			const { status, stderr } = runTool(...args);
			expect(status).toBe(2);
			expect(stderr).toContain("usage: pericard-xsc");
		}
	});

	test("a file that is not there, an output that cannot be written", () => {
		expect(runTool(join(folder, "none.js"), "--name", "x").status).toBe(2);
		expect(runTool(write("1;"), "--name", "x", "--out", join(folder, "none", "x.json")).status).toBe(2);
	});

	test("--out writes what standard output would get", () => {
		const file = write(features);
		const out = join(folder, "out.json");
		expect(runTool(file, "--name", "x", "--out", out).stdout).toBe("");
		expect(readFileSync(out, "utf8")).toBe(runTool(file, "--name", "x").stdout);
	});

	test("the engine's identifiers", async () => {
		const { version, symbols, ids } = await engineIds(tool);
		expect(version).toEqual([13, 3, 0]);
		expect(ids[0]).toBe("@");
		expect(ids.slice(1, symbols).every((id) => id.startsWith("Symbol."))).toBe(true);
		expect(ids.slice(symbols)).toContain("prototype");
		expect(new Set(ids).size).toBe(ids.length);
	});

	test("two builds at once end in one tool", async () => {
		const cache = join(folder, "cache");
		const before = process.env.PERICARD_CACHE;
		process.env.PERICARD_CACHE = cache;
		try {
			const [first, second] = await Promise.all([buildCompiler(), buildCompiler()]);
			expect(first).toBe(second);
			expect(spawnSync(first, ["--help"]).status).toBe(0);
			expect(readdirSync(join(cache, "xsc"))).toHaveLength(1);
		} finally {
			if (before === undefined) delete process.env.PERICARD_CACHE;
			else process.env.PERICARD_CACHE = before;
		}
	});
});

describe("natives", () => {
	/** `name/length`, with the symbol before it if there is one. */
	async function hosts(source: string): Promise<string[]> {
		const module = await compile(source);
		return module.hosts.map(({ symbol, name, length }) =>
			symbol < 0 ? `${name}/${length}` : `${module.symbols[symbol]}=${name}/${length}`,
		);
	}

	/** Both sources must compile to the same code, symbols and natives. */
	async function same(typescript: string, extension: string): Promise<void> {
		const [a, b] = [await compile(typescript), await compile(extension)];
		expect({ ...a, lines: [], hosts: a.hosts.map((host) => ({ ...host, line: 0 })) }).toEqual({
			...b,
			lines: [],
			hosts: b.hosts.map((host) => ({ ...host, line: 0 })),
		});
	}

	test("an expression", async () => {
		expect(await hosts(`export const f = native("xs_f");`)).toEqual(["f=xs_f/0"]);
		expect(await hosts(`native("xs_f")(1); ({ g: native("xs_g") });`)).toEqual(["xs_f/0", "xs_g/0"]);
	});

	test("functions that only forward are the host functions", async () => {
		await same(
			`export function f(a, b, ...c) {\n\treturn native("xs_f").call(this, a, b, ...c);\n}\nconst g = function (x) { native("xs_g").call(this, x); };`,
			`export function f(a, b, ...c) @ "xs_f"\nconst g = function (x) @ "xs_g";`,
		);
		expect(await hosts(`export default function () { return native("xs_f").call(this); }`)).toEqual(["default=xs_f/0"]);
	});

	test("methods, accessors, static and private members", async () => {
		const members = (member: (head: string, params: string, name: string) => string): string => `
			export class C {
				${member("m", "a, b", "xs_m")} ${member("get x", "", "xs_get_x")} ${member("set x", "v", "xs_set_x")}
				${member("static s", "a", "xs_s")} ${member("static get t", "", "xs_t")} ${member("#p", "q", "xs_p")}
				${member('["computed" + 1]', "a", "xs_computed")}
			}
			export const o = { ${member("m", "a", "xs_o_m")}, ${member("get y", "", "xs_o_y")} };`;
		await same(
			members((head, params, name) => {
				const passed = params === "" ? "" : `, ${params}`;
				return `${head}(${params}) { return native("${name}").call(this${passed}); }`;
			}),
			members((head, params, name) => `${head}(${params}) @ "${name}"`),
		);
	});

	test("a native class: destructor and constructor", async () => {
		await same(
			`export class C extends Native("xs_C_destructor") {
				constructor(a, b) { super(); native("xs_C").call(this, a, b); }
				close() { native("xs_C_close").call(this); }
			}`,
			`export class C @ "xs_C_destructor" {
				constructor(a, b) @ "xs_C"
				close() @ "xs_C_close"
			}`,
		);
		expect(
			await hosts(`class C extends Native("xs_d") { constructor(a) { super(); native("xs_C").call(this, a); } }`),
		).toEqual(["xs_d/-1", "xs_C/1"]);
		await same(`class C { constructor(a) { native("xs_C").call(this, a); } }`, `class C { constructor(a) @ "xs_C" }`);
	});

	test("a native class keeps a constructor that does more", async () => {
		for (const body of [
			`constructor(a) { super(); this.a = a; native("xs_C").call(this, a); }`,
			`constructor(a) { super(a); native("xs_C").call(this, a); }`,
			`field = 1; constructor(a) { super(); native("xs_C").call(this, a); }`,
		]) {
			const module = await compile(`class C extends Native("xs_d") { ${body} }`);
			const names = decode(module).map(({ name }) => name);
			expect(names).toContain("BEGIN_STRICT_DERIVED");
			expect(names.slice(names.indexOf("BEGIN_STRICT_DERIVED"))).toContain("INSTANTIATE");
			expect(names).not.toContain("SUPER");
			expect(names).not.toContain("EXTEND");
			expect(module.hosts.map(({ name }) => name).sort()).toEqual(["xs_C", "xs_d"]);
		}
		const names = decode(await compile(`class C extends Native("xs_d") {}`)).map(({ name }) => name);
		expect(names).toContain("INSTANTIATE");
	});

	test.each([
		`function f(a = 1) { return native("xs").call(this, a); }`,
		`function f(a, b) { return native("xs").call(this, b, a); }`,
		`function f(a, b) { return native("xs").call(this, a); }`,
		`function f(a) { return native("xs").call(null, a); }`,
		`function f(a) { return native("xs").apply(this, a); }`,
		`function f(...a) { return native("xs").call(this, a); }`,
		`function f(a) { a++; return native("xs").call(this, a); }`,
		`const f = (a) => native("xs").call(this, a);`,
		`async function f(a) { return native("xs").call(this, a); }`,
		`function* f(a) { return native("xs").call(this, a); }`,
		`class C { x = native("xs"); }`,
		`function outer() { return function inner(a) { return native("xs").call(this, a); }; }`,
		`await 0; const f = function (a) { return native("xs").call(this, a); };`,
	])("%s keeps its code and takes the native from the module", async (source) => {
		const module = await compile(source);
		expect(module.hosts.map(({ name, length }) => `${name}/${length}`)).toEqual(["xs/0"]);
		const ops = decode(module).map(({ name }) => name);
		expect(ops.filter((name) => name === "HOST")).toHaveLength(1);
		expect(module.symbols).toContain("@xs");
	});

	test("a native that several functions use is there once", async () => {
		expect(await hosts(`const f = (a) => native("xs")(a), g = (b) => native("xs")(b);`)).toEqual(["@xs=xs/0"]);
	});

	test("the length and the line of each", async () => {
		const { hosts } = await compile(
			`\nfunction f(a, b) { return native("xs_f").call(this, a, b); }\n\nconst g =\n\tnative("xs_g");\n`,
		);
		expect(hosts.map(({ length, line }) => [length, line])).toEqual([
			[2, 2],
			[0, 5],
		]);
	});

	test.each([
		[`\nnative(name);`, "2: native: the argument must be one string literal"],
		["native(`xs_f`);", "1: native: the argument must be one string literal"],
		[`native();`, "1: native: the argument must be one string literal"],
		[`native("a", "b");`, "1: native: the argument must be one string literal"],
		[`native("a-b");`, "1: native: the name must be a C identifier"],
		[`native("");`, "1: native: the name must be a C identifier"],
		[`native("a\\0b");`, "1: native: the name must be a C identifier"],
		[`function f(a) { return native(a).call(this, a); }`, "1: native: the argument must be one string literal"],
		[`new native("a");`, "1: native: it may only be called, with one string literal"],
		[`const n = native;`, "1: native: it may only be called, with one string literal"],
		[`native?.("a");`, "1: native: it may only be called, with one string literal"],
		[`class C extends Native(x) {}`, "1: Native: the argument must be one string literal"],
		[`const C = Native("d");`, "1: Native: it may only be called after `extends`"],
		[`function f() { return class extends Native("d") {}; }`, "1: a native class must not be inside of a function"],
		[
			`class C extends Native("d") {}\nawait 0;`,
			"1: a native class must not be in a module that awaits at its top level",
		],
		[`() => { function f() @ "x" }`, "1: a native must not be inside of a function"],
		[`function f(a = @ "x") {}`, "1: a native must not be inside of a function"],
		[`function f() @ x`, "1: invalid host function"],
	])("%j is refused", async (source, message) => {
		expect(await problem(source)).toBe(message);
	});

	test("a module may have its own function of that name", async () => {
		expect(await hosts(`function native(x) { return x; }\nnative("a", "b");`)).toEqual([]);
		expect(await hosts(`import { native } from "mine"; native(1);`)).toEqual([]);
		expect(await hosts(`object.native(1); typeof native;`)).toEqual([]);
	});
});

describe("tables", () => {
	const sources = (): string[] => [
		features,
		`export function f() { for (;;) { if (a) return 1; else return 2; }\n\n}\nlet a;\n`,
		`class C extends Native("d") { x = 1; constructor(a) {\nsuper();\nnative("c").call(this, a); } m(a) { return native("m").call(this, a); } }`,
		...["trace-mapping", "sourcemap-codec", "resolve-uri"].map((name) =>
			readFileSync(new URL(`../../node_modules/@jridgewell/${name}/dist/${name}.mjs`, import.meta.url), "utf8"),
		),
	];

	test("the code is the same without lines", () => {
		for (const source of sources()) {
			const file = write(source);
			const lines = JSON.parse(runTool(file, "--name", "m").stdout) as XsModule;
			const none = JSON.parse(runTool(file, "--name", "m", "--no-lines").stdout) as XsModule;
			expect(lines.lines.length).toBeGreaterThan(0);
			expect(none).toEqual({ ...lines, lines: [] });
		}
	});

	test("no debug codes are emitted, and offsets rise", async () => {
		for (const source of sources()) {
			const module = await compile(source);
			const ops = decode(module);
			const starts = new Set(ops.map(({ offset }) => offset));
			expect(ops.filter(({ name }) => ["LINE", "FILE", "PROFILE"].includes(name))).toEqual([]);
			module.lines.forEach(([offset, line], index) => {
				const previous = module.lines[index - 1];
				expect(starts.has(offset)).toBe(true);
				expect(offset).toBeGreaterThan(previous?.[0] ?? -1);
				expect(line).not.toBe(previous?.[1]);
			});
		}
	});

	test("ids are the places of all symbol indices", async () => {
		for (const source of sources()) {
			const module = await compile(source);
			const code = Buffer.from(module.code);
			const places = decode(module)
				.filter(({ offset }) => opcodes[code.readUInt8(offset)]?.size === 0)
				.map(({ offset }) => offset + 1);
			expect(module.symbols[0]).toBeNull();
			expect(module.symbols.slice(1).every((symbol) => typeof symbol === "string")).toBe(true);
			expect(module.ids).toEqual(places.filter((place) => code.readUInt16LE(place) !== 0));
			const used = new Set(module.ids.map((place) => code.readUInt16LE(place)));
			for (const { symbol } of module.hosts) if (symbol >= 0) used.add(symbol);
			expect([...used].sort((a, b) => a - b)).toEqual(module.symbols.map((_, index) => index).slice(1));
		}
	});

	test("statements and calls are at their lines", async () => {
		const module = await compile(
			[
				`import { f } from "f";`,
				`f("L2");`,
				`export function g(a) {`,
				`	f("L4");`,
				`	if (a) return f("L5");`,
				`	else`,
				`		f("L7");`,
				`	try { f("L8");`,
				`	} catch (e) { f("L9");`,
				`	} finally { f("L10"); }`,
				`	f(() => {`,
				`		f("L12");`,
				`	}, "L13");`,
				`	while (a) {`,
				`		if (f("L15")) break;`,
				`	}`,
				`	f("L17", function () {`,
				`		return "L18";`,
				`	}).then(`,
				`		"L20",`,
				`		f("L21"),`,
				`	);`,
				`	return;`,
				`}`,
				`class C { a = f("L25");`,
				`	static b = f("L26");`,
				`	async m() { for await (const x of f("L27")) f("L27");`,
				`		throw f("L28"); }`,
				`}`,
				`f("L30");`,
			].join("\n"),
		);
		const marks = decode(module).filter(({ text }) => /^L\d+$/.test(text));
		expect(marks).toHaveLength(20);
		for (const { offset, text } of marks) {
			expect(`L${lineAt(module, offset)}`).toBe(text);
		}
	});

	test("a call over several lines is at its parenthesis, not at its last argument", async () => {
		const module = await compile(
			`export function f(g, h) {\n\treturn g(\n\t\t1,\n\t\t"mark",\n\t)\n\t\t.then(\n\t\t\th\n\t\t);\n}\n`,
		);
		const ops = decode(module);
		const mark = ops.findIndex(({ text }) => text === "mark");
		const calls = ops.slice(mark).filter(({ name }) => name.startsWith("RUN"));
		expect(calls.map(({ offset }) => lineAt(module, offset))).toEqual([2, 6]);
	});

	test("code after a nested function is at the line of its own statement", async () => {
		const module = await compile(
			`export const f = [\n\tfunction () {\n\t\treturn 1;\n\t}, 2];\nexport const g = {\n\tm() {\n\t\treturn "in";\n\t} };\n`,
		);
		const ops = decode(module);
		const inner = ops.findIndex(({ text }) => text === "in");
		const property = ops.slice(inner).find(({ name }) => name === "NEW_PROPERTY");
		expect(lineAt(module, property?.offset ?? 0)).toBeLessThanOrEqual(6);
		expect(lineAt(module, property?.offset ?? 0)).toBeGreaterThanOrEqual(5);
	});

	test("symbols are the names as JavaScript has them", async () => {
		const module = await compile(`export const é = { "😀": 1, "a\\u0000b": 2, "\\uD800": 3, '"\\\\\\n': 4 };`);
		for (const name of ["é", "😀", "a\u0000b", "\uD800", '"\\\n']) {
			expect(module.symbols).toContain(name);
		}
	});
});

describe("imports", () => {
	test("static, dynamic and computed", async () => {
		const module = await compile(features);
		expect(module.imports).toEqual(["one", "two", "three", "four"]);
		expect(module.dynamicImports).toEqual(["dynamic"]);
		expect(module.computedImport).toBe(false);
	});

	test("each once, in order; a computed import is seen", async () => {
		const module = await compile(
			`import "b"; import { x } from "a"; export { y } from "b"; export * from "c";\n() => [import("d"), import("a"), import("d"), import("e" + x)];`,
		);
		expect(module.imports).toEqual(["b", "a", "c"]);
		expect(module.dynamicImports).toEqual(["d", "a"]);
		expect(module.computedImport).toBe(true);
	});
});

test("no source makes the compiler crash: 400 mutations end in code or in a message", () => {
	const tokens =
		'{|}|(|)|[|]|`|${|\'|"|/|=>|...|class |extends |function |function* |async |await |yield |super(|super.|import(|import.meta|new |new.target|native("x")|Native("x")|@ "x"|#p|static |get |set |let |const |var |=|??|?.|**|0x|1n|\\u{|\\|<!--|/*|\n|\u2028|for (| of | in |switch (|case 1:|break |continue |try {|catch |with (|eval(|arguments|delete |export |default |from |*|1e999|<a>|</a>'.split(
			"|",
		);
	let state = 20230410;
	const below = (limit: number): number => {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		return Math.floor((state / 2 ** 32) * limit);
	};
	const seeds = [
		features,
		`class C extends Native("d") { #x = 1; constructor(a) { super(a); native("c").call(this, a); } m(a) { return native("m").call(this, a); } }\nfunction f(a, b) { native("f").call(this, a, b); }\n`,
	];
	const codes = new Set<number | null>();
	for (let round = 0; round < 400; round++) {
		let source = seeds[below(seeds.length)] ?? "";
		for (let change = 1 + below(5); change > 0; change--) {
			const at = below(source.length);
			const token = tokens[below(tokens.length)] ?? "";
			const dropped = below(2) * below(30);
			const times = below(20) === 0 ? below(20_000) : 1;
			source = source.slice(0, at) + token.repeat(times) + source.slice(at + dropped);
		}
		const file = write(source);
		const { status, stderr } = runTool(file, "--name", "m", "--out", join(folder, "fuzz.json"));
		codes.add(status);
		if (status === 1) {
			expect(stderr.split("\n").some((text) => text.startsWith(`${file}:`))).toBe(true);
		} else {
			expect([status, status === 0 ? "" : source]).toEqual([0, ""]);
		}
	}
	expect(codes).toEqual(new Set([0, 1]));
});
