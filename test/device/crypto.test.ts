// Cryptography on the boards: published vectors, what work is counted, and that time does not depend on secrets.

import { describe, expect, test } from "vitest";
import { describeAt, mps2, tierOne, withDevice } from "./boards.ts";

describeAt(tierOne, "pericard/crypto", (place) => {
	test("agrees with every published vector, and refuses what it must", async () => {
		await withDevice(place, "crypto", async (device) => {
			expect(await device.run(60)).toBe("ended");
			const records = device.records();
			expect(records.filter((record) => record.event === "test" && record.ok !== true)).toEqual([]);
			expect(records.find((record) => record.event === "tests")).toMatchObject({ passed: 26, failed: 0 });
		});
	});
});

describe("what everything reports of its work, on the Cortex-M4", () => {
	const operations = [
		"hash",
		"public",
		"sign",
		"ecdh",
		"verify",
		"x25519",
		"ed25519-sign",
		"ed25519",
		"ctr",
		"ccm",
		"gcm",
	];

	test("is right to 15 %, and no more than 8,000 instructions apart", async () => {
		await withDevice(mps2, "crypto-cost", async (device) => {
			expect(await device.run(60)).toBe("ended");
			const marks = await device.marks();
			const reports = device.records().filter((record) => record.event === "report");
			expect(reports.map((report) => report.type)).toEqual(operations);
			let at = 0;
			for (const { type, data } of reports) {
				const { counted, marks: count } = data as { counted: number; marks: number };
				const total = Number((marks[at + 1] as bigint) - (marks[at] as bigint));
				expect(counted / total, `${type}: ${counted} counted, ${total} executed`).toBeGreaterThan(0.85);
				expect(counted / total, `${type}: ${counted} counted, ${total} executed`).toBeLessThan(1.15);
				const steps = marks.slice(at + 2, at + 2 + count).map(Number);
				const longest = Math.max(...steps.slice(1).map((mark, i) => mark - (steps[i] as number)));
				expect(longest, `${type}: instructions between two reports`).toBeLessThan(8000);
				at += 2 + count;
			}
			expect(at).toBe(marks.length);
		});
	});
});

describe("operations on secrets, on the Cortex-M4", () => {
	test("execute as many instructions whatever the secret is", async () => {
		await withDevice(mps2, "crypto-time", async (device) => {
			expect(await device.run(60)).toBe("ended");
			const marks = (await device.marks()).map(Number);
			let at = 0;
			for (const { type, data } of device.records().filter((record) => record.event === "report")) {
				const { secrets } = data as { secrets: number };
				const counts = Array.from({ length: secrets }, () => {
					const [from = 0, to = 0] = marks.slice(at, at + 2);
					at += 2;
					return to - from;
				});
				expect(counts, String(type)).toEqual(counts.map(() => counts[0]));
				expect(counts[0]).toBeGreaterThan(100);
			}
			expect(at).toBe(80);
			expect(at).toBe(marks.length);
		});
	});
});
