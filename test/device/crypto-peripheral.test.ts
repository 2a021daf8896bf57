// The nRF52840's AES block as an engine of native/crypto, in Renode: it is used, and whatever it does the results are right.

import { createCipheriv, createHash } from "node:crypto";
import { expect, test, vi } from "vitest";
import { policyFor } from "../../tools/cli/attest.ts";
import type { Device } from "../../tools/harness/device.ts";
import { ManagementClient } from "../../tools/harness/management.ts";
import type { RenodeDevice } from "../../tools/harness/renode.ts";
import { Challenger } from "../../tools/verifier/challenger.ts";
import { describeAt, nrf, withDevice } from "./boards.ts";

vi.setConfig({ testTimeout: 300_000 });

const APP = "crypto-peripheral";
/** As crypto-peripheral/main.ts makes them. */
const bytes = (size: number, factor: number) => Uint8Array.from({ length: size }, (_, i) => i * factor + size);
const sizes = [
	[16, 0],
	[16, 100],
	[16, 600],
	[32, 300],
] as const;

const modes = ["ccm", "ctr", "gcm"] as const;

function expected(mode: (typeof modes)[number], keySize: number, size: number): string {
	const [key, nonce, aad, data] = [bytes(keySize, 3), bytes(12, 5), bytes(size >> 1, 11), bytes(size, 7)];
	const digest = createHash("sha256");
	if (mode === "ctr") {
		const cipher = createCipheriv(`aes-${keySize * 8}-ctr`, key, new Uint8Array(16).fill(255));
		return digest.update(cipher.update(data)).digest("hex");
	}
	const options = { authTagLength: 16 };
	const cipher =
		mode === "ccm"
			? createCipheriv(`aes-${keySize * 8}-ccm` as "aes-128-ccm", key, nonce, options)
			: createCipheriv(`aes-${keySize * 8}-gcm` as "aes-128-gcm", key, nonce, options);
	cipher.setAAD(aad, { plaintextLength: size });
	for (const part of [cipher.update(data), cipher.final(), cipher.getAuthTag()]) digest.update(part);
	return digest.digest("hex");
}

const everything = sizes.flatMap(([key, size]) =>
	modes.map((type) => ({ type, data: { key, size, digest: expected(type, key, size) } })),
);

const AES_HARDWARE = 1 << 6;

/** Waits for one more round of messages, and compares each with OpenSSL's. Which engines have failed. */
async function round(device: Device): Promise<unknown> {
	await device.waitFor('"type":"done"', { seconds: 5 });
	const all = device.records().filter(({ event }) => event === "report");
	const reports = all.map(({ type, data }) => ({ type, data })).filter(({ type }) => type !== "done");
	const done = all.at(-1);
	expect(reports.slice(-everything.length)).toEqual(everything);
	return (done?.data as { failed: number } | undefined)?.failed;
}

function again(device: Device): Promise<unknown> {
	device.write("!", 1);
	return round(device);
}

async function monitor(device: Device, command: string): Promise<string> {
	return (device as RenodeDevice).monitor(command);
}

const blocks = async (device: Device) => Number(await monitor(device, "sysbus.ecb Blocks"));

describeAt([nrf], "messages on the AES block", (place) => {
	test("are right, and it encrypts what pays; neither key nor data stays in the driver", async () => {
		await withDevice(place, APP, async (device, build) => {
			expect(await round(device)).toBe(0);
			const first = await blocks(device);
			// Of the message of 600 bytes: 37 blocks of key stream in CCM and in GCM, 37 of data and 19 more in CBC-MAC, to seal
			// and to open; 37 in CTR. And two known answers, once.
			expect(first).toBeGreaterThan(2 + 2 * (37 + 37 + 37 + 18) + 37);
			expect(await again(device)).toBe(0);
			expect((await blocks(device)) - first).toBe(first - 2);
			expect(await device.readMemory(build.symbols.get("pc_ecb_slots") ?? 0, 96)).toEqual(new Uint8Array(96));
		});
	});

	/** It fails from the after-th block on. No result is wrong, and it isn't used again. */
	async function expectRightThough(device: Device, fault: string, after: number): Promise<void> {
		await monitor(device, `sysbus.ecb Fault "${fault}" ${after}`);
		expect(await round(device)).toBe(AES_HARDWARE);
		const used = await blocks(device);
		expect(used).toBeGreaterThan(after);
		expect(used).toBeLessThanOrEqual(after + 16);
		await monitor(device, 'sysbus.ecb Fault "works" 0');
		expect(await again(device)).toBe(AES_HARDWARE);
		expect(await blocks(device)).toBe(used);
	}

	test("are right though it gives wrong results from the start", async () => {
		await withDevice(place, APP, (device) => expectRightThough(device, "wrong", 0));
	});

	test("are right though it never answers", async () => {
		await withDevice(place, APP, (device) => expectRightThough(device, "silent", 0));
	});

	test("are right though it gives wrong results later on; the token says so, and the verifier warns", async () => {
		await withDevice(place, APP, async (device, build) => {
			await expectRightThough(device, "wrong", 100);
			const client = new ManagementClient(device);
			const link = {
				identify: () => client.identify({ seconds: 20 }),
				attest: (nonce: Uint8Array) => client.attest(nonce, { seconds: 20 }),
			};
			const verifier = new Challenger(link, { references: [build.reference], policy: policyFor(build.board) });
			await verifier.enrol();
			const { result } = await verifier.attest();
			expect(result.verdict).toBe("warning");
			const warnings = result.reasons.filter((reason) => reason.tier !== "affirming");
			expect(warnings.map(({ code, text }) => [code, text])).toEqual([
				["engine", "engines of cryptography that failed their tests: AES hardware"],
			]);
		});
	});

	test("are right while the radio takes it, and it is used again", async () => {
		await withDevice(place, APP, async (device) => {
			await monitor(device, 'sysbus.ecb Fault "taken" 0');
			expect(await round(device)).toBe(0);
			const tried = await blocks(device);
			expect(tried).toBeGreaterThan(0);
			await monitor(device, 'sysbus.ecb Fault "works" 0');
			expect(await again(device)).toBe(0);
			expect(await blocks(device)).toBeGreaterThan(tried + 200);
		});
	});
});
