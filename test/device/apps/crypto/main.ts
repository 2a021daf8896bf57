// pericard/crypto and native/crypto on the device, against published vectors; and every refusal of the API.

import {
	aesCcmDecrypt,
	aesCcmEncrypt,
	aesCtr,
	aesGcmDecrypt,
	aesGcmEncrypt,
	type Bytes,
	CryptoError,
	ecdsaVerify,
	equal,
	hkdfSha256,
	hmacSha256,
	type Sealed,
	Sha256,
	sha256,
} from "pericard/crypto";
import { ed25519Verify } from "pericard/crypto/ed25519";
import { sha512 } from "pericard/crypto/sha512";
import { collect } from "pericard/system";
import { describe, expect, test } from "pericard/test";

type Probe = (a: Bytes, b: Bytes) => ArrayBuffer | number;
const publicKey: (key: Bytes) => ArrayBuffer | number = native("xs_probe_public");
const ecdh: Probe = native("xs_probe_ecdh");
const sign: Probe = native("xs_probe_sign");
const drbg: Probe = native("xs_probe_drbg");
const x25519Public: (key: Bytes) => ArrayBuffer | number = native("xs_probe_x25519_public");
const x25519: Probe = native("xs_probe_x25519");
const ed25519Public: (seed: Bytes) => ArrayBuffer | number = native("xs_probe_ed25519_public");
const ed25519Sign: Probe = native("xs_probe_ed25519_sign");
const hostObject: () => object = native("xs_probe_host");

