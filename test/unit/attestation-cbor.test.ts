// CBOR for what is signed: the examples of RFC 8949, one encoding a value, and a reason for every refusal.

import { describe, expect, test } from "vitest";
import {
	CborError,
	type CborFault,
	CborFloat,
	type CborMap,
	CborSimple,
	CborTag,
	type CborValue,
	compare,
	type DecodeOptions,
	decode,
	encode,
} from "../../firmware/attestation/codec/cbor.ts";
import { random } from "./random.ts";

const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, "hex"));
const hex = (data: Uint8Array) => Buffer.from(data).toString("hex");
const map = (...entries: [CborValue, CborValue][]) => new Map(entries);
const float = (value: number) => new CborFloat(value);

/** RFC 8949 appendix A, and whether the encoding is the deterministic one. */
const EXAMPLES: readonly (readonly [hex: string, value: CborValue, deterministic?: false])[] = [
	["00", 0],
	["01", 1],
	["0a", 10],
	["17", 23],
	["1818", 24],
	["1819", 25],
	["1864", 100],
	["1903e8", 1000],
	["1a000f4240", 1000000],
	["1b000000e8d4a51000", 1000000000000],
	["1bffffffffffffffff", 18446744073709551615n],
	["c249010000000000000000", new CborTag(2, bytes("010000000000000000"))],
	["3bffffffffffffffff", -18446744073709551616n],
	["c349010000000000000000", new CborTag(3, bytes("010000000000000000"))],
	["20", -1],
	["29", -10],
	["3863", -100],
	["3903e7", -1000],
	["f90000", float(0)],
	["f98000", float(-0)],
	["f93c00", float(1)],
	["fb3ff199999999999a", float(1.1)],
	["f93e00", float(1.5)],
	["f97bff", float(65504)],
	["fa47c35000", float(100000)],
	["fa7f7fffff", float(3.4028234663852886e38)],
	["fb7e37e43c8800759c", float(1e300)],
	["f90001", float(2 ** -24)],
	["f90400", float(0.00006103515625)],
	["f9c400", float(-4)],
	["fbc010666666666666", float(-4.1)],
	["f97c00", float(Number.POSITIVE_INFINITY)],
	["f97e00", float(Number.NaN)],
	["f9fc00", float(Number.NEGATIVE_INFINITY)],
	["fa7f800000", float(Number.POSITIVE_INFINITY), false],
	["fa7fc00000", float(Number.NaN), false],
	["faff800000", float(Number.NEGATIVE_INFINITY), false],
	["fb7ff0000000000000", float(Number.POSITIVE_INFINITY), false],
	["fb7ff8000000000000", float(Number.NaN), false],
	["fbfff0000000000000", float(Number.NEGATIVE_INFINITY), false],
	["f4", false],
	["f5", true],
	["f6", null],
	["f7", undefined],
	["f0", new CborSimple(16)],
	["f8ff", new CborSimple(255)],
	["c074323031332d30332d32315432303a30343a30305a", new CborTag(0, "2013-03-21T20:04:00Z")],
	["c11a514b67b0", new CborTag(1, 1363896240)],
	["c1fb41d452d9ec200000", new CborTag(1, float(1363896240.5))],
	["d74401020304", new CborTag(23, bytes("01020304"))],
	["d818456449455446", new CborTag(24, bytes("6449455446"))],
	["d82076687474703a2f2f7777772e6578616d706c652e636f6d", new CborTag(32, "http://www.example.com")],
	["40", bytes("")],
	["4401020304", bytes("01020304")],
	["60", ""],
	["6161", "a"],
	["6449455446", "IETF"],
	["62225c", '"\\'],
	["62c3bc", "\u00fc"],
	["63e6b0b4", "\u6c34"],
	["64f0908591", "\ud800\udd51"],
	["80", []],
	["83010203", [1, 2, 3]],
	["8301820203820405", [1, [2, 3], [4, 5]]],
	["98190102030405060708090a0b0c0d0e0f101112131415161718181819", Array.from({ length: 25 }, (_, at) => at + 1)],
	["a0", map()],
	["a201020304", map([1, 2], [3, 4])],
	["a26161016162820203", map(["a", 1], ["b", [2, 3]])],
	["826161a161626163", ["a", map(["b", "c"])]],
	["a56161614161626142616361436164614461656145", map(["a", "A"], ["b", "B"], ["c", "C"], ["d", "D"], ["e", "E"])],
	["5f42010243030405ff", bytes("0102030405"), false],
	["7f657374726561646d696e67ff", "streaming", false],
	["9fff", [], false],
	["9f018202039f0405ffff", [1, [2, 3], [4, 5]], false],
	["9f01820203820405ff", [1, [2, 3], [4, 5]], false],
	["83018202039f0405ff", [1, [2, 3], [4, 5]], false],
	["83019f0203ff820405", [1, [2, 3], [4, 5]], false],
	["9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff", Array.from({ length: 25 }, (_, at) => at + 1), false],
	["bf61610161629f0203ffff", map(["a", 1], ["b", [2, 3]]), false],
	["826161bf61626163ff", ["a", map(["b", "c"])], false],
	["bf6346756ef563416d7421ff", map(["Fun", true], ["Amt", -2]), false],
];

