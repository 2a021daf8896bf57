// What a device in QEMU and a device as a process have in common: both obey the same control socket, write what their
// ports send to files, and have their storage in a file.

import type { ChildProcess } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Build } from "../build/build.ts";
import {
	type Device,
	type DeviceOptions,
	type Emulator,
	type StopReason,
	type WaitOptions,
	waitForOutput,
} from "./device.ts";
import type { ControlLink } from "./link.ts";
import { type Noise, noiseAt } from "./noise.ts";
import { PortText } from "./output.ts";
import { type DeviceRecord, RecordLog } from "./records.ts";
import { tearFlash } from "./tear.ts";

/** Serial ports of a device. */
export const PORTS = 2;
/** The storage area on every board that is controlled in this way, in bytes. */
export const STORAGE_SIZE = 65536;
const CONSOLE_PORT = 0;
const INPUT_PORT = 1;
/** Input is sent in pieces of about this many bytes. */
const INPUT_CHUNK = 32768;

/** A machine that is switched on. */
export interface Machine {
	readonly process: ChildProcess;
	readonly link: ControlLink;
	/** Brings what the machine has stored into the storage file. Nothing to do where that is mapped. */
	saveStorage(): void;
	/** What the emulator itself had to say. */
	log(): string;
}

/** Where a machine finds its files. */
export interface MachineFiles {
	readonly folder: string;
	/** Content of the storage area. */
	readonly storage: string;
	/** One file a port, for what it sends. */
	readonly outputs: readonly string[];
	readonly noise: Noise;
}

/* Whatever ends this process must not leave an emulator or a folder behind. (One that is killed outright leaves its
 * folder; the emulators end by themselves when their control socket closes.) */
const open = new Set<ControlledDevice>();
process.on("exit", () => {
	for (const device of open) device.abandon();
});

