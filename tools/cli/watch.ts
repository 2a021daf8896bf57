// `pericard run --watch-layout`: functions that move, seen by address. In a terminal a picture of the half that runs, drawn anew
// at each move; elsewhere a line a move.

import type { Build } from "../build/build.ts";
import type { MovingReport } from "../build/moving.ts";
import type { Device } from "../harness/device.ts";
import { type Layout, LayoutReader } from "../harness/layout.ts";
import { CliError } from "./command.ts";

/** Emulated seconds between two looks at the device: what moves more often than that is seen less often. */
const EVERY = 0.05;
/** Functions that are followed by letter: the largest ones. */
const FOLLOWED = 5;
/** Characters of the bar in a line; rows of the picture, and the most and fewest characters of one. */
const BAR = 64;
const ROWS = 12;
const COLUMNS = 88;
const FEWEST_COLUMNS = 32;

/** Where lines go: a part of a stream. */
export interface Output {
	readonly columns?: number | undefined;
	write(text: string): unknown;
}

/** A function that is followed: its number in the report, and its letter. */
interface Followed {
	readonly unit: number;
	readonly letter: string;
}

function follow(report: MovingReport): Followed[] {
	return report.units
		.map(({ size }, unit) => ({ unit, size }))
		.sort((a, b) => b.size - a.size)
		.slice(0, FOLLOWED)
		.map(({ unit }, index) => ({ unit, letter: String.fromCharCode(0x61 + index) }));
}

/**
 * The half that runs as so many cells, by address: a letter where most of the cell is of a function that is followed, "-" where
 * most is other code, "." where most traps.
 */
export function layoutCells(report: MovingReport, layout: Layout, cells: number): string {
	const letters = new Map(follow(report).map(({ unit, letter }) => [unit, letter]));
	const width = report.halfBytes / cells;
	const start = layout.halves[layout.running];
	const shares = Array.from({ length: cells }, () => new Map<string, number>());
	for (const [unit, { size }] of report.units.entries()) {
		const from = (layout.addresses[unit] ?? start) - start;
		const mark = letters.get(unit) ?? "-";
		for (let cell = Math.floor(from / width); cell < cells && cell * width < from + size; cell++) {
			const bytes = Math.min(from + size, (cell + 1) * width) - Math.max(from, cell * width);
			shares[cell]?.set(mark, (shares[cell]?.get(mark) ?? 0) + bytes);
		}
	}
	return shares
		.map((share) => {
			const code = [...share.values()].reduce((sum, bytes) => sum + bytes, 0);
			const most = [...share].reduce((best, next) => (next[1] > best[1] ? next : best), [".", 0] as const);
			return code * 2 < width ? "." : most[0];
		})
		.join("");
}

const hex = (address: number): string => `0x${address.toString(16).padStart(8, "0")}`;
const thousands = (value: number): string => value.toLocaleString("en-US");

/** What a bar shows, and which letter is which function. */
function legend(report: MovingReport): string[] {
	const { functions, bytes, bits, units, halfBytes } = report;
	return [
		`${functions} functions, ${thousands(bytes)} bytes, move between two halves of ${thousands(halfBytes)} bytes; ${bits.layout} bits a layout`,
		...follow(report).map(({ unit, letter }) => {
			const { name = "", file = "", size = 0 } = units[unit] ?? {};
			return `  ${letter}  ${name} (${file}), ${thousands(size)} bytes`;
		}),
		`  -  other code   .  nothing: traps`,
	];
}

/** A line on a layout: when, which epoch, where, and what moved. */
export function layoutLine(report: MovingReport, layout: Layout, seconds: number, before?: Layout): string {
	const time = `${seconds.toFixed(2).padStart(7)} s`;
	const half = hex(layout.halves[layout.running]);
	return `${time}  epoch ${String(layout.epoch).padStart(4)}  ${half} ${layoutCells(report, layout, BAR)}  ${moved(layout, before)}`;
}

function moved(layout: Layout, before: Layout | undefined): string {
	if (before === undefined) return "first seen";
	const count = layout.addresses.filter((address, unit) => address !== before.addresses[unit]).length;
	return count === layout.addresses.length ? "all moved" : `${count} of ${layout.addresses.length} moved`;
}

