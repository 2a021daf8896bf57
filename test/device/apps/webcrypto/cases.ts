// What code does with the global crypto.subtle: runs on the device and on Node, and must give the same. A case gives bytes,
// keys, what is JSON, or the name of an error.

type Method =
	| "digest"
	| "generateKey"
	| "importKey"
	| "exportKey"
	| "sign"
	| "verify"
	| "encrypt"
	| "decrypt"
	| "deriveBits"
	| "deriveKey"
	| "wrapKey"
	| "unwrapKey";
/** Without types: what is wrong is tried, too. */
// biome-ignore lint/suspicious/noExplicitAny: arguments of any type
type Any = any;
const subtle = crypto.subtle as unknown as Record<Method, (...args: Any[]) => Promise<Any>>;

export const text = (characters: string): Uint8Array<ArrayBuffer> =>
	Uint8Array.from(characters, (character) => character.charCodeAt(0));
export function hex(data: ArrayBuffer | Uint8Array): string {
	let digits = "";
	for (const byte of new Uint8Array(data)) digits += (byte < 16 ? "0" : "") + byte.toString(16);
	return digits;
}
export const bytes = (digits: string): Uint8Array<ArrayBuffer> =>
	Uint8Array.from({ length: digits.length / 2 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));
/** Bytes that differ from each other. */
export const sample = (size: number, step = 7): Uint8Array<ArrayBuffer> =>
	Uint8Array.from({ length: size }, (_, i) => (i * step + (i >> 8) + 3) & 255);

/** Keys of this test, made once by Node. */
export const fixed = {
	ecJwk: {
		kty: "EC",
		crv: "P-256",
		x: "OyhyK7qKKN4BCNfKn8ic2IYY-_HHf9AjbyPcw5jByLE",
		y: "Bn1rOAVjRiErm_3NZcvPhJK8YG-zZ6vjDO4o09S3mEQ",
		d: "HPs5yr_-DgM4pUg_HlSqwO4FKjwE9Y4UvAUOzF0PHmo",
	},
	ecPkcs8:
		"308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b02010104201cfb39cabffe0e0338a5483f1e54aac0ee052a3c04f58e14bc050ecc5d0f1e6aa144034200043b28722bba8a28de0108d7ca9fc89cd88618fbf1c77fd0236f23dcc398c1c8b1067d6b38056346212b9bfdcd65cbcf8492bc606fb367abe30cee28d3d4b79844",
	ecPoint:
		"043b28722bba8a28de0108d7ca9fc89cd88618fbf1c77fd0236f23dcc398c1c8b1067d6b38056346212b9bfdcd65cbcf8492bc606fb367abe30cee28d3d4b79844",
	ecSpki:
		"3059301306072a8648ce3d020106082a8648ce3d030107034200043b28722bba8a28de0108d7ca9fc89cd88618fbf1c77fd0236f23dcc398c1c8b1067d6b38056346212b9bfdcd65cbcf8492bc606fb367abe30cee28d3d4b79844",
	/* Of "sample". */
	ecSignature256:
		"20a08e1f6c010c65fb43bc457a118d01b1c614c3035012b9124f7c0f6fa0a3ed11c9c775e7644131da62914fdff165f388f6db156bf4bc98f70962dbad0652b5",
	ecSignature512:
		"7661d6c6774dd72a9b2a22ac18660e2d8bad3a2bf6f089712b90dc2704b999f111d6afcb97a7d3865d5b690be7fae628b071e17f769c9b6044d9415a5eee5f81",
	otherPoint:
		"04752cc5d3c14d7459cac5f8f74e3c648b343ae138eab330d0bf73634659fe82b1a142c677c8456505e43ceff4d5cf6c7aaf2435f052f16a43b3c2e4b6e4d579ad",
	/* RFC 8032, 7.1, test 2. */
	edSeed: "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
	edPublic: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
	xSecret: "77076d0a7318a57d3c16c17251b26645df4ac2d4d6f1f7a6a6b5c6d4d5f5b7b7",
	xBobPublic: "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
} as const;

const pkcs8Of = (curve: "Ed25519" | "X25519", key: string) =>
	bytes(`302e0201003005${curve === "Ed25519" ? "06032b6570" : "06032b656e"}04220420${key}`);

const ECDSA = { name: "ECDSA", namedCurve: "P-256" };
const ECDH = { name: "ECDH", namedCurve: "P-256" };
const hmac = (hash: Any, length?: number) =>
	length === undefined ? { name: "HMAC", hash } : { name: "HMAC", hash, length };

/** The name of an error that this must reject with. */
async function refusal(work: Promise<unknown>): Promise<string> {
	try {
		await work;
		return "none";
	} catch (error) {
		return (error as Error).name;
	}
}

const aes = (name: string, size: number, usages = ["encrypt", "decrypt"]): Promise<Any> =>
	subtle.importKey("raw", sample(size), name, true, usages);
const mac = (hash: string, size: number): Promise<Any> =>
	subtle.importKey("raw", sample(size, 11), hmac(hash), true, ["sign", "verify"]);
const hkdfKey = (size = 22): Promise<Any> =>
	subtle.importKey("raw", sample(size, 5), "HKDF", false, ["deriveBits", "deriveKey"]);
const hkdf = (hash = "SHA-256", salt = 13, info = 10) => ({
	name: "HKDF",
	hash,
	salt: sample(salt),
	info: sample(info, 3),
});
const ecPrivate = (algorithm = ECDSA, usages = ["sign"]): Promise<Any> =>
	subtle.importKey("pkcs8", bytes(fixed.ecPkcs8), algorithm, true, usages);
const ecPublic = (algorithm = ECDSA, usages = ["verify"], point: string = fixed.ecPoint): Promise<Any> =>
	subtle.importKey("raw", bytes(point), algorithm, true, usages);
