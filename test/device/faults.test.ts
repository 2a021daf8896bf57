// What ends a firmware is recorded, survives the reset, and is told to the application: violations of memory protection,
// exhausted stacks and heaps, exceptions and rejections that nothing caught, the watchdog, a restart.

import { expect, test } from "vitest";
import type { DeviceRecord } from "../../tools/harness/device.ts";
import { describeAt, mps2, nrf, type Place, posix, withDevice } from "./boards.ts";

/** How each violation ends: the reason, and what must be true of the record that the next start reports. */
interface Ending {
	readonly after: string;
	readonly reason: string | RegExp;
	readonly message?: string | RegExp;
	/** Bits of CFSR that must be set (Armv7-M). */
	readonly cfsr?: number;
	readonly address?: (address: number) => boolean;
}

const IACCVIOL = 1 << 0;
const DACCVIOL = 1 << 1;
const UNDEFINSTR = 1 << 16;

const onArm: readonly Ending[] = [
	{
		after: "write-code",
		reason: "memory-fault",
		cfsr: DACCVIOL,
		address: (address) => address > 0x200 && address < 0x100000,
	},
	{ after: "execute-data", reason: "memory-fault", cfsr: IACCVIOL },
	{ after: "read-null", reason: "memory-fault", cfsr: DACCVIOL, address: (address) => address === 4 },
	{ after: "read-nowhere", reason: "memory-fault", cfsr: DACCVIOL, address: (address) => address === 0x30000000 },
	{ after: "c-overflow", reason: "stack-overflow" },
	{ after: "undefined", reason: "usage-fault", cfsr: UNDEFINSTR },
];

const everywhere: readonly Ending[] = [
	{ after: "js-overflow", reason: "stack-overflow" },
	{ after: "out-of-memory", reason: "out-of-memory" },
	{ after: "uncaught", reason: "uncaught-exception", message: "RangeError: out of patience" },
	{ after: "rejection", reason: "unhandled-rejection", message: "TypeError: nobody cares" },
	{ after: "timer-uncaught", reason: "uncaught-exception", message: "RangeError: out of patience" },
	{ after: "watchdog", reason: "watchdog" },
	{ after: "nul", reason: "uncaught-exception", message: "Error: a\0b" },
	{ after: "restart", reason: "software", message: "because I can" },
	{ after: "long", reason: "software", message: /^é{47}$/ },
];

/* A process has no MPU: its first six violations end in a signal, which the host turns into the nearest reason. */
const onPosix: readonly Ending[] = onArm.map(({ after }) => ({ after, reason: /fault$|^stack-overflow$/ }));

async function endings(place: Place): Promise<readonly DeviceRecord[]> {
	return withDevice(
		place,
		"faults",
		async (device) => {
			for (let starts = 0; starts < 20; starts++) if ((await device.run(5)) === "ended") break;
			return device.records();
		},
		{ sanitize: false, config: { skip: skipped(place) } },
	);
}

/* Renode 1.16's core aborts when an exception can't push its frame, which is what a C stack's overflow ends in. */
function skipped(place: Place): string {
	return place.emulator === "renode" ? "c-overflow" : "";
}

describeAt([posix, mps2, nrf], "reset reasons", (place) => {
	const but = skipped(place) === "" ? "" : ` (all but ${skipped(place)})`;
	test(`every violation is recorded with its reason${but}`, async () => {
		const records = await endings(place);
		expect(records.find((record) => record.event === "uncaught" && record.message === "a\0b")).toBeDefined();
		const reports = records
			.filter((record) => record.event === "report" && record.type === "reset")
			.map((record) => record.data as Record<string, unknown>);
		expect(reports[0]).toMatchObject({ after: "none", reason: "power-on", count: 0 });
		const violations = [...(place.board === "posix" ? onPosix : onArm), ...everywhere];
		const expected = violations.filter((ending) => ending.after !== skipped(place));
		expect(reports.slice(1).map((report) => report.after)).toEqual(expected.map((ending) => ending.after));
		for (const [index, ending] of expected.entries()) {
			const report = reports[index + 1] as Record<string, unknown>;
			expect(report.reason, ending.after).toMatch(ending.reason);
			if (ending.message !== undefined) expect(report.message, ending.after).toMatch(ending.message);
			if (ending.cfsr !== undefined) {
				expect((report.cfsr as number) & ending.cfsr, `${ending.after}: cfsr`).toBe(ending.cfsr);
				expect(report.pc, `${ending.after}: pc`).not.toBe(0);
			}
			if (ending.address !== undefined) {
				expect(ending.address(report.address as number), `${ending.after}: address ${report.address}`).toBe(true);
			}
		}
	});
});
