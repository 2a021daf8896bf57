// What a hostile module may try with pericard/webcrypto, and what only the device has. Beside tests it exchanges with Node:
// a line of JSON comes by serial, what Node must check goes out as reports.

import "pericard/webcrypto/global";

import Serial from "embedded:io/serial";
import { randomBytes } from "pericard/random";
import { report } from "pericard/report";
import { collect, memory } from "pericard/system";
import { describe, expect, test } from "pericard/test";
import { destroyKey } from "pericard/webcrypto";

// biome-ignore lint/suspicious/noExplicitAny: an attacker keeps to no types
type Any = any;
type Native = (...values: Any[]) => Any;

/* Natives by their names, as any module can have them. */
const importOf = native<Native>("xs_subtle_import");
const importPrivate = native<Native>("xs_subtle_import_private");
const exportOf = native<Native>("xs_subtle_export");
const infoOf = native<Native>("xs_subtle_info");
const destroyOf = native<Native>("xs_subtle_destroy");
const macOf = native<Native>("xs_subtle_mac");
const macVerify = native<Native>("xs_subtle_mac_verify");
const cipherOf = native<Native>("xs_subtle_cipher");
const unwrapOf = native<Native>("xs_subtle_unwrap");
const signOf = native<Native>("xs_subtle_sign");
const hkdfOf = native<Native>("xs_subtle_hkdf");
const agreeOf = native<Native>("xs_subtle_agree");
const digestOf = native<Native>("xs_subtle_digest");
const generateOf = native<Native>("xs_subtle_generate");
const keysGenerate = native<Native>("xs_keys_generate");
const keysMac = native<Native>("xs_keys_mac");
const keysSeal = native<Native>("xs_keys_seal");
const keysSign = native<Native>("xs_keys_sign");
const keysDerive = native<Native>("xs_keys_derive");
const keysPublic = native<Native>("xs_keys_public");
const keysType = native<Native>("xs_keys_type");

/* pc_key_type, pc_keystore_status, pc_key_use. */
const HMAC = 3;
const HKDF = 7;
const CTR = 8;
const CCM = 9;
const GCM = 10;
const ECDSA = 1;
const ECDH = 2;
const ED25519 = 11;
const X25519 = 12;
const POLICY = 4;
const [ENCRYPT, DECRYPT, SIGN, VERIFY, DERIVE_KEY, DERIVE_BITS, WRAP, UNWRAP] = [1, 2, 4, 8, 16, 32, 64, 128] as const;

const { subtle } = crypto;
const text = (characters: string) => Uint8Array.from(characters, (character) => character.charCodeAt(0));
const sample = (size: number, step = 7) => Uint8Array.from({ length: size }, (_, i) => (i * step + 3) & 255);
const digits = "0123456789abcdef";
function hex(data: ArrayBuffer | Uint8Array): string {
	let found = "";
	for (const byte of new Uint8Array(data)) found += digits.charAt(byte >> 4) + digits.charAt(byte & 15);
	return found;
}
const bytes = (hexadecimal: string) =>
	Uint8Array.from({ length: hexadecimal.length / 2 }, (_, i) =>
		Number.parseInt(hexadecimal.slice(2 * i, 2 * i + 2), 16),
	);

async function refusal(work: () => unknown): Promise<string> {
	try {
		await work();
		return "none";
	} catch (error) {
		return (error as Error).name;
	}
}

/** What a job calls back with. */
const called = (run: (callback: Native) => Any): Promise<Any[]> =>
	new Promise((resolve, reject) => {
		try {
			const status = run((...values: Any[]) => resolve(values));
			if (status !== 0) resolve([status]);
		} catch (error) {
			reject(error);
		}
	});

/* ---- looking for a key's bytes in what comes out ---- */

const needle = bytes("5b1c3d9e7f20416283a4c5e60718293a4b5c6d7e8f90a1b2c3d4e5f607182930");

function inBytes(found: Uint8Array): boolean {
	for (const half of [needle.subarray(0, 8), needle.subarray(8, 16), needle.subarray(16, 24), needle.subarray(24)]) {
		for (let at = found.indexOf(half[0] as number); at >= 0; at = found.indexOf(half[0] as number, at + 1)) {
			if (half.every((byte, i) => found[at + i] === byte)) return true;
		}
	}
	return false;
}