const LENIENT: DecodeOptions = { deterministic: false, indefinite: true };

function refusal(data: Uint8Array, options?: DecodeOptions): { fault: CborFault; offset: number } {
	try {
		decode(data, options);
	} catch (error) {
		if (error instanceof CborError) return { fault: error.fault, offset: error.offset };
		throw error;
	}
	throw new Error(`${hex(data)} was not refused`);
}

describe("RFC 8949 appendix A", () => {
	test.each(EXAMPLES.map(([...example]) => ({ example })))(
		"$example.0",
		({ example: [example, value, deterministic] }) => {
			const data = bytes(example);
			expect(decode(data, LENIENT)).toEqual(value);
			if (deterministic === false) {
				expect(["indefinite", "not-shortest"]).toContain(refusal(data).fault);
			} else {
				expect(decode(data)).toEqual(value);
				expect(hex(encode(value))).toBe(example);
			}
		},
	);
});

/** RFC 8949 appendix F.1: encodings that are not well-formed. */
const MALFORMED = {
	truncated: [
		"18 19 1a 1b 1901 1a0102 1b01020304050607 38 58 78 98 9a01ff00 b8 d8 f8 f900 fa0000 fb000000",
		"41 61 5affffffff00 5bffffffffffffffff010203 7affffffff00 7b7fffffffffffffff010203",
		"81 818181818181818181 8200 a1 a20102 a100 a2000000 c0",
		"5f4100 7f6100 9f 9f0102 bf bf01020302 819f 9f8000 9f9f9f9f9fffffffff 9f819f819f9fffffff a1ff a20000ff",
	],
	reserved: ["1c 1d 1e 3c 3d 3e 5c 5d 5e 7c 7d 7e 9c 9d 9e bc bd be dc dd de fc fd fe", "1f 3f df"],
	simple: ["f800 f801 f818 f81f"],
	chunk: ["5f00ff 5f21ff 5f6100ff 5f80ff 5fa0ff 5fc000ff 5fe0ff 7f4100ff 5f5f4100ffff 7f7f6100ffff"],
	break: ["ff 81ff 8200ff a1ff00 a100ff 9f81ff 9f829f819f9fffffffff bf00ff bf000001ff"],
} as const;

describe("RFC 8949 appendix F.1: what is not well-formed", () => {
	for (const [fault, lists] of Object.entries(MALFORMED)) {
		test.each(lists.join(" ").split(" "))(`${fault}: %s`, (example) => {
			expect(refusal(bytes(example), LENIENT).fault).toBe(fault);
			expect(() => decode(bytes(example))).toThrow(CborError);
		});
	}
});

