// Keys by handle: what each does, what none does, and that it goes through a restart.

import { CryptoError, ecdsaVerify, hmacSha256, sha256 } from "pericard/crypto";
import { attestationPublicKey, bootCount, generateKey, type Key, type KeyType, openKey } from "pericard/keystore";
import { report } from "pericard/report";
import { collect, resetRecord, restart } from "pericard/system";
import { describe, expect, test } from "pericard/test";
import Timer from "timer";

const attest: (digest: ArrayBuffer, callback: (signature: ArrayBuffer) => void) => void = native("xs_test_attest");
const attestHere: () => number = native("xs_test_attest_here");
const stackUsed: () => number = native("xs_test_stack");

const bytes = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0));
const same = (a: ArrayBuffer, b: ArrayBuffer) =>
	a.byteLength === b.byteLength && new Uint8Array(a).every((byte, i) => byte === new Uint8Array(b)[i]);
const message = bytes("a message");

/** Name and code of what a promise rejects with. */
async function refusal(run: () => unknown): Promise<string> {
	try {
		await run();
		return "nothing";
	} catch (error) {
		const { name, code } = error as { name: string; code?: string };
		return code === undefined ? name : `${name} ${code}`;
	}
}

if (resetRecord.count > 0) {
	// Flash has what was persistent, and nothing else.
	const [signing, sealing] = [openKey("signing"), openKey("sealing")];
	report("after", {
		boots: bootCount(),
		types: [signing?.type, sealing?.type, openKey("gone")?.type, openKey("taken")?.type],
		count: Array.from({ length: 20 }, (_, i) => openKey(`many ${i}`)).filter((key) => key !== undefined).length,
	});
} else {
	describe("keys", () => {
		test("ecdsa-p256 signs, and its public key verifies", async () => {
			const key = await generateKey({ type: "ecdsa-p256" });
			expect(key.type).toBe("ecdsa-p256");
			expect(key.publicKey.byteLength).toBe(65);
			const signature = await key.sign(message);
			expect(signature.byteLength).toBe(64);
			expect(ecdsaVerify(key.publicKey, sha256(message), signature)).toBe(true);
			expect(key.verify(message, signature)).toBe(true);
			expect(key.verify(bytes("another"), signature)).toBe(false);
			const other = await generateKey({ type: "ecdsa-p256" });
			expect(same(other.publicKey, key.publicKey)).toBe(false);
			expect(other.verify(message, signature)).toBe(false);
		});

		test("ecdh-p256 derives the same key on both sides", async () => {
			const [a, b] = [await generateKey({ type: "ecdh-p256" }), await generateKey({ type: "ecdh-p256" })];
			const options = { type: "hmac-sha256", info: bytes("test"), salt: bytes("salt") } as const;
			const [ab, ba] = [await a.derive(b.publicKey, options), await b.derive(a.publicKey, options)];
			expect(same(ab.mac(message), ba.mac(message))).toBe(true);
			const other = await a.derive(b.publicKey, { ...options, info: bytes("other") });
			expect(same(ab.mac(message), other.mac(message))).toBe(false);
			const sealing = await a.derive(b.publicKey, { type: "aes-128" });
			expect(sealing.type).toBe("aes-128");
			const nowhere = new Uint8Array(b.publicKey.slice(0));
			nowhere[40] = (nowhere[40] ?? 0) ^ 1;
			expect(await refusal(() => a.derive(nowhere, options))).toBe("KeystoreError key");
			expect(await refusal(() => a.derive(new Uint8Array(64), options))).toBe("RangeError");
			expect(await refusal(() => a.derive(b.publicKey, { ...options, info: new Uint8Array(65) }))).toBe("RangeError");
		});

		test("hmac-sha256 authenticates", async () => {
			const key = await generateKey({ type: "hmac-sha256" });
			const mac = key.mac(message);
			expect(mac.byteLength).toBe(32);
			expect(key.verify(message, mac)).toBe(true);
			expect(key.verify(bytes("another"), mac)).toBe(false);
			expect(key.verify(message, new Uint8Array(31))).toBe(false);
			expect(same(mac, hmacSha256(new Uint8Array(32), message))).toBe(false);
		});

		test("aes-128 encrypts and decrypts in place", async () => {
			const key = await generateKey({ type: "aes-128" });
			for (const mode of ["ccm", "gcm"] as const) {
				const data = bytes("to be hidden");
				const tag = new Uint8Array(16);
				const options = { mode, nonce: new Uint8Array(12), aad: message, data, tag };
				key.encrypt(options);
				expect(same(data.buffer, bytes("to be hidden").buffer)).toBe(false);
				const copy = { ...options, data: data.slice(), tag: tag.slice() };
				key.decrypt(options);
				expect(same(data.buffer, bytes("to be hidden").buffer)).toBe(true);
				copy.data[0] = (copy.data[0] ?? 0) ^ 1;
				let caught: unknown;
				try {
					key.decrypt(copy);
				} catch (error) {
					caught = error;
				}
				expect(caught).toBeInstanceOf(CryptoError);
				expect(copy.data.every((byte) => byte === 0)).toBe(true);
				expect(() => key.encrypt({ ...options, nonce: new Uint8Array(3) })).toThrow(RangeError);
			}
		});

		test("no key does what it is not for", async () => {
			const types: readonly KeyType[] = ["ecdsa-p256", "ecdh-p256", "hmac-sha256", "aes-128"];
			const peer = (await generateKey({ type: "ecdh-p256" })).publicKey;
			const uses: readonly [right: readonly KeyType[], use: (key: Key) => unknown][] = [
				[["ecdsa-p256"], (key) => key.sign(message)],
				[["ecdsa-p256", "hmac-sha256"], (key) => key.verify(message, new Uint8Array(64))],
				[["ecdh-p256"], (key) => key.derive(peer, { type: "aes-128" })],
				[["hmac-sha256"], (key) => key.mac(message)],
				[["ecdsa-p256", "ecdh-p256"], (key) => key.publicKey],
				[
					["aes-128"],
					(key) =>
						key.encrypt({ mode: "ccm", nonce: new Uint8Array(12), data: new Uint8Array(4), tag: new Uint8Array(8) }),
				],
			];
			for (const type of types) {
				const key = await generateKey({ type });
				for (const [right, use] of uses) {
					const expected = right.includes(type) ? "nothing" : "KeystoreError policy";
					expect(await refusal(() => use(key))).toBe(expected);
				}
			}
		});

		test("a destroyed key is gone, what it was doing is done", async () => {
			const key = await generateKey({ type: "ecdsa-p256", persistent: "gone" });
			const again = openKey("gone") as Key;
			const signing = refusal(() => key.sign(message));
			await null;
			key.destroy();
			key.destroy();
			expect(await refusal(() => key.type)).toBe("KeystoreError none");
			expect(await refusal(() => key.publicKey)).toBe("KeystoreError none");
			expect(await refusal(() => key.sign(message))).toBe("KeystoreError none");
			expect(openKey("gone")).toBeUndefined();
			expect(await refusal(() => again.sign(message))).toBe("KeystoreError none");
			// It was in flash only, and went before the job came to it.
			expect(await signing).toBe("KeystoreError none");
			const volatileKey = await generateKey({ type: "ecdsa-p256" });
			const { publicKey } = volatileKey;
			const under = volatileKey.sign(message);
			await null;
			volatileKey.destroy();
			expect(ecdsaVerify(publicKey, sha256(message), await under)).toBe(true);
		});

		test("persistent keys are found by their labels, which are not taken twice", async () => {
			const key = await generateKey({ type: "ecdsa-p256", persistent: "signing" });
			const found = openKey("signing") as Key;
			expect(same(found.publicKey, key.publicKey)).toBe(true);
			expect(key.verify(message, await found.sign(message))).toBe(true);
			expect(await refusal(() => generateKey({ type: "aes-128", persistent: "signing" }))).toBe("KeystoreError policy");
			await generateKey({ type: "aes-128", persistent: "sealing" });
			expect(openKey("sealing")?.type).toBe("aes-128");
			expect(openKey("Signing")).toBeUndefined();
			expect(() => openKey("")).toThrow(RangeError);
			expect(() => openKey("x".repeat(33))).toThrow(RangeError);
			expect(await refusal(() => generateKey({ type: "aes-128", persistent: "x".repeat(33) }))).toBe("RangeError");
			expect(await refusal(() => generateKey({ type: "rsa" as KeyType }))).toBe("TypeError");
			// A handle is for the key that it was opened for, not for what comes under its label.
			const taken = await generateKey({ type: "hmac-sha256", persistent: "taken" });
			const stale = openKey("taken") as Key;
			taken.destroy();
			await generateKey({ type: "ecdsa-p256", persistent: "taken" });
			expect(await refusal(() => stale.mac(message))).toBe("KeystoreError none");
			openKey("taken")?.destroy();
		});

		test("there is room for 16 labels", async () => {
			let made = 0;
			let last = "nothing";
			for (let i = 0; i < 20 && last === "nothing"; i++) {
				last = await refusal(() => generateKey({ type: "aes-128", persistent: `many ${i}` }));
				if (last === "nothing") made++;
			}
			expect(last).toBe("KeystoreError full");
			expect(made).toBe(14);
			openKey("many 3")?.destroy();
			await generateKey({ type: "aes-128", persistent: "many 17" });
		});

		test("the attestation key signs for attestation, and is no key of the app's", async () => {
			const digest = sha256(message);
			const publicKey = attestationPublicKey();
			expect(publicKey.byteLength).toBe(65);
			const signature = await new Promise<ArrayBuffer>((resolve) => attest(digest, resolve));
			expect(ecdsaVerify(publicKey, digest, signature)).toBe(true);
			expect(attestHere()).toBe(4);
			expect(bootCount()).toBe(1);
		});

		test("handles that nobody holds are collected", async () => {
			for (let i = 0; i < 60; i++) await generateKey({ type: "hmac-sha256" });
			collect();
			expect((await generateKey({ type: "hmac-sha256" })).type).toBe("hmac-sha256");
		});

		test("timers run while keys work", async () => {
			let ticks = 0;
			const timer = Timer.repeat(() => ticks++, 5);
			const key = await generateKey({ type: "ecdsa-p256" });
			for (let i = 0; i < 20; i++) await key.sign(message);
			Timer.clear(timer);
			expect(ticks).toBeGreaterThan(10);
			report("stack", stackUsed());
			// Behind the last record of the tests.
			Timer.set(() => restart("to look again"), 500);
		});
	});
}
