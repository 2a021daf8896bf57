// `pericard new`: a folder with a small app that builds, runs and has a test.

import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { type Arguments, CliError, type Command, OK } from "./command.ts";
import { ROOT } from "./paths.ts";

const TEMPLATE = join(ROOT, "tools", "templates", "app");

/** The files of the template, relative to it. */
function templateFiles(folder = TEMPLATE): string[] {
	return readdirSync(folder, { withFileTypes: true })
		.sort((a, b) => a.name.localeCompare(b.name))
		.flatMap((entry) => {
			const path = join(folder, entry.name);
			return entry.isDirectory() ? templateFiles(path) : [relative(TEMPLATE, path)];
		});
}

async function run(args: Arguments): Promise<number> {
	const [word = ""] = args.positionals;
	const target = resolve(word);
	const name = basename(target);
	if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) {
		throw new CliError(
			`"${name}" is no name for an app`,
			"letters, digits, dots and dashes, beginning with a letter or digit",
		);
	}
	if (existsSync(target)) {
		if (!statSync(target).isDirectory()) throw new CliError(`${word} is a file`, "name a folder that is new or empty");
		if (readdirSync(target).length > 0) {
			throw new CliError(`${word} is not empty`, "name a folder that is new or empty; nothing was written");
		}
	}
	const files = templateFiles();
	for (const file of files) {
		const text = readFileSync(join(TEMPLATE, file), "utf8")
			.replaceAll("{{NAME}}", name)
			.replaceAll("{{PERICARD}}", ROOT);
		mkdirSync(dirname(join(target, file)), { recursive: true });
		writeFileSync(join(target, file), text);
	}
	if (args.flag("json")) {
		console.log(JSON.stringify({ name, dir: target, files }));
		return OK;
	}
	console.log(`Wrote ${word}:`);
	for (const file of files) console.log(`  ${join(word, file)}`);
	console.log(`\nNext:\n  npx pericard run ${word} --seconds 5\n  npx pericard test ${word}`);
	return OK;
}

export const command: Command = {
	name: "new",
	summary: "start an app: a folder that builds, runs and tests",
	description:
		"Writes a small app into a new or empty folder: its code, its manifest, and a test that runs on the device.",
	positionals: [{ name: "dir", help: "the folder; its last part becomes the app's name" }],
	options: { json: { help: "print {name, dir, files}" } },
	examples: [
		["pericard new my-device", "writes ./my-device"],
		["pericard test my-device", "runs its test in the emulator"],
	],
	exitCodes: [
		[0, "written"],
		[2, "the folder is not empty, or its name is no name for an app; nothing was written"],
	],
	run,
};
