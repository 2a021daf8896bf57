// How pericard/webcrypto writes keys, against Node's, and what it makes of everything else.

import { createECDH, generateKeyPairSync, type KeyObject } from "node:crypto";
import { describe, expect, test } from "vitest";
import {
	type Curve,
	fromBase64Url,
	fromPkcs8,
	fromSpki,
	toBase64Url,
	toPkcs8,
	toSpki,
} from "../../firmware/crypto/encoding.ts";
import { random } from "./random.ts";

const next = random(7);
const integer = (from: number, to: number): number => from + Math.floor(next() * (to - from + 1));

describe("base64url", () => {
	test("is Node's, for all lengths", () => {
		for (let size = 0; size < 200; size++) {
			const bytes = Uint8Array.from({ length: size }, () => integer(0, 255));
			const text = Buffer.from(bytes).toString("base64url");
			expect(toBase64Url(bytes)).toBe(text);
			expect(fromBase64Url(text)).toEqual(new Uint8Array(bytes));
		}
	});

	test("has one form of each value", () => {
		for (const text of [
			"A",
			"AAAAA",
			"AA==",
			"AB",
			"AAB",
			"A A",
			"AA\n",
			"AA+A",
			"AA/A",
			"ÀAAA",
			"AAA\u0000",
			"AAA😀",
		]) {
			expect(fromBase64Url(text), JSON.stringify(text)).toBeUndefined();
		}
	});
});

interface Pair {
	readonly curve: Curve;
	readonly spki: Buffer;
	readonly pkcs8: Buffer;
	readonly publicKey: Buffer;
	readonly privateKey: Buffer;
}

function pair(curve: Curve): Pair {
	const { publicKey, privateKey } = (
		curve === "P-256"
			? generateKeyPairSync("ec", { namedCurve: curve })
			: generateKeyPairSync(curve.toLowerCase() as "ed25519")
	) as { publicKey: KeyObject; privateKey: KeyObject };
	const { x = "", y, d = "" } = privateKey.export({ format: "jwk" });
	const parts = [x, y ?? ""].map((part) => Buffer.from(part, "base64url"));
	return {
		curve,
		spki: publicKey.export({ type: "spki", format: "der" }),
		pkcs8: privateKey.export({ type: "pkcs8", format: "der" }),
		publicKey: Buffer.concat(y === undefined ? parts : [Buffer.from([4]), ...parts]),
		privateKey: Buffer.from(d, "base64url"),
	};
}

const curves: readonly Curve[] = ["P-256", "Ed25519", "X25519"];

/** Read as a key of any curve, either half: the part of it that was read, or none. */
function read(bytes: Uint8Array): string[] {
	return curves.flatMap((curve) => {
		const { key, publicKey } = fromPkcs8(curve, bytes) ?? {};
		return [fromSpki(curve, bytes), key, publicKey].flatMap((part) =>
			part === undefined ? [] : [Buffer.from(part).toString("hex")],
		);
	});
}

describe.each(curves)("keys of %s", (curve) => {
	const own = pair(curve);
	const { spki, pkcs8, publicKey, privateKey } = own;

	test("are written as Node writes them, and read again", () => {
		expect(Buffer.from(toSpki(curve, publicKey))).toEqual(spki);
		expect(Buffer.from(toPkcs8(curve, privateKey, publicKey))).toEqual(pkcs8);
		expect(Buffer.from(fromSpki(curve, spki) ?? [])).toEqual(publicKey);
		const parts = fromPkcs8(curve, pkcs8);
		expect(Buffer.from(parts?.key ?? [])).toEqual(privateKey);
		expect(parts?.publicKey && Buffer.from(parts.publicKey)).toEqual(curve === "P-256" ? publicKey : undefined);
	});

	test("are not taken for those of another curve, or the other half", () => {
		for (const other of curves.filter((name) => name !== curve)) {
			expect(fromSpki(other, spki)).toBeUndefined();
			expect(fromPkcs8(other, pkcs8)).toBeUndefined();
		}
		expect(fromPkcs8(curve, spki)).toBeUndefined();
		expect(fromSpki(curve, pkcs8)).toBeUndefined();
	});

	test("are refused when cut, longer, or changed anywhere but in the key", () => {
		for (const whole of [spki, pkcs8]) {
			const inside = read(whole);
			for (let size = 0; size < whole.length; size++) expect(read(whole.subarray(0, size)), `${size}`).toEqual([]);
			expect(read(Buffer.concat([whole, Buffer.alloc(1)]))).toEqual([]);
			const keyBytes = inside.reduce((sum, part) => sum + part.length / 2, 0);
			let changed = 0;
			for (let bit = 0; bit < whole.length * 8; bit++) {
				const other = Buffer.from(whole);
				other[bit >> 3] = (other[bit >> 3] ?? 0) ^ (1 << (bit & 7));
				const found = read(other);
				/* The bit is one of the key's; or the curve's name became the other one's. */
				if (found.length > 0 && other.length === whole.length) changed++;
			}
			expect(changed).toBeGreaterThanOrEqual(keyBytes * 8);
			expect(changed).toBeLessThanOrEqual(keyBytes * 8 + (curve === "P-256" ? 0 : 1));
		}
	});

	test("survive any content", () => {
		for (let i = 0; i < 20_000; i++) {
			const bytes = Buffer.from(i % 2 === 0 ? spki : pkcs8);
			for (let n = integer(1, 4); n > 0; n--) bytes[integer(0, bytes.length - 1)] = integer(0, 255);
			const cut = bytes.subarray(0, integer(0, 5) === 0 ? integer(0, bytes.length) : bytes.length);
			for (const part of read(cut)) expect(cut.includes(Buffer.from(part, "hex"))).toBe(true);
		}
	});
});

test("a private key of P-256 may come without its curve and its public key", () => {
	const ecdh = createECDH("prime256v1");
	const publicKey = ecdh.generateKeys();
	const key = ecdh.getPrivateKey().toString("hex").padStart(64, "0");
	const wrap = (tag: string, inner: string): string => {
		const size = inner.length / 2;
		return `${tag}${size > 127 ? "81" : ""}${size.toString(16).padStart(2, "0")}${inner}`;
	};
	const made = (parameters: string, point: string, version = "020100", inside = "020101", rest = ""): Buffer =>
		Buffer.from(
			wrap(
				"30",
				`${version}301306072a8648ce3d020106082a8648ce3d030107${wrap("04", wrap("30", `${inside}0420${key}${parameters}${point}`))}${rest}`,
			),
			"hex",
		);
	const name = "a00a06082a8648ce3d030107";
	const point = wrap("a1", wrap("03", `00${publicKey.toString("hex")}`));
	const hex = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString("hex");
	for (const [parameters, q] of [
		["", ""],
		[name, ""],
		["", point],
		[name, point],
	] as const) {
		const found = fromPkcs8("P-256", made(parameters, q));
		expect(hex(found?.key)).toBe(key);
		expect(hex(found?.publicKey)).toBe(q === "" ? undefined : publicKey.toString("hex"));
	}
	for (const wrong of [
		made(name.replace("07", "08"), point),
		made("a00c06082a8648ce3d0301070500", point),
		made(point, name),
		made("", point, "020101"),
		made("", point, "020100", "020102"),
		made("", point.replace("034200", "034201")),
		made("", `${point}00`),
		made("", point, "020100", "020101", "a000"),
		made("", point.replace("a144", "a18144")),
	]) {
		expect(fromPkcs8("P-256", wrong), wrong.toString("hex")).toBeUndefined();
	}
});
