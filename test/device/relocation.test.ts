// Code that moves in a whole firmware: it is at another place after each move, computes what it should, and measures as it was built.

import { expect, test, vi } from "vitest";
import type { Build } from "../../tools/build/build.ts";
import type { Device } from "../../tools/harness/device.ts";
import { ManagementClient } from "../../tools/harness/management.ts";
import { readLog } from "../../tools/verifier/log.ts";
import { describeAt, mps2, posix, withDevice } from "./boards.ts";

vi.setConfig({ testTimeout: 300_000 });

const APP = "relocation";
const SECONDS = { seconds: 60 };
const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString("hex");

interface Tick {
	readonly ticks: number;
	readonly wrong: number;
	readonly moving: boolean;
	readonly status: string;
	readonly epoch: number;
}

function reports<T>(device: Device, type: string): T[] {
	return device.records().flatMap((record) => (record.type === type ? [record.data as T] : []));
}

/** Regions whose digest is not what was built. */
async function differing(device: Device, build: Build): Promise<string[]> {
	const { log } = await new ManagementClient(device).attest(new Uint8Array(32).fill(3), SECONDS);
	return readLog(log).flatMap(({ entries }, component) =>
		entries.flatMap(({ name, digest }, index) =>
			hex(digest) === build.reference.components[component]?.entries[index]?.value ? [] : [name],
		),
	);
}

describeAt([mps2], "code that moves", (place) => {
	test("has moved before the app runs, moves on, and computes what it should", async () => {
		await withDevice(place, APP, async (device) => {
			await device.run(0.1);
			expect(reports(device, "start")).toEqual([{ status: "ready", epoch: 1, bits: expect.any(Number) }]);
			expect(reports<{ bits: number }>(device, "start")[0]?.bits).toBeGreaterThan(256);
			const before = await device.readMemory("pc_dispatch", 64);
			await device.run(2);
			const last = reports<Tick>(device, "tick").at(-1);
			expect(last).toMatchObject({ wrong: 0, moving: true });
			expect(last?.epoch).toBeGreaterThan(40);
			expect(hex(await device.readMemory("pc_dispatch", 64))).not.toBe(hex(before));
		});
	});

	test("measures as it was built while it moves, and a byte that is changed in RAM shows", async () => {
		await withDevice(place, APP, async (device, build) => {
			const names = build.reference.components[0]?.entries.map(({ name }) => name);
			expect(names).toEqual([
				"vectors",
				"host",
				"native",
				"canonical",
				"relocation",
				"library",
				"data",
				"moved",
				"dispatch",
			]);
			expect(await differing(device, build)).toEqual([]);
			await device.run(0.1);
			expect(await differing(device, build)).toEqual([]);
			const last = reports<Tick>(device, "tick").at(-1);
			expect(last).toMatchObject({ wrong: 0 });
			expect(last?.epoch).toBeGreaterThan(3);
		});
	});
});

describeAt([posix], "code that stays", () => {
	test("says so", async () => {
		await withDevice(posix, APP, async (device) => {
			await device.run(0.1);
			expect(reports(device, "start")).toEqual([{ status: "none", epoch: 0, bits: 0 }]);
			expect(reports<Tick>(device, "tick").at(-1)).toMatchObject({ wrong: 0, moving: false, status: "none", epoch: 0 });
		});
	});
});
