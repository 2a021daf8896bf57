// Long work in the background: how long it holds anything up, what it leaves behind, and how its failures are recorded.

import { expect, test } from "vitest";
import type { Device, DeviceRecord } from "../../tools/harness/device.ts";
import { describeAt, eachBoard, withDevice } from "./boards.ts";

const app = "background";
const LONGEST_SLICE = 64_000;

const reports = (device: Device): Map<unknown, unknown> =>
	new Map(
		device
			.records()
			.filter((record: DeviceRecord) => record.event === "report")
			.map(({ type, data }) => [type, data]),
	);

/** Instructions between the ends of the marked steps, which come in pairs: before and after the work was counted. */
function turns(marks: readonly bigint[]): { longest: number; slices: number } {
	let begin = 0n;
	let longest = 0;
	let slices = 0;
	for (let i = 1; i < marks.length; i += 2) {
		const before = marks[i - 1] ?? 0n;
		const after = marks[i] ?? 0n;
		// The fibre stood still in between: the event loop had its turn.
		if (after - before > 100n) {
			if (begin > 0n) longest = Math.max(longest, Number(after - begin));
			begin = after;
			slices++;
		}
	}
	return { longest, slices };
}

describeAt(eachBoard, "background", (place) => {
	test("slices are short, timers and input go first, jobs keep their order", { timeout: 300_000 }, async () => {
		await withDevice(place, app, async (device) => {
			for (const beside of ["nothing", "a job"]) {
				await device.waitFor(`listening beside ${beside}`, { seconds: 2 });
				device.write(new Uint8Array(3000).fill(0x41), 1);
			}
			for (let stops = 0; stops < 30 && !device.output().includes('"end"'); stops++) await device.run(1);
			const told = reports(device);
			expect(told.get("alone")).toMatchObject({ right: true });
			if (place.emulator !== "posix") {
				const { longest, slices } = turns(await device.marks());
				// 1.2 M instructions of 48 k.
				expect(slices).toBeGreaterThanOrEqual(20);
				expect(longest).toBeGreaterThan(40_000);
				expect(longest).toBeLessThanOrEqual(LONGEST_SLICE);
			}
			const [without, beside] = ["nothing", "a job"].map((name) => told.get(name) as Record<string, number>) as [
				Record<string, number>,
				Record<string, number>,
			];
			expect(without.bytes).toBe(3000);
			expect(beside.bytes).toBe(3000);
			expect(beside.took).toBeGreaterThan(500_000);
			// Each tick of the timer came, and none was later by more than a slice (1 ms) than without a job. The end of the job
			// and a tick may fall together.
			expect([0, 1]).toContain(Math.floor((beside.took as number) / 5000) - (beside.ticks as number));
			expect(beside.latest).toBeLessThan((without.latest as number) + 1100);
			expect(told.get("order")).toEqual(["finished true", "job 0", "job 1", "job 2"]);
			const starved = told.get("starved") as Record<string, number>;
			expect(starved.right).toBe(true);
			// 300 k instructions are 7 slices.
			expect(starved.took).toBeGreaterThan(50_000);
			expect(starved.took).toBeLessThan(200_000);
			expect(told.get("last")).toBe(true);
		});
	});

	test("the stack of a job is wiped when the job has ended, and its use is measured", {
		timeout: 120_000,
	}, async () => {
		await withDevice(place, app, async (device, build) => {
			const secret = Buffer.from("this text must not stay");
			/* posix has a page below it that nobody may touch, and room for what sanitizers add. */
			const [guard, size] = place.board === "posix" ? [4096, 128 << 10] : [0, 4096];
			const base = (build.symbols.get("pc_fibre_stack") ?? 0) + guard;
			const stack = async (): Promise<Buffer> => Buffer.from(await device.readMemory(base, size));
			// In the midst of the first job it is there.
			await device.run(place.board === "posix" ? 0.012 : 0.02);
			expect(reports(device).has("alone")).toBe(false);
			expect((await stack()).includes(secret)).toBe(true);
			await device.waitFor(/"alone".*\n/, { seconds: 1 });
			const { stack: used } = reports(device).get("alone") as { stack: number };
			expect(used).toBeGreaterThan(100);
			expect(used).toBeLessThan(size / 2);
			for (let stops = 0; stops < 30 && !device.output().includes('"end"'); stops++) await device.run(1);
			expect(new Set(await stack())).toEqual(new Set([0xa5]));
		});
	});

	const endings: [violate: string, reason: string][] = [
		["overflow", "stack-overflow"],
		["overflow-unseen", "stack-overflow"],
		["undefined", "usage-fault"],
	];
	test.each(endings)("%s is recorded", { timeout: 120_000 }, async (violate, reason) => {
		await withDevice(
			place,
			app,
			async (device) => {
				expect(await device.run(2)).toBe("abort");
				expect(await device.run(2)).toBe("ended");
				const told = reports(device);
				expect(told.has("survived")).toBe(false);
				expect(told.get("reset")).toMatchObject({ reason });
				if (violate === "undefined") expect(told.get("reset")).not.toMatchObject({ pc: 0 });
				else if (place.board !== "posix") expect(told.get("reset")).toMatchObject({ message: "in the background" });
			},
			{ sanitize: false, config: { violate } },
		);
	});
});
