// A device in QEMU: qemu-system-arm in instruction-counting mode, ruled by our plugin (qemu-plugin/pericard-plugin.c).
//
// Emulated time is the count of instructions (16 ns each) plus the time slept, which QEMU skips.

import { spawn } from "node:child_process";
import {
	closeSync,
	existsSync,
	ftruncateSync,
	openSync,
	readFileSync,
	readSync,
	writeFileSync,
	writeSync,
} from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { readElf } from "../build/elf.ts";
import { ControlledDevice, type Machine, type MachineFiles, STORAGE_SIZE } from "./controlled.ts";
import { ControlLink } from "./link.ts";
import { NOISE_SYMBOL, noiseRecord } from "./noise.ts";
import { qemuPlugin } from "./plugin.ts";

/** mps2-an386: the PSRAM, whose end is the storage area. */
const PSRAM_SIZE = 16 << 20;
const START_MS = 30_000;

export class QemuDevice extends ControlledDevice {
	readonly emulator = "qemu";

	protected async launch(files: MachineFiles): Promise<Machine> {
		const plugin = await qemuPlugin();
		const psram = join(files.folder, "psram");
		loadStorage(files.storage, psram);
		const control = join(files.folder, "control");
		const logFile = join(files.folder, "qemu.log");
		const log = () => (existsSync(logFile) ? readFileSync(logFile, "utf8") : "");
		const output = openSync(logFile, "a");
		const server = createServer();
		await new Promise<void>((done) => server.listen(control, done));
		const child = spawn("qemu-system-arm", this.#arguments(files, psram, plugin, control), {
			stdio: ["ignore", output, output],
		});
		closeSync(output);
		try {
			const socket = await new Promise<Socket>((done, fail) => {
				const late = setTimeout(() => fail(new Error("QEMU does not start")), START_MS);
				server.once("connection", (connection) => {
					clearTimeout(late);
					done(connection);
				});
				child.once("error", (cause) => fail(new Error("qemu-system-arm could not be started", { cause })));
				child.once("exit", (code, signal) => fail(new Error(`QEMU ended (${signal ?? code})\n${log().slice(-2000)}`)));
			});
			const link = new ControlLink(socket);
			await this.#load(link);
			const record = this.build.symbols.get(NOISE_SYMBOL);
			if (record !== undefined) await link.write(record, noiseRecord(files.noise));
			return {
				process: child,
				link,
				saveStorage: () => saveStorage(psram, files.storage),
				log,
			};
		} catch (error) {
			child.kill("SIGKILL");
			throw error;
		} finally {
			server.close();
		}
	}

	/* The image is put into memory once: QEMU's own loader would do it again at each reset, and translate all code anew. */
	async #load(link: ControlLink): Promise<void> {
		const bytes = readFileSync(this.build.elf);
		for (const { physical, offset, size } of readElf(bytes, this.build.elf).segments) {
			if (size > 0) await link.write(physical, bytes.subarray(offset, offset + size));
		}
		await link.reset();
	}

	#arguments(files: MachineFiles, psram: string, plugin: string, control: string): string[] {
		const hooks = [
			...this.#address("gate", "pc_uart_rx_gate"),
			...this.#address("reset", "pc_system_reset"),
			...this.markAt.flatMap((symbol) => this.#address("mark", symbol)),
			...this.#address("stop", "pc_harness_stop"),
			...this.#address("flash", "pc_flash_step"),
			...files.outputs.map((_, port) => `uart${port}=uart${port}`),
			`control=${control}`, // the last one: it starts the control thread
		];
		return [
			...["-machine", "mps2-an386,memory-backend=psram"],
			...["-object", `memory-backend-file,id=psram,size=${PSRAM_SIZE},mem-path=${psram},share=on`],
			...["-icount", "shift=4,align=off,sleep=off"],
			...["-nodefaults", "-display", "none", "-monitor", "none", "-S"],
			...files.outputs.flatMap((file, port) => [
				...["-chardev", `file,id=uart${port},path=${file}`],
				...["-serial", `chardev:uart${port}`],
			]),
			...["-plugin", [plugin, ...hooks].join(",")],
		];
	}

	#address(name: string, symbol: string): string[] {
		const value = this.build.symbols.get(symbol);
		return value === undefined ? [] : [`${name}=${(value & ~1).toString(16)}`];
	}
}

function loadStorage(storage: string, psram: string): void {
	writeFileSync(psram, "");
	const file = openSync(psram, "r+");
	ftruncateSync(file, PSRAM_SIZE);
	writeSync(file, readFileSync(storage), 0, STORAGE_SIZE, PSRAM_SIZE - STORAGE_SIZE);
	closeSync(file);
}

function saveStorage(psram: string, storage: string): void {
	const data = Buffer.alloc(STORAGE_SIZE);
	const file = openSync(psram, "r");
	readSync(file, data, 0, STORAGE_SIZE, PSRAM_SIZE - STORAGE_SIZE);
	closeSync(file);
	writeFileSync(storage, data);
}
