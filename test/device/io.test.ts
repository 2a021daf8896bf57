// The classes that an application has, tested on the device by the device's own tests.

import { expect, test } from "vitest";
import { describeAt, tierOne, withDevice } from "./boards.ts";

describeAt(tierOne, "I/O, timers and storage", (place) => {
	test("the device's own tests pass", async () => {
		await withDevice(place, "io", async (device) => {
			device.write(""); // the line to port 1 is up, and silent
			// The peer echoes.
			let echoed = 0;
			for (let slice = 0; slice < 400; slice++) {
				const reason = await device.run(0.01);
				const sent = device.output(1);
				if (sent.length > echoed)
					device.write(
						Uint8Array.from(sent.slice(echoed), (c) => c.charCodeAt(0)),
						1,
					);
				echoed = sent.length;
				if (reason === "ended") break;
				expect(reason).toBe("time");
			}
			const records = device.records();
			expect(records.filter((record) => record.event === "test" && record.ok !== true)).toEqual([]);
			expect(records.find((record) => record.event === "tests")).toMatchObject({ passed: 28, failed: 0 });
		});
	});
});
