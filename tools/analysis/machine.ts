// A Cortex-M4 in QEMU whose routines are called one by one, under our plugin (tools/harness/qemu-plugin/analysis-plugin.c).

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { qemuPlugin } from "../harness/plugin.ts";
import type { Image } from "./image.ts";

/** Memory for a routine to write to: an argument that becomes the address of so many bytes, which are zero. */
export class Room {
	readonly size: number;

	constructor(size: number) {
		this.size = size;
	}
}

/** A number as it is, or the address of a copy of the bytes (aligned to 16), or that of a room. */
export type Argument = number | Uint8Array | Room;

/** One call of a routine, as C sees it: up to four arguments in registers, the others on the stack. */
export interface Call {
	/** The name of a function with external linkage, or of a static one that is not inlined. */
	readonly routine: string;
	readonly arguments?: readonly Argument[];
	/** What memory holds before the call: at an address, or at a variable's. */
	readonly memory?: readonly { readonly at: number | string; readonly bytes: Uint8Array }[];
	/** Instructions after which it is held to hang; 2,000 millions if not given. */
	readonly limit?: number;
	/** Memory stays as the call before has left it. Else it is what it was when the image had been set up. */
	readonly keep?: boolean;
}

export interface CallOptions {
	/** Watch only from the instruction at the first symbol, or address, to that at the second, each time that one is executed. */
	readonly between?: readonly [string | number, string | number];
	/** Keep the list of all instructions and accesses, for `list()`. */
	readonly record?: boolean;
}

/** What a call did. Counts are exact, cycles are modelled (docs/analysis.md). */
export interface Run {
	/** The result: register R0, unsigned. */
	readonly value: number;
	/** The upper half of a result of 64 bits: R1. */
	readonly high: number;
	readonly instructions: number;
	/** Accesses to data memory. */
	readonly accesses: number;
	/** By the manual. */
	readonly cycles: number;
	/** The same where a load right behind a store costs one cycle less, as published figures suggest. */
	readonly leastCycles: number;
	/** Bytes of the stack, from where SP was at the call down to the lowest one that was written to. */
	readonly stack: number;
	/** Of the addresses of all instructions, in order; 64 bits, hexadecimal. */
	readonly instructionTrace: string;
	/** Of address, size and direction of all accesses to data memory, in order. */
	readonly dataTrace: string;
	/** Addresses of the divisions that were executed: their time depends on the operands. */
	readonly divisions: readonly number[];
	/** What each argument was: the number, or the address of its bytes. */
	readonly arguments: readonly number[];
}

/** One step of a recorded call. An instruction has `access` 0, an access to data 0x80000000 | store << 8 | bytes. */
export interface Trace {
	readonly length: number;
	/** Pairs of address and access. */
	readonly words: Uint32Array;
}

/** A routine that did not return. */
export class RoutineError extends Error {
	readonly outcome: "fault" | "hang";

	constructor(outcome: "fault" | "hang", message: string) {
		super(message);
		this.name = "RoutineError";
		this.outcome = outcome;
	}
}

/** What became of a call in which one instruction was left out. */
export interface SkipResult {
	/** Number of the instruction in the undisturbed run, from 0. */
	readonly position: number;
	readonly address: number;
	readonly outcome: "returned" | "fault" | "hang" | "reached";
	/** R0 of one that returned, the address of a fault, or the number of the function that was reached. */
	readonly value: number;
	/** What the watched memory held at the end. */
	readonly memory: Uint8Array;
}

export interface SkipRequest {
	/** Numbers of instructions, ascending. */
	readonly positions: Uint32Array;
	/** Instructions that each disturbed run may take from there. */
	readonly limit: number;
	/** Memory to read at the end of each run. */
	readonly watch?: { readonly at: number | string; readonly size: number };
	/** Functions that end a run when they are reached. */
	readonly reached?: readonly string[];
}

