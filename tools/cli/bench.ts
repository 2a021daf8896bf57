// `pericard bench`: the figures of the firmware as a table or as JSON.

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { CodeSize, CryptoDetails, CryptoReport } from "../bench/crypto.ts";
import type { Figure } from "../bench/measure.ts";
import type { RelocationFigures, TARGETS } from "../bench/relocation.ts";
import { boardNames } from "../build/board.ts";
import { type Arguments, CliError, type Command, FAILED, nearest, OK } from "./command.ts";
import { findRecord } from "./input.ts";
import { DEFAULT_BOARD, findBoard, ROOT } from "./paths.ts";
import { progressLines } from "./progress.ts";
import { chooseEmulator } from "./session.ts";
import { table } from "./table.ts";

/** MIT-BIH record 100, where a folder of shared data lies beside the repository. */
const RECORD = join(dirname(ROOT), "shared", "data", "ecg", "mitdb-100.hea");

/** The board of `bench crypto` and `bench relocation`. */
const COUNTING = "mps2-an386";

function print(figures: readonly Figure[]): void {
	const rows = figures.map((figure) => [
		figure.name,
		figure.board,
		figure.component ?? "",
		String(figure.value),
		figure.unit,
	]);
	console.log(table(["figure", "board", "component", "value", "unit"], rows));
}

const text = (value: number | null | undefined) => (value === undefined || value === null ? "" : String(value));
const times = (ours: number, other: number | null | undefined) =>
	other === undefined || other === null ? "" : (other / ours).toFixed(1);

/** One primitive a row: what it takes, what BearSSL's own implementation takes beside it, what others have reached. */
function primitives(details: readonly CryptoDetails[]): string {
	const head = ["", "unit", "instructions", "cycles", "stack", "code"];
	head.push("BearSSL instructions", "cycles", "stack", "code", "ratio", "published", "at most");
	const rows = details.map(({ figure, baselineStackBytes, codeBytes, baselineCodeBytes, published, bound }) => [
		...[figure.name, figure.unit, text(figure.instructions), text(figure.cycles), text(figure.stackBytes)],
		...[text(codeBytes), text(figure.baseline?.instructions), text(figure.baseline?.cycles), text(baselineStackBytes)],
		...[text(baselineCodeBytes), times(figure.cycles, figure.baseline?.cycles), text(published), text(bound)],
	]);
	return table(head, rows);
}

function codeSizes(sizes: readonly CodeSize[]): string {
	const rows = sizes.map(({ name, bytes, baseline, bound }) => [name, text(bytes), text(baseline), text(bound)]);
	return table(["bytes of code and constants", "ours", "BearSSL", "at most"], rows);
}

function printCrypto({ details, sizes, model }: CryptoReport): void {
	console.log(primitives(details));
	console.log(`\n${codeSizes(sizes)}`);
	console.log(`\nThe cycle model, checked: ${model.join("; ")}.`);
}

/** Has it only options that `bench <what>` knows? */
function checkOptions(what: string, args: Arguments): void {
	const board = args.text("board");
	if (board !== undefined && findBoard(board).name !== COUNTING) {
		throw new CliError(`bench ${what}: instructions are counted on ${COUNTING}, not on ${board}`, "leave --board out");
	}
	for (const name of ["full", "input", "annotations"]) {
		if (args.flag(name) || args.text(name) !== undefined) {
			throw new CliError(`bench ${what}: there is no --${name}`, "it belongs to `pericard bench` without a name");
		}
	}
}

async function crypto(args: Arguments): Promise<number> {
	checkOptions("crypto", args);
	const { measureCrypto } = await import("../bench/crypto.ts");
	chooseEmulator(COUNTING, "qemu");
	const report = await measureCrypto(progressLines(args.flag("json") && !args.flag("verbose")));
	if (args.flag("json")) {
		console.log(
			JSON.stringify(
				report.details.map(({ figure }) => figure),
				null,
				"\t",
			),
		);
	} else printCrypto(report);
	for (const miss of report.misses) console.error(`pericard: ${miss}`);
	return report.misses.length === 0 ? OK : FAILED;
}

const percent = (share: number): string => `${(100 * share).toPrecision(3)} %`;