const edPrivate = (): Promise<Any> =>
	subtle.importKey("pkcs8", pkcs8Of("Ed25519", fixed.edSeed), "Ed25519", true, ["sign"]);
const edPublic = (): Promise<Any> => subtle.importKey("raw", bytes(fixed.edPublic), "Ed25519", true, ["verify"]);
const xPrivate = (usages = ["deriveBits", "deriveKey"]): Promise<Any> =>
	subtle.importKey("pkcs8", pkcs8Of("X25519", fixed.xSecret), { name: "X25519" }, true, usages);
const xPublic = (key: string = fixed.xBobPublic): Promise<Any> =>
	subtle.importKey("raw", bytes(key), "X25519", true, []);
const dh = async () => ({ name: "ECDH", public: await ecPublic(ECDH, [], fixed.otherPoint) });
const xdh = async () => ({ name: "X25519", public: await xPublic() });

type Case = readonly [name: string, run: () => unknown];

const hashing = (): Case[] => [
	...[0, 1, 55, 56, 64, 111, 112, 119, 128, 1000].map(
		(size): Case => [
			`digest of ${size} bytes`,
			async () => [
				await subtle.digest("SHA-256", sample(size)),
				await subtle.digest({ name: "sha-512" }, sample(size)),
			],
		],
	),
	["digest of a DataView", () => subtle.digest("SHA-256", new DataView(sample(40).buffer, 3, 20))],
	["digest of words", () => subtle.digest("SHA-512", new Uint32Array(sample(40).buffer, 4, 5))],
	["digest of a buffer", () => subtle.digest({ name: "SHA-256", more: 1 }, sample(40).buffer)],
	...(["SHA-256", "SHA-512"] as const).flatMap((hash) =>
		[1, 32, 64, 65, 128, 129].map(
			(size): Case => [
				`HMAC by ${hash} and ${size} bytes`,
				async () => {
					const key = await mac(hash, size);
					const made = await subtle.sign("HMAC", key, sample(70));
					const right = await subtle.verify("hmac", key, made, sample(70));
					const wrong = await subtle.verify({ name: "HMAC" }, key, made, sample(71));
					const short = await subtle.verify("HMAC", key, made.slice(1), sample(70));
					return [
						made,
						right,
						wrong,
						short,
						key,
						await subtle.exportKey("raw", key),
						await subtle.exportKey("jwk", key),
					];
				},
			],
		),
	),
	["HMAC of nothing", async () => subtle.sign("HMAC", await mac("SHA-256", 9), new Uint8Array(0))],
];

const deriving = (): Case[] => [
	[
		"HMAC key from a JWK",
		async () => {
			const jwk = { kty: "oct", k: "AQIDBA", alg: "HS256", use: "sig", key_ops: ["verify", "sign"], ext: true };
			const key = await subtle.importKey("jwk", jwk, hmac({ name: "SHA-256" }), true, ["sign"]);
			return [key, await subtle.exportKey("raw", key), await subtle.sign("HMAC", key, sample(3))];
		},
	],
	["HMAC key of a length", async () => subtle.importKey("raw", sample(4), hmac("SHA-256", 32), false, ["verify"])],
	...[0, 8, 256, 512, 700 * 8].map(
		(length): Case => [
			`HKDF of ${length} bits`,
			async () => [
				await subtle.deriveBits(hkdf(), await hkdfKey(), length),
				await subtle.deriveBits(hkdf("SHA-512"), await hkdfKey(), length),
			],
		],
	),
	["HKDF without salt and info", async () => subtle.deriveBits(hkdf("SHA-256", 0, 0), await hkdfKey(), 336)],
	["HKDF of long inputs", async () => subtle.deriveBits(hkdf("SHA-256", 200, 300), await hkdfKey(200), 336)],
	["HKDF of no key", async () => subtle.deriveBits(hkdf(), await hkdfKey(0), 256)],
	...[
		{ name: "AES-GCM", length: 128 },
		{ name: "AES-CTR", length: 256 },
	].map(
		(type): Case => [
			`HKDF to ${type.name}`,
			async () => {
				const key = await subtle.deriveKey(hkdf(), await hkdfKey(), type, true, ["encrypt", "decrypt"]);
				return [key, await subtle.exportKey("raw", key)];
			},
		],
	),
	[
		"HKDF to HMAC",
		async () => {
			const one = await subtle.deriveKey(hkdf(), await hkdfKey(), hmac("SHA-512"), true, ["sign"]);
			const other = await subtle.deriveKey(hkdf(), await hkdfKey(), hmac("SHA-256", 64), true, ["sign", "verify"]);
			return [one, other, await subtle.exportKey("raw", one), await subtle.exportKey("raw", other)];
		},
	],
];

