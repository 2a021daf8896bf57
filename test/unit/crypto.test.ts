// native/crypto on this machine, with the sanitizers, against Node's own cryptography; and what it refuses.

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import {
	createCipheriv,
	createECDH,
	createHash,
	createHmac,
	createPrivateKey,
	createPublicKey,
	sign as ecdsaSign,
	verify as ecdsaVerify,
	hkdfSync,
} from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cryptoObjects, cryptoProgram } from "./crypto-native.ts";

const OK = 0x3ca5965a;
const RANGE = 1;
const KEY = 2;
const FORGED = 3;

const dir = mkdtempSync(join(tmpdir(), "pericard-crypto-"));
let driver: ChildProcessWithoutNullStreams;
let answers: AsyncIterator<string>;
let errors = "";

beforeAll(() => {
	const source = join(import.meta.dirname, "../native/crypto/driver.c");
	driver = spawn(cryptoProgram(dir, source, cryptoObjects(dir)));
	driver.stderr.setEncoding("utf8").on("data", (text: string) => {
		errors += text;
	});
	answers = createInterface(driver.stdout)[Symbol.asyncIterator]();
});

afterAll(async () => {
	driver.stdin.end();
	const code = await new Promise((resolve) => driver.once("close", resolve));
	rmSync(dir, { recursive: true, force: true });
	expect(errors).toBe("");
	// 2: nothing was counted, so the kernels report nothing.
	expect(code).toBe(0);
});

interface Answer {
	readonly status: number;
	readonly out: Buffer;
}

async function ask(operation: string, ...args: readonly (Uint8Array | number)[]): Promise<Answer> {
	const words = args.map((arg) => {
		const bytes = typeof arg === "number" ? Buffer.from(arg.toString(16).padStart(8, "0"), "hex") : Buffer.from(arg);
		return bytes.length === 0 ? "-" : bytes.toString("hex");
	});
	driver.stdin.write(`${[operation, ...words].join(" ")}\n`);
	const { value, done } = await answers.next();
	if (done === true) throw new Error(`the driver ended at ${operation}\n${errors}`);
	const [status = "", out = ""] = (value as string).split(" ");
	return { status: Number(status), out: Buffer.from(out, "hex") };
}

/** The same bytes at every run: SHA-256 of a counter. */
let counter = 0;
function random(size: number): Buffer {
	const blocks = [];
	for (let i = 0; i < size; i += 32) blocks.push(createHash("sha256").update(`bytes ${counter++}`).digest());
	return Buffer.concat(blocks).subarray(0, size);
}

