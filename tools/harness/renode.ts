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
import { type Device, type DeviceOptions, type StopReason, type WaitOptions, waitForOutput } from "./device.ts";
import { NOISE_SYMBOL, noiseAt, noiseRecord } from "./noise.ts";
import { PortText } from "./output.ts";
import { type DeviceRecord, RecordLog } from "./records.ts";

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

	/* Mono's HTTP listener takes connections before it is ready for them, and a connection in that moment ends the
	   process: nothing is asked before the log says that the server listens. */
	async #answers(): Promise<void> {
		const deadline = Date.now() + 60_000;
		const pause = (): Promise<void> => new Promise((done) => setTimeout(done, 50));
		while (!this.log().includes(`server is listening on port ${this.#port}`)) {
			if (Date.now() > deadline) throw new Error(`renode does not come up\n${tail(this.log())}`);
			await pause();
		}
		for (;;) {
			try {
				await this.#post("get_keyword_names", "");
				return;
			} catch (cause) {
				if (Date.now() > deadline) throw new Error("renode does not answer", { cause });
				await pause();
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

/** Bytes that the emulated peer of the input port holds ahead of the device: more than a slice can carry. */
const AHEAD = 32 * 1024;
/** Longest emulated time between two looks at what the device did. */
const SLICE = 0.1;
const PORTS = 2;
const CONSOLE_PORT = 0;
const INPUT_PORT = 1;

export interface RenodeOptions extends DeviceOptions {
	/** A running Renode to use, and to leave running; without it the device starts one of its own. */
	readonly server?: RenodeServer;
}

/** One board in Renode. */
export class RenodeDevice implements Device {
	readonly board: string;
	readonly emulator = "renode";
	readonly #build: Build;
	readonly #options: RenodeOptions;
	readonly #folder = mkdtempSync(join(tmpdir(), "pericard-renode-"));
	readonly #outputs: readonly PortText[] = Array.from(
		{ length: PORTS },
		(_, port) => new PortText(port === CONSOLE_PORT),
	);
	readonly #read: number[] = new Array(PORTS).fill(0);
	readonly #matched: number[] = new Array(PORTS).fill(0);
	readonly #log = new RecordLog();
	readonly #input: AsyncIterator<Uint8Array> | undefined;
	#queued: { readonly port: number; readonly data: Uint8Array }[] = [];
	#inputEnded = false;
	#server: RenodeServer | undefined;
	#power = false;
	#boots = 0;
	#cutAt = 0;
	/** Emulated nanoseconds since the machine was made, and those at which the device got power last. */
	#elapsed = 0n;
	#origin = 0n;
	/** Where the device stopped itself, in the same count. */
	#stoppedAt: bigint | undefined;
	#files = 0;

	constructor(build: Build, options: RenodeOptions = {}) {
		this.#build = build;
		this.board = build.board;
		this.#options = options;
		const input = options.input;
		this.#input = input instanceof Uint8Array ? pieces(input) : input?.[Symbol.asyncIterator]();
	}

	async start(): Promise<void> {
		if (this.#power) throw new Error("the device is on already");
		this.#power = true;
		this.#stoppedAt = undefined;
		if (this.#server === undefined) await this.#make();
		else await this.monitor("sysbus.supply On");
		this.#origin = this.#elapsed;
		await this.#makeNoise(this.#boots++);
	}

	async #makeNoise(boot: number): Promise<void> {
		const noise = noiseAt(this.#options, boot);
		if (this.board === "nrf52840dk") {
			await this.monitor(`sysbus.rng Seed ${noise.seed}`);
			await this.monitor(`sysbus.rng Fault "${noise.fault}" ${noise.after}`);
		} else if (this.#build.symbols.has(NOISE_SYMBOL)) {
			await this.writeMemory(NOISE_SYMBOL, noiseRecord(noise));
		}
	}

	async #make(): Promise<void> {
		this.#server = this.#options.server ?? (await RenodeServer.start(this.#folder));
		await this.monitor(`$elf=@${this.#build.elf}`);
		await this.monitor(`include @${join(PLATFORMS, `${this.board}.resc`)}`);
		for (let port = 0; port < PORTS; port++) {
			await this.monitor(`sysbus.uart${port} CreateFileBackend @${this.#outputFile(port)} true`);
		}
		const storage = this.#options.storage;
		if (storage !== undefined && existsSync(storage)) {
			await this.monitor(`sysbus LoadBinary @${resolve(storage)} ${this.#address("__storage_start")}`);
		}
		await this.monitor("sysbus.supply StaysOff true");
		await this.#watch("StopAt", "pc_harness_stop");
		for (const symbol of this.#options.markAt ?? ["pc_mark"]) await this.#watch("MarkAt", symbol);
		await this.#watch("ResetAt", "pc_system_reset");
		if (!this.#hasController) await this.#watch("CutAt", "pc_flash_step");
	}

	async run(seconds: number): Promise<StopReason> {
		this.#on();
		if (!(seconds >= 0)) throw new RangeError(`cannot run for ${seconds} s`);
		if (this.#cutAt > 0) {
			await this.monitor(`sysbus.${this.#hasController ? "nvmc" : "observer"} PowerCutAt ${this.#cutAt}`);
			this.#cutAt = 0;
		}
		const until = this.#now() + BigInt(Math.round(seconds * 1e9));
		for (;;) {
			if (this.#stoppedAt !== undefined) {
				this.#stoppedAt = undefined;
				await this.monitor("sysbus.observer Continue");
			}
			const left = until - this.#elapsed;
			if (left <= 0n) return "time";
			const reason = await this.#slice(left);
			if (reason !== undefined) return reason;
		}
	}

	waitFor(text: string | RegExp, options: WaitOptions): Promise<string> {
		return waitForOutput(this, text, options, this.#matched);
	}

	async now(): Promise<number> {
		return Number(this.#now() - this.#origin) / 1e9;
	}

	output(port = 0): string {
		return this.#sent(port).text;
	}

	frames(): readonly Uint8Array[] {
		return this.#sent(CONSOLE_PORT).frames;
	}

	records(): DeviceRecord[] {
		return this.#log.read(this.output());
	}

	write(data: Uint8Array | string, port = 0): void {
		this.#outputFile(port);
		this.#queued.push({ port, data: typeof data === "string" ? Buffer.from(data) : Uint8Array.from(data) });
	}

	endInput(port = INPUT_PORT): void {
		// A wire has no end of file: the peer just sends nothing more.
		this.#outputFile(port);
		if (port === INPUT_PORT) this.#inputEnded = true;
	}

	async reset(): Promise<void> {
		this.#on();
		await this.monitor("sysbus.supply PressReset");
		if (this.#stoppedAt !== undefined) await this.monitor("sysbus.observer Continue");
		this.#stoppedAt = undefined;
	}

	async powerCut(): Promise<void> {
		this.#on();
		this.#power = false;
		await this.monitor("sysbus.observer Continue");
		await this.monitor("sysbus.supply Cut");
		this.#breakOutputs();
		await this.start();
	}

	powerCutAtFlashOperation(n: number): void {
		if (!Number.isInteger(n) || n < 1) throw new RangeError(`there is no flash operation ${n}`);
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
		return BigInt(await this.monitor("sysbus.observer Executed"));
	}

	async marks(): Promise<bigint[]> {
		const text = await this.monitor("sysbus.observer Marks");
		return text === "" ? [] : text.split(",").map(BigInt);
	}

	async stop(): Promise<void> {
		const server = this.#server;
		if (server !== undefined) {
			const { storage } = this.#options;
			if (storage !== undefined) {
				const start = this.#address("__storage_start");
				const size = this.#address("__storage_end") - start;
				await this.readMemory(start, size).then(
					(content) => writeFileSync(storage, content),
					() => {}, // a Renode that has died keeps nothing
				);
			}
			this.#server = undefined;
			this.#power = false;
			for (let port = 0; port < PORTS; port++) this.output(port);
			if (this.#options.server === undefined) await server.stop();
			else await server.clear();
		}
		rmSync(this.#folder, { recursive: true, force: true });
	}

	/** Runs one line of Renode's monitor: sensors, buttons, models. Throws with Renode's own message. */
	async monitor(command: string): Promise<string> {
		if (this.#server === undefined) throw new Error("the device is off");
		return this.#server.monitor(command);
	}

	get #hasController(): boolean {
		return this.board === "nrf52840dk";
	}

	#on(): void {
		if (!this.#power) throw new Error("the device is off");
	}

	#now(): bigint {
		return this.#stoppedAt ?? this.#elapsed;
	}

	/** Emulates at most one slice; a reason if the device stopped in it for one. */
	async #slice(left: bigint): Promise<StopReason | undefined> {
		const longest = BigInt(SLICE * 1e9);
		const time = left < longest ? left : longest;
		await this.#feed();
		await this.#emulate(time);
		this.#elapsed += time;
		const [power, stop = ""] = (await this.monitor("sysbus.observer State")).split(" ");
		if (power === "off") {
			this.#power = false;
			this.#breakOutputs();
			return "power-cut";
		}
		if (stop === "running") return undefined;
		// The machine's clock went on to the end of the slice; the device's own stands here.
		this.#stoppedAt = BigInt(stop) * 1000n;
		return this.#log.whyStopped(this.output());
	}

	/** RunFor never returns when the emulated core has aborted (a fault in a fault): the log tells. */
	async #emulate(time: bigint): Promise<void> {
		const server = this.#server;
		if (server === undefined) throw new Error("the device is off");
		const patience = (this.#options.patience ?? 60) * 1000;
		const since = performance.now();
		let timer: NodeJS.Timeout | undefined;
		const stuck = new Promise<never>((_, reject) => {
			timer = setInterval(() => {
				const aborted = /CPU abort[^\n]*/.exec(server.log())?.[0];
				if (aborted === undefined && performance.now() - since < patience) return;
				reject(new Error(aborted ?? `the emulator made no progress for ${patience / 1000} s`));
				void server.stop();
			}, 500);
		});
		const running = server.monitor(`emulation RunFor "${Number(time) / 1e9}"`);
		running.catch(() => {}); // if the watch was first
		try {
			await Promise.race([running, stuck]);
		} finally {
			clearInterval(timer);
		}
	}

	async #feed(): Promise<void> {
		const input = this.#input;
		if (input !== undefined && !this.#inputEnded) {
			const parts: Uint8Array[] = [];
			let held = Number(await this.monitor(`sysbus.uart${INPUT_PORT} Queued`));
			while (held < AHEAD && !this.#inputEnded) {
				const next = await input.next();
				if (next.done === true) {
					this.#inputEnded = true;
				} else {
					parts.push(next.value);
					held += next.value.length;
				}
			}
			if (parts.length > 0) this.#queued.push({ port: INPUT_PORT, data: Buffer.concat(parts) });
		}
		for (const { port, data } of this.#queued.splice(0)) {
			await this.monitor(`sysbus.uart${port} FeedFile @${this.#file(data)}`);
		}
	}

	async #watch(what: string, symbol: string): Promise<void> {
		const address = this.#build.symbols.get(symbol);
		// Bit 0 of a function's symbol says Thumb.
		if (address !== undefined) await this.monitor(`sysbus.observer ${what} ${address & ~1}`);
	}

	/** What the device was sending when its power went is not continued. */
	#breakOutputs(): void {
		for (let port = 0; port < PORTS; port++) this.#sent(port).break();
	}

	#sent(port: number): PortText {
		const file = this.#outputFile(port);
		const sent = this.#outputs[port] as PortText;
		if (existsSync(file)) {
			const bytes = readFileSync(file);
			const read = this.#read[port] ?? 0;
			if (bytes.length > read) {
				this.#read[port] = bytes.length;
				sent.push(bytes.subarray(read));
			}
		}
		return sent;
	}

	#outputFile(port: number): string {
		if (!(port >= 0 && port < PORTS)) throw new RangeError(`there is no port ${port}`);
		return join(this.#folder, `port${port}`);
	}

	#address(address: number | string): number {
		if (typeof address === "number") return address;
		const value = this.#build.symbols.get(address);
		if (value === undefined) throw new Error(`the image has no symbol ${address}`);
		return value;
	}

	/** Passes bytes to Renode, which takes them from files only. */
	#file(data: Uint8Array): string {
		this.#files = (this.#files + 1) % 8;
		const file = join(this.#folder, `bytes${this.#files}`);
		writeFileSync(file, data);
		return file;
	}
}

async function* pieces(data: Uint8Array): AsyncGenerator<Uint8Array> {
	for (let at = 0; at < data.length; at += AHEAD) yield data.subarray(at, at + AHEAD);
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