const ciphering = (): Case[] => [
	...[1, 8, 64, 127, 128].flatMap((length) =>
		[16, 32].map(
			(size): Case => [
				`AES-CTR, ${size * 8} bits, a counter of ${length}`,
				async () => {
					const key = await aes("AES-CTR", size);
					const out: unknown[] = [];
					for (const much of length === 1 ? [0, 1, 31, 32] : [0, 1, 15, 16, 17, 64, 333]) {
						const counter = new Uint8Array(16).fill(255);
						const algorithm = { name: "AES-CTR", counter, length };
						const data = await subtle.encrypt(algorithm, key, sample(much));
						out.push(data, await subtle.decrypt(algorithm, key, data));
					}
					return out;
				},
			],
		),
	),
	...[16, 32].flatMap((size) =>
		[0, 1, 15, 16, 17, 100].map(
			(much): Case => [
				`AES-GCM, ${size * 8} bits, ${much} bytes`,
				async () => {
					const key = await aes("AES-GCM", size);
					const plain = { name: "AES-GCM", iv: sample(12) };
					const more = { ...plain, additionalData: sample(much + 5), tagLength: 128 };
					const [one, two] = [
						await subtle.encrypt(plain, key, sample(much)),
						await subtle.encrypt(more, key, sample(much)),
					];
					const back = [await subtle.decrypt(plain, key, one), await subtle.decrypt(more, key, two)];
					return [
						one,
						two,
						...back,
						await refusal(subtle.decrypt(plain, key, two)),
						await refusal(subtle.decrypt(more, key, one)),
					];
				},
			],
		),
	),
	["AES keys", async () => [await aes("AES-GCM", 16), await subtle.exportKey("jwk", await aes("AES-CTR", 32))]],
	[
		"AES key from a JWK",
		async () => {
			const jwk = { kty: "oct", k: "AAECAwQFBgcICQoLDA0ODw", alg: "A128GCM", use: "enc", key_ops: ["encrypt"] };
			const key = await subtle.importKey("jwk", jwk, "aes-gcm", true, ["encrypt"]);
			return [key, await subtle.exportKey("raw", key), await subtle.exportKey("jwk", key)];
		},
	],
	[
		"a key wrapped and unwrapped",
		async () => {
			const by = await aes("AES-GCM", 16, ["wrapKey", "unwrapKey"]);
			const how = { name: "AES-GCM", iv: sample(12) };
			const wrapped = await subtle.wrapKey("raw", await mac("SHA-256", 40), by, how);
			const key = await subtle.unwrapKey("raw", wrapped, by, how, hmac("SHA-256"), true, ["sign"]);
			return [wrapped, key, await subtle.exportKey("raw", key)];
		},
	],
];

const pairs = (): Case[] => [
	[
		"ECDSA verifies",
		async () => {
			const key = await ecPublic();
			const how = (hash: string) => ({ name: "ECDSA", hash });
			const out: unknown[] = [];
			for (const [hash, signature] of [
				["SHA-256", fixed.ecSignature256],
				["SHA-512", fixed.ecSignature512],
				["SHA-256", fixed.ecSignature512],
				["SHA-256", fixed.ecSignature256.slice(2)],
				["SHA-256", `${fixed.ecSignature256}00`],
				["SHA-256", "00".repeat(64)],
				["SHA-256", "ff".repeat(64)],
				["SHA-256", ""],
			] as const) {
				out.push(await subtle.verify(how(hash), key, bytes(signature), text("sample")));
			}
			return [...out, await subtle.verify(how("SHA-256"), key, bytes(fixed.ecSignature256), text("simple"))];
		},
	],
	[
		"ECDSA signs what it verifies",
		async () => {
			const [one, other] = [await ecPrivate(), await ecPublic()];
			const out: unknown[] = [];
			for (const hash of ["SHA-256", "SHA-512"]) {
				const signature = await subtle.sign({ name: "ECDSA", hash }, one, sample(99));
				out.push(signature.byteLength, await subtle.verify({ name: "ECDSA", hash }, other, signature, sample(99)));
				out.push(await subtle.verify({ name: "ECDSA", hash }, other, signature, sample(98)));
			}
			return out;
		},
	],
	[
		"keys of P-256, in all formats",
		async () => {
			const out: unknown[] = [];
			for (const algorithm of [ECDSA, ECDH]) {
				const usages = algorithm === ECDSA ? [["sign"], ["verify"]] : [["deriveBits", "deriveKey"], []];
				const { d: _, ...publicJwk } = fixed.ecJwk;
				const one = await subtle.importKey("jwk", fixed.ecJwk, algorithm, true, usages[0]);
				const two = await ecPrivate(algorithm, usages[0]);
				const three = await subtle.importKey("spki", bytes(fixed.ecSpki), algorithm, false, usages[1]);
				const four = await subtle.importKey("jwk", publicJwk, algorithm, true, usages[1]);
				const five = await ecPublic(algorithm, usages[1]);
				out.push(one, two, three, four, five);
				for (const format of ["pkcs8", "jwk"])
					out.push(await subtle.exportKey(format, one), await subtle.exportKey(format, two));
				for (const format of ["raw", "spki", "jwk"]) {
					out.push(await subtle.exportKey(format, four), await subtle.exportKey(format, five));
				}
			}
			return out;
		},
	],
	...[undefined, null, 256, 255, 128, 100, 8, 1, 0].map(
		(length): Case => [
			`ECDH and X25519, ${length} bits`,
			async () => [
				await subtle.deriveBits(await dh(), await ecPrivate(ECDH, ["deriveBits"]), length),
				await subtle.deriveBits(await xdh(), await xPrivate(), length),
			],
		],
	),
	[
		"ECDH and X25519 to keys",
		async () => {
			const out: unknown[] = [];
			for (const [how, base] of [
				[await dh(), await ecPrivate(ECDH, ["deriveKey"])],
				[await xdh(), await xPrivate()],
			]) {
				const one = await subtle.deriveKey(how, base, { name: "AES-GCM", length: 128 }, true, ["encrypt"]);
				const two = await subtle.deriveKey(how, base, hmac("SHA-256", 256), true, ["sign"]);
				const three = await subtle.deriveKey(how, base, "HKDF", false, ["deriveBits"]);
				out.push(one, two, three, await subtle.exportKey("raw", one), await subtle.exportKey("raw", two));
				out.push(await subtle.deriveBits(hkdf(), three, 256));
			}
			return out;
		},
	],
	...[0, 1, 2, 64, 111, 112, 1023].map(
		(size): Case => [
			`Ed25519, ${size} bytes`,
			async () => {
				const [one, other] = [await edPrivate(), await edPublic()];
				const signature = await subtle.sign("Ed25519", one, sample(size));
				const right = await subtle.verify({ name: "ed25519" }, other, signature, sample(size));
				const wrong = await subtle.verify("Ed25519", other, signature, sample(size + 1));
				const changed = new Uint8Array(signature.slice(0));
				changed[40] = (changed[40] as number) ^ 1;
				const short = await subtle.verify("Ed25519", other, signature.slice(0, 63), sample(size));
				return [signature, right, wrong, await subtle.verify("Ed25519", other, changed, sample(size)), short];
			},
		],
	),
	[
		"keys of Ed25519 and X25519, in all formats",
		async () => {
			const out: unknown[] = [];
			for (const name of ["Ed25519", "X25519"] as const) {
				const one = name === "Ed25519" ? await edPrivate() : await xPrivate();
				const jwk = await subtle.exportKey("jwk", one);
				const again = await subtle.importKey("jwk", jwk, name, true, one.usages);
				const { d: _, key_ops: __, ...publicJwk } = jwk;
				const usages = name === "Ed25519" ? ["verify"] : [];
				const three = await subtle.importKey("jwk", publicJwk, { name }, true, usages);
				const spki = await subtle.exportKey("spki", three);
				const four = await subtle.importKey("spki", spki, name, true, usages);
				out.push(one, jwk, again, await subtle.exportKey("pkcs8", again), three, spki, four);
				out.push(await subtle.exportKey("raw", four), await subtle.exportKey("jwk", three));
			}
			return out;
		},
	],
];

