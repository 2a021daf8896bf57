// C compilation with its cache, generated sources, ELF and map reading, and the size report.

import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { namesCrc } from "../../tools/build/archive.ts";
import { Compiler, type Source } from "../../tools/build/cc.ts";
import { readElf } from "../../tools/build/elf.ts";
import { checkNatives, configSource, definesSource, nativesSource } from "../../tools/build/link.ts";
import { measure, readMap } from "../../tools/build/size.ts";
import { board, failure, files, scratch } from "./build-fixtures.ts";

afterEach(() => vi.unstubAllEnvs());

const creation = {
	static: undefined,
	chunk: { initial: undefined, incremental: 7 },
	heap: { initial: undefined, incremental: undefined },
	stack: 99,
	keys: { initial: undefined, incremental: undefined },
};

describe("generated sources", () => {
	test("natives.c has the functions in order and their CRC", () => {
		const text = nativesSource(["xs_a", "xs_b"]);
		expect(text).toContain("extern void xs_a(void *the);");
		expect(text).toMatch(/pc_natives\[\] = \{\n\txs_a,\n\txs_b,\n\};/);
		expect(text).toContain("pc_native_count = 2;");
		expect(text).toContain(`0x${namesCrc(["xs_a", "xs_b"]).toString(16).padStart(8, "0")}`);
		expect(nativesSource([])).toContain("\t0,");
	});

	test("config.c has the manifest's values, or defaults; a host's heap is twice as big", () => {
		const text = configSource(creation, "my app", "debug", false);
		expect(text).toContain(".chunk_incremental = 7,");
		expect(text).toContain(".stack = 99,");
		expect(text).toMatch(/ app\[\] .* = "my app";/);
		expect(text).toMatch(/ build\[\] .* = "debug";/);
		expect(text).toContain('pc_heap[65536] __attribute__((section(".heap"), aligned(16)));');
		expect(configSource(creation, "a", "release", true)).toContain("pc_heap[131072] __attribute__((aligned(16)));");
	});

	test("mc.defines.h follows Moddable's rules", async () => {
		const text = definesSource(
			{ XS_MODS: 1, file: { partition: "#storage", "max-open": 3, on: true, port: "PORT_A" } },
			"m",
		);
		expect(text).toContain("#define MODDEF_XS_MODS (1)\n");
		expect(text).toContain('#define MODDEF_FILE_PARTITION "storage"\n');
		expect(text).toContain("#define MODDEF_FILE_MAX_OPEN (3)\n");
		expect(text).toContain("#define MODDEF_FILE_ON (1)\n");
		expect(text).toContain("#define MODDEF_FILE_PORT (PORT_A)\n");
		expect((await failure(() => definesSource({ a: { b: [1] } }, "/m.json"))).message).toBe(
			"/m.json: defines.a.b: expected a number, a boolean or a string",
		);
	});
});

describe("the C compiler", () => {
	/* Compiles app.c for this machine; returns what was compiled, not taken from the cache. */
	async function compile(app: string, generated: string): Promise<{ compiled: number; object: string }> {
		let compiled = 0;
		const compiler = new Compiler({
			board: board({ cpu: "host" }),
			sanitize: false,
			generated,
			app,
			include: [],
			progress: () => compiled++,
		});
		const source: Source = { file: join(app, "app.c"), kind: "native", component: "native:app" };
		const [object] = await compiler.compile([source]);
		return { compiled, object: object?.object ?? "" };
	}

	test("takes an object from the cache as long as all that it read is the same", async () => {
		vi.stubEnv("PERICARD_CACHE", scratch());
		const app = files({
			"app.c": '#include "app.h"\n#include "mc.defines.h"\nint app(void) { return A + B; }\n',
			"app.h": "#define A 1\n",
		});
		const generated = files({ "mc.defines.h": "#define B 1\n" });
		const first = await compile(app, generated);
		expect(first.compiled).toBe(1);
		expect(await compile(app, generated)).toEqual({ compiled: 0, object: first.object });
		writeFileSync(join(app, "app.h"), "#define A 2\n");
		const second = await compile(app, generated);
		expect(second.compiled).toBe(1);
		expect(second.object).not.toBe(first.object);
		writeFileSync(join(generated, "mc.defines.h"), "#define B 2\n");
		expect((await compile(app, generated)).compiled).toBe(1);
		writeFileSync(join(app, "app.h"), "#define A 1\n");
		writeFileSync(join(generated, "mc.defines.h"), "#define B 1\n");
		expect(await compile(app, generated)).toEqual({ compiled: 0, object: first.object });
	});

	test("shares objects between folders, and no object names its folder", async () => {
		vi.stubEnv("PERICARD_CACHE", scratch());
		const content = { "app.c": "const char *where(void) { return __FILE__; }\n" };
		const one = files(content);
		const two = files(content);
		const first = await compile(one, scratch());
		const second = await compile(two, scratch());
		expect(second).toEqual({ compiled: 0, object: first.object });
		const bytes = readFileSync(first.object).toString("latin1");
		expect(bytes).toContain("app/app.c");
		expect(bytes).not.toContain(one);
	});

	test("a mistake is an error with the compiler's words", async () => {
		vi.stubEnv("PERICARD_CACHE", scratch());
		const app = files({ "app.c": "int app(void) { return x; }\n" });
		const error = await failure(() => compile(app, scratch()));
		expect(error.name).toBe("BuildError");
		expect(error.message).toContain("gcc failed on app/app.c");
		expect(error.message).toContain("'x' undeclared");
	});

	test("natives are looked for in the objects", async () => {
		vi.stubEnv("PERICARD_CACHE", scratch());
		const app = files({
			"app.c":
				"void xs_there(void *the) { (void)the; }\nstatic void xs_static(void) {}\nvoid (*p)(void) = xs_static;\n",
		});
		const { object } = await compile(app, scratch());
		const source: Source = { file: "app.c", kind: "native", component: "native:app" };
		const use = (name: string) => [{ name, file: "/a/main.ts", line: 3 }];
		checkNatives(use("xs_there"), [{ source, object }]);
		const message = async (name: string) =>
			(await failure(() => checkNatives(use(name), [{ source, object }]))).message;
		expect(await message("xs_thre")).toBe(
			'/a/main.ts:3: no C file of this build defines the native "xs_thre"; did you mean "xs_there"?',
		);
		expect(await message("xs_static")).toContain("xs_static");
	});
});