describe("what is refused, and where", () => {
	test.each([
		["trailing bytes", "0000", "trailing-bytes", 1],
		["nothing at all", "", "truncated", 0],
		["two equal keys", "a201020103", "duplicate-key", 3],
		["two equal keys in a map of a map", "a1a201020103a0", "duplicate-key", 4],
		["keys that are not in order", "a202000100", "unsorted-keys", 3],
		["a shorter key behind a longer one", "a2190100000100", "unsorted-keys", 5],
		["a long form of a small integer", "820018 17".replace(" ", ""), "not-shortest", 2],
		["a long form of a length", "580100", "not-shortest", 0],
		["a long form of a count", "980100", "not-shortest", 0],
		["a long form of a tag", "d80100", "not-shortest", 0],
		["a 64-bit form of a 32-bit integer", "1b00000000ffffffff", "not-shortest", 0],
		["a double that is a single", "fb3ff8000000000000", "not-shortest", 0],
		["a NaN with a payload", "f97e01", "not-shortest", 0],
		["an array without an end given", "9fff", "indefinite", 0],
		["an overlong NUL", "62c080", "utf-8", 0],
		["half a surrogate pair", "63eda080", "utf-8", 0],
		["a code point beyond Unicode", "64f4908080", "utf-8", 0],
		["a sequence that is cut", "8261c362c3", "utf-8", 1],
		["a lone continuation", "6180", "utf-8", 0],
	] as const)("%s", (_, data, fault, offset) => {
		expect(refusal(bytes(data))).toEqual({ fault, offset });
	});

	test("equal keys in any encoding, also where that may vary", () => {
		expect(refusal(bytes("a30102020018010a"), LENIENT)).toEqual({ fault: "duplicate-key", offset: 5 });
		expect(refusal(bytes("bf6161007f61 61ff01ff".replace(" ", "")), LENIENT).fault).toBe("duplicate-key");
		expect(decode(bytes("a202000100"), { deterministic: false })).toEqual(map([2, 0], [1, 0]));
		expect(refusal(bytes("000000"), LENIENT)).toEqual({ fault: "trailing-bytes", offset: 1 });
	});

	test("indefinite lengths only where they are asked for", () => {
		expect(refusal(bytes("9fff"), { deterministic: false }).fault).toBe("indefinite");
		expect(refusal(bytes("9fff"), { indefinite: true }).fault).toBe("indefinite");
	});

	test("nesting and size have limits", () => {
		expect(decode(bytes(`${"81".repeat(16)}00`))).toHaveLength(1);
		expect(refusal(bytes(`${"81".repeat(17)}00`))).toEqual({ fault: "depth", offset: 16 });
		expect(refusal(bytes(`${"c1".repeat(17)}00`))).toEqual({ fault: "depth", offset: 16 });
		expect(refusal(bytes(`${"81".repeat(3)}00`), { depth: 2 })).toEqual({ fault: "depth", offset: 2 });
		expect(refusal(new Uint8Array(65537)).fault).toBe("size");
		expect(refusal(bytes("00".repeat(9)), { size: 8 }).fault).toBe("size");
	});

	test("a count of more items than there are bytes is not waited for", () => {
		expect(refusal(bytes("9b0fffffffffffffff"), { deterministic: false }).fault).toBe("truncated");
		expect(refusal(bytes("bb0fffffffffffffff"), { deterministic: false }).fault).toBe("truncated");
	});
});

