// pericard/crypto: hashing, message authentication, key derivation, verifying signatures, authenticated encryption.
// SHA-512 and Ed25519 have modules of their own, pericard/crypto/sha512 and pericard/crypto/ed25519: who does without them has
// nothing of them in the image.
//
// Everything is synchronous, and runs to its end: verifying a signature keeps the event loop waiting for some 0.6 million
// instructions (docs/crypto.md has the costs). Private keys are not here: pericard/keystore works with them by handle.

/** Bytes: an ArrayBuffer, a Uint8Array, a DataView, or memory of the firmware such as a resource. Used where they are, never
 * copied. Anything else is a TypeError. */
export type Bytes = ArrayBuffer | ArrayBufferView;

/** The state of a hash, held by C. */
type State = { readonly state: unique symbol };
type Aead = (key: Bytes, nonce: Bytes, aad: Bytes | undefined, data: Bytes, tag: Bytes) => number;

const hash: (data: Bytes) => ArrayBuffer | number = native("xs_crypto_sha256");
const hashBegin: () => State = native("xs_crypto_sha256_begin");
const hashUpdate: (state: State, data: Bytes) => void = native("xs_crypto_sha256_update");
const hashEnd: (state: State) => ArrayBuffer | number = native("xs_crypto_sha256_end");
const hmac: (key: Bytes, data: Bytes) => ArrayBuffer | number = native("xs_crypto_hmac_sha256");
const hkdf: (ikm: Bytes, salt: Bytes | undefined, info: Bytes | undefined, out: Bytes) => number =
	native("xs_crypto_hkdf_sha256");
const verify: (publicKey: Bytes, hash: Bytes, signature: Bytes) => number = native("xs_crypto_ecdsa_verify");
const same: (a: Bytes, b: Bytes) => boolean = native("xs_crypto_equal");
const ccmEncrypt: Aead = native("xs_crypto_ccm_encrypt");
const ccmDecrypt: Aead = native("xs_crypto_ccm_decrypt");
const gcmEncrypt: Aead = native("xs_crypto_gcm_encrypt");
const gcmDecrypt: Aead = native("xs_crypto_gcm_decrypt");
const ctr: (key: Bytes, counter: Bytes, bits: number, data: Bytes) => number = native("xs_crypto_aes_ctr");

/** Values of pc_crypto_status. */
const OK = 0x3ca5965a;
const RANGE = 1;
const KEY = 2;
const FORGED = 3;

export type CryptoErrorCode =
	/** What was given as a key is none: no point of the curve. */
	| "key"
	/** The tag does not belong to these bytes. */
	| "forged"
	/** The engine behind this algorithm failed its test, so nothing is computed with it; or failed in a computation. */
	| "engine";

const messages: Record<CryptoErrorCode, string> = {
	key: "this is no key",
	forged: "the tag is not right",
	engine: "the engine behind this algorithm failed",
};

/** What the algorithms refuse because of the values, not the sizes, of what they are given. */
export class CryptoError extends Error {
	readonly code: CryptoErrorCode;

	constructor(code: CryptoErrorCode) {
		super(`crypto: ${messages[code]}`);
		this.code = code;
	}

	override get name(): string {
		return "CryptoError";
	}
}

/* These three are for the modules beside this one. */

/** Throws what a status says, unless all is well. */
export function check(status: number): void {
	if (status === OK) return;
	if (status === RANGE) throw new RangeError("crypto: something has a length that this algorithm does not take");
	throw new CryptoError(status === KEY ? "key" : status === FORGED ? "forged" : "engine");
}

/** A result, or an error where there is a status instead. */
export function result(value: ArrayBuffer | number): ArrayBuffer {
	if (typeof value !== "number") return value;
	check(value);
	throw new CryptoError("engine");
}

/** Is what was verified right? */
export function verdict(status: number): boolean {
	if (status !== FORGED) check(status);
	return status === OK;
}

/** SHA-256 (FIPS 180-4) of some bytes: 32 bytes. */
export function sha256(data: Bytes): ArrayBuffer {
	return result(hash(data));
}

/** SHA-256 of bytes that come in pieces. */
export class Sha256 {
	readonly #state = hashBegin();