/** A view at an odd offset of a buffer, so that nothing may count on alignment. */
function bytes(hex: string): Uint8Array {
	const found = new Uint8Array(new ArrayBuffer(hex.length / 2 + 2), 1, hex.length / 2);
	for (let i = 0; i < found.length; i++) found[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
	return found;
}

function hex(data: Bytes | number): string {
	if (typeof data === "number") return `status ${data}`;
	const view =
		data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
	return [...view].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** ASCII. */
function text(characters: string): Uint8Array {
	return Uint8Array.from(characters, (character) => character.charCodeAt(0));
}

const filled = (value: number, size: number) => new Uint8Array(size).fill(value);
const counting = (from: number, size: number) => Uint8Array.from({ length: size }, (_, i) => from + i);

function codeOf(work: () => void): string | undefined {
	try {
		work();
		return undefined;
	} catch (error) {
		return error instanceof CryptoError ? error.code : String(error);
	}
}

describe("SHA-256 (FIPS 180-4, NIST's examples)", () => {
	const vectors: [string, string][] = [
		["", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
		["abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
		[
			"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
			"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
		],
	];
	const million = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

	test("of bytes at once, and in pieces", () => {
		for (const [message, digest] of vectors) {
			expect(hex(sha256(text(message)))).toBe(digest);
			const hash = new Sha256();
			for (const character of message) hash.update(text(character));
			expect(hex(hash.digest())).toBe(digest);
		}
	});

	test("of a million times the letter a", () => {
		const hash = new Sha256();
		const piece = filled(0x61, 1000);
		for (let i = 0; i < 1000; i++) hash.update(piece);
		expect(hex(hash.digest())).toBe(million);
	});

	test("a digest leaves the hash as it is, and hashes don't meet", () => {
		const [one, other] = [new Sha256().update(text("a")), new Sha256()];
		expect(hex(one.digest())).toBe(hex(sha256(text("a"))));
		other.update(text("x"));
		expect(hex(one.update(text("bc")).digest())).toBe(vectors[1]?.[1]);
		expect(hex(one.digest())).toBe(vectors[1]?.[1]);
		expect(hex(other.digest())).toBe(hex(sha256(text("x"))));
	});

	test("of every kind of buffer, in place", () => {
		const buffer = counting(0, 12).buffer;
		const expected = hex(sha256(counting(3, 5)));
		expect(hex(sha256(buffer))).toBe(hex(sha256(counting(0, 12))));
		expect(hex(sha256(new Uint8Array(buffer, 3, 5)))).toBe(expected);
		expect(hex(sha256(new DataView(buffer, 3, 5)))).toBe(expected);
		expect(hex(sha256(new Int8Array(buffer, 3, 5)))).toBe(expected);
	});

	test("outlives collections, which move its state and its input", () => {
		const hash = new Sha256();
		const junk: ArrayBuffer[] = [];
		for (let i = 0; i < 100; i++) {
			junk.push(new ArrayBuffer(64));
			hash.update(text("abc"));
			if (i % 10 === 9) {
				junk.length = 0;
				collect();
			}
		}
		expect(hex(hash.digest())).toBe(hex(sha256(text("abc".repeat(100)))));
	});
});

test("HMAC-SHA-256 (RFC 4231, section 4)", () => {
	const large = "Test Using Larger Than Block-Size Key - Hash Key First";
	const larger =
		"This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.";
	const vectors: [Uint8Array, Uint8Array, string][] = [
		[filled(0x0b, 20), text("Hi There"), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"],
		[
			text("Jefe"),
			text("what do ya want for nothing?"),
			"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
		],
		[filled(0xaa, 20), filled(0xdd, 50), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"],
		[counting(1, 25), filled(0xcd, 50), "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"],
		[filled(0xaa, 131), text(large), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"],
		[filled(0xaa, 131), text(larger), "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"],
	];
	for (const [key, data, mac] of vectors) expect(hex(hmacSha256(key, data))).toBe(mac);
	// No key is one of no bytes, and no data too.
	expect(hex(hmacSha256(filled(0, 0), filled(0, 0)))).toBe(
		"b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad",
	);
});

describe("HKDF-SHA-256 (RFC 5869, appendix A)", () => {
	test("gives the keys of the three cases", () => {
		expect(
			hex(hkdfSha256({ ikm: filled(0x0b, 22), salt: counting(0, 13), info: counting(0xf0, 10), length: 42 })),
		).toBe("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
		expect(
			hex(hkdfSha256({ ikm: counting(0, 80), salt: counting(0x60, 80), info: counting(0xb0, 80), length: 82 })),
		).toBe(
			"b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
		);
		expect(hex(hkdfSha256({ ikm: filled(0x0b, 22), length: 42 }))).toBe(
			"8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
		);
	});

	test("refuses other lengths", () => {
		for (const length of [0, -1, 8161, 1.5, Number.NaN]) {
			expect(() => hkdfSha256({ ikm: filled(1, 1), length })).toThrow(RangeError);
		}
		expect(hkdfSha256({ ikm: filled(1, 1), length: 8160 }).byteLength).toBe(8160);
	});
});

test("HMAC_DRBG with SHA-256 (NIST CAVP, no reseeding and reseeding, COUNT = 0)", () => {
	const seed = "ca851911349384bffe89de1cbdc46e6831e44d34a4fb935ee285dd14b71a7488659ba96c601dc69fc902940805ec0ca8";
	expect(hex(drbg(bytes(seed), bytes("")))).toBe(
		"e528e9abf2dece54d47c7e75e5fe302149f817ea9fb4bee6f4199697d04d5b89d54fbb978a15b5c443c9ec21036d2460b6f73ebad0dc2aba6e624abf07745bc107694bb7547bb0995f70de25d6b29e2d3011bb19d27676c07162c8b5ccde0668961df86803482cb37ed6d5c0bb8d50cf1f50d476aa0458bdaba806f48be9dcb8",
	);
	const first = "06032cd5eed33f39265f49ecb142c511da9aff2af71203bffaf34a9ca5bd9c0d0e66f71edc43e42a45ad3c6fc6cdc4df";
	const again = "01920a4e669ed3a85ae8a33b35a74ad7fb2a6bb4cf395ce00334a9c9a5a5d552";
	expect(hex(drbg(bytes(first), bytes(again)))).toBe(
		"76fc79fe9b50beccc991a11b5635783a83536add03c157fb30645e611c2898bb2b1bc215000209208cd506cb28da2a51bdb03826aaf2bd2335d576d519160842e7158ad0949d1a9ec3e66ea1b1a064b005de914eac2e9d4f2d72a8616a80225422918250ff66a41bd2f864a6a38cc5b6499dc43f7f2bd09e1e0f8f5885935124",
	);
});

describe("ECDSA P-256 with SHA-256 (RFC 6979, A.2.5)", () => {
	const privateKey = bytes("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721");
	const point = bytes(
		"0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
	);
	const vectors: [string, string][] = [
		[
			"sample",
			"efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
		],
		[
			"test",
			"f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083",
		],
	];
	const order = bytes("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");

	test("makes the public key and both signatures, and verifies them", () => {
		expect(hex(publicKey(privateKey))).toBe(hex(point));
		for (const [message, signature] of vectors) {
			const digest = sha256(text(message));
			expect(hex(sign(privateKey, digest))).toBe(signature);
			expect(ecdsaVerify(point, digest, bytes(signature))).toBe(true);
		}
	});

	test("takes no signature for another message, nor r or s of 0 or the order", () => {
		const signature = bytes(vectors[0]?.[1] ?? "");
		const digest = sha256(text("sample"));
		expect(ecdsaVerify(point, sha256(text("test")), signature)).toBe(false);
		for (const at of [0, 32]) {
			for (const value of [filled(0, 32), order]) {
				const wrong = Uint8Array.from(signature);
				wrong.set(value, at);
				expect(ecdsaVerify(point, digest, wrong)).toBe(false);
			}
		}
		expect(ecdsaVerify(point, filled(0, 32), filled(0, 64))).toBe(false);
	});

	test("takes no key that is no point, and no sizes but its own", () => {
		const signature = bytes(vectors[0]?.[1] ?? "");
		const digest = sha256(text("sample"));
		const off = Uint8Array.from(point);
		off[64] = (off[64] as number) ^ 1;
		expect(codeOf(() => ecdsaVerify(off, digest, signature))).toBe("key");
		expect(() => ecdsaVerify(point.subarray(1), digest, signature)).toThrow(RangeError);
		expect(() => ecdsaVerify(point, digest.slice(1), signature)).toThrow(RangeError);
		expect(() => ecdsaVerify(point, digest, signature.subarray(0, 63))).toThrow(RangeError);
		for (const bad of [filled(0, 32), order, filled(0xff, 32)]) {
			expect(publicKey(bad)).toBe(2);
			expect(sign(bad, digest)).toBe(2);
			expect(ecdh(bad, point)).toBe(2);
		}
		expect(ecdh(privateKey, off)).toBe(2);
	});
});

test("ECDH P-256 (RFC 5903, 8.1)", () => {
	const i = bytes("c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433");
	const gi =
		"04dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c37725811805271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3";
	const r = bytes("c6ef9c5d78ae012a011164acb397ce2088685d8f06bf9be0b283ab46476bee53");
	const gr =
		"04d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf6356fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab";
	const common = "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de";
	expect(hex(publicKey(i))).toBe(gi);
	expect(hex(publicKey(r))).toBe(gr);
	expect(hex(ecdh(i, bytes(gr)))).toBe(common);
	expect(hex(ecdh(r, bytes(gi)))).toBe(common);
});

interface Vector {
	readonly key: string;
	readonly nonce: string;
	readonly aad: string;
	readonly plain: string;
	/** Ciphertext and tag. */
	readonly sealed: string;
}

function check(vector: Vector, encrypt: (message: Sealed) => void, decrypt: (message: Sealed) => void): void {
	const size = vector.plain.length;
	const [key, nonce, aad, data] = [vector.key, vector.nonce, vector.aad, vector.plain].map(bytes) as [
		Uint8Array,
		Uint8Array,
		Uint8Array,
		Uint8Array,
	];
	const tag = bytes("00".repeat((vector.sealed.length - size) / 2));
	encrypt({ key, nonce, aad, data, tag });
	expect(hex(data) + hex(tag)).toBe(vector.sealed);
	decrypt({ key, nonce, aad, data, tag });
	expect(hex(data)).toBe(vector.plain);
	if (aad.length === 0) {
		encrypt({ key, nonce, data, tag });
		expect(hex(data) + hex(tag)).toBe(vector.sealed);
	} else {
		encrypt({ key, nonce, aad, data, tag });
	}
	tag[0] = (tag[0] as number) ^ 1;
	expect(codeOf(() => decrypt({ key, nonce, aad, data, tag }))).toBe("forged");
	expect(hex(data)).toBe("00".repeat(size / 2));
}

const rfc3610 = "c0c1c2c3c4c5c6c7c8c9cacbcccdcecf";
const plain =
	"d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255";
const aad = "feedfacedeadbeeffeedfacedeadbeefabaddad2";
const key128 = "feffe9928665731c6d6a8f9467308308";

describe("AES-CCM", () => {
	test("RFC 3610, packet vectors 1 and 7", () => {
		check(
			{
				key: rfc3610,
				nonce: "00000003020100a0a1a2a3a4a5",
				aad: "0001020304050607",
				plain: "08090a0b0c0d0e0f101112131415161718191a1b1c1d1e",
				sealed: "588c979a61c663d2f066d0c2c0f989806d5f6b61dac38417e8d12cfdf926e0",
			},
			aesCcmEncrypt,
			aesCcmDecrypt,
		);
		check(
			{
				key: rfc3610,
				nonce: "00000009080706a0a1a2a3a4a5",
				aad: "0001020304050607",
				plain: "08090a0b0c0d0e0f101112131415161718191a1b1c1d1e",
				sealed: "0135d1b2c95f41d5d1d4fec185d166b8094e999dfed96c048c56602c97acbb7490",
			},
			aesCcmEncrypt,
			aesCcmDecrypt,
		);
	});

	test("SP 800-38C, example 3; CAVP, no data", () => {
		check(
			{
				key: "404142434445464748494a4b4c4d4e4f",
				nonce: "101112131415161718191a1b",
				aad: "000102030405060708090a0b0c0d0e0f10111213",
				plain: "202122232425262728292a2b2c2d2e2f3031323334353637",
				sealed: "e3b201a9f5b71a7a9b1ceaeccd97e70b6176aad9a4428aa5484392fbc1b09951",
			},
			aesCcmEncrypt,
			aesCcmDecrypt,
		);
		check(
			{
				key: "4bb3c4a4f893ad8c9bdc833c325d62b3",
				nonce: "5a8aa485c316e9",
				aad: "",
				plain: "",
				sealed: "75d582db43ce9b13ab4b6f7f14341330",
			},
			aesCcmEncrypt,
			aesCcmDecrypt,
		);
	});
});

test("AES-GCM (McGrew and Viega, test cases 1 to 4 and 16)", () => {
	const zeros = "00".repeat(16);
	const sealed =
		"42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091473f5985";
	const nonce = "cafebabefacedbaddecaf888";
	const vectors: Vector[] = [
		{ key: zeros, nonce: zeros.slice(8), aad: "", plain: "", sealed: "58e2fccefa7e3061367f1d57a4e7455a" },
		{
			key: zeros,
			nonce: zeros.slice(8),
			aad: "",
			plain: zeros,
			sealed: "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf",
		},
		{ key: key128, nonce, aad: "", plain, sealed: `${sealed}4d5c2af327cd64a62cf35abd2ba6fab4` },
		{
			key: key128,
			nonce,
			aad,
			plain: plain.slice(0, 120),
			sealed: `${sealed.slice(0, 120)}5bc94fbc3221a5db94fae95ae7121a47`,
		},
		{
			key: key128 + key128,
			nonce,
			aad,
			plain: plain.slice(0, 120),
			sealed:
				"522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b",
		},
	];
	for (const vector of vectors) check(vector, aesGcmEncrypt, aesGcmDecrypt);
});

describe("SHA-512, AES-CTR, Ed25519", () => {
	test("SHA-512 of FIPS 180-4's examples: nothing, one block, two", () => {
		const two =
			"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu";
		for (const [message, digest] of [
			[
				"",
				"cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
			],
			[
				"abc",
				"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
			],
			[
				two,
				"8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909",
			],
		] as const) {
			expect(hex(sha512(text(message)))).toBe(digest);
		}
	});

	test("AES-CTR of SP 800-38A, F.5.1, in place", () => {
		const key = bytes("2b7e151628aed2a6abf7158809cf4f3c");
		const counter = bytes("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
		const data = bytes("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51");
		aesCtr({ key, counter, data });
		expect(hex(data)).toBe("874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff");
		expect(hex(counter)).toBe("f0f1f2f3f4f5f6f7f8f9fafbfcfdff01");
		for (const wrong of [
			{ key: filled(0, 15) },
			{ counter: filled(0, 15) },
			{ bits: 0 },
			{ bits: 129 },
			{ bits: 1.5 },
		]) {
			expect(() => aesCtr({ key, counter, data, ...wrong })).toThrow(RangeError);
		}
		expect(() => aesCtr({ key, counter, data: filled(0, 33), bits: 1 })).toThrow(RangeError);
		expect(hex(counter)).toBe("f0f1f2f3f4f5f6f7f8f9fafbfcfdff01");
	});

	test("Ed25519 of RFC 8032, 7.1, test 2", () => {
		const key = bytes("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
		const signature = bytes(
			"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
		);
		expect(ed25519Verify(key, bytes("72"), signature)).toBe(true);
		expect(ed25519Verify(key, bytes("73"), signature)).toBe(false);
		expect(ed25519Verify(filled(0, 32), bytes("72"), signature)).toBe(false);
		expect(() => ed25519Verify(key, bytes("72"), filled(0, 63))).toThrow(RangeError);
		expect(() => ed25519Verify(filled(4, 65), bytes("72"), signature)).toThrow(RangeError);
	});
});

test("X25519 (RFC 7748, 5.2 and 6.1), and a point of low order", () => {
	expect(
		hex(
			x25519(
				bytes("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
				bytes("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"),
			),
		),
	).toBe("c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
	const [a, b] = [
		"77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
		"5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
	];
	const [ofA, ofB] = [
		"8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
		"de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
	];
	const common = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";
	expect(hex(x25519Public(bytes(a)))).toBe(ofA);
	expect(hex(x25519Public(bytes(b)))).toBe(ofB);
	expect(hex(x25519(bytes(a), bytes(ofB)))).toBe(common);
	expect(hex(x25519(bytes(b), bytes(ofA)))).toBe(common);
	expect(x25519(bytes(a), filled(0, 32))).toBe(2);
});

test("Ed25519 (RFC 8032, 7.1, tests 1 to 3): keys, and signatures that are right", () => {
	const vectors: [string, string, string, string][] = [
		[
			"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
			"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
			"",
			"e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
		],
		[
			"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
			"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
			"72",
			"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
		],
		[
			"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
			"fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
			"af82",
			"6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
		],
	];
	for (const [seed, key, message, signature] of vectors) {
		expect(hex(ed25519Public(bytes(seed)))).toBe(key);
		expect(hex(ed25519Sign(bytes(seed), bytes(message)))).toBe(signature);
		expect(ed25519Verify(bytes(key), bytes(message), bytes(signature))).toBe(true);
		expect(ed25519Verify(bytes(key), bytes(`${message}00`), bytes(signature))).toBe(false);
	}
});

describe("The API", () => {
	const message = { key: filled(1, 16), nonce: filled(2, 12), data: filled(3, 5), tag: filled(0, 16) };

	test("refuses lengths that a mode doesn't take, and leaves the data as it is", () => {
		for (const wrong of [
			{ key: filled(1, 15) },
			{ key: filled(1, 24) },
			{ nonce: filled(2, 14) },
			{ tag: filled(0, 7) },
		]) {
			for (const work of [aesCcmEncrypt, aesCcmDecrypt, aesGcmEncrypt, aesGcmDecrypt]) {
				expect(() => work({ ...message, ...wrong })).toThrow(RangeError);
			}
		}
		expect(() => aesGcmEncrypt({ ...message, tag: filled(0, 12) })).toThrow(RangeError);
		expect(hex(message.data)).toBe("0303030303");
	});

	test("refuses what is no buffer", () => {
		const none = [undefined, null, 1, "abc", {}, [1, 2], new Uint16Array(4), () => 0] as unknown as Bytes[];
		for (const value of none) {
			expect(() => sha256(value)).toThrow(TypeError);
			expect(() => new Sha256().update(value)).toThrow(TypeError);
			expect(() => hmacSha256(value, filled(0, 1))).toThrow(TypeError);
			expect(() => hmacSha256(filled(0, 1), value)).toThrow(TypeError);
			expect(() => hkdfSha256({ ikm: value, length: 1 })).toThrow(TypeError);
			expect(() => equal(value, filled(0, 1))).toThrow(TypeError);
			expect(() => aesCcmEncrypt({ ...message, data: value })).toThrow(TypeError);
			expect(() => aesGcmDecrypt({ ...message, tag: value })).toThrow(TypeError);
		}
	});

	test("reads no memory of C through an object that C made", () => {
		const host = Object.assign(hostObject(), { byteLength: 32 }) as unknown as Bytes;
		expect(() => sha256(host)).toThrow(TypeError);
		expect(() => aesGcmEncrypt({ ...message, data: host })).toThrow(TypeError);
	});

	test("tells whether bytes are the same", () => {
		expect(equal(text("abc"), text("abc"))).toBe(true);
		expect(equal(text("abc"), text("abd"))).toBe(false);
		expect(equal(text("abc"), text("ab"))).toBe(false);
		expect(equal(filled(0, 0), filled(0, 0))).toBe(true);
	});

	test("names its errors", () => {
		const error = new CryptoError("forged");
		expect(error).toBeInstanceOf(Error);
		expect(`${error.name} ${error.code}: ${error.message}`).toBe("CryptoError forged: crypto: the tag is not right");
	});
});
