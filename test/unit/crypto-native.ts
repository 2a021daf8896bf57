// Compiles native/crypto with BearSSL's sources for C tests on this machine, with the sanitizers.

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { bearssl, bearsslFolder } from "../../tools/bearssl.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const sanitized = ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];

/** Flags for files that include crypto.h. */
export const cryptoIncludes = [`-I${join(root, "native/crypto")}`, "-isystem", join(bearsslFolder(), "inc")];

function compile(flags: readonly string[], source: string, object: string): string {
	execFileSync("gcc", [...sanitized, ...flags, "-c", source, "-o", object], { stdio: ["ignore", "pipe", "pipe"] });
	return object;
}

/** The objects of native/crypto and of the library, in a folder: to be linked to a test with -fsanitize=address,undefined. */
export function cryptoObjects(dir: string): string[] {
	const manifest = readFileSync(join(root, "native/crypto/manifest.json"), "utf8");
	const library = [...manifest.matchAll(/"\$\(BEARSSL\)\/([\w/]+\.c)"/g)].map(([, path]) => path as string);
	const objects = library.map((path) => {
		const name = basename(path);
		const flags = [...bearssl.cflags];
		flags.push(...["inc", "src"].map((folder) => `-I${join(bearsslFolder(), folder)}`));
		return compile(flags, join(bearsslFolder(), path), join(dir, `${name}.o`));
	});
	const strict = ["-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Werror", ...cryptoIncludes];
	const kernels = readdirSync(join(root, "native/crypto/kernels")).filter((name) => name.endsWith(".c"));
	for (const name of ["crypto.c", ...kernels.map((name) => `kernels/${name}`)]) {
		objects.push(compile(strict, join(root, "native/crypto", name), join(dir, `pericard-${basename(name)}.o`)));
	}
	return objects;
}

/** A program of the objects and one more source. */
export function cryptoProgram(dir: string, source: string, objects: readonly string[]): string {
	const program = join(dir, basename(source, ".c"));
	const strict = ["-std=c11", "-Wall", "-Wextra", "-Werror", ...cryptoIncludes];
	execFileSync("gcc", [...sanitized, ...strict, source, ...objects, "-o", program], {
		stdio: ["ignore", "pipe", "pipe"],
	});
	return program;
}
