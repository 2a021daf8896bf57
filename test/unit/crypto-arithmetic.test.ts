// What P-256, X25519 and Ed25519 are made of, against numbers of unlimited size: the portable twins here, the assembly on the
// emulated Cortex-M4. Operands have limbs that carry, borrow and vanish, and lie around every limit.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ed25519 } from "@noble/curves/ed25519.js";
import { p256 } from "@noble/curves/nist.js";
import { expect } from "vitest";
import { type Case, describeOn, generator } from "./crypto-cases.ts";

const R = 2n ** 256n;
const mod = (a: bigint, m: bigint) => ((a % m) + m) % m;

function power(base: bigint, exponent: bigint, m: bigint): bigint {
	let result = 1n;
	for (let [a, e] = [mod(base, m), exponent]; e > 0n; e >>= 1n, a = (a * a) % m) if (e & 1n) result = (result * a) % m;
	return result;
}
const inverse = (a: bigint, m: bigint) => power(a, m - 2n, m);

const { random: bytes, pick } = generator("numbers");
const random = (bits: number) =>
	BigInt(`0x${bytes(Math.ceil(bits / 8)).toString("hex")}`) & ((1n << BigInt(bits)) - 1n);

const limbs = [0n, 0n, 1n, 2n, 0x7fffffffn, 0x80000000n, 0xfffffffen, 0xffffffffn, 0xffffffffn];

/** 256 bits of limbs that are likelier than others to carry, borrow or vanish. */
function adversarial(): bigint {
	let value = 0n;
	for (let i = 0; i < 8; i++) {
		const r = pick(256);
		value = (value << 32n) | (r < 200 ? (limbs[r % limbs.length] as bigint) : random(32));
	}
	return value;
}

/** Numbers around the limits of a field, and around the borders of words. */
function around(...limits: readonly bigint[]): bigint[] {
	const near = [0n, 1n, 2n, 3n, R - 1n];
	for (const p of limits) near.push(p - 2n, p - 1n, p, p + 1n, (p - 1n) / 2n, (p + 1n) / 2n, R - p, R - p - 1n);
	for (let i = 0n; i < 256n; i += 32n) {
		near.push(2n ** i, 2n ** i - 1n, (limits[0] as bigint) - 2n ** i, R - 2n ** i, 2n ** (i + 31n));
	}
	return [...new Set(near)].filter((a) => a >= 0n && a < R);
}

const big = (a: bigint, bytes = 32) => Buffer.from(a.toString(16).padStart(2 * bytes, "0"), "hex");
const little = (a: bigint) => big(a).reverse();
const fromBig = (bytes: Buffer) => BigInt(`0x${bytes.toString("hex") || "0"}`);
const fromLittle = (bytes: Buffer) => fromBig(Buffer.from(bytes).reverse());

const exactly = (operation: string, args: readonly (Buffer | number)[], ...expected: readonly Buffer[]): Case => ({
	call: [operation, ...args],
	out: Buffer.concat(expected),
});

/* P-256: numbers below p in Montgomery form, or modulo the order n, big-endian. ------------------------------------------- */

const P = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const perP = inverse(R, P);
const perN = inverse(R, N);
const nearP = around(P, N);
const mul = (a: bigint, b: bigint) => mod(a * b * perP, P);
const sub = (a: bigint, b: bigint) => mod(a - b, P);
const half = (a: bigint) => (a & 1n ? (a + P) / 2n : a / 2n);

const fieldCalls = {
	mul: (a: bigint, b: bigint) => exactly("p256-field-mul", [big(a), big(b)], big(mul(a, b))),
	square: (a: bigint) => exactly("p256-field-square", [big(a)], big(mul(a, a))),
	add: (a: bigint, b: bigint) => exactly("p256-field-add", [big(a), big(b)], big(mod(a + b, P))),
	sub: (a: bigint, b: bigint) => exactly("p256-field-sub", [big(a), big(b)], big(sub(a, b))),
	invert: (a: bigint) => exactly("p256-field-invert", [big(a)], big(mod(R * R * inverse(a, P), P))),
	orderMul: (a: bigint, b: bigint) => exactly("p256-order-mul", [big(a), big(b)], big(mod(a * b * perN, N))),
	orderInvert: (a: bigint) => exactly("p256-order-invert", [big(a)], big(mod(R * R * inverse(a, N), N))),
};

