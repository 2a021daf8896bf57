// `pericard bench`: the figures of the firmware as a table or as JSON.

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Figure } from "../bench/measure.ts";
import { boardNames } from "../build/board.ts";
import { type Arguments, CliError, type Command, OK } from "./command.ts";
import { findRecord } from "./input.ts";
import { DEFAULT_BOARD, findBoard, ROOT } from "./paths.ts";
import { progressLines } from "./progress.ts";
import { chooseEmulator } from "./session.ts";
import { table } from "./table.ts";

/** MIT-BIH record 100, where a folder of shared data lies beside the repository. */
const RECORD = join(dirname(ROOT), "shared", "data", "ecg", "mitdb-100.hea");

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

async function run(args: Arguments): Promise<number> {
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
	summary: "measure size, boot, speed and wake-ups of the firmware",
	description:
		"Builds ecg-patch for every board and prints flash and RAM by component (on posix: of the process), and what attestation adds to them; then counts instructions in QEMU: boot (power-on to the first line of TypeScript), ecg-sample (everything the firmware does, by samples), js-loop, js-call and js-typed-array (one iteration), sha256-per-byte, p256-sign and p256-verify, attest-total and attest-longest-slice (a challenge to ecg-patch at rest; token-bytes for a nonce of 64), and how often an idle app is woken.",
	positionals: [],
	options: {
		board: { value: "BOARD", help: `only this board (default all; instructions are counted on ${DEFAULT_BOARD})` },
		full: { help: "also run a whole annotated record: sensitivity and positive predictivity of the detector" },
		input: { value: "FILE", help: "with --full: the WFDB record" },
		annotations: { value: "FILE", help: "with --full: its annotations (default: the record's .atr)" },
		out: { value: "DIR", help: "where the images go", default: "build" },
		json: { help: "print an array of {name, value, unit, board, component?}" },
	},
	examples: [
		["pericard bench", "all figures"],
		["pericard bench --json --board nrf52840dk", "size on the nRF52840, for a machine"],
		["pericard bench --full --input 100.hea", "and how well the detector does on a record"],
	],
	exitCodes: [
		[0, "measured"],
		[1, "the firmware does not build, or did not reach the end of a measurement"],
		[2, "wrong usage, or a tool is missing (see `pericard doctor`)"],
	],
	run,
};
