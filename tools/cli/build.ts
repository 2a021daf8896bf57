// `pericard build`: an app into a firmware image, and where its flash and RAM go.

import type { Build } from "../build/build.ts";
import { displayPath } from "../build/errors.ts";
import type { Room } from "../build/manifest.ts";
import { type Arguments, CliError, type Command, OK } from "./command.ts";
import { BOARD_OPTION, DEFAULT_BOARD, findApp, findBoard } from "./paths.ts";
import { type Progress, progressLines } from "./progress.ts";
import { table } from "./table.ts";

/** Options of every verb that builds an app first. */
export const BUILD_OPTIONS = {
	board: BOARD_OPTION,
	debug: { help: "line tables in the image, which says of itself that it is a debug build" },
	sanitize: { help: "posix only: with the address and undefined-behaviour sanitizers" },
	out: { value: "DIR", help: "where the image goes: DIR/<board>/<app>/", default: "build" },
} as const;

/** Builds the app that the words name, its machine with no less than `room`. Throws CliError, BuildError. */
export async function buildApp(args: Arguments, app: string, progress: Progress, room?: Room): Promise<Build> {
	const board = findBoard(args.text("board") ?? DEFAULT_BOARD);
	if (args.flag("sanitize") && board.cpu !== "host") {
		throw new CliError(`the sanitizers do not run on ${board.name}`, "--sanitize is for --board posix");
	}
	const out = args.text("out");
	// Loaded here: the compiler behind it takes longer to load than all the rest, and `--help` needs none of it.
	const { buildFirmware } = await import("../build/build.ts");
	return buildFirmware({
		app,
		board: board.name,
		...(out === undefined ? {} : { out }),
		debug: args.flag("debug"),
		sanitize: args.flag("sanitize"),
		progress,
		...(room === undefined ? {} : { room }),
	});
}

/** Flash and RAM by component, biggest first, with the totals below. */
export function sizeTable(build: Build): string {
	const { flash, ram, flashTotal, ramTotal } = build.size;
	const names = [...new Set([...Object.keys(flash), ...Object.keys(ram)])];
	const weight = (name: string) => (flash[name] ?? 0) + (ram[name] ?? 0);
	names.sort((a, b) => weight(b) - weight(a) || a.localeCompare(b));
	return table(
		["component", "flash", "RAM"],
		[...names.map((name) => [name, bytes(flash[name] ?? 0), bytes(ram[name] ?? 0)])],
		["total", bytes(flashTotal), bytes(ramTotal)],
	);
}

function bytes(count: number): string {
	return count === 0 ? "-" : String(count).replace(/\B(?=(\d{3})+$)/g, " ");
}

async function run(args: Arguments): Promise<number> {
	const [app = ""] = args.positionals;
	const build = await buildApp(args, findApp(app), progressLines(args.flag("json") && !args.flag("verbose")));
	if (args.flag("json")) {
		const { name, board, dir, elf, hex, map, archive, symbolsFile, size } = build;
		const { version } = build.reference;
		const files = { dir, elf, hex, map, archive, symbolsFile, reference: build.referenceFile, corim: build.corimFile };
		console.log(JSON.stringify({ name, version, board, ...files, size }, null, "\t"));
		return OK;
	}
	console.log(sizeTable(build));
	const { name, board, elf, hex, map, archive, reference, referenceFile, corimFile } = build;
	const files = [elf, hex, map, archive, referenceFile, corimFile].filter((file) => file !== undefined);
	const kind = reference.debug ? "debug, " : "";
	console.log(`\n${name} ${reference.version} for ${board} (${kind}lifecycle ${reference.lifecycle})`);
	console.log(files.map((file) => displayPath(file)).join("\n"));
	return OK;
}

export const command: Command = {
	name: "build",
	summary: "build an app into a firmware image; flash and RAM by part",
	description:
		"Checks the app's TypeScript, compiles it to XS bytecode, puts all modules into one archive and links it with the engine and the board's code. Writes ELF, HEX and map (on posix: an executable), and what a verifier expects of a device that runs it: reference values as JSON and as CoRIM. Prints flash and RAM by component, in bytes.",
	positionals: [{ name: "app", help: "a folder with a manifest.json, a .ts file, or the name of a reference app" }],
	options: {
		...BUILD_OPTIONS,
		json: { help: "print {name, version, board, dir, elf, hex, map, archive, symbolsFile, reference, corim, size}" },
	},
	examples: [
		["pericard build hello.ts", "one file, for mps2-an386"],
		["pericard build ecg-patch --board nrf52840dk", "the reference app, for the nRF52840 development kit"],
		[
			"pericard build my-device --board posix --sanitize",
			"as a process of this machine that checks its memory accesses",
		],
	],
	exitCodes: [
		[0, "built"],
		[1, "the app does not build: a type error, an unknown module, an image that does not fit"],
		[2, "wrong usage, or a tool is missing (see `pericard doctor`)"],
	],
	run,
};
