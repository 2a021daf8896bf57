// Attestation through its front door: challenges on the management link, tokens and logs back. What the verifier makes of them,
// and of attacks, is in attacks.test.ts; the link itself in management.test.ts.

import { createHash, createPublicKey } from "node:crypto";
import { describe, expect, test, vi } from "vitest";
import { decode } from "../../firmware/attestation/codec/cbor.ts";
import { CLAIM } from "../../firmware/attestation/codec/claims.ts";
import { encodeChallenge } from "../../firmware/management/client.ts";
import { ERROR, type Message } from "../../firmware/management/codec.ts";
import type { Build } from "../../tools/build/build.ts";
import type { Device } from "../../tools/harness/device.ts";
import { encodeFrame } from "../../tools/harness/framing.ts";
import { type Evidence, type Identity, ManagementClient, Refusal } from "../../tools/harness/management.ts";
import { openSign1, verifySign1 } from "../../tools/verifier/cose.ts";
import { type Evidence as Claims, readClaims } from "../../tools/verifier/evidence.ts";
import { jwkOfPoint } from "../../tools/verifier/keys.ts";
import { readLog } from "../../tools/verifier/log.ts";
import { describeAt, eachBoard, image, mps2, tierOne, withBuild, withDevice } from "./boards.ts";
import { patchedBuild } from "./patch.ts";

vi.setConfig({ testTimeout: 300_000 });

const APP = "attestation";
/** A sanitized process takes longer for its larger image. */
const SECONDS = { seconds: 20 };

const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString("hex");
const nonceOf = (size: number, fill: number) => new Uint8Array(size).fill(fill);

/** Checks signature and encoding, and gives the claims. */
function claimsOf(token: Uint8Array, identity: Identity): Claims {
	const opened = openSign1(token);
	expect(opened.unprotected).toBeUndefined();
	expect(opened.deviations).toEqual([]);
	const key = createPublicKey({ key: { ...jwkOfPoint(identity.publicKey) }, format: "jwk" });
	expect(verifySign1(opened, key)).toBe(true);
	const { evidence, profileFault, faults } = readClaims(opened.claims);
	expect([profileFault, ...faults]).toEqual([undefined]);
	return evidence;
}

/** The log says what the token says, and both say what was built. */
function expectBuilt({ token, log }: Evidence, identity: Identity, build: Build): void {
	const { components } = claimsOf(token, identity);
	const wanted = build.reference.components.map(({ type, version, value }) => [type, version, value]);
	expect(components.map(({ type, version, value }) => [type, version, hex(value)])).toEqual(wanted);
	expect(components.map(({ signerId }) => hex(signerId))).toEqual(wanted.map(() => build.reference.signerId));
	expect(readLog(log).map(({ type, value }) => [type, hex(value)])).toEqual(
		wanted.map(([type, , value]) => [type, value]),
	);
}

function ticks(device: Device): number[] {
	return device.records().flatMap(({ type, data }) => (type === "tick" ? [(data as { n: number }).n] : []));
}

async function refusal(promise: Promise<unknown>): Promise<number | undefined> {
	try {
		await promise;
		return undefined;
	} catch (error) {
		if (error instanceof Refusal) return error.code;
		throw error;
	}
}

describeAt(eachBoard, "attestation", (place) => {
	test("a challenge is answered with a token of this image, this device and this nonce", async () => {
		await withDevice(place, APP, async (device, build) => {
			const client = new ManagementClient(device);
			const identity = await client.identify(SECONDS);
			expect(identity).toMatchObject({ board: place.board, app: "attestation", version: "1.2.3" });
			expect(identity.publicKey[0]).toBe(4);
			expect(hex(identity.instanceId)).toBe(`01${createHash("sha256").update(identity.publicKey).digest("hex")}`);

			await device.run(0.2);
			const before = ticks(device).length;
			const began = await device.now();
			const tokens = new Set<string>();
			for (const size of [32, 48, 64]) {
				const evidence = await client.attest(nonceOf(size, size), SECONDS);
				expectBuilt(evidence, identity, build);
				const claims = claimsOf(evidence.token, identity);
				expect(hex(claims.nonce)).toBe(hex(nonceOf(size, size)));
				expect(hex(claims.instanceId)).toBe(hex(identity.instanceId));
				expect(hex(claims.implementationId)).toBe(build.reference.implementationId);
				expect(claims).toMatchObject({
					clientId: -1,
					lifecycle: "secured",
					bootCount: 1,
					resetReason: "power-on",
					entropySource: place.board === "nrf52840dk" ? "hardware" : "development",
				});
				expect(claims.bootSeed?.length).toBe(8);
				expect(evidence.token.length).toBeLessThanOrEqual(640);
				tokens.add(hex(evidence.token));
			}
			expect(tokens.size).toBe(3);
			// The app had its time all the while. (What it said last may still be on its way.)
			await device.run(0.2);
			const missed = ((await device.now()) - began) * 100 - (ticks(device).length - before);
			expect(missed).toBeLessThan(4);
		});
	});
});

