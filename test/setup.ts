// Before the first test on a machine: compiles the engine, the hosts and BearSSL once, into the cache that all builds
// share. Without it the first tests of each worker would do so side by side, and run into their time limits.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pericardRoot } from "../tools/build/board.ts";
import { buildFirmware } from "../tools/build/build.ts";
import { cacheDirectory, contentHash } from "../tools/build/cache.ts";

const builds = [
	{ board: "mps2-an386" },
	{ board: "nrf52840dk" },
	{ board: "posix" },
	{ board: "posix", sanitize: true },
] as const;

export async function setup(): Promise<void> {
	const flags = ["hosts/common/engine.json", "native/crypto/bearssl.json"].map((name) =>
		readFileSync(join(pericardRoot, name)),
	);
	const done = join(cacheDirectory("compiled"), contentHash(...flags, JSON.stringify(builds)));
	if (existsSync(done)) return;
	const dir = mkdtempSync(join(tmpdir(), "pericard-setup-"));
	const app = join(dir, "hello.ts");
	writeFileSync(
		app,
		'import { sha256 } from "pericard/crypto";\nconsole.log(sha256(new ArrayBuffer(1)).byteLength);\n',
	);
	try {
		for (const build of builds) {
			const start = Date.now();
			await buildFirmware({ app, out: join(dir, "build"), ...build });
			const what = `${build.board}${"sanitize" in build ? " with sanitizers" : ""}`;
			console.log(
				`compiled the engine, the library and the host for ${what} in ${((Date.now() - start) / 1000).toFixed(0)} s`,
			);
		}
		writeFileSync(done, "");
	} finally {
		rmSync(dir, { recursive: true, force: true });
	}
}