const START_MS = 30_000;
const LIMIT = 2_000_000_000;
const OUTCOMES = ["returned", "fault", "hang", "reached"] as const;
const RESULT_BYTES = 16;

interface Answer {
	readonly words: readonly string[];
	readonly bytes: Buffer;
}

/** The socket to the plugin: lines, some followed by as many bytes as their last word says. */
class Link {
	readonly #socket: Socket;
	readonly #waiting: { sized: boolean; done(answer: Answer): void; fail(error: Error): void }[] = [];
	#chunks: Buffer[] = [];
	#size = 0;
	#need = 1;
	#closed: Error | undefined;

	constructor(socket: Socket) {
		this.#socket = socket;
		socket.on("data", (data: Buffer) => {
			this.#chunks.push(data);
			this.#size += data.length;
			if (this.#size >= this.#need) this.#receive();
		});
		socket.on("error", () => {});
	}

	/** Sends a line and what follows it. `sized`: bytes follow the answer's line. */
	ask(line: string, sized: boolean, ...data: readonly Uint8Array[]): Promise<Answer> {
		return new Promise((done, fail) => {
			if (this.#closed !== undefined) return fail(this.#closed);
			this.#waiting.push({ sized, done, fail });
			if (line !== "") this.#socket.write(`${line}\n`);
			for (const bytes of data) this.#socket.write(bytes);
		});
	}

	close(error: Error): void {
		this.#closed ??= error;
		this.#socket.destroy();
		for (const { fail } of this.#waiting.splice(0)) fail(error);
	}

	#receive(): void {
		let rest = Buffer.concat(this.#chunks);
		this.#need = 1;
		for (;;) {
			const end = rest.indexOf(10);
			const next = this.#waiting[0];
			if (end < 0 || next === undefined) break;
			const words = rest.toString("latin1", 0, end).split(" ");
			const size = next.sized && words[0] !== "error" ? Number(words.at(-1)) : 0;
			if (rest.length < end + 1 + size) {
				this.#need = end + 1 + size;
				break;
			}
			this.#waiting.shift();
			next.done({ words, bytes: rest.subarray(end + 1, end + 1 + size) });
			rest = rest.subarray(end + 1 + size);
		}
		this.#chunks = [rest];
		this.#size = rest.length;
	}
}

/** Starts the emulator with an image. Whoever opens a machine closes it. */
export async function openMachine(image: Image): Promise<Machine> {
	const plugin = await qemuPlugin("analysis");
	const folder = mkdtempSync(join(tmpdir(), "pericard-analysis-"));
	const control = join(folder, "control");
	const server = createServer();
	let child: ChildProcess | undefined;
	try {
		await new Promise<void>((done) => server.listen(control, done));
		const region = ({ origin, size }: { origin: number; size: number }) =>
			`${origin.toString(16)}:${size.toString(16)}`;
		const hooks = [
			`ready=${image.address("pc_main").toString(16)}`,
			`ram=${region(image.ram)}`,
			`code=${region(image.code)}`,
			`control=${control}`,
		];
		const started = spawn(
			"qemu-system-arm",
			[
				...["-machine", "mps2-an386", "-icount", "shift=0,align=off,sleep=off"],
				...["-nodefaults", "-display", "none", "-monitor", "none", "-serial", "none"],
				...["-kernel", image.elf, "-plugin", [plugin, ...hooks].join(",")],
			],
			{ stdio: ["ignore", "ignore", "pipe"] },
		);
		child = started;
		let said = "";
		started.stderr.setEncoding("utf8").on("data", (text: string) => {
			said = (said + text).slice(-4000);
		});
		const ended = new Promise<never>((_, fail) => {
			started.once("error", (cause) => fail(new Error("qemu-system-arm could not be started", { cause })));
			started.once("exit", (code, signal) => fail(new Error(`QEMU ended (${signal ?? code})\n${said}`.trimEnd())));
			const late = setTimeout(() => fail(new Error(`${image.elf} does not come to pc_main in QEMU`)), START_MS);
			late.unref();
		});
		ended.catch(() => {});
		const connected = new Promise<Socket>((done) => server.once("connection", done));
		const link = new Link(await Promise.race([connected, ended]));
		started.once("exit", (code, signal) => link.close(new Error(`QEMU ended (${signal ?? code})\n${said}`.trimEnd())));
		const machine = new Machine(image, link, started);
		await Promise.race([link.ask("", false), ended]);
		return machine;
	} catch (error) {
		child?.kill("SIGKILL");
		throw error;
	} finally {
		server.close();
		rmSync(folder, { recursive: true, force: true });
	}
}

export class Machine {
	readonly image: Image;
	readonly #link: Link;
	readonly #process: ChildProcess;

	/** For openMachine. */
	constructor(image: Image, link: Link, process: ChildProcess) {
		this.image = image;
		this.#link = link;
		this.#process = process;
	}

	/** Calls a routine and watches it. Throws RoutineError if it faults or doesn't return. */
	async call(call: Call, options: CallOptions = {}): Promise<Run> {
		const { values, numbers } = this.#prepare(call, call.limit ?? LIMIT);
		const mark = (at: string | number) => (typeof at === "string" ? this.image.address(at) : at);
		const [from, to] = options.between?.map(mark) ?? [0, 0];
		const rest = [from, to, this.image.stack.limit, options.record ? 1 : 0];
		const { words } = await this.#link.ask(["call", ...numbers, ...rest].join(" "), false);
		const [outcome, ...fields] = words;
		const [value = 0, high = 0, pc = 0, instructions = 0, accesses = 0, cycles = 0, leastCycles = 0, stack = 0] = fields
			.slice(0, 8)
			.map(Number);
		if (outcome !== "returned") {
			const [place] = await this.image.describe([pc]);
			if (outcome === "fault") throw new RoutineError("fault", `${call.routine} faults at ${place}`);
			if (outcome === "hang") throw new RoutineError("hang", `${call.routine} has not returned, it is at ${place}`);
			throw new Error(`the emulator refused a call of ${call.routine}`);
		}
		if (stack >= this.image.stack.top - this.image.stack.limit - 8 * 4) {
			throw new RoutineError("fault", `${call.routine} uses all of the stack`);
		}
		return {
			value,
			high,
			instructions,
			accesses,
			cycles,
			leastCycles,
			stack,
			instructionTrace: fields[8] ?? "",
			dataTrace: fields[9] ?? "",
			divisions: fields.slice(10).map(Number),
			arguments: values,
		};
	}

	/** The steps of the last call that was recorded. */
	async list(): Promise<Trace> {
		const { bytes } = await this.#link.ask("list", true);
		const words = new Uint32Array(bytes.length / 4);
		Buffer.from(words.buffer).set(bytes);
		return { length: words.length / 2, words };
	}

	/** Calls a routine once for each position, with the instruction there left out. */
	async skip(call: Call, request: SkipRequest): Promise<{ readonly value: number; readonly results: SkipResult[] }> {
		const { numbers, used } = this.#prepare(call, request.limit);
		const { watch, reached = [], positions } = request;
		const at = watch === undefined ? 0 : typeof watch.at === "string" ? this.image.address(watch.at) : watch.at;
		const size = watch?.size ?? 0;
		const stops = Uint32Array.from(reached, (name) => this.image.address(name));
		const { words, bytes } = await this.#link.ask(
			["skip", ...numbers, at, size, positions.length, stops.length, used].join(" "),
			true,
			new Uint8Array(positions.buffer, positions.byteOffset, positions.byteLength),
			new Uint8Array(stops.buffer),
		);
		if (words[0] !== "returned") throw new Error(`${call.routine}, undisturbed, does not return: ${words[0]}`);
		const results: SkipResult[] = [];
		for (let offset = 0; offset < bytes.length; offset += RESULT_BYTES + size) {
			results.push({
				position: bytes.readUInt32LE(offset),
				address: bytes.readUInt32LE(offset + 4),
				outcome: OUTCOMES[bytes.readUInt32LE(offset + 8)] ?? "hang",
				value: bytes.readUInt32LE(offset + 12),
				memory: Uint8Array.from(bytes.subarray(offset + RESULT_BYTES, offset + RESULT_BYTES + size)),
			});
		}
		if (results.length !== positions.length) throw new Error(`${call.routine}, undisturbed, returns before a position`);
		return { value: Number(words[1]), results };
	}

	/** What memory holds now is what calls without `keep` begin with from now on. */
	async adopt(): Promise<void> {
		const { words } = await this.#link.ask("adopt", false);
		if (words[0] !== "ok") throw new Error("the emulator does not keep its memory");
	}

	/** What is in memory, at an address or a variable. */
	async read(at: number | string, size: number): Promise<Uint8Array> {
		const address = typeof at === "string" ? this.image.address(at) : at;
		const { words, bytes } = await this.#link.ask(`read ${address} ${size}`, true);
		if (words[0] !== "data") throw new Error("the emulator does not read its memory");
		return Uint8Array.from(bytes);
	}

	/** Ends the emulator. */
	async close(): Promise<void> {
		const { promise, done } = settled();
		if (this.#process.exitCode !== null || this.#process.signalCode !== null) done();
		else this.#process.once("exit", done);
		this.#link.close(new Error("the machine is closed"));
		this.#process.kill("SIGKILL");
		await promise;
	}

	/* Puts the call's memory in place. Gives the first numbers of the plugin's order, what each argument became, and how much
	 * of the RAM is in use. */
	#prepare(call: Call, limit: number): { values: number[]; numbers: number[]; used: number } {
		const writes: { at: number; bytes: Uint8Array }[] = [];
		let free = this.image.free;
		const end = this.image.ram.origin + this.image.ram.size;
		const values = (call.arguments ?? []).map((argument) => {
			if (typeof argument === "number") return argument >>> 0;
			const at = free;
			const size = argument instanceof Room ? argument.size : argument.length;
			free = (at + size + 15) & ~15;
			if (free > end) throw new RangeError(`the arguments of ${call.routine} do not fit into memory`);
			if (!(argument instanceof Room) || call.keep) {
				writes.push({ at, bytes: argument instanceof Room ? new Uint8Array(size) : argument });
			}
			return at;
		});
		for (const { at, bytes } of call.memory ?? []) {
			writes.push({ at: typeof at === "string" ? this.image.address(at) : at, bytes });
		}
		let sp = this.image.stack.top;
		if (values.length > 4) {
			/* The stack pointer is a multiple of 8 at every call. */
			const onStack = Uint32Array.from(values.slice(4));
			sp -= (onStack.byteLength + 7) & ~7;
			writes.push({ at: sp, bytes: new Uint8Array(onStack.buffer) });
		}
		if (!call.keep) this.#order("restore");
		for (const { at, bytes } of writes) if (bytes.length > 0) this.#order(`write ${at} ${bytes.length}`, bytes);
		const [r0 = 0, r1 = 0, r2 = 0, r3 = 0] = values;
		const numbers = [this.image.address(call.routine), sp, r0, r1, r2, r3, limit];
		return { values, numbers, used: free - this.image.ram.origin };
	}

	/* Not waited for: the answers come in order, and what fails here fails in what is asked next. */
	#order(line: string, ...data: readonly Uint8Array[]): void {
		this.#link.ask(line, false, ...data).catch(() => {});
	}
}

function settled(): { readonly promise: Promise<void>; done(): void } {
	let done = () => {};
	const promise = new Promise<void>((resolvePromise) => {
		done = resolvePromise;
	});
	return { promise, done };
}
