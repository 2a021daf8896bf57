// The engine build does ES2022 as documented, on every board with the same result.

import { expect, test, vi } from "vitest";
import { describeAt, mps2, nrf, type Place, tierOne, withDevice } from "./boards.ts";

vi.setConfig({ testTimeout: 300_000 });

async function conforms(place: Place, app: string): Promise<void> {
	await withDevice(place, app, async (device) => {
		expect(await device.run(60)).toBe("ended");
		const records = device.records();
		const failed = records.filter((record) => record.event === "test" && record.ok !== true);
		expect(failed).toEqual([]);
		const summary = records.find((record) => record.event === "tests");
		expect(summary).toMatchObject({ passed: 49, failed: 0, skipped: 0 });
	});
}

describeAt(tierOne, "conformance", (place) => {
	test("every chosen feature of ES2022", () => conforms(place, "conformance"));
});

/* With the heap that the arena leaves. */
describeAt([mps2, nrf], "conformance of an image whose code moves", (place) => {
	test("every chosen feature of ES2022", () => conforms(place, "test/device/apps/conformance/moving.json"));
});
