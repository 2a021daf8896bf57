// Attacks on a device that attests, each caught by the verifier with the reason that names it; and an honest device, which is
// affirmed while it works.

import { describe, expect, test, vi } from "vitest";
import type { Build } from "../../tools/build/build.ts";
import { policyFor } from "../../tools/cli/attest.ts";
import type { Device, DeviceOptions } from "../../tools/harness/device.ts";
import { ManagementClient } from "../../tools/harness/management.ts";
import { recordStream } from "../../tools/signals/frames.ts";
import { syntheticRecording } from "../../tools/signals/synthetic.ts";
import { Challenger } from "../../tools/verifier/challenger.ts";
import type { DeviceKeys } from "../../tools/verifier/keys.ts";
import type { AttestationResult } from "../../tools/verifier/verifier.ts";
import { describeAt, eachBoard, image, type Place, posix, tierOne, withBuild } from "./boards.ts";
import { type Patch, patchAddress, patchedBuild, regionsOf } from "./patch.ts";

// Renode takes its time to hash an image.
vi.setConfig({ testTimeout: 300_000 });

const SECONDS = { seconds: 60 };

/** A verifier of the device that has the reference values of `build`. */
function verifierOf(device: Device, build: Build, keys?: DeviceKeys): Challenger {
	const client = new ManagementClient(device);
	const link = {
		identify: () => client.identify(SECONDS),
		attest: (nonce: Uint8Array) => client.attest(nonce, SECONDS),
	};
	const policy = policyFor(build.board);
	return new Challenger(link, { references: [build.reference], policy, ...(keys === undefined ? {} : { keys }) });
}

/** Enrols the device that runs `running`, and challenges it once by the reference values of `build`. */
function attest(place: Place, running: Build, build: Build, options: DeviceOptions = {}): Promise<AttestationResult> {
	return withBuild(
		place,
		running,
		async (device) => {
			const verifier = verifierOf(device, build);
			await verifier.enrol();
			return (await verifier.attest()).result;
		},
		options,
	);
}

const faults = (result: AttestationResult) =>
	result.reasons.filter((reason) => reason.tier !== "affirming").map((reason) => reason.text);

/** What the device said last of its dose. */
async function dose(device: Device): Promise<unknown> {
	await device.run(0.2);
	const reports = device.records().filter((record) => record.event === "report" && record.type === "dose");
	return reports.at(-1)?.data;
}

/** The highest dose, a constant in the bytecode of a module, is one more. */
function moreDose(build: Build): Patch {
	const region = regionsOf(build).find(({ name }) => name === "module:dose");
	if (region === undefined) throw new Error("no module dose");
	const offset = region.bytes.indexOf(Buffer.from([0x39, 0x30])); // 12345
	expect(offset).toBeGreaterThan(0);
	return { module: "dose", offset, xor: 3 };
}

/** The C function that reads the sensor says 7, whatever there is. */
function wrongSense(build: Build): Patch {
	const thumb = Uint8Array.of(0x07, 0x20, 0x70, 0x47); // movs r0, #7; bx lr
	const x64 = Uint8Array.of(0xb8, 0x07, 0x00, 0x00, 0x00, 0xc3); // mov eax, 7; ret
	const a64 = Uint8Array.of(0xe0, 0x00, 0x80, 0x52, 0xc0, 0x03, 0x5f, 0xd6); // mov w0, #7; ret
	const host = process.arch === "arm64" ? a64 : x64;
	return { symbol: "attacks_sensed", bytes: build.board === "posix" ? host : thumb };
}

const MODULE = /^app: module "dose" is not what was built: expected [0-9a-f]{16}…, measured [0-9a-f]{16}…$/;
const DIRECTORY = /^app: region "directory" is not what was built/;
const NATIVE = /^native: region "\w+" is not what was built: expected [0-9a-f]{16}…, measured [0-9a-f]{16}…$/;

describeAt(eachBoard, "no attack", (place) => {
	test("is affirmed", async () => {
		const build = await image("attacks", place.board);
		const result = await attest(place, build, build);
		expect(faults(result)).toEqual([]);
		expect(result.verdict).toBe("affirming");
		expect(result.evidence?.entropySource).toBe(place.board === "nrf52840dk" ? "hardware" : "development");
		expect(result.components.map(({ name, status }) => [name, status])).toEqual(
			["native", "xs", "app", "config"].map((name) => [name, "ok"]),
		);
	});
});