function holds(value: Any, depth = 0): boolean {
	if (value instanceof ArrayBuffer) return inBytes(new Uint8Array(value));
	if (ArrayBuffer.isView(value)) return inBytes(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
	if (typeof value === "string") return value.toLowerCase().includes(hex(needle.subarray(0, 8)));
	if (typeof value !== "object" || value === null || depth > 2) return false;
	return Reflect.ownKeys(value).some((key) => {
		try {
			return holds(value[key], depth + 1);
		} catch {
			return false;
		}
	});
}

/** Does this way give the bytes? Errors are refusals. */
async function gives(way: () => unknown): Promise<boolean> {
	try {
		return holds(await way());
	} catch (error) {
		return holds(String(error));
	}
}

const allUses = (type: number): number => {
	if (type === HMAC) return SIGN | VERIFY;
	return type === HKDF ? DERIVE_KEY | DERIVE_BITS : ENCRYPT | DECRYPT | WRAP | UNWRAP;
};

async function privateHandle(type: number, uses: number, extractable = false): Promise<Any> {
	const [status, handle] = await called((callback) =>
		importPrivate(type, extractable, uses, needle, undefined, callback),
	);
	expect(status).toBe(0);
	return handle;
}

async function publicHandle(type: number): Promise<Any> {
	const own = await privateHandle(type, type === ECDSA || type === ED25519 ? SIGN : DERIVE_BITS, true);
	return importOf(type, true, 0, exportOf(own, true), true);
}

describe("a key that is not extractable", () => {
	const own = importOf(GCM, false, WRAP | UNWRAP | ENCRYPT | DECRYPT, sample(16), false);

	test("is in what a control finds", async () => {
		const handle = importOf(HMAC, true, SIGN, needle, false);
		expect(await gives(() => exportOf(handle, false))).toBe(true);
		expect(await gives(() => exportOf(importOf(HKDF, false, DERIVE_BITS, needle, false), false))).toBe(false);
		const wrapped = cipherOf(own, sample(12), undefined, 16, handle, 2);
		expect(await gives(() => cipherOf(own, sample(12), undefined, 16, wrapped, 1))).toBe(true);
	});

	test("gives its bytes to no native", async () => {
		const handles: Any[] = [];
		for (const type of [HMAC, HKDF, CTR, CCM, GCM]) handles.push(importOf(type, false, allUses(type), needle, false));
		handles.push(await privateHandle(ECDSA, SIGN), await privateHandle(ED25519, SIGN));
		handles.push(await privateHandle(ECDH, DERIVE_KEY | DERIVE_BITS), await privateHandle(X25519, DERIVE_BITS));
		for (const handle of handles) {
			const ways: (() => unknown)[] = [
				() => exportOf(handle, false),
				() => exportOf(handle, true),
				() => infoOf(handle),
				() => cipherOf(own, sample(12), undefined, 16, handle, 2),
				() => cipherOf(own, sample(12), undefined, 16, handle, 0),
				() => cipherOf(handle, sample(12), undefined, 16, handle, 2),
				() => cipherOf(handle, handle, handle, 16, sample(3), 0),
				() => importOf(HMAC, true, SIGN, handle, false),
				() => digestOf(1, handle),
				() => macOf(own, handle),
				() => macOf(handle, handle),
				() => hkdfOf(handle, 1, handle, handle, 32, 0, false, 0),
				() => keysPublic(handle),
				() => keysMac(handle, sample(1)),
				() => keysType(handle),
				() => called((callback) => keysSign(handle, sample(32), callback)),
				() => called((callback) => signOf(handle, 0, handle, callback)),
				() => called((callback) => agreeOf(handle, handle, 32, 0, false, 0, callback)),
				() => called((callback) => importPrivate(ED25519, true, SIGN, handle, undefined, callback)),
				() => keysSeal(handle, sample(12), undefined, sample(32), sample(16), 1, 0),
				() => randomBytes(handle),
				() => new Uint8Array(handle),
				() => new DataView(handle),
				() => JSON.stringify(handle),
				() => Object.getOwnPropertyDescriptors(handle),
				() => Array.from(handle),
				() => String(handle),
			];
			for (const [i, way] of ways.entries()) {
				if (await gives(way)) throw new Error(`way ${i} gives the bytes of a key of type ${infoOf(handle) & 15}`);
			}
			expect(exportOf(handle, false)).toBe(POLICY);
		}
	});

	test("does what its usages say, whoever asks", () => {
		const only = (type: number, uses: number) => importOf(type, false, uses, sample(16), false);
		expect(macOf(only(HMAC, VERIFY), sample(1))).toBe(POLICY);
		expect(macVerify(only(HMAC, SIGN), sample(1), sample(32))).toBe(POLICY);
		expect(keysMac(only(HMAC, VERIFY), sample(1))).toBe(POLICY);
		for (const [what, use] of [ENCRYPT, DECRYPT, WRAP].entries()) {
			for (const uses of [ENCRYPT, DECRYPT, WRAP, UNWRAP]) {
				const data = what === 2 ? importOf(HMAC, true, SIGN, sample(9), false) : sample(40);
				const found = cipherOf(only(GCM, uses), sample(12), undefined, 16, data, what);
				expect(found === POLICY).toBe(uses !== use);
			}
		}
		for (const uses of [ENCRYPT, DECRYPT, WRAP]) {
			expect(unwrapOf(only(GCM, uses), sample(12), undefined, 16, sample(40), HMAC, true, SIGN)).toBe(POLICY);
		}
		expect(hkdfOf(only(HKDF, DERIVE_KEY), 1, sample(0), sample(0), 32, 0, false, 0)).toBe(POLICY);
		expect(hkdfOf(only(HKDF, DERIVE_BITS), 1, sample(0), sample(0), 32, HMAC, true, SIGN)).toBe(POLICY);
		expect(hkdfOf(only(HMAC, SIGN), 1, sample(0), sample(0), 32, 0, false, 0)).toBe(POLICY);
		expect(cipherOf(only(HMAC, SIGN), sample(12), undefined, 16, sample(4), 0)).toBe(POLICY);
	});

	test("has no usage that its type has not, and no type of its own", async () => {
		for (const uses of [SIGN, DERIVE_BITS, 256]) {
			expect(await refusal(() => importOf(GCM, true, uses, sample(16), false))).toBe(uses < 256 ? "none" : "TypeError");
			if (uses < 256) expect(importOf(GCM, true, uses, sample(16), false)).toBe(POLICY);
		}
		expect(importOf(HKDF, true, DERIVE_BITS, sample(16), false)).toBe(POLICY);
		for (const type of [0, 1, 2, 4, 5, 11, 12]) expect(importOf(type, true, 0, sample(32), false)).toBe(POLICY);
		for (const type of [3, 4, 5, 7, 10]) expect(importOf(type, true, 0, sample(32), true)).toBe(POLICY);
		for (const type of [13, 255, -1, 1.5, Number.NaN, "3", { valueOf: () => HMAC }, null]) {
			expect(await refusal(() => importOf(type, true, SIGN, sample(32), false))).toBe("TypeError");
		}
		expect(await called((callback) => importPrivate(5, false, SIGN, needle, undefined, callback))).toEqual([POLICY]);
		expect(await called((callback) => generateOf(5, true, SIGN, 32, callback))).toEqual([POLICY]);
	});

	test("is destroyed by no conversion in the midst of a native", async () => {
		const key = importOf(GCM, false, ENCRYPT, sample(16), false);
		const trap = { valueOf: () => destroyOf(key), toString: () => destroyOf(key) };
		expect(await refusal(() => cipherOf(key, sample(12), undefined, trap, sample(4), 0))).toBe("TypeError");
		expect(await refusal(() => cipherOf(key, trap, undefined, 16, sample(4), 0))).toBe("TypeError");
		expect(infoOf(key)).not.toBe(0);
		const handle = (await called((callback) => keysGenerate(2, undefined, callback)))[1];
		const derives = () => keysDerive(handle, sample(65), trap, undefined, undefined, () => {});
		expect(await refusal(derives)).toBe("TypeError");
	});

	test("of pericard/keystore is none of WebCrypto's to export or to derive from", async () => {
		for (const type of [1, 2, 3, 4]) {
			const [status, handle] = await called((callback) => keysGenerate(type, undefined, callback));
			expect(status).toBe(0);
			expect(exportOf(handle, false)).toBe(POLICY);
			expect(exportOf(handle, true)).toBe(POLICY);
			expect(cipherOf(own, sample(12), undefined, 16, handle, 2)).toBe(POLICY);
			const peer = await publicHandle(ECDH);
			for (const made of [0, GCM]) {
				const found = await called((callback) => agreeOf(handle, peer, 32, made, true, made && ENCRYPT, callback));
				expect(found).toEqual([POLICY]);
			}
		}
	});

	test("is not forged", async () => {
		const key = await subtle.importKey("raw", sample(16), "AES-GCM", false, ["encrypt"]);
		const CryptoKeyClass = CryptoKey as Any;
		expect(key).toBeInstanceOf(CryptoKey);
		expect(crypto).toBeInstanceOf(Crypto);
		expect(() => new Crypto()).toThrow(TypeError);
		const fakes: Any[] = [
			Object.create(CryptoKeyClass.prototype),
			Object.create(key),
			new Proxy(key, {}),
			{ ...key },
			JSON.parse(JSON.stringify(key)),
			{ type: "secret", extractable: true, algorithm: { name: "AES-GCM", length: 128 }, usages: ["encrypt"] },
		];
		for (const fake of fakes) {
			expect(await refusal(() => subtle.encrypt({ name: "AES-GCM", iv: sample(12) }, fake, sample(1)))).toBe(
				"TypeError",
			);
			expect(await refusal(() => subtle.exportKey("raw", fake))).toBe("TypeError");
		}
		expect(() => new CryptoKeyClass()).toThrow(TypeError);
		expect(() => Reflect.construct(CryptoKeyClass, [key])).toThrow(TypeError);
		expect(() => new (class extends CryptoKeyClass {})()).toThrow(TypeError);
		expect(() => new SubtleCrypto()).toThrow(TypeError);
		for (const part of ["type", "extractable", "algorithm", "usages"]) {
			expect(() => Reflect.set(key, part, 1) && Reflect.getOwnPropertyDescriptor(key, part)?.value).not.toThrow();
		}
		key.usages.push("decrypt");
		(key.algorithm as Any).name = "AES-CTR";
		expect(JSON.stringify([key.type, key.extractable, key.algorithm, key.usages])).toBe(
			'["secret",false,{"name":"AES-GCM","length":128},["encrypt"]]',
		);
		expect(await refusal(() => subtle.exportKey("raw", key))).toBe("InvalidAccessError");
	});
});

describe("what runs in the midst of a call", () => {
	const gcm = () => subtle.importKey("raw", sample(16), "AES-GCM", false, ["encrypt"]);

	test("may destroy the key", async () => {
		for (const part of ["name", "iv", "additionalData", "tagLength"]) {
			const key = await gcm();
			const algorithm = { name: "AES-GCM", iv: sample(12), additionalData: sample(2), tagLength: 128 } as Any;
			const value = algorithm[part];
			Object.defineProperty(algorithm, part, {
				get() {
					destroyKey(key);
					return value;
				},
			});
			expect(await refusal(() => subtle.encrypt(algorithm, key, sample(9)))).toBe("InvalidAccessError");
		}
		const [one, two] = [0, 0].map(() => subtle.generateKey("X25519", false, ["deriveBits"]));
		const [a, b] = [await (one as Any), await (two as Any)];
		const algorithm = {
			name: "X25519",
			get public() {
				destroyKey(a.privateKey);
				return b.publicKey;
			},
		};
		expect(await refusal(() => subtle.deriveBits(algorithm, a.privateKey, 256))).toBe("InvalidAccessError");
		destroyKey(b.publicKey);
		const other = await subtle.generateKey("X25519", false, ["deriveBits"]);
		const how = { name: "X25519", public: b.publicKey };
		expect(await refusal(() => subtle.deriveBits(how, other.privateKey, 256))).toBe("InvalidAccessError");
		for (const work of [() => b.publicKey.type, () => subtle.exportKey("raw", b.publicKey)]) {
			expect(["none", "InvalidAccessError"]).toContain(await refusal(work));
		}
		destroyKey(b.publicKey);
	});

	test("may take or cut the buffer", async () => {
		const key = await gcm();
		const taken = sample(20);
		const takes = {
			name: "AES-GCM",
			get iv() {
				(taken.buffer as Any).transfer();
				return sample(12);
			},
		};
		expect(await refusal(() => subtle.encrypt(takes, key, taken))).toBe("TypeError");
		const cut = new (ArrayBuffer as Any)(20, { maxByteLength: 40 });
		const cuts = {
			name: "AES-GCM",
			get iv() {
				cut.resize(5);
				return sample(12);
			},
		};
		expect((await subtle.encrypt(cuts, key, cut)).byteLength).toBe(5 + 16);
	});

	test("may collect garbage, with keys that nobody holds but a job", async () => {
		const message = sample(300);
		const signing = (await subtle.generateKey("Ed25519", true, ["sign", "verify"])) as Any;
		const { publicKey } = signing;
		const pending = subtle.sign("Ed25519", signing.privateKey, message);
		destroyKey(signing.privateKey);
		collect();
		for (let i = 0; i < 20; i++) new Uint8Array(1000).fill(255);
		collect();
		expect(await subtle.verify("Ed25519", publicKey, await pending, message)).toBe(true);
		expect(await refusal(() => subtle.sign("Ed25519", signing.privateKey, message))).toBe("InvalidAccessError");
	});

	test("may throw its own errors", async () => {
		const own = {
			get name(): string {
				throw new EvalError("mine");
			},
		};
		expect(await refusal(() => subtle.digest(own, sample(1)))).toBe("EvalError");
	});
});

describe("changed built-ins", () => {
	test("see no handle, and make nothing extractable", async () => {
		const seen: Any[] = [];
		const see = (...values: Any[]) => {
			for (let i = 0; i < values.length; i++) seen[seen.length] = values[i];
		};
		const undo: (() => void)[] = [];
		const change = (object: Any, name: PropertyKey, value: (original: Any) => PropertyDescriptor) => {
			const original = Reflect.getOwnPropertyDescriptor(object, name);
			Reflect.defineProperty(object, name, { configurable: true, ...value(original?.value) });
			undo[undo.length] = () => {
				if (original === undefined) Reflect.deleteProperty(object, name);
				else Reflect.defineProperty(object, name, original);
			};
		};
		for (const [object, names] of [
			[Array.prototype, [Symbol.iterator, "includes", "indexOf", "find", "filter", "push"]],
			[Promise.prototype, ["then"]],
			[Function.prototype, ["call", "apply", "bind"]],
			[String.prototype, ["toLowerCase"]],
		] as const) {
			for (const name of names) {
				change(object, name, (original) => ({
					value: function (this: Any, ...values: Any[]) {
						see(this);
						for (let i = 0; i < values.length; i++) see(values[i]);
						return Reflect.apply(original, this, values);
					},
				}));
			}
		}
		for (const name of ["then", "extractable", "hash", "d", "k", "usages", "type", "publicKey", "handle"]) {
			change(Object.prototype, name, () => ({
				get() {
					see(this);
					return undefined;
				},
			}));
		}
		let results: Any[] = [];
		try {
			const key = await subtle.importKey("raw", needle, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
			const pair = (await subtle.generateKey("Ed25519", false, ["sign"])) as Any;
			const base = await subtle.importKey("raw", needle, "HKDF", false, ["deriveKey"]);
			const how = { name: "HKDF", hash: "SHA-256", salt: sample(1), info: sample(1) } as const;
			const derived = await subtle.deriveKey(how, base, { name: "AES-GCM", length: 128 }, false, ["encrypt"]);
			await subtle.sign("HMAC", key, sample(3));
			await subtle.encrypt({ name: "AES-GCM", iv: sample(12) }, derived, sample(3));
			results = [key.extractable, pair.privateKey.extractable, derived.extractable, base.extractable];
		} finally {
			for (let i = undo.length - 1; i >= 0; i--) (undo[i] as () => void)();
		}
		expect(results).toEqual([false, false, false, false]);
		expect(seen.length).toBeGreaterThan(50);
		let handles = 0;
		for (const value of seen) {
			try {
				infoOf(value);
				handles++;
			} catch {
				/* none */
			}
		}
		expect(handles).toBe(0);
	});
});

describe("keys in C's memory", () => {
	test("are given back", async () => {
		const cycle = async (count: number) => {
			for (let i = 0; i < count; i++) {
				await subtle.importKey("raw", sample(1 + ((i * 37) % 400)), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
				const key = await subtle.generateKey("Ed25519", false, ["sign"]);
				await subtle.sign("Ed25519", key.privateKey, sample((i * 101) % 900));
				if (i % 10 === 9) collect();
			}
			collect();
			return memory().free;
		};
		const before = await cycle(20);
		expect(await cycle(40)).toBeGreaterThanOrEqual(before - 1024);
	}, 60_000);

	test("that find no room are an OperationError", async () => {
		const keep: unknown[] = [];
		let name = "none";
		while (name === "none" && keep.length < 50) {
			name = await refusal(async () => {
				const key = await subtle.generateKey({ name: "HMAC", hash: "SHA-256", length: 8 * 30000 }, false, ["sign"]);
				keep.push(key);
			});
		}
		for (const key of keep) destroyKey(key as CryptoKey);
		expect(name).toBe("OperationError");
	});
});

describe("getRandomValues", () => {
	test("fills arrays of all integers, in place", () => {
		const classes = [
			Int8Array,
			Uint8Array,
			Uint8ClampedArray,
			Int16Array,
			Uint16Array,
			Int32Array,
			Uint32Array,
			BigInt64Array,
			BigUint64Array,
		];
		for (const Class of classes) {
			const all = new ArrayBuffer(64);
			const array = new Class(all, 16, 32 / Class.BYTES_PER_ELEMENT);
			expect(crypto.getRandomValues(array) === array).toBe(true);
			const found = new Uint8Array(all);
			expect(found.subarray(16, 48).filter((byte) => byte === 0).length).toBeLessThan(8);
			expect(found.filter((byte, i) => byte !== 0 && (i < 16 || i >= 48)).length).toBe(0);
		}
		expect(crypto.getRandomValues(new Uint8Array(0)).length).toBe(0);
	});
});

/* ---- with Node ---- */

function line(): Promise<string> {
	return new Promise((resolve) => {
		let found = "";
		const serial = new Serial({
			port: 1,
			baud: 115200,
			onReadable(count) {
				for (let i = 0; i < count; i++) {
					const byte = this.read() as number;
					if (byte !== 10) {
						found += String.fromCharCode(byte);
					} else {
						serial.close();
						resolve(found);
						return;
					}
				}
			},
		});
		console.log("ready");
	});
}

test("Node and the device understand each other", async () => {
	const message = text("from one to the other");
	const theirs = JSON.parse(await line());
	const ecdsa = { name: "ECDSA", namedCurve: "P-256" } as const;
	for (const hash of ["SHA-256", "SHA-512"] as const) {
		for (const [format, data] of [
			["spki", bytes(theirs.ecdsa.spki)],
			["jwk", theirs.ecdsa.jwk],
		] as const) {
			const key = await subtle.importKey(format, data, ecdsa, true, ["verify"]);
			expect(await subtle.verify({ name: "ECDSA", hash }, key, bytes(theirs.ecdsa[hash]), message)).toBe(true);
			expect(await subtle.verify({ name: "ECDSA", hash }, key, bytes(theirs.ecdsa[hash]), text("other"))).toBe(false);
		}
	}
	const edKey = await subtle.importKey("jwk", theirs.ed25519.jwk, "Ed25519", true, ["verify"]);
	expect(await subtle.verify("Ed25519", edKey, bytes(theirs.ed25519.signature), message)).toBe(true);

	const pair = await subtle.generateKey(ecdsa, true, ["sign", "verify"]);
	const edPair = await subtle.generateKey("Ed25519", true, ["sign", "verify"]);
	report("signed", {
		jwk: await subtle.exportKey("jwk", pair.publicKey),
		spki: hex(await subtle.exportKey("spki", pair.publicKey)),
		pkcs8: hex(await subtle.exportKey("pkcs8", pair.privateKey)),
		"SHA-256": hex(await subtle.sign({ name: "ECDSA", hash: "SHA-256" }, pair.privateKey, message)),
		"SHA-512": hex(await subtle.sign({ name: "ECDSA", hash: "SHA-512" }, pair.privateKey, message)),
		edJwk: await subtle.exportKey("jwk", edPair.publicKey),
		edPkcs8: hex(await subtle.exportKey("pkcs8", edPair.privateKey)),
		edSignature: hex(await subtle.sign("Ed25519", edPair.privateKey, message)),
	});
	for (const [name, algorithm] of [
		["ECDH", { name: "ECDH", namedCurve: "P-256" }],
		["X25519", { name: "X25519" }],
	] as const) {
		const own = (await subtle.generateKey(algorithm, false, ["deriveBits", "deriveKey"])) as CryptoKeyPair;
		const peer = await subtle.importKey("spki", bytes(theirs[name]), algorithm, true, []);
		const how = { name, public: peer };
		const key = await subtle.deriveKey(how, own.privateKey, { name: "AES-GCM", length: 256 }, false, ["encrypt"]);
		report("agreed", {
			name,
			spki: hex(await subtle.exportKey("spki", own.publicKey)),
			secret: hex(await subtle.deriveBits(how, own.privateKey, 256)),
			sealed: hex(await subtle.encrypt({ name: "AES-GCM", iv: sample(12) }, key, message)),
		});
	}
	for (const [size, iv, tagLength, much, aad] of [
		[16, 13, 64, 0, 0],
		[16, 7, 128, 1, 5],
		[32, 12, 96, 33, 20],
		[16, 12, 128, 300, 0],
		[32, 10, 112, 64, 300],
	] as const) {
		const key = await subtle.importKey("raw", sample(size), "AES-CCM", true, ["encrypt", "decrypt"]);
		const algorithm = { name: "AES-CCM", iv: sample(iv), additionalData: sample(aad, 3), tagLength };
		const sealed = await subtle.encrypt(algorithm, key, sample(much, 11));
		report("ccm", { size, iv, tagLength, much, aad, sealed: hex(sealed) });
		expect(hex(await subtle.decrypt(algorithm, key, sealed))).toBe(hex(sample(much, 11)));
		new Uint8Array(sealed)[0] = (new Uint8Array(sealed)[0] as number) ^ 1;
		expect(await refusal(() => subtle.decrypt(algorithm, key, sealed))).toBe("OperationError");
		expect(await refusal(() => subtle.encrypt({ ...algorithm, iv: sample(6) }, key, sealed))).toBe("OperationError");
		expect((await subtle.exportKey("jwk", key)).alg).toBe(`A${size * 8}CCM`);
	}
}, 60_000);

test("keys are overwritten", async () => {
	const base = await subtle.importKey("raw", sample(32), "HKDF", false, ["deriveKey"]);
	const how = { name: "HKDF", hash: "SHA-256", salt: sample(16), info: text("to be overwritten") } as const;
	const derived = await subtle.deriveKey(how, base, { name: "AES-GCM", length: 256 }, false, ["encrypt"]);
	const own = bytes("302e020100300506032b656e04220420".concat(hex(sample(32, 5))));
	const theirs = bytes("302a300506032b656e032100".concat(hex(sample(32, 9))));
	const agreeing = await subtle.importKey("pkcs8", own, "X25519", false, ["deriveKey"]);
	const peer = { name: "X25519", public: await subtle.importKey("spki", theirs, "X25519", false, []) };
	const agreed = await subtle.deriveKey(peer, agreeing, { name: "AES-GCM", length: 256 }, false, ["encrypt"]);
	for (const key of [derived, agreed]) await subtle.encrypt({ name: "AES-GCM", iv: sample(12) }, key, sample(20));
	await line();
	destroyKey(derived);
	destroyKey(agreed);
	await line();
}, 60_000);
