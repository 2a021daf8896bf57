// The same input gives the same bytes: in another folder, in another checkout.

import { execFileSync } from "node:child_process";
import {
	cpSync,
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { bearsslFolder } from "../../tools/bearssl.mjs";
import { readArchive } from "../../tools/build/archive.ts";
import { pericardRoot } from "../../tools/build/board.ts";
import { type Build, buildFirmware } from "../../tools/build/build.ts";
import { cacheDirectory } from "../../tools/build/cache.ts";
import { files, scratch } from "./build-fixtures.ts";

const app = {
	"manifest.json": {
		build: { NAME: "twin" },
		modules: { "*": "./*" },
		config: { answer: 42 },
		defines: { x: { y: 1 } },
	},
	"main.ts": [
		'import config from "mc/config";',
		'import { crc32 } from "pericard/crc";',
		'import { sha256 } from "pericard/crypto";',
		'import { half } from "./part.ts";',
		'const where: () => string = native("xs_where");',
		"console.log(where(), half(config.answer), crc32(sha256(new Uint8Array([1, 2, 3]))));",
	].join("\n"),
	"part.ts": "export function half(n: number): number {\n\treturn n / 2;\n}\n",
	"where.c":
		'#include "xsmc.h"\n#include "mc.defines.h"\nvoid xs_where(xsMachine *the);\nvoid xs_where(xsMachine *the) {\n\txsmcSetString(xsResult, (char *)__FILE__);\n}\n',
};

/* The outputs that must not differ. */
function outputs(build: Build): Record<string, Buffer> {
	const names = readdirSync(build.dir).filter((name) => statSync(join(build.dir, name)).isFile());
	return Object.fromEntries(names.sort().map((name) => [name, readFileSync(join(build.dir, name))]));
}

function expectSame(one: Build, two: Build): void {
	const first = outputs(one);
	const second = outputs(two);
	expect(Object.keys(second)).toEqual(Object.keys(first));
	for (const [name, bytes] of Object.entries(first)) expect(second[name]?.equals(bytes), name).toBe(true);
}

describe.each(["mps2-an386", "posix"])("%s", (board) => {
	test.each([false, true])("two folders, debug %s", async (debug) => {
		const one = files(app);
		const two = files(app);
		const first = await buildFirmware({ app: one, board, debug, out: join(one, "build") });
		const second = await buildFirmware({ app: two, board, debug, out: join(two, "some/where/else") });
		expectSame(first, second);
		const elf = readFileSync(first.elf).toString("latin1");
		expect(elf).toContain("app/where.c");
		for (const path of [one, pericardRoot]) expect(elf.includes(path), path).toBe(false);
		const archive = readArchive(readFileSync(first.archive));
		expect(archive.debug).toBe(debug);
		expect(archive.modules.map((module) => module.name)).toEqual([
			"main",
			"mc/config",
			"part",
			"pericard/crc",
			"pericard/crypto",
		]);
		expect(archive.modules.find((module) => module.name === "part")?.source).toBe(debug ? "part.ts" : undefined);
		expect(archive.modules.find((module) => module.name === "part")?.lines.length).toBe(debug ? 3 : 0);
	});
});

/* A cache that holds nothing but the engine's objects and the XS compiler: neither comes out of the checkout. */
function engineCache(): string {
	const cache = scratch();
	cpSync(cacheDirectory("xsc"), join(cache, "xsc"), { recursive: true });
	const objects = cacheDirectory("objects");
	mkdirSync(join(cache, "objects"));
	for (const name of readdirSync(objects).filter((name) => name.endsWith(".json"))) {
		const text = readFileSync(join(objects, name), "utf8");
		if (!/"xs\/sources\/\w+\.c"/.test(text)) continue;
		cpSync(join(objects, name), join(cache, "objects", name));
		for (const { object } of JSON.parse(text) as { object: string }[]) {
			if (existsSync(join(objects, `${object}.o`)))
				cpSync(join(objects, `${object}.o`), join(cache, `objects/${object}.o`));
		}
	}
	return cache;
}

test("another checkout and library folder, all but the engine compiled anew", async () => {
	const out = scratch();
	const first = await buildFirmware({ app: files(app), board: "mps2-an386", out });
	const elsewhere = scratch();
	const checkout = join(elsewhere, "checkout");
	for (const name of ["firmware", "hosts", "manifests", "native", "tools", "package.json"]) {
		cpSync(join(pericardRoot, name), join(checkout, name), { recursive: true });
	}
	symlinkSync(join(pericardRoot, "node_modules"), join(checkout, "node_modules"));
	writeFileSync(
		join(checkout, "once.mts"),
		[
			'import { buildFirmware } from "./tools/build/build.ts";',
			"const [app = '', out = ''] = process.argv.slice(2);",
			'const build = await buildFirmware({ app, board: "mps2-an386", out });',
			"console.log(JSON.stringify(build));",
		].join("\n"),
	);
	const tsx = join(checkout, "node_modules/.bin/tsx");
	const cache = engineCache();
	/* Before the checkout in the order of names, and after it: the order of paths must not matter. */
	for (const name of ["a-library", "z-library"]) {
		const library = join(elsewhere, name);
		cpSync(bearsslFolder(), library, { recursive: true });
		const stdout = execFileSync(tsx, [join(checkout, "once.mts"), files(app), join(checkout, "build")], {
			env: { ...process.env, PERICARD_CACHE: cache, BEARSSL: library },
			cwd: checkout,
		});
		const second = JSON.parse(stdout.toString()) as Build;
		expect(second.dir.startsWith(checkout)).toBe(true);
		expectSame(first, second);
		const elf = readFileSync(second.elf).toString("latin1");
		expect(elf).toContain("bearssl/src/mac/hmac.c");
		for (const path of [checkout, library]) expect(elf.includes(path), path).toBe(false);
	}
}, 300_000);
