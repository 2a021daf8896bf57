// SubtleCrypto over the keystore's handles: what docs/webcrypto.md lists, in WebCrypto's shape.
//
// Types, usages and whether a key is extractable are enforced in C (native/keystore/xs_subtle.c): what is here reads arguments,
// writes keys in WebCrypto's formats, and gives errors their names. Members of a dictionary are read once, before anything
// happens; inputs are taken when a function is called, and may change afterwards.

import { type Curve, fromBase64Url, fromPkcs8, fromSpki, toBase64Url, toPkcs8, toSpki } from "./encoding.ts";
import { type ErrorName, fail } from "./error.ts";

export type BufferSource = ArrayBuffer | ArrayBufferView;
export type KeyType = "secret" | "private" | "public";
export type KeyFormat = "raw" | "jwk" | "spki" | "pkcs8";
export type KeyUsage = "encrypt" | "decrypt" | "sign" | "verify" | "deriveKey" | "deriveBits" | "wrapKey" | "unwrapKey";
export type Hash = "SHA-256" | "SHA-512";
export type HashIdentifier = Hash | { readonly name: Hash };

/** What tells an algorithm, and its parameters; which ones, docs/webcrypto.md says. */
export interface Algorithm {
	readonly name: string;
	/** HMAC, ECDSA, HKDF. */
	readonly hash?: HashIdentifier;
	/** ECDSA, ECDH: "P-256". */
	readonly namedCurve?: string;
	/** Bits of a key, or of AES-CTR's counter. */
	readonly length?: number;
	/** AES-GCM, AES-CCM. */
	readonly iv?: BufferSource;
	readonly additionalData?: BufferSource;
	/** In bits. */
	readonly tagLength?: number;
	/** AES-CTR: 16 bytes. */
	readonly counter?: BufferSource;
	/** HKDF. */
	readonly salt?: BufferSource;
	readonly info?: BufferSource;
	/** ECDH, X25519: the peer's key. */
	readonly public?: CryptoKey;
}
export type AlgorithmIdentifier = string | Algorithm;
type PairName = "Ed25519" | "X25519";

/** What a key says of its algorithm. */
export interface KeyAlgorithm {
	readonly name: string;
	readonly hash?: { readonly name: Hash };
	readonly length?: number;
	readonly namedCurve?: "P-256";
}

/** RFC 7517, 7518, 8037. */
export interface JsonWebKey {
	kty?: string;
	crv?: string;
	alg?: string;
	use?: string;
	key_ops?: string[];
	ext?: boolean;
	k?: string;
	d?: string;
	x?: string;
	y?: string;
}

export interface CryptoKeyPair {
	readonly publicKey: CryptoKey;
	readonly privateKey: CryptoKey;
}

/* ---- natives ---- */

type Handle = { readonly handle: unique symbol };
type Callback = (status: number, first?: Handle | ArrayBuffer, second?: Handle) => void;

/* No argument goes through an array: whoever changes what arrays do would see handles, and decide what is extractable. What is
 * wanted of a new key is its type (0: its bytes instead), whether it is extractable, and its uses. */
const digestOf: (hash: number, data: BufferSource) => ArrayBuffer | number = native("xs_subtle_digest");
const infoOf: (handle: Handle) => number = native("xs_subtle_info");
const importOf: (
	type: number,
	extractable: boolean,
	uses: number,
	bytes: BufferSource,
	isPublic: boolean,
) => Handle | number = native("xs_subtle_import");
const importPrivate: (
	type: number,
	extractable: boolean,
	uses: number,
	bytes: BufferSource,
	publicKey: BufferSource | undefined,
	callback: Callback,
) => number = native("xs_subtle_import_private");
const generate: (type: number, extractable: boolean, uses: number, size: number, callback: Callback) => number =
	native("xs_subtle_generate");
const exportOf: (handle: Handle, isPublic: boolean) => ArrayBuffer | number = native("xs_subtle_export");
const destroy: (handle: Handle) => void = native("xs_subtle_destroy");
const macOf: (handle: Handle, data: BufferSource) => ArrayBuffer | number = native("xs_subtle_mac");
const macVerify: (handle: Handle, data: BufferSource, mac: BufferSource) => number = native("xs_subtle_mac_verify");
const cipherOf: (
	handle: Handle,
	iv: BufferSource,
	aad: BufferSource | undefined,
	extra: number,
	data: BufferSource | Handle,
	what: number,
) => ArrayBuffer | number = native("xs_subtle_cipher");
const unwrap: (
	handle: Handle,
	iv: BufferSource,
	aad: BufferSource | undefined,
	extra: number,
	data: BufferSource,
	type: number,
	extractable: boolean,
	uses: number,
) => Handle | number = native("xs_subtle_unwrap");
const signOf: (handle: Handle, hash: number, data: BufferSource, callback: Callback) => number =
	native("xs_subtle_sign");