const generating = (): Case[] => [
	...(
		[
			[{ name: "AES-CTR", length: 256 }, ["encrypt"]],
			[{ name: "AES-GCM", length: 128 }, ["decrypt", "wrapKey"]],
			[hmac("SHA-256"), ["sign"]],
			[hmac("SHA-512"), ["verify", "sign"]],
			[hmac("SHA-256", 40), ["sign"]],
			[ECDSA, ["sign", "verify"]],
			[ECDSA, ["sign"]],
			[ECDH, ["deriveBits"]],
			["Ed25519", ["verify", "sign"]],
			["X25519", ["deriveKey", "deriveBits"]],
		] as const
	).map(
		([algorithm, usages], i): Case => [
			`generated key ${i}`,
			async () => [
				await subtle.generateKey(algorithm, true, usages),
				await subtle.generateKey(algorithm, false, new Set(usages)),
			],
		],
	),
	[
		"generated pairs work",
		async () => {
			const ec = await subtle.generateKey(ECDSA, false, ["sign", "verify"]);
			const ed = await subtle.generateKey("Ed25519", false, ["sign", "verify"]);
			const [a, b] = [
				await subtle.generateKey(ECDH, false, ["deriveBits"]),
				await subtle.generateKey(ECDH, true, ["deriveBits"]),
			];
			const [c, d] = [
				await subtle.generateKey("X25519", false, ["deriveBits"]),
				await subtle.generateKey("X25519", true, ["deriveBits"]),
			];
			const how = { name: "ECDSA", hash: "SHA-256" };
			const same = async (name: string, one: Any, two: Any) =>
				hex(await subtle.deriveBits({ name, public: two.publicKey }, one.privateKey, 256)) ===
				hex(await subtle.deriveBits({ name, public: one.publicKey }, two.privateKey, 256));
			return [
				await subtle.verify(how, ec.publicKey, await subtle.sign(how, ec.privateKey, sample(5)), sample(5)),
				await subtle.verify("Ed25519", ed.publicKey, await subtle.sign("Ed25519", ed.privateKey, sample(5)), sample(5)),
				await same("ECDH", a, b),
				await same("X25519", c, d),
			];
		},
	],
	[
		"inputs are taken at the call",
		async () => {
			const out: unknown[] = [];
			const spoil = async (work: (data: Uint8Array) => Promise<ArrayBuffer>) => {
				const data = sample(300);
				const pending = work(data);
				data.fill(0);
				out.push(await pending);
			};
			const [hkey, gcm, ed] = [await mac("SHA-256", 32), await aes("AES-GCM", 16), await edPrivate()];
			const [ec, ecOther] = [await ecPrivate(), await ecPublic()];
			await spoil((data) => subtle.digest("SHA-512", data));
			await spoil((data) => subtle.sign("HMAC", hkey, data));
			await spoil((data) => subtle.encrypt({ name: "AES-GCM", iv: sample(12) }, gcm, data));
			await spoil((data) => subtle.sign("Ed25519", ed, data));
			const how = { name: "ECDSA", hash: "SHA-256" };
			const data = sample(300);
			const pending = subtle.sign(how, ec, data);
			data.fill(0);
			const signature = new Uint8Array(await pending);
			const verifying = subtle.verify(how, ecOther, signature, sample(300));
			signature.fill(0);
			return [...out, await verifying];
		},
	],
	[
		"names",
		async () => [String(crypto), String(crypto.subtle), String(await edPublic()), JSON.stringify(await edPublic())],
	],
];

/* Each of these is refused. */

type Refused = readonly (readonly [name: string, run: () => Promise<unknown>])[];

