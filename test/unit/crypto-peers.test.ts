// native/crypto against other implementations, on random input: @noble/curves, @noble/ciphers and @noble/hashes, and Node
// (OpenSSL) for what they don't have. Each run takes another seed, which is in the tests' name: CRYPTO_SEED=<seed> repeats it.

import {
	createCipheriv,
	createECDH,
	createHash,
	createPrivateKey,
	createPublicKey,
	diffieHellman,
	randomBytes,
	sign as signByNode,
	verify as verifyByNode,
} from "node:crypto";
import { ctr, gcm } from "@noble/ciphers/aes.js";
import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import { p256 } from "@noble/curves/nist.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256, sha512 } from "@noble/hashes/sha2.js";
import { describe } from "vitest";
import { type Case, describeOn, generator } from "./crypto-cases.ts";

const seed = process.env.CRYPTO_SEED ?? randomBytes(6).toString("hex");
const rounds = 40;

const { random, pick } = generator(seed);
/** Mostly short, often around a multiple of 16. */
const size = () => [pick(20), pick(70), 15 + 16 * pick(20) + pick(3), pick(600)][pick(4)] as number;

/** 32 bytes of which some have long runs of equal bits. */
function number32(): Buffer {
	const bytes = random(32);
	if (pick(4) === 0) bytes.fill(pick(2) * 255, pick(16), 16 + pick(17));
	return bytes;
}
/** A private key of P-256: its top bit is clear, so it is below n; it is not 0. */
function privateKey(): Buffer {
	const bytes = number32();
	bytes[0] = (bytes[0] as number) & 0x7f;
	bytes[31] = (bytes[31] as number) | 2;
	return bytes;
}

/** Sometimes one bit is another. */
function disturbed(bytes: Buffer): Buffer {
	const copy = Buffer.from(bytes);
	if (copy.length > 0) {
		const bit = pick(8 * copy.length);
		copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7));
	}
	return copy;
}

/** An Ed25519 or X25519 key for Node: the bytes behind a fixed prefix (RFC 8410). */
const wrapped = {
	secret: (kind: "x25519" | "ed25519", key: Buffer) =>
		createPrivateKey({
			key: Buffer.concat([Buffer.from(`302e020100300506032b65${kind === "x25519" ? "6e" : "70"}04220420`, "hex"), key]),
			format: "der",
			type: "pkcs8",
		}),
	public: (kind: "x25519" | "ed25519", key: Buffer) =>
		createPublicKey({
			key: Buffer.concat([Buffer.from(`302a300506032b65${kind === "x25519" ? "6e" : "70"}032100`, "hex"), key]),
			format: "der",
			type: "spki",
		}),
};

