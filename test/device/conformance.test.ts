// The engine build does ES2022 as documented, on every board with the same result.

import { expect, test, vi } from "vitest";
import type { Device } from "../../tools/harness/device.ts";
import { describeAt, mps2, nrf, tierOne, withDevice } from "./boards.ts";

vi.setConfig({ testTimeout: 300_000 });

async function conforms(device: Device): Promise<void> {
	expect(await device.run(60)).toBe("ended");
	const records = device.records();
	const failed = records.filter((record) => record.event === "test" && record.ok !== true);
	expect(failed).toEqual([]);
	const summary = records.find((record) => record.event === "tests");
	expect(summary).toMatchObject({ passed: 49, failed: 0, skipped: 0 });
}

describeAt(tierOne, "conformance", (place) => {
	test("every chosen feature of ES2022", () => withDevice(place, "conformance", conforms));
});

/* With the heap that the arena leaves. */
describeAt([mps2, nrf], "conformance of an image whose code moves", (place) => {
	test("every chosen feature of ES2022", async () => {
		await withDevice(place, "test/device/apps/conformance/moving.json", async (device) => {
			await device.run(0.3);
			const before = await device.readMemory("pc_dispatch", 64);
			await conforms(device);
			expect(await device.readMemory("pc_dispatch", 64)).not.toEqual(before);
		});
	});
});