/** The figures as tables for people; `targets` and `values` are those of bench/relocation.ts. */
export function relocationText(
	figures: RelocationFigures,
	targets: Readonly<Record<string, { readonly least?: number; readonly most?: number }>>,
	values: Readonly<Record<keyof typeof TARGETS, number>>,
): string {
	const { parts, patch, overhead, primitives, gadgets } = figures;
	const targeted = Object.entries(targets).map(([name, { least, most }]) => {
		const show = (value: number): string => (name.startsWith("overhead") ? percent(value) : String(value));
		const target = least === undefined ? `at most ${show(most ?? 0)}` : `at least ${show(least)}`;
		return [name, show(values[name as keyof typeof TARGETS]), target];
	});
	const more = (
		[
			["waysOut", "entries", "epochCycles", "mostEpochInstructions", "checkInstructions", "checkCycles"],
			["longestMaskedCycles", "longestStepInstructions"],
			["longestDrawInstructions", "callOutInstructions", "gapEntropyBits", "offsetEntropyBits"],
			["layoutEntropyBits", "singleGuessBits", "flashBytes", "ramBytes", "tableBytes", "arenaBytes"],
		] as const
	).flat();
	const first = table(["", figures.app, "target"], [...targeted, ...more.map((name) => [name, text(figures[name])])]);
	const rows = Object.entries(parts).map(([name, cost]) => [name, text(cost.instructions), text(cost.cycles)]);
	const sum = ["epoch", text(figures.epochInstructions), text(figures.epochCycles)];
	const periods = Object.keys(overhead);
	const runs = periods.map((period) => {
		const { moves = 0, instructions = 0, ofItsOwn = 0 } = patch[period] ?? {};
		return [period, text(moves), text(instructions), percent(overhead[period] ?? 0), percent(ofItsOwn)];
	});
	const head = ["period, ms", "moves", "instructions", "of the time", "of the app's own"];
	const each = primitives.map(({ name, flash, moving, overhead: slower }) => [
		...[name, text(flash.instructions), text(moving.instructions), text(flash.cycles), text(moving.cycles)],
		...periods.map((period) => percent(slower[period] ?? 0)),
	]);
	const columns = [
		"",
		"instructions in flash",
		"moving",
		"cycles in flash",
		"moving",
		...periods.map((p) => `${p} ms`),
	];
	const chance = `1 in ${Math.round(2 ** figures.singleGuessBits).toLocaleString("en")}`;
	const { permutationEntropyBits: order } = figures;
	return [
		first,
		table(["of an epoch", "instructions", "cycles"], rows, sum),
		table(head, runs),
		table(columns, each),
		[
			`One guess at one address is right with a chance of ${chance}; the order alone is one of 2^${order}.`,
			`Of the ${gadgets.found} gadgets of an epoch, ${percent(gadgets.mean)} are where they were in another (of ${gadgets.epochs}, all pairs; at most ${percent(gadgets.most)}), and ${percent(gadgets.nextMost)} in the next.`,
		].join("\n"),
	].join("\n\n");
}

async function relocation(args: Arguments): Promise<number> {
	checkOptions("relocation", args);
	const { measureRelocation, TARGETS, targetFigures } = await import("../bench/relocation.ts");
	chooseEmulator(COUNTING, "qemu");
	const out = join(args.text("out") ?? "build", "bench-relocation");
	const { figures, misses } = await measureRelocation(out, progressLines(args.flag("json") && !args.flag("verbose")));
	if (args.flag("json")) console.log(JSON.stringify(figures, null, "\t"));
	else console.log(relocationText(figures, TARGETS, targetFigures(figures)));
	for (const miss of misses) console.error(`pericard: ${miss}`);
	return misses.length === 0 ? OK : FAILED;
}

async function run(args: Arguments): Promise<number> {
	const [what] = args.positionals;
	if (what === "crypto") return crypto(args);
	if (what === "relocation") return relocation(args);
	if (what !== undefined) {
		const near = nearest(what, ["crypto", "relocation"]);
		throw new CliError(
			`bench: nothing to measure is called "${what}"`,
			near === undefined
				? "`pericard bench crypto`, `pericard bench relocation`, or `pericard bench` for the firmware"
				: `did you mean ${near}?`,
		);
	}
	const { accuracy, COUNTED, counts, sizes } = await import("../bench/measure.ts");
	const board = args.text("board");
	const boards = board === undefined ? boardNames() : [findBoard(board).name];
	const out = args.text("out") ?? "build";
	const input = args.text("input") ?? (existsSync(RECORD) ? RECORD : undefined);
	if (args.flag("full") && input === undefined) {
		throw new CliError("bench: --full needs a record", "--input takes a WFDB record with its annotations (.atr)");
	}
	const record = args.flag("full") && input !== undefined ? findRecord(input) : undefined;
	const annotations = args.text("annotations") ?? input?.replace(/(\.hea|\.dat)?$/, ".atr") ?? "";
	if (record !== undefined && !existsSync(annotations)) {
		throw new CliError(`there are no annotations ${annotations}`, "--annotations takes a WFDB annotation file (.atr)");
	}
	const counted = boards.includes(COUNTED);
	if (counted) chooseEmulator(COUNTED, "qemu");

	const progress = progressLines(args.flag("json") && !args.flag("verbose"));
	const figures = await sizes(boards, out, progress);
	if (counted) figures.push(...(await counts(out, progress)));
	if (record !== undefined && counted) figures.push(...(await accuracy(record, annotations, out, progress)));
	if (args.flag("json")) console.log(JSON.stringify(figures, null, "\t"));
	else print(figures);
	return OK;
}