describeAt(tierOne, "attestation", (place) => {
	test("nonces of other sizes are refused, and cost nothing", async () => {
		await withDevice(place, APP, async (device) => {
			const client = new ManagementClient(device);
			for (const size of [0, 1, 31, 33, 47, 49, 63, 65, 122]) {
				expect(await refusal(client.attest(nonceOf(size, 1), SECONDS)), `${size}`).toBe(ERROR.nonce);
			}
			const identity = await client.identify(SECONDS);
			expect(hex(claimsOf((await client.attest(nonceOf(48, 2), SECONDS)).token, identity).nonce)).toBe("02".repeat(48));
		});
	});

	test("the key stays; boot count, boot seed and reset reason tell the starts apart", async () => {
		await withDevice(place, APP, async (device) => {
			const client = new ManagementClient(device);
			const identity = await client.identify(SECONDS);
			const claims = async () => claimsOf((await client.attest(nonceOf(32, 3), SECONDS)).token, identity);
			const seen = [await claims(), await claims()];
			await device.reset();
			seen.push(await claims());
			await device.powerCut();
			seen.push(await claims());
			expect(seen.map(({ bootCount }) => bootCount)).toEqual([1, 1, 2, 3]);
			expect(seen.map(({ resetReason }) => resetReason)).toEqual(["power-on", "power-on", "pin", "power-on"]);
			const seeds = seen.map(({ bootSeed }) => hex(bootSeed));
			expect(seeds[0]).toBe(seeds[1]);
			expect(new Set(seeds).size).toBe(3);
			expect(hex((await client.identify(SECONDS)).publicKey)).toBe(hex(identity.publicKey));
		});
	});

	const challenge = (sequence: number) => encodeFrame(encodeChallenge(sequence, nonceOf(64, 0xc0)));
	const good = challenge(9);
	const hostile: readonly (readonly [string, Uint8Array])[] = [
		["a truncated challenge", good.subarray(0, 60)],
		["half a challenge, then a whole one", Buffer.concat([good.subarray(0, 40), challenge(8)])],
		["a wrong check", good.map((byte, index) => (index === 20 ? byte ^ 1 : byte))],
		["an escape at the end", Buffer.concat([good.subarray(0, -1), Uint8Array.of(0xdb, 0xc0)])],
		[
			"a length that is not the body's",
			encodeFrame(encodeChallenge(7, nonceOf(64, 1)).map((b, i) => (i === 4 ? 63 : b))),
		],
		["1,500 random bytes", Uint8Array.from({ length: 1500 }, (_, i) => Math.imul(i + 7, 2654435761) >>> 11)],
	];

	test("whatever came before, the next challenge is answered", async () => {
		await withDevice(place, APP, async (device) => {
			const client = new ManagementClient(device);
			const identity = await client.identify(SECONDS);
			for (const [index, [name, bytes]] of hostile.entries()) {
				client.send(bytes);
				const { token } = await client.attest(nonceOf(32, index), SECONDS);
				expect(hex(claimsOf(token, identity).nonce), name).toBe(hex(nonceOf(32, index)));
			}
		});
	});

	test("without random numbers: an error over the link, and the app goes on", async () => {
		await withDevice(
			place,
			APP,
			async (device) => {
				const client = new ManagementClient(device);
				expect(await refusal(client.identify(SECONDS))).toBe(ERROR.entropy);
				expect(await refusal(client.attest(nonceOf(32, 1), SECONDS))).toBe(ERROR.entropy);
				const before = ticks(device).length;
				await device.run(0.5);
				expect(ticks(device).length - before).toBeGreaterThanOrEqual(49);
			},
			{ device: { noise: { kind: "stuck" } } },
		);
	});

	test("the app itself may attest; several at once are done one after the other", async () => {
		await withDevice(
			place,
			APP,
			async (device, build) => {
				expect(await device.run(20)).toBe("ended");
				const reports = device.records().filter(({ event }) => event === "report");
				const of = (type: string) => reports.filter((record) => record.type === type).map(({ data }) => data);
				const wrong = (size: number) => `RangeError: attestation: a nonce has 32, 48 or 64 bytes, not ${size}`;
				expect(of("sizes")).toEqual([[0, 31, 33, 47, 63, 65, 128].map(wrong)]);
				expect(of("failed")).toEqual([]);
				const bytes = (text: string) => new Uint8Array(Buffer.from(text, "hex"));
				const keys = of("keys")[0] as { publicKey: string; instanceId: string };
				const identity = { publicKey: bytes(keys.publicKey), instanceId: bytes(keys.instanceId) } as Identity;
				const attested = of("attested") as { index: number; token: string; log: string }[];
				expect(attested.map(({ index }) => index)).toEqual([0, 1, 2]);
				for (const { index, token, log } of attested) {
					expectBuilt({ token: bytes(token), log: bytes(log) }, identity, build);
					const nonce = claimsOf(bytes(token), identity).nonce;
					expect(hex(nonce)).toBe(hex(nonceOf([32, 48, 64][index] ?? 0, index + 1)));
				}
			},
			{ config: { run: "self" } },
		);
	});
});

