// How keys are written: base64url (RFC 4648, 5) for JWK, and DER for SPKI (RFC 5280) and PKCS#8 (RFC 5208, 5915, 8410) of
// exactly P-256, Ed25519 and X25519.
//
// A decoder takes the one form that the standard gives and nothing else, and gives undefined for all the rest. Imports
// nothing, so that it runs on Node as well.

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

export function toBase64Url(bytes: Uint8Array): string {
	let text = "";
	for (let at = 0; at < bytes.length; at += 3) {
		const left = bytes.length - at;
		const bits = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
		text += `${alphabet.charAt(bits >> 18)}${alphabet.charAt((bits >> 12) & 63)}`;
		if (left > 1) text += alphabet.charAt((bits >> 6) & 63);
		if (left > 2) text += alphabet.charAt(bits & 63);
	}
	return text;
}

/** No padding, no other characters, and no bits beyond the last byte. */
export function fromBase64Url(text: string): Uint8Array<ArrayBuffer> | undefined {
	if (text.length % 4 === 1) return undefined;
	const bytes = new Uint8Array((text.length * 3) >> 2);
	let bits = 0;
	let pending = 0;
	let at = 0;
	for (let i = 0; i < text.length; i++) {
		const digit = alphabet.indexOf(text.charAt(i));
		if (digit < 0) return undefined;
		bits = ((bits & 0xff) << 6) | digit;
		pending += 6;
		if (pending >= 8) {
			pending -= 8;
			bytes[at++] = bits >> pending;
			bits &= (1 << pending) - 1;
		}
	}
	return bits === 0 ? bytes : undefined;
}

/** Curves of WebCrypto's key pairs. */
export type Curve = "P-256" | "Ed25519" | "X25519";

function bytesOf(hex: string): Uint8Array<ArrayBuffer> {
	const bytes = new Uint8Array(hex.length >> 1);
	for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
	return bytes;
}

/** AlgorithmIdentifier: id-ecPublicKey with prime256v1 (RFC 5480), id-Ed25519, id-X25519 (RFC 8410). */
function identifierOf(curve: Curve): string {
	if (curve === "P-256") return "301306072a8648ce3d020106082a8648ce3d030107";
	return curve === "Ed25519" ? "300506032b6570" : "300506032b656e";
}

function join(head: string, ...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
	const first = bytesOf(head);
	let size = first.length;
	for (let i = 0; i < parts.length; i++) size += (parts[i] as Uint8Array).length;
	const all = new Uint8Array(size);
	all.set(first);
	size = first.length;
	for (let i = 0; i < parts.length; i++) {
		all.set(parts[i] as Uint8Array, size);
		size += (parts[i] as Uint8Array).length;
	}
	return all;
}

/** What comes before the key in its SPKI: lengths are fixed, so DER has one form. P-256: an uncompressed point. */
function spkiHead(curve: Curve): string {
	return curve === "P-256" ? `3059${identifierOf(curve)}034200` : `302a${identifierOf(curve)}032100`;
}

/** The SPKI of a public key, of 65 bytes (P-256) or 32. */
export function toSpki(curve: Curve, key: Uint8Array): Uint8Array<ArrayBuffer> {
	return join(spkiHead(curve), key);
}

/** The public key of an SPKI, a part of its memory; whether it is a point of the curve is not looked at. */
export function fromSpki(curve: Curve, spki: Uint8Array): Uint8Array | undefined {
	const head = bytesOf(spkiHead(curve));
	if (spki.length !== head.length + (curve === "P-256" ? 65 : 32) || !begins(spki, head)) return undefined;
	return spki.subarray(head.length);
}

function begins(bytes: Uint8Array, head: Uint8Array): boolean {
	let differs = bytes.length < head.length ? 1 : 0;
	for (let i = 0; i < head.length; i++) differs |= (bytes[i] ?? 0) ^ (head[i] as number);
	return differs === 0;
}

/** The PKCS#8 of a private key of 32 bytes; for P-256 with its public key, as RFC 5915 asks. */
export function toPkcs8(curve: Curve, key: Uint8Array, publicKey: Uint8Array): Uint8Array<ArrayBuffer> {
	if (curve !== "P-256") return join(`302e020100${identifierOf(curve)}04220420`, key);
	return join(`308187020100${identifierOf(curve)}046d306b0201010420`, key, bytesOf("a144034200"), publicKey);
}

/** A private key as PKCS#8 has it: parts of its memory. The public key may be missing. */
export interface PrivateParts {
	readonly key: Uint8Array;
	readonly publicKey: Uint8Array | undefined;
}

/** The contents of the element at the start of `bytes`, if it has this tag and DER's one form of its length. */
function element(bytes: Uint8Array, tag: number): Uint8Array | undefined {
	let size = bytes[1] ?? 0;
	let at = 2;
	if (bytes[0] !== tag || bytes.length < 2) return undefined;
	if (size > 0x7f) {
		if (size !== 0x81) return undefined; /* more than 255 bytes: none of these keys */
		size = bytes[2] ?? 0;
		at = 3;
		if (size < 0x80) return undefined;
	}
	return bytes.length - at >= size ? bytes.subarray(at, at + size) : undefined;
}

/** What follows an element's contents in `bytes`, both of one memory. */
function after(bytes: Uint8Array, contents: Uint8Array): Uint8Array {
	return bytes.subarray(contents.byteOffset - bytes.byteOffset + contents.length);
}

/** An element that fills `bytes`. */
function only(bytes: Uint8Array | undefined, tag: number): Uint8Array | undefined {
	const contents = bytes === undefined ? undefined : element(bytes, tag);
	return contents === undefined || after(bytes as Uint8Array, contents).length > 0 ? undefined : contents;
}

const SEQUENCE = 0x30;
const OCTETS = 0x04;
const BITS = 0x03;
const PARAMETERS = 0xa0;
const PUBLIC_KEY = 0xa1;

/** The private key of a PKCS#8 of version 0, without attributes. Whether the key is one is not looked at. */
export function fromPkcs8(curve: Curve, pkcs8: Uint8Array): PrivateParts | undefined {
	const info = only(pkcs8, SEQUENCE);
	const head = bytesOf(`020100${identifierOf(curve)}`);
	if (info === undefined || !begins(info, head)) return undefined;
	const inner = only(info.subarray(head.length), OCTETS);
	if (curve !== "P-256") {
		const key = only(inner, OCTETS);
		return key?.length === 32 ? { key, publicKey: undefined } : undefined;
	}
	/* ECPrivateKey: version 1, the key, then the curve and the public key, each of which may be missing. */
	const sequence = only(inner, SEQUENCE);
	if (sequence === undefined || !begins(sequence, bytesOf("0201010420")) || sequence.length < 37) return undefined;
	const key = sequence.subarray(5, 37);
	let rest = sequence.subarray(37);
	const parameters = element(rest, PARAMETERS);
	if (parameters !== undefined) {
		const name = bytesOf("06082a8648ce3d030107");
		if (parameters.length !== name.length || !begins(parameters, name)) return undefined;
		rest = after(rest, parameters);
	}
	if (rest.length === 0) return { key, publicKey: undefined };
	const bits = only(only(rest, PUBLIC_KEY), BITS);
	return bits?.length === 66 && bits[0] === 0 ? { key, publicKey: bits.subarray(1) } : undefined;
}
