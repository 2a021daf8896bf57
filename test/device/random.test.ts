// Random numbers: of a seed, of a hardware source, and of a source that fails in each of the ways it can.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Device, DeviceOptions, DeviceRecord } from "../../tools/harness/device.ts";
import { appPath, describeAt, eachBoard, mps2, mps2Renode, type Place, posix, withDevice } from "./boards.ts";

const app = "random";

type Told = ReadonlyMap<unknown, unknown>;

/** What the app reported in each of its boots. */
function boots(device: Device): Told[] {
	const all: Map<unknown, unknown>[] = [];
	for (const record of device.records() as DeviceRecord[]) {
		if (record.event === "boot") all.push(new Map());
		if (record.event === "report") all.at(-1)?.set(record.type, record.data);
	}
	return all;
}

/** A boot, and another one after a reset, which the app makes if there are random numbers. */
async function run(place: Place, options: DeviceOptions): Promise<Told[]> {
	return withDevice(
		place,
		app,
		async (device) => {
			expect(await device.run(20)).toBe("ended");
			const told = boots(device);
			for (const boot of told) expect(boot.get("alive")).toBe(true);
			return told;
		},
		{ device: options },
	);
}

describeAt(eachBoard, "random numbers", (place) => {
	const source = place.board === "nrf52840dk" ? "hardware" : "development";

	test("come from the source, another sequence at each boot and for each seed", { timeout: 600_000 }, async () => {
		const [first = new Map(), second] = await run(place, { seed: 7 });
		expect(first.get("source")).toBe(source);
		expect(first.get("state")).toBe("ok");
		expect(first.get("first")).toBe("nothing");
		expect(first.get("bytes")).toMatch(/^[0-9a-f]{64}$/);
		expect(second?.get("bytes")).not.toBe(first.get("bytes"));
		const beginning = (seed: number, cuts: number) =>
			withDevice(
				place,
				app,
				async (device) => {
					await device.waitFor(/"bytes".*\n/, { seconds: 5 });
					for (let i = 0; i < cuts; i++) {
						await device.powerCut();
						await device.waitFor(/"bytes".*\n/, { seconds: 5 });
					}
					return boots(device).map((boot) => boot.get("bytes"));
				},
				{ device: { seed } },
			);
		expect(await beginning(8, 0)).not.toContain(first.get("bytes"));
		const afterCut = await beginning(7, 1);
		expect(afterCut[0]).toBe(first.get("bytes"));
		expect(new Set([...afterCut, second?.get("bytes")]).size).toBe(3);

		expect(first.get("view")).toEqual({ outside: true, inside: true, view: true, nothing: 0 });
		expect(first.get("refused")).toEqual(["RangeError", "TypeError", "TypeError", "TypeError"]);
		// 4 KB: chi-square with 255 degrees of freedom is beyond these once in a million; and 512: so are 5 sigma of ones and
		// of changes from bit to bit.
		const chi = (first.get("counts") as number[]).reduce((sum, count) => sum + (count - 16) ** 2 / 16, 0);
		expect(chi).toBeGreaterThan(158);
		expect(chi).toBeLessThan(375);
		const bits = [...Buffer.from(first.get("sample") as string, "hex")].flatMap((byte) =>
			[0, 1, 2, 3, 4, 5, 6, 7].map((i) => (byte >> i) & 1),
		);
		const ones = bits.filter((bit) => bit === 1).length;
		const changes = bits.filter((bit, i) => i > 0 && bit !== bits[i - 1]).length;
		expect(bits).toHaveLength(4096);
		expect(Math.abs(ones - 2048)).toBeLessThan(5 * 32);
		expect(Math.abs(changes - 2048)).toBeLessThan(5 * 32);
		expect(first.get("until")).toMatchObject({ requests: 900, failure: "", again: "nothing" });
		expect(first.get("aes-128")).toBe("[object Object]");
	});

	const broken: readonly [kind: "stuck" | "biased" | "absent", code: string][] = [
		["stuck", "stuck"],
		["biased", "biased"],
		["absent", "unavailable"],
	];

	test.each(broken)(
		"are not to be had from a source that is %s, and the device goes on",
		{ timeout: 120_000 },
		async (kind, code) => {
			for (const boot of await run(place, { noise: { kind } })) {
				expect(boot.get("state")).toBe(code);
				expect(boot.get("first")).toBe(`EntropyError ${code}`);
				expect(boot.get("bytes")).toBe("");
				expect(boot.get("until")).toMatchObject({ requests: 0, failure: `EntropyError ${code}` });
				expect(boot.get("ecdsa-p256")).toBe("KeystoreError entropy");
				expect(boot.get("aes-128")).toBe("KeystoreError entropy");
				expect(boot.get("open")).toBe("undefined");
			}
		},
	);

	test.each(broken)(
		"end when the source becomes %s, at the latest with the next seed",
		{ timeout: 120_000 },
		async (kind, code) => {
			// Behind the 1,024 bytes of the first seed. The next one is made of 128, after 256 requests.
			const [boot = new Map()] = await run(place, { noise: { kind, after: 1024 } });
			expect(boot.get("state")).toBe("ok");
			const { requests, failure, left, again } = boot.get("until") as Record<string, number | string>;
			expect(failure).toBe(`EntropyError ${code}`);
			// A bias shows when 71 bytes of a window of 512 are the same: of about 284 here.
			const seeds = kind === "biased" ? 3 : 1;
			expect(requests).toBeGreaterThan((seeds - 1) * 256);
			expect(requests).toBeLessThanOrEqual(seeds * 256);
			expect(left).toBe("00".repeat(8));
			expect(again).toBe(failure);
			expect(boot.get("aes-128")).toBe("KeystoreError entropy");
		},
	);
});

test("pericard run --seed: another device for another seed, the same for the same", { timeout: 120_000 }, async () => {
	const bytes = (seed: string) => {
		const words = ["run", appPath(app), "--board", "posix", "--seconds", "20", "--seed", seed];
		const { stdout, stderr } = spawnSync(
			"node",
			[join(import.meta.dirname, "../../tools/bin/pericard.mjs"), ...words],
			{
				encoding: "utf8",
			},
		);
		const found = /^\[bytes\] {2}([0-9a-f]{64})$/m.exec(stdout)?.[1];
		expect(found, stderr).toBeDefined();
		return found;
	};
	const seven = bytes("7");
	expect(bytes("8")).not.toBe(seven);
	await withDevice(
		posix,
		app,
		async (device) => {
			await device.waitFor(/"bytes".*\n/, { seconds: 5 });
			expect(boots(device)[0]?.get("bytes")).toBe(seven);
		},
		{ device: { seed: 7 } },
	);
});

describeAt([mps2, mps2Renode], "without a seed", (place) => {
	test("there is no source, and no random numbers", { timeout: 60_000 }, async () => {
		await withDevice(place, app, async (device) => {
			await device.writeMemory("pc_noise", new Uint8Array(24));
			expect(await device.run(20)).toBe("ended");
			for (const boot of boots(device)) {
				expect(boot.get("source")).toBe("none");
				expect(boot.get("state")).toBe("unavailable");
			}
		});
	});
});