const badGeneration = (): Refused => [
	["digest by an unknown", () => subtle.digest("SHA-3", sample(1))],
	["digest by HMAC", () => subtle.digest("HMAC", sample(1))],
	["digest by null", () => subtle.digest(null, sample(1))],
	["digest without a name", () => subtle.digest({}, sample(1))],
	["digest of text", () => subtle.digest("SHA-256", "abc")],
	["digest of nothing", () => subtle.digest("SHA-256")],
	["digest of an array", () => subtle.digest("SHA-256", [1, 2])],
	["a method without its object", () => (subtle.digest as Any).call(undefined, "SHA-256", sample(1))],
	["no algorithm to generate", () => subtle.generateKey({ name: "FOO" }, true, [])],
	["HKDF generated", () => subtle.generateKey("HKDF", true, ["deriveBits"])],
	["HMAC without a hash", () => subtle.generateKey({ name: "HMAC" }, true, ["sign"])],
	["HMAC of an unknown hash", () => subtle.generateKey(hmac("foo"), true, ["sign"])],
	["HMAC of length 0", () => subtle.generateKey(hmac("SHA-256", 0), true, ["sign"])],
	["HMAC that encrypts", () => subtle.generateKey(hmac("SHA-256"), true, ["encrypt"])],
	["HMAC without a usage", () => subtle.generateKey(hmac("SHA-256"), true, [])],
	["an unknown usage", () => subtle.generateKey(hmac("SHA-256"), true, ["foo"])],
	["usages that are text", () => subtle.generateKey(hmac("SHA-256"), true, "sign")],
	["usages that are an object", () => subtle.generateKey(hmac("SHA-256"), true, {})],
	["AES of 100 bits", () => subtle.generateKey({ name: "AES-CTR", length: 100 }, true, ["encrypt"])],
	["AES of no length", () => subtle.generateKey("AES-CTR", true, ["encrypt"])],
	["AES of too many bits", () => subtle.generateKey({ name: "AES-CTR", length: 65664 }, true, ["encrypt"])],
	["AES that signs", () => subtle.generateKey({ name: "AES-CTR", length: 128 }, true, ["sign"])],
	["ECDSA without a curve", () => subtle.generateKey({ name: "ECDSA" }, true, ["sign"])],
	["ECDSA of no curve", () => subtle.generateKey({ name: "ECDSA", namedCurve: "P-000" }, true, ["sign"])],
	["ECDSA that only verifies", () => subtle.generateKey(ECDSA, true, ["verify"])],
	["ECDSA that encrypts", () => subtle.generateKey(ECDSA, true, ["sign", "encrypt"])],
	["ECDH without a usage", () => subtle.generateKey(ECDH, true, [])],
	["Ed25519 that derives", () => subtle.generateKey("Ed25519", true, ["deriveBits"])],
	["X25519 that signs", () => subtle.generateKey("X25519", true, ["sign"])],
];

const badSecrets = (): Refused => [
	["an unknown format", () => subtle.importKey("foo", sample(4), hmac("SHA-256"), true, ["sign"])],
	["raw that is no buffer", () => subtle.importKey("raw", { kty: "oct" }, hmac("SHA-256"), true, ["sign"])],
	["HMAC of nothing", () => subtle.importKey("raw", sample(0), hmac("SHA-256"), true, ["sign"])],
	["HMAC of another length", () => subtle.importKey("raw", sample(4), hmac("SHA-256", 40), true, ["sign"])],
	["HMAC key without a usage", () => subtle.importKey("raw", sample(4), hmac("SHA-256"), true, [])],
	["AES key of 5 bytes", () => subtle.importKey("raw", sample(5), "AES-GCM", true, ["encrypt"])],
	["AES key that signs", () => subtle.importKey("raw", sample(16), "AES-GCM", true, ["sign"])],
	["HKDF key that is extractable", () => subtle.importKey("raw", sample(4), "HKDF", true, ["deriveBits"])],
	["HKDF key as JWK", () => subtle.importKey("jwk", { kty: "oct", k: "AAAA" }, "HKDF", false, ["deriveBits"])],
	["HKDF key that signs", () => subtle.importKey("raw", sample(4), "HKDF", false, ["sign"])],
	...(
		[
			["of another kty", { kty: "EC", k: "AAAA" }],
			["without k", { kty: "oct" }],
			["of another alg", { kty: "oct", k: "AAAA", alg: "HS512" }],
			["of another use", { kty: "oct", k: "AAAA", use: "enc" }],
			["that is not extractable", { kty: "oct", k: "AAAA", ext: false }],
			["for other operations", { kty: "oct", k: "AAAA", key_ops: ["verify"] }],
			["of an operation twice", { kty: "oct", k: "AAAA", key_ops: ["sign", "sign"] }],
		] as const
	).map(([name, jwk]) => [`JWK ${name}`, () => subtle.importKey("jwk", jwk, hmac("SHA-256"), true, ["sign"])] as const),
	[
		"AES JWK of another alg",
		() =>
			subtle.importKey("jwk", { kty: "oct", k: "AAAAAAAAAAAAAAAAAAAAAA", alg: "A128CTR" }, "AES-GCM", true, [
				"encrypt",
			]),
	],
	[
		"AES JWK of another use",
		() =>
			subtle.importKey("jwk", { kty: "oct", k: "AAAAAAAAAAAAAAAAAAAAAA", use: "sig" }, "AES-GCM", true, ["encrypt"]),
	],
	["AES JWK of 3 bytes", () => subtle.importKey("jwk", { kty: "oct", k: "AAAA" }, "AES-GCM", true, ["encrypt"])],
];

