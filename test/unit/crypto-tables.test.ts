// The kernels' tables of multiples of the generators, against @noble/curves; and that the comb of P-256 meets no addition of equal
// or opposite points.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ed25519 } from "@noble/curves/ed25519.js";
import { p256 } from "@noble/curves/nist.js";
import { expect, test } from "vitest";

const kernels = join(import.meta.dirname, "../../native/crypto/kernels");

/** Numbers of a table, each eight words of 32 bits from the lowest on. */
function numbers(file: string, after: string): bigint[] {
	const text = readFileSync(join(kernels, file), "utf8");
	const table = text.slice(text.indexOf(after) + after.length);
	const words = [...table.matchAll(/0x([0-9a-f]{8})/gi)].map(([, hex]) => BigInt(`0x${hex}`));
	return Array.from({ length: words.length / 8 }, (_, i) =>
		words.slice(8 * i, 8 * i + 8).reduceRight((sum, word) => sum * 2n ** 32n + word, 0n),
	);
}

const mod = (value: bigint, m: bigint) => ((value % m) + m) % m;

const TEETH = 5;
const TABLES = 2;
const COLUMNS = 26;
const { n, p } = { n: p256.Point.Fn.ORDER, p: p256.Point.Fp.ORDER };

/** What a digit of a table stands for: each bit is the sign of a tooth. */
function entry(table: number, digit: number): bigint {
	let sum = 0n;
	for (let tooth = 0; tooth < TEETH; tooth++) {
		const power = 2n ** BigInt(TABLES * COLUMNS * tooth + COLUMNS * table);
		sum += (digit >> tooth) & 1 ? power : -power;
	}
	return sum;
}

test("the comb of P-256 has the right multiples of the generator, in Montgomery form", () => {
	const found = numbers("p256-table.h", "comb[2][16] =");
	const expected = Array.from({ length: TABLES }, (_, table) =>
		Array.from({ length: 16 }, (_, digit) => {
			const { x, y } = p256.Point.BASE.multiply(mod(entry(table, 16 + digit), n)).toAffine();
			return [x, y].map((value) => mod(value * 2n ** 256n, p));
		}),
	);
	expect(found).toEqual(expected.flat(2));
});

/* tools/crypto/p256-comb.py says why only the last column counts. */
test("no scalar makes the comb of P-256 add equal or opposite points", () => {
	const digits = Array.from({ length: 1 << TEETH }, (_, digit) => digit);
	const has = (k: bigint, table: number, digit: number | undefined): boolean => {
		const signs = (k + 2n ** BigInt(TEETH * TABLES * COLUMNS) - 1n) / 2n;
		const bit = (tooth: number) => Number((signs >> BigInt(TABLES * COLUMNS * tooth + COLUMNS * table)) & 1n);
		return digit === undefined || digits.slice(0, TEETH).every((tooth) => bit(tooth) === ((digit >> tooth) & 1));
	};
	const exceptions: bigint[] = [];
	const consider = (table: number, digit: number | undefined, rest: bigint, later: number | undefined) => {
		const k = mod(digit === undefined ? rest : rest + 2n * entry(table, digit), n);
		if ((k & 1n) === 1n && has(k, table, digit) && has(k, 0, later)) exceptions.push(k);
	};
	for (const digit of [undefined, ...digits]) {
		for (const later of digits) consider(1, digit, entry(0, later), later);
		consider(0, digit, 0n, undefined);
	}
	expect(exceptions).toEqual([]);
});

test("the comb of edwards25519 has the right multiples of the base point", () => {
	const prime = 2n ** 255n - 19n;
	const d = ed25519.Point.CURVE().d;
	const found = numbers("25519-table.c", "pc_25519_comb[2][8] =");
	const expected = [0, 1].flatMap((table) =>
		Array.from({ length: 8 }, (_, index) => {
			const teeth = [0, 1, 2].map((tooth) => 2n ** BigInt(32 * tooth) * ((index >> tooth) & 1 ? 1n : -1n));
			const multiple = 2n ** BigInt(128 * table) * (2n ** 96n + teeth.reduce((sum, tooth) => sum + tooth, 0n));
			const { x, y } = ed25519.Point.BASE.multiply(mod(multiple, ed25519.Point.Fn.ORDER)).toAffine();
			return [y + x, y - x, 2n * d * x * y].map((value) => mod(value, prime));
		}),
	);
	expect(found).toEqual(expected.flat());
});
