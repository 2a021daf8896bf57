// P-256, X25519 and Ed25519 at their edges: points that are infinite, equal, opposite, off the curve, of low or mixed order and in
// every encoding; scalars, r, s and S at their limits. Expected values come from @noble/curves or from a model of a few lines.

import { createHash } from "node:crypto";
import { ed25519 } from "@noble/curves/ed25519.js";
import { p256 } from "@noble/curves/nist.js";
import { describe, expect, test } from "vitest";
import { type Case, describeOn, generator } from "./crypto-cases.ts";

const { random } = generator("curves");
const { Point } = p256;
type Point256 = InstanceType<typeof Point>;
const P = Point.CURVE().p;
const N = Point.CURVE().n;
const G = Point.BASE;
const mod = (a: bigint, m: bigint) => ((a % m) + m) % m;
const big = (value: bigint, bytes = 32) => Buffer.from(value.toString(16).padStart(2 * bytes, "0"), "hex");
const little = (value: bigint) => big(value).reverse();
const value = (bytes: Buffer) => BigInt(`0x${bytes.toString("hex")}`);
const times = (k: bigint, point: Point256) => point.multiplyUnsafe(mod(k, N));
const encoded = (point: Point256) => (point.is0() ? Buffer.alloc(0) : Buffer.from(point.toBytes(false)));
const scalar = () => mod(value(random(40)), N - 1n) + 1n;

function power(base: bigint, exponent: bigint, m: bigint): bigint {
	let result = 1n;
	for (let [a, e] = [mod(base, m), exponent]; e > 0n; e >>= 1n, a = (a * a) % m) if (e & 1n) result = (result * a) % m;
	return result;
}
const inverse = (a: bigint, m: bigint) => power(a, m - 2n, m);

/** The point with this x, if there is one. */
function lift(x: bigint): Point256 | undefined {
	const square = mod(x * x * x - 3n * x + Point.CURVE().b, P);
	const y = power(square, (P + 1n) / 4n, P);
	return (y * y) % P === square ? Point.fromAffine({ x, y }) : undefined;
}

/** A digest and a signature for which verification computes u G + v Q. */
function forge(u: bigint, v: bigint, key: Point256): { digest: Buffer; signature: Buffer; right: boolean } {
	const sum = times(u, G).add(times(v, key));
	const r = sum.is0() ? 1234567n : sum.toAffine().x % N;
	const s = mod(r * inverse(v, N), N);
	return { digest: big(mod(u * s, N)), signature: Buffer.concat([big(r), big(s)]), right: !sum.is0() };
}

/** A right signature is accepted, but of a digest of zeros: for that one anybody can make some, of any key. */
const taken = (digest: Buffer) => (digest.every((byte) => byte === 0) ? "forged" : "ok");

/** RFC 6979 with SHA-256, by its steps; `again`: the first candidate for the nonce is taken to be too large. */
function sign(d: bigint, digest: Buffer, again = false): Buffer {
	const mac = (key: Buffer, ...parts: readonly Buffer[]) => {
		const pad = (byte: number) => Buffer.from(Buffer.concat([key, Buffer.alloc(32)]).map((b) => b ^ byte));
		const inner = createHash("sha256")
			.update(Buffer.concat([pad(0x36), ...parts]))
			.digest();
		return createHash("sha256")
			.update(Buffer.concat([pad(0x5c), inner]))
			.digest();
	};
	const z = mod(value(digest), N);
	let k: Buffer = Buffer.alloc(32);
	let v: Buffer = Buffer.alloc(32, 1);
	for (const separator of [0, 1]) {
		k = mac(k, v, Buffer.from([separator]), big(d), big(z));
		v = mac(k, v);
	}
	v = mac(k, v);
	if (again) {
		v = Buffer.alloc(32, 0xff);
		k = mac(k, v, Buffer.from([0]));
		v = mac(k, v);
		v = mac(k, v);
	}
	const nonce = value(v);
	const r = times(nonce, G).toAffine().x % N;
	return Buffer.concat([big(r), big(mod((z + r * d) * inverse(nonce, N), N))]);
}

const q = times(0x1234567890abcdefn, G);
const d6979 = 0xc9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721n;

