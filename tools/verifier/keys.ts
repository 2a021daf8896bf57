// The devices that a verifier knows: their attestation keys by instance id, and what each said of itself last.

import { createHash, createPublicKey, type KeyObject } from "node:crypto";
import { UEID_RAND } from "../../firmware/attestation/codec/claims.ts";

/** A P-256 public key as JWK (RFC 7517, RFC 7518 section 6.2). */
export interface PublicJwk {
	readonly kty: "EC";
	readonly crv: "P-256";
	/** Base64url of 32 bytes each. */
	readonly x: string;
	readonly y: string;
}

/** A key that is none: not P-256, not on the curve, not the one of that device. */
export class KeyError extends Error {
	override readonly name = "KeyError";
}

/** What an authentic token said last; guards against a device that goes back in time. */
export interface LastSeen {
	readonly bootCount: number | undefined;
	/** Hex. */
	readonly bootSeed: string | undefined;
	readonly version: string | undefined;
}

export interface Enrolled {
	/** Hex of 33 bytes. */
	readonly instanceId: string;
	readonly jwk: PublicJwk;
	readonly key: KeyObject;
	last?: LastSeen;
}

/** Enrolled devices by instance id. */
export class DeviceKeys {
	readonly #devices = new Map<string, Enrolled>();

	/**
	 * Makes a device known by its public key: from now on this key, and no other, speaks for its instance id. An instance id
	 * that the device names itself must be that of the key. Throws KeyError.
	 */
	enrol(jwk: PublicJwk, instanceId?: Uint8Array): Enrolled {
		const key = importKey(jwk);
		const own = Buffer.from(instanceIdOf(jwk)).toString("hex");
		if (instanceId !== undefined && Buffer.from(instanceId).toString("hex") !== own) {
			throw new KeyError(
				`the key's instance id is ${own}, the device says ${Buffer.from(instanceId).toString("hex")}: the UEID must be 0x01 and the SHA-256 of the public key`,
			);
		}
		const device = { instanceId: own, jwk: { kty: jwk.kty, crv: jwk.crv, x: jwk.x, y: jwk.y }, key };
		const known = this.#devices.get(own);
		if (known !== undefined) return known;
		this.#devices.set(own, device);
		return device;
	}

	find(instanceId: Uint8Array): Enrolled | undefined {
		return this.#devices.get(Buffer.from(instanceId).toString("hex"));
	}

	all(): Enrolled[] {
		return [...this.#devices.values()];
	}
}

/** The instance id of a key, as UEID (RFC 9783 section 4.2.1): 0x01 and SHA-256 of the uncompressed point 04 || X || Y. */
export function instanceIdOf(jwk: PublicJwk): Uint8Array {
	const digest = createHash("sha256").update(pointOf(jwk)).digest();
	return new Uint8Array([UEID_RAND, ...digest]);
}

/** The uncompressed point of a key, 65 bytes. Throws KeyError. */
export function pointOf(jwk: PublicJwk): Uint8Array {
	const x = Buffer.from(jwk.x, "base64url");
	const y = Buffer.from(jwk.y, "base64url");
	if (x.length !== 32 || y.length !== 32) throw new KeyError("the coordinates of a P-256 key have 32 bytes each");
	return new Uint8Array([4, ...x, ...y]);
}

/** The JWK of an uncompressed point of 65 bytes. Throws KeyError. */
export function jwkOfPoint(point: Uint8Array): PublicJwk {
	if (point.length !== 65 || point[0] !== 4) throw new KeyError("a public key is an uncompressed point of 65 bytes");
	const part = (from: number) => Buffer.from(point.subarray(from, from + 32)).toString("base64url");
	const jwk: PublicJwk = { kty: "EC", crv: "P-256", x: part(1), y: part(33) };
	importKey(jwk);
	return jwk;
}

/** The key of a file: a JWK, or PEM. Anything of a private key in it is ignored. Throws KeyError. */
export function parsePublicKey(text: string): PublicJwk {
	try {
		const pem = text.includes("-----BEGIN");
		const key = pem ? createPublicKey(text) : createPublicKey({ key: JSON.parse(text), format: "jwk" });
		const { kty, crv, x, y } = key.export({ format: "jwk" });
		if (kty !== "EC" || crv !== "P-256" || x === undefined || y === undefined) {
			throw new KeyError(`a key on P-256 is needed, this is ${crv ?? kty}`);
		}
		return { kty, crv, x, y };
	} catch (error) {
		if (error instanceof KeyError) throw error;
		throw new KeyError(`neither a JWK nor a PEM public key: ${(error as Error).message}`);
	}
}

function importKey(jwk: PublicJwk): KeyObject {
	if (jwk.kty !== "EC" || jwk.crv !== "P-256") throw new KeyError("a key on P-256 is needed");
	pointOf(jwk);
	try {
		// Refuses a point that is not on the curve.
		return createPublicKey({ key: { kty: jwk.kty, crv: jwk.crv, x: jwk.x, y: jwk.y }, format: "jwk" });
	} catch {
		throw new KeyError("the point is not on the curve P-256");
	}
}