export const command: Command = {
	name: "bench",
	summary: "measure size, boot, speed and wake-ups of the firmware, its cryptography, or code that moves",
	description: [
		'Builds ecg-patch for every board and prints flash and RAM by component (on posix: of the process), and what attestation and moving code add to them; then counts instructions in QEMU: boot (power-on to the first line of TypeScript), ecg-sample (everything the firmware does, by samples), js-loop, js-call and js-typed-array (one iteration), the primitives of cryptography, p256-sign to sha256-per-byte (as "bench crypto" has them), attest-total and attest-longest-slice (a challenge to ecg-patch at rest; token-bytes for a nonce of 32), and how often an idle app is woken.',
		"",
		`"bench crypto" calls every primitive of native/crypto on ${COUNTING}, by its front door (crypto.h), beside BearSSL's own implementation (-O2) in the same image: exact instructions, cycles by a model of the Cortex-M4F with memory that never makes it wait, bytes of the stack, bytes of code (what an image has more for that function alone), how many times fewer cycles than BearSSL, the best published cycles for this core, and what it may take at most. The figures of AES, SHA-256 and SHA-512 with the unit "byte" are those of a message of 4 KiB, keys, tag and all, by its bytes. p256-sign and ed25519-sign are signing itself; -verified is with the check of the signature before it leaves, which the product does unless told otherwise. code-suite is hashing, HKDF, HMAC_DRBG, CCM, ECDSA, ECDH and X25519; code-all is every function of crypto.h. The cycle model is checked first. docs/analysis.md tells how far to trust it, docs/crypto.md what the kernels do.`,
		"",
		`"bench relocation" measures code that moves while it runs, on ${COUNTING}, in images as they are delivered: how many functions of ecg-patch move, what an epoch takes (seed: the DRBG's share; draw, shuffle, place, copy, patch, flip, wipe), how long interrupts are masked, what a call into the set and out of it takes, what ecg-patch takes more than with the same code in flash at periods of 50 ms to 10 s (share of the time of a processor of 64 MHz, in modelled cycles), what each primitive of cryptography does, flash and RAM, bits of a layout, and which share of the gadgets of one epoch is where it was in another. docs/relocation.md has it all.`,
	].join("\n"),
	positionals: [
		{
			name: "what",
			help: '"crypto": the primitives; "relocation": code that moves; without it: the firmware',
			optional: true,
		},
	],
	options: {
		board: { value: "BOARD", help: `only this board (default all; instructions are counted on ${DEFAULT_BOARD})` },
		full: { help: "also run a whole annotated record: sensitivity and positive predictivity of the detector" },
		input: { value: "FILE", help: "with --full: the WFDB record" },
		annotations: { value: "FILE", help: "with --full: its annotations (default: the record's .atr)" },
		out: { value: "DIR", help: "where the images go", default: "build" },
		json: {
			help: "print an array of {name, value, unit, board, component?}; with crypto of {name, unit, instructions, cycles, stackBytes, baseline: {instructions, cycles} or null}; with relocation one object (docs/relocation.md)",
		},
	},
	examples: [
		["pericard bench", "all figures"],
		["pericard bench --json --board nrf52840dk", "size on the nRF52840, for a machine"],
		["pericard bench crypto", "the primitives of cryptography beside BearSSL's; fails if one is above its bound"],
		["pericard bench relocation", "code that moves; fails if a target is missed"],
		["pericard bench --full --input 100.hea", "and how well the detector does on a record"],
	],
	exitCodes: [
		[0, "measured"],
		[1, "it does not build, a measurement did not come to its end, or (crypto, relocation) a bound is missed"],
		[2, "wrong usage, or a tool is missing (see `pericard doctor`)"],
	],
	run,
};