const scalars = [1n, 2n, 3n, 4n, 15n, 16n, 17n, 31n, 32n, 33n];
scalars.push(...[1n, 2n, 3n, 4n, 16n, 17n, 30n, 32n].map((i) => N - i));
scalars.push((N - 1n) / 2n, (N + 1n) / 2n, 2n ** 255n, 2n ** 255n - 1n, 2n ** 128n, N - 2n ** 128n, N - 2n ** 224n);
for (const i of [13n, 26n, 39n, 52n, 104n, 156n, 208n, 221n, 234n, 247n]) {
	scalars.push(2n ** i, 2n ** i - 1n, N - 2n ** i);
}
for (const pattern of ["55", "aa", "0f", "f0", "11", "ee", "88", "77"]) {
	scalars.push(mod(BigInt(`0x${pattern.repeat(32)}`), N));
}
const noScalars = [0n, N, N + 1n, N + 2n, 2n ** 256n - 1n, P];

/* Points whose coordinates are so small that they can also be written with p added. */
const smallX: Point256[] = [];
for (let x = 0n; smallX.length < 4; x++) {
	const point = lift(x);
	if (point !== undefined) smallX.push(point);
}
const smallY = [
	[0xd7325d7646cd60d80a92738ceb345f844cffaf35841022cab176f692de8de1d7n, 5n],
	[0x9b21c2de1da31d68731dbdaf97d7ab3f979131e28e3dc5b2077d5a7187914a78n, 6n],
	[0xb2ed6eacbc9f7da8564d94b7e4df51fccffa296dc6693e4fd7acceaed56ac453n, 7n],
].map(([x, y]) => Point.fromAffine({ x: x as bigint, y: y as bigint }));

function noPoints(): Buffer[] {
	const good = encoded(q);
	const { x, y } = q.toAffine();
	const point = (a: bigint, b: bigint) => Buffer.concat([Buffer.from([4]), big(a), big(b)]);
	const wrong = [0, 2, 3, 5, 6, 7].map((form) => Buffer.concat([Buffer.from([form]), good.subarray(1)]));
	for (const at of [1, 32, 33, 64]) wrong.push(Buffer.from(good.map((byte, i) => (i === at ? byte ^ 1 : byte))));
	wrong.push(
		Buffer.alloc(65),
		Buffer.alloc(65, 255),
		point(0n, 0n),
		point(2n ** 256n - 1n, 2n ** 256n - 1n),
		point(P, P),
	);
	wrong.push(point(x, y ^ 1n), point(x ^ 1n, y), point(y, x), point(1n, 1n), point(x, 0n), point(0n, y));
	for (const small of smallX) wrong.push(point(small.toAffine().x + P, small.toAffine().y));
	for (const small of smallY) wrong.push(point(small.toAffine().x, small.toAffine().y + P));
	return wrong;
}
/* Of other sizes, for the kernels' interface. */
const noSizes = [
	Buffer.alloc(0),
	Buffer.from([0]),
	Buffer.from([4]),
	encoded(q).subarray(0, 64),
	Buffer.concat([encoded(q), Buffer.alloc(1)]),
	Buffer.from(q.toBytes(true)),
];

