// A device for tests of the verifier, in TypeScript: a key, an image's reference values, and tokens as the firmware signs
// them. What is wrong with a token is asked for.

import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { type CborMap, CborTag, type CborValue, encode } from "../../firmware/attestation/codec/cbor.ts";
import { CLAIM, COMPONENT, COSE, PROFILE } from "../../firmware/attestation/codec/claims.ts";
import { toBeSigned } from "../../tools/verifier/cose.ts";
import { instanceIdOf, type PublicJwk } from "../../tools/verifier/keys.ts";
import { type LogEntry, measurementValue } from "../../tools/verifier/log.ts";
import type { Reference } from "../../tools/verifier/reference.ts";

export const hex = (data: Uint8Array) => Buffer.from(data).toString("hex");
export const bytes = (text: string) => new Uint8Array(Buffer.from(text.replace(/\s/g, ""), "hex"));
export const sha256 = (text: string) => new Uint8Array(createHash("sha256").update(text).digest());

/** An image of four components: what each region's content is. */
export interface Image {
	readonly version: string;
	readonly debug: boolean;
	readonly regions: Readonly<Record<string, readonly (readonly [name: string, content: string])[]>>;
}

export const IMAGE: Image = {
	version: "1.2.0",
	debug: false,
	regions: {
		native: [
			["vectors", "vectors"],
			["host", "start-up code"],
			["native", "crc and storage"],
			["library", "libc"],
			["data", "initial values"],
		],
		xs: [["xs", "the engine"]],
		app: [
			["directory", "names and checksums"],
			["module:main", "bytecode of main"],
			["module:pericard/signal/qrs", "bytecode of the detector"],
			["resource:table.bin", "a table"],
		],
		config: [["machine", "heap and stack sizes"]],
	},
};

/** The image with other content in some regions, by name. */
export function changed(image: Image, contents: Readonly<Record<string, string>>, version = image.version): Image {
	const regions = Object.fromEntries(
		Object.entries(image.regions).map(([type, list]) => [
			type,
			list.map(([name, content]) => [name, contents[name] ?? content] as const),
		]),
	);
	return { ...image, version, regions };
}

const ENGINE = "13.3.0";
const SIGNER = sha256("the development signer");

function entries(image: Image, type: string): LogEntry[] {
	return (image.regions[type] ?? []).map(([name, content]) => ({ name, digest: sha256(content) }));
}

/** What the build writes beside an image. */
export function referenceOf(image: Image, board = "mps2-an386"): Reference {
	return {
		format: 1,
		app: "ecg-patch",
		board,
		version: image.version,
		engine: ENGINE,
		debug: image.debug,
		lifecycle: image.debug ? "non-psa-rot-debug" : "secured",
		implementationId: hex(sha256(`pericard:${board}`)),
		signerId: hex(SIGNER),
		components: (["native", "xs", "app", "config"] as const).map((type) => ({
			type,
			version: type === "xs" ? ENGINE : image.version,
			value: hex(measurementValue(entries(image, type))),
			entries: entries(image, type).map((entry) => ({ name: entry.name, value: hex(entry.digest) })),
		})),
	};
}

/** The same for an image whose code moves: two functions of a file and a way out of the set. */
export function movingReferenceOf(image: Image, board = "mps2-an386"): Reference {
	const units = [
		{ name: "pc_sha256_begin", file: "native/crypto/sha256.c" },
		{ name: "pc_sha256_update", file: "native/crypto/sha256.c" },
		{ name: "memcpy.out", file: "generated" },
	];
	return { ...referenceOf(image, board), relocation: { bits: 1246, entries: ["pc_sha256_update"], units } };
}

/** The measurement log that the device sends with its token. */
export function logOf(image: Image): Uint8Array {
	return encode(
		Object.keys(image.regions).map((type) => [type, entries(image, type).map((entry) => [entry.name, entry.digest])]),
	);
}

export interface TokenOptions {
	readonly image?: Image;
	readonly board?: string;
	/** Changes the claims before they are signed. */
	readonly claims?: (claims: Map<CborValue, CborValue>) => void;
	/** The payload in place of the deterministic encoding of the claims. */
	readonly payload?: (claims: CborMap) => Uint8Array;
	readonly protectedHeader?: Uint8Array;
	readonly unprotectedHeader?: CborMap;
}

export class Attester {
	readonly jwk: PublicJwk;
	readonly instanceId: Uint8Array;
	readonly #key: KeyObject;
	bootCount = 7;
	bootSeed = sha256("seed of boot 7");

	constructor() {
		const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
		this.#key = privateKey;
		const { x = "", y = "" } = publicKey.export({ format: "jwk" });
		this.jwk = { kty: "EC", crv: "P-256", x, y };
		this.instanceId = instanceIdOf(this.jwk);
	}

	claims(nonce: Uint8Array, image: Image, board: string): Map<CborValue, CborValue> {
		return new Map<CborValue, CborValue>([
			[CLAIM.nonce, nonce],
			[CLAIM.instanceId, this.instanceId],
			[CLAIM.profile, PROFILE],
			[CLAIM.bootCount, this.bootCount],
			[CLAIM.bootSeed, this.bootSeed],
			[CLAIM.clientId, -1],
			[CLAIM.lifecycle, image.debug ? 0x4000 : 0x3000],
			[CLAIM.implementationId, sha256(`pericard:${board}`)],
			[
				CLAIM.components,
				Object.keys(image.regions).map(
					(type) =>
						new Map<CborValue, CborValue>([
							[COMPONENT.type, type],
							[COMPONENT.value, measurementValue(entries(image, type))],
							[COMPONENT.version, type === "xs" ? ENGINE : image.version],
							[COMPONENT.signerId, SIGNER],
						]),
				),
			],
			[CLAIM.entropySource, board === "nrf52840dk" ? 1 : 2],
			[CLAIM.resetReason, 0],
		]);
	}

	/** A token for a nonce; honest where nothing else is asked for. */
	token(nonce: Uint8Array, options: TokenOptions = {}): Uint8Array {
		const claims = this.claims(nonce, options.image ?? IMAGE, options.board ?? "mps2-an386");
		options.claims?.(claims);
		const payload = options.payload?.(claims) ?? encode(claims);
		const protectedHeader = options.protectedHeader ?? encode(new Map([[COSE.algorithm, COSE.es256]]));
		return this.sign(protectedHeader, options.unprotectedHeader ?? new Map(), payload);
	}

	sign(protectedHeader: Uint8Array, unprotectedHeader: CborMap, payload: Uint8Array): Uint8Array {
		const data = toBeSigned(protectedHeader, payload);
		const signature = new Uint8Array(sign("sha256", data, { key: this.#key, dsaEncoding: "ieee-p1363" }));
		return encode(new CborTag(COSE.sign1, [protectedHeader, unprotectedHeader, payload, signature]));
	}
}
