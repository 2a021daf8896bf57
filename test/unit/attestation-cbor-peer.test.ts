// Our CBOR against an independent implementation: each reads what the other writes, byte by byte the same.

import { rfc8949EncodeOptions, decode as theirDecode, encode as theirEncode } from "cborg";
import { expect, test } from "vitest";
import { type CborValue, decode, encode } from "../../firmware/attestation/codec/cbor.ts";
import { random } from "./random.ts";

const EDGES = [0, 23, 24, 255, 256, 65535, 65536, 4294967295, 4294967296, Number.MAX_SAFE_INTEGER];

/** A value of the types that both know, nested at most three deep. */
function make(next: () => number, depth = 0): CborValue {
	const below = (limit: number) => Math.floor(next() * limit);
	switch (below(depth < 3 ? 8 : 5)) {
		case 0:
			return EDGES[below(EDGES.length)] as number;
		case 1:
			return -1 - (EDGES[below(EDGES.length - 1)] as number);
		case 2:
			return Uint8Array.from({ length: below(70) }, () => below(256));
		case 3:
			return String.fromCodePoint(...Array.from({ length: below(40) }, () => 0x20 + below(0xd000)));
		case 4:
			return [true, false, null][below(3)] as CborValue;
		case 5:
		case 6:
			return Array.from({ length: below(9) }, () => make(next, depth + 1));
		default: {
			// By number or by text: what a map's keys are here.
			const keys = new Map<string, CborValue>();
			for (let i = below(9); i > 0; i--) {
				const key = below(2) === 0 ? below(100_000) - 50_000 : `k${below(1000)}`;
				keys.set(typeof key === "number" ? `#${key}` : key, key);
			}
			return new Map([...keys.values()].map((key): [CborValue, CborValue] => [key, make(next, depth + 1)]));
		}
	}
}

test("what one writes the other reads, and both write the same bytes", () => {
	const next = random(20_261_122);
	for (let i = 0; i < 2000; i++) {
		const value = make(next);
		const ours = encode(value);
		expect(Buffer.from(ours).toString("hex")).toBe(
			Buffer.from(theirEncode(value, rfc8949EncodeOptions)).toString("hex"),
		);
		expect(theirDecode(ours, { useMaps: true, strict: true, rejectDuplicateMapKeys: true })).toEqual(value);
		expect(decode(ours)).toEqual(value);
	}
});

test("what the other refuses of damaged bytes as not well-formed, ours refuses too", () => {
	const next = random(7);
	let refused = 0;
	for (let i = 0; i < 3000; i++) {
		const bytes = encode(make(next));
		const at = Math.floor(next() * bytes.length);
		bytes[at] = (bytes[at] as number) ^ (1 << Math.floor(next() * 8));
		let wellFormed = true;
		try {
			theirDecode(bytes, { useMaps: true, strict: true, rejectDuplicateMapKeys: true, tags: {} });
		} catch (error) {
			// Tags and simple values that it was given no meaning for are well-formed all the same.
			wellFormed = /tag|minor|simple|non-string keys/i.test((error as Error).message);
		}
		if (wellFormed) continue;
		refused++;
		expect(() => decode(bytes), Buffer.from(bytes).toString("hex")).toThrow();
	}
	expect(refused).toBeGreaterThan(200);
});
