// How hard it is to guess where code is after a move.

import type { RelocationPlan } from "./relocation.ts";

/** What an order of units and a draw depend on. */
type Shape = Pick<RelocationPlan, "gapLog2" | "offsets"> & {
	readonly units: readonly Pick<RelocationPlan["units"][number], "size" | "align">[];
};
/** The same without the units' alignment. */
type Sizes = Pick<Shape, "gapLog2" | "offsets"> & { readonly units: readonly { readonly size: number }[] };

/** Bits of a layout, log2 of the number of those that are drawn with equal chances: native/relocate/table.c, count_bits. */
export function layoutBits({ units, gapLog2, offsets }: Shape): {
	readonly permutation: number;
	readonly gaps: number;
	readonly offset: number;
	readonly layout: number;
} {
	let permutation = 0;
	for (let count = 2; count <= units.length; count++) permutation += Math.log2(count);
	const kept = units.map(({ align }) => Math.max(0, gapLog2 - Math.log2(align / 4)));
	const gaps = kept.reduce((sum, bits) => sum + bits, 0) - Math.max(...kept);
	const offset = Math.log2(Math.floor((offsets - 1) / Math.max(...units.map(({ align }) => align / 4))) + 1);
	return { permutation, gaps, offset, layout: permutation + gaps + offset };
}

/**
 * The chance of the best guess at where one unit is: element w is the chance that it is at word w of its half. Exact where no
 * unit is aligned to more than a word.
 *
 * The unit is in any place of the order with the same chance, and before it is any set of so many others. With C(k, s) the
 * chance that k others have s words together and G the distribution of a gap, the place without the offset has the chance
 * 1/n * sum over k of C(k) * G^k (products are convolutions), which Horner's scheme gives from the last k on.
 */
export function placeChances({ units, gapLog2, offsets }: Sizes, unit: number): Float64Array {
	const sizes = units.map(({ size }) => size / 4).filter((_, index) => index !== unit);
	const others = sizes.length;
	const total = sizes.reduce((sum, size) => sum + size, 0);
	const width = total + others * (2 ** gapLog2 - 1) + offsets;
	/* ways[k][s]: the chance that k of the units that were looked at, chosen at random, have s words together. */
	const ways = Array.from({ length: others + 1 }, () => new Float64Array(total + 1));
	(ways[0] as Float64Array)[0] = 1;
	let seen = 0;
	let words = 0;
	for (const size of sizes) {
		seen++;
		words += size;
		/* As chances at once, so that no number grows: a unit is among k of `seen` with the chance k / seen. */
		for (let k = seen; k >= 0; k--) {
			const to = ways[k] as Float64Array;
			const from = ways[k - 1];
			const [stay, join] = [(seen - k) / seen, k / seen];
			for (let sum = words; sum >= 0; sum--) {
				to[sum] = (to[sum] ?? 0) * stay + (from !== undefined && sum >= size ? (from[sum - size] ?? 0) * join : 0);
			}
		}
	}
	let place: Float64Array<ArrayBuffer> = new Float64Array(width);
	for (let k = others; k >= 0; k--) {
		if (k < others) place = spread(place, 2 ** gapLog2);
		const chances = ways[k] as Float64Array;
		for (let sum = 0; sum <= total; sum++) place[sum] = (place[sum] ?? 0) + (chances[sum] ?? 0) / (others + 1);
	}
	return spread(place, offsets);
}

/** Bits of the best guess at one address of code: of the largest unit, which has the fewest places. */
export function singleGuessBits(shape: Sizes): number {
	const largest = shape.units.reduce(
		(most, { size }, index) => (size > (shape.units[most]?.size ?? 0) ? index : most),
		0,
	);
	return -Math.log2(placeChances(shape, largest).reduce((most, chance) => Math.max(most, chance), 0));
}

/* Adds a number of 0..count - 1 with equal chances. */
function spread(chances: Float64Array<ArrayBuffer>, count: number): Float64Array<ArrayBuffer> {
	const result = new Float64Array(chances.length);
	let sum = 0;
	for (let at = 0; at < chances.length; at++) {
		sum += chances[at] ?? 0;
		if (at >= count) sum -= chances[at - count] ?? 0;
		result[at] = sum / count;
	}
	return result;
}