const groups: Readonly<Record<string, () => Case[]>> = {
	"SHA-256, SHA-512, HMAC and HKDF are those of @noble/hashes": () => {
		const [data, key, salt, info] = [random(size()), random(size()), random(size()), random(size())];
		const length = 1 + pick(300);
		return [
			{ call: ["sha256", data, pick(data.length + 1)], out: sha256(data) },
			{ call: ["sha512", data, pick(data.length + 1)], out: sha512(data) },
			{ call: ["hmac", key, data], out: hmac(sha256, key, data) },
			{ call: ["hmac512", key, data], out: hmac(sha512, key, data) },
			{ call: ["hkdf512", salt, key, info, length], out: hkdf(sha512, key, salt, info, length) },
			{ call: ["hkdf", salt, key, info, length], out: hkdf(sha256, key, salt, info, length) },
		];
	},

	"SHA-256 and SHA-512 behind any number of bytes are those of @noble/hashes": () => {
		const data = random(size());
		return (["sha256", "sha512"] as const).map((name) => {
			const count = 128 * Math.floor((random(6).readUIntBE(0, 6) % 2 ** 44) / 128);
			const hash = { sha256, sha512 }[name].create();
			// The state is that of the start: only the count is behind it.
			(hash as unknown as { length: number }).length = count;
			const written = Buffer.alloc(8);
			written.writeBigUInt64BE(BigInt(count));
			return { call: [`${name}-resumed`, data, written], out: hash.update(data).digest() };
		});
	},

	"AES-CTR and AES-GCM are those of @noble/ciphers": () => {
		const [key, data, aad] = [random(pick(2) ? 16 : 32), random(size()), random(size())];
		const [iv, nonce, whole] = [random(12), random(12), random(16 * pick(40))];
		const first = random(16).fill(255, 8 + pick(8), 15);
		const sealed = Buffer.from(gcm(key, nonce, aad).encrypt(data));
		const [body, tag] = [sealed.subarray(0, data.length), sealed.subarray(data.length)];
		const masked = ctr(key, first).encrypt(whole);
		const low = random(4);
		low[0] = (low[0] as number) & 0x7f; // this one's counter has 32 bits, theirs 128
		return [
			{
				call: ["aes-ctr32", key, iv, low, data],
				check: (out) => out.subarray(0, -4).equals(ctr(key, Buffer.concat([iv, low])).encrypt(data)),
			},
			{
				call: ["aes-ctrcbc", 2, key, first, Buffer.alloc(16), whole],
				check: (out) => out.subarray(0, whole.length).equals(masked),
			},
			{ call: ["gcm-encrypt", key, nonce, aad, data, 16], out: sealed },
			{ call: ["gcm-decrypt", key, nonce, aad, body, tag], out: Buffer.concat([data, tag]) },
			{ call: ["gcm-decrypt", key, nonce, aad, body, disturbed(tag)], status: "forged" },
			{ call: ["gcm-decrypt", key, disturbed(nonce), aad, body, tag], status: "forged" },
		];
	},

	"AES-CCM is Node's": () => {
		const [key, data, aad] = [random(pick(2) ? 16 : 32), random(1 + size()), random(size())];
		const [nonce, tagSize] = [random(7 + pick(7)), 8 + 2 * pick(5)];
		const name = `aes-${8 * key.length}-ccm` as "aes-128-ccm";
		const cipher = createCipheriv(name, key, nonce, { authTagLength: tagSize });
		cipher.setAAD(aad, { plaintextLength: data.length });
		const sealed = Buffer.concat([cipher.update(data), cipher.final(), cipher.getAuthTag()]);
		const [body, tag] = [sealed.subarray(0, data.length), sealed.subarray(data.length)];
		return [
			{ call: ["ccm-encrypt", key, nonce, aad, data, tagSize], out: sealed },
			{ call: ["ccm-decrypt", key, nonce, aad, body, tag], out: Buffer.concat([data, tag]) },
			{ call: ["ccm-decrypt", key, nonce, aad, disturbed(body), tag], status: "forged" },
			{ call: ["ccm-decrypt", key, disturbed(nonce), aad, body, tag], status: "forged" },
		];
	},

	"P-256 is that of @noble/curves": () => {
		const [own, peer] = [privateKey(), privateKey()];
		const point = Buffer.from(p256.getPublicKey(own, false));
		const other = Buffer.from(p256.getPublicKey(peer, false));
		const digest = random(32);
		const options = { prehash: false, lowS: false } as const;
		const signature = Buffer.from(p256.sign(digest, own, options));
		const [k, l] = [privateKey(), privateKey()];
		const scalar = (bytes: Buffer) => BigInt(`0x${bytes.toString("hex")}`);
		const [a, b] = [p256.Point.fromBytes(point), p256.Point.fromBytes(other)];
		const sum = (q: typeof a, r: typeof a) =>
			q
				.multiply(scalar(k))
				.add(r.multiply(scalar(l)))
				.toBytes(false);
		// Of one bit changed somewhere, both must think the same.
		const [otherSignature, otherDigest] = pick(2) ? [disturbed(signature), digest] : [signature, disturbed(digest)];
		const accepted = p256.verify(otherSignature, otherDigest, point, options);
		return [
			{ call: ["public", own], out: point },
			{ call: ["ecdh", own, other], out: p256.getSharedSecret(own, other, false).subarray(1, 33) },
			{ call: ["sign", own, digest], out: signature },
			{ call: ["verify", point, digest, signature] },
			{ call: ["verify", point, otherDigest, otherSignature], status: accepted ? "ok" : "forged" },
			{ call: ["p256-muladd", point, "", k, l], out: sum(a, p256.Point.BASE) },
			{ call: ["p256-muladd", point, other, k, l], out: sum(a, b) },
		];
	},

	"P-256: signatures are Node's too, and Node's are right": () => {
		const d = privateKey();
		const ecdh = createECDH("prime256v1");
		ecdh.setPrivateKey(d);
		const point = ecdh.getPublicKey();
		const part = (from: number) => point.subarray(from, from + 32).toString("base64url");
		const jwk = { kty: "EC", crv: "P-256", x: part(1), y: part(33) };
		const secret = createPrivateKey({ key: { ...jwk, d: d.toString("base64url") }, format: "jwk" });
		const message = random(size());
		const digest = createHash("sha256").update(message).digest();
		const dsaEncoding = "ieee-p1363";
		const theirs = signByNode("sha256", message, { key: secret, dsaEncoding });
		const key = createPublicKey({ key: jwk, format: "jwk" });
		return [
			{
				call: ["sign", d, digest],
				check: (out) => verifyByNode("sha256", message, { key, dsaEncoding }, out),
			},
			{ call: ["verify", point, digest, theirs] },
			{ call: ["p256-verify", point, createHash("sha512").update(message).digest(), theirs], status: "refused" },
		];
	},

	"X25519 and Ed25519 are those of @noble/curves and Node": () => {
		const [own, text] = [number32(), random(size())];
		// Half of all coordinates lie on the twist; some are near p, or not below it.
		const u = number32();
		if (pick(4) === 0) u.fill(255, 1, 31);
		const key = Buffer.from(ed25519.getPublicKey(own));
		const signature = Buffer.from(ed25519.sign(text, own));
		const [otherKey, otherText, otherSignature] = [
			[disturbed(key), text, signature],
			[key, disturbed(text), signature],
			[key, text, disturbed(signature)],
		][pick(3)] as [Buffer, Buffer, Buffer];
		let accepted = false;
		try {
			accepted = ed25519.verify(otherSignature, otherText, otherKey, { zip215: false });
		} catch {}
		/* Both refuse a coordinate of low order. */
		const agreed = (agree: () => Uint8Array): Partial<Case> => {
			try {
				return { out: agree() };
			} catch {
				return { status: "key" };
			}
		};
		const secret = wrapped.secret("x25519", own);
		return [
			{ call: ["x25519-public", own], out: x25519.getPublicKey(own) },
			{ call: ["x25519", own, u], ...agreed(() => x25519.getSharedSecret(own, u)) },
			{
				call: ["x25519", own, u],
				...agreed(() => diffieHellman({ privateKey: secret, publicKey: wrapped.public("x25519", u) })),
			},
			{ call: ["ed25519-public", own], out: key },
			{ call: ["ed25519-sign", own, key, text], out: signature },
			{ call: ["ed25519-sign", own, "", text], out: signByNode(null, text, wrapped.secret("ed25519", own)) },
			{ call: ["ed25519-verify", key, text, signature] },
			{ call: ["ed25519-verify", otherKey, otherText, otherSignature], status: accepted ? "ok" : "forged" },
		];
	},
};

describe(`seed ${seed}`, () => {
	describeOn(["this machine", "Cortex-M4"], ({ table }) => {
		for (const [name, make] of Object.entries(groups)) table(name, () => Array.from({ length: rounds }, make).flat());
	});
});
