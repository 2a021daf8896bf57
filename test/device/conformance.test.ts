// The engine build does ES2022 as documented, on every board with the same result.

import { expect, test } from "vitest";
import { describeAt, tierOne, withDevice } from "./boards.ts";

describeAt(tierOne, "conformance", (place) => {
	test("every chosen feature of ES2022", async () => {
		await withDevice(place, "conformance", async (device) => {
			expect(await device.run(60)).toBe("ended");
			const records = device.records();
			const failed = records.filter((record) => record.event === "test" && record.ok !== true);
			expect(failed).toEqual([]);
			const summary = records.find((record) => record.event === "tests");
			expect(summary).toMatchObject({ passed: 49, failed: 0, skipped: 0 });
		});
	});
});