describeAt(tierOne, "attestation", (place) => {
	test("1,000 challenges in a burst: the newest waits, the others are told; the next one is answered", async () => {
		await withDevice(place, APP, async (device) => {
			const client = new ManagementClient(device);
			const identity = await client.identify(SECONDS);
			const burst = Array.from({ length: 1000 }, (_, index) => client.challenge(nonceOf(32, index & 0xff)));
			await device.run(30);
			const answers = client.answers();
			const last = new Map<number, Message>();
			for (const answer of answers) last.set(answer.sequence, answer);
			// Each has been answered, with evidence or with an error.
			expect([...last.keys()].sort((a, b) => a - b)).toEqual(burst);
			const superseded = answers.filter(({ message, body }) => message === 0xff && body?.[0] === ERROR.superseded);
			expect(superseded.length).toBeGreaterThan(800);
			expect(last.get(burst.at(-1) ?? 0)?.message).toBe(0x82);
			const { token } = await client.attest(nonceOf(64, 9), SECONDS);
			expect(hex(claimsOf(token, identity).nonce)).toBe("09".repeat(64));
			const seen = ticks(device);
			expect(seen).toEqual(Array.from({ length: seen.length }, (_, index) => index + 1));
			expect(Math.abs(seen.length - (await device.now()) * 100)).toBeLessThan(5);
		});
	});

	test("an app that has ended has ended, and one whose evidence is under way has not", async () => {
		await withDevice(
			place,
			APP,
			async (device) => {
				const client = new ManagementClient(device);
				client.challenge(nonceOf(32, 5));
				expect(await device.run(20)).toBe("ended");
				const parts = client.answers().filter(({ message }) => message === 0x82);
				expect(parts.length).toBeGreaterThan(3);
				expect(device.records().at(-1)).toMatchObject({ event: "end" });
			},
			{ config: { run: "self" } },
		);
	});
});

describe("the token on the wire", () => {
	test("is well-formed CBOR for a decoder that asks for nothing else", async () => {
		await withDevice(mps2, APP, async (device) => {
			const { token, log } = await new ManagementClient(device).attest(nonceOf(32, 1), SECONDS);
			expect(() => [decode(token, { deterministic: false }), decode(log, { deterministic: false })]).not.toThrow();
			expect(openSign1(token).claims.has(CLAIM.nonce)).toBe(true);
		});
	});
});

describe("an engine of cryptography that gives another answer than the known one", () => {
	/* Where pc_known (native/crypto/selftest.h) has the answers. */
	const [SHA256, P256, AES] = [0, 8 + 8 + 65, 8 + 8 + 65 + 64 + 8 + 8 + 32 + 64];

	test.each([
		["none", undefined, { encrypt: "done", hash: "done" }, undefined],
		["AES", AES, { encrypt: "engine", hash: "done" }, ["AES"]],
		["P-256", P256, { encrypt: "done", hash: "done" }, ERROR.internal],
		["SHA-256", SHA256, { encrypt: "done", hash: "engine" }, ERROR.entropy],
	])("is not used, and the token names it, where there is one: %s", async (_, offset, outcome, expected) => {
		const built = await image("engines", mps2.board);
		const build = offset === undefined ? built : patchedBuild(built, { symbol: "pc_known", offset });
		await withBuild(mps2, build, async (device) => {
			await device.waitFor(/"outcome".*\n/, { seconds: 10 });
			expect(device.records().find(({ type }) => type === "outcome")?.data).toEqual(outcome);
			const client = new ManagementClient(device);
			const challenge = () => client.attest(nonceOf(32, 5), SECONDS);
			if (typeof expected === "number") {
				expect(await refusal(challenge())).toBe(expected);
			} else {
				const identity = await client.identify(SECONDS);
				expect(claimsOf((await challenge()).token, identity).failedEngines).toEqual(expected);
			}
		});
	});
});
