// `pericard attest --token`: what it prints of a token in a file, its exit codes, and what it says to wrong words.

import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { CborValue } from "../../firmware/attestation/codec/cbor.ts";
import { CLAIM } from "../../firmware/attestation/codec/claims.ts";
import { makeCorim } from "../../tools/build/corim.ts";
import { Attester, changed, hex, IMAGE, logOf, movingReferenceOf, referenceOf } from "./attester.ts";
import { RFC9783_SIGN1, VERAISON_PROFILE_1 } from "./psa-tokens.ts";

const BIN = join(import.meta.dirname, "../../tools/bin/pericard.mjs");
const folder = mkdtempSync(join(tmpdir(), "pericard-attest-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ran {
	readonly code: number;
	readonly stdout: string;
	readonly stderr: string;
}

function attest(...words: string[]): Promise<Ran> {
	return new Promise((resolve) => {
		execFile(process.execPath, [BIN, "attest", ...words], { cwd: folder }, (error, stdout, stderr) => {
			resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
		});
	});
}

function file(name: string, content: Uint8Array | string): string {
	writeFileSync(join(folder, name), content);
	return name;
}

const device = new Attester();
const nonce = new Uint8Array(32).fill(9);
const token = file("token.cbor", device.token(nonce));
const key = file("key.json", JSON.stringify(device.jwk));
const reference = file("ecg-patch.reference.json", JSON.stringify(referenceOf(IMAGE)));
const known = ["--key", key, "--nonce", hex(nonce), "--reference", reference];

describe("a token of ours", () => {
	test("affirming: exit code 0, and one object with the fields of its help", async () => {
		const { code, stdout, stderr } = await attest("--token", token, ...known, "--json");
		expect(stderr).toBe("");
		const result = JSON.parse(stdout);
		expect(Object.keys(result)).toEqual([
			"board",
			"app",
			"nonce",
			"token",
			"publicKey",
			"verdict",
			"components",
			"relocation",
			"reasons",
		]);
		const values = referenceOf(IMAGE).components.map(({ type, value }) => ({
			name: type,
			expected: value,
			measured: value,
			status: "ok",
		}));
		expect(result).toMatchObject({
			board: "mps2-an386",
			app: "ecg-patch",
			nonce: hex(nonce),
			token: readFileSync(join(folder, token)).toString("hex"),
			publicKey: device.jwk,
			verdict: "affirming",
			relocation: null,
		});
		expect(result.components).toEqual(values);
		expect(code).toBe(0);
	});

	test("for people, with the parts that differ", async () => {
		const image = changed(IMAGE, { "module:main": "patched" });
		const patched = file("patched.cbor", device.token(nonce, { image }));
		const log = file("patched.log", logOf(image));
		const { code, stdout } = await attest("--token", patched, "--log", log, ...known);
		const lines = stdout.split("\n");
		expect(lines).toContain("device    ecg-patch on mps2-an386");
		expect(lines).toContain(`instance  ${hex(device.instanceId)} (enrolled)`);
		expect(lines).toContain("state     secured, boot 7, after power-on, development entropy");
		expect(stdout).toMatch(/^native +[0-9a-f]{16} {2}[0-9a-f]{16} +ok$/m);
		expect(stdout).toMatch(/^app +[0-9a-f]{16} {2}[0-9a-f]{16} +differs$/m);
		expect(stdout).toMatch(/^ {2}module:main +[0-9a-f]{16} {2}[0-9a-f]{16} +differs$/m);
		expect(lines).toContain("verdict: contraindicated");
		expect(stdout).toMatch(/^ {2}contraindicated: app: module "main" is not what was built: /m);
		expect(stdout).toMatch(/^ {2}note: entropy source: development; accepted/m);
		expect(code).toBe(1);
	});

	test("with reference values as CoRIM", async () => {
		const corim = file("ecg-patch.corim", makeCorim(referenceOf(IMAGE)));
		const { code } = await attest("--token", token, "--key", key, "--nonce", hex(nonce), "--reference", corim);
		expect(code).toBe(0);
	});

	test.each([
		["no nonce", ["--key", key, "--reference", reference], "none", /no challenge is known/, /--nonce/],
		["no key", ["--nonce", hex(nonce), "--reference", reference], "none", /unknown key/, /--key/],
		["no reference values", ["--key", key, "--nonce", hex(nonce)], "none", /unknown reference values/, undefined],
		[
			"another nonce",
			["--key", key, "--nonce", "00".repeat(48), "--reference", reference],
			"contraindicated",
			/token for another nonce/,
			undefined,
		],
	] as const)("%s: not affirming, exit code 1", async (_, words, verdict, reason, hint) => {
		const { code, stdout, stderr } = await attest("--token", token, ...words, "--json");
		const result = JSON.parse(stdout);
		expect(result.verdict).toBe(verdict);
		expect(result.reasons.join("\n")).toMatch(reason);
		expect(stderr).toMatch(hint ?? /^$/);
		expect(code).toBe(1);
	});

	test("--save keeps what is needed to judge once more", async () => {
		expect((await attest("--token", token, ...known, "--save", "kept")).code).toBe(0);
		expect(readdirSync(join(folder, "kept")).sort()).toEqual(["ear.json", "key.json", "nonce.hex", "token.cbor"]);
		const kept = (name: string) => readFileSync(join(folder, "kept", name));
		expect(kept("token.cbor")).toEqual(readFileSync(join(folder, token)));
		expect(JSON.parse(kept("ear.json").toString()).submods["mps2-an386"].ear_status).toBe("affirming");
		const words = ["--key", "kept/key.json", "--nonce", kept("nonce.hex").toString().trim(), "--reference", reference];
		expect((await attest("--token", "kept/token.cbor", ...words)).code).toBe(0);
	});
});

describe("a token of a device whose code moves", () => {
	const moving = file("moving.reference.json", JSON.stringify(movingReferenceOf(IMAGE)));
	const words = ["--key", key, "--nonce", hex(nonce), "--reference", moving];
	function saying(name: string, claim: CborValue): string {
		return file(name, device.token(nonce, { claims: (claims) => claims.set(CLAIM.relocation, claim) }));
	}
	const ready = saying("ready.cbor", [1, 14, 449, 1246, 1000, 25, 256, 3]);

	test("a line says how it moves, or why not", async () => {
		const { stdout } = await attest(
			"--token",
			ready,
			...words,
			"--relocation-bits",
			"1246",
			"--relocation-age",
			"0.449",
		);
		expect(stdout.split("\n")).toEqual(
			expect.arrayContaining([
				"device      ecg-patch on mps2-an386",
				"relocation  epoch 14, moved 0.4 s ago, 1246 bits, moves every 1 s ± 25 %, before attestation, after an anomaly",
				"policy      pericard:emulated/1;relocation-bits=1246;relocation-age=449",
				"verdict: affirming",
			]),
		);
		const refused = await attest("--token", saying("refused.cbor", [3, 0, 2000, 1246, 0, 0, 256, 0]), ...words);
		expect(refused.stdout.split("\n")).toContain(
			"relocation  epoch 0, not moved in 2 s, no random numbers, 1246 bits, by request only",
		);
	});

	test("--json has the claim, and the function that was found changed by name", async () => {
		const found = saying("found.cbor", [1, 14, 449, 1246, 1000, 25, 256, 1, 2, 1]);
		const { code, stdout } = await attest("--token", found, ...words, "--json");
		const result = JSON.parse(stdout);
		expect(result.relocation).toEqual({
			status: "ready",
			epoch: 14,
			age: 449,
			bits: 1246,
			period: 1000,
			jitter: 25,
			floor: 256,
			beforeAttestation: true,
			afterAnomaly: false,
			change: { kind: "unit", number: 1, name: "pc_sha256_update" },
		});
		expect(result.reasons[0]).toMatch(/^moved code: function "pc_sha256_update"/);
		expect(code).toBe(1);
	});

	test("--relocation-bits and --relocation-age are demanded", async () => {
		const less = await attest("--token", ready, ...words, "--relocation-bits", "2000", "--relocation-age", "0.4");
		expect(less.stdout).toMatch(/^ {2}contraindicated: a layout of the code has 1246 bits; the policy demands 2000$/m);
		expect(less.stdout).toMatch(/^ {2}contraindicated: the code last moved 0\.449 s ago; the policy allows 0\.4 s$/m);
		expect(less.code).toBe(1);
		const never = await attest("--token", token, ...known, "--relocation-bits", "1");
		expect(never.stdout).toMatch(
			/^ {2}contraindicated: the token does not tell whether code moves; the policy demands it$/m,
		);
		expect(never.code).toBe(1);
	});
});

describe("a token from elsewhere", () => {
	test.each([
		["RFC 9783", RFC9783_SIGN1, ["PRoT"]],
		["an older profile", VERAISON_PROFILE_1, ["BL", "M1", "M2", "M3"]],
	] as const)("%s: decoded, and refused", async (_, bytes, components) => {
		const { code, stdout } = await attest("--token", file("foreign.cbor", bytes), "--json");
		const result = JSON.parse(stdout);
		expect(result).toMatchObject({ board: null, app: null, publicKey: null, verdict: "none", token: hex(bytes) });
		expect(result.components.map((component: { name: string }) => component.name)).toEqual(components);
		expect(result.reasons.join("\n")).toMatch(/^unknown key: .*\n.*unknown reference values: /m);
		expect(code).toBe(1);
	});

	test("what is no token at all", async () => {
		const { code, stdout, stderr } = await attest("--token", file("text.cbor", "no token"));
		expect(stdout).toMatch(/^verdict: none\n {2}none: malformed token: /m);
		expect(stderr).not.toMatch(/internal/);
		expect(code).toBe(1);
	});
});

test.each([
	["nothing", [], /nothing to attest\nhint: name an app/],
	["a file that is not there", ["--token", "absent.cbor"], /no file absent\.cbor/],
	["a folder", ["--token", "."], /is a folder/],
	["a nonce that is none", ["--token", token, "--nonce", "12"], /--nonce takes 32, 48 or 64 bytes in hex/],
	["a key that is none", ["--token", token, "--key", token], /holds no key of a device/],
	["reference values that are none", ["--token", token, "--reference", key], /holds no reference values: format/],
	["a log without a token", ["ecg-patch", "--log", token], /--log goes with --token/],
	[
		"reference values of two",
		["ecg-patch", "--token", token, "--reference", reference],
		/--reference goes with --token/,
	],
	["fewer bits than one", ["--token", token, "--relocation-bits", "0"], /--relocation-bits takes a number above 0/],
	["an app that is not there", ["absent"], /there is no app at absent/],
] as const)("wrong usage: %s, exit code 2", async (_, words, message) => {
	const { code, stdout, stderr } = await attest(...words);
	expect(stderr).toMatch(message);
	expect(stdout).toBe("");
	expect(code).toBe(2);
});
