// pericard/webcrypto on the boards, against Node's WebCrypto: the same code runs on both.

import { beforeAll, expect, test } from "vitest";
import type { Device, DeviceRecord } from "../../tools/harness/device.ts";
import { groups, shown } from "./apps/webcrypto/cases.ts";
import { describeAt, mps2, nrf, posix, withDevice } from "./boards.ts";

const reports = (device: Device, type: string): unknown[] =>
	device
		.records()
		.filter((record: DeviceRecord) => record.event === "report" && record.type === type)
		.map((record) => record.data);

/** What Node gives for each case. */
const expected: (readonly [name: string, value: unknown])[] = [];

beforeAll(async () => {
	for (const [name, run] of groups.flatMap((group) => group())) {
		const value = JSON.stringify(shown(await run()));
		/* Node 20's name for what the standard calls InvalidAccessError. */
		expected.push([name, JSON.parse(value.replace("InvalidAccessException", "InvalidAccessError"))]);
	}
});

describeAt([posix, mps2, nrf], "crypto.subtle", (place) => {
	test("gives what Node gives", { timeout: 600_000 }, async () => {
		await withDevice(place, "webcrypto", async (device) => {
			expect(await device.run(300)).toBe("ended");
			const found = reports(device, "case") as [string, unknown][];
			const differs = found.flatMap(([name, value], i) => {
				const [here, there] = [JSON.stringify(value), JSON.stringify(expected[i]?.[1])];
				return here === there ? [] : [`${name}: ${here}, on Node ${there}`];
			});
			expect(differs).toEqual([]);
			expect(reports(device, "done")).toEqual([true]);
			expect(found.map(([name]) => name)).toEqual(expected.map(([name]) => name));
			expect(found.length).toBeGreaterThan(220);
		});
	});
});