describeOn(["this machine", "Cortex-M4"], ({ ask, table }) => {
	describe("P-256", () => {
		test("its interface to BearSSL says what it is, and refuses other curves", async () => {
			const out = Buffer.concat([encoded(G), big(N)]);
			expect(await ask("p256-interface")).toEqual({ status: "ok", out });
		});

		table("multiples at the limits of the scalar, of the generator and of others", () => {
			const cases: Case[] = [];
			for (const k of scalars) {
				const own = encoded(times(k, G));
				cases.push({ call: ["p256-mulgen", big(k)], status: "ok", out: own });
				cases.push({ call: ["p256-mul", encoded(G), big(k)], status: "ok", out: own });
				cases.push({ call: ["p256-mul", encoded(G.negate()), big(k)], status: "ok", out: encoded(times(N - k, G)) });
				cases.push({ call: ["p256-mul", encoded(q), big(k)], status: "ok", out: encoded(times(k, q)) });
			}
			for (const point of [...smallX, ...smallY]) {
				cases.push({ call: ["p256-mul", encoded(point), big(7n)], status: "ok", out: encoded(times(7n, point)) });
				cases.push({ call: ["p256-point", encoded(point)], status: "ok" });
			}
			// Scalars of other sizes.
			const out = encoded(times(0x1234n, G));
			for (const k of [big(0x1234n, 2), big(0x1234n, 3), big(0x1234n, 40)]) {
				cases.push({ call: ["p256-mulgen", k], status: "ok", out });
				cases.push({ call: ["p256-mul", encoded(G), k], status: "ok", out });
			}
			return cases;
		});

		table("0, n and above are no scalars and no private keys", () => {
			const cases: Case[] = [];
			const nothing = Buffer.alloc(0);
			const point = encoded(q);
			const odd = [nothing, Buffer.from([0]), Buffer.concat([Buffer.from([1]), Buffer.alloc(32)]), big(1n << 312n, 40)];
			for (const k of [...noScalars.map((k) => big(k)), ...odd]) {
				cases.push({ call: ["p256-mulgen", k], status: "refused", out: nothing });
				cases.push({ call: ["p256-mul", point, k], status: "refused", out: nothing });
				cases.push({ call: ["p256-sign", k, random(32)], status: "refused", out: nothing });
				for (const other of [nothing, point]) {
					cases.push({ call: ["p256-muladd", point, other, k, big(1n)], status: "refused", out: nothing });
					cases.push({ call: ["p256-muladd", point, other, big(1n), k], status: "refused", out: nothing });
				}
			}
			// Nothing is written either.
			for (const k of noScalars.map((k) => big(k))) {
				cases.push({ call: ["public", k], status: "key", out: Buffer.alloc(65) });
				cases.push({ call: ["ecdh", k, point], status: "key", out: Buffer.alloc(32) });
				cases.push({ call: ["sign", k, random(32)], status: "key", out: Buffer.alloc(64) });
			}
			return cases;
		});

		table("what is off the curve, not below p, or written in another way is no point", () => {
			const cases: Case[] = [];
			const digest = random(32);
			const signature = sign(5n, digest);
			cases.push({ call: ["verify", encoded(times(5n, G)), digest, signature], status: "ok" });
			for (const point of noPoints()) {
				cases.push({ call: ["ecdh", big(3n), point], status: "key", out: Buffer.alloc(32) });
				cases.push({ call: ["verify", point, digest, signature], status: "key" });
				cases.push({ call: ["p256-muladd", encoded(q), point, big(5n), big(6n)], status: "refused" });
			}
			for (const point of [...noPoints(), ...noSizes]) {
				cases.push({ call: ["p256-point", point], status: "refused" });
				cases.push({ call: ["p256-mul", point, big(5n)], status: "refused" });
				cases.push({ call: ["p256-muladd", point, "", big(5n), big(6n)], status: "refused" });
				cases.push({ call: ["p256-verify", point, digest, signature], status: "refused" });
			}
			return cases;
		});

		table("sums that are infinite, or meet P + P and P - P on the way", () => {
			const cases: Case[] = [];
			const sum = (a: Point256, b: Point256 | undefined, k: bigint, l: bigint) => {
				const point = times(k, a).add(times(l, b ?? G));
				const other = b === undefined ? "" : encoded(b);
				const status = point.is0() ? "refused" : "ok";
				cases.push({ call: ["p256-muladd", encoded(a), other, big(k), big(l)], status, out: encoded(point) });
			};
			for (const factor of [1n, 2n, 3n, N - 1n, N - 2n, 2n ** 208n, 2n ** 52n]) {
				const a = times(factor, G);
				for (const l of [1n, 2n, 16n, N - 1n, N - 5n, scalar()]) {
					const k = mod(l * inverse(factor, N), N); // k a = l G
					for (const [x, y] of [
						[k, l],
						[k, N - l],
						[N - k, l],
						[k, mod(l + 1n, N) || 1n],
						[l, N - l],
					] as const) {
						sum(a, undefined, x, y);
						if (y === l) sum(a, G, x, y);
					}
				}
			}
			for (const other of [q, q.negate()]) {
				for (const [x, y] of [
					[3n, 5n],
					[5n, 5n],
					[1n, N - 1n],
					[7n, N - 7n],
					[N - 1n, 2n],
				] as const) {
					sum(q, other, x, y);
				}
			}
			return cases;
		});

		table("signatures whose two multiples are equal, opposite, or twice each other", () => {
			const cases: Case[] = [];
			for (const d of [1n, 2n, 3n, N - 1n, N - 2n, 2n ** 208n, 0xfedcba987654321n]) {
				const key = times(d, G);
				for (const v of [1n, 2n, 3n, 15n, 16n, N - 1n, scalar()]) {
					for (const u of [mod(v * d, N), mod(-v * d, N), mod(2n * v * d, N), 0n, 1n, N - 1n, 2n ** 208n]) {
						const { digest, signature, right } = forge(u, v, key);
						const call = [encoded(key), digest, signature] as const;
						cases.push({ call: ["p256-verify", ...call], status: right ? "ok" : "refused" });
						cases.push({ call: ["verify", ...call], status: right ? taken(digest) : "forged" });
					}
				}
			}
			return cases;
		});

		table("signatures whose r is the x of a point less n", () => {
			const cases: Case[] = [];
			for (let [x, found] = [N + 1n, 0]; found < 4; x++) {
				const point = lift(x);
				if (point === undefined) continue;
				found++;
				const [u, v] = [scalar(), scalar()];
				const key = encoded(times(inverse(v, N), point.add(times(u, G).negate())));
				const r = x - N;
				const s = mod(r * inverse(v, N), N);
				const digest = big(mod(u * s, N));
				cases.push({ call: ["verify", key, digest, Buffer.concat([big(r), big(s)])], status: "ok" });
				cases.push({ call: ["verify", key, digest, Buffer.concat([big(r + 1n), big(s)])], status: "forged" });
				cases.push({ call: ["verify", key, digest, Buffer.concat([big(x), big(s)])], status: "forged" });
			}
			return cases;
		});

		table("r and s at their limits, digests of all kinds", () => {
			const cases: Case[] = [];
			const key = encoded(times(d6979, G));
			const digests = [0n, 1n, N - 1n, N, N + 1n, 2n ** 256n - 1n, 2n ** 255n, P].map((h) => big(h));
			for (const digest of digests) {
				const signature = sign(d6979, digest);
				const [r, s] = [value(signature.subarray(0, 32)), value(signature.subarray(32))];
				const check = (a: bigint, b: bigint, status: string) =>
					cases.push({ call: ["verify", key, digest, Buffer.concat([big(a), big(b)])], status });
				cases.push({ call: ["sign", big(d6979), digest], status: "ok", out: signature });
				check(r, s, taken(digest));
				// n - s is as right as s: signatures are malleable.
				check(r, N - s, taken(digest));
				cases.push({ call: ["p256-verify", key, digest, signature], status: "ok" });
				check(s, r, "forged");
				for (const a of [0n, N, N + 1n, 2n ** 256n - 1n, mod(r + N, 2n ** 256n), mod(r + 1n, N), N - r])
					check(a, s, "forged");
				for (const b of [0n, N, N + 1n, 2n ** 256n - 1n, mod(s + N, 2n ** 256n), mod(s + 1n, N)]) check(r, b, "forged");
				for (const a of [0n, N, 2n ** 256n - 1n]) check(a, a, "forged");
				// Of other sizes, at the kernel's interface.
				const sizes = [
					Buffer.alloc(0),
					signature.subarray(1),
					signature.subarray(0, 62),
					Buffer.concat([big(r, 33), big(s, 33)]),
				];
				for (const wrong of sizes) cases.push({ call: ["p256-verify", key, digest, wrong], status: "refused" });
				const longer = Buffer.concat([digest, random(4)]);
				cases.push({ call: ["p256-verify", key, longer, signature], status: "ok" });
			}
			return cases;
		});

		table("digests of 0 to 64 bytes: longer ones are cut, shorter ones are numbers", () => {
			const cases: Case[] = [];
			for (const size of [0, 1, 20, 28, 31, 32, 33, 48, 64]) {
				const digest = random(size);
				const cut = digest.subarray(0, 32);
				const signature = sign(5n, Buffer.concat([Buffer.alloc(32 - cut.length), cut]));
				const key = encoded(times(5n, G));
				cases.push({ call: ["p256-verify", key, digest, signature], status: "ok" });
				if (size === 0) continue;
				const other = Buffer.from(digest);
				other[Math.min(size, 32) - 1] = (other[Math.min(size, 32) - 1] as number) ^ 1;
				cases.push({ call: ["p256-verify", key, other, signature], status: "refused" });
			}
			return cases;
		});

		test("a nonce that is too large is followed by the next", async () => {
			const digest = random(32);
			expect((await ask("p256-sign", big(77n), digest)).out).toEqual(sign(77n, digest));
			expect((await ask("p256-sign-again", big(77n), digest)).out).toEqual(sign(77n, digest, true));
		});

		table("every bit of a signature, of its digest and of its key", () => {
			const key = encoded(times(7n, G));
			const digest = random(32);
			const signature = sign(7n, digest);
			const changed = (bytes: Buffer, bit: number) => {
				const copy = Buffer.from(bytes);
				copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7));
				return copy;
			};
			const cases: Case[] = [{ call: ["verify", key, digest, signature], status: "ok" }];
			for (let bit = 0; bit < 512; bit++)
				cases.push({ call: ["verify", key, digest, changed(signature, bit)], status: "forged" });
			for (let bit = 0; bit < 256; bit += 3)
				cases.push({ call: ["verify", key, changed(digest, bit), signature], status: "forged" });
			for (let bit = 0; bit < 520; bit += 7)
				cases.push({ call: ["verify", changed(key, bit), digest, signature], status: "key" });
			cases.push({ call: ["verify", encoded(times(8n, G)), digest, signature], status: "forged" });
			return cases;
		});
	});

	describe("X25519", () => {
		const prime = 2n ** 255n - 19n;

		table("points of low order, in all their encodings, give no secret", () => {
			const order8 = [
				"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
				"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
			].map((hex) => value(Buffer.from(hex, "hex").reverse()));
			const coordinates = [0n, 1n, prime - 1n, ...order8];
			const cases: Case[] = [];
			for (const u of coordinates) {
				for (const encoding of [u, u + prime, u + 2n * prime].filter((x) => x < 2n ** 255n)) {
					for (const top of [0n, 2n ** 255n]) {
						const [point, k] = [little(encoding + top), random(32)];
						cases.push({ call: ["x25519", k, point], status: "key", out: Buffer.alloc(32) });
						cases.push({ call: ["x25519-raw", k, point], status: "refused", out: Buffer.alloc(32) });
						cases.push({ call: ["x25519-mul", point, k], status: "refused", out: Buffer.alloc(0) });
					}
				}
			}
			expect(cases.length).toBe(42);
			return cases;
		});

		test("coordinates are taken modulo p, their highest bit is ignored, scalars are clamped", async () => {
			const k = random(32);
			for (const u of [2n, 9n, 18n]) {
				const expected = await ask("x25519", k, little(u));
				expect(expected.status).toBe("ok");
				for (const other of [u + prime, u + 2n ** 255n, u + prime + 2n ** 255n]) {
					expect(await ask("x25519", k, little(other))).toEqual(expected);
				}
				const clamped = Buffer.from(k);
				clamped[0] = (clamped[0] as number) ^ 7;
				clamped[31] = (clamped[31] as number) ^ 0xc0;
				expect(await ask("x25519", clamped, little(u))).toEqual(expected);
			}
		});

		test("the public key by the comb is that by the ladder", async () => {
			const secrets = [Buffer.alloc(32), Buffer.alloc(32, 255), ...Array.from({ length: 10 }, () => random(32))];
			for (const secret of secrets) {
				const { out } = await ask("x25519-public", secret);
				expect((await ask("x25519", secret, little(9n))).out).toEqual(out);
			}
		});

		test("BearSSL's interface takes 32 bytes, and scalars of no more", async () => {
			const [k, u] = [random(32), random(32)];
			expect((await ask("x25519-mul", u, k)).out).toEqual((await ask("x25519", k, u)).out);
			expect((await ask("x25519-mul", u.subarray(1), k)).status).toBe("refused");
			expect((await ask("x25519-mul", u, random(33))).status).toBe("refused");
		});
	});

	describe("Ed25519", () => {
		const L = ed25519.Point.CURVE().n;
		const prime = ed25519.Point.CURVE().p;
		const seed = Buffer.alloc(32, 7);
		const key = Buffer.from(ed25519.getPublicKey(seed));
		const order8 = value(
			Buffer.from("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", "hex").reverse(),
		);
		const other8 = value(
			Buffer.from("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", "hex").reverse(),
		);
		/* All encodings of y of the points of order 1, 2, 4 and 8, with either sign of x. */
		const small = [1n, prime - 1n, 0n, order8, other8]
			.flatMap((y) => [y, y + prime])
			.filter((y) => y < 2n ** 255n)
			.flatMap((y) => [little(y), little(y + 2n ** 255n)]);

		table("keys and R of small order, in all their encodings, alone and in pairs", () => {
			expect(small.length).toBe(14);
			const cases: Case[] = [];
			const text = Buffer.from("abc");
			const good = Buffer.from(ed25519.sign(text, seed));
			cases.push({ call: ["ed25519-verify", key, text, good], status: "ok" });
			for (const point of small) {
				for (const other of small) {
					// S = 0: some of these fulfil the bare equation, for one text in eight.
					const signature = Buffer.concat([other, Buffer.alloc(32)]);
					for (const c of [0, 1, 2]) {
						cases.push({ call: ["ed25519-verify", point, Buffer.from([c]), signature], status: "forged" });
					}
				}
				const otherR = Buffer.concat([point, good.subarray(32)]);
				cases.push({ call: ["ed25519-verify", key, text, otherR], status: "forged" });
				cases.push({ call: ["ed25519-verify", point, text, good], status: "forged" });
			}
			return cases;
		});

		table("keys and R that are no points, or not below p", () => {
			const cases: Case[] = [];
			const text = random(10);
			const good = Buffer.from(ed25519.sign(text, seed));
			const off: bigint[] = [];
			for (let y = 2n; off.length < 12; y++) {
				try {
					ed25519.Point.fromBytes(little(y));
				} catch {
					off.push(y);
				}
			}
			for (let i = 0n; i < 19n; i++) off.push(prime + i, prime + i + 2n ** 255n);
			off.push(2n ** 256n - 1n);
			for (const y of off) {
				cases.push({ call: ["ed25519-verify", little(y), text, good], status: "forged" });
				const otherR = Buffer.concat([little(y), good.subarray(32)]);
				cases.push({ call: ["ed25519-verify", key, text, otherR], status: "forged" });
			}
			return cases;
		});

		table("S + L and its like, which fulfil the equation", () => {
			const cases: Case[] = [];
			for (let round = 0; round < 4; round++) {
				const text = random(round * 20);
				const good = Buffer.from(ed25519.sign(text, seed));
				const s = value(Buffer.from(good.subarray(32)).reverse());
				const check = (x: bigint, status: string) => {
					const signature = Buffer.concat([good.subarray(0, 32), little(x)]);
					cases.push({ call: ["ed25519-verify", key, text, signature], status });
				};
				check(s, "ok");
				for (let x = s + L; x < 2n ** 256n; x += L) check(x, "forged");
				for (const x of [0n, 1n, L - 1n, L, L + 1n, 2n ** 253n, 2n ** 255n - 1n, 2n ** 256n - 1n, L - s, s ^ 1n])
					check(x, "forged");
			}
			return cases;
		});

		table("keys of mixed order: some texts, as the equation without the cofactor has it", () => {
			// A + T, T of order 8: with k = 0 modulo the order of T the equation holds without T.
			const cases: Case[] = [];
			const torsion = ed25519.Point.fromBytes(little(order8));
			const extended = ed25519.utils.getExtendedPublicKey(seed);
			let accepted = 0;
			for (const factor of [1n, 2n, 4n]) {
				const mixed = extended.point.add(torsion.multiplyUnsafe(factor));
				const a = Buffer.from(mixed.toBytes());
				for (let c = 0; c < 24; c++) {
					const text = Buffer.from([c]);
					const r = value(random(40)) % L;
					const R = Buffer.from(ed25519.Point.BASE.multiply(r).toBytes());
					const hash = createHash("sha512").update(R).update(a).update(text).digest();
					const k = value(Buffer.from(hash).reverse()) % L;
					const s = (r + k * extended.scalar) % L;
					const holds = (k * factor) % 8n === 0n;
					accepted += holds ? 1 : 0;
					const signature = Buffer.concat([R, little(s)]);
					cases.push({ call: ["ed25519-verify", a, text, signature], status: holds ? "ok" : "forged" });
				}
			}
			expect(accepted).toBeGreaterThan(5);
			expect(accepted).toBeLessThan(60);
			return cases;
		});

		table("every bit of a signature and of its key, and texts of another length", () => {
			const text = random(33);
			const good = Buffer.from(ed25519.sign(text, seed));
			const changed = (bytes: Buffer, bit: number) => {
				const copy = Buffer.from(bytes);
				copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7));
				return copy;
			};
			const cases: Case[] = [{ call: ["ed25519-verify", key, text, good], status: "ok" }];
			for (let bit = 0; bit < 512; bit++)
				cases.push({ call: ["ed25519-verify", key, text, changed(good, bit)], status: "forged" });
			for (let bit = 0; bit < 256; bit += 3)
				cases.push({ call: ["ed25519-verify", changed(key, bit), text, good], status: "forged" });
			for (let bit = 0; bit < 264; bit += 9)
				cases.push({ call: ["ed25519-verify", key, changed(text, bit), good], status: "forged" });
			for (const other of [
				text.subarray(1),
				text.subarray(0, 32),
				Buffer.concat([text, Buffer.alloc(1)]),
				Buffer.alloc(0),
			]) {
				cases.push({ call: ["ed25519-verify", key, other, good], status: "forged" });
			}
			return cases;
		});
	});
});
