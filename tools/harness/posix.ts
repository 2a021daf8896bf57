// A device as a process of this machine (hosts/posix), ruled over a socket that is its file descriptor 3.

import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { join } from "node:path";
import { ControlledDevice, type Machine, type MachineFiles } from "./controlled.ts";
import { ControlLink } from "./link.ts";

export class PosixDevice extends ControlledDevice {
	readonly emulator = "posix";

	protected async launch(files: MachineFiles): Promise<Machine> {
		const logFile = join(files.folder, "posix.log");
		const log = openSync(logFile, "a");
		const [console, port1] = files.outputs.map((file) => openSync(file, "w"));
		const { seed, fault, after } = files.noise;
		const noise = ["--seed", String(seed), "--noise", `${fault}:${after}`];
		const child = spawn(this.build.elf, ["--storage", files.storage, ...noise], {
			stdio: ["ignore", console, log, "pipe", port1],
			env: { ...process.env, ASAN_OPTIONS: "detect_leaks=0:abort_on_error=0", UBSAN_OPTIONS: "print_stacktrace=1" },
		});
		for (const file of [console, port1, log]) if (file !== undefined) closeSync(file);
		await new Promise<void>((done, fail) => {
			child.once("spawn", done);
			child.once("error", (cause) => fail(new Error(`${this.build.elf} could not be started`, { cause })));
		});
		return {
			process: child,
			link: new ControlLink(child.stdio[3] as Socket),
			saveStorage: () => {}, // the process has the file mapped
			log: () => (existsSync(logFile) ? readFileSync(logFile, "utf8") : ""),
		};
	}
}