const badPairs = (): Refused => [
	["a public key that signs", () => ecPublic(ECDSA, ["sign"])],
	["a private key that verifies", () => ecPrivate(ECDSA, ["verify"])],
	["a private key without a usage", () => ecPrivate(ECDSA, [])],
	["a public ECDH key that derives", () => ecPublic(ECDH, ["deriveBits"])],
	["a point off the curve", () => ecPublic(ECDSA, ["verify"], fixed.ecPoint.replace("043b", "043c"))],
	["a point cut short", () => ecPublic(ECDSA, ["verify"], fixed.ecPoint.slice(2))],
	["the point at infinity", () => ecPublic(ECDSA, ["verify"], "00")],
	["no point", () => ecPublic(ECDSA, ["verify"], "")],
	["a point of zeros", () => ecPublic(ECDSA, ["verify"], `04${"00".repeat(64)}`)],
	["coordinates beyond p", () => ecPublic(ECDSA, ["verify"], `04${"ff".repeat(64)}`)],
	...[0, 1, 26, 27, 60, 90].map(
		(size) =>
			[
				`SPKI of ${size} bytes`,
				() => subtle.importKey("spki", bytes(fixed.ecSpki).slice(0, size), ECDSA, true, ["verify"]),
			] as const,
	),
	...[0, 1, 26, 36, 70, 137].map(
		(size) =>
			[
				`PKCS#8 of ${size} bytes`,
				() => subtle.importKey("pkcs8", bytes(fixed.ecPkcs8).slice(0, size), ECDSA, true, ["sign"]),
			] as const,
	),
	["SPKI of another algorithm", () => subtle.importKey("spki", bytes(fixed.ecSpki), "Ed25519", true, ["verify"])],
	[
		"PKCS#8 of another algorithm",
		() => subtle.importKey("pkcs8", pkcs8Of("X25519", fixed.edSeed), "Ed25519", true, ["sign"]),
	],
	[
		"PKCS#8 whose halves don't match",
		() => subtle.importKey("pkcs8", bytes(fixed.ecPkcs8.replace("1cfb39", "1cfb38")), ECDSA, true, ["sign"]),
	],
	[
		"a private key of 0",
		() =>
			subtle.importKey(
				"pkcs8",
				bytes(fixed.ecPkcs8.replace(/(0420)[0-9a-f]{64}/, `$1${"00".repeat(32)}`)),
				ECDSA,
				true,
				["sign"],
			),
	],
	[
		"a private key beyond n",
		() =>
			subtle.importKey(
				"pkcs8",
				bytes(fixed.ecPkcs8.replace(/(0420)[0-9a-f]{64}/, `$1${"ff".repeat(32)}`)),
				ECDSA,
				true,
				["sign"],
			),
	],
];

const badJwks = (): Refused => [
	["JWK of another curve", () => subtle.importKey("jwk", { ...fixed.ecJwk, crv: "P-384" }, ECDSA, true, ["sign"])],
	["JWK of another kty", () => subtle.importKey("jwk", { ...fixed.ecJwk, kty: "OKP" }, ECDSA, true, ["sign"])],
	["JWK of another alg", () => subtle.importKey("jwk", { ...fixed.ecJwk, alg: "ES384" }, ECDSA, true, ["sign"])],
	["JWK of another use", () => subtle.importKey("jwk", { ...fixed.ecJwk, use: "enc" }, ECDSA, true, ["sign"])],
	[
		"JWK of other operations",
		() => subtle.importKey("jwk", { ...fixed.ecJwk, key_ops: ["verify"] }, ECDSA, true, ["sign"]),
	],
	["private JWK that verifies", () => subtle.importKey("jwk", fixed.ecJwk, ECDSA, true, ["verify"])],
	[
		"JWK without a point",
		() => subtle.importKey("jwk", { kty: "EC", crv: "P-256", d: fixed.ecJwk.d }, ECDSA, true, ["sign"]),
	],
	["JWK of a short x", () => subtle.importKey("jwk", { ...fixed.ecJwk, x: "AAAA" }, ECDSA, true, ["sign"])],
	[
		"JWK off the curve",
		() => subtle.importKey("jwk", { ...fixed.ecJwk, d: undefined, x: fixed.ecJwk.y }, ECDSA, true, ["verify"]),
	],
	[
		"JWK whose halves don't match",
		() => subtle.importKey("jwk", { ...fixed.ecJwk, d: fixed.ecJwk.x }, ECDSA, true, ["sign"]),
	],
	["Ed25519 of 31 bytes", () => subtle.importKey("raw", sample(31), "Ed25519", true, ["verify"])],
	[
		"Ed25519 JWK of another alg",
		() =>
			subtle.importKey("jwk", { kty: "OKP", crv: "Ed25519", x: fixed.ecJwk.x, alg: "foo" }, "Ed25519", true, [
				"verify",
			]),
	],
	[
		"Ed25519 JWK of X25519",
		() => subtle.importKey("jwk", { kty: "OKP", crv: "X25519", x: fixed.ecJwk.x }, "Ed25519", true, ["verify"]),
	],
	[
		"Ed25519 JWK of a short x",
		() => subtle.importKey("jwk", { kty: "OKP", crv: "Ed25519", x: "AAAA" }, "Ed25519", true, ["verify"]),
	],
	[
		"Ed25519 JWK without x",
		() => subtle.importKey("jwk", { kty: "OKP", crv: "Ed25519", d: fixed.ecJwk.d }, "Ed25519", true, ["sign"]),
	],
	[
		"Ed25519 JWK whose halves don't match",
		() =>
			subtle.importKey("jwk", { kty: "OKP", crv: "Ed25519", d: fixed.ecJwk.d, x: fixed.ecJwk.x }, "Ed25519", true, [
				"sign",
			]),
	],
];

