// tools/setup.mjs fetches BearSSL's sources with the apt of this machine; here with a stand-in for apt-get, offline.

import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { bearssl, bearsslFolder, bearsslProblem } from "../../tools/bearssl.mjs";
import { buildFirmware } from "../../tools/build/build.ts";
import { isDebian } from "../../tools/requirements.mjs";
import { files, scratch } from "./build-fixtures.ts";

const root = join(import.meta.dirname, "../..");

const list = [
	"# comment",
	"deb https://example.org/one stable main contrib",
	"deb [arch=amd64 signed-by=/k.gpg] https://example.org/two stable main # the second",
	"deb-src https://example.org/one stable main contrib",
	"# deb https://example.org/off stable main",
	"deb cdrom:[Debian 12]/ bookworm main",
].join("\n");

const deb822 = [
	"Types: deb",
	"URIs: https://example.org/three",
	"Suites: bookworm bookworm-updates",
	"Components: main",
	"Signed-By:",
	" -----BEGIN PGP PUBLIC KEY BLOCK-----",
	" .",
	" abc",
	"",
	"# off",
	"types: deb deb-src",
	"URIs: https://example.org/four",
	"Suites: bookworm",
	"Components: main",
	"Enabled: no",
	"",
].join("\n");

/** What apt-get does here: notes what it is told, and gives the archive that the test has made. */
const aptGet = `#!/bin/sh
while [ "$1" != update ] && [ "$1" != source ]; do
	if [ "$1" = -c ]; then conf="$2"; fi
	shift
done
echo "$@" >> "$NOTES/calls"
case "$1" in
update) cp "$conf" "$NOTES/apt.conf"; cp "$(dirname "$conf")"/sources/* "$NOTES"; exit "\${UPDATE_EXIT:-0}" ;;
source) if [ -f "$NOTES/archive" ]; then cp "$NOTES/archive" bearssl_0.6.orig.tar.gz; else echo "E: no source package" >&2; exit 100; fi ;;
esac
`;

interface Machine {
	readonly notes: string;
	readonly cache: string;
	setup(...args: readonly string[]): { status: number | null; text: string };
}

function machine(env: Readonly<Record<string, string>> = {}): Machine {
	const dir = scratch();
	const [bin, notes, cache] = ["bin", "notes", "cache"].map((name) => join(dir, name)) as [string, string, string];
	for (const folder of [bin, notes, join(dir, "parts")]) mkdirSync(folder);
	writeFileSync(join(bin, "apt-get"), aptGet);
	chmodSync(join(bin, "apt-get"), 0o755);
	writeFileSync(join(dir, "sources.list"), list);
	writeFileSync(join(dir, "parts/a.sources"), deb822);
	writeFileSync(join(dir, "parts/b.list"), "deb https://example.org/one stable main contrib\n");
	writeFileSync(join(dir, "parts/c.list.save"), "deb https://example.org/old stable main\n");
	writeFileSync(
		join(dir, "apt.conf"),
		`Dir::Etc::SourceList "${dir}/sources.list";\nDir::Etc::SourceParts "${dir}/parts";\n`,
	);
	const { BEARSSL: _, ...rest } = process.env;
	const all = {
		...rest,
		PATH: `${bin}:${process.env.PATH}`,
		NOTES: notes,
		APT_CONFIG: join(dir, "apt.conf"),
		PERICARD_CACHE: cache,
		...env,
	};
	return {
		notes,
		cache,
		setup(...args) {
			const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, "tools/setup.mjs"), ...args], {
				env: all,
				encoding: "utf8",
			});
			return { status, text: stdout + stderr };
		},
	};
}

/** A source archive as Debian's: one folder in it. `change` may spoil the sources first. */
function archive(notes: string, change: (folder: string) => void = () => {}): void {
	const dir = scratch();
	const folder = join(dir, "bearssl-0.6");
	for (const name of ["inc", "src"]) cpSync(join(bearsslFolder(), name), join(folder, name), { recursive: true });
	writeFileSync(join(folder, "LICENSE.txt"), "MIT\n");
	mkdirSync(join(folder, "T0"));
	writeFileSync(join(folder, "T0/unwanted.txt"), "");
	change(folder);
	execFileSync("tar", ["-czf", join(notes, "archive"), "-C", dir, "bearssl-0.6"]);
}

