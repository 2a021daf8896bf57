// Where code that moves is on a device (docs/relocation.md): read out of the relocator's state, which stands still with the
// device, and named by what the build wrote down.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Build } from "../build/build.ts";
import type { MovingReport } from "../build/moving.ts";
import type { Device } from "./device.ts";

/** Where all code that moves is at one moment. */
export interface Layout {
	/** 0: as it was built; then how often it has moved. */
	readonly epoch: number;
	/** The half that calls are led to. */
	readonly running: 0 | 1;
	/** The other half runs, too: a job that stands still may return there. */
	readonly draining: boolean;
	/** Address of each half. */
	readonly halves: readonly [number, number];
	/** Address of each unit of the report, in the half that runs. */
	readonly addresses: readonly number[];
}

/* pc_relocator of native/relocate/relocate.h, on a machine of 32 bits: offsets of its fields, and what is read of it. */
const HALF_ADDRESS = 24;
const LAYOUT = 36; /* two of two pointers: place, order */
const EPOCH = 52;
const RUNNING = 56;
const DRAINING = 59;
const STATE = 60;

/** Reads the layouts of devices that run one image. */
export class LayoutReader {
	/** What moves. */
	readonly report: MovingReport;

	private constructor(report: MovingReport) {
		this.report = report;
	}

	/** undefined: no code of this image moves. */
	static of(build: Build): LayoutReader | undefined {
		const file = join(build.dir, `${build.name}.relocation.json`);
		if (!build.symbols.has("pc_arena_relocator") || !existsSync(file)) return undefined;
		return new LayoutReader(JSON.parse(readFileSync(file, "utf8")) as MovingReport);
	}

	/** The layout now; undefined before start-up has put the code into place. */
	async read(device: Device): Promise<Layout | undefined> {
		const state = Buffer.from(await device.readMemory("pc_arena_relocator", STATE));
		const halves = [state.readUInt32LE(HALF_ADDRESS), state.readUInt32LE(HALF_ADDRESS + 4)] as const;
		const running = state[RUNNING] === 0 ? 0 : 1;
		const at = state.readUInt32LE(LAYOUT + 8 * running);
		if (at === 0) return undefined;
		const places = Buffer.from(await device.readMemory(at, 2 * this.report.units.length));
		return {
			epoch: state.readUInt32LE(EPOCH),
			running,
			draining: state[DRAINING] !== 0,
			halves,
			addresses: this.report.units.map((_, unit) => halves[running] + 4 * places.readUInt16LE(2 * unit)),
		};
	}
}