/** The picture of a layout, in lines of at most `columns` characters; colour shows the functions that are followed. */
export function layoutPicture(
	report: MovingReport,
	layout: Layout,
	seconds: number,
	before: Layout | undefined,
	columns: number,
): string[] {
	const width = Math.max(FEWEST_COLUMNS, Math.min(COLUMNS, columns) - 15);
	const start = layout.halves[layout.running];
	const other = layout.halves[layout.running === 0 ? 1 : 0];
	const cells = layoutCells(report, layout, width * ROWS);
	const followed = follow(report);
	const paint = (text: string) =>
		text.replace(
			/[a-z]+/g,
			(run) => `\x1b[30;4${1 + followed.findIndex(({ letter }) => letter === run[0])}m${run}\x1b[0m`,
		);
	const cut = (text: string) => text.slice(0, Math.max(FEWEST_COLUMNS, columns - 1));
	const rows = Array.from({ length: ROWS }, (_, row) => {
		const text = cells
			.slice(row * width, (row + 1) * width)
			.replaceAll("-", "░")
			.replaceAll(".", "·");
		return `  ${hex(start + Math.round((row * report.halfBytes) / ROWS))}  ${text.replace(/(.)\1*/gu, paint)}`;
	});
	const names = followed.map(({ unit, letter }) => {
		const { name = "", size = 0 } = report.units[unit] ?? {};
		const was = before?.addresses[unit];
		const from = was === undefined ? "" : `, was at ${hex(was)}`;
		return cut(
			`  ${letter}  ${name.padEnd(28)} ${thousands(size).padStart(6)} bytes at ${hex(layout.addresses[unit] ?? 0)}${from}`,
		);
	});
	const rest = layout.draining ? "still runs what has not returned, then it is wiped" : "traps, until code moves there";
	return [
		cut(
			`  epoch ${layout.epoch} since ${seconds.toFixed(2)} s: ${report.functions} functions, ${moved(layout, before)}`,
		),
		...rows,
		cut(`  ${hex(other)}  the other half ${rest}`),
		...names,
	];
}

/** Follows a device; print() is for what else there is to say. */
export class LayoutWatch {
	readonly every = EVERY;
	readonly #reader: LayoutReader;
	readonly #out: Output;
	readonly #draws: boolean;
	#picture: string[] = [];
	#last: Layout | undefined;

	/** `draws`: the output is a terminal, whose last lines can be drawn over. */
	constructor(reader: LayoutReader, out: Output, draws: boolean) {
		this.#reader = reader;
		this.#out = out;
		this.#draws = draws;
	}

	/** Writes a line, above the picture if there is one. */
	print(line: string): void {
		this.#write([line], this.#picture);
	}

	async look(device: Device, seconds: number): Promise<void> {
		const layout = await this.#reader.read(device);
		const before = this.#last;
		if (layout === undefined || layout.epoch === before?.epoch) return;
		this.#last = layout;
		const { report } = this.#reader;
		const first = before === undefined && !this.#draws ? legend(report) : [];
		if (this.#draws) this.#write([], layoutPicture(report, layout, seconds, before, this.#out.columns ?? COLUMNS));
		else this.#write([...first, layoutLine(report, layout, seconds, before)], []);
	}

	#write(lines: readonly string[], picture: string[]): void {
		const up = this.#picture.length > 0 ? `\x1b[${this.#picture.length}A\x1b[J` : "";
		this.#picture = picture;
		this.#out.write(`${up}${[...lines, ...picture].map((line) => `${line}\n`).join("")}`);
	}
}

/** Throws CliError if no code of the image moves. */
export function watchLayout(build: Build, out: Output, draws: boolean): LayoutWatch {
	const reader = LayoutReader.of(build);
	if (reader === undefined) {
		throw new CliError(
			`run: no code of ${build.name} moves on ${build.board}`,
			"put $(PERICARD)/manifests/relocation.json into the include of its manifest.json, and take a board that can: docs/relocation.md",
		);
	}
	return new LayoutWatch(reader, out, draws);
}