test("ELF: sections and symbols of a program", () => {
	const dir = files({
		"a.c": "int counter[10] = {1}; static int hidden; int main(void) { return hidden + counter[0]; }\n",
	});
	execFileSync("gcc", ["-o", join(dir, "a"), join(dir, "a.c")]);
	const { sections, symbols } = readElf(readFileSync(join(dir, "a")), "a");
	expect(sections.find((section) => section.name === ".text")).toMatchObject({
		allocated: true,
		writable: false,
		empty: false,
	});
	expect(sections.find((section) => section.name === ".bss")).toMatchObject({
		allocated: true,
		writable: true,
		empty: true,
	});
	expect(symbols.find((symbol) => symbol.name === "counter")).toMatchObject({ size: 40, global: true, defined: true });
	expect(symbols.find((symbol) => symbol.name === "hidden")).toMatchObject({ size: 4, global: false });
});

describe("sizes", () => {
	const map = `
Memory Configuration

Linker script and memory map

.vectors        0x00000000      0x200
 .vectors       0x00000000       0x40 objects/host/startup.o
                0x00000040                . = 0x200

.text           0x00000200      0x100
 .text.main     0x00000200       0x20 objects/host/main.o
                0x00000200                main
 *fill*         0x00000220        0x4 
 .text.fxRunID_with_a_very_long_name
                0x00000224       0x80 objects/engine/xsRun.o
 .text.memcpy   0x000002a4       0x1c /usr/lib/libc_nano.a(lib_a-memcpy.o)
 .text.gone     0x00000000        0x0 objects/host/main.o

.archive        0x00000300       0x40
 .archive       0x00000300       0x40 objects/generated/archive.o

.data           0x20000000       0x10 load address 0x00000340
 .data.x        0x20000000       0x10 objects/engine/xsRun.o

.bss            0x20000010       0x08
 COMMON         0x20000010        0x8 objects/native/crc/crc.o

.heap           0x20000020      0x100
 .heap          0x20000020      0x100 objects/generated/config.o
`;
	const section = (name: string, size: number, values = {}) => ({
		name,
		size,
		address: 0,
		allocated: true,
		writable: false,
		empty: false,
		...values,
	});
	const sections = [
		section(".vectors", 0x200),
		section(".text", 0x100),
		section(".archive", 0x40),
		section(".data", 0x10, { writable: true }),
		section(".bss", 0x8, { writable: true, empty: true }),
		section(".heap", 0x100, { writable: true, empty: true }),
		section(".stack", 0x300, { writable: true, empty: true }),
		section(".debug_info", 0x9999, { allocated: false }),
	];
	const components: Record<string, string> = {
		"objects/host/main.o": "host",
		"objects/engine/xsRun.o": "engine",
		"objects/native/crc/crc.o": "native:crc",
	};

	test("the map's entries, also on two lines", () => {
		expect(readMap(map).filter((entry) => entry.section === ".text")).toEqual([
			{ section: ".text", input: ".text.main", address: 0x200, size: 0x20, object: "objects/host/main.o" },
			{ section: ".text", input: "*fill*", address: 0x220, size: 4, object: "" },
			{
				section: ".text",
				input: ".text.fxRunID_with_a_very_long_name",
				address: 0x224,
				size: 0x80,
				object: "objects/engine/xsRun.o",
			},
			{
				section: ".text",
				input: ".text.memcpy",
				address: 0x2a4,
				size: 0x1c,
				object: "/usr/lib/libc_nano.a(lib_a-memcpy.o)",
			},
		]);
	});

	test("components add up to the totals", () => {
		const size = measure(readMap(map), sections, (object) => components[object]);
		expect(size.flash).toEqual({ vectors: 512, engine: 0x90, app: 0x40, padding: 0x44, host: 0x20, libc: 0x1c });
		expect(size.ram).toEqual({ stack: 768, heap: 256, engine: 16, "native:crc": 8 });
		const sum = (sizes: Readonly<Record<string, number>>) => Object.values(sizes).reduce((a, b) => a + b, 0);
		expect(size.flashTotal).toBe(0x350);
		expect(size.ramTotal).toBe(0x418);
		expect(sum(size.flash)).toBe(size.flashTotal);
		expect(sum(size.ram)).toBe(size.ramTotal);
	});
});
