// Hashes, key derivation and AES at their edges: every length and alignment, pieces cut anywhere, counters that wrap, operands that
// fill every lane, sizes that are refused. Expected values come from Node or from a model of a few lines.

import { createCipheriv, createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { type Case, describeOn, generator } from "./crypto-cases.ts";

const { random, pick } = generator("symmetric");
const big = (value: bigint, bytes = 32) => Buffer.from(value.toString(16).padStart(2 * bytes, "0"), "hex");
const value = (bytes: Buffer) => BigInt(`0x${bytes.toString("hex")}`);

function aes(key: Buffer, blocks: Buffer): Buffer {
	const cipher = createCipheriv(key.length === 16 ? "aes-128-ecb" : "aes-256-ecb", key, null).setAutoPadding(false);
	return cipher.update(blocks);
}

/** Key stream from counters of which the low `bits` count. */
function stream(key: Buffer, first: Buffer, bits: number, size: number): { stream: Buffer; next: Buffer } {
	const blocks = Math.ceil(size / 16);
	const high = (value(first) >> BigInt(bits)) << BigInt(bits);
	const block = (i: number) => big(high | BigInt.asUintN(bits, value(first) + BigInt(i)), 16);
	const counters = Buffer.concat(Array.from({ length: blocks }, (_, i) => block(i)));
	return { stream: aes(key, counters).subarray(0, size), next: block(blocks) };
}

const xor = (a: Buffer, b: Buffer) => Buffer.from(a.map((byte, i) => byte ^ (b[i] as number)));

function cbcMac(key: Buffer, mac: Buffer, data: Buffer): Buffer {
	let state = mac;
	for (let i = 0; i < data.length; i += 16) state = aes(key, xor(state, data.subarray(i, i + 16)));
	return state;
}

/** GHASH (SP 800-38D, 6.4), bit by bit. */
function ghash(y: Buffer, h: Buffer, data: Buffer): Buffer {
	const reduced = 0xe1n << 120n;
	let state = value(y);
	for (let i = 0; i < data.length; i += 16) {
		state ^= value(Buffer.concat([data.subarray(i, i + 16), Buffer.alloc(16)]).subarray(0, 16));
		let [product, v] = [0n, value(h)];
		for (let bit = 127n; bit >= 0n; bit--) {
			if ((state >> bit) & 1n) product ^= v;
			v = v & 1n ? (v >> 1n) ^ reduced : v >> 1n;
		}
		state = product;
	}
	return big(state, 16);
}

describeOn(["this machine", "Cortex-M4"], ({ ask, table }) => {
	describe("hashes", () => {
		table("of every length to three blocks and of some, in two pieces cut anywhere", () => {
			const cases: Case[] = [];
			for (const name of ["sha256", "sha512"]) {
				const lengths = Array.from({ length: name === "sha256" ? 200 : 400 }, (_, i) => i);
				for (const size of [...lengths, 1000, 4096, 5001]) {
					const data = random(size);
					const out = createHash(name).update(data).digest();
					cases.push({ call: [name, data, size === 0 ? 0 : pick(size + 1)], status: "ok", out });
				}
			}
			return cases;
		});

		table("whose state moves to another context at a block's end", () => {
			const cases: Case[] = [];
			for (const [name, block] of [
				["sha256", 64],
				["sha512", 128],
			] as const) {
				for (let i = 0; i < 20; i++) {
					const data = random(3 * block + pick(block));
					const out = createHash(name).update(data).digest();
					cases.push({ call: [`${name}-moved`, data, (i % 4) * block], status: "ok", out });
				}
			}
			return cases;
		});
	});

	describe("AES", () => {
		const zeros = Buffer.alloc(16);

		table("CTR with a counter of 32 bits: every length to 300, and counters that wrap in every way", () => {
			const counters = [0, 1, 2, 7, 8, 9, 30, 31, 32, 250, 254, 255, 256, 0x1fe, 0xffff, 0xfffffe, 0xffffff];
			counters.push(0x7fffffff, 0xfffffff0, 0xfffffff7, 0xfffffffd, 0xfffffffe, 0xffffffff);
			const sizes = Array.from({ length: 300 }, (_, i) => i);
			while (sizes.length < 400) sizes.push(pick(1300));
			sizes.push(4096, 9000);
			return sizes.map((size, i) => {
				const [key, iv, data] = [random(i & 1 ? 16 : 32), random(12), random(size)];
				const first = i % 3 === 0 ? value(random(4)) : BigInt(counters[pick(counters.length)] as number);
				const { stream: mask, next } = stream(key, Buffer.concat([iv, big(first, 4)]), 32, size);
				return {
					call: ["aes-ctr32", key, iv, big(first, 4), data],
					status: "ok",
					out: Buffer.concat([xor(data, mask), next.subarray(12)]),
				};
			});
		});

		table("CTR with a counter of 128 bits and CBC-MAC, alone and together: every count of blocks, every carry", () => {
			const cases: Case[] = [];
			for (let round = 0; round < 120; round++) {
				for (let mode = 0; mode < 4; mode++) {
					const data = random(16 * (round < 40 ? round : pick(80)));
					const [key, mac] = [random(round & 1 ? 16 : 32), random(16)];
					// The low bytes are all ones but for a little, so that a carry goes through them.
					const first = random(16).fill(255, 16 - (round % 17));
					if (round % 17 > 0) first[15] = 255 - pick(70);
					const { stream: mask, next } = stream(key, first, 128, data.length);
					const other = xor(data, mask);
					// 0: encrypt, then MAC; 1: MAC, then decrypt.
					const newMac = mode === 2 ? mac : cbcMac(key, mac, mode === 0 ? other : data);
					const out = mode === 3 ? [data, first, newMac] : [other, next, newMac];
					cases.push({ call: ["aes-ctrcbc", mode, key, first, mac, data], status: "ok", out: Buffer.concat(out) });
				}
			}
			return cases;
		});

		table("CTR with any number of bits that count, through their wrap, and of every length", () => {
			const cases: Case[] = [];
			const bits = [1, 2, 3, 5, 7, 8, 9, 12, 16, 17, 24, 31, 32, 33, 48, 63, 64, 65, 96, 120, 127, 128];
			for (const [round, counting] of [...bits, ...bits, ...bits, ...bits].entries()) {
				const most = Math.min(16 * 2 ** Math.min(counting, 10), 700);
				const [key, data] = [
					random(round & 1 ? 16 : 32),
					random([most, pick(most), most - 15, 0][round % 4] as number),
				];
				// Few steps before all bits that count are ones; the others must stay.
				const ones = 2n ** BigInt(counting) - 1n;
				const first = big(((value(random(16)) | ones) & ~BigInt(pick(9))) | 0n, 16);
				const { stream: mask, next } = stream(key, first, counting, data.length);
				const out = Buffer.concat([xor(data, mask), next]);
				cases.push({ call: ["aes-ctr", key, first, counting, data], status: "ok", out });
				// One more block than the counter has values.
				if (counting > 9) continue;
				const more = random(16 * 2 ** counting + 1);
				cases.push({
					call: ["aes-ctr", key, first, counting, more],
					status: "range",
					out: Buffer.concat([more, first]),
				});
			}
			for (const [keySize, counting] of [
				[15, 32],
				[24, 32],
				[0, 32],
				[16, 0],
				[16, 129],
			] as const) {
				const [first, data] = [random(16), random(20)];
				const out = Buffer.concat([data, first]);
				cases.push({ call: ["aes-ctr", random(keySize), first, counting, data], status: "range", out });
			}
			return cases;
		});

		table("GHASH: operands that fill every lane, single bits, every length to 200", () => {
			const special = [
				zeros,
				Buffer.alloc(16, 255),
				Buffer.alloc(16, 0x11),
				Buffer.alloc(16, 0x55),
				Buffer.alloc(16, 0x80),
			];
			const operand = () => {
				const kind = pick(9);
				if (kind < special.length) return special[kind] as Buffer;
				return kind === 8 ? big(1n << BigInt(pick(128)), 16) : random(16);
			};
			const sizes = Array.from({ length: 200 }, (_, i) => i);
			while (sizes.length < 260) sizes.push(pick(600));
			return sizes.map((size) => {
				const [y, h] = [operand(), operand()];
				const data = random(size);
				for (let i = 0; i < 4 && 16 * i + 16 <= size; i++) operand().copy(data, 16 * i);
				return { call: ["ghash", y, h, data], status: "ok", out: ghash(y, h, data) };
			});
		});

		test.each(["ccm", "gcm"] as const)("%s refuses any change to what it sealed, and gives zeros", async (mode) => {
			const [key, nonce, aad, data] = [random(16), random(12), random(20), random(33)];
			const { out } = await ask(`${mode}-encrypt`, key, nonce, aad, data, 16);
			const parts = { key, nonce, aad, sealed: out.subarray(0, 33), tag: out.subarray(33) };
			for (const name of ["key", "nonce", "aad", "sealed", "tag"] as const) {
				for (let bit = 0; bit < 8 * parts[name].length; bit += name === "tag" ? 1 : 13) {
					const copy = Buffer.from(parts[name]);
					copy[bit >> 3] = (copy[bit >> 3] as number) ^ (0x80 >> (bit & 7));
					const other = { ...parts, [name]: copy };
					const answer = await ask(`${mode}-decrypt`, other.key, other.nonce, other.aad, other.sealed, other.tag);
					expect(answer.status, `${name}, bit ${bit}`).toBe("forged");
					expect(answer.out.subarray(0, 33)).toEqual(Buffer.alloc(33));
				}
			}
			const shorter = await ask(`${mode}-decrypt`, key, nonce, aad, parts.sealed.subarray(0, 32), parts.tag);
			expect(shorter.status).toBe("forged");
		});

		test("sizes that a mode doesn't take leave the data as it is", async () => {
			const data = random(20);
			const refused = async (mode: string, key: number, nonce: number, tag: number, bytes = data) => {
				const answer = await ask(`${mode}-encrypt`, random(key), random(nonce), random(3), bytes, tag);
				expect(answer.status, `${mode} ${key} ${nonce} ${tag}`).toBe("range");
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
		});
	});

	test("HKDF and HMAC_DRBG refuse sizes that they don't give", async () => {
		const data = random(20);
		expect((await ask("hkdf", data, data, data, 0)).status).toBe("range");
		expect((await ask("hkdf", data, data, data, 8161)).status).toBe("range");
		expect((await ask("hkdf", data, data, data, 8160)).status).toBe("ok");
		for (const [size, status] of [
			[0, "range"],
			[16321, "range"],
			[16320, "ok"],
		] as const) {
			expect((await ask("hkdf512", data, data, data, size)).status).toBe(status);
		}
		expect((await ask("drbg", data, "", 65537)).status).toBe("range");
		expect((await ask("drbg", data, "", 65536)).status).toBe("ok");
	});

	test("bytes that differ anywhere are not equal", async () => {
		for (let at = 0; at < 40; at++) {
			const a = random(40);
			expect((await ask("equal", a, a)).out).toEqual(Buffer.from([1]));
			const b = Buffer.from(a);
			b[at] = (b[at] as number) ^ (1 << (at & 7));
			expect((await ask("equal", a, b)).out).toEqual(Buffer.from([0]));
		}
	});
});