function numberP(): bigint {
	const r = pick(16);
	return r < 3 ? (nearP[pick(nearP.length)] as bigint) : r < 11 ? adversarial() : random(256);
}
const below = (m: bigint) => mod(numberP(), m);

/** a and b, a below p, whose product makes the quotient of Montgomery's reduction a number of extreme limbs. */
function steered(): [bigint, bigint] {
	const odd = (below(P) || 1n) | 1n;
	const a = odd < P ? odd : 1n;
	let x = a; // 1 / a modulo 2^256, by Newton
	for (let i = 0; i < 8; i++) x = mod(x * (2n - a * x), R);
	return [a, mod(-adversarial() * P * x, R)];
}

function p256Field(): Case[] {
	const c = fieldCalls;
	const calls: Case[] = [];
	for (const a of nearP) {
		if (a < P) calls.push(c.square(a), c.invert(a));
		if (a < N) calls.push(c.orderInvert(a));
		for (const b of nearP) {
			if (b < P) calls.push(c.mul(a, b), c.mul(b, a));
			if (a < P && b < P) calls.push(c.add(a, b), c.sub(a, b));
			if (b < N) calls.push(c.orderMul(a, b));
		}
	}
	for (let i = 0; i < 800; i++) {
		const [x, y] = steered();
		calls.push(c.mul(numberP(), below(P)), c.mul(below(P), numberP()), c.mul(x, y), c.mul(y, x), c.square(below(P)));
		calls.push(c.add(below(P), below(P)), c.sub(below(P), below(P)), c.orderMul(numberP(), below(N)));
		if (i % 8 === 0) calls.push(c.invert(below(P)), c.orderInvert(below(N)));
	}
	return calls;
}

/** The formulas of the kernel, on any numbers: they need not be points. */
function doubled(point: readonly [bigint, bigint, bigint], times: number): bigint[] {
	let [x, y, z] = point;
	for (let i = 0; i < times; i++) {
		const [d, g] = [mul(z, z), mul(y, y)];
		const b = mul(x, g);
		const a = half(mod(3n * mul(sub(x, d), mod(x + d, P)), P));
		const x3 = mod(mul(a, a) - 2n * b, P);
		[x, y, z] = [x3, sub(mul(a, sub(b, x3)), mul(g, g)), mul(y, z)];
	}
	return [x, y, z];
}

function added(x: bigint, y: bigint, z: bigint, x2: bigint, y2: bigint): bigint[] {
	const zz = mul(z, z);
	const h = sub(mul(x2, zz), x);
	const r = sub(mul(y2, mul(zz, z)), y);
	const hh = mul(h, h);
	const hhh = mul(hh, h);
	const v = mul(x, hh);
	const x3 = mod(mul(r, r) - hhh - 2n * v, P);
	return [x3, sub(mul(r, sub(v, x3)), mul(y, hhh)), mul(z, h)];
}

function p256Points(): Case[] {
	const calls: Case[] = [];
	for (let i = 0; i < 400; i++) {
		const [x, y, z, x2, y2] = [below(P), below(P), below(P), below(P), below(P)];
		const times = 1 + (i % 5);
		const point = [x, y, z].map((a) => big(a));
		calls.push(exactly("p256-double", [...point, times], ...doubled([x, y, z], times).map((a) => big(a))));
		calls.push(exactly("p256-add", [...point, big(x2), big(y2)], ...added(x, y, z, x2, y2).map((a) => big(a))));
	}
	return calls;
}

/**
 * The comb of the generator G, by its definition: for signs of t from 0 to 3, 2^(u * 52 / tables) times 2^208 G plus the sum of
 * +-2^(52 t) G. Read as a whole; a digit stands for an entry or, in the lower half, for a negative one.
 */
