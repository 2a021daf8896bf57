// Runs on the device: `pericard test .`

import { describe, expect, test } from "pericard/test";
import { median } from "../median.ts";

describe("median", () => {
	test("takes the middle value", () => {
		expect(median([5, 1, 3])).toBe(3);
	});

	test("takes the mean of two middle values", () => {
		expect(median([4, 1, 2, 3])).toBe(2.5);
	});

	test("refuses an empty list", () => {
		expect(() => median([])).toThrow(RangeError);
	});
});
