// The token as the device writes it (native/attestation, native/cbor), on this machine: fixed claims give fixed bytes, which are
// those of another encoder, and a signature over its digest is one of the token for Node.

import { execFileSync, spawnSync } from "node:child_process";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CborTag, type CborValue, decode, encode } from "../../firmware/attestation/codec/cbor.ts";
import { CLAIM, COMPONENT, COMPONENTS, COSE, PROFILE } from "../../firmware/attestation/codec/claims.ts";
import { openSign1, toBeSigned, verifySign1 } from "../../tools/verifier/cose.ts";
import { cryptoIncludes, cryptoObjects } from "./crypto-native.ts";

const ROOT = join(import.meta.dirname, "../..");
const dir = mkdtempSync(join(tmpdir(), "pericard-token-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const bytes = (text: string) => new Uint8Array(Buffer.from(text, "hex"));
const sha256 = (data: Uint8Array | string) => new Uint8Array(createHash("sha256").update(data).digest());

let program = "";
beforeAll(async () => {
	const folders = ["native/cbor", "native/attestation"].map((path) => join(ROOT, path));
	const sources = [
		join(ROOT, "test/native/attestation/token.c"),
		join(ROOT, "native/cbor/cbor.c"),
		join(ROOT, "native/attestation/token.c"),
	];
	program = join(dir, "program");
	const flags = ["-std=c11", "-g", "-Wall", "-Wextra", "-Werror", "-fsanitize=address,undefined"];
	const includes = [...folders.map((folder) => `-I${folder}`), ...cryptoIncludes];
	const objects = await cryptoObjects();
	execFileSync(
		"gcc",
		[...flags, "-fno-sanitize-recover=all", ...includes, ...sources, ...objects, "-no-pie", "-o", program],
		{ stdio: ["ignore", "pipe", "pipe"] },
	);
}, 120_000);

function ask(lines: readonly string[]): string[] {
	const { status, stdout, stderr } = spawnSync(program, { input: `${lines.join("\n")}\n`, encoding: "utf8" });
	expect(status, stderr).toBe(0);
	return stdout.split("\n").slice(0, -1);
}

describe("native/cbor", () => {
	test("items are as another encoder has them, at all borders of their heads", () => {
		const edges = [0, 1, 23, 24, 25, 100, 255, 256, 1000, 65535, 65536, 1_000_000, 2 ** 32 - 1];
		const numbers = [...edges, ...edges.map((value) => -1 - value)];
		expect(ask(numbers.map((value) => `int ${value}`))).toEqual(numbers.map((value) => hex(encode(value))));
		const sizes = [0, 1, 23, 24, 255, 256, 5000];
		const contents = sizes.map((size) => Uint8Array.from({ length: size }, (_, i) => i * 7));
		expect(ask(contents.map((data) => `bytes ${hex(data) || "-"}`))).toEqual(contents.map((data) => hex(encode(data))));
		const texts = ["a", "grüße", "x".repeat(23), "x".repeat(24), "x".repeat(256)];
		expect(ask(texts.map((text) => `text ${text}`))).toEqual(texts.map((text) => hex(encode(text))));
		expect(ask(["array 3", "array 24", "map 11", "map 300", "tag 18", "tag 55799"])).toEqual([
			"83",
			"9818",
			"ab",
			"b9012c",
			"d2",
			"d9d9f7",
		]);
	});
});

/** Fixed claims. */
const publicKey = bytes(`04${hex(sha256("x"))}${hex(sha256("y"))}`);
const fixed = {
	nonce: sha256("nonce"),
	implementationId: sha256("pericard:mps2-an386"),
	bootSeed: bytes("0123456789abcdef"),
	bootCount: 7,
	clientId: -1,
	lifecycle: 0x3000,
	entropySource: 2,
	resetReason: 4,
	failedEngines: 0,
	components: COMPONENTS.map((type) => ({
		type,
		version: type === "xs" ? "13.3.0" : "1.2.3",
		value: sha256(type),
		signer: sha256("signer"),
	})),
};
type Claims = typeof fixed;

function line(claims: Claims, capacity = 1024): string {
	const { nonce, implementationId, bootSeed, bootCount, clientId, lifecycle } = claims;
	const numbers = [bootCount, clientId, lifecycle, claims.entropySource, claims.resetReason, claims.failedEngines];
	const components = claims.components.flatMap(({ type, version, value, signer }) => [
		type,
		version,
		hex(value),
		hex(signer),
	]);
	const head = [hex(nonce) || "-", hex(publicKey), hex(implementationId), hex(bootSeed)];
	return ["token", capacity, ...head, ...numbers, ...components].join(" ");
}

/** The same by the TypeScript encoder, with a signature of zeros. */
function expected(claims: Claims): Uint8Array {
	const map = new Map<CborValue, CborValue>([
		[CLAIM.resetReason, claims.resetReason],
		[CLAIM.nonce, claims.nonce],
		[CLAIM.instanceId, Uint8Array.of(1, ...sha256(publicKey))],
		[CLAIM.profile, PROFILE],
		[CLAIM.bootCount, claims.bootCount],
		[CLAIM.bootSeed, claims.bootSeed],
		[CLAIM.clientId, claims.clientId],
		[CLAIM.lifecycle, claims.lifecycle],
		[CLAIM.implementationId, claims.implementationId],
		[
			CLAIM.components,
			claims.components.map(
				({ type, version, value, signer }) =>
					new Map<CborValue, CborValue>([
						[COMPONENT.signerId, signer],
						[COMPONENT.type, type],
						[COMPONENT.value, value],
						[COMPONENT.version, version],
					]),
			),
		],
		[CLAIM.entropySource, claims.entropySource],
	]);
	if (claims.failedEngines !== 0) map.set(CLAIM.failedEngines, claims.failedEngines);
	const header = encode(new Map([[COSE.algorithm, COSE.es256]]));
	return encode(new CborTag(COSE.sign1, [header, new Map(), encode(map), new Uint8Array(64)]));
}

function answer(claims: Claims, capacity?: number): { status: number; token: Uint8Array; digest: Uint8Array } {
	const [status = "", token = "", digest = ""] = (ask([line(claims, capacity)])[0] ?? "").split(" ");
	return { status: Number(status), token: bytes(token), digest: bytes(digest) };
}

describe("native/attestation: the token", () => {
	test("fixed claims give fixed bytes", () => {
		const { status, token, digest } = answer(fixed);
		expect(status).toBe(0);
		expect(hex(token)).toBe(hex(expected(fixed)));
		expect(hex(token).slice(0, 28)).toBe("d28443a10126a0590211ab0a5820");
		expect(hex(sha256(token))).toBe("896a823c32f3336abdde7d4d361e5c8e5f8ac16b907f16ff39b62dceaa93f618");
		expect(hex(digest)).toBe("5fe36333114a0efa7e8fe7fdf2034327b853e14c20c3377a22f375dc50a0dc1d");
	});

	test("it is what the verifier's decoder takes for deterministic, and a signature over its digest is ES256's", () => {
		const { token, digest } = answer(fixed);
		const opened = openSign1(token);
		expect(opened.deviations).toEqual([]);
		expect(opened.unprotected).toBeUndefined();
		const message = toBeSigned(opened.protectedHeader, opened.payload);
		expect(hex(digest)).toBe(hex(sha256(message)));
		const { privateKey, publicKey: verifying } = generateKeyPairSync("ec", { namedCurve: "P-256" });
		token.set(sign("sha256", message, { key: privateKey, dsaEncoding: "ieee-p1363" }), token.length - 64);
		expect(verifySign1(openSign1(token), verifying)).toBe(true);
		token[100] = (token[100] ?? 0) ^ 1;
		expect(verifySign1(openSign1(token), verifying)).toBe(false);
	});

	test.each([32, 48, 64])("nonces of %i bytes, and numbers of any size", (size) => {
		for (const bootCount of [1, 23, 24, 255, 256, 65535, 65536, 2 ** 32 - 1]) {
			const claims = { ...fixed, nonce: new Uint8Array(size).fill(size), bootCount, clientId: -300, lifecycle: 0x40ff };
			const { token } = answer(claims);
			expect(hex(token)).toBe(hex(expected(claims)));
			expect(() => decode(token)).not.toThrow();
		}
	});

	test.each([1, 23, 24, 0x1ff, 2 ** 32 - 1])("failed engines are told where there are any: %i", (failedEngines) => {
		const claims = { ...fixed, failedEngines };
		expect(hex(answer(claims).token)).toBe(hex(expected(claims)));
	});

	test("640 bytes are enough for the longest nonce, versions of five characters, and 65,535 boots", () => {
		const claims = { ...fixed, nonce: new Uint8Array(64), bootCount: 65535, resetReason: 14 };
		expect(answer(claims).token.length).toBeLessThanOrEqual(640);
	});

	test("the longest token there can be fits into what the device keeps for it", () => {
		const components = fixed.components.map((component) => ({
			...component,
			version: component.type === "xs" ? "1".repeat(15) : "1".repeat(31),
		}));
		const claims = {
			...fixed,
			nonce: new Uint8Array(64),
			bootCount: 2 ** 32 - 1,
			clientId: -(2 ** 31),
			failedEngines: 2 ** 32 - 1,
			components,
		};
		const { token } = answer(claims, 784);
		expect(hex(token)).toBe(hex(expected(claims)));
	});

	test("a nonce of another size is refused", () => {
		for (const size of [0, 1, 31, 33, 47, 49, 63, 65, 128]) {
			expect(answer({ ...fixed, nonce: new Uint8Array(size) }).status, `${size}`).toBe(1);
		}
	});

	test("a place that is too small is refused, and nothing is written behind it", () => {
		const { length } = answer(fixed).token;
		const sizes = Array.from({ length: length + 1 }, (_, size) => size);
		const statuses = ask(sizes.map((size) => line(fixed, size))).map((text) => text.split(" ")[0]);
		expect(statuses).toEqual(sizes.map((size) => (size < length ? "2" : "0")));
	});
});
