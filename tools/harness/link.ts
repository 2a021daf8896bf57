// The harness's side of the control socket of the QEMU plugin (qemu-plugin/pericard-plugin.c) and of the posix host
// (hosts/posix/control.c). Both speak the same lines of text.

import type { Socket } from "node:net";

/** The machine stands still. */
export interface Stopped {
	readonly reason: string;
	/** Nanoseconds of emulated time since power-on. */
	readonly time: number;
}

export interface MachineState {
	readonly time: number;
	readonly instructions: bigint;
	readonly resets: number;
	readonly flashSteps: number;
}

export class ControlLink {
	readonly #socket: Socket;
	#rest = "";
	#answers: { done(line: string): void; fail(error: Error): void }[] = [];
	#stopped: { done(stopped: Stopped): void; fail(error: Error): void } | undefined;
	#closed: Error | undefined;
	/** A port's input is running low. */
	onWant: (port: number) => void = () => {};

	constructor(socket: Socket) {
		this.#socket = socket;
		socket.setEncoding("latin1");
		socket.on("data", (text: string) => this.#receive(text));
		socket.on("error", () => this.close(new Error("the emulator has gone")));
		socket.on("close", () => this.close(new Error("the emulator has gone")));
	}

	/** Continues until the given time, in nanoseconds since power-on. */
	run(time: number): Promise<Stopped> {
		return new Promise((done, fail) => {
			if (this.#closed !== undefined) return fail(this.#closed);
			this.#stopped = { done, fail };
			this.#socket.write(`run ${time}\n`);
		});
	}

	async state(): Promise<MachineState> {
		const [word, time = "0", instructions = "0", resets = "0", steps = "0"] = (await this.#ask("state")).split(" ");
		if (word !== "state") throw new Error("the emulator does not tell its state");
		return {
			time: Number(time),
			instructions: BigInt(instructions),
			resets: Number(resets),
			flashSteps: Number(steps),
		};
	}

	async marks(): Promise<bigint[]> {
		return (await this.#ask("marks 0")).split(" ").slice(1).map(BigInt);
	}

	async read(address: number, length: number): Promise<Uint8Array> {
		const line = await this.#ask(`peek ${address} ${length}`);
		if (!line.startsWith("data ")) throw new Error(`memory at 0x${address.toString(16)} cannot be read`);
		return new Uint8Array(Buffer.from(line.slice(5), "hex"));
	}

	async write(address: number, data: Uint8Array): Promise<void> {
		const line = await this.#ask(`poke ${address} ${data.length}`, data);
		if (line !== "ok") throw new Error(`memory at 0x${address.toString(16)} cannot be written`);
	}

	async input(port: number, data: Uint8Array): Promise<void> {
		await this.#order(`input ${port} ${data.length}`, data);
	}

	/** Whether an empty line to the port is waited for. */
	async stream(port: number, on: boolean): Promise<void> {
		await this.#order(`stream ${port} ${on ? 1 : 0}`);
	}

	/** Stop at the n-th flash operation from now on; 0 for never. */
	async flash(n: number): Promise<void> {
		await this.#order(`flash ${n}`);
	}

	async reset(): Promise<void> {
		await this.#order("reset");
	}

	/** Ends the connection; whoever waits for an answer gets the error. */
	close(error: Error): void {
		if (this.#closed !== undefined) return;
		this.#closed = error;
		this.#socket.destroy();
		for (const answer of this.#answers) answer.fail(error);
		this.#answers = [];
		this.#stopped?.fail(error);
		this.#stopped = undefined;
	}

	async #order(line: string, data?: Uint8Array): Promise<void> {
		const answer = await this.#ask(line, data);
		if (answer !== "ok") throw new Error(`the emulator refused "${line}": ${answer}`);
	}

	#ask(line: string, data?: Uint8Array): Promise<string> {
		return new Promise((done, fail) => {
			if (this.#closed !== undefined) return fail(this.#closed);
			this.#answers.push({ done, fail });
			this.#socket.write(`${line}\n`);
			if (data !== undefined) this.#socket.write(data);
		});
	}

	#receive(text: string): void {
		const lines = (this.#rest + text).split("\n");
		this.#rest = lines.pop() ?? "";
		for (const line of lines) {
			const [word, first = "", second = "0"] = line.split(" ");
			if (word === "stopped") {
				const stopped = this.#stopped;
				this.#stopped = undefined;
				stopped?.done({ reason: first, time: Number(second) });
			} else if (word === "want") {
				this.onWant(Number(first));
			} else {
				this.#answers.shift()?.done(line);
			}
		}
	}
}
