// The bytes of the Heart Rate Measurement characteristic.

import { describe, expect, test } from "vitest";
import { decodeHeartRate, encodeHeartRate, HEART_RATE_MEASUREMENT } from "../../firmware/profiles/heart-rate.ts";
import { reportingNotifier } from "../../firmware/profiles/notifier.ts";

describe("Heart Rate Measurement (0x2A37)", () => {
	test.each([
		[{ bpm: 72, contact: null, rr: [] }, [0x00, 72]],
		[{ bpm: 0, contact: false, rr: [] }, [0x04, 0]],
		[{ bpm: 72, contact: true, rr: [] }, [0x06, 72]],
		[{ bpm: 60, contact: true, rr: [1] }, [0x16, 60, 0x00, 0x04]],
		[{ bpm: 75, contact: true, rr: [0.8, 0.5] }, [0x16, 75, 0x33, 0x03, 0x00, 0x02]],
		[{ bpm: 255, contact: null, rr: [] }, [0x00, 255]],
		[{ bpm: 256, contact: null, rr: [] }, [0x01, 0x00, 0x01]],
		[{ bpm: 300, contact: true, rr: [0.2] }, [0x17, 0x2c, 0x01, 0xcd, 0x00]],
		[{ bpm: 1, contact: null, rr: [63.99] }, [0x10, 1, 0xf6, 0xff]],
	])("%j", (measurement, bytes) => {
		expect([...encodeHeartRate(measurement)]).toEqual(bytes);
		const decoded = decodeHeartRate(Uint8Array.from(bytes));
		expect(decoded).toMatchObject({ bpm: measurement.bpm, contact: measurement.contact });
		expect(decoded.rr.length).toBe(measurement.rr.length);
		decoded.rr.forEach((interval, index) => {
			expect(Math.abs(interval - (measurement.rr[index] as number))).toBeLessThanOrEqual(0.5 / 1024);
		});
	});

	test("a measurement of another maker: energy expended, u16 rate", () => {
		const bytes = Uint8Array.of(0x1f, 0x48, 0x00, 0x10, 0x27, 0x00, 0x04);
		expect(decodeHeartRate(bytes)).toEqual({ bpm: 72, contact: true, rr: [1] });
	});

	test("what does not fit is refused", () => {
		expect(() => encodeHeartRate({ bpm: 72.5, contact: null, rr: [] })).toThrow(/whole number/);
		expect(() => encodeHeartRate({ bpm: 65536, contact: null, rr: [] })).toThrow(RangeError);
		expect(() => encodeHeartRate({ bpm: 60, contact: null, rr: [64] })).toThrow(/63.999/);
		expect(() => encodeHeartRate({ bpm: 60, contact: null, rr: new Array(10).fill(1) })).toThrow(
			/do not fit into 20 bytes/,
		);
		expect(encodeHeartRate({ bpm: 60, contact: null, rr: new Array(9).fill(1) }).length).toBe(20);
		for (const bytes of [[], [0], [1, 2], [0, 60, 1], [0x10, 60, 1], [8, 60]]) {
			expect(() => decodeHeartRate(Uint8Array.from(bytes))).toThrow(RangeError);
		}
	});

	test("a notification is reported in hexadecimal", () => {
		const reports: unknown[] = [];
		const notify = reportingNotifier((type, data) => reports.push([type, data]));
		notify(HEART_RATE_MEASUREMENT, Uint8Array.of(0x16, 60, 0, 4));
		expect(reports).toEqual([["notify", { uuid: "2a37", value: "163c0004" }]]);
	});
});