const n = BigInt("0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
const number = (value: bigint) => Buffer.from(value.toString(16).padStart(64, "0"), "hex");

function keys(privateKey: Buffer) {
	const ecdh = createECDH("prime256v1");
	ecdh.setPrivateKey(privateKey);
	const point = ecdh.getPublicKey();
	const part = (from: number) => point.subarray(from, from + 32).toString("base64url");
	const jwk = { kty: "EC", crv: "P-256", x: part(1), y: part(33) };
	return {
		point,
		ecdh,
		public: createPublicKey({ key: jwk, format: "jwk" }),
		private: createPrivateKey({ key: { ...jwk, d: privateKey.toString("base64url") }, format: "jwk" }),
	};
}

describe("native/crypto and Node", () => {
	test("hash the same, at every length to three blocks and in two pieces", async () => {
		for (let size = 0; size <= 192; size++) {
			const data = random(size);
			const expected = createHash("sha256").update(data).digest();
			const first = size === 0 ? 0 : (size * 7) % size;
			expect((await ask("sha256", data, first)).out).toEqual(expected);
		}
	});

	test("give the same HMAC, with keys around the size of a block", async () => {
		for (const size of [0, 1, 31, 32, 63, 64, 65, 100, 200]) {
			const key = random(size);
			const data = random(size * 3);
			expect((await ask("hmac", key, data)).out).toEqual(createHmac("sha256", key).update(data).digest());
		}
	});

	test("derive the same keys", async () => {
		for (const size of [1, 31, 32, 33, 64, 100, 8160]) {
			const [salt, ikm, info] = [random(size % 70), random(22), random(size % 40)];
			const answer = await ask("hkdf", salt, ikm, info, size);
			expect(answer.status).toBe(OK);
			expect(answer.out).toEqual(Buffer.from(hkdfSync("sha256", ikm, salt, info, size)));
		}
	});

	test("make the same public keys and common secrets", async () => {
		for (const d of [1n, 2n, 3n, n - 2n, n - 1n, ...Array.from({ length: 6 }, () => undefined)]) {
			const own = d === undefined ? random(32) : number(d);
			const peer = random(32);
			expect((await ask("public", own)).out).toEqual(keys(own).point);
			const answer = await ask("ecdh", own, keys(peer).point);
			expect(answer).toEqual({ status: OK, out: keys(peer).ecdh.computeSecret(keys(own).point) });
		}
	});

	test("accept each other's signatures", async () => {
		for (let i = 0; i < 8; i++) {
			const pair = keys(random(32));
			const d = Buffer.from(pair.private.export({ format: "jwk" }).d as string, "base64url");
			const message = random(i * 40);
			const digest = createHash("sha256").update(message).digest();
			const ours = await ask("sign", d, digest);
			const format = { dsaEncoding: "ieee-p1363" } as const;
			expect(ecdsaVerify("sha256", message, { key: pair.public, ...format }, ours.out)).toBe(true);
			const theirs = ecdsaSign("sha256", message, { key: pair.private, ...format });
			expect((await ask("verify", pair.point, digest, theirs)).status).toBe(OK);
			// Deterministic (RFC 6979): the same message, the same signature.
			expect((await ask("sign", d, digest)).out).toEqual(ours.out);
		}
	});

	test.each(["ccm", "gcm"] as const)("seal and open the same with AES-%s", async (mode) => {
		for (const keySize of [16, 32]) {
			for (const size of [0, 1, 15, 16, 17, 64, 100]) {
				// Node's CCM gives no tag for no data; a vector of the test on the device is of that kind.
				if (mode === "ccm" && size === 0) continue;
				for (const tagSize of mode === "ccm" ? [8, 10, 12, 14, 16] : [16]) {
					const [key, data, aad] = [random(keySize), random(size), random((size * 3) % 40)];
					const nonce = random(mode === "ccm" ? 7 + (size % 7) : 12);
					const name = `aes-${8 * keySize}-${mode}` as "aes-128-ccm";
					const cipher = createCipheriv(name, key, nonce, { authTagLength: tagSize });
					cipher.setAAD(aad, { plaintextLength: size });
					const expected = Buffer.concat([cipher.update(data), cipher.final(), cipher.getAuthTag()]);
					expect(await ask(`${mode}-encrypt`, key, nonce, aad, data, tagSize)).toEqual({ status: OK, out: expected });

					const [sealed, tag] = [expected.subarray(0, size), expected.subarray(size)];
					const opened = await ask(`${mode}-decrypt`, key, nonce, aad, sealed, tag);
					expect(opened).toEqual({ status: OK, out: Buffer.concat([data, tag]) });
				}
			}
		}
	});
});

describe("native/crypto refuses", () => {
	test("what is no private key: 0, n and above", async () => {
		const point = keys(number(5n)).point;
		for (const d of [0n, n, n + 1n, 2n ** 256n - 1n]) {
			for (const [operation, other, size] of [
				["public", point, 65],
				["ecdh", point, 32],
				["sign", random(32), 64],
			] as const) {
				// Nothing is written either.
				expect(await ask(operation, number(d), other)).toEqual({ status: KEY, out: Buffer.alloc(size) });
			}
		}
	});

	test("points that are not on the curve, or written in another way", async () => {
		const { point } = keys(number(5n));
		const wrong = [];
		for (const at of [1, 32, 33, 64]) {
			const copy = Buffer.from(point);
			copy[at] = (copy[at] as number) ^ 1;
			wrong.push(copy);
		}
		for (const form of [0, 2, 3, 6, 7]) wrong.push(Buffer.concat([Buffer.from([form]), point.subarray(1)]));
		wrong.push(Buffer.alloc(65), Buffer.concat([Buffer.from([4]), Buffer.alloc(64)]), Buffer.alloc(65, 255));
		// x + p is the same field element, but no coordinate.
		const p = n + BigInt("0x4319055358e8617b0c46353d039cdaae");
		wrong.push(Buffer.concat([point.subarray(0, 1), number(p), point.subarray(33)]));
		const digest = random(32);
		const signature = (await ask("sign", number(5n), digest)).out;
		expect((await ask("verify", point, digest, signature)).status).toBe(OK);
		for (const bad of wrong) {
			expect(await ask("ecdh", number(3n), bad)).toEqual({ status: KEY, out: Buffer.alloc(32) });
			expect((await ask("verify", bad, digest, signature)).status).toBe(KEY);
		}
	});

	test("signatures with r or s outside of 1 to n - 1, and any changed bit", async () => {
		const { point } = keys(number(7n));
		const digest = random(32);
		const { out: signature } = await ask("sign", number(7n), digest);
		const [r, s] = [signature.subarray(0, 32), signature.subarray(32)];
		const value = (bytes: Buffer) => BigInt(`0x${bytes.toString("hex")}`);
		for (const edge of [0n, n, n + 1n, 2n ** 256n - 1n]) {
			for (const pair of [
				[number(edge), s],
				[r, number(edge)],
				[number(edge), number(edge)],
			]) {
				expect((await ask("verify", point, digest, Buffer.concat(pair))).status).toBe(FORGED);
			}
		}
		// r = 0 with a digest of nothing but zeros: the point at infinity, whose x is 0 for the engine.
		const zeros = Buffer.concat([number(0n), s]);
		expect((await ask("verify", point, Buffer.alloc(32), zeros)).status).toBe(FORGED);
		expect((await ask("verify", point, digest, Buffer.concat([s, r]))).status).toBe(FORGED);
		for (let bit = 0; bit < 512; bit += 37) {
			const copy = Buffer.from(signature);
			copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7));
			expect((await ask("verify", point, digest, copy)).status).toBe(FORGED);
		}
		const other = Buffer.from(digest);
		other[31] = (other[31] as number) ^ 1;
		expect((await ask("verify", point, other, signature)).status).toBe(FORGED);
		expect((await ask("verify", keys(number(8n)).point, digest, signature)).status).toBe(FORGED);
		// n - s is as right as s: signatures may be malleable, and nothing may take them for names.
		const flipped = Buffer.concat([r, number(n - value(s))]);
		expect((await ask("verify", point, digest, flipped)).status).toBe(OK);
	});

	test.each(["ccm", "gcm"] as const)("any change to what AES-%s sealed, and gives zeros", async (mode) => {
		const [key, nonce, aad, data] = [random(16), random(12), random(20), random(33)];
		const { out } = await ask(`${mode}-encrypt`, key, nonce, aad, data, 16);
		const parts = { key, nonce, aad, sealed: out.subarray(0, 33), tag: out.subarray(33) };
		for (const name of ["key", "nonce", "aad", "sealed", "tag"] as const) {
			for (const at of [0, parts[name].length - 1]) {
				const copy = Buffer.from(parts[name]);
				copy[at] = (copy[at] as number) ^ 0x80;
				const message = { ...parts, [name]: copy };
				const answer = await ask(
					`${mode}-decrypt`,
					message.key,
					message.nonce,
					message.aad,
					message.sealed,
					message.tag,
				);
				expect(answer.status).toBe(FORGED);
				expect(answer.out.subarray(0, 33)).toEqual(Buffer.alloc(33));
			}
		}
		const shorter = await ask(`${mode}-decrypt`, key, nonce, aad, parts.sealed.subarray(0, 32), parts.tag);
		expect(shorter.status).toBe(FORGED);
	});

	test("sizes that an algorithm doesn't take, and leaves the data as it is", async () => {
		const data = random(20);
		const refused = async (mode: string, key: number, nonce: number, tag: number, bytes = data) => {
			const answer = await ask(`${mode}-encrypt`, random(key), random(nonce), random(3), bytes, tag);
			expect(answer.status).toBe(RANGE);
			expect(answer.out.subarray(0, bytes.length)).toEqual(bytes);
		};
		for (const key of [0, 8, 15, 17, 24, 31, 33]) await refused("ccm", key, 12, 8);
		for (const nonce of [0, 6, 14, 15, 16]) await refused("ccm", 16, nonce, 8);
		for (const tag of [0, 4, 6, 7, 9, 15, 17, 18]) await refused("ccm", 16, 12, tag);
		for (const key of [0, 15, 24, 33]) await refused("gcm", key, 12, 16);
		for (const nonce of [0, 8, 11, 13, 16]) await refused("gcm", 16, nonce, 16);
		for (const tag of [0, 8, 12, 15, 17]) await refused("gcm", 16, 12, tag);
		// 2 bytes of length with a nonce of 13.
		await refused("ccm", 16, 13, 8, Buffer.alloc(65536));
		expect((await ask("hkdf", data, data, data, 0)).status).toBe(RANGE);
		expect((await ask("hkdf", data, data, data, 8161)).status).toBe(RANGE);
		expect((await ask("drbg", data, Buffer.alloc(0), 65537)).status).toBe(RANGE);
		expect((await ask("drbg", data, Buffer.alloc(0), 65536)).status).toBe(OK);
	});

	test("bytes that differ anywhere as equal", async () => {
		for (let at = 0; at < 40; at++) {
			const [a, b] = [random(40), Buffer.alloc(40)];
			a.copy(b);
			expect((await ask("equal", a, b)).out).toEqual(Buffer.from([1]));
			b[at] = (b[at] as number) ^ (1 << (at & 7));
			expect((await ask("equal", a, b)).out).toEqual(Buffer.from([0]));
		}
	});
});
