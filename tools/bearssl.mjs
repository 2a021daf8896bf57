// Where BearSSL's sources are, and whether they are the ones that native/crypto/bearssl.json names.
//
// Plain JavaScript without dependencies: tools/setup.mjs fetches them before anything is installed, the build compiles
// them. (Types: bearssl.d.mts.)

import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

export const bearssl = JSON.parse(readFileSync(join(root, "native/crypto/bearssl.json"), "utf8"));

/** The folder of everything that can be made anew: $PERICARD_CACHE, else $XDG_CACHE_HOME/pericard, else ~/.cache/pericard. */
export function cacheRoot() {
	const { PERICARD_CACHE, XDG_CACHE_HOME } = process.env;
	return resolve(PERICARD_CACHE || join(XDG_CACHE_HOME || join(homedir(), ".cache"), "pericard"));
}

/** Where set-up puts the sources. */
export function bearsslCache() {
	return join(cacheRoot(), `bearssl-${bearssl.version}`);
}

/** Where the sources are, or would be: $BEARSSL, else set-up's folder. */
export function bearsslFolder() {
	return process.env.BEARSSL ? resolve(process.env.BEARSSL) : bearsslCache();
}

/** What is wrong with the sources in a folder; undefined if nothing is. */
export function bearsslProblem(folder = bearsslFolder()) {
	if (!existsSync(folder)) return `BearSSL's sources are missing: there is no folder ${folder}`;
	for (const [path, hash] of Object.entries(bearssl.files)) {
		const file = join(folder, path);
		if (!existsSync(file)) return `BearSSL's sources are incomplete: there is no file ${file}`;
		if (createHash("sha256").update(readFileSync(file)).digest("hex") !== hash) {
			return `BearSSL's sources are not those of version ${bearssl.version}: the SHA-256 of ${file} is not the one that native/crypto/bearssl.json names`;
		}
	}
	return undefined;
}

/** What to do about it. */
export function bearsslAdvice() {
	const folder = `a folder with the sources of BearSSL ${bearssl.version}`;
	return process.env.BEARSSL
		? `set BEARSSL to ${folder}, or unset it and run \`npm run setup\``
		: `\`npm run setup\` fetches them on Debian and Ubuntu; elsewhere set BEARSSL to ${folder}`;
}
