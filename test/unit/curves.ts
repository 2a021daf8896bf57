// P-256 and edwards25519 in BigInt, slow and plain: for inputs that no right signer makes, and for what an attacker computes.

export interface Point {
	readonly x: bigint;
	readonly y: bigint;
}

export function modulo(value: bigint, by: bigint): bigint {
	const rest = value % by;
	return rest < 0n ? rest + by : rest;
}

export function power(base: bigint, exponent: bigint, by: bigint): bigint {
	let result = 1n;
	for (let at = base, rest = exponent; rest > 0n; rest >>= 1n, at = modulo(at * at, by)) {
		if (rest & 1n) result = modulo(result * at, by);
	}
	return result;
}

/** 1 / value modulo a prime. */
export function inverse(value: bigint, prime: bigint): bigint {
	return power(modulo(value, prime), prime - 2n, prime);
}

/** Big-endian. */
export function numberOf(bytes: Uint8Array): bigint {
	return BigInt(`0x0${Buffer.from(bytes).toString("hex")}`);
}

/** Big-endian. */
export function bytesOf(value: bigint, size = 32): Uint8Array {
	return Uint8Array.from(Buffer.from(value.toString(16).padStart(2 * size, "0"), "hex"));
}

/** Little-endian. */
export const littleOf = (bytes: Uint8Array): bigint => numberOf(bytes.slice().reverse());
export const littleBytes = (value: bigint, size = 32): Uint8Array => bytesOf(value, size).reverse();

export function join(...parts: readonly Uint8Array[]): Uint8Array {
	return Uint8Array.from(Buffer.concat(parts));
}

/** y^2 = x^3 - 3x + b modulo p (FIPS 186-5, SP 800-186, 3.2.1.3). Infinity is undefined. */
export const p256 = {
	p: 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn,
	n: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
	b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
	g: {
		x: 0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
		y: 0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
	},

	/** The formula does not use b: points of another curve of this form can be added too. */
	add(a: Point | undefined, b: Point | undefined): Point | undefined {
		const { p } = p256;
		if (a === undefined) return b;
		if (b === undefined) return a;
		if (a.x === b.x && modulo(a.y + b.y, p) === 0n) return undefined;
		const slope =
			a.x === b.x ? (3n * a.x * a.x - 3n) * inverse(2n * a.y, p) : (b.y - a.y) * inverse(modulo(b.x - a.x, p), p);
		const x = modulo(slope * slope - a.x - b.x, p);
		return { x, y: modulo(slope * (a.x - x) - a.y, p) };
	},

	multiply(k: bigint, point: Point): Point {
		let sum: Point | undefined;
		for (let at: Point | undefined = point, rest = k; rest > 0n; rest >>= 1n, at = p256.add(at, at)) {
			if (rest & 1n) sum = p256.add(sum, at);
		}
		if (sum === undefined) throw new RangeError("infinity");
		return sum;
	},

	/** A point with this x, if there is one. */
	lift(x: bigint): Point | undefined {
		const { p, b } = p256;
		const square = modulo(x ** 3n - 3n * x + b, p);
		const y = power(square, (p + 1n) / 4n, p);
		return modulo(y * y, p) === square ? { x, y } : undefined;
	},

	/** The public key for which (r, s) is a signature of z; `point` has the x-coordinate r modulo n. */
	recover(point: Point, r: bigint, s: bigint, z: bigint): Point {
		const { n, g } = p256;
		const right = inverse(r, n);
		const q = p256.add(p256.multiply(modulo(s * right, n), point), p256.multiply(modulo(-z * right, n), g));
		if (q === undefined) throw new RangeError("infinity");
		return q;
	},

	encode: ({ x, y }: Point): Uint8Array => join(Uint8Array.of(4), bytesOf(x), bytesOf(y)),
};

/** -x^2 + y^2 = 1 + d x^2 y^2 modulo p (RFC 8032, 5.1). */
const p = 2n ** 255n - 19n;
export const ed25519 = {
	p,
	l: 2n ** 252n + 27742317777372353535851937790883648493n,
	d: modulo(-121665n * inverse(121666n, p), p),
	neutral: { x: 0n, y: 1n } as Point,
	b: {
		x: 15112221349535400772501151409588531511454012693041857206046113283949847762202n,
		y: modulo(4n * inverse(5n, p), p),
	},

	add(a: Point, b: Point): Point {
		const cross = modulo(ed25519.d * a.x * b.x * a.y * b.y, p);
		return {
			x: modulo((a.x * b.y + b.x * a.y) * inverse(1n + cross, p), p),
			y: modulo((a.y * b.y + a.x * b.x) * inverse(1n - cross, p), p),
		};
	},

	multiply(k: bigint, point: Point): Point {
		let sum: Point = ed25519.neutral;
		for (let at = point, rest = k; rest > 0n; rest >>= 1n, at = ed25519.add(at, at)) {
			if (rest & 1n) sum = ed25519.add(sum, at);
		}
		return sum;
	},

	negate: ({ x, y }: Point): Point => ({ x: modulo(-x, p), y }),
	encode: ({ x, y }: Point): Uint8Array => littleBytes(y | ((x & 1n) << 255n)),
};
