// What NOR flash holds when power goes in the midst of an operation.

/**
 * The torn state between the contents before and after one operation. Of a programmed word half of the bits that were to
 * be cleared are; of an erased sector the first half is erased and in the rest half of the bits are set. `n` varies
 * which half, so that tests which cut at many places see many patterns.
 */
export function tearFlash(before: Uint8Array, after: Uint8Array, n: number): Uint8Array {
	const torn = Uint8Array.from(before);
	const changed = [...before.keys()].filter((i) => before[i] !== after[i]);
	const pattern = n % 2 === 0 ? 0x55 : 0xaa;
	const half = changed[changed.length >> 1] ?? 0;
	const erased = changed.length > 8;
	for (const i of changed) {
		const old = before[i] ?? 0xff;
		const difference = old ^ (after[i] ?? 0xff);
		torn[i] = erased && i < half ? 0xff : old ^ (difference & pattern);
	}
	return torn;
}
