// COSE_Sign1 (RFC 9052 section 4.2) with ES256 around a claims set: opened, and its signature checked. Nothing in here
// believes anything of the token.

import { type KeyObject, verify } from "node:crypto";
import {
	CborError,
	type CborMap,
	CborTag,
	type CborValue,
	decode,
	encode,
} from "../../firmware/attestation/codec/cbor.ts";
import { COSE } from "../../firmware/attestation/codec/claims.ts";
import type { ReasonCode } from "./result.ts";

/** The tag of a CWT (RFC 8392 section 6), which may be around the one of COSE. */
const CWT_TAG = 61;

/** Longest token that is looked at, in bytes. */
const TOKEN_SIZE = 65536;

/** A token that can't be appraised. */
export class TokenError extends Error {
	override readonly name = "TokenError";
	readonly code: ReasonCode;

	constructor(code: ReasonCode, message: string) {
		super(message);
		this.code = code;
	}
}

/** A token that was opened. */
export interface Sign1 {
	/** Why its protection is not one that is accepted: no COSE_Sign1 with ES256; undefined where it is. */
	readonly unprotected: string | undefined;
	readonly protectedHeader: Uint8Array;
	readonly payload: Uint8Array;
	readonly signature: Uint8Array;
	readonly claims: CborMap;
	/** What in its encoding is not as a device of ours has it: deterministic, tagged 18 alone, one protected header. */
	readonly deviations: readonly string[];
}

/** Opens a COSE_Sign1, or a COSE_Mac0 so far as to see what it is. Throws TokenError. */
export function openSign1(token: Uint8Array): Sign1 {
	const deviations: string[] = [];
	let outer = read(token, "the token", deviations);
	if (outer instanceof CborTag && outer.tag === CWT_TAG) {
		deviations.push("the CWT tag (61) is around it, which RFC 9783 section 5.1.1 does not use");
		outer = outer.value;
	}
	if (!(outer instanceof CborTag) || (outer.tag !== COSE.sign1 && outer.tag !== COSE.mac0)) {
		throw new TokenError("malformed", "malformed token: no COSE_Sign1 (tag 18)");
	}
	const parts = outer.value;
	if (!Array.isArray(parts) || parts.length !== 4) {
		throw new TokenError("malformed", "malformed token: a COSE_Sign1 is an array of four");
	}
	const [protectedHeader, unprotectedHeader, payload, signature] = parts as readonly CborValue[];
	if (!(protectedHeader instanceof Uint8Array)) {
		throw new TokenError("malformed", "malformed token: the protected header is no byte string");
	}
	if (!(unprotectedHeader instanceof Map)) {
		throw new TokenError("malformed", "malformed token: the unprotected header is no map");
	}
	if (!(payload instanceof Uint8Array)) {
		throw new TokenError("malformed", "malformed token: the payload is no byte string");
	}
	if (!(signature instanceof Uint8Array)) {
		throw new TokenError("malformed", "malformed token: the signature is no byte string");
	}
	const headers = protectedHeader.length === 0 ? new Map() : read(protectedHeader, "the protected header", deviations);
	if (!(headers instanceof Map)) throw new TokenError("malformed", "malformed token: the protected header is no map");
	const unprotected = outer.tag === COSE.mac0 ? MAC0 : algorithmFault(headers);
	if (headers.size > 1) deviations.push("the protected header has more than the algorithm");
	// The signature does not cover it: whatever is in there, nobody vouches for it.
	if (unprotectedHeader.size > 0) deviations.push("the unprotected header is not empty");
	const claims = read(payload, "the claims", deviations);
	if (!(claims instanceof Map)) throw new TokenError("malformed", "malformed token: the claims are no map");
	return { unprotected, protectedHeader, payload, signature, claims, deviations };
}

/** Decodes `data`, all of it, and notes how its encoding deviates from the deterministic one. Throws TokenError. */
function read(data: Uint8Array, what: string, deviations: string[]): CborValue {
	try {
		const value = decode(data, { deterministic: false, size: TOKEN_SIZE });
		try {
			decode(data, { size: TOKEN_SIZE });
		} catch (error) {
			if (!(error instanceof CborError)) throw error;
			deviations.push(`in ${what} ${error.message}`);
		}
		return value;
	} catch (error) {
		if (error instanceof CborError) throw new TokenError("malformed", `malformed token: in ${what} ${error.message}`);
		throw error;
	}
}

const MAC0 = "the token is a COSE_Mac0: who can check it could also have made it, so only COSE_Sign1 is accepted";

/** What is wrong with the protected header, if anything. */
function algorithmFault(headers: CborMap): string | undefined {
	const algorithm = headers.get(COSE.algorithm);
	const wanted = "only ES256 (-7) is accepted";
	if (algorithm === undefined) return `the protected header names no algorithm; ${wanted}`;
	if (algorithm !== COSE.es256) {
		const named = typeof algorithm === "number" || typeof algorithm === "bigint" ? algorithm : "of no known kind";
		return `the token's algorithm is ${named}; ${wanted}`;
	}
	if (headers.has(COSE.critical))
		return "the protected header has critical parameters that this verifier does not know";
	return undefined;
}

/** The bytes that are signed (RFC 9052 section 4.4). */
export function toBeSigned(protectedHeader: Uint8Array, payload: Uint8Array): Uint8Array {
	return encode(["Signature1", protectedHeader, new Uint8Array(0), payload]);
}

/** Whether the signature is one of the key over the token's protected header and payload. */
export function verifySign1(token: Sign1, key: KeyObject): boolean {
	if (token.unprotected !== undefined || token.signature.length !== 64) return false;
	const data = toBeSigned(token.protectedHeader, token.payload);
	return verify("sha256", data, { key, dsaEncoding: "ieee-p1363" }, token.signature);
}
