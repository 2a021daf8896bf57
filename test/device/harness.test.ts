// The harness keeps its word: exact in emulated time, the same at every run, and in full command of the device.

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import type { Device } from "../../tools/harness/device.ts";
import { describeAt, image, mps2, posix, withDevice } from "./boards.ts";

const app = "harness";

/* A stream with every byte value but the line's end, and then one. */
const stream = new Uint8Array(5000).map((_, i) => (i === 4999 ? 10 : 128 + ((i * 7) % 128)));

async function history(device: Device): Promise<unknown> {
	await device.run(0.25);
	device.write(stream, 1);
	const sum = await device.waitFor(/sum .*/, { seconds: 2 });
	await device.run(0.1234567);
	return [sum, await device.now(), await device.instructions(), device.output()];
}

describeAt([posix, mps2], "harness", (place) => {
	beforeAll(() => image(app, place.board));

	test("stands still at power-on and stops exactly when asked", async () => {
		await withDevice(place, app, async (device) => {
			expect(await device.now()).toBe(0);
			expect(device.output()).toBe("");
			expect(await device.run(0.25)).toBe("time");
			expect(await device.now()).toBe(0.25);
			expect(device.output()).toContain("tick 1");
			expect(device.output()).not.toContain("tick 3");
			expect(await device.run(0.75)).toBe("time");
			expect(await device.now()).toBe(1);
			expect(device.records()[0]).toMatchObject({ event: "boot", reset: "power-on", archive: "ok" });
		});
	});

	test("gives the same at every run", async () => {
		const first = await withDevice(place, app, history);
		expect(await withDevice(place, app, history)).toEqual(first);
	});

	test("a run in pieces is the same run", async () => {
		const whole = await withDevice(place, app, async (device) => {
			await device.run(2);
			return [await device.instructions(), device.output()];
		});
		const pieces = await withDevice(place, app, async (device) => {
			for (let i = 0; i < 40; i++) await device.run(0.05);
			return [await device.instructions(), device.output()];
		});
		expect(pieces).toEqual(whole);
	});

	test("streams input without loss, the same way whatever the pieces", async () => {
		const size = 40_000;
		const data = new Uint8Array(size).map((_, i) => (i === size - 1 ? 10 : 128 + ((i * 11) % 128)));
		async function* crumbs(): AsyncGenerator<Uint8Array> {
			for (let at = 0; at < size; at += 777) {
				if (at % 5 === 0) await new Promise((done) => setTimeout(done, 2));
				yield data.subarray(at, at + 777);
			}
		}
		const run = (input: AsyncIterable<Uint8Array> | Uint8Array) =>
			withDevice(
				place,
				app,
				async (device) => [
					await device.waitFor(/sum .*/, { seconds: 20 }),
					await device.now(),
					await device.instructions(),
				],
				{ device: { input } },
			);
		const whole = await run(data);
		expect(whole[0]).toMatch(/^sum 40000 /);
		expect(await run(crumbs())).toEqual(whole);
	});

	test("stops an endless loop", async () => {
		await withDevice(place, app, async (device) => {
			device.write("loop\n", 1);
			expect(await device.run(1.5)).toBe("time");
			expect(await device.now()).toBe(1.5);
			expect(device.output()).toContain("looping");
			expect(await device.run(0.5)).toBe("time");
			expect(await device.now()).toBe(2);
			expect(device.output()).not.toContain("tick 2");
		});
	});

	test("waits with a deadline in emulated time", async () => {
		await withDevice(place, app, async (device) => {
			expect(await device.waitFor("tick 3", { seconds: 1 })).toBe("tick 3");
			expect(await device.now()).toBeLessThan(0.4);
			await expect(device.waitFor("tick 3", { seconds: 0.5 })).rejects.toThrow(
				/within 0.5 emulated seconds[\s\S]*tick 8/,
			);
			expect(await device.now()).toBeLessThan(0.9);
		});
	});

	test("tells how the firmware ended", async () => {
		await withDevice(place, app, async (device) => {
			device.write("end\n", 1);
			expect(await device.run(5)).toBe("ended");
			expect(await device.now()).toBeLessThan(0.5);
		});
		await withDevice(place, app, async (device) => {
			device.write("throw\n", 1);
			expect(await device.run(5)).toBe("uncaught");
			expect(device.records().find(({ event }) => event === "uncaught")).toMatchObject({
				name: "RangeError",
				message: "asked to",
			});
			expect(await device.run(0.25)).toBe("time");
			expect(device.output()).toContain("ready uncaught-exception 1");
		});
	});

	test("reads and writes memory", async () => {
		await withDevice(place, app, async (device, build) => {
			await device.run(0.1);
			const creation = Buffer.from(await device.readMemory("pc_creation", 4)).readUInt32LE(0);
			expect(creation).toBeGreaterThan(1000);
			const address = (build.symbols.get("pc_heap") ?? 0) + (creation >> 1);
			const old = await device.readMemory(address, 5000);
			await device.writeMemory(
				address,
				old.map((byte) => byte ^ 0xff),
			);
			expect(await device.readMemory(address, 5000)).toEqual(old.map((byte) => byte ^ 0xff));
			await device.writeMemory(address, old);
			await expect((async () => device.readMemory("no such symbol", 4))()).rejects.toThrow("no such symbol");
			expect(await device.run(0.1)).toBe("time");
		});
	});

	test("resets: by the firmware and by the button; time goes on", async () => {
		const resets = async (device: Device) => {
			await device.run(0.15);
			device.write("restart\n", 1);
			await device.waitFor("ready software 1", { seconds: 1 });
			await device.run(0.25);
			const between = await device.now();
			await device.reset();
			expect(await device.now()).toBe(between);
			await device.waitFor(/ready \S+ 2/, { seconds: 1 });
			await device.run(0.25);
			return [await device.now(), await device.instructions(), device.output()];
		};
		const first = await withDevice(place, app, resets);
		expect(await withDevice(place, app, resets)).toEqual(first);
	});

	test("a power cut keeps the storage and nothing else", async () => {
		await withDevice(place, app, async (device) => {
			device.write("store\n", 1);
			await device.waitFor("stored", { seconds: 1 });
			await device.powerCut();
			expect(await device.now()).toBe(0);
			await device.waitFor("ready power-on 0", { seconds: 1 });
			device.write("load\n", 1);
			await device.waitFor("loaded 1 2 3 4 5 6 7 8 9 10 11 12", { seconds: 1 });
		});
	});

	test("cuts the power in the midst of a flash operation", async () => {
		const folder = mkdtempSync(join(tmpdir(), "pericard-test-"));
		try {
			const seen: string[] = [];
			for (const n of [2, 3, 4, 5]) {
				const storage = join(folder, `storage-${n}`);
				await withDevice(
					place,
					app,
					async (device) => {
						device.powerCutAtFlashOperation(n);
						device.write("store\n", 1);
						const reason = await device.run(1);
						expect(reason).toBe(n === 5 ? "time" : "power-cut");
						if (n === 5) return;
						expect(device.output()).not.toContain("stored");
						await device.start();
						device.write("load\n", 1);
						seen.push(await device.waitFor(/loaded .*/, { seconds: 1 }));
					},
					{ device: { storage } },
				);
				expect(existsSync(storage)).toBe(true);
			}
			expect(seen[0]).toMatch(/^loaded (?!1 2 3 4 ).* 255 255 255 255 255 255 255 255$/);
			expect(seen[1]).toMatch(/^loaded 1 2 3 4 (?!5 6 7 8 ).* 255 255 255 255$/);
			expect(seen[2]).toMatch(/^loaded 1 2 3 4 5 6 7 8 (?!9 10 11 12)/);
		} finally {
			rmSync(folder, { recursive: true });
		}
	});

	test("notes the count of instructions at marks", async () => {
		await withDevice(place, app, async (device) => {
			device.write("mark\n", 1);
			await device.waitFor("marked", { seconds: 1 });
			const marks = await device.marks();
			expect(marks).toHaveLength(10);
			const steps = marks.slice(1).map((mark, i) => mark - (marks[i] ?? 0n));
			expect(steps.every((step) => step >= 0n && step < 10_000n)).toBe(true);
			if (place.emulator === "qemu") expect(new Set(steps.slice(1, -1)).size).toBeLessThanOrEqual(2);
		});
	});
});