const badUses = (): Refused => [
	["export in an unknown format", async () => subtle.exportKey("foo", await edPublic())],
	["export of what is no key", () => subtle.exportKey("raw", {})],
	[
		"export of a key that is not extractable",
		async () => subtle.exportKey("raw", await subtle.importKey("raw", sample(4), hmac("SHA-256"), false, ["sign"])),
	],
	["export of an HKDF key", async () => subtle.exportKey("raw", await hkdfKey())],
	["a private key as raw", async () => subtle.exportKey("raw", await ecPrivate())],
	["a private key as spki", async () => subtle.exportKey("spki", await edPrivate())],
	["a public key as pkcs8", async () => subtle.exportKey("pkcs8", await xPublic())],

	["sign by what is no key", () => subtle.sign("HMAC", {}, sample(1))],
	["sign by AES", async () => subtle.sign("AES-GCM", await mac("SHA-256", 4), sample(1))],
	["sign by another algorithm", async () => subtle.sign("Ed25519", await mac("SHA-256", 4), sample(1))],
	[
		"ECDSA by an ECDH key",
		async () => subtle.sign({ name: "ECDSA", hash: "SHA-256" }, await ecPrivate(ECDH, ["deriveBits"]), sample(1)),
	],
	["ECDSA by Ed25519's key", async () => subtle.sign({ name: "ECDSA", hash: "SHA-256" }, await edPrivate(), sample(1))],
	["HMAC by an AES key", async () => subtle.sign("HMAC", await aes("AES-GCM", 16), sample(1))],
	["sign by a public key", async () => subtle.sign("Ed25519", await edPublic(), sample(1))],
	["verify by a private key", async () => subtle.verify("Ed25519", await edPrivate(), sample(64), sample(1))],
	[
		"sign by what only verifies",
		async () =>
			subtle.sign("HMAC", await subtle.importKey("raw", sample(4), hmac("SHA-256"), false, ["verify"]), sample(1)),
	],
	[
		"verify by what only signs",
		async () =>
			subtle.verify(
				"HMAC",
				await subtle.importKey("raw", sample(4), hmac("SHA-256"), false, ["sign"]),
				sample(32),
				sample(1),
			),
	],
	["ECDSA without a hash", async () => subtle.sign("ECDSA", await ecPrivate(), sample(1))],
	["ECDSA by an unknown hash", async () => subtle.sign({ name: "ECDSA", hash: "MD5" }, await ecPrivate(), sample(1))],
	["sign nothing", async () => subtle.sign("Ed25519", await edPrivate())],
];

const badCiphers = (): Refused => [
	[
		"encrypt by HMAC's key",
		async () => subtle.encrypt({ name: "AES-GCM", iv: sample(12) }, await mac("SHA-256", 16), sample(1)),
	],
	[
		"AES-CTR by AES-GCM's key",
		async () =>
			subtle.encrypt({ name: "AES-CTR", counter: sample(16), length: 64 }, await aes("AES-GCM", 16), sample(1)),
	],
	[
		"AES-GCM by AES-CTR's key",
		async () => subtle.encrypt({ name: "AES-GCM", iv: sample(12) }, await aes("AES-CTR", 16), sample(1)),
	],
	[
		"encrypt by what only decrypts",
		async () => subtle.encrypt({ name: "AES-GCM", iv: sample(12) }, await aes("AES-GCM", 16, ["decrypt"]), sample(1)),
	],
	[
		"decrypt by what only encrypts",
		async () => subtle.decrypt({ name: "AES-GCM", iv: sample(12) }, await aes("AES-GCM", 16, ["encrypt"]), sample(40)),
	],
	[
		"decrypt by what only unwraps",
		async () =>
			subtle.decrypt({ name: "AES-GCM", iv: sample(12) }, await aes("AES-GCM", 16, ["unwrapKey"]), sample(40)),
	],
	["AES-GCM without iv", async () => subtle.encrypt("AES-GCM", await aes("AES-GCM", 16), sample(1))],
	[
		"AES-GCM of an empty iv",
		async () => subtle.encrypt({ name: "AES-GCM", iv: sample(0) }, await aes("AES-GCM", 16), sample(1)),
	],
	[
		"AES-GCM of a tag of 100 bits",
		async () =>
			subtle.encrypt({ name: "AES-GCM", iv: sample(12), tagLength: 100 }, await aes("AES-GCM", 16), sample(1)),
	],
	[
		"AES-GCM of text to authenticate",
		async () =>
			subtle.encrypt({ name: "AES-GCM", iv: sample(12), additionalData: "x" }, await aes("AES-GCM", 16), sample(1)),
	],
	[
		"AES-GCM of less than a tag",
		async () => subtle.decrypt({ name: "AES-GCM", iv: sample(12) }, await aes("AES-GCM", 16), sample(15)),
	],
	[
		"AES-GCM of a wrong tag",
		async () => subtle.decrypt({ name: "AES-GCM", iv: sample(12) }, await aes("AES-GCM", 16), sample(40)),
	],
	[
		"AES-CTR of 15 bytes",
		async () =>
			subtle.encrypt({ name: "AES-CTR", counter: sample(15), length: 64 }, await aes("AES-CTR", 16), sample(1)),
	],
	[
		"AES-CTR of 0 bits",
		async () =>
			subtle.encrypt({ name: "AES-CTR", counter: sample(16), length: 0 }, await aes("AES-CTR", 16), sample(1)),
	],
	[
		"AES-CTR of 129 bits",
		async () =>
			subtle.encrypt({ name: "AES-CTR", counter: sample(16), length: 129 }, await aes("AES-CTR", 16), sample(1)),
	],
	[
		"AES-CTR of 256 bits",
		async () =>
			subtle.encrypt({ name: "AES-CTR", counter: sample(16), length: 256 }, await aes("AES-CTR", 16), sample(1)),
	],
	[
		"AES-CTR of -1 bits",
		async () =>
			subtle.encrypt({ name: "AES-CTR", counter: sample(16), length: -1 }, await aes("AES-CTR", 16), sample(1)),
	],
	[
		"AES-CTR beyond its counter",
		async () =>
			subtle.encrypt({ name: "AES-CTR", counter: sample(16), length: 1 }, await aes("AES-CTR", 16), sample(33)),
	],
	[
		"wrap by what only encrypts",
		async () =>
			subtle.wrapKey("raw", await mac("SHA-256", 4), await aes("AES-GCM", 16), { name: "AES-GCM", iv: sample(12) }),
	],
	[
		"wrap a key that is not extractable",
		async () =>
			subtle.wrapKey("raw", await hkdfKey(), await aes("AES-GCM", 16, ["wrapKey"]), {
				name: "AES-GCM",
				iv: sample(12),
			}),
	],
	[
		"unwrap what was not wrapped",
		async () =>
			subtle.unwrapKey(
				"raw",
				sample(40),
				await aes("AES-GCM", 16, ["unwrapKey"]),
				{ name: "AES-GCM", iv: sample(12) },
				"AES-GCM",
				true,
				["encrypt"],
			),
	],
];

