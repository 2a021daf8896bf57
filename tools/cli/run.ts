// `pericard run`: builds an app, runs it in an emulator, and shows what it says.

import type { DeviceRecord } from "../harness/records.ts";
import { BUILD_OPTIONS, buildApp } from "./build.ts";
import { type Arguments, CliError, type Command, FAILED, OK } from "./command.ts";
import { consoleLine, describeFailure } from "./failure.ts";
import { openInput } from "./input.ts";
import { appFolder, DEFAULT_BOARD, findApp } from "./paths.ts";
import { progressLines } from "./progress.ts";
import { chooseEmulator, runSession } from "./session.ts";
import { watchLayout } from "./watch.ts";

/** A report of the app as a line: its type, then its values by name. */
export function reportLine(record: DeviceRecord): string {
	const data = record.data;
	const values =
		typeof data === "object" && data !== null && !Array.isArray(data)
			? Object.entries(data)
					.filter(([, value]) => value !== undefined && value !== null)
					.map(([name, value]) => `${name} ${typeof value === "object" ? JSON.stringify(value) : String(value)}`)
			: [typeof data === "string" ? data : JSON.stringify(data)];
	return [`[${String(record.type)}]`, ...values].join("  ");
}

async function run(args: Arguments): Promise<number> {
	const [word = ""] = args.positionals;
	const json = args.flag("json");
	const app = findApp(word);
	const emulator = chooseEmulator(args.text("board") ?? DEFAULT_BOARD, args.text("emulator"));
	const seconds = args.number("seconds");
	const seed = args.number("seed");
	if (seed !== undefined && !Number.isSafeInteger(seed)) throw new CliError(`--seed takes a whole number, not ${seed}`);
	const file = args.text("input");
	const input = file === undefined ? undefined : openInput(file);
	const build = await buildApp(args, app, progressLines(json && !args.flag("verbose")));
	const origin = { build, dir: appFolder(app) };
	// With --json stdout is for the app's data alone.
	const out = json ? process.stderr : process.stdout;
	const watch = args.flag("watch-layout") ? watchLayout(build, out, !json && process.stdout.isTTY) : undefined;
	const say = (line: string) => (watch === undefined ? out.write(`${line}\n`) : watch.print(line));
	const outcome = await runSession(build, {
		emulator,
		...(input === undefined ? {} : { input }),
		...(seed === undefined ? {} : { seed }),
		...(seconds === undefined ? { paced: true } : { seconds }),
		...(watch === undefined ? {} : { watch }),
		onLine: (line) => say(consoleLine(origin, line)),
		onRecord: (record) => {
			if (record.event === "report" && json) console.log(JSON.stringify(record.data));
			else if (record.event === "report") say(reportLine(record));
			else if (args.flag("verbose")) console.error(JSON.stringify(record));
		},
	});
	if (outcome.failure !== undefined) {
		for (const line of describeFailure(origin, outcome.failure)) console.error(line);
		return FAILED;
	}
	if (outcome.reason !== "time" && outcome.reason !== "ended") {
		console.error(`The run ended early: ${outcome.reason}`);
		return FAILED;
	}
	if (!json) {
		const why = outcome.reason === "ended" ? "the app ended" : "the time is up";
		console.error(`${why} after ${outcome.seconds.toFixed(3)} s of emulated time`);
	}
	return OK;
}

export const command: Command = {
	name: "run",
	summary: "build an app and run it in an emulator",
	description:
		"Builds the app, boots the image in an emulator and prints what the app prints, as it comes. With --seconds the emulated time runs as fast as the machine allows; without it, at the pace of the wall clock until the app ends or you press Ctrl-C.",
	positionals: [{ name: "app", help: "a folder with a manifest.json, a .ts file, or the name of a reference app" }],
	options: {
		...BUILD_OPTIONS,
		input: {
			value: "FILE",
			help: "streamed into the second serial port: an ECG as WFDB record (.hea) or .csv, at its own rate; other files as they are",
		},
		seconds: { value: "S", help: "end after S seconds of emulated time" },
		seed: { value: "N", help: "of the device's random numbers and keys, where they are emulated; default: 1" },
		emulator: { value: "NAME", help: "default: the board's first", choices: ["qemu", "renode", "posix"] },
		"watch-layout": {
			help: "show the functions that move: a picture by address, redrawn at each move; a line a move where the output is no terminal",
		},
		json: { help: "print only the app's reports, one JSON object a line" },
	},
	examples: [
		["pericard run hello.ts --seconds 5", "five seconds of emulated time on mps2-an386"],
		["pericard run hello.ts --board posix", "the same app as a process of this machine"],
		[
			"pericard run ecg-patch --input 100.hea --seconds 60 --json",
			"heart beats in a WFDB record, one {t, rr, bpm, fault} a line",
		],
		["pericard run ecg-patch --watch-layout", "its cryptography moving from place to place"],
	],
	exitCodes: [
		[0, "the app ended, or its time was up"],
		[1, "the app does not build, or an uncaught exception, an abort or a fault ended it"],
		[2, "wrong usage, or a tool is missing (see `pericard doctor`)"],
	],
	run,
};