describe("encode", () => {
	test("sorts keys by their bytes (RFC 8949 section 4.2.1)", () => {
		const keys: CborValue[] = [[-1], false, "aa", "z", [100], -1, 100, 10];
		const encoded = encode(new Map(keys.map((key) => [key, 0])));
		expect([...(decode(encoded) as CborMap).keys()]).toEqual([10, 100, -1, "z", "aa", [100], [-1], false]);
	});

	test("refuses what CBOR can't say", () => {
		const twice = new Map<CborValue, CborValue>([
			[bytes("01"), 1],
			[bytes("01"), 2],
		]);
		for (const value of [
			twice,
			1.5,
			Number.NaN,
			2 ** 53,
			1n << 64n,
			-(1n << 64n) - 1n,
			new CborSimple(24),
			new CborTag(-1, 0),
			"\ud800",
		]) {
			expect(() => encode(value)).toThrow(RangeError);
		}
	});

	test("integers of every length, from both sides", () => {
		for (let bits = 0n; bits <= 64n; bits++) {
			for (const near of [-1n, 0n, 1n]) {
				for (const value of [(1n << bits) + near, -(1n << bits) + near]) {
					if (value > 0xffffffffffffffffn || value < -(1n << 64n)) continue;
					const back = decode(encode(value));
					expect(BigInt(back as number | bigint)).toBe(value);
					expect(typeof back === "number").toBe(Number.isSafeInteger(Number(value)));
				}
			}
		}
	});

	test("half-precision numbers: all of them", () => {
		const wrong: string[] = [];
		for (let half = 0; half < 65536; half++) {
			const data = bytes(`f9${half.toString(16).padStart(4, "0")}`);
			const value = decode(data, LENIENT) as CborFloat;
			if (!Number.isNaN(value.value) && compare(encode(value), data) !== 0) wrong.push(hex(data));
		}
		expect(wrong).toEqual([]);
	});
});

/** A value made at random. */
function someValue(next: () => number, depth: number): CborValue {
	const kind = Math.floor(next() * (depth > 0 ? 11 : 7));
	const length = Math.floor(next() * 5);
	switch (kind) {
		case 0:
			return Math.floor(next() * 2 ** Math.floor(next() * 54)) * (next() < 0.5 ? -1 : 1) || 0;
		case 1:
			return (next() < 0.5 ? -1n : 1n) * (2n ** 53n + BigInt(Math.floor(next() * 2 ** 53)) * 2n ** 9n);
		case 2:
			return new Uint8Array(Array.from({ length: length * 20 }, () => Math.floor(next() * 256)));
		case 3:
			return String.fromCodePoint(...Array.from({ length }, () => Math.floor(next() * 0xd800)));
		case 4:
			return [true, false, null, undefined][Math.floor(next() * 4)];
		case 5:
			return float(Math.fround((next() - 0.5) * 10 ** Math.floor(next() * 30)));
		case 6:
			return new CborSimple(32 + Math.floor(next() * 224));
		case 7:
			return new CborTag(Math.floor(next() * 2 ** 40), someValue(next, depth - 1));
		case 8:
			return Array.from({ length }, () => someValue(next, depth - 1));
		default: {
			const entries = new Map<string, [CborValue, CborValue]>();
			for (let at = 0; at < length; at++) {
				const key = someValue(next, depth - 1);
				entries.set(hex(encode(key)), [key, someValue(next, depth - 1)]);
			}
			return new Map(entries.values());
		}
	}
}

describe("any value, any bytes", () => {
	test("what is encoded is decoded, strictly, and has no other encoding", () => {
		const next = random(8949);
		for (let round = 0; round < 3000; round++) {
			const value = someValue(next, 4);
			const encoded = encode(value);
			expect(hex(encode(decode(encoded)))).toBe(hex(encoded));
		}
	});

	test("changed bytes are refused with a fault, or are the deterministic encoding of something else", () => {
		const next = random(1);
		let refused = 0;
		for (let round = 0; round < 20000; round++) {
			const data = encode(someValue(next, 3));
			for (let changes = 1 + next() * 3; changes > 0; changes--) {
				data[Math.floor(next() * data.length)] = Math.floor(next() * 256);
			}
			try {
				expect(compare(encode(decode(data)), data)).toBe(0);
			} catch (error) {
				expect(error).toBeInstanceOf(CborError);
				refused++;
			}
			try {
				encode(decode(data, LENIENT));
			} catch (error) {
				expect(error).toBeInstanceOf(CborError);
			}
		}
		expect(refused).toBeGreaterThan(1000);
	});
});
