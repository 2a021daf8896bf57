// A firmware image on the emulated Cortex-M4 that is taken over before its app runs (tools/analysis): its code is put into place
// as at boot, and moved when the caller says so, step by step.

import { readFileSync } from "node:fs";
import { Image } from "../analysis/image.ts";
import { type Argument, type CallOptions, type Machine, openMachine, Room, type Run } from "../analysis/machine.ts";
import type { Cost } from "../analysis/model.ts";
import { readBoard } from "../build/board.ts";
import type { Build } from "../build/build.ts";
import type { RelocationPlan } from "../build/relocation.ts";
import { NOISE_SYMBOL, noiseAt, noiseRecord } from "../harness/noise.ts";

/** `<app>.relocation.json`, as far as it is read here. */
export interface MovingReport extends Pick<RelocationPlan, "gapLog2" | "offsets"> {
	readonly functions: number;
	readonly bytes: number;
	readonly entries: readonly string[];
	readonly tableBytes: number;
	readonly arenaBytes: number;
	readonly halfBytes: number;
	readonly bits: Readonly<Record<"permutation" | "gaps" | "offset" | "layout", number>>;
	readonly units: RelocationPlan["units"];
}

export function movingReportOf(build: Build): MovingReport {
	return JSON.parse(readFileSync(build.elf.replace(/elf$/, "relocation.json"), "utf8")) as MovingReport;
}

/** What a step of a move does: the phases of native/relocate/relocate.c, and asking for random numbers. */
export type Phase = "draw" | "shuffle" | "place" | "copy" | "flip" | "wipe";
const phases: readonly (Phase | undefined)[] = [undefined, "shuffle", "place", "copy", "flip", "wipe", "wipe"];

export interface Step extends Cost {
	readonly phase: Phase;
}

/* Of pc_relocator on the device. */
const fields = { halves: 24, epoch: 52, running: 56, phase: 57, drawn: 76, used: 78, size: 80 } as const;

interface State {
	readonly epoch: number;
	/** Address of the half that runs. */
	readonly half: number;
	readonly phase: Phase | undefined;
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

	/** Moves the code; `options` are for all steps but the first, which begins the move, and `look` comes after each. Undefined if the stream of random numbers
	 * wants a new seed before, which comes in the background: nothing has moved, and nothing will in this machine. */
	async move(options: CallOptions = {}, look?: () => Promise<void>): Promise<Step[] | undefined> {
		const before = await this.#state();
		const request = await this.#call("pc_moving_request");
		if (!(await this.#pending())) return undefined;
		const steps: Step[] = [{ phase: "shuffle", ...costOf(request) }];
		while (await this.#pending()) {
			const { phase } = await this.#state();
			if (phase === undefined) throw new Error("a move is under way that the relocator does not know of");
			steps.push({ phase, ...costOf(await this.#call("pc_moving_step", [], options)) });
			await look?.();
		}
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

	async #pending(): Promise<boolean> {
		return ((await this.#call("pc_moving_pending")).value & 0xff) !== 0;
	}

	#call(routine: string, args: readonly Argument[] = [], options: CallOptions = {}): Promise<Run> {
		return this.machine.call({ routine, arguments: args, keep: true }, options);
	}

	async #state(): Promise<State> {
		const bytes = Buffer.from(await this.machine.read("pc_arena_relocator", fields.size));
		const dry = bytes.readUInt16LE(fields.drawn) === bytes.readUInt16LE(fields.used);
		const phase = phases[bytes.readUInt8(fields.phase)];
		return {
			epoch: bytes.readUInt32LE(fields.epoch),
			half: bytes.readUInt32LE(fields.halves + 4 * bytes.readUInt8(fields.running)),
			phase: dry && (phase === "shuffle" || phase === "place") ? "draw" : phase,
		};
	}
}
