// The Device API over Renode: one process of Renode, driven through its robot server (XML-RPC over HTTP).
//
// Emulated time moves only inside RunFor, in slices whose length does not depend on the host, and input is queued in the
// emulated UART's peer ahead of need: two runs of one image with one input are the same, however busy the host is.

import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { createServer } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Build } from "../build/build.ts";
import type { Device, DeviceRecord, StopReason } from "./device.ts";

/** Platforms are loaded from here. */
const PLATFORMS = resolve(import.meta.dirname, "../../renode-platforms");

/** A process of Renode that answers on its robot server. */
export class RenodeServer {
	readonly #child: ChildProcess;
	readonly #port: number;
	readonly #log: string;
	readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
	readonly #onExit = (): void => this.#kill("SIGKILL");

	private constructor(child: ChildProcess, port: number, log: string) {
		this.#child = child;
		this.#port = port;
		this.#log = log;
		process.on("exit", this.#onExit);
	}

	/** Starts `renode`; its log goes to `folder`. Throws if it is not installed or does not come up in a minute. */
	static async start(folder: string): Promise<RenodeServer> {
		const log = join(folder, "renode.log");
		const output = openSync(log, "w");
		const port = await freePort();
		// Files as stdio: a pipe held by an orphan would keep a test run from ending.
		const child = spawn(
			"renode",
			["--disable-xwt", "--hide-monitor", "--plain", "--config", configFile(), "--robot-server-port", String(port)],
			{ detached: true, stdio: ["ignore", output, output] },
		);
		closeSync(output);
		child.unref();
		const server = new RenodeServer(child, port, log);
		const failed = new Promise<never>((_, reject) => {
			child.once("error", (cause) => reject(new Error("renode could not be started", { cause })));
			child.once("exit", (code, signal) =>
				reject(new Error(`renode ended (${signal ?? code})\n${tail(server.log())}`)),
			);
		});
		failed.catch(() => {}); // asked for below only while it matters
		await Promise.race([server.#answers(), failed]);
		return server;
	}

	/** Runs one line of the monitor and returns what it printed. Throws with Renode's own message. */
	async monitor(command: string): Promise<string> {
		return (await this.#keyword("ExecuteCommand", command)).trim();
	}

	/** Drops all machines; the models stay compiled, so the next platform loads in a fraction of the time. */
	async clear(): Promise<void> {
		await this.#keyword("ResetEmulation");
	}

	/** What Renode logged. */
	log(): string {
		return existsSync(this.#log) ? readFileSync(this.#log, "utf8") : "";
	}

	/** Ends the process; resolves when it is gone. */
	async stop(): Promise<void> {
		process.off("exit", this.#onExit);
		this.#agent.destroy();
		if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
		this.#child.ref();
		const gone = new Promise<void>((done) => this.#child.once("exit", () => done()));
		// Nothing in it is worth an orderly end, which takes seconds.
		this.#kill("SIGKILL");
		await gone;
	}

	#kill(signal: NodeJS.Signals): void {
		try {
			this.#child.kill(signal);
		} catch {
			// It is gone already.
		}
	}

	async #answers(): Promise<void> {
		const deadline = Date.now() + 60_000;
		for (;;) {
			try {
				await this.#post("get_keyword_names", "");
				return;
			} catch (cause) {
				if (Date.now() > deadline) throw new Error("renode does not answer", { cause });
				await new Promise((done) => setTimeout(done, 50));
			}
		}
	}

	async #keyword(name: string, ...values: readonly string[]): Promise<string> {
		const list = values.map((value) => `<value><string>${escapeXml(value)}</string></value>`).join("");
		const answer = await this.#post(
			"run_keyword",
			`<param><value><string>${name}</string></value></param>` +
				`<param><value><array><data>${list}</data></array></value></param>`,
		);
		const members = new Map<string, string>();
		for (const [, key, value] of answer.matchAll(
			/<member>\s*<name>(.*?)<\/name>\s*<value>([\s\S]*?)<\/value>\s*<\/member>/g,
		)) {
			// A scalar is <type>text</type>, or <type /> when it is empty.
			const scalar = /^\s*<(\w+)\s*>([\s\S]*)<\/\1>\s*$/.exec(value ?? "");
			members.set(key ?? "", unescapeXml(scalar?.[2] ?? ""));
		}
		if (members.get("status") !== "PASS") {
			throw new Error(`renode: ${values.join(" ")}: ${members.get("error") ?? answer}`);
		}
		return members.get("return") ?? "";
	}

	#post(method: string, parameters: string): Promise<string> {
		const body = `<?xml version="1.0"?><methodCall><methodName>${method}</methodName><params>${parameters}</params></methodCall>`;
		return new Promise((done, fail) => {
			const call = request(
				{
					host: "localhost",
					port: this.#port,
					method: "POST",
					path: "/",
					agent: this.#agent,
					headers: { "Content-Type": "text/xml", "Content-Length": Buffer.byteLength(body) },
				},
				(response) => {
					let text = "";
					response.setEncoding("utf8");
					response.on("data", (chunk: string) => {
						text += chunk;
					});
					response.on("end", () => done(text));
					response.on("error", fail);
				},
			);
			call.on("error", (cause) => {
				const state = this.#child.exitCode ?? this.#child.signalCode;
				fail(state === null ? cause : new Error(`renode ended (${state})\n${tail(this.log())}`, { cause }));
			});
			call.end(body);
		});
	}
}

/** Bytes that the emulated peer of a serial port holds ahead of the device: more than a slice can carry at 1 Mbit/s. */
const AHEAD = 32 * 1024;
/** Longest emulated time between two looks at what the device did. */
const SLICE = 0.1;
const SLICE_WITH_INPUT = 0.05;

export interface RenodeOptions {
	/** Bytes for the board's second serial port, which arrive as fast as the device takes them, up to the baud rate. */
	readonly input?: AsyncIterable<Uint8Array> | Uint8Array;
	/** A file that holds the storage area: read at start if it exists, written at stop. */
	readonly storage?: string;
	/** A running Renode to use, and to leave running; without it the device starts one of its own. */
	readonly server?: RenodeServer;
}

/** One board in Renode. */
export class RenodeDevice implements Device {
	readonly emulator = "renode";
	readonly #build: Build;
	readonly #options: RenodeOptions;
	readonly #folder: string;
	readonly #ports: readonly [Port, Port];
	#server: RenodeServer | undefined;
	#input: AsyncIterator<Uint8Array> | undefined;
	#inputEnded = false;
	#cutAt = 0;
	/** Emulated nanoseconds since the machine was made, and those at which the device got power last. */
	#elapsed = 0n;
	#origin = 0n;
	/** Where the device stopped itself, in the same count. */
	#stoppedAt: bigint | undefined;
	#files = 0;
	#recordsSeen = 0;

	constructor(build: Build, options: RenodeOptions = {}) {
		this.#build = build;
		this.#options = options;
		this.#folder = mkdtempSync(join(tmpdir(), "pericard-renode-"));
		this.#ports = [new Port(join(this.#folder, "uart0")), new Port(join(this.#folder, "uart1"))];
	}

	get board(): string {
		return this.#build.board;
	}

	async start(): Promise<void> {
		if (this.#server !== undefined) throw new Error("the device has been started already");
		this.#server = this.#options.server ?? (await RenodeServer.start(this.#folder));
		await this.monitor(`$elf=@${this.#build.elf}`);
		await this.monitor(`include @${join(PLATFORMS, `${this.#build.board}.resc`)}`);
		for (const [index, port] of this.#ports.entries()) {
			await this.monitor(`sysbus.uart${index} CreateFileBackend @${port.file} true`);
		}
		const storage = this.#options.storage;
		if (storage !== undefined && existsSync(storage)) {
			await this.monitor(`sysbus LoadBinary @${resolve(storage)} ${this.#symbol("__storage_start")}`);
		}
		await this.#watch("StopAt", "pc_harness_stop");
		await this.#watch("MarkAt", "pc_mark");
		if (this.#build.board !== "nrf52840dk") await this.#watch("CutAt", "pc_flash_step");
		if (this.#cutAt !== 0) await this.#armPowerCut();
		const input = this.#options.input;
		if (input instanceof Uint8Array) this.write(input, 1);
		else this.#input = input?.[Symbol.asyncIterator]();
	}

	async run(seconds: number): Promise<StopReason> {
		const until = this.#now() + nanoseconds(seconds);
		await this.#resume();
		for (;;) {
			const left = until - this.#now();
			if (left <= 0n) return "time";
			const reason = await this.#slice(left);
			if (reason !== undefined) return reason;
		}
	}

	async waitFor(text: string | RegExp, { seconds, port = 0 }: { seconds: number; port?: number }): Promise<string> {
		const until = this.#now() + nanoseconds(seconds);
		await this.#resume();
		let stopped: StopReason | undefined;
		for (;;) {
			const output = this.output(port);
			const found = typeof text === "string" ? (output.includes(text) ? text : undefined) : text.exec(output)?.[0];
			if (found !== undefined) return found;
			const left = until - this.#now();
			if (left <= 0n || stopped !== undefined) {
				const why = stopped === undefined ? `within ${seconds} s` : `before the device stopped (${stopped})`;
				throw new Error(`${text} did not come ${why}; the last output was:\n${tail(output)}`);
			}
			stopped = await this.#slice(left);
		}
	}

	async now(): Promise<number> {
		return Number(this.#now() - this.#origin) / 1e9;
	}

	output(port = 0): string {
		return this.#port(port).output();
	}

	records(): DeviceRecord[] {
		return parseRecords(this.output());
	}

	write(data: Uint8Array | string, port = 0): void {
		this.#port(port).waiting.push(typeof data === "string" ? new TextEncoder().encode(data) : data);
	}

	endInput(port = 0): void {
		// A wire has no end of file: the peer just sends nothing more.
		this.#port(port).ended = true;
		if (port === 1) this.#inputEnded = true;
	}

	async reset(): Promise<void> {
		this.#stoppedAt = undefined;
		await this.monitor("sysbus.supply PressReset");
		await this.monitor("sysbus.observer Continue");
	}

	async powerCut(): Promise<void> {
		await this.monitor("sysbus.supply Cut");
		await this.monitor("sysbus.observer Continue");
		this.#origin = this.#elapsed;
		this.#stoppedAt = undefined;
		if (this.#cutAt !== 0) await this.#armPowerCut();
	}

	powerCutAtFlashOperation(n: number): void {
		this.#cutAt = n;
	}

	async readMemory(address: number | string, length: number): Promise<Uint8Array> {
		const text = await this.monitor(`sysbus ReadBytes ${this.#address(address)} ${length}`);
		const bytes = Uint8Array.from(text.match(/0x[0-9A-Fa-f]{2}/g) ?? [], Number);
		if (bytes.length !== length) throw new Error(`renode returned ${bytes.length} bytes instead of ${length}`);
		return bytes;
	}

	async writeMemory(address: number | string, data: Uint8Array): Promise<void> {
		await this.monitor(`sysbus LoadBinary @${this.#file(data)} ${this.#address(address)}`);
	}

	async instructions(): Promise<bigint> {
		return BigInt(await this.monitor("cpu ExecutedInstructions"));
	}

	async marks(): Promise<bigint[]> {
		const text = await this.monitor("sysbus.observer Marks");
		return text === "" ? [] : text.split(",").map(BigInt);
	}

	async stop(): Promise<void> {
		const server = this.#server;
		if (server !== undefined) {
			const storage = this.#options.storage;
			if (storage !== undefined) {
				const start = this.#symbol("__storage_start");
				writeFileSync(storage, await this.readMemory(start, this.#symbol("__storage_end") - start));
			}
			if (this.#options.server === undefined) await server.stop();
			else await server.clear();
			this.#server = undefined;
		}
		rmSync(this.#folder, { recursive: true, force: true });
	}

	/** Runs one line of Renode's monitor: sensors, buttons, models. Throws with Renode's own message. */
	async monitor(command: string): Promise<string> {
		if (this.#server === undefined) throw new Error("the device has not been started");
		return this.#server.monitor(command);
	}

	#now(): bigint {
		return this.#stoppedAt ?? this.#elapsed;
	}

	async #resume(): Promise<void> {
		if (this.#stoppedAt === undefined) return;
		this.#stoppedAt = undefined;
		await this.monitor("sysbus.observer Continue");
	}

	/** Emulates at most one slice; a reason if the device stopped in it. */
	async #slice(left: bigint): Promise<StopReason | undefined> {
		const longest = nanoseconds(this.#input === undefined ? SLICE : SLICE_WITH_INPUT);
		const time = left < longest ? left : longest;
		await this.#feed();
		await this.monitor(`emulation RunFor "${Number(time) / 1e9}"`);
		this.#elapsed += time;
		if ((await this.monitor("sysbus.observer Stopped")) !== "True") return undefined;
		// The machine's clock went on to the end of the slice; the device's own stands here.
		this.#stoppedAt = BigInt(await this.monitor("sysbus.observer StoppedAtMicroseconds")) * 1000n;
		return this.#stopReason();
	}

	async #feed(): Promise<void> {
		const second = this.#ports[1];
		while (this.#input !== undefined && !this.#inputEnded) {
			const held = Number(await this.monitor("sysbus.uart1 Queued")) + second.waitingBytes();
			if (held >= AHEAD) break;
			const next = await this.#input.next();
			if (next.done === true) this.#inputEnded = true;
			else second.waiting.push(next.value);
		}
		for (const [index, port] of this.#ports.entries()) {
			if (port.waiting.length === 0) continue;
			await this.monitor(`sysbus.uart${index} FeedFile @${this.#file(Buffer.concat(port.waiting))}`);
			port.waiting = [];
		}
	}

	#stopReason(): StopReason {
		const records = this.records();
		const fresh = records.slice(this.#recordsSeen);
		this.#recordsSeen = records.length;
		const last = fresh.findLast(({ event }) => ENDINGS.has(event));
		return ENDINGS.get(last?.event ?? "") ?? "abort";
	}

	async #watch(what: string, symbol: string): Promise<void> {
		const address = this.#build.symbols.get(symbol);
		// Bit 0 of a function's symbol says Thumb.
		if (address !== undefined) await this.monitor(`sysbus.observer ${what} ${address & ~1}`);
	}

	async #armPowerCut(): Promise<void> {
		const model = this.#build.board === "nrf52840dk" ? "nvmc" : "observer";
		await this.monitor(`sysbus.${model} PowerCutAt ${this.#cutAt}`);
		this.#cutAt = 0;
	}

	#port(port: number): Port {
		const found = this.#ports[port];
		if (found === undefined) throw new RangeError(`the board has no serial port ${port}`);
		return found;
	}

	#symbol(name: string): number {
		const address = this.#build.symbols.get(name);
		if (address === undefined) throw new Error(`the image has no symbol ${name}`);
		return address;
	}

	#address(address: number | string): number {
		return typeof address === "number" ? address : this.#symbol(address);
	}

	/** Passes bytes to Renode, which takes them from files only. */
	#file(data: Uint8Array): string {
		this.#files = (this.#files + 1) % 8;
		const file = join(this.#folder, `bytes${this.#files}`);
		writeFileSync(file, data);
		return file;
	}
}

/** One serial port: what the device sent, and what it has not been given yet. */
class Port {
	waiting: Uint8Array[] = [];
	ended = false;
	readonly file: string;

	constructor(file: string) {
		this.file = file;
	}

	output(): string {
		return existsSync(this.file) ? readFileSync(this.file, "utf8") : "";
	}

	waitingBytes(): number {
		return this.waiting.reduce((sum, chunk) => sum + chunk.length, 0);
	}
}

const ENDINGS = new Map<string, StopReason>([
	["end", "ended"],
	["uncaught", "uncaught"],
	["rejection", "uncaught"],
	["abort", "abort"],
	["fault", "abort"],
]);

/** The machine's records (RFC 7464 sequences) among the lines for people. */
function parseRecords(output: string): DeviceRecord[] {
	return [...output.matchAll(/\x1e([^\n]*)\n/g)].map(([, json]) => JSON.parse(json ?? "") as DeviceRecord);
}

function nanoseconds(seconds: number): bigint {
	return BigInt(Math.round(seconds * 1e9));
}

/** A port that nobody listens on now. */
function freePort(): Promise<number> {
	return new Promise((done, fail) => {
		const server = createServer();
		server.once("error", fail);
		server.listen(0, "127.0.0.1", () => {
			const address = server.address();
			server.close(() =>
				typeof address === "object" && address !== null ? done(address.port) : fail(new Error("no free port")),
			);
		});
	});
}

/** Renode's settings for us: our own file, so that the user's is neither read nor written; compiled models are kept. */
function configFile(): string {
	const cache = process.env.PERICARD_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "pericard");
	mkdirSync(cache, { recursive: true });
	const file = join(cache, "renode.config");
	if (!existsSync(file)) writeFileSync(file, "[general]\ncompiler-cache-enabled = True\n");
	return file;
}

function escapeXml(text: string): string {
	return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function unescapeXml(text: string): string {
	return text
		.replaceAll("&lt;", "<")
		.replaceAll("&gt;", ">")
		.replaceAll("&quot;", '"')
		.replaceAll("&apos;", "'")
		.replace(/&#x([0-9a-fA-F]+);/g, (_, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)))
		.replaceAll("&amp;", "&");
}

function tail(text: string): string {
	return text.split("\n").slice(-15).join("\n");
}