const badDerivation = (): Refused => [
	["HKDF of null bits", async () => subtle.deriveBits(hkdf(), await hkdfKey(), null)],
	["HKDF of 7 bits", async () => subtle.deriveBits(hkdf(), await hkdfKey(), 7)],
	["HKDF of too many bits", async () => subtle.deriveBits(hkdf(), await hkdfKey(), 8161 * 8)],
	[
		"HKDF without salt",
		async () => subtle.deriveBits({ name: "HKDF", hash: "SHA-256", info: sample(1) }, await hkdfKey(), 256),
	],
	[
		"HKDF without info",
		async () => subtle.deriveBits({ name: "HKDF", hash: "SHA-256", salt: sample(1) }, await hkdfKey(), 256),
	],
	["HKDF to HKDF", async () => subtle.deriveKey(hkdf(), await hkdfKey(), "HKDF", false, ["deriveBits"])],
	["HKDF to ECDSA", async () => subtle.deriveKey(hkdf(), await hkdfKey(), ECDSA, false, ["sign"])],
	[
		"HKDF to AES of 100 bits",
		async () => subtle.deriveKey(hkdf(), await hkdfKey(), { name: "AES-GCM", length: 100 }, false, ["encrypt"]),
	],
	[
		"HKDF to a key without a usage",
		async () => subtle.deriveKey(hkdf(), await hkdfKey(), { name: "AES-GCM", length: 128 }, false, []),
	],
	["derive by HMAC's key", async () => subtle.deriveBits(hkdf(), await mac("SHA-256", 16), 256)],
];

const badAgreement = (): Refused => [
	["ECDH of 264 bits", async () => subtle.deriveBits(await dh(), await ecPrivate(ECDH, ["deriveBits"]), 264)],
	["ECDH without a peer", async () => subtle.deriveBits("ECDH", await ecPrivate(ECDH, ["deriveBits"]), 256)],
	[
		"ECDH with what is no key",
		async () => subtle.deriveBits({ name: "ECDH", public: {} }, await ecPrivate(ECDH, ["deriveBits"]), 256),
	],
	[
		"ECDH with a private key",
		async () =>
			subtle.deriveBits(
				{ name: "ECDH", public: await ecPrivate(ECDH, ["deriveBits"]) },
				await ecPrivate(ECDH, ["deriveBits"]),
				256,
			),
	],
	["ECDH by a public key", async () => subtle.deriveBits(await dh(), await ecPublic(ECDH, []), 256)],
	[
		"ECDH with an ECDSA key",
		async () =>
			subtle.deriveBits({ name: "ECDH", public: await ecPublic() }, await ecPrivate(ECDH, ["deriveBits"]), 256),
	],
	[
		"ECDH with an X25519 key",
		async () => subtle.deriveBits({ name: "ECDH", public: await xPublic() }, await xPrivate(), 256),
	],
	[
		"ECDH to HMAC of a block",
		async () => subtle.deriveKey(await dh(), await ecPrivate(ECDH, ["deriveKey"]), hmac("SHA-256"), false, ["sign"]),
	],
	[
		"deriveKey by what derives bits",
		async () => subtle.deriveKey(await dh(), await ecPrivate(ECDH, ["deriveBits"]), "HKDF", false, ["deriveBits"]),
	],
	["deriveBits by what derives keys", async () => subtle.deriveBits(await xdh(), await xPrivate(["deriveKey"]), 256)],
	[
		"X25519 with a point of low order",
		async () => subtle.deriveBits({ name: "X25519", public: await xPublic("00".repeat(32)) }, await xPrivate(), 256),
	],
];

/* First: there is room for the long one. */
const badRandom = (): Refused => [
	["random numbers, too many", async () => crypto.getRandomValues(new Uint8Array(65537))],
	["random floats", async () => crypto.getRandomValues(new Float32Array(1) as unknown as Uint8Array)],
	["random views", async () => crypto.getRandomValues(new DataView(new ArrayBuffer(1)) as unknown as Uint8Array)],
	["random buffers", async () => crypto.getRandomValues(new ArrayBuffer(1) as unknown as Uint8Array)],
	["random numbers without crypto", async () => (crypto.getRandomValues as Any).call(undefined, new Uint8Array(1))],
];

const refusals = (refused: () => Refused) => (): Case[] =>
	refused().map(([name, run]) => [`refused: ${name}`, () => refusal(run())]);

/** All cases, in groups: a device has no room for all of them at once. */
export const groups: readonly (() => readonly Case[])[] = [
	refusals(badRandom),
	hashing,
	deriving,
	ciphering,
	pairs,
	generating,
	...[badGeneration, badSecrets, badPairs, badJwks, badUses, badCiphers, badDerivation, badAgreement].map(refusals),
];

/** What a case gave, as JSON: bytes in hex, keys by what can be seen of them, objects in the order of their names. */
export function shown(value: Any): unknown {
	if (value instanceof ArrayBuffer) return hex(value);
	if (Array.isArray(value)) return value.map(shown);
	if (value === undefined || value === null || typeof value !== "object") return value ?? null;
	if ("publicKey" in value) return { public: shown(value.publicKey), private: shown(value.privateKey) };
	if (String(value) === "[object CryptoKey]") {
		const { type, extractable, algorithm, usages } = value;
		return { type, extractable, algorithm: shown(algorithm), usages: [...usages].sort() };
	}
	const names = Object.keys(value).sort();
	return names.map((name) => [name, name === "key_ops" ? [...value[name]].sort() : shown(value[name])]);
}