export abstract class ControlledDevice implements Device {
	readonly board: string;
	abstract readonly emulator: Emulator;
	protected readonly build: Build;
	protected readonly markAt: readonly string[];
	readonly #options: DeviceOptions;
	readonly #folder = mkdtempSync(join(tmpdir(), "pericard-"));
	readonly #storage: string;
	readonly #streams: readonly PortOutput[] = Array.from(
		{ length: PORTS },
		(_, port) => new PortOutput(port === CONSOLE_PORT),
	);
	readonly #input: InputPump | undefined;
	readonly #log = new RecordLog();
	readonly #matched: number[] = new Array(PORTS).fill(0);
	#machine: Machine | undefined;
	#boots = 0;
	#time = 0;
	/* Orders that write() and endInput() have queued. */
	#queued: (() => Promise<void>)[] = [];
	#cutAt = 0;
	#stopped = false;

	constructor(build: Build, options: DeviceOptions) {
		this.build = build;
		this.markAt = options.markAt ?? ["pc_mark"];
		this.board = build.board;
		this.#options = options;
		this.#storage = options.storage ?? join(this.#folder, "storage");
		if (!existsSync(this.#storage)) writeFileSync(this.#storage, Buffer.alloc(STORAGE_SIZE, 0xff));
		this.#input = options.input === undefined ? undefined : new InputPump(options.input);
		open.add(this);
	}

	/** Starts the emulator, held at time 0. */
	protected abstract launch(files: MachineFiles): Promise<Machine>;

	async start(): Promise<void> {
		if (this.#stopped) throw new Error("the device was stopped for good");
		if (this.#machine !== undefined) throw new Error("the device is on already");
		const outputs = this.#streams.map((stream, port) => {
			const file = join(this.#folder, `port${port}-${this.#boots}`);
			stream.follow(file);
			return file;
		});
		this.#boots++;
		const noise = noiseAt(this.#options, this.#boots - 1);
		const machine = await this.launch({ folder: this.#folder, storage: this.#storage, outputs, noise });
		this.#machine = machine;
		this.#time = 0;
		await this.#input?.attach(machine.link);
	}

	async run(seconds: number): Promise<StopReason> {
		const machine = this.#on();
		if (!(seconds >= 0)) throw new RangeError(`cannot run for ${seconds} s`);
		for (const order of this.#queued.splice(0)) await order();
		const until = this.#time + Math.round(seconds * 1e9);
		if (this.#cutAt > 0) return this.#runToCut(machine, until);
		return this.#runTo(machine, until);
	}

	async #runTo(machine: Machine, until: number): Promise<StopReason> {
		for (;;) {
			const reason = await this.#advance(machine, until);
			if (reason !== "stop") return reason === "exited" ? "ended" : "time";
			const why = this.#log.whyStopped(this.output());
			if (why !== undefined) return why;
		}
	}

	async #advance(machine: Machine, until: number): Promise<string> {
		const patience = (this.#options.patience ?? 60) * 1000;
		let failure: Error | undefined;
		let last = "";
		let since = performance.now();
		const check = async () => {
			const state = await machine.link.state();
			const now = `${state.time} ${state.instructions}`;
			if (now !== last || this.#input?.waiting === true) {
				last = now;
				since = performance.now();
			} else if (performance.now() - since > patience) {
				failure = new Error(`the emulator made no progress for ${patience / 1000} s`);
				machine.process.kill("SIGKILL");
			}
		};
		const timer = setInterval(() => check().catch(() => {}), Math.max(100, patience / 6));
		try {
			const stopped = await machine.link.run(until);
			this.#time = stopped.time;
			if (this.#input?.failure !== undefined) throw new Error("the input failed", { cause: this.#input.failure });
			return stopped.reason;
		} catch (error) {
			if (this.#input?.failure !== undefined) throw error;
			await gone(machine.process);
			// A process whose main() has returned has ended as it should.
			if (machine.process.exitCode === 0) return "exited";
			throw failure ?? new Error(`${message(error)}\n${machine.log().slice(-2000)}`, { cause: error });
		} finally {
			clearInterval(timer);
			this.#drain();
		}
	}

	async #runToCut(machine: Machine, until: number): Promise<StopReason> {
		const { flashSteps } = await machine.link.state();
		if (this.#cutAt > flashSteps + 1) {
			await machine.link.flash(this.#cutAt - flashSteps - 1);
			const reason = await this.#runToFlash(machine, until);
			if (reason !== "flash") return reason;
		}
		machine.saveStorage();
		const before = readFileSync(this.#storage);
		await machine.link.flash(1);
		const reason = await this.#runToFlash(machine, until);
		if (reason !== "flash") {
			await machine.link.flash(0);
			return reason;
		}
		await this.#switchOff(machine);
		const after = readFileSync(this.#storage);
		writeFileSync(this.#storage, tearFlash(before, after, this.#cutAt));
		this.#cutAt = 0;
		return "power-cut";
	}

	async #runToFlash(machine: Machine, until: number): Promise<StopReason | "flash"> {
		for (;;) {
			const reason = await this.#advance(machine, until);
			if (reason === "flash") return "flash";
			if (reason !== "stop") return reason === "exited" ? "ended" : "time";
			const why = this.#log.whyStopped(this.output());
			if (why !== undefined) return why;
		}
	}

	waitFor(text: string | RegExp, options: WaitOptions): Promise<string> {
		return waitForOutput(this, text, options, this.#matched);
	}

	async now(): Promise<number> {
		return this.#time / 1e9;
	}

	output(port = 0): string {
		return this.#stream(port).read().text;
	}

	frames(): readonly Uint8Array[] {
		return this.#stream(CONSOLE_PORT).read().frames;
	}

	records(): DeviceRecord[] {
		return this.#log.read(this.output());
	}

	write(data: Uint8Array | string, port = 0): void {
		this.#stream(port);
		const bytes = typeof data === "string" ? Buffer.from(data) : Uint8Array.from(data);
		this.#queued.push(() => this.#on().link.input(port, bytes));
	}

	endInput(port = INPUT_PORT): void {
		this.#stream(port);
		if (port === INPUT_PORT) this.#input?.end();
		this.#queued.push(() => this.#on().link.stream(port, false));
	}

	async reset(): Promise<void> {
		await this.#on().link.reset();
	}

	async powerCut(): Promise<void> {
		await this.#switchOff(this.#on());
		await this.start();
	}

	powerCutAtFlashOperation(n: number): void {
		if (!Number.isInteger(n) || n < 1) throw new RangeError(`there is no flash operation ${n}`);
		this.#cutAt = n;
	}

	readMemory(address: number | string, length: number): Promise<Uint8Array> {
		return this.#on().link.read(this.#address(address), length);
	}

	writeMemory(address: number | string, data: Uint8Array): Promise<void> {
		return this.#on().link.write(this.#address(address), data);
	}

	async instructions(): Promise<bigint> {
		return (await this.#on().link.state()).instructions;
	}

	marks(): Promise<bigint[]> {
		return this.#on().link.marks();
	}

	async stop(): Promise<void> {
		if (this.#machine !== undefined) await this.#switchOff(this.#machine);
		this.#stopped = true;
		this.#input?.end();
		for (const stream of this.#streams) stream.close();
		rmSync(this.#folder, { recursive: true, force: true });
		open.delete(this);
	}

	/** As stop(), at once: for the end of this process. */
	abandon(): void {
		this.#machine?.process.kill("SIGKILL");
		rmSync(this.#folder, { recursive: true, force: true });
	}

	async #switchOff(machine: Machine): Promise<void> {
		this.#machine = undefined;
		this.#queued = [];
		this.#input?.detach();
		machine.process.kill("SIGKILL");
		await gone(machine.process);
		machine.link.close(new Error("the device is off"));
		machine.saveStorage();
		this.#drain();
	}

	#drain(): void {
		for (const stream of this.#streams) stream.read();
	}

	#on(): Machine {
		if (this.#machine === undefined) throw new Error("the device is off");
		return this.#machine;
	}

	#stream(port: number): PortOutput {
		const stream = this.#streams[port];
		if (stream === undefined) throw new RangeError(`there is no port ${port}`);
		return stream;
	}

	#address(address: number | string): number {
		if (typeof address === "number") return address;
		const value = this.build.symbols.get(address);
		if (value === undefined) throw new Error(`the image has no symbol ${address}`);
		return value;
	}
}

function gone(child: ChildProcess): Promise<void> {
	if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
	return new Promise((done) => child.once("exit", () => done()));
}

function message(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}

/* What a port has sent in all boots; the present one's is read from a file that grows. */
class PortOutput {
	readonly #sent: PortText;
	#file: number | undefined;

	constructor(framed: boolean) {
		this.#sent = new PortText(framed);
	}

	follow(file: string): void {
		this.close();
		writeFileSync(file, "");
		this.#file = openSync(file, "r");
	}

	read(): PortText {
		if (this.#file !== undefined) {
			const buffer = Buffer.alloc(65536);
			for (let size = readSync(this.#file, buffer); size > 0; size = readSync(this.#file, buffer)) {
				this.#sent.push(buffer.subarray(0, size));
			}
		}
		return this.#sent;
	}

	close(): void {
		if (this.#file === undefined) return;
		this.read().break();
		closeSync(this.#file);
		this.#file = undefined;
	}
}

/* Feeds port 1 from a source, as the machine asks for more. */
class InputPump {
	readonly #source: AsyncIterator<Uint8Array>;
	#next: Promise<IteratorResult<Uint8Array>> | undefined;
	#link: ControlLink | undefined;
	#ended = false;
	#wanted = false;
	#busy = false;

	constructor(input: AsyncIterable<Uint8Array> | Uint8Array) {
		this.#source = (input instanceof Uint8Array ? pieces(input) : input)[Symbol.asyncIterator]();
	}

	/** What the source has thrown. */
	failure: unknown;

	/** The machine may stand still because the source is slow. */
	get waiting(): boolean {
		return this.#busy;
	}

	async attach(link: ControlLink): Promise<void> {
		this.#link = link;
		if (this.#ended) return;
		link.onWant = (port) => {
			if (port === INPUT_PORT) void this.#serve(link);
		};
		await link.stream(INPUT_PORT, true);
	}

	detach(): void {
		this.#link = undefined;
	}

	end(): void {
		this.#ended = true;
		void this.#source.return?.()?.catch(() => {});
	}

	async #serve(link: ControlLink): Promise<void> {
		this.#wanted = true;
		if (this.#busy) return;
		this.#busy = true;
		try {
			/* The next wish may come before the answer to the last one. */
			while (this.#wanted && !this.#ended) {
				this.#wanted = false;
				const data = await this.#gather();
				if (this.#link !== link) return;
				if (data.length > 0) await link.input(INPUT_PORT, data);
			}
			if (this.#ended) await link.stream(INPUT_PORT, false);
		} catch (error) {
			// The machine has gone, or the source has failed: either way nothing more comes.
			if (this.#link === link) this.failure = error;
			this.#ended = true;
			await link.stream(INPUT_PORT, false).catch(() => {});
		} finally {
			this.#busy = false;
		}
	}

	/* Waits for the first piece, then takes what is there at once. */
	async #gather(): Promise<Uint8Array> {
		const parts: Uint8Array[] = [];
		for (let size = 0; size < INPUT_CHUNK && !this.#ended; ) {
			this.#next ??= this.#source.next();
			const result = size === 0 ? await this.#next : await Promise.race([this.#next, soon()]);
			if (result === undefined) break;
			this.#next = undefined;
			if (result.done === true) {
				this.#ended = true;
			} else {
				parts.push(result.value);
				size += result.value.length;
			}
		}
		return Buffer.concat(parts);
	}
}

function soon(): Promise<undefined> {
	return new Promise((done) => setImmediate(() => done(undefined)));
}

async function* pieces(data: Uint8Array): AsyncGenerator<Uint8Array> {
	for (let at = 0; at < data.length; at += INPUT_CHUNK) yield data.subarray(at, at + INPUT_CHUNK);
}
