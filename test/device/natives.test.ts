// C functions of an app, bound by name in its TypeScript, on the boards.

import { expect, test } from "vitest";
import { describeAt, eachBoard, withDevice } from "./boards.ts";

describeAt(eachBoard, "natives", (place) => {
	test("every form works on the device", async () => {
		await withDevice(place, "natives", async (device) => {
			expect(await device.run(10)).toBe("ended");
			const records = device.records();
			expect(records.filter((record) => record.event === "test" && record.ok !== true)).toEqual([]);
			expect(records.find((record) => record.event === "tests")).toMatchObject({ passed: 7, failed: 0 });
		});
	});
});
