// PSA tokens as others publish them, built from their published claims. Those of the RFCs are exact: their signatures are the
// published ones, and verify. Those of TF-M's and Veraison's test data have the same claims, in the same order and encoding,
// and are signed anew with the key that TF-M's test data and RFC 9783 share (ECDSA signs with a random number).

import { createHmac, createPrivateKey, sign } from "node:crypto";
import { CborTag, type CborValue, encode } from "../../firmware/attestation/codec/cbor.ts";
import { toBeSigned } from "../../tools/verifier/cose.ts";
import { bytes } from "./attester.ts";

/** The example key of RFC 9783 appendix A.1, and of TF-M's iat-verifier (tests/data/key.pem). */
export const EXAMPLE_KEY = {
	kty: "EC",
	crv: "P-256",
	x: "Tl4iCZ47zrRbRG0TVf0dw7VFlHtv18HInYhnmMNybo8",
	y: "gNcLhAslaqw0pi7eEEM2TwRAlfADR0uR4Bggkq-xPy4",
} as const;
const PRIVATE = createPrivateKey({
	key: { ...EXAMPLE_KEY, d: "Q__-y5X4CFp8QOHT6nkL7063jN131YUDpkwWAPkbM-c" },
	format: "jwk",
});

type Claims = readonly (readonly [key: CborValue, value: CborValue])[];

/** A map in the order given, as devices write it that do not sort. */
function unsorted(claims: Claims): Uint8Array {
	const items = claims.flatMap(([key, value]) => [encode(key), item(value)]);
	return new Uint8Array(Buffer.concat([new Uint8Array([0xa0 + claims.length]), ...items]));
}

/** An item whose maps, as arrays of pairs in a Pairs, keep their order. */
function item(value: CborValue): Uint8Array {
	if (value instanceof CborTag && value.tag === PAIRS) return unsorted(value.value as unknown as Claims);
	if (!Array.isArray(value)) return encode(value);
	return new Uint8Array(Buffer.concat([new Uint8Array([0x80 + value.length]), ...value.map(item)]));
}

/* Stands for "a map, in this order" until it is written. */
const PAIRS = -1;
const pairs = (...claims: Claims) => new CborTag(PAIRS, claims as unknown as CborValue);

const ES256 = bytes("a10126");

function sign1(claims: Claims, protectedHeader = ES256): Uint8Array {
	const payload = unsorted(claims);
	const data = toBeSigned(protectedHeader, payload);
	const signature = new Uint8Array(sign("sha256", data, { key: PRIVATE, dsaEncoding: "ieee-p1363" }));
	return encode(new CborTag(18, [protectedHeader, new Map(), payload, signature]));
}

function mac0(claims: Claims, key: Uint8Array): Uint8Array {
	const header = bytes("a10105");
	const payload = unsorted(claims);
	const data = encode(["MAC0", header, new Uint8Array(0), payload]);
	return encode(
		new CborTag(17, [header, new Map(), payload, new Uint8Array(createHmac("sha256", key).update(data).digest())]),
	);
}

const fill = (byte: string, size = 32) => bytes(byte.repeat(size));

const rfc9783 = (instanceId: string): Claims => [
	[256, bytes(instanceId)],
	[2396, fill("00")],
	[10, fill("01")],
	[2394, 2147483647],
	[2395, 12288],
	[265, "tag:psacertified.org,2023:psa#tfm"],
	[268, fill("00", 8)],
	[2399, [pairs([5, fill("04")], [2, fill("03")], [1, "PRoT"])]],
];

/** RFC 9783 appendix A.1: COSE_Sign1. Its instance id is no hash of the key. */
export const RFC9783_SIGN1 = encode(
	new CborTag(18, [
		ES256,
		new Map(),
		unsorted(rfc9783(`01${"02".repeat(32)}`)),
		bytes(
			"786e937a4c42667af3847399319ca95c7e7dbabdc9b50fdb8de3f6bff4ab82ff80c42140e2a488000219e3e10663193da69c75f52b798ea10b2f7041a90e8e5a",
		),
	]),
);

/** RFC 9783 appendix A.2: COSE_Mac0 (HMAC 256/256) with its published key. */
export const RFC9783_MAC0 = mac0(
	rfc9783("01c557bd4fadc83f756fca2cd5ea2dcc8b82159bb4e7453d6a744d4eecd6d0ac60"),
	new Uint8Array(
		Buffer.from("3gOLNKyhJXaMXjNXq40Gs2e5qw1-i-Ek7cpH_gM6W7epPTB_8imqNv8kbBKVlk-s9xq3qm7E_WECt7OYMlWtkg", "base64url"),
	),
);
export const RFC9783_MAC0_TAG = "cf88d330e7a5366a95cf744a4dbf0d50304d405edd8b2530e243eddbd3177820";