	update(data: Bytes): this {
		hashUpdate(this.#state, data);
		return this;
	}

	/** The hash of all bytes so far: 32 bytes. More may follow. */
	digest(): ArrayBuffer {
		return result(hashEnd(this.#state));
	}
}

/** HMAC-SHA-256 (RFC 2104): 32 bytes. The key may have any length. */
export function hmacSha256(key: Bytes, data: Bytes): ArrayBuffer {
	return result(hmac(key, data));
}

export interface HkdfOptions {
	/** Input keying material: what is secret. */
	readonly ikm: Bytes;
	/** None is 32 zeros (RFC 5869, 2.2). */
	readonly salt?: Bytes;
	/** What the key is for. */
	readonly info?: Bytes;
	/** Bytes wanted, 1 to 8,160; else a RangeError. */
	readonly length: number;
}

/** HKDF-SHA-256 (RFC 5869), extract and expand. */
export function hkdfSha256({ ikm, salt, info, length }: HkdfOptions): ArrayBuffer {
	if (!Number.isInteger(length) || length < 1 || length > 8160) {
		throw new RangeError(`crypto: length must be an integer from 1 to 8160, not ${length}`);
	}
	const out = new ArrayBuffer(length);
	check(hkdf(ikm, salt, info, out));
	return out;
}

/**
 * Is this an ECDSA signature (P-256, FIPS 186-5) of the owner of the public key over a SHA-256 digest? `publicKey` is an
 * uncompressed point (04 || X || Y, 65 bytes), `signature` is r || s (64 bytes); other sizes are a RangeError. Throws a
 * CryptoError "key" if the key is no point of the curve.
 */
export function ecdsaVerify(publicKey: Bytes, digest: Bytes, signature: Bytes): boolean {
	return verdict(verify(publicKey, digest, signature));
}

/** Are these the same bytes? Takes as long wherever they differ: for comparing a MAC. */
export function equal(a: Bytes, b: Bytes): boolean {
	return same(a, b);
}

/** A message of authenticated encryption. */
export interface Sealed {
	/** 16 bytes (AES-128) or 32 (AES-256). */
	readonly key: Bytes;
	/** CCM: 7 to 13 bytes; GCM: 12. Must never serve twice with one key. */
	readonly nonce: Bytes;
	/** What is authenticated but not encrypted. */
	readonly aad?: Bytes;
	/** Is encrypted or decrypted in place. CCM: less than 2 to the power of 8 x (15 - bytes of the nonce) bytes. */
	readonly data: Bytes;
	/** Written by encryption, read by decryption. CCM: 8, 10, 12, 14 or 16 bytes; GCM: 16. */
	readonly tag: Bytes;
}

function seal(run: Aead, { key, nonce, aad, data, tag }: Sealed): void {
	check(run(key, nonce, aad, data, tag));
}

/** AES-CCM (RFC 3610). Encrypts `data` in place and writes `tag`. A length that doesn't fit is a RangeError. */
export function aesCcmEncrypt(message: Sealed): void {
	seal(ccmEncrypt, message);
}

/** AES-CCM (RFC 3610). Decrypts `data` in place. Throws a CryptoError "forged" if the tag is not right; then `data` is all
 * zeros. */
export function aesCcmDecrypt(message: Sealed): void {
	seal(ccmDecrypt, message);
}

/** AES-GCM (NIST SP 800-38D). As aesCcmEncrypt. */
export function aesGcmEncrypt(message: Sealed): void {
	seal(gcmEncrypt, message);
}

/** AES-GCM (NIST SP 800-38D). As aesCcmDecrypt. */
export function aesGcmDecrypt(message: Sealed): void {
	seal(gcmDecrypt, message);
}

/** A message for AES in counter mode. */
export interface Counted {
	/** 16 bytes (AES-128) or 32 (AES-256). */
	readonly key: Bytes;
	/** 16 bytes, the first counter block; becomes the one behind the last. No block must ever serve twice with one key. */
	readonly counter: Bytes;
	/** How many of its last bits count, 1 to 128; the others stay. 128 if it is missing. */
	readonly bits?: number;
	/** Is encrypted or decrypted, which is the same, in place. At most 2 to the power of `bits` blocks. */
	readonly data: Bytes;
}

/** AES-CTR (NIST SP 800-38A): hides, and authenticates nothing. A length that doesn't fit is a RangeError. */
export function aesCtr({ key, counter, bits = 128, data }: Counted): void {
	if (!Number.isInteger(bits)) throw new RangeError("crypto: bits must be an integer from 1 to 128");
	check(ctr(key, counter, bits, data));
}