describe.skipIf(!isDebian())("set-up", { timeout: 120_000 }, () => {
	test("asks this machine's own archives for the source package, and leaves nothing else behind", () => {
		const { setup, notes, cache } = machine();
		archive(notes);
		const { status, text } = setup();
		expect(text).toContain("Fetching the source package bearssl");
		expect(status).toBe(0);
		expect(readFileSync(join(notes, "calls"), "utf8").split("\n")).toEqual([
			"update",
			"source --download-only --tar-only bearssl",
			"",
		]);
		// Each entry once, as one of source packages; comments, discs and files that apt doesn't read are left out.
		expect(readFileSync(join(notes, "pericard.list"), "utf8")).toBe(
			[
				"deb-src https://example.org/one stable main contrib",
				"deb-src [arch=amd64 signed-by=/k.gpg] https://example.org/two stable main # the second",
				"",
			].join("\n"),
		);
		expect(readFileSync(join(notes, "pericard.sources"), "utf8")).toBe(
			deb822.replace("Types: deb\n", "Types: deb-src\n").replace("types: deb deb-src", "Types: deb-src"),
		);
		const settings = readFileSync(join(notes, "apt.conf"), "utf8");
		for (const key of ["Dir::State::Lists", "Dir::Cache", "Dir::Etc::SourceParts"]) {
			expect(settings).toMatch(new RegExp(`^${key} "${cache}/fetch-\\w+/`, "m"));
		}
		expect(readdirSync(cache)).toEqual([`bearssl-${bearssl.version}`]);
		expect(readdirSync(join(cache, `bearssl-${bearssl.version}`)).sort()).toEqual(["LICENSE.txt", "inc", "src"]);
		expect(bearsslProblem(join(cache, `bearssl-${bearssl.version}`))).toBeUndefined();
		// The second time nothing is missing.
		expect(setup()).toEqual({ status: 0, text: "" });
	});

	test("goes on when one of several archives is out of reach, and replaces damaged sources", () => {
		const { setup, notes, cache } = machine({ UPDATE_EXIT: "100" });
		archive(notes);
		const folder = join(cache, `bearssl-${bearssl.version}`);
		cpSync(bearsslFolder(), folder, { recursive: true });
		writeFileSync(join(folder, "src/inner.h"), "changed");
		expect(setup("--check").text).toContain(`the SHA-256 of ${join(folder, "src/inner.h")} is not the one`);
		expect(setup().status).toBe(0);
		expect(bearsslProblem(folder)).toBeUndefined();
	});

	test("refuses an archive with other sources, and says which file", () => {
		const { setup, notes, cache } = machine();
		archive(notes, (folder) => writeFileSync(join(folder, "src/hash/sha2small.c"), "int backdoor;\n"));
		const { status, text } = setup();
		expect(status).toBe(2);
		expect(text).toMatch(
			/the SHA-256 of \S+\/src\/hash\/sha2small\.c is not the one that native\/crypto\/bearssl\.json/,
		);
		expect(text).toContain("bearssl_0.6.orig.tar.gz is not what Pericard is built and tested with");
		expect(readdirSync(cache)).toEqual([]);
	});

	test("says why there is no source package", () => {
		const { setup } = machine();
		const { status, text } = setup();
		expect(status).toBe(2);
		expect(text).toContain("E: no source package");
		expect(text).toContain("elsewhere set BEARSSL to a folder with the sources of BearSSL 0.6");
	});

	test("leaves a folder that the user gave alone", () => {
		const folder = join(scratch(), "none");
		const { setup, notes } = machine({ BEARSSL: folder });
		archive(notes);
		const { status, text } = setup();
		expect(status).toBe(2);
		expect(text).toContain(`there is no folder ${folder}`);
		expect(text).toContain("unset it and run `npm run setup`");
		expect(existsSync(join(notes, "calls"))).toBe(false);
	});
});

describe("a build", { timeout: 120_000 }, () => {
	const build = (app: string) => buildFirmware({ app, board: "posix", out: join(app, "build") });
	const using = { "manifest.json": { modules: { "*": "./main" } } };

	test("without the sources says so, if it needs them", async () => {
		const before = process.env.BEARSSL;
		const folder = join(scratch(), "none");
		process.env.BEARSSL = folder;
		try {
			const crypto = files({
				...using,
				"main.ts": 'import { sha256 } from "pericard/crypto";\nsha256(new Uint8Array(1));\n',
			});
			await expect(build(crypto)).rejects.toThrow(`BearSSL's sources are missing: there is no folder ${folder}\n`);
			cpSync(join(root, "native/crypto"), folder, { recursive: true });
			await expect(build(crypto)).rejects.toThrow("BearSSL's sources are incomplete");
		} finally {
			if (before === undefined) delete process.env.BEARSSL;
			else process.env.BEARSSL = before;
		}
	});

	test("compiles the library where C alone needs it, through the manifest that it includes", async () => {
		const app = files({
			"manifest.json": { include: "$(PERICARD)/native/crypto/manifest.json", modules: { "*": "./*" } },
			"main.ts": 'const byte: () => number = native("xs_first");\nconsole.log(byte());\n',
			"first.c":
				'#include "crypto.h"\n#include "xsmc.h"\nvoid xs_first(xsMachine *the) {\n\tuint8_t digest[32];\n\tpc_hmac_sha256(NULL, 0, NULL, 0, digest);\n\txsmcSetInteger(xsResult, digest[0]);\n}\n',
		});
		const { size, modules } = await build(app);
		expect(modules).toEqual(["main"]);
		expect(size.flash["native:bearssl"]).toBeGreaterThan(500);
		expect(size.flash["native:crypto"]).toBeGreaterThan(50);
		// What hashes only has no elliptic curve in it.
		expect(size.flash["native:bearssl"]).toBeLessThan(6000);
	});

	test("of an app without cryptography has nothing of it", async () => {
		const { size } = await build(files({ ...using, "main.ts": "console.log(1);\n" }));
		expect(Object.keys(size.flash).filter((name) => name.startsWith("native:"))).toEqual([]);
	});
});
