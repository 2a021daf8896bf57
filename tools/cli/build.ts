// `pericard build`: an app into a firmware image, and where its flash and RAM go.

import { readFileSync, statSync } from "node:fs";
import type { Build } from "../build/build.ts";
import type { Diversity, Spread } from "../build/diversify.ts";
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
	diversify: {
		value: "SEED",
		help: "put the functions in flash into an order of this device's own; SEED is text, or @FILE with the seed in it. The same seed gives the same bytes, anywhere",
	},
} as const;

/** The seed that --diversify names: the words themselves, or a file's bytes. Throws CliError. */
export function readDiversify(text: string | undefined): string | Uint8Array | undefined {
	if (text === undefined || !text.startsWith("@")) return text;
	const file = text.slice(1);
	const size = statSync(file, { throwIfNoEntry: false });
	if (size === undefined || !size.isFile()) {
		throw new CliError(`there is no file "${file}"`, "--diversify takes a text, or @ and the name of a file");
	}
	if (size.size === 0)
		throw new CliError(`${file} is empty`, "a seed has 32 random bytes: `openssl rand -out FILE 32`");
	return readFileSync(file);
}

/** Builds the app that the words name, its machine with no less than `room`. Throws CliError, BuildError. */
export async function buildApp(args: Arguments, app: string, progress: Progress, room?: Room): Promise<Build> {
	const board = findBoard(args.text("board") ?? DEFAULT_BOARD);
	if (args.flag("sanitize") && board.cpu !== "host") {
		throw new CliError(`the sanitizers do not run on ${board.name}`, "--sanitize is for --board posix");
	}
	const out = args.text("out");
	const diversify = readDiversify(args.text("diversify"));
	// Loaded here: the compiler behind it takes longer to load than all the rest, and `--help` needs none of it.
	const { buildFirmware } = await import("../build/build.ts");
	return buildFirmware({
		app,
		board: board.name,
		...(out === undefined ? {} : { out }),
		debug: args.flag("debug"),
		sanitize: args.flag("sanitize"),
		progress,
		...(diversify === undefined ? {} : { diversify }),
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

/** Units and functions by region, with what their order is worth in bits. */
export function diversityTable(diversity: Diversity): string {
	const row = (name: string, { units, functions, permutationEntropyBits, singleGuessBits }: Spread) => [
		name,
		bytes(units),
		bytes(functions),
		permutationEntropyBits.toFixed(1),
		singleGuessBits.toFixed(1),
	];
	return table(
		["region", "units", "functions", "order (bits)", "one guess (bits)"],
		diversity.regions.map((region) => row(region.name, region)),
		row("total", diversity),
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
		const { diversity } = build;
		const files = { dir, elf, hex, map, archive, symbolsFile, reference: build.referenceFile, corim: build.corimFile };
		console.log(JSON.stringify({ name, version, board, ...files, size, diversity }, null, "\t"));
		return OK;
	}
	console.log(sizeTable(build));
	const { name, board, elf, hex, map, archive, reference, referenceFile, corimFile } = build;
	const files = [elf, hex, map, archive, referenceFile, corimFile].filter((file) => file !== undefined);
	if (build.diversity !== undefined) {
		const { id, seedBits } = build.diversity;
		console.log(`\n${diversityTable(build.diversity)}`);
		console.log(`\nseed ${id}: no more than ${seedBits} bits, however many the order has`);
	}
	const kind = reference.debug ? "debug, " : "";
	console.log(`\n${name} ${reference.version} for ${board} (${kind}lifecycle ${reference.lifecycle})`);
	console.log(files.map((file) => displayPath(file)).join("\n"));
	return OK;
}

export const command: Command = {
	name: "build",
	summary: "build an app into a firmware image; flash and RAM by part",
	description:
		"Checks the app's TypeScript, compiles it to XS bytecode, puts all modules into one archive and links it with the engine and the board's code. Writes ELF, HEX and map (on posix: an executable), and what a verifier expects of a device that runs it: reference values as JSON and as CoRIM. Prints flash and RAM by component, in bytes.\nAll devices with one image have each function at one address, so an exploit for one fits all. With --diversify, engine, start-up, natives and libraries keep what they do and get other addresses, which follow from the seed: build one image for each device, flash it, and give the verifier the reference values of just this build. A seed is 32 random bytes for each device, kept as a key is kept: who has it can build the same image. One that a name or a serial number gives can be guessed. A leaked address stays true until the device gets another image.",
	positionals: [{ name: "app", help: "a folder with a manifest.json, a .ts file, or the name of a reference app" }],
	options: {
		...BUILD_OPTIONS,
		json: {
			help: "print {name, version, board, dir, elf, hex, map, archive, symbolsFile, reference, corim, size}, and diversity with --diversify",
		},
	},
	examples: [
		["pericard build hello.ts", "one file, for mps2-an386"],
		["pericard build ecg-patch --board nrf52840dk", "the reference app, for the nRF52840 development kit"],
		[
			"pericard build my-device --board posix --sanitize",
			"as a process of this machine that checks its memory accesses",
		],
		[
			"openssl rand -out seeds/17 32; pericard build ecg-patch --diversify @seeds/17",
			"the image of device 17, in a folder of its own; build again from the seed whenever it is needed",
		],
	],
	exitCodes: [
		[0, "built"],
		[1, "the app does not build: a type error, an unknown module, an image that does not fit"],
		[2, "wrong usage, or a tool is missing (see `pericard doctor`)"],
	],
	run,
};
