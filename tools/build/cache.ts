// The cache of build products that are addressed by the hash of what they were made from.

import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { cacheRoot } from "../bearssl.mjs";

/**
 * The folder of the cache, or a folder in it; made if it is not there. `$PERICARD_CACHE`, else
 * `$XDG_CACHE_HOME/pericard`, else `~/.cache/pericard`.
 */
export function cacheDirectory(...names: readonly string[]): string {
	const directory = join(cacheRoot(), ...names);
	mkdirSync(directory, { recursive: true });
	return directory;
}

/** SHA-256 over the parts, each preceded by its length, so that no two lists of parts share a hash. Hex. */
export function contentHash(...parts: readonly (string | Uint8Array)[]): string {
	const hash = createHash("sha256");
	for (const part of parts) {
		const bytes = typeof part === "string" ? Buffer.from(part) : part;
		hash.update(`${bytes.length}:`);
		hash.update(bytes);
	}
	return hash.digest("hex");
}