function p256Comb(): Case[] {
	const calls: Case[] = [];
	const text = readFileSync(join(import.meta.dirname, "../../native/crypto/kernels/p256-table.h"), "utf8");
	const tables = Number(/comb\[(\d)\]\[16\]/.exec(text)?.[1]);
	expect([2, 4]).toContain(tables);
	for (let table = 0; table < tables; table++) {
		const entries = Array.from({ length: 16 }, (_, signs) => {
			let scalar = 2n ** 208n;
			for (let t = 0; t < 4; t++) scalar += ((signs >> t) & 1 ? 1n : -1n) * 2n ** BigInt(52 * t);
			return p256.Point.BASE.multiply(mod(scalar * 2n ** BigInt((table * 52) / tables), N)).toAffine();
		});
		for (const size of [2, 4, 8, 16]) {
			for (let digit = 0; digit < 2 * size; digit++) {
				const { x, y } = entries[digit < size ? size - 1 - digit : digit - size] as { x: bigint; y: bigint };
				const result = [x, digit < size ? P - y : y].map((a) => big(mod(a * R, P)));
				calls.push(exactly("p256-select", [table, size, digit], ...result));
			}
		}
	}
	return calls;
}

const word = (a: bigint) => big(BigInt.asUintN(32, a), 4);

/** Thirty division steps (Bernstein, Yang 2019) on the low words of f and g: matrix, and twice delta. */
function divsteps(twiceDelta: bigint, lowF: bigint, lowG: bigint): bigint[] {
	let [delta, f, g] = [twiceDelta, BigInt.asUintN(32, lowF), BigInt.asUintN(32, lowG)];
	let [u, v, q, r] = [1n, 0n, 0n, 1n];
	for (let i = 0; i < 30; i++) {
		if (g & 1n && delta > 0n) [delta, f, g, u, v, q, r] = [-delta, g, (g - f) / 2n, 2n * q, 2n * r, q - u, r - v];
		else if (g & 1n) [g, u, v, q, r] = [(g + f) / 2n, 2n * u, 2n * v, q + u, r + v];
		else [g, u, v] = [g / 2n, 2n * u, 2n * v];
		delta += 2n;
	}
	return [u, v, q, r, delta];
}

function p256Inversion(): Case[] {
	const calls: Case[] = [];
	const base30 = (x: bigint) =>
		Array.from({ length: 9 }, (_, i) => word(i < 8 ? BigInt.asUintN(30, x >> BigInt(30 * i)) : x >> 240n));
	for (let i = 0; i < 300; i++) {
		const delta = 2n * random(4) - 15n;
		const [f, g] = [random(32) | 1n, random(32)];
		calls.push(exactly("p256-divsteps", [delta, f, g].map(word), ...divsteps(delta, f, g).map(word)));
		const [a, b, d, e] = [numberP() | 1n, numberP(), below(P), below(P)];
		const [u, v, q, r] = divsteps(delta, BigInt.asUintN(30, a), BigInt.asUintN(30, b)) as [
			bigint,
			bigint,
			bigint,
			bigint,
		];
		const exact = (x: bigint) => x / 2n ** 30n;
		const cleared = (x: bigint) => exact(x + BigInt.asIntN(30, x) * P); // p is -1 modulo 2^30
		const results = [exact(u * a + v * b), exact(q * a + r * b), cleared(u * d + v * e), cleared(q * d + r * e)];
		calls.push(exactly("p256-combine", [...[a, b, d, e].map((x) => big(x)), word(delta)], ...results.flatMap(base30)));
	}
	return calls;
}

/* 2^255 - 19: any number below 2^256, little-endian. -------------------------------------------------------------------- */

const Q = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const nearQ = around(Q, 2n * Q);
const tight = 2n ** 255n + 2n ** 231n;
const D = mod(-121665n * inverse(121666n, Q), Q);

function numberQ(): bigint {
	const r = pick(16);
	return r < 3 ? (nearQ[pick(nearQ.length)] as bigint) : r < 11 ? adversarial() : random(256);
}

/** The result is any number of the right residue, below a bound. */
function residues(
	operation: string,
	args: readonly (Buffer | number)[],
	bound: bigint,
	...expected: readonly bigint[]
): Case {
	return {
		call: [operation, ...args],
		check: (out) =>
			out.length === 32 * expected.length &&
			expected.every((value, i) => {
				const got = fromLittle(out.subarray(32 * i, 32 * i + 32));
				return got < bound && mod(got - value, Q) === 0n;
			}),
	};
}

