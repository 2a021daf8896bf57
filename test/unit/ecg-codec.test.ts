// The frames between front end and device: what is written is read, and what is damaged never is.

import { describe, expect, test } from "vitest";
import { FrameReader } from "../../firmware/sensors/ecg/codec.ts";
import { encodeEnd, encodeFormat, encodeSamples } from "../../firmware/sensors/ecg/encoder.ts";
import { crc16 } from "../../tools/signals/frames.ts";

const format = { sampleRate: 360, unitsPerMillivolt: 200, baseline: 1024, leads: 2, bits: 11 };

interface Found {
	readonly kind: string;
	readonly sequence?: number;
	readonly status?: number;
	readonly samples?: readonly number[];
}

/** Feeds bytes in pieces of `size` and collects what the reader finds. */
function readAll(bytes: Uint8Array, size = 7): Found[] {
	const reader = new FrameReader(crc16);
	const found: Found[] = [];
	for (let at = 0; ; ) {
		const kind = reader.next();
		if (kind === "samples") {
			const { sequence, status, count, samples } = reader;
			found.push({ kind, sequence, status, samples: samples.slice(0, count) });
		} else if (kind !== undefined) {
			found.push({ kind });
		} else {
			const room = reader.room();
			const count = Math.min(size, room.length, bytes.length - at);
			if (count === 0) {
				return found;
			}
			room.set(bytes.subarray(at, at + count));
			reader.added(count);
			at += count;
		}
	}
}

/** A deterministic stream of pseudo-random bytes. */
function* random(seed: number): Generator<number> {
	for (let state = seed; ; ) {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		yield state >>> 24;
	}
}

const frames = [
	encodeFormat(format, 0, crc16),
	encodeSamples([-32768, 32767, 0, 1023], 0, 0, crc16),
	encodeSamples(
		Array.from({ length: 16 }, (_, i) => 900 + i),
		3,
		1,
		crc16,
	),
	encodeEnd(2, crc16),
];
const stream = Buffer.concat(frames);
const sound = [
	{ kind: "format" },
	{ kind: "samples", sequence: 0, status: 0, samples: [-32768, 32767, 0, 1023] },
	{ kind: "samples", sequence: 1, status: 3, samples: Array.from({ length: 16 }, (_, i) => 900 + i) },
	{ kind: "end" },
];

test("the CRC is CRC-16/IBM-3740", () => {
	expect(crc16(new TextEncoder().encode("123456789"))).toBe(0x29b1);
});

describe("frames", () => {
	test("bytes of a frame, written down", () => {
		expect([...encodeSamples([1, -2], 1, 0x1234, crc16)]).toEqual([
			...[0xa5, 0x5a, 2, 6, 0x34, 0x12, 1, 2, 1, 0, 0xfe, 0xff],
			...[crc16(Uint8Array.of(2, 6, 0x34, 0x12, 1, 2, 1, 0, 0xfe, 0xff))].flatMap((crc) => [crc & 0xff, crc >> 8]),
		]);
	});

	test.each([1, 2, 7, 64, 1000])("read back in pieces of %i bytes", (size) => {
		expect(readAll(stream, size)).toEqual(sound);
	});

	test("the format", () => {
		const reader = new FrameReader(crc16);
		const precise = { ...format, sampleRate: 128.125, baseline: -12, bits: 16 };
		const bytes = encodeFormat(precise, 0, crc16);
		reader.room().set(bytes);
		reader.added(bytes.length);
		expect(reader.next()).toBe("format");
		expect(reader.format).toEqual(precise);
	});

	test("values out of range are refused", () => {
		expect(() => encodeSamples([], 0, 0, crc16)).toThrow(/number of samples is 0, expected 1..16/);
		expect(() => encodeSamples(new Array(17).fill(0), 0, 0, crc16)).toThrow(RangeError);
		expect(() => encodeSamples([40000], 0, 0, crc16)).toThrow(/sample is 40000/);
		expect(() => encodeFormat({ ...format, unitsPerMillivolt: 0 }, 0, crc16)).toThrow(/units per millivolt is 0/);
	});
});

describe("damage", () => {
	test("any flipped bit costs its frame, is told once, and nothing else", () => {
		for (let bit = 0; bit < stream.length * 8; bit++) {
			const bytes = Uint8Array.from(stream);
			bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
			const found = readAll(bytes);
			expect(found.filter(({ kind }) => kind === "corrupt").length).toBeLessThanOrEqual(1);
			const rest = found.filter(({ kind }) => kind !== "corrupt");
			for (const frame of rest) {
				expect(sound).toContainEqual(frame);
			}
			// A length that grew into the following frame may wait for more bytes; the end is then still to come.
			expect(rest.length).toBeGreaterThanOrEqual(1);
		}
	});

	test("a missing byte anywhere", () => {
		for (let at = 0; at < stream.length; at++) {
			const found = readAll(Buffer.concat([stream.subarray(0, at), stream.subarray(at + 1)]));
			for (const frame of found.filter(({ kind }) => kind !== "corrupt")) {
				expect(sound).toContainEqual(frame);
			}
		}
	});

	test("garbage between frames is told once and skipped", () => {
		const bytes = random(7);
		const garbage = Uint8Array.from({ length: 3000 }, () => bytes.next().value as number);
		garbage.set([0xa5, 0x5a, 2, 34], 100);
		garbage.set([0xa5, 0xa5, 0x5a, 2, 200], 200);
		const found = readAll(Buffer.concat([...frames.slice(0, 2), garbage, ...frames.slice(2)]), 64);
		expect(found).toEqual([...sound.slice(0, 2), { kind: "corrupt" }, ...sound.slice(2)]);
	});

	test("only garbage: told once, no frame, no end of memory", () => {
		const bytes = random(1);
		const garbage = Uint8Array.from({ length: 200_000 }, () => bytes.next().value as number);
		expect(readAll(garbage, 256)).toEqual([{ kind: "corrupt" }]);
	});

	test("a frame of a type that is not known is passed over in silence", () => {
		const unknown = Uint8Array.from(encodeEnd(5, crc16));
		unknown[2] = 9;
		const crc = crc16(unknown, 2, 6);
		unknown.set([crc & 0xff, crc >> 8], 6);
		expect(readAll(Buffer.concat([unknown, stream]))).toEqual(sound);
	});

	test("a sample count that contradicts the length is corrupt, whatever its CRC", () => {
		const lying = Uint8Array.from(frames[1] as Uint8Array);
		lying[7] = 3;
		const crc = crc16(lying, 2, lying.length - 2);
		lying.set([crc & 0xff, crc >> 8], lying.length - 2);
		expect(readAll(Buffer.concat([lying, ...frames.slice(2)]))).toEqual([{ kind: "corrupt" }, ...sound.slice(2)]);
	});
});
