// Values for secrets that bring a leak out: extremes, single bits, and random ones. The same in every run.

import { createHash } from "node:crypto";

/** So many bytes that only the seed decides. */
export function seededBytes(size: number, seed: string): Uint8Array {
	const blocks = Array.from({ length: Math.ceil(size / 32) }, (_, index) =>
		createHash("sha256").update(`${seed}/${index}`).digest(),
	);
	return new Uint8Array(Buffer.concat(blocks).subarray(0, size));
}

/**
 * Secrets of `size` bytes: all zeros, all ones, alternating bits, one bit set (the lowest and the highest of the first, the
 * middle and the last byte), one bit clear (the same), each half zero, and `random` random ones.
 */
export function secretValues(size: number, random = 32, seed = "secret"): Uint8Array[] {
	const filled = (byte: number): Uint8Array => new Uint8Array(size).fill(byte);
	const values = [0x00, 0xff, 0x55, 0xaa].map(filled);
	for (const at of new Set([0, size >> 1, size - 1])) {
		for (const bit of [0x01, 0x80]) {
			const sparse = filled(0);
			const dense = filled(0xff);
			sparse[at] = bit;
			dense[at] = 0xff ^ bit;
			values.push(sparse, dense);
		}
	}
	if (size > 1) values.push(filled(0).fill(0xff, size >> 1), filled(0xff).fill(0, size >> 1));
	for (let index = 0; index < random; index++) values.push(seededBytes(size, `${seed}/${index}`));
	return values;
}
