// pericard/keystore: keys that work and are never seen. A Key signs, authenticates, derives or encrypts, each for its own use;
// its bytes stay in C. docs/keys.md has the design.
//
// What works on P-256 runs in the background and gives a promise; the rest is done at once.

import { type Bytes, CryptoError, ecdsaVerify, equal, sha256 } from "pericard/crypto";

/** A key, held by C. */
type Handle = { readonly handle: unique symbol };
type Callback = (status: number, result: Handle | ArrayBuffer | undefined) => void;

const generate: (type: number, label: string | undefined, callback: Callback) => number = native("xs_keys_generate");
const signDigest: (handle: Handle, digest: Bytes, callback: Callback) => number = native("xs_keys_sign");
const deriveWith: (
	handle: Handle,
	peer: Bytes,
	type: number,
	salt: Bytes | undefined,
	info: Bytes | undefined,
	callback: Callback,
) => number = native("xs_keys_derive");
const open: (label: string) => Handle | number = native("xs_keys_open");
const typeOf: (handle: Handle) => number = native("xs_keys_type");
const publicOf: (handle: Handle) => ArrayBuffer | number = native("xs_keys_public");
const macOf: (handle: Handle, data: Bytes) => ArrayBuffer | number = native("xs_keys_mac");
const sealWith: (
	handle: Handle,
	nonce: Bytes,
	aad: Bytes | undefined,
	data: Bytes,
	tag: Bytes,
	gcm: boolean,
	decrypt: boolean,
) => number = native("xs_keys_seal");
const destroyKey: (handle: Handle) => number = native("xs_keys_destroy");
const attestationPublic: () => ArrayBuffer | number = native("xs_keys_attestation_public");
const countBoots: () => number = native("xs_keys_boots");

/** What a key is for; it does nothing else. Numbered from 1, as pc_key_type. */
const types = ["ecdsa-p256", "ecdh-p256", "hmac-sha256", "aes-128"] as const;
export type KeyType = (typeof types)[number];

/** Values of pc_keystore_status. */
const codes = ["", "none", "entropy", "flash", "policy", "full", "key", "forged", "range", "engine", "fault"] as const;
const FORGED = 7;
const RANGE = 8;
/** The tag is right: no other status, nor 0, becomes this by accident. */
const RIGHT = 0x3ca5965a;

export type KeystoreErrorCode =
	/** There is no such key, or it was destroyed. */
	| "none"
	/** There are no random numbers, so no new key. */
	| "entropy"
	/** The flash fails. */
	| "flash"
	/** The key is not for this use; or there is a key of that label already. */
	| "policy"
	/** No room for another persistent key, or no memory for another one. */
	| "full"
	/** What is kept is no key, or the peer's public key is none. */
	| "key"
	/** The engine behind this algorithm failed its test; or failed in this computation. */
	| "engine"
	/** The signature that was made was not right, and was not given out: the core was disturbed. */
	| "fault";

const messages: Record<KeystoreErrorCode, string> = {
	none: "there is no such key",
	entropy: "no random numbers, so no new key",
	flash: "the flash failed",
	policy: "this key is not for that use, or the label is taken",
	full: "no room, in flash or in RAM, for another key",
	key: "this is no key",
	engine: "the engine behind this algorithm failed",
	fault: "the signature was wrong, and was not given out",
};

export class KeystoreError extends Error {
	readonly code: KeystoreErrorCode;

	constructor(code: KeystoreErrorCode) {
		super(`keystore: ${messages[code]}`);
		this.code = code;
	}

	override get name(): string {
		return "KeystoreError";
	}
}

function failure(status: number): KeystoreError {
	return new KeystoreError(codes[status] as KeystoreErrorCode);
}

function result<T extends object>(value: T | number): T {
	if (typeof value === "number") throw failure(value);
	return value;
}

function inBackground<T extends Handle | ArrayBuffer>(run: (callback: Callback) => number): Promise<T> {
	return new Promise((resolve, reject) => {
		const settle: Callback = (status, value) => (status === 0 ? resolve(value as T) : reject(failure(status)));
		const status = run(settle);
		if (status !== 0) settle(status, undefined);
	});
}

function numberOf(type: KeyType): number {
	const index = types.indexOf(type);
	if (index < 0) throw new TypeError(`keystore: no type "${String(type)}"`);
	return index + 1;
}

/** Only this module makes keys. */
let made: Handle | undefined;

function keyOf(handle: Handle): Key {
	made = handle;
	return new Key();
}

export interface DeriveOptions {
	readonly type: "hmac-sha256" | "aes-128";
	/** At most 64 bytes each; none is none. */
	readonly salt?: Bytes;
	readonly info?: Bytes;
}