const verifyOf: (
	handle: Handle,
	hash: number,
	data: BufferSource,
	signature: BufferSource,
	callback: Callback,
) => number = native("xs_subtle_verify");
const hkdf: (
	handle: Handle,
	hash: number,
	salt: BufferSource,
	info: BufferSource,
	size: number,
	type: number,
	extractable: boolean,
	uses: number,
) => Handle | ArrayBuffer | number = native("xs_subtle_hkdf");
const agree: (
	handle: Handle,
	peer: Handle,
	size: number,
	type: number,
	extractable: boolean,
	uses: number,
	callback: Callback,
) => number = native("xs_subtle_agree");

/* ---- names and numbers ---- */

/** By pc_key_type. HMAC has two, for SHA-256 and SHA-512. */
const names = [
	"",
	"ECDSA",
	"ECDH",
	"HMAC",
	"",
	"",
	"HMAC",
	"HKDF",
	"AES-CTR",
	"AES-CCM",
	"AES-GCM",
	"Ed25519",
	"X25519",
] as const;
type Name = Exclude<(typeof names)[number], "">;
const HMAC_SHA512 = 6;

const hashes: readonly Hash[] = ["SHA-256", "SHA-512"];
const ciphers: readonly Name[] = ["AES-CTR", "AES-CCM", "AES-GCM"];
const signers: readonly Name[] = ["HMAC", "ECDSA", "Ed25519"];
const derivers: readonly Name[] = ["HKDF", "ECDH", "X25519"];
const pairs: readonly Name[] = ["ECDSA", "ECDH", "Ed25519", "X25519"];
const secrets: readonly Name[] = [...ciphers, "HMAC", "HKDF"];
const generators: readonly Name[] = [...pairs, ...ciphers, "HMAC"];
const importers: readonly Name[] = [...generators, "HKDF"];

/** By the bits of pc_key_use. */
const uses: readonly KeyUsage[] = [
	"encrypt",
	"decrypt",
	"sign",
	"verify",
	"deriveKey",
	"deriveBits",
	"wrapKey",
	"unwrapKey",
];
const SIGN = 4;
const VERIFY = 8;
const DERIVE = 16 | 32;
const CIPHER = 1 | 2 | 64 | 128;

const forms: readonly KeyType[] = ["secret", "private", "public"];

/** Values of pc_keystore_status. */
const NONE = 1;
const POLICY = 4;
const KEY = 6;
const FORGED = 7;
/** What says that a signature is right: no other status, nor 0, becomes this by accident. */
const RIGHT = 0x3ca5965a;

function refuse(status: number): never {
	if (status === NONE) fail("InvalidAccessError", "the key was destroyed");
	if (status === POLICY) fail("InvalidAccessError", "the key is not for this algorithm or use, or not extractable");
	if (status === KEY) fail("DataError", "this is no key");
	return fail("OperationError", "the operation failed");
}

function result<T extends object>(value: T | number): T {
	return typeof value === "number" ? refuse(value) : value;
}

/** A job that is to be started with `callback`. Little stack is left for it, so the native is called by whoever has it. */
interface Job<T> {
	readonly callback: Callback;
	/** What comes of it; `status` is what starting it gave. */
	promise(status: number): Promise<T>;
}

/** What the job calls back with becomes what `make` makes of it. */
function job<T>(
	make: (status: number, first: Handle | ArrayBuffer | undefined, second: Handle | undefined) => T,
): Job<T> {
	let resolve: (value: T) => void;
	let reject: (error: unknown) => void;
	const promise = new Promise<T>((yes, no) => {
		resolve = yes;
		reject = no;
	});
	const callback: Callback = (status, first, second) => {
		try {
			resolve(make(status, first, second));
		} catch (error) {
			reject(error);
		}
	};
	return {
		callback,
		promise(status) {
			if (status !== 0) callback(status);
			return promise;
		},
	};
}

/* ---- keys ---- */

let handleOf: (key: unknown) => Handle;
/** Only this module makes keys. */
let made: Handle | undefined;

/** A key: a handle, and what C says of it. Whoever has it can do what its usages allow, and nothing else. */
export class CryptoKey {
	readonly #handle: Handle;