/** RFC 9711 appendix A.2.1: an EAT as CWT, with the CWT tag, of no PSA profile. */
export const RFC9711_CWT = encode(
	new CborTag(
		61,
		new CborTag(18, [
			ES256,
			new Map(),
			unsorted([
				[10, bytes("d79b964ddd5471c1393c8888")],
				[256, bytes("0198f50a4ff6c05861c8860d13a638ea")],
				[258, 64242],
				[261, 6],
				[263, 3],
				[260, ["3.1", 1]],
			]),
			bytes(
				"9b9b2f5e470000f6a20c8a4157b5763fc45be7599a5334028517768c21affb845a56ab557e0c8973a07417391243a79c478562d285612e292c622162ab233787",
			),
		]),
	),
);

/* TF-M iat-verifier, tests/data/iat.yaml: one number for everything. */
const same = bytes("07060504030201000f0e0d0c0b0a090817161514131211101f1e1d1c1b1a1918");
const iat = (profile: string): Claims => [
	[-75004, same],
	[-75008, same],
	[-75001, 2],
	[-75003, same],
	[-75009, new Uint8Array([1, ...same])],
	[-75000, profile],
	[-75002, 12288],
	[
		-75006,
		[
			pairs([6, "TF-M_SHA256MemPreXIP"], [2, same], [5, same], [1, "BL"], [4, "3.4.2"]),
			pairs([2, same], [5, same], [1, "M1"], [4, "1.2"]),
			pairs([2, same], [5, same], [1, "M2"], [4, "1.2.3"]),
			pairs([2, same], [5, same], [1, "M3"], [4, "1"]),
		],
	],
];

/** TF-M iat-verifier, tests/data/iat.cbor: claims of PSA_IOT_PROFILE_1, another profile's name. */
export const TFM_IAT = sign1(iat("http://example.com"));
/** TF-M iat-verifier, tests/data/iat-hmac.cbor. */
export const TFM_IAT_HMAC = mac0(iat("http://example.com"), fill("0b"));
/** Veraison services, scheme/psa-iot/test/psa-token.cbor. */
export const VERAISON_PROFILE_1 = sign1(iat("PSA_IOT_PROFILE_1"));

/** TF-M iat-verifier, tests/data/psa-2_0_0_sign1-token.cbor: without an algorithm in its header. */
export const TFM_PSA_2 = sign1(
	[
		[2397, bytes("a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf")],
		[10, fill("00", 64)],
		[2394, 3002],
		[2398, "0604565272829-10010"],
		[2396, bytes(`${"aa".repeat(8)}${"bb".repeat(8)}${"cc".repeat(8)}${"dd".repeat(8)}`)],
		[256, bytes("01fa58755f658627ce5460f29b75296713248cae7ad9e2984b90280efcbcb50248")],
		[265, "http://arm.com/psa/2.0.0"],
		[2395, 12288],
		[
			2399,
			[
				pairs([6, "SHA256"], [2, fill("e3")], [5, fill("bf")], [1, "SPE"], [4, "1.6.0"]),
				pairs([6, "SHA256"], [2, fill("08")], [5, fill("b3")], [1, "NSPE"], [4, "0.0.0"]),
			],
		],
		[2400, "www.trustedfirmware.org"],
	],
	new Uint8Array(0),
);

/** Veraison services, scheme/psa-iot/test/token/psa.good.cose. */
export const VERAISON_PSA_2 = sign1([
	[265, "http://arm.com/psa/2.0.0"],
	[2394, 1],
	[2395, 12288],
	[2396, new Uint8Array(Buffer.from("acme-implementation-id-000000001"))],
	[2397, bytes("deadbeef".repeat(8))],
	[
		2399,
		[
			pairs([1, "BL"], [2, fill("87")], [4, "2.1.0"], [5, fill("ac")]),
			pairs([1, "PRoT"], [2, fill("02")], [4, "1.3.5"], [5, fill("ac")]),
			pairs([1, "ARoT"], [2, fill("a3")], [4, "0.1.4"], [5, fill("ac")]),
		],
	],
	[10, fill("41")],
	[256, bytes(`01${"ce".repeat(32)}`)],
	[2400, "https://psa-verifier.org"],
]);
