// A firmware image on the emulated Cortex-M4 that is taken over before its app runs (tools/analysis): its code is put into place
// as at boot, and moved when the caller says so, step by step.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Image } from "../analysis/image.ts";
import { type Argument, type CallOptions, type Machine, openMachine, Room, type Run } from "../analysis/machine.ts";
import type { Cost } from "../analysis/model.ts";
import { pericardRoot, readBoard } from "../build/board.ts";
import type { Build } from "../build/build.ts";
import { toolNames } from "../build/cc.ts";
import { readElf } from "../build/elf.ts";
import type { MovingReport } from "../build/moving.ts";
import { runTool } from "../build/process.ts";
import { NOISE_SYMBOL, noiseAt, noiseRecord } from "../harness/noise.ts";

/** `<app>.relocation.json`. */
export function movingReportOf(build: Build): MovingReport {
	return JSON.parse(readFileSync(build.elf.replace(/elf$/, "relocation.json"), "utf8")) as MovingReport;
}

/** What a step of a move does: the phases of native/relocate/relocate.c, and asking for random numbers. */
export type Phase = "draw" | "shuffle" | "place" | "copy" | "flip" | "check" | "wipe";
const phases: Readonly<Record<string, Phase | undefined>> = {
	SHUFFLE: "shuffle",
	PLACE: "place",
	COPY: "copy",
	CALLS: "flip",
	FLIP: "flip",
	DRAIN: "flip",
	PLACES: "check",
	UNDO: "check",
	CHECK: "check",
	WIPE: "wipe",
};

export interface Step extends Cost {
	readonly phase: Phase;
}

const FIELDS = ["half_address", "epoch", "running", "phase", "drawn", "used"] as const;

/** How the relocator keeps its state: where the fields are, and what the numbers of the phases mean. */
interface Layout {
	readonly fields: Readonly<Record<(typeof FIELDS)[number], number>>;
	readonly size: number;
	readonly phases: readonly (Phase | undefined)[];
}

let layout: Promise<Layout> | undefined;

/** Asks the compiler. */
async function readLayout(): Promise<Layout> {
	const dir = mkdtempSync(join(tmpdir(), "pericard-layout-"));
	try {
		const folder = join(pericardRoot, "native/relocate");
		const values = [...FIELDS.map((field) => `offsetof(pc_relocator, ${field})`), "sizeof(pc_relocator)"];
		writeFileSync(
			join(dir, "layout.c"),
			`#include "relocate.h"\n${values.map((value, index) => `char value_${index}[${value} + 1];`).join("\n")}\n`,
		);
		const board = readBoard("mps2-an386");
		const object = join(dir, "layout.o");
		const args = [...board.cflags, "-fno-common", "-I", folder, "-c", join(dir, "layout.c"), "-o", object];
		const { code, stderr } = await runTool(toolNames(board).cc, args);
		if (code !== 0) throw new Error(`relocate.h does not compile\n${stderr}`);
		const sizes = new Map(readElf(readFileSync(object), object).symbols.map(({ name, size }) => [name, size - 1]));
		const numbers = values.map((_, index) => sizes.get(`value_${index}`) ?? Number.NaN);
		const names = /^enum \{ (IDLE[\w, ]*) \};/m.exec(readFileSync(join(folder, "relocate.c"), "utf8"))?.[1];
		if (names === undefined) throw new Error("relocate.c names no phases");
		return {
			fields: Object.fromEntries(FIELDS.map((field, index) => [field, numbers[index]])) as Layout["fields"],
			size: numbers.at(-1) ?? 0,
			phases: names.split(", ").map((name) => phases[name]),
		};
	} finally {
		rmSync(dir, { recursive: true, force: true });
	}
}

interface State {
	readonly epoch: number;
	/** Address of the half that runs. */
	readonly half: number;
	readonly phase: Phase | undefined; // undefined: no move is under way
}

const costOf = ({ instructions, cycles, leastCycles }: Run): Cost => ({ instructions, cycles, leastCycles });