	static {
		handleOf = (key) => {
			if (typeof key !== "object" || key === null || !(#handle in key)) throw new TypeError("webcrypto: no CryptoKey");
			return key.#handle;
		};
	}

	constructor() {
		if (made === undefined) throw new TypeError("webcrypto: keys come from crypto.subtle");
		this.#handle = made;
		made = undefined;
	}

	get type(): KeyType {
		return forms[(infoOf(this.#handle) >> 4) & 3] as KeyType;
	}

	get extractable(): boolean {
		return (infoOf(this.#handle) & 64) !== 0;
	}

	/** A new object each time. */
	get algorithm(): KeyAlgorithm {
		const info = infoOf(this.#handle);
		const type = info & 15;
		const name = names[type] as Name;
		const length = Math.floor(info / 65536) * 8;
		if (name === "HMAC") return { name, hash: { name: type === HMAC_SHA512 ? "SHA-512" : "SHA-256" }, length };
		if (ciphers.includes(name)) return { name, length };
		return name === "ECDSA" || name === "ECDH" ? { name, namedCurve: "P-256" } : { name };
	}

	/** A new array each time. */
	get usages(): KeyUsage[] {
		const bits = infoOf(this.#handle) >> 8;
		return uses.filter((_, i) => (bits & (1 << i)) !== 0);
	}

	get [Symbol.toStringTag](): string {
		return "CryptoKey";
	}
}

function keyOf(handle: Handle): CryptoKey {
	made = handle;
	return new CryptoKey();
}

/** Overwrites a key now; else that is done when nobody holds it any more and garbage is collected. */
export function destroyKey(key: CryptoKey): void {
	destroy(handleOf(key));
}

/* ---- arguments ---- */

/** The algorithm's name in its one spelling; NotSupportedError if it isn't among `supported`. */
function nameOf<T extends string>(algorithm: unknown, supported: readonly T[]): T {
	let name = algorithm;
	if (typeof algorithm === "object" && algorithm !== null) name = required(algorithm, "name");
	const low = String(name).toLowerCase();
	for (let i = 0; i < supported.length; i++) {
		const candidate = supported[i] as T;
		if (candidate.toLowerCase() === low) return candidate;
	}
	return fail("NotSupportedError", `no algorithm "${String(name)}" here`);
}

/** A member of a dictionary. */
function member(algorithm: unknown, name: string): unknown {
	return typeof algorithm === "object" ? (algorithm as { readonly [name: string]: unknown })[name] : undefined;
}

function required(algorithm: unknown, name: string): unknown {
	const value = member(algorithm, name);
	if (value === undefined) throw new TypeError(`webcrypto: "${name}" is missing`);
	return value;
}

/** WebIDL's [EnforceRange]. */
function integer(value: unknown, most: number): number {
	const number = Math.trunc(Number(value));
	if (!(number >= 0 && number <= most)) throw new TypeError(`webcrypto: not an integer from 0 to ${most}`);
	return number + 0;
}

/** What natives take as bytes: views of larger elements turned into bytes. What is no buffer they refuse (TypeError). */
function bytes(value: unknown): Uint8Array | BufferSource {
	if (!ArrayBuffer.isView(value) || value instanceof DataView || value instanceof Uint8Array) {
		return value as BufferSource;
	}
	return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}

function view(value: unknown): Uint8Array {
	const source = bytes(value);
	if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
	return new Uint8Array(source as ArrayBuffer);
}

/** 1 or 2. */
function hashOf(algorithm: unknown): number {
	return hashes.indexOf(nameOf(required(algorithm, "hash"), hashes)) + 1;
}

function checkCurve(algorithm: unknown): void {
	if (String(required(algorithm, "namedCurve")) !== "P-256") fail("NotSupportedError", "no such namedCurve here");
}

/** pc_key_type of an algorithm's key; reads `hash` or `namedCurve`. */
function typeOf(name: Name, algorithm: unknown): number {
	if (name === "ECDSA" || name === "ECDH") checkCurve(algorithm);
	return name === "HMAC" && hashOf(algorithm) === 2 ? HMAC_SHA512 : names.indexOf(name);
}

/** Bits of pc_key_use. */
function usesOf(usages: unknown): number {
	let bits = 0;
	for (const usage of usages as Iterable<unknown>) {
		const at = uses.indexOf(String(usage) as KeyUsage);
		if (at < 0) throw new TypeError("webcrypto: no such key usage");
		bits |= 1 << at;
	}
	return bits;
}

/** What a key of this name can do at all. */
function allowed(name: Name, form: KeyType): number {
	if (ciphers.includes(name)) return CIPHER;
	if (name === "HMAC") return SIGN | VERIFY;
	if (name === "HKDF") return DERIVE;
	const signs = name === "ECDSA" || name === "Ed25519";
	if (form === "public") return signs ? VERIFY : 0;
	return signs ? SIGN : DERIVE;
}

function checkUses(name: Name, form: KeyType, bits: number): void {
	if ((bits & ~allowed(name, form)) !== 0) fail("SyntaxError", `not a usage of a ${form} ${name} key`);
	if (bits === 0 && form !== "public") fail("SyntaxError", "a key without a usage");
}

/** Bytes of an HMAC key, of a length in bits. */
function macSize(length: number, none: ErrorName): number {
	if (length === 0) fail(none, "an HMAC key has at least 8 bits");
	if (length % 8 !== 0) fail("NotSupportedError", "length must be a multiple of 8");
	return length / 8;
}

/** Bytes of a secret key that is made or derived, from `length`; undefined for HKDF, which names none. */
function sizeOf(name: Name, algorithm: unknown, type: number): number | undefined {
	if (name === "HKDF") return undefined;
	const given = member(algorithm, "length");
	if (name === "HMAC") {
		/* RFC 2104: a block of the hash. */
		if (given === undefined) return type === HMAC_SHA512 ? 128 : 64;
		return macSize(integer(given, 0xffffffff), "OperationError");
	}
	return aesSize(integer(required({ length: given }, "length"), 0xffff) / 8, "OperationError");
}

function aesSize(size: number, otherwise: ErrorName): number {
	if (size === 24) fail("NotSupportedError", "no AES-192 here");
	if (size !== 16 && size !== 32) fail(otherwise, "an AES key has 128 or 256 bits");
	return size;
}

function formatOf(format: unknown): KeyFormat {
	const name = String(format);
	if (name !== "raw" && name !== "jwk" && name !== "spki" && name !== "pkcs8") {
		throw new TypeError("webcrypto: no such key format");
	}
	return name;
}

/** Parameters of AES. `extra`: bits of the counter, or bytes of the tag. */
interface Cipher {
	readonly iv: BufferSource;
	readonly aad: BufferSource | undefined;
	readonly extra: number;
}

function cipher(name: Name, algorithm: unknown): Cipher {
	if (name === "AES-CTR") {
		const iv = bytes(required(algorithm, "counter"));
		const extra = integer(required(algorithm, "length"), 255);
		if (extra < 1 || extra > 128) fail("OperationError", "AES-CTR's length must be 1 to 128");
		return { iv, aad: undefined, extra };
	}
	const given = member(algorithm, "additionalData");
	const aad = given === undefined ? undefined : bytes(given);
	const iv = bytes(required(algorithm, "iv"));
	const length = member(algorithm, "tagLength");
	const extra = length === undefined ? 128 : integer(length, 255);
	if (extra % 8 !== 0 || extra > 128 || extra < 32) fail("OperationError", "no such tagLength");
	return { iv, aad, extra: extra / 8 };
}

/** Encrypts (0), decrypts (1), or wraps a key (2). */
function run(algorithm: unknown, key: unknown, data: BufferSource | Handle, what: number): ArrayBuffer {
	const name = nameOf(algorithm, ciphers);
	const { iv, aad, extra } = cipher(name, algorithm);
	return result(cipherOf(keyFor(key, name), iv, aad, extra, data, what));
}

/** C tells a key's type; the algorithm that is asked for must be the same. */
function keyFor(key: unknown, name: Name): Handle {
	const handle = handleOf(key);
	const type = infoOf(handle) & 15;
	if (type !== 0 && names[type] !== name) fail("InvalidAccessError", "a key of another algorithm");
	return handle;
}

/* ---- JSON Web Keys ---- */

function decoded(text: unknown): Uint8Array {
	const found = typeof text === "string" ? fromBase64Url(text) : undefined;
	return found ?? fail("DataError", "not base64url");
}

function curveOf(name: Name): Curve {
	return name === "ECDSA" || name === "ECDH" ? "P-256" : (name as Curve);
}

/** RFC 7518, 4 and 5: what `alg` of such a key says; undefined: nothing to compare. */
function algOf(name: Name, type: number, size: number): string | undefined {
	if (name === "HMAC") return type === HMAC_SHA512 ? "HS512" : "HS256";
	if (name === "ECDSA") return "ES256";
	if (name === "Ed25519") return name;
	return ciphers.includes(name) ? `A${size * 8}${name.slice(4)}` : undefined;
}

/** What all kinds of JWK have in common; DataError. */
function checkJwk(jwk: JsonWebKey, name: Name, type: number, size: number, extractable: boolean, bits: number): void {
	const { alg, ext, key_ops: ops, use } = jwk;
	const expected = algOf(name, type, size);
	if (alg !== undefined && expected !== undefined && alg !== expected && !(name === "Ed25519" && alg === "EdDSA")) {
		fail("DataError", "another alg");
	}
	const signs = signers.includes(name);
	if (use !== undefined && bits !== 0 && use !== (signs ? "sig" : "enc")) fail("DataError", "another use");
	if (ext === false && extractable) fail("DataError", "not extractable");
	if (ops === undefined) return;
	let given = 0;
	for (const op of ops) {
		const at = uses.indexOf(op as KeyUsage);
		if (at < 0) continue;
		if ((given & (1 << at)) !== 0) fail("DataError", "key_ops has one twice");
		given |= 1 << at;
	}
	if ((bits & ~given) !== 0) fail("DataError", "not one of key_ops");
}

function point(x: Uint8Array, y: Uint8Array): Uint8Array {
	const all = new Uint8Array(65);
	if (x.length !== 32 || y.length !== 32) fail("DataError", "a coordinate has 32 bytes");
	all[0] = 4;
	all.set(x, 1);
	all.set(y, 33);
	return all;
}

/* ---- import ---- */

function importSecret(
	format: KeyFormat,
	data: unknown,
	name: Name,
	algorithm: unknown,
	extractable: boolean,
	bits: number,
): CryptoKey {
	const type = typeOf(name, algorithm);
	const length = name === "HMAC" ? member(algorithm, "length") : undefined;
	if (format !== "raw" && (format !== "jwk" || name === "HKDF"))
		fail("NotSupportedError", `no ${name} key as ${format}`);
	checkUses(name, "secret", bits);
	if (name === "HKDF" && extractable) fail("SyntaxError", "HKDF keys are not extractable");
	let secret: Uint8Array;
	if (format === "raw") {
		secret = view(data);
	} else {
		const jwk = data as JsonWebKey;
		if (jwk.kty !== "oct") fail("DataError", "another kty");
		secret = decoded(jwk.k);
		checkJwk(jwk, name, type, secret.length, extractable, bits);
	}
	if (ciphers.includes(name)) aesSize(secret.length, "DataError");
	if (name === "HMAC") {
		const size = length === undefined ? secret.length : macSize(integer(length, 0xffffffff), "DataError");
		if (size !== secret.length || size === 0) fail("DataError", "another length");
	}
	return keyOf(result(importOf(type, extractable, bits, secret, false)));
}

function importPublic(name: Name, type: number, extractable: boolean, bits: number, key: BufferSource): CryptoKey {
	checkUses(name, "public", bits);
	return keyOf(result(importOf(type, extractable, bits, key, true)));
}

function importPair(
	format: KeyFormat,
	data: unknown,
	name: Name,
	algorithm: unknown,
	extractable: boolean,
	bits: number,
): CryptoKey | Promise<CryptoKey> {
	const type = typeOf(name, algorithm);
	const curve = curveOf(name);
	let key: Uint8Array | undefined;
	let publicKey: Uint8Array | undefined;
	if (format === "raw") {
		publicKey = view(data);
	} else if (format === "spki") {
		publicKey = fromSpki(curve, view(data));
	} else if (format === "pkcs8") {
		checkUses(name, "private", bits);
		({ key, publicKey } = fromPkcs8(curve, view(data)) ?? { key: undefined, publicKey: undefined });
		if (key === undefined) fail("DataError", "not a PKCS#8 of this algorithm");
	} else {
		const jwk = data as JsonWebKey;
		const { crv, d, kty, x, y } = jwk;
		checkUses(name, d === undefined ? "public" : "private", bits);
		if (kty !== (curve === "P-256" ? "EC" : "OKP")) fail("DataError", "another kty");
		if (crv !== curve) fail("DataError", "another crv");
		checkJwk(jwk, name, type, 0, extractable, bits);
		publicKey = curve === "P-256" ? point(decoded(x), decoded(y)) : decoded(x);
		key = d === undefined ? undefined : decoded(d);
	}
	if (key === undefined) {
		if (publicKey === undefined) checkUses(name, "public", bits);
		return importPublic(name, type, extractable, bits, publicKey ?? fail("DataError", "not a SPKI of this algorithm"));
	}
	const imports = job((status, handle) => (status === 0 ? keyOf(handle as Handle) : refuse(status)));
	return imports.promise(importPrivate(type, extractable, bits, key, publicKey, imports.callback));
}

/* ---- what derives ---- */

/** Bytes, or a key if a type is given. `length` in bits; undefined: as many as there are. */
function derive(
	name: Name,
	algorithm: unknown,
	base: unknown,
	length: number | undefined,
	type: number,
	extractable: boolean,
	uses: number,
): Promise<ArrayBuffer | CryptoKey> | ArrayBuffer | CryptoKey {
	const give = (made: Handle | ArrayBuffer): ArrayBuffer | CryptoKey =>
		type === 0 ? (made as ArrayBuffer) : keyOf(made as Handle);
	if (name === "HKDF") {
		const hash = hashOf(algorithm);
		const info = bytes(required(algorithm, "info"));
		const salt = bytes(required(algorithm, "salt"));
		const handle = keyFor(base, name);
		if (length === undefined || length % 8 !== 0) fail("OperationError", "length must be a multiple of 8");
		return give(result(hkdf(handle, hash, salt, info, length / 8, type, extractable, uses)));
	}
	const peer = handleOf(required(algorithm, "public"));
	const handle = keyFor(base, name);
	const size = length === undefined ? 32 : Math.ceil(length / 8);
	const agrees = job((status, made) => {
		if (status === KEY) fail("OperationError", "the common secret is nothing");
		return status === 0 ? give(made as Handle | ArrayBuffer) : refuse(status);
	});
	return agrees.promise(agree(handle, peer, size, type, extractable, uses, agrees.callback));
}

/** The first bits of some bytes; what is left of the last one is 0. */
function firstBits(all: ArrayBuffer, length: number | undefined): ArrayBuffer {
	if (length === undefined || length === all.byteLength * 8) return all;
	const some = new Uint8Array(all.slice(0, Math.ceil(length / 8)));
	if (length % 8 !== 0) some[some.length - 1] = (some[some.length - 1] as number) & (0xff << (8 - (length % 8)));
	return some.buffer;
}

/* ---- SubtleCrypto ---- */

let isSubtle: (value: unknown) => boolean;

/** WebCrypto's methods. Each gives a promise, and rejects it with what it has to say: TypeErrors and DOMExceptions. */
export class SubtleCrypto {
	readonly #brand = true;

	static {
		isSubtle = (value) => typeof value === "object" && value !== null && #brand in value;
	}

	constructor(allowedHere?: unknown) {
		if (allowedHere !== isSubtle) throw new TypeError("webcrypto: use crypto.subtle");
	}

	async digest(algorithm: AlgorithmIdentifier, data: BufferSource): Promise<ArrayBuffer> {
		check(this);
		return result(digestOf(hashes.indexOf(nameOf(algorithm, hashes)) + 1, bytes(data)));
	}

	/** Secret keys: one; ECDSA, ECDH, Ed25519, X25519: a pair. */
	generateKey(
		algorithm: PairName | (Algorithm & { readonly name: PairName | "ECDSA" | "ECDH" }),
		extractable: boolean,
		keyUsages: Iterable<KeyUsage>,
	): Promise<CryptoKeyPair>;
	generateKey(
		algorithm: Algorithm & { readonly name: "AES-CTR" | "AES-CCM" | "AES-GCM" | "HMAC" },
		extractable: boolean,
		keyUsages: Iterable<KeyUsage>,
	): Promise<CryptoKey>;
	generateKey(
		algorithm: AlgorithmIdentifier,
		extractable: boolean,
		keyUsages: Iterable<KeyUsage>,
	): Promise<CryptoKey | CryptoKeyPair>;
	async generateKey(
		algorithm: AlgorithmIdentifier,
		extractable: boolean,
		keyUsages: Iterable<KeyUsage>,
	): Promise<CryptoKey | CryptoKeyPair> {
		check(this);
		const name = nameOf(algorithm, generators);
		const type = typeOf(name, algorithm);
		const isSecret = secrets.includes(name);
		const length = isSecret ? sizeOf(name, algorithm, type) : 0;
		const bits = usesOf(keyUsages);
		if (isSecret) {
			checkUses(name, "secret", bits);
		} else {
			const own = allowed(name, "private");
			if ((bits & ~(own | allowed(name, "public"))) !== 0) fail("SyntaxError", `not a usage of ${name}`);
			if ((bits & own) === 0) fail("SyntaxError", "a private key without a usage");
		}
		const generates = job((status, first, second) => {
			if (status !== 0) refuse(status);
			const privateKey = keyOf(first as Handle);
			return second === undefined ? privateKey : { publicKey: keyOf(second), privateKey };
		});
		return generates.promise(generate(type, Boolean(extractable), bits, length as number, generates.callback));
	}

	async importKey(
		format: KeyFormat,
		keyData: BufferSource | JsonWebKey,
		algorithm: AlgorithmIdentifier,
		extractable: boolean,
		keyUsages: Iterable<KeyUsage>,
	): Promise<CryptoKey> {
		check(this);
		const how = formatOf(format);
		const name = nameOf(algorithm, importers);
		const bits = usesOf(keyUsages);
		if (how === "jwk" ? isBuffer(keyData) || typeof keyData !== "object" : !isBuffer(keyData)) {
			throw new TypeError("webcrypto: key data that is not of this format");
		}
		const imports = secrets.includes(name) ? importSecret : importPair;
		return imports(how, keyData, name, algorithm, Boolean(extractable), bits);
	}

	exportKey(format: "jwk", key: CryptoKey): Promise<JsonWebKey>;
	exportKey(format: Exclude<KeyFormat, "jwk">, key: CryptoKey): Promise<ArrayBuffer>;
	exportKey(format: KeyFormat, key: CryptoKey): Promise<ArrayBuffer | JsonWebKey>;
	async exportKey(format: KeyFormat, key: CryptoKey): Promise<ArrayBuffer | JsonWebKey> {
		check(this);
		const how = formatOf(format);
		const handle = handleOf(key);
		const { type: form, usages } = key;
		const info = infoOf(handle);
		const type = info & 15;
		const name = names[type] as Name;
		if (type === 0) refuse(NONE);
		if ((info & 64) === 0) fail("InvalidAccessError", "the key is not extractable");
		if (form === "secret") {
			if (how !== "raw" && how !== "jwk") fail("NotSupportedError", `no ${name} key as ${how}`);
			const secret = result(exportOf(handle, false));
			if (how === "raw") return secret;
			const k = toBase64Url(new Uint8Array(secret));
			return { kty: "oct", k, alg: algOf(name, type, secret.byteLength), key_ops: usages, ext: true };
		}
		const isPrivate = form === "private";
		if (how !== "jwk" && (how === "pkcs8") !== isPrivate) fail("InvalidAccessError", `no ${form} key as ${how}`);
		const curve = curveOf(name);
		const publicKey = new Uint8Array(result(exportOf(handle, true)));
		if (how === "raw") return publicKey.buffer;
		if (how === "spki") return toSpki(curve, publicKey).buffer;
		const secret = isPrivate ? new Uint8Array(result(exportOf(handle, false))) : undefined;
		if (how === "pkcs8") return toPkcs8(curve, secret as Uint8Array, publicKey).buffer;
		const jwk: JsonWebKey = { kty: "OKP", crv: curve, key_ops: usages, ext: true };
		if (curve === "P-256") {
			jwk.kty = "EC";
			jwk.x = toBase64Url(publicKey.subarray(1, 33));
			jwk.y = toBase64Url(publicKey.subarray(33));
		} else {
			jwk.x = toBase64Url(publicKey);
			if (name === "Ed25519") jwk.alg = name;
		}
		if (secret !== undefined) jwk.d = toBase64Url(secret);
		return jwk;
	}

	async encrypt(algorithm: AlgorithmIdentifier, key: CryptoKey, data: BufferSource): Promise<ArrayBuffer> {
		check(this);
		return run(algorithm, key, bytes(data), 0);
	}

	async decrypt(algorithm: AlgorithmIdentifier, key: CryptoKey, data: BufferSource): Promise<ArrayBuffer> {
		check(this);
		return run(algorithm, key, bytes(data), 1);
	}

	async sign(algorithm: AlgorithmIdentifier, key: CryptoKey, data: BufferSource): Promise<ArrayBuffer> {
		check(this);
		const name = nameOf(algorithm, signers);
		const hash = name === "ECDSA" ? hashOf(algorithm) : 0;
		const handle = keyFor(key, name);
		if (name === "HMAC") return result(macOf(handle, bytes(data)));
		const signs = job((status, signature) => (status === 0 ? (signature as ArrayBuffer) : refuse(status)));
		return signs.promise(signOf(handle, hash, bytes(data), signs.callback));
	}

	async verify(
		algorithm: AlgorithmIdentifier,
		key: CryptoKey,
		signature: BufferSource,
		data: BufferSource,
	): Promise<boolean> {
		check(this);
		const name = nameOf(algorithm, signers);
		const hash = name === "ECDSA" ? hashOf(algorithm) : 0;
		const handle = keyFor(key, name);
		const verdict = (status: number): boolean => {
			if (status !== RIGHT && status !== FORGED && status !== KEY) refuse(status);
			return status === RIGHT;
		};
		if (name === "HMAC") return verdict(macVerify(handle, bytes(data), bytes(signature)));
		const verifies = job(verdict);
		return verifies.promise(verifyOf(handle, hash, bytes(data), bytes(signature), verifies.callback));
	}

	/** `length` in bits; HKDF: a multiple of 8; ECDH, X25519: at most 256, all if it is null. */
	async deriveBits(algorithm: AlgorithmIdentifier, baseKey: CryptoKey, length?: number | null): Promise<ArrayBuffer> {
		check(this);
		const name = nameOf(algorithm, derivers);
		const bits = length === undefined || length === null ? undefined : integer(length, 0xffffffff);
		return firstBits((await derive(name, algorithm, baseKey, bits, 0, false, 0)) as ArrayBuffer, bits);
	}

	/** The key is derived in C: JavaScript does not see its bytes. */
	async deriveKey(
		algorithm: AlgorithmIdentifier,
		baseKey: CryptoKey,
		derivedKeyType: AlgorithmIdentifier,
		extractable: boolean,
		keyUsages: Iterable<KeyUsage>,
	): Promise<CryptoKey> {
		check(this);
		const name = nameOf(algorithm, derivers);
		const { type, size, uses } = wishOf(derivedKeyType, extractable, keyUsages, true);
		const length = size === undefined ? undefined : size * 8;
		return (await derive(name, algorithm, baseKey, length, type, Boolean(extractable), uses)) as CryptoKey;
	}

	/** A secret key as "raw": its bytes are encrypted in C. */
	async wrapKey(
		format: KeyFormat,
		key: CryptoKey,
		wrappingKey: CryptoKey,
		wrapAlgorithm: AlgorithmIdentifier,
	): Promise<ArrayBuffer> {
		check(this);
		if (formatOf(format) !== "raw") fail("NotSupportedError", "keys are wrapped as raw");
		return run(wrapAlgorithm, wrappingKey, handleOf(key), 2);
	}

	/** A secret key that comes as "raw": its bytes are decrypted in C, and JavaScript does not see them. */
	async unwrapKey(
		format: KeyFormat,
		wrappedKey: BufferSource,
		unwrappingKey: CryptoKey,
		unwrapAlgorithm: AlgorithmIdentifier,
		unwrappedKeyAlgorithm: AlgorithmIdentifier,
		extractable: boolean,
		keyUsages: Iterable<KeyUsage>,
	): Promise<CryptoKey> {
		check(this);
		if (formatOf(format) !== "raw") fail("NotSupportedError", "keys are wrapped as raw");
		const name = nameOf(unwrapAlgorithm, ciphers);
		const { iv, aad, extra } = cipher(name, unwrapAlgorithm);
		const { type, uses } = wishOf(unwrappedKeyAlgorithm, extractable, keyUsages, false);
		const handle = keyFor(unwrappingKey, name);
		return keyOf(result(unwrap(handle, iv, aad, extra, bytes(wrappedKey), type, Boolean(extractable), uses)));
	}

	get [Symbol.toStringTag](): string {
		return "SubtleCrypto";
	}
}

function check(value: unknown): void {
	if (!isSubtle(value)) throw new TypeError("webcrypto: a method of crypto.subtle");
}

function isBuffer(value: unknown): boolean {
	return ArrayBuffer.isView(value) || value instanceof ArrayBuffer;
}

/** What is wanted of a secret key that is derived or unwrapped; with `sized` its bytes, as its algorithm says. */
function wishOf(
	algorithm: unknown,
	extractable: unknown,
	keyUsages: unknown,
	sized: boolean,
): { type: number; size: number | undefined; uses: number } {
	const name = nameOf(algorithm, secrets);
	const type = typeOf(name, algorithm);
	const size = sized ? sizeOf(name, algorithm, type) : undefined;
	const bits = usesOf(keyUsages);
	checkUses(name, "secret", bits);
	if (name === "HKDF" && extractable) fail("SyntaxError", "HKDF keys are not extractable");
	return { type, size, uses: bits };
}

export const subtle = new SubtleCrypto(isSubtle);
