// What a device says of its code that moves, and what the verifier makes of it: the claim, and a byte changed by a debugger
// anywhere in what runs in RAM, named by the function.

import { expect, test, vi } from "vitest";
import type { Build } from "../../tools/build/build.ts";
import { policyFor } from "../../tools/cli/attest.ts";
import type { Device } from "../../tools/harness/device.ts";
import { type Layout, LayoutReader } from "../../tools/harness/layout.ts";
import { ManagementClient } from "../../tools/harness/management.ts";
import { Challenger } from "../../tools/verifier/challenger.ts";
import { demanding, type RelocationDemand } from "../../tools/verifier/policy.ts";
import type { AttestationResult } from "../../tools/verifier/verifier.ts";
import { describeAt, mps2, withDevice } from "./boards.ts";

vi.setConfig({ testTimeout: 300_000 });

const APP = "firmware/apps/ecg-patch";
const SECONDS = { seconds: 60 };

async function verifierOf(device: Device, build: Build, demand: RelocationDemand = {}): Promise<Challenger> {
	const client = new ManagementClient(device);
	const link = {
		identify: () => client.identify(SECONDS),
		attest: (nonce: Uint8Array) => client.attest(nonce, SECONDS),
	};
	const policy = demanding(policyFor(build.board), demand);
	const verifier = new Challenger(link, { references: [build.reference], policy });
	await verifier.enrol();
	return verifier;
}

const faults = (result: AttestationResult) =>
	result.reasons.filter((reason) => reason.tier !== "affirming").map((reason) => reason.text);

const word = (bytes: Uint8Array): number => Buffer.from(bytes).readUInt32LE();
const bytesOf = (value: number): Uint8Array =>
	Uint8Array.of(...[0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff));

describeAt([mps2], "evidence of code that moves", (place) => {
	test("tells of the last move, of the layout's bits and of the policy; demands are held against it", async () => {
		await withDevice(place, APP, async (device, build) => {
			const demand = { bits: 256, age: 2000, epoch: 2 };
			const verifier = await verifierOf(device, build, demand);
			const layouts = LayoutReader.of(build);
			await device.run(3);
			const before = (await layouts?.read(device))?.epoch ?? 0;
			const { result } = await verifier.attest();
			expect(faults(result)).toEqual([]);
			expect(result.verdict).toBe("affirming");
			const claim = result.evidence?.relocation;
			expect(claim).toMatchObject({
				period: 1000,
				jitter: 25,
				floor: 256,
				beforeAttestation: true,
				afterAnomaly: true,
			});
			if (claim === undefined || claim.status === "none") throw new Error("the code does not move");
			expect(claim.bits).toBe(build.reference.relocation?.bits);
			/* It has moved before it answered. */
			expect(claim.epoch).toBeGreaterThan(before);
			expect(claim.epoch).toBeLessThanOrEqual((await layouts?.read(device))?.epoch ?? 0);
			expect(claim.age).toBeLessThan(1000);
			expect(claim.change).toBeUndefined();
		});
	});

	test("what was changed where it runs is named until the next start", async () => {
		await withDevice(place, APP, async (device, build) => {
			const verifier = await verifierOf(device, build);
			const layouts = LayoutReader.of(build);
			if (layouts === undefined) throw new Error("no code moves");
			const { units, entries } = layouts.report;
			/* Code that is not called any more: the key is there. */
			const name = "pc_keystore_make";
			const unit = units.findIndex((other) => other.name === name);
			const entry = entries.findIndex((other) => other.startsWith("erase"));
			const slot = (build.symbols.get("pc_dispatch") ?? 0) + 4 * entry;
			const flip = async (address: number, by: number): Promise<void> => {
				await device.writeMemory(address, bytesOf((word(await device.readMemory(address, 4)) ^ by) >>> 0));
			};
			const gap = async (layout: Layout): Promise<number> => {
				const start = layout.halves[layout.running];
				const ends = units.map(({ size }, index) => (layout.addresses[index] ?? 0) + size);
				const free = ends.find((end) => !layout.addresses.includes(end)) ?? start;
				return free;
			};
			const attempts: [string, (layout: Layout) => Promise<void>, RegExp][] = [
				[
					"a function",
					(layout) => flip(layout.addresses[unit] ?? 0, 1),
					/^moved code: function "pc_keystore_make" \(.*native\/keystore\/keystore\.c\) is not what was built$/,
				],
				["the dispatch table", () => flip(slot, 2), /^moved code: calls of "erase\.\d+" are led to another place$/],
				["a gap", async (layout) => flip(await gap(layout), 1), /^moved code: there is code between the functions/],
				[
					"the half that is not in use",
					(layout) => flip(layout.halves[1 - layout.running] ?? 0, 1),
					/^moved code: (there is code between the functions of the half that runs|the half that is not in use is not empty), at word 0$/,
				],
			];
			for (const [what, change, reason] of attempts) {
				const layout = await layouts.read(device);
				if (layout === undefined) throw new Error("the code is not in its place");
				await change(layout);
				const { result } = await verifier.attest();
				expect([what, result.verdict]).toEqual([what, "contraindicated"]);
				expect(faults(result)[0]).toMatch(reason);
				await device.reset();
				await device.run(0.5);
			}
			const { result } = await verifier.attest();
			expect([result.verdict, ...faults(result)]).toEqual(["affirming"]);
		});
	});
});
