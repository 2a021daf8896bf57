// Known-answer tests of the engines: the answers by other implementations, and what everything says once one is not given.

import { execFileSync } from "node:child_process";
import { createCipheriv, createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import { p256 } from "@noble/curves/nist.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ENGINES } from "../../firmware/attestation/codec/claims.ts";
import { pericardRoot } from "../../tools/build/board.ts";
import { cryptoIncludes, cryptoObjects } from "./crypto-native.ts";

const dir = mkdtempSync(join(tmpdir(), "pericard-selftest-"));
const program = join(dir, "selftest");
let made: Buffer;

beforeAll(async () => {
	const flags = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-g", "-O1", "-fsanitize=address,undefined", "-no-pie"];
	const source = join(pericardRoot, "test/native/crypto/selftest.c");
	execFileSync("gcc", [...flags, ...cryptoIncludes, source, ...(await cryptoObjects()), "-o", program]);
	made = execFileSync(program, ["make"]);
}, 120_000);

afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** What each operation said in two rounds, and which engines had failed: before, after the first, after the second. */
function run(answer: string) {
	const lines = execFileSync(program, [answer], { input: made }).toString().trimEnd().split("\n");
	const [before = "", ...rounds] = lines;
	const split = rounds.map((line) => line.split(" "));
	return {
		failed: [before, ...split.map((words) => words.at(-1) ?? "")].map((bits) => Number.parseInt(bits, 16)),
		rounds: split.map((words) => words.slice(0, -1).join(" ")),
	};
}

const ALL = "OOOOOOO OOOO OOOOO OOO";

test("engines that give the known answers do everything", () => {
	expect(run("none")).toEqual({ failed: [0, 0, 0], rounds: [ALL, ALL] });
});

/*                     SHA-256, SHA-512, HMAC and HKDF of both, DRBG; P-256: public, sign, verify, ECDH;
 *                     X25519: public, secret; Ed25519: public, sign, verify; AES: CTR, CCM, GCM
 * The first round has done with an engine what it could before the answer that is spoilt was asked for. */
test.each([
	["sha256", 0, "EOEOEOE EEEO OOOOO OOO", "EOEOEOE EEEO OOOOO OOO"],
	["sha512", 1, "OEOEOEO OOOO OOEEE OOO", "OEOEOEO OOOO OOEEE OOO"],
	["p256_signature", 2, "OOOOOOO EEEE OOOOO OOO", "OOOOOOO EEEE OOOOO OOO"],
	["p256_public", 2, "OOOOOOO OEEE OOOOO OOO", "OOOOOOO EEEE OOOOO OOO"],
	["p256_secret", 2, "OOOOOOO OOOE OOOOO OOO", "OOOOOOO EEEE OOOOO OOO"],
	["x25519_secret", 3, "OOOOOOO OOOO EEEEE OOO", "OOOOOOO OOOO EEEEE OOO"],
	["ed25519_public", 3, "OOOOOOO OOOO OOEEE OOO", "OOOOOOO OOOO EEEEE OOO"],
	["ed25519_signature", 3, "OOOOOOO OOOO OOEEE OOO", "OOOOOOO OOOO EEEEE OOO"],
	["aes128", 4, "OOOOOOO OOOO OOOOO EEE", "OOOOOOO OOOO OOOOO EEE"],
	["aes256", 4, "OOOOOOO OOOO OOOOO EEE", "OOOOOOO OOOO OOOOO EEE"],
	["ghash", 5, "OOOOOOO OOOO OOOOO OOE", "OOOOOOO OOOO OOOOO OOE"],
])("an engine that doesn't give the answer %s is refused, and named", (answer, bit, first, second) => {
	expect(run(answer)).toEqual({ failed: [0, 1 << bit, 1 << bit], rounds: [first, second] });
});

test("the bits of the token's claim are called what the device calls them", () => {
	const header = readFileSync(join(pericardRoot, "native/crypto/selftest.h"), "utf8");
	const engines = [...header.matchAll(/\tPC_ENGINE_(\w+) = (\d+),/g)].map(([, name = "", number]) => [
		name,
		Number(number),
	]);
	const plain = (name: string) => name.toUpperCase().replace("CURVE", "").replace(/[- ]/g, "");
	expect(engines.map(([name, number]) => [String(name).replace("_", ""), number])).toEqual(
		ENGINES.map((name, number) => [plain(name), number]),
	);
});

describe("the known answers", () => {
	const text = readFileSync(join(pericardRoot, "native/crypto/selftest-answers.c"), "utf8");
	const known = (name: string): string => {
		const bytes = new RegExp(`\\.${name} = \\{([^}]*)\\}`).exec(text)?.[1] ?? "";
		return [...bytes.matchAll(/0x([0-9A-F]{2})/g)]
			.map(([, hex]) => hex)
			.join("")
			.toLowerCase();
	};
	const hex = (bytes: Uint8Array, length = bytes.length) => Buffer.from(bytes.subarray(0, length)).toString("hex");
	const one = Uint8Array.from({ length: 32 }, (_, i) => i);
	const two = Uint8Array.from({ length: 32 }, (_, i) => 17 * i);

	/** GHASH (SP 800-38D, section 6.4), bit by bit. */
	function ghash(key: Uint8Array, blocks: readonly Uint8Array[]): bigint {
		const h = BigInt(`0x${hex(key)}`);
		let y = 0n;
		for (const block of blocks) {
			let v = h;
			let z = 0n;
			const x = y ^ BigInt(`0x${hex(block)}`);
			for (let i = 127n; i >= 0n; i--) {
				if ((x >> i) & 1n) z ^= v;
				v = v & 1n ? (v >> 1n) ^ (0xe1n << 120n) : v >> 1n;
			}
			y = z;
		}
		return y;
	}

	test.each([
		["sha256", () => hex(createHash("sha256").update(one).digest(), 8)],
		["sha512", () => hex(createHash("sha512").update(one).digest(), 8)],
		["p256_public", () => hex(p256.getPublicKey(one, false))],
		["p256_signature", () => hex(p256.sign(two, one, { prehash: false, lowS: false }))],
		["p256_secret", () => hex(p256.getSharedSecret(one, p256.getPublicKey(one), false).subarray(1), 8)],
		["x25519_secret", () => hex(x25519.getSharedSecret(one, two), 8)],
		["ed25519_public", () => hex(ed25519.getPublicKey(one))],
		["ed25519_signature", () => hex(ed25519.sign(two, one))],
		["aes128", () => hex(createCipheriv("aes-128-ecb", one.subarray(0, 16), null).update(two.subarray(0, 16)), 8)],
		["aes256", () => hex(createCipheriv("aes-256-ecb", one, null).update(two.subarray(0, 16)), 8)],
		[
			"ghash",
			() =>
				ghash(one.subarray(0, 16), [two.subarray(0, 16), two.subarray(16)])
					.toString(16)
					.padStart(32, "0")
					.slice(0, 16),
		],
	])("%s is what others compute", (name, compute) => {
		expect(known(name)).toBe(compute());
	});
});