// What another emulator of the same board would show is what QEMU shows.
describeAt(eachBoard, "attacks", (place) => {
	test("a flipped byte in a module's bytecode, checksums put right", async () => {
		const build = await image("attacks", place.board);
		await withBuild(place, patchedBuild(build, moreDose(build)), async (device) => {
			expect(await dose(device)).toEqual({ highest: 12346, sensed: 98 });
			const verifier = verifierOf(device, build);
			await verifier.enrol();
			const { result } = await verifier.attest();
			expect(result.verdict).toBe("contraindicated");
			expect(faults(result)).toEqual([expect.stringMatching(MODULE), expect.stringMatching(DIRECTORY)]);
		});
	});

	test("a patched C function", async () => {
		const build = await image("attacks", place.board);
		await withBuild(place, patchedBuild(build, wrongSense(build)), async (device) => {
			expect(await dose(device)).toEqual({ highest: 12345, sensed: 7 });
			const verifier = verifierOf(device, build);
			await verifier.enrol();
			const { result } = await verifier.attest();
			expect(result.verdict).toBe("contraindicated");
			expect(faults(result)).toEqual([expect.stringMatching(NATIVE)]);
		});
	});

	test("both, while the device runs; and then as it was", async () => {
		const build = await image("attacks", place.board);
		await withBuild(place, build, async (device) => {
			const verifier = verifierOf(device, build);
			await verifier.enrol();
			expect((await verifier.attest()).result.verdict).toBe("affirming");
			for (const [patch, reason] of [
				[moreDose(build), MODULE],
				[wrongSense(build), NATIVE],
			] as const) {
				const address = patchAddress(build, patch);
				const before = await device.readMemory(address, patch.bytes?.length ?? 1);
				await device.writeMemory(address, patch.bytes ?? before.map((byte) => byte ^ (patch.xor ?? 1)));
				const { result } = await verifier.attest();
				expect(result.verdict).toBe("contraindicated");
				expect(faults(result)).toEqual([expect.stringMatching(reason)]);
				await device.writeMemory(address, before);
			}
			expect((await verifier.attest()).result.verdict).toBe("affirming");
		});
	});
});

// What the verifier finds out by itself is the same for every board.
describeAt(tierOne, "attacks", (place) => {
	test("an old token, a token for another nonce, and one of another device", async () => {
		const build = await image("attacks", place.board);
		const { verifier, jwk, challenge } = await withBuild(place, build, async (device) => {
			const verifier = verifierOf(device, build);
			const { jwk } = await verifier.enrol();
			const honest = await verifier.attest();
			expect(honest.result.verdict).toBe("affirming");
			const replayed = verifier.judge(honest.token, honest.log, verifier.nonces.issue());
			expect(replayed.verdict).toBe("contraindicated");
			expect(faults(replayed)).toEqual([expect.stringMatching(/^replayed token: /)]);

			const challenge = verifier.nonces.issue();
			const asked = await new ManagementClient(device).attest(new Uint8Array(48).fill(1), SECONDS);
			const other = verifier.judge(asked.token, asked.log, challenge);
			expect(other.verdict).toBe("contraindicated");
			expect(faults(other)).toEqual([expect.stringMatching(/^token for another nonce: /)]);
			return { verifier, jwk, challenge };
		});
		// A device of the same kind, whose noise is another, answers in its place.
		await withBuild(
			place,
			build,
			async (twin) => {
				const { token, log } = await new ManagementClient(twin).attest(challenge, SECONDS);
				const stranger = verifier.judge(token, log, challenge);
				expect(stranger.verdict).toBe("none");
				expect(faults(stranger)[0]).toMatch(/^unknown key: /);
				expect(stranger.device?.jwk).not.toEqual(jwk);
			},
			{ seed: 77 },
		);
	});

	test("a debug image where a locked one is expected", async () => {
		const build = await image("attacks", place.board);
		const result = await attest(place, await image("attacks", place.board, { debug: true }), build);
		expect(result.verdict).toBe("contraindicated");
		expect(faults(result)).toContain(
			"the device's lifecycle is non-psa-rot-debug (0x4000): a debug build, or the debug port is open; secured (0x3000) is expected",
		);
	});

	test("a downgraded version", async () => {
		const build = await image("attacks", place.board);
		const result = await attest(place, await image("attacks-old", place.board), build);
		expect(result.verdict).toBe("contraindicated");
		expect(faults(result)).toContain("downgraded version: the device runs version 1.3.9, older than 1.4.0");
	});
});

/** The beats that the ECG patch reports of a record, with challenges on the way. */
async function beats(place: Place, build: Build, challenges: number, seconds: number): Promise<unknown[]> {
	const input = recordStream(syntheticRecording({ seconds: seconds + 1 }));
	return withBuild(
		place,
		build,
		async (device) => {
			const verifier = verifierOf(device, build);
			if (challenges > 0) await verifier.enrol();
			for (let count = 1; count <= challenges; count++) {
				const { result } = await verifier.attest();
				expect(faults(result)).toEqual([]);
				expect(result.verdict).toBe("affirming");
				await device.run(2);
			}
			await device.run(seconds - (await device.now()));
			const reports = device.records().filter((record) => record.event === "report" && record.type === "beat");
			return reports.map((record) => record.data);
		},
		{ input },
	);
}

describeAt(tierOne, "an honest device at work", (place) => {
	test("is affirmed without losing a beat", async () => {
		const build = await image("firmware/apps/ecg-patch", place.board, { config: { input: "serial" } });
		const [challenges, seconds] = place.emulator === "renode" ? [2, 8] : [5, 20];
		const undisturbed = await beats(place, build, 0, seconds);
		expect(undisturbed.length).toBeGreaterThan(seconds === 20 ? 20 : 6);
		expect(await beats(place, build, challenges, seconds)).toEqual(undisturbed);
	}, 600_000);
});

describe("the reasons of a patched device", () => {
	test("name the component also where no log came with the token", async () => {
		const build = await image("attacks", "posix");
		await withBuild(posix, patchedBuild(build, moreDose(build)), async (device) => {
			const verifier = verifierOf(device, build);
			await verifier.enrol();
			const nonce = verifier.nonces.issue();
			const { token } = await new ManagementClient(device).attest(nonce, SECONDS);
			const result = verifier.judge(token, undefined, nonce);
			expect(result.verdict).toBe("contraindicated");
			expect(faults(result)).toEqual([expect.stringMatching(/^app: not what was built: /)]);
		});
	});
});