/** The machine of an image, as tools/analysis sees it. Whoever opens it closes it. */
export async function openFirmware(build: Build): Promise<Machine> {
	const { ram } = readBoard(build.board);
	if (ram === undefined) throw new Error(`${build.board} has no memory`);
	/* The engine's heap is not in use before there is an engine. */
	return openMachine(new Image(build.elf, ram, "__heap_start"));
}

/** An image whose code has moved for the first time. Whoever starts it closes its machine. */
export class MovingMachine {
	readonly machine: Machine;
	readonly #halfBytes: number;

	private constructor(machine: Machine, halfBytes: number) {
		this.machine = machine;
		this.#halfBytes = halfBytes;
	}

	/** Powers on with the noise of a seed. */
	static async start(build: Build, seed: number): Promise<MovingMachine> {
		const machine = await openFirmware(build);
		try {
			const memory = [{ at: NOISE_SYMBOL, bytes: noiseRecord(noiseAt({ seed }, 0)) }];
			const { value } = await machine.call({ routine: "pc_moving_begin", keep: true, memory });
			const moving = new MovingMachine(machine, movingReportOf(build).halfBytes);
			const { epoch, phase } = await moving.#state();
			if (value !== 1 || epoch !== 1 || phase !== undefined) throw new Error("the code has not moved at boot");
			await machine.adopt();
			return moving;
		} catch (error) {
			await machine.close();
			throw error;
		}
	}

	/** What a new seed of the stream of random numbers takes. */
	async seed(): Promise<Cost> {
		return costOf(await this.#call("pc_random", [new Room(32), 32]));
	}

	/** Moves the code as the event loop does when the period is over; with `thorough` as somebody asks for, with a check. `options`
	 * are for all steps but the first, which begins the move, and `look` comes after each of them. Undefined if the stream of random
	 * numbers wants a new seed before, which comes in the background: nothing has moved, and nothing will in this machine. */
	async move(
		options: CallOptions & { readonly thorough?: boolean } = {},
		look?: () => Promise<void>,
	): Promise<Step[] | undefined> {
		const { thorough = false, ...watched } = options;
		const before = await this.#state();
		const request = await this.#call(thorough ? "pc_moving_request" : "pc_moving_step");
		const steps: Step[] = [{ phase: "shuffle", ...costOf(request) }];
		for (;;) {
			const { phase } = await this.#state();
			if (phase === undefined) break;
			steps.push({ phase, ...costOf(await this.#call("pc_moving_step", [], watched)) });
			await look?.();
		}
		if (steps.length === 1) return undefined;
		const { epoch, half } = await this.#state();
		if (epoch !== before.epoch + 1 || half === before.half) throw new Error("the code has not moved");
		return steps;
	}

	/** The half that runs. */
	async dump(): Promise<{ readonly address: number; readonly code: Uint8Array }> {
		const { half } = await this.#state();
		return { address: half, code: await this.machine.read(half, this.#halfBytes) };
	}

	close(): Promise<void> {
		return this.machine.close();
	}

	#call(routine: string, args: readonly Argument[] = [], options: CallOptions = {}): Promise<Run> {
		return this.machine.call({ routine, arguments: args, keep: true }, options);
	}

	async #state(): Promise<State> {
		layout ??= readLayout();
		const { fields, size, phases: names } = await layout;
		const bytes = Buffer.from(await this.machine.read("pc_arena_relocator", size));
		const dry = bytes.readUInt16LE(fields.drawn) === bytes.readUInt16LE(fields.used);
		const number = bytes.readUInt8(fields.phase);
		const phase = names[number];
		if (number !== 0 && phase === undefined) throw new Error(`a move is in phase ${number}, which has no name here`);
		return {
			epoch: bytes.readUInt32LE(fields.epoch),
			half: bytes.readUInt32LE(fields.half_address + 4 * bytes.readUInt8(fields.running)),
			phase: dry && (phase === "shuffle" || phase === "place") ? "draw" : phase,
		};
	}
}
