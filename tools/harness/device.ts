// One device, whatever runs it: the firmware as a process (posix), in QEMU or in Renode. docs/testing.md tells how to
// write tests with it.

import type { Build } from "../build/build.ts";
import type { DeviceRecord } from "./records.ts";

export type { DeviceRecord } from "./records.ts";

export type Emulator = "posix" | "qemu" | "renode";

/**
 * Why a run stopped:
 * "time" as asked; "ended" the application ended; "uncaught" an exception or a rejection that nothing caught; "abort"
 * the firmware is about to reset for another failure (memory, stack, watchdog, fault; the record says which);
 * "power-cut" the power went off as asked with powerCutAtFlashOperation().
 */
export type StopReason = "time" | "ended" | "uncaught" | "abort" | "power-cut";

export interface WaitOptions {
	/** Deadline in emulated seconds from now. */
	readonly seconds: number;
	readonly port?: number;
}

/**
 * A device under the control of its caller. Between two calls it stands still. Times are emulated: nothing of what the
 * firmware does or sees depends on the speed of the host. Port 0 is the console, port 1 the input of the sensor front end.
 */
export interface Device {
	readonly board: string;
	readonly emulator: Emulator;
	/** Power on, held at emulated time 0. */
	start(): Promise<void>;
	/** Lets the firmware run for so many emulated seconds. After "uncaught" or "abort" the next run continues with the reset. */
	run(seconds: number): Promise<StopReason>;
	/**
	 * Runs until the text has come. Searches what came since the last match. Returns the match; throws, with the end of
	 * the output, when the deadline passes or the firmware stops before.
	 */
	waitFor(text: string | RegExp, options: WaitOptions): Promise<string>;
	/** Emulated seconds since power-on. */
	now(): Promise<number>;
	/** All text that a port has sent since the first start; also after stop(). */
	output(port?: number): string;
	/** The payloads of the management link's frames that came between the console's text (docs/management.md). */
	frames(): readonly Uint8Array[];
	/** The machine records in the console's output. */
	records(): DeviceRecord[];
	/** Puts bytes on the line to a port. They arrive as the receiver takes them. */
	write(data: Uint8Array | string, port?: number): void;
	/** No more input comes to a port (1 if not given): a firmware that waits for some is no longer made to. */
	endInput(port?: number): void;
	/** Presses the reset button: RAM and storage are kept, time goes on. */
	reset(): Promise<void>;
	/** Power off and on: storage is kept, RAM is lost, time starts at 0. */
	powerCut(): Promise<void>;
	/**
	 * Cuts the power in the midst of the n-th flash operation (a programmed word or an erased sector, from 1) of the runs
	 * to come; that operation is left half done. The run returns "power-cut", and start() powers on again.
	 */
	powerCutAtFlashOperation(n: number): void;
	/** Reads memory at an address or a symbol of the image. */
	readMemory(address: number | string, length: number): Promise<Uint8Array>;
	writeMemory(address: number | string, data: Uint8Array): Promise<void>;
	/** Instructions executed since power-on. On posix: steps of the engine. */
	instructions(): Promise<bigint>;
	/** The count of instructions at each call of pc_mark(), or of options.markAt, since power-on. */
	marks(): Promise<bigint[]>;
	/** Power off for good; nothing is left behind but the output and the storage file. */
	stop(): Promise<void>;
}

/** From its `after`-th byte on (0) the noise source always gives the same, only two bits of a byte are noise, or nothing
 * comes. */
export interface NoiseFault {
	readonly kind: "stuck" | "biased" | "absent";
	readonly after?: number;
}

export interface DeviceOptions {
	/** The board's first emulator if not given. */
	readonly emulator?: Emulator;
	/** Input of port 1. The firmware waits for it where it would otherwise find the line empty. */
	readonly input?: AsyncIterable<Uint8Array> | Uint8Array;
	/** File with the content of the storage area, made if it is not there; kept after stop(). */
	readonly storage?: string;
	/** Seed of the emulated noise source, an integer from 0; 1 if not given. Power-on and the seed decide all it gives. */
	readonly seed?: number;
	/** What the noise source does wrong. */
	readonly noise?: NoiseFault;
	/** The functions whose calls marks() tells of, up to four; pc_mark() if not given. Not on posix. */
	readonly markAt?: readonly string[];
	/** Wall-clock seconds without any progress after which a run fails; 60 if not given. */
	readonly patience?: number;
}

/** The emulator that runs a board where nobody asks for another. */
export function defaultEmulator(board: string): Emulator {
	return board === "posix" ? "posix" : board === "mps2-an386" ? "qemu" : "renode";
}

/** A device for an image; it is off until start(). Whoever opens it must stop() it. */
export async function openDevice(build: Build, options: DeviceOptions = {}): Promise<Device> {
	switch (options.emulator ?? defaultEmulator(build.board)) {
		case "posix":
			return new (await import("./posix.ts")).PosixDevice(build, options);
		case "qemu":
			return new (await import("./qemu.ts")).QemuDevice(build, options);
		case "renode":
			return new (await import("./renode.ts")).RenodeDevice(build, options);
	}
}

/**
 * waitFor() for any device: the lengths of its slices depend on emulated time only, so that it always stops at the same.
 * `matched`: where the search of each port begins; moved behind the match.
 */
export async function waitForOutput(
	device: Device,
	text: string | RegExp,
	options: WaitOptions,
	matched: number[],
): Promise<string> {
	const port = options.port ?? 0;
	const from = matched[port] ?? 0;
	let elapsed = 0;
	let reason: StopReason = "time";
	for (;;) {
		const found = find(device.output(port).slice(from), text);
		if (found !== undefined) {
			matched[port] = from + found.end;
			return found.match;
		}
		if (reason !== "time" || elapsed >= options.seconds) break;
		const slice = Math.min(options.seconds - elapsed, Math.min(0.05, Math.max(0.001, elapsed / 20)));
		reason = await device.run(slice);
		elapsed += slice;
	}
	const why =
		reason === "time"
			? `did not come within ${options.seconds} emulated seconds`
			: `did not come: the device stopped (${reason})`;
	throw new Error(`${text} ${why}. The end of the output:\n${device.output(port).slice(-2000)}`);
}

function find(output: string, text: string | RegExp): { match: string; end: number } | undefined {
	if (typeof text === "string") {
		const at = output.indexOf(text);
		return at < 0 ? undefined : { match: text, end: at + text.length };
	}
	const match = new RegExp(text.source, text.flags.replace(/[gy]/g, "")).exec(output);
	return match === null ? undefined : { match: match[0], end: match.index + match[0].length };
}
