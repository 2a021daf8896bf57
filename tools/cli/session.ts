// One run of a firmware image: starts the device, follows its console, stops it, and says how it ended.

import { constants } from "node:os";
import type { Build } from "../build/build.ts";
import type { Device, DeviceOptions, Emulator, StopReason } from "../harness/device.ts";
import { type DeviceRecord, RecordParser } from "../harness/records.ts";
import { which } from "../requirements.mjs";
import { CliError } from "./command.ts";
import { findBoard } from "./paths.ts";

export interface SessionOptions {
	readonly emulator: Emulator;
	/** Bytes for the board's second serial port. */
	readonly input?: AsyncIterable<Uint8Array> | Uint8Array;
	/** Of the emulated noise source; the harness's own if not given. */
	readonly seed?: number;
	/** Emulated seconds after which the run ends; without it, it goes on until the firmware ends. */
	readonly seconds?: number;
	/** Emulated time is held back to the time of the wall clock. */
	readonly paced?: boolean;
	/** Called at every slice of a paced run. */
	onTick?(seconds: number): void;
	onLine(line: string): void;
	onRecord(record: DeviceRecord): void;
	/** Looks at the device every so many emulated seconds, and at the end. */
	readonly watch?: { readonly every: number; look(device: Device, seconds: number): Promise<void> };
	/** Called when the time is up, before the device is switched off. */
	afterwards?(device: Device): Promise<void>;
}

export interface Outcome {
	/** "time" when the time was up; "ended" when the app ended; what went wrong otherwise. */
	readonly reason: StopReason;
	readonly seconds: number;
	/** The record of what went wrong, if anything did: an uncaught exception, an abort, a fault. */
	readonly failure?: DeviceRecord;
}

/** Emulated seconds between two looks at the wall clock. */
const SLICE = 0.1;
const POLL_MS = 30;

/** What ends a run from outside: the device, and what it left on the disk, must not outlive it. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** The emulator that runs `board`: the one asked for, or the board's first. Throws CliError. */
export function chooseEmulator(board: string, asked: string | undefined): Emulator {
	const { emulators } = findBoard(board);
	const emulator = asked ?? emulators[0] ?? "posix";
	if (!emulators.includes(emulator)) {
		throw new CliError(
			`${board} does not run in ${emulator}`,
			emulators.length === 0 ? `${board} runs on hardware only` : `it runs in ${emulators.join(" and ")}`,
		);
	}
	const program = { qemu: "qemu-system-arm", renode: "renode", posix: undefined }[emulator as Emulator];
	if (program !== undefined && which(program) === undefined) {
		throw new CliError(`${program} is not installed`, "`pericard doctor` says how to get it");
	}
	return emulator as Emulator;
}

/** Whether a record tells of a failure. A restart that the app asked for is none. */
export function isFailure(record: DeviceRecord): boolean {
	if (record.event === "end") return record.status !== 0;
	if (record.event === "abort") return record.reason !== "software";
	return ["uncaught", "rejection", "fault"].includes(record.event);
}

/** Switches a device on, and off again after `body`, whatever ends that: an error, or a signal to this process. */
export async function withDevice<T>(
	build: Build,
	options: DeviceOptions,
	body: (device: Device) => Promise<T>,
): Promise<T> {
	const { openDevice } = await import("../harness/device.ts");
	const device = await openDevice(build, options);
	let interrupted = false;
	const interrupt = (signal: NodeJS.Signals) => {
		interrupted = true;
		// As a shell tells a death by this signal.
		void device.stop().finally(() => process.exit(128 + constants.signals[signal]));
	};
	for (const signal of SIGNALS) process.once(signal, interrupt);
	try {
		await device.start();
		return await body(device);
	} catch (error) {
		// The device that we switch off in the middle of a run says so; the process ends as soon as it is off.
		if (interrupted) await new Promise(() => {});
		throw error;
	} finally {
		for (const signal of SIGNALS) process.off(signal, interrupt);
		await device.stop();
	}
}

/** Runs the image until it ends or its time is up. The device is stopped in any case. */
export async function runSession(build: Build, options: SessionOptions): Promise<Outcome> {
	let failure: DeviceRecord | undefined;
	const parser = new RecordParser();
	const tell = (items: ReturnType<RecordParser["push"]>) => {
		for (const item of items) {
			if (item.kind === "line") options.onLine(item.text);
			else {
				if (isFailure(item.record)) failure ??= item.record;
				options.onRecord(item.record);
			}
		}
	};
	const { emulator, input, seed } = options;
	const given = { ...(input === undefined ? {} : { input }), ...(seed === undefined ? {} : { seed }) };
	return withDevice(build, { emulator, ...given }, async (device) => {
		let shown = 0;
		const follow = () => {
			const text = device.output();
			tell(parser.push(text.slice(shown)));
			shown = text.length;
		};
		const timer = setInterval(follow, POLL_MS);
		try {
			const start = performance.now();
			const until = options.seconds ?? Number.POSITIVE_INFINITY;
			let seconds = 0;
			let reason: StopReason = "time";
			while (reason === "time" && seconds < until) {
				const slice = Math.min(options.paced ? SLICE : 3600, options.watch?.every ?? 3600, until - seconds);
				reason = await device.run(slice);
				seconds += slice;
				if (options.watch !== undefined) {
					follow();
					await options.watch.look(device, await device.now());
				}
				if (options.paced) {
					follow();
					options.onTick?.(seconds);
				}
				const ahead = seconds * 1000 - (performance.now() - start);
				if (options.paced && reason === "time" && ahead > 0) {
					await new Promise((resolve) => setTimeout(resolve, ahead));
				}
			}
			seconds = await device.now();
			follow();
			tell(parser.end());
			clearInterval(timer);
			if (reason === "time") await options.afterwards?.(device);
			return { reason, seconds, ...(failure === undefined ? {} : { failure }) };
		} finally {
			clearInterval(timer);
		}
	});
}
