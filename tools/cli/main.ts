// The front door of `pericard`: the table of verbs, general help, and what an error looks like.

import { readFileSync } from "node:fs";
import { CliError, type Command, commandHelp, FAILED, nearest, OK, parseCommand, USAGE } from "./command.ts";

interface Verb {
	readonly name: string;
	readonly summary: string;
	/** Loaded when it is used: `pericard --help` must not wait for a compiler. */
	load(): Promise<{ readonly command: Command }>;
}

const VERBS: readonly Verb[] = [
	{ name: "doctor", summary: "what is installed, what is missing, how to get it", load: () => import("./doctor.ts") },
	{ name: "new", summary: "start an app: a folder that builds, runs and tests", load: () => import("./new.ts") },
	{
		name: "build",
		summary: "build an app into a firmware image; flash and RAM by part",
		load: () => import("./build.ts"),
	},
	{ name: "run", summary: "build an app and run it in an emulator", load: () => import("./run.ts") },
	{ name: "test", summary: "run an app's tests on the emulated device", load: () => import("./test.ts") },
	{
		name: "attest",
		summary: "is a device what was built? challenge it, judge its answer",
		load: () => import("./attest.ts"),
	},
	{
		name: "demo",
		summary: "the ECG patch in the emulator, beat by beat, and attested",
		load: () => import("./demo.ts"),
	},
	{
		name: "bench",
		summary: "measure size, boot, speed and wake-ups of the firmware",
		load: () => import("./bench.ts"),
	},
];

const HELP = `usage: pericard <verb> [options]

Device firmware in TypeScript: built for a microcontroller, run and tested in an emulator.

Verbs:
${VERBS.map((verb) => `  ${verb.name.padEnd(8)} ${verb.summary}`).join("\n")}

Options:
  --help     show this help; \`pericard <verb> --help\` tells more of a verb
  --version  show the version

Examples:
  pericard demo
      build the reference ECG patch and watch it find heart beats
  pericard run hello.ts --board mps2-an386
      run a file as firmware on an emulated Cortex-M4F
  pericard new my-device
      start an app

Exit codes:
  0  all is well
  1  a run failed, or the verdict is negative
  2  wrong usage, or something is missing on this machine (see \`pericard doctor\`)`;

export async function main(words: readonly string[]): Promise<number> {
	process.stdout.on("error", (error: NodeJS.ErrnoException) => {
		// `pericard run ... | head` closes our output: that ends the command, and is no error.
		if (error.code === "EPIPE") process.exit(OK);
		console.error(`pericard: can't write the output: ${error.message}`);
		process.exit(USAGE);
	});
	// Nobody reads our progress, or it can't be written: the result still can.
	process.stderr.on("error", () => {});
	try {
		return await dispatch(words);
	} catch (error) {
		return report(error, words.includes("--verbose"));
	}
}

async function dispatch(words: readonly string[]): Promise<number> {
	const [first, ...rest] = words;
	if (first === undefined) {
		console.error(HELP);
		return USAGE;
	}
	if (first === "--help" || first === "-h" || (first === "help" && rest.length === 0)) {
		console.log(HELP);
		return OK;
	}
	if (first === "--version") {
		console.log(version());
		return OK;
	}
	// `pericard help build` is `pericard build --help`.
	const [name, args] = first === "help" ? [rest[0] ?? "", ["--help"]] : [first, rest];
	const verb = VERBS.find((candidate) => candidate.name === name);
	if (verb === undefined) {
		const near = nearest(
			name,
			VERBS.map((candidate) => candidate.name),
		);
		const what = name.startsWith("-") ? "option" : "verb";
		throw new CliError(
			`unknown ${what} "${name}"`,
			near === undefined ? "see `pericard --help`" : `did you mean \`pericard ${near}\`? (see \`pericard --help\`)`,
		);
	}
	const { command } = await verb.load();
	const parsed = parseCommand(command, args);
	if (parsed.flag("help")) {
		console.log(commandHelp(command));
		return OK;
	}
	return command.run(parsed);
}

function version(): string {
	const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
	return (JSON.parse(text) as { version: string }).version;
}

/** Prints an error and returns the exit code that it stands for. */
function report(error: unknown, verbose: boolean): number {
	if (error instanceof CliError) {
		console.error(`pericard: ${error.message}`);
		if (error.hint !== undefined) console.error(`hint: ${error.hint}`);
		if (verbose && error.cause instanceof Error) console.error(error.cause.stack);
		return error.exitCode;
	}
	const text = error instanceof Error ? error.message : String(error);
	// The build's and the harness's own errors say what is wrong in the user's words.
	if (error instanceof Error && (error.name === "BuildError" || error.name === "DeviceError")) {
		console.error(`pericard: ${text}`);
		const { hint } = error as Error & { hint?: unknown };
		if (typeof hint === "string") console.error(`hint: ${hint}`);
		if (verbose) console.error(error.stack);
		return FAILED;
	}
	// A file of the user's that can't be read as a recording.
	if (error instanceof Error && error.name === "RecordError") {
		console.error(`pericard: ${text}`);
		return USAGE;
	}
	// A folder that is no folder, or that we may not write: this machine's matter, and the message names the path.
	if (error instanceof Error && "syscall" in error && "path" in error) {
		console.error(`pericard: ${text}`);
		if (verbose) console.error(error.stack);
		return USAGE;
	}
	console.error(`pericard: internal error: ${text}`);
	if (verbose && error instanceof Error) console.error(error.stack);
	else console.error("hint: --verbose shows where");
	return FAILED;
}