function field25519(): Case[] {
	const calls: Case[] = [];
	const two = (a: bigint, b: bigint) => {
		const args = [little(a), little(b)];
		calls.push(residues("25519-field-mul", args, tight, a * b));
		calls.push(residues("25519-field-add", args, R, a + b), residues("25519-field-sub", args, R, a - b));
	};
	const one = (a: bigint, times: number) => {
		calls.push(residues("25519-field-square", [little(a), times], tight, power(a, 2n ** BigInt(times), Q)));
		calls.push(exactly("25519-field-store", [little(a)], little(a % Q), Buffer.from([a % Q === 0n ? 1 : 0])));
	};
	const powers = (a: bigint) => {
		calls.push(residues("25519-field-invert", [little(a)], tight, power(a, Q - 2n, Q)));
		calls.push(residues("25519-field-root", [little(a)], tight, power(a, 2n ** 252n - 3n, Q)));
	};
	for (const a of nearQ) {
		one(a, 1);
		powers(a);
		for (const b of nearQ) two(a, b);
	}
	for (let i = 0; i < 1500; i++) {
		two(numberQ(), numberQ());
		one(numberQ(), 1 + (i % 6));
		if (i % 20 === 0) powers(numberQ());
	}
	return calls;
}

type Extended = readonly [bigint, bigint, bigint, bigint];

/** Are these coordinates of the point (x, y), tight, with XY = ZT? */
function samePoint(out: Buffer, x: bigint, y: bigint): boolean {
	const all = [0, 32, 64, 96].map((at) => fromLittle(out.subarray(at, at + 32)));
	const [x3, y3, z3, t3] = all as [bigint, bigint, bigint, bigint];
	const same = mod(x3 - x * z3, Q) === 0n && mod(y3 - y * z3, Q) === 0n && mod(z3, Q) !== 0n;
	return all.every((value) => value < tight) && same && mod(x3 * y3 - z3 * t3, Q) === 0n;
}

/** A point of the curve, of its small subgroup in one case of four, in coordinates with a factor. */
function point25519(): Extended {
	const order8 = 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n;
	const small = [1n, Q - 1n, 0n, order8, Q - order8];
	for (;;) {
		const y = pick(4) === 0 ? (small[pick(small.length)] as bigint) : mod(numberQ(), Q);
		// x^2 = (y^2 - 1) / (d y^2 + 1); Q = 5 modulo 8.
		const square = mod((y * y - 1n) * inverse(mod(D * y * y + 1n, Q), Q), Q);
		let x = power(square, (Q + 3n) / 8n, Q);
		if ((x * x) % Q !== square) x = (x * power(2n, (Q - 1n) / 4n, Q)) % Q;
		if ((x * x) % Q !== square) continue;
		if (pick(2) === 1) x = mod(-x, Q);
		const z = mod(numberQ(), Q) || 1n;
		return [(x * z) % Q, (y * z) % Q, z, (x * y * z) % Q];
	}
}

/** The sum of two points, affine: the formulas of RFC 8032, 5.1.4, without projective coordinates. */
function sum25519(a: Extended, b: Extended): [bigint, bigint] {
	const affine = ([x, y, z]: Extended) => [x * inverse(z, Q), y * inverse(z, Q)] as [bigint, bigint];
	const [[x1, y1], [x2, y2]] = [affine(a), affine(b)];
	const product = mod(D * x1 * x2 * y1 * y2, Q);
	return [
		mod((x1 * y2 + x2 * y1) * inverse(1n + product, Q), Q),
		mod((y1 * y2 + x1 * x2) * inverse(mod(1n - product, Q), Q), Q),
	];
}

