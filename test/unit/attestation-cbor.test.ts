// CBOR for what is signed: the examples of RFC 8949, one encoding a value, and a reason for every refusal.

import { describe, expect, test } from "vitest";
import {
	CborError,
	type CborFault,
	type CborFloat,
	type CborMap,
	CborSimple,
	CborTag,
	type CborValue,
	compare,
	type DecodeOptions,
	decode,
	encode,
} from "../../firmware/attestation/codec/cbor.ts";
import { bytes, EXAMPLES, float, hex, MALFORMED, map } from "./cbor-examples.ts";
import { random } from "./random.ts";

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
