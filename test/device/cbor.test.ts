// The CBOR codec runs on the device's engine as on Node.

import { expect, test } from "vitest";
import { EXAMPLES, MALFORMED } from "../unit/cbor-examples.ts";
import { describeAt, tierOne, withDevice } from "./boards.ts";

const malformed = Object.values(MALFORMED).flatMap((lists) => lists.join(" ").split(" ")).length;

describeAt(tierOne, "CBOR", (place) => {
	test("the examples of RFC 8949", async () => {
		await withDevice(place, "cbor", async (device) => {
			expect(await device.run(10)).toBe("ended");
			const [told] = device.records().flatMap((record) => (record.event === "report" ? [record.data] : []));
			expect(told).toEqual({ count: EXAMPLES.length + malformed, wrong: [] });
		});
	});
});
