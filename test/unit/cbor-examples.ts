// Examples of RFC 8949, for Node and for devices.

import { CborFloat, CborSimple, CborTag, type CborValue } from "../../firmware/attestation/codec/cbor.ts";

export function bytes(hex: string): Uint8Array {
	return new Uint8Array(
		Array.from({ length: hex.length / 2 }, (_, at) => Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16)),
	);
}

export function hex(data: Uint8Array): string {
	return Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export const map = (...entries: [CborValue, CborValue][]) => new Map(entries);
export const float = (value: number) => new CborFloat(value);

/** RFC 8949 appendix A, and whether the encoding is the deterministic one. */
export const EXAMPLES: readonly (readonly [hex: string, value: CborValue, deterministic?: false])[] = [
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

/** RFC 8949 appendix F.1: encodings that are not well-formed. */
export const MALFORMED = {
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