function points25519(): Case[] {
	const calls: Case[] = [];
	for (let i = 0; i < 250; i++) {
		const a = point25519();
		const times = 1 + (i % 4);
		let sum: Extended = a;
		for (let k = 0; k < times; k++) {
			const [x, y] = sum25519(sum, sum);
			sum = [x, y, 1n, (x * y) % Q];
		}
		const [x, y] = sum;
		// T is not read by a doubling.
		const [ax, ay, az] = a.map(little) as [Buffer, Buffer, Buffer];
		const garbage = little(numberQ());
		calls.push({
			call: ["25519-double", ax, ay, az, garbage, times],
			check: (out) => samePoint(out, x, y),
		});
		// Any two points, each other's equals and opposites among them.
		const other = [point25519(), a, [mod(-a[0], Q), a[1], a[2], mod(-a[3], Q)] as Extended][i % 3] as Extended;
		for (const withZ of [true, false]) {
			const w = withZ ? 1n : inverse(other[2], Q);
			const [bx, by, bz, bt] = other.map((value) => (value * w) % Q) as [bigint, bigint, bigint, bigint];
			const cached = [by + bx, by - bx, 2n * D * bt].map((value) => little(mod(value, Q)));
			if (withZ) cached.push(little((2n * bz) % Q));
			const [sx, sy] = sum25519(a, other);
			calls.push({
				call: ["25519-add", ...a.map(little), ...cached],
				check: (out) => samePoint(out, sx, sy),
			});
		}
	}
	return calls;
}

/** Multiples of the base point; the kernel's comb takes any scalar below 2^255. */
function base25519(): Case[] {
	const scalars = [0n, 1n, 2n, 3n, 8n, L - 1n, L, L + 1n, 2n * L, 7n * L, 2n ** 254n, 2n ** 255n - 1n, 2n ** 252n];
	for (let i = 31n; i < 255n; i += 32n) scalars.push(2n ** i, 2n ** i - 1n, mod(2n ** (i + 1n), 2n ** 255n));
	while (scalars.length < 120) scalars.push(mod(adversarial(), 2n ** 255n));
	return scalars.map((scalar) => {
		const { x, y } = ed25519.Point.BASE.multiplyUnsafe(scalar % L).toAffine();
		return {
			call: ["25519-base", little(scalar)],
			check: (out) => {
				const [x3, y3, z3] = [0, 32, 64].map((at) => fromLittle(out.subarray(at, at + 32))) as [bigint, bigint, bigint];
				return mod(x3 - x * z3, Q) === 0n && mod(y3 - y * z3, Q) === 0n && mod(z3, Q) !== 0n;
			},
		};
	});
}

/** The comb of the base point B: 2^(128 j) times 2^96 B plus the sum of +-2^(32 t) B; digits from 8 on are negative. */
function comb25519(): Case[] {
	const calls: Case[] = [];
	for (let table = 0; table < 2; table++) {
		for (let digit = 0; digit < 16; digit++) {
			let scalar = 2n ** 96n;
			for (let t = 0; t < 3; t++) scalar += ((digit >> t) & 1 ? 1n : -1n) * 2n ** BigInt(32 * t);
			const sign = digit & 8 ? -1n : 1n;
			const { x, y } = ed25519.Point.BASE.multiply(mod(sign * scalar * 2n ** BigInt(128 * table), L)).toAffine();
			calls.push(residues("25519-select", [table, digit], R, y + x, y - x, 2n * D * x * y));
		}
	}
	return calls;
}

function order25519(): Case[] {
	const near: bigint[] = [];
	for (let k = 0n; k < 20n; k++) near.push(k * L, k * L + 1n, (k + 1n) * L - 1n);
	const top = (2n ** 512n - 1n) / L;
	for (let k = 0n; k < 20n; k++) near.push((top - k) * L, (top - k) * L - 1n, (top - k) * L + 1n);
	for (let i = 0n; i < 512n; i += 4n) near.push(2n ** i, 2n ** i - 1n, 2n ** 512n - 2n ** i);
	for (let i = 0; i < 500; i++) near.push((adversarial() << 256n) | adversarial());
	return near.map((x) => exactly("25519-order-reduce", [big(x, 64).reverse()], little(x % L)));
}

const groups = {
	"P-256: field and order": p256Field,
	"P-256: inversion, step by step": p256Inversion,
	"P-256: points": p256Points,
	"P-256: the comb": p256Comb,
	"2^255 - 19: field": field25519,
	"edwards25519: points": points25519,
	"edwards25519: multiples of the base point": base25519,
	"edwards25519: the comb": comb25519,
	"edwards25519: hashes modulo the order": order25519,
};

describeOn(["this machine", "Cortex-M4"], ({ table }) => {
	for (const [name, make] of Object.entries(groups)) table(name, make);
});
