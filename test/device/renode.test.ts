// The nRF52840 board and its models in Renode: what no other emulator shows. Skipped where Renode is not installed.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Build, buildFirmware } from "../../tools/build/build.ts";
import { RenodeDevice, RenodeServer } from "../../tools/harness/renode.ts";
import { which } from "../../tools/requirements.mjs";

const HAL_OK = 0;
const HAL_FAULT = 6;
const absent = which("renode") === undefined;

describe.skipIf(absent)("nrf52840dk in Renode (needs `renode` on PATH)", () => {
	let folder: string;
	let build: Build;
	let server: RenodeServer;
	let device: RenodeDevice;

	beforeAll(async () => {
		folder = mkdtempSync(join(tmpdir(), "pericard-renode-test-"));
		build = await buildFirmware({
			app: join(import.meta.dirname, "apps/renode-board"),
			board: "nrf52840dk",
			out: folder,
		});
		server = await RenodeServer.start(folder);
	});

	afterAll(async () => {
		await server?.stop();
		rmSync(folder, { recursive: true, force: true });
	});

	afterEach(async () => {
		await device.stop();
	});

	async function boot(storage?: string): Promise<void> {
		device = new RenodeDevice(build, { server, storage });
		await device.start();
		await report("ready");
	}

	/** Waits for the next report of a type; its data. */
	async function report(type: string): Promise<Record<string, unknown>> {
		const text = await device.waitFor(new RegExp(`\\x1e\\{"event":"report","type":"${type}"[^\\n]*\\n`), {
			seconds: 2,
		});
		return (JSON.parse(text.slice(1)) as { data?: Record<string, unknown> }).data ?? {};
	}

	function ask(command: string, answer = command.split(" ")[0] ?? ""): Promise<Record<string, unknown>> {
		device.write(`${command}\n`, 1);
		return report(answer);
	}

	const model = (property: string) => device.monitor(`sysbus.${property}`);

	it("boots from power-on and hears its second port", async () => {
		await boot();
		expect(device.records()[0]).toMatchObject({ event: "boot", app: "renode-board", reset: "power-on", archive: "ok" });
		expect(await ask("echo 17 4")).toEqual({ a: 17, b: 4 });
	});

	it("does not wake up when there is nothing to do", async () => {
		await boot();
		const { count: before } = await ask("wakeups");
		await device.run(30);
		const { count: after } = await ask("wakeups");
		// One for each byte of the question, and none for half a minute.
		expect(Number(after) - Number(before)).toBeLessThanOrEqual("wakeups\n".length + 4);
	});

	it("keeps NOR's rules in flash, and the model sees none broken", async () => {
		await boot();
		expect(await ask("erase 4096")).toEqual({ status: HAL_OK, word: 0xffffffff });
		expect(await ask("program 4096 305419896")).toEqual({ status: HAL_OK, word: 0x12345678 });
		expect(await ask("program 4096 305397760")).toEqual({ status: HAL_OK, word: 0x12340000 & 0x12345678 & 305397760 });
		expect((await ask("program 4096 4294967295")).status).toBe(HAL_FAULT);
		expect(await model("nvmc Faults")).toMatch(/^0x0+$/);
		expect(Number(await model("storage EraseCount 4096"))).toBe(1);
	});

	it("refuses a write that the flash controller was not asked to allow", async () => {
		await boot();
		await ask("erase 0");
		await device.monitor("sysbus WriteDoubleWord 0xF0000 0");
		expect(await ask("word 0")).toEqual({ word: 0xffffffff });
		expect(await model("nvmc LastFault")).toContain("without write enable");
	});

	it("loses power in the midst of a program: the word is torn, the rest is kept, RAM is not", async () => {
		await boot();
		await ask("erase 0");
		expect((await ask("program 0 16909060")).status).toBe(HAL_OK);
		device.powerCutAtFlashOperation(1);
		device.write("program 4 0\n", 1);
		expect(await device.run(1)).toBe("power-cut");
		await device.start();
		expect(await report("ready")).toEqual({ reset: "power-on", count: 0 });
		expect(await ask("word 0")).toEqual({ word: 0x01020304 });
		const torn = Number((await ask("word 4")).word);
		expect(torn).not.toBe(0);
		expect(torn).not.toBe(0xffffffff);
	});

	it("loses power in the midst of an erase: a second erase mends the page", async () => {
		await boot();
		await ask("erase 0");
		for (let i = 0; i < 4; i++) await ask(`program ${i * 4} ${i}`);
		device.powerCutAtFlashOperation(1);
		device.write("erase 0\n", 1);
		expect(await device.run(1)).toBe("power-cut");
		await device.start();
		await report("ready");
		expect(await ask("erase 0")).toEqual({ status: HAL_OK, word: 0xffffffff });
		expect((await ask("program 0 1")).status).toBe(HAL_OK);
	});

	it("keeps the storage area in its file", async () => {
		const storage = join(folder, "storage");
		await boot(storage);
		await ask("erase 0");
		await ask("program 0 42");
		await device.stop();
		await boot(storage);
		expect(await ask("word 0")).toEqual({ word: 42 });
	});

	it("says why it was reset", async () => {
		await boot();
		await device.reset();
		expect(await report("ready")).toEqual({ reset: "pin", count: 1 });
		device.write("restart\n", 1);
		expect(await report("ready")).toEqual({ reset: "software", count: 2 });
		await ask("dog 200");
		expect(await report("ready")).toEqual({ reset: "watchdog", count: 3 });
		await device.powerCut();
		expect(await report("ready")).toEqual({ reset: "power-on", count: 0 });
	});

	it("reads a thermometer over I2C, and says when nobody answers", async () => {
		await boot();
		await device.monitor("sysbus.twi0.thermometer Temperature 36.6");
		expect((await ask("temperature")).celsius).toBeCloseTo(36.6, 2);
		await device.monitor("sysbus.twi0.thermometer Temperature 39.2");
		expect((await ask("temperature")).celsius).toBeCloseTo(39.2, 2);
		expect((await ask("absent")).error).toContain("0x11");
	});

	it("takes noise from the RNG", async () => {
		await boot();
		const bytes = (await ask("noise 64")).bytes as number[];
		expect(bytes).toHaveLength(64);
		expect(Math.min(...bytes)).toBeGreaterThanOrEqual(0);
		expect(new Set(bytes).size).toBeGreaterThan(32);
	});

	it("sees both edges of a button", async () => {
		await boot();
		device.write("button\n", 1);
		await report("watching");
		await device.monitor("sysbus.gpio0.button1 Press");
		expect(await report("button")).toEqual({ level: 0 });
		await device.monitor("sysbus.gpio0.button1 Release");
		expect(await report("button")).toEqual({ level: 1 });
	});

	it("runs the same twice", async () => {
		const runs: string[] = [];
		for (let i = 0; i < 2; i++) {
			await boot();
			await ask("noise 8");
			await ask("echo 1 2");
			runs.push(`${await device.instructions()} ${await device.now()}\n${device.output()}`);
			if (i === 0) await device.stop();
		}
		expect(runs[1]).toBe(runs[0]);
	});
});