export interface SealOptions {
	readonly mode: "ccm" | "gcm";
	/** Must never serve twice with one key. Sizes of nonce and tag are those of pericard/crypto. */
	readonly nonce: Bytes;
	readonly aad?: Bytes;
	/** Is encrypted or decrypted in place. */
	readonly data: Bytes;
	/** Written by encrypt, read by decrypt. */
	readonly tag: Bytes;
}

class Key {
	readonly #handle: Handle;

	constructor() {
		if (made === undefined) throw new TypeError("keystore: use generateKey() or openKey()");
		this.#handle = made;
		made = undefined;
	}

	get type(): KeyType {
		const type = types[typeOf(this.#handle) - 1];
		if (type === undefined) throw new KeystoreError("none");
		return type;
	}

	/** 04 || X || Y, 65 bytes. A KeystoreError "policy" for a key that has none. */
	get publicKey(): ArrayBuffer {
		return result(publicOf(this.#handle));
	}

	/** "ecdsa-p256": the signature r || s (64 bytes) over SHA-256 of the data. */
	async sign(data: Bytes): Promise<ArrayBuffer> {
		const digest = sha256(data);
		return inBackground((callback) => signDigest(this.#handle, digest, callback));
	}

	/** "ecdsa-p256", "hmac-sha256": is this a signature or MAC by this key? */
	verify(data: Bytes, signature: Bytes): boolean {
		if (this.type === "hmac-sha256") return equal(this.mac(data), signature);
		if (this.type !== "ecdsa-p256") throw new KeystoreError("policy");
		return ecdsaVerify(this.publicKey, sha256(data), signature);
	}

	/** "hmac-sha256": the MAC of the data, 32 bytes. */
	mac(data: Bytes): ArrayBuffer {
		return result(macOf(this.#handle, data));
	}

	/** "ecdh-p256": a key that the owner of `peer` (65 bytes) derives too, by HKDF-SHA-256 of the common secret. A
	 * KeystoreError "key" if that is no point of the curve. */
	async derive(peer: Bytes, options: DeriveOptions): Promise<Key> {
		const { type, salt, info } = options;
		const number = numberOf(type);
		return keyOf(
			await inBackground<Handle>((callback) => deriveWith(this.#handle, peer, number, salt, info, callback)),
		);
	}

	/** "aes-128": encrypts in place, and writes the tag. A RangeError for a size that doesn't fit. */
	encrypt(options: SealOptions): void {
		this.#seal(options, false);
	}

	/** "aes-128": decrypts in place. A CryptoError "forged" if the tag is not right; the data is then all zeros. */
	decrypt(options: SealOptions): void {
		this.#seal(options, true);
	}

	#seal({ mode, nonce, aad, data, tag }: SealOptions, decrypt: boolean): void {
		if (mode !== "ccm" && mode !== "gcm") throw new TypeError(`keystore: no mode "${String(mode)}"`);
		const status = sealWith(this.#handle, nonce, aad, data, tag, mode === "gcm", decrypt);
		if (status === RANGE)
			throw new RangeError("keystore: nonce, tag or data has a length that this mode does not take");
		if (status === FORGED) throw new CryptoError("forged");
		if (status !== (decrypt ? RIGHT : 0)) throw failure(status);
	}

	/** Forgets the key, a persistent one in flash too. Twice does nothing. */
	destroy(): void {
		const status = destroyKey(this.#handle);
		if (status !== 0) throw failure(status);
	}
}

export type { Key };

export interface GenerateOptions {
	readonly type: KeyType;
	/** The label under which the key is kept in flash: 1 to 32 bytes of UTF-8. Without one it is gone after a reset. */
	readonly persistent?: string;
}

/** Makes a key. Rejects with a KeystoreError "entropy", "full", "flash", or "policy" if there is a key of that label. */
export async function generateKey({ type, persistent }: GenerateOptions): Promise<Key> {
	const number = numberOf(type);
	return keyOf(await inBackground<Handle>((callback) => generate(number, persistent, callback)));
}

/** A persistent key; undefined if there is none of that label. */
export function openKey(label: string): Key | undefined {
	const found = open(label);
	if (found === 1) return undefined;
	return keyOf(result(found));
}

/** The public key of the device's attestation key. Nothing but attestation signs with that. On the first boot this may wait
 * until it is made. */
export function attestationPublicKey(): ArrayBuffer {
	return result(attestationPublic());
}

/** How often this device has booted, this boot included; undefined if that can't be told. */
export function bootCount(): number | undefined {
	return countBoots() || undefined;
}
