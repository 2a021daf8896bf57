// One skipped instruction makes no wrong signature, tag or status a right one, and lets no wrong signature out: every position of
// what decides, samples of the arithmetic. docs/crypto.md, "Faults", says what that shows.

import { spawnSync } from "node:child_process";
import {
	type CipherCCM,
	type CipherCCMTypes,
	createCipheriv,
	createHash,
	createPrivateKey,
	createPublicKey,
	sign as signWithNode,
	verify as verifyWithNode,
} from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join as joinPath } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildImage, type Image } from "../../tools/analysis/image.ts";
import { type Call, openMachine, Room } from "../../tools/analysis/machine.ts";
import { choosePositions, type SkipOptions, type SkipReport, skipInstructions } from "../../tools/analysis/skips.ts";
import { bearsslFolder } from "../../tools/bearssl.mjs";
import { pericardRoot } from "../../tools/build/board.ts";
import {
	bytesOf,
	ed25519,
	inverse,
	join,
	littleBytes,
	littleOf,
	modulo,
	numberOf,
	type Point,
	p256,
} from "./curves.ts";

const missing = spawnSync("qemu-system-arm", ["--version"]).status !== 0;

const OK = 0x3ca5965a;
const FORGED = 3;
const KEY = 2;
const FAULT = 5;

const hashed = (algorithm: string, ...parts: readonly (Uint8Array | string)[]): Uint8Array => {
	const hash = createHash(algorithm);
	for (const part of parts) hash.update(part);
	return Uint8Array.from(hash.digest());
};
const sha256 = (...parts: readonly (Uint8Array | string)[]) => hashed("sha256", ...parts);
/** A number of 1 to n - 1 that belongs to a name. */
const scalarOf = (name: string): bigint => (numberOf(sha256(name)) % (p256.n - 1n)) + 1n;

function cryptoSources(): string[] {
	const folder = (name: string) =>
		readdirSync(joinPath(pericardRoot, "native/crypto", name))
			.filter((file) => /\.[cS]$/.test(file))
			.map((file) => `native/crypto/${name}/${file}`);
	const manifest = readFileSync(joinPath(pericardRoot, "native/crypto/manifest.json"), "utf8");
	const library = [...manifest.matchAll(/"\$\(BEARSSL\)\/([\w/]+\.c)"/g)].map(
		([, file]) => `${bearsslFolder()}/${file}`,
	);
	const own = readdirSync(joinPath(pericardRoot, "native/crypto"))
		.filter((file) => file.endsWith(".c") && !file.startsWith("xs_"))
		.map((file) => `native/crypto/${file}`);
	return [...own, ...folder("kernels"), ...folder("peripherals"), ...library, "test/native/crypto/faults.c"];
}

const entries = [
	...["pc_ecdsa_verify", "pc_ed25519_verify", "pc_aes_ccm_decrypt", "pc_aes_gcm_decrypt"],
	...["pc_ecdsa_sign_with", "pc_ed25519_sign"],
	...["ecdsa_after", "ccm_after", "plain_gcm_open", "plain_status"],
];

let image: Image;
/** Signatures leave unverified. */
let unverified: Image;
/** With the natives of pericard/crypto. */
let withNatives: Image;

beforeAll(async () => {
	if (missing) return;
	const options = { sources: cryptoSources(), entries, include: ["native/crypto", "native/crypto/kernels"] };
	image = await buildImage(options);
	unverified = await buildImage({ ...options, cflags: ["-DMODDEF_CRYPTO_VERIFYSIGNATURES=0"] });
	withNatives = await buildImage({
		sources: [...options.sources, "native/crypto/xs_crypto.c"],
		/* Those that encrypt too: they lie behind those that decrypt. */
		entries: [
			...["xs_crypto_ecdsa_verify", "xs_crypto_ed25519_verify", "xs_crypto_ccm_encrypt", "xs_crypto_ccm_decrypt"],
			...["xs_crypto_gcm_encrypt", "xs_crypto_gcm_decrypt"],
		],
		include: ["test/native/crypto/natives", ...options.include],
	});
});

/* The engines have given their known answers already. */
const memory = [{ at: "tested", bytes: new Uint8Array(4).fill(255) }];

async function undisturbed(call: Call): Promise<number> {
	const machine = await openMachine(image);
	try {
		return (await machine.call(call)).value;
	} finally {
		await machine.close();
	}
}

/** Names of functions that the image has: the compiler may have put one into its caller. */
function present(names: readonly string[], of: Image = image): string[] {
	return names.filter((name) => {
		try {
			of.address(name);
			return true;
		} catch {
			return false;
		}
	});
}

const counts: string[] = [];

/** Leaves out instructions of a call that is refused, all of those of `every`, and sees what accepts. */
async function disturb(
	what: string,
	call: Call,
	every: readonly string[],
	sample: number,
	accepted: SkipOptions["accepted"] = ({ value }) => value === OK,
	watch?: SkipOptions["watch"],
): Promise<SkipReport> {
	const report = await skipInstructions(image, call, { accepted, every: present(every), sample, watch });
	const { tried, refused, fault, hang, executed, distinct } = report;
	counts.push(
		`| ${what} | ${executed} | ${tried} | ${distinct.tried} of ${distinct.executed} | ${refused} | ${fault} | ${hang} | ${report.accepted} |`,
	);
	return report;
}

/* ---- ECDSA ------------------------------------------------------------------------------------------------------- */

const { n, g } = p256;
const d = scalarOf("the key");
const q = p256.multiply(d, g);
const digest = sha256("a message");
const z = numberOf(digest);
const over = (a: bigint, b: bigint): bigint => modulo(a * inverse(b, n), n);
const signatureOf = (r: bigint, s: bigint): Uint8Array => join(bytesOf(r), bytesOf(s));

function signed(key: bigint, hash: Uint8Array): readonly [bigint, bigint] {
	const k = scalarOf(`nonce ${key}`);
	const r = modulo(p256.multiply(k, g).x, n);
	return [r, over(numberOf(hash) + r * key, k)];
}

const verification = (key: Point | Uint8Array, hash: Uint8Array, signature: Uint8Array): Call => ({
	routine: "pc_ecdsa_verify",
	arguments: [key instanceof Uint8Array ? key : p256.encode(key), hash, signature],
	memory,
});

const xOf = (point: Point): bigint => modulo(point.x, n);

/** A small number that is the x-coordinate of a point. */
function smallPoint(): Point {
	for (let x = 1n; ; x++) {
		const point = p256.lift(x);
		if (point !== undefined) return point;
	}
}

/** Bits of the comb's signs at the last addition (p256.c, recode()), as an attacker knows them. */
function lastCombDigit(u1: bigint): number {
	const even = (u1 & 1n) === 0n;
	const signs = ((even ? n - u1 : u1) + 2n ** 260n - 1n) >> 1n;
	let digit = 0;
	for (let tooth = 0; tooth < 5; tooth++) digit |= Number((signs >> BigInt(52 * tooth)) & 1n) << tooth;
	return even ? digit ^ 31 : digit;
}

/** Each is wrong; most are right but for one condition, or would be right if one certain step were left out. */
function makeWrongSignatures(): Record<string, Call> {
	const [r, s] = signed(d, digest);
	const other = scalarOf("another key");
	const b = scalarOf("b");
	const small = smallPoint();
	const shifted = small.x + p256.p - n; // r + n is small.x modulo p, but not below p
	const off = { x: scalarOf("x"), y: scalarOf("y") };
	const [zero, sameAsZero] = [new Uint8Array(32), bytesOf(n)];
	const near = (bit: bigint): Call => {
		const point = p256.multiply(scalarOf("near"), g);
		const wrong = xOf(point) ^ (1n << bit);
		return verification(p256.recover(point, wrong, s, z), digest, signatureOf(wrong, s));
	};
	const sum = (x: bigint, y: bigint): Point => p256.add(p256.multiply(x, g), p256.multiply(y, q)) as Point;
	const atZero = xOf(p256.multiply(b, q));
	const ownHash = xOf(sum(b, b));
	const undivided = xOf(sum(z, b));
	const unmultiplied = scalarOf("s");
	const withoutR = xOf(sum(over(z, unmultiplied), over(2n ** 256n, unmultiplied)));
	const withoutKey = xOf(p256.multiply(b, g));
	const u2 = b - (b % 2n ** 20n);
	const emptyTable = over(withoutKey, u2);
	const early = 5n * 2n ** 240n + 2n ** 200n;
	const earlyR = xOf(p256.multiply(5n, q));
	const entry = 1n + 2n ** 52n + 2n ** 104n + 2n ** 156n + 2n ** 208n;
	const entryR = xOf(p256.multiply(entry, g));
	let anewS = b;
	while (![0, 31].includes(lastCombDigit(over(z, anewS)))) anewS += 1n;
	return {
		"another message": verification(q, sha256("another"), signatureOf(r, s)),
		"another key's": verification(q, digest, signatureOf(...signed(other, digest))),
		"r = 0": verification(q, digest, signatureOf(0n, s)),
		"s = 0": verification(q, digest, signatureOf(r, 0n)),
		"all zeros": verification(q, digest, new Uint8Array(64)),
		"r + n": verification(p256.recover(small, small.x, s, z), digest, signatureOf(small.x + n, s)),
		"s + n": verification(
			p256.recover(p256.multiply(b, g), withoutKey, 5n, z),
			digest,
			signatureOf(withoutKey, 5n + n),
		),
		"x above n, wrapped": verification(p256.recover(small, shifted, s, z), digest, signatureOf(shifted, s)),
		"r wrong in one low bit": near(0n),
		"r wrong in one high bit": near(250n),
		"key off the curve": verification(
			off,
			sameAsZero,
			signatureOf(xOf(p256.multiply(b, off)), over(xOf(p256.multiply(b, off)), b)),
		),
		"a digest of 0": verification(q, zero, signatureOf(atZero, over(atZero, b))),
		"made for a hash of 0": verification(q, digest, signatureOf(atZero, over(atZero, b))),
		"made for the signature as hash": verification(q, digest, signatureOf(ownHash, over(ownHash, b))),
		"made for u1 = z": verification(q, digest, signatureOf(undivided, over(undivided, b))),
		"made for u2 = 1 / s": verification(q, digest, signatureOf(withoutR, unmultiplied)),
		"made for no digits of u2": verification(q, digest, signatureOf(withoutKey, over(z, b))),
		"made for an empty table": verification(q, bytesOf(modulo(b * emptyTable, n)), signatureOf(withoutKey, emptyTable)),
		"made for a loop that ends": verification(q, digest, signatureOf(earlyR, over(earlyR, early))),
		"made for a sum that begins anew": verification(q, digest, signatureOf(entryR, anewS)),
	};
}

const wrongSignatures = makeWrongSignatures();

const ecdsaDecides = [
	...["pc_ecdsa_verify", "status_of", "returned", "wipe_stack", "pc_p256_verify_claim", "audit", "pc_p256_is_point"],
	...["read_scalar", "read_point", "is_on_curve", "read_hash", "multiply_add", "is_same_residue"],
];
/** Beside what decides: functions all of whose instructions are left out, and how many executions of each other one. */
const ecdsaWhere: Readonly<Record<string, readonly [every: readonly string[], sample: number]>> = {
	"another message": [[], 3],
	"made for a hash of 0": [[], 1],
	"made for no digits of u2": [["recode", "recode_sparse"], 1],
	"made for an empty table": [["odd_multiples"], 1],
	"made for a loop that ends": [["interleave"], 0],
	"made for a sum that begins anew": [["add_any", "add_entry", "from_affine"], 0],
};

describe.skipIf(missing)("a wrong ECDSA signature is refused whatever instruction is left out", () => {
	test("a right one is accepted, and a wrong one is not", async () => {
		const right = verification(q, digest, signatureOf(...signed(d, digest)));
		expect(await undisturbed(right)).toBe(OK);
		for (const [what, call] of Object.entries(wrongSignatures)) {
			expect([what, await undisturbed(call)]).toEqual([what, what.startsWith("key") ? KEY : FORGED]);
		}
	});

	test.each(Object.keys(wrongSignatures))("%s", async (what) => {
		const call = wrongSignatures[what] as Call;
		const [steps, arithmetic] = ecdsaWhere[what] ?? [[], 0];
		const report = await disturb(`ECDSA, ${what}`, call, [...ecdsaDecides, ...steps], arithmetic);
		expect(report.text).not.toContain("accepts without");
		expect(report.accepted).toBe(0);
	});
});

/* ---- Ed25519 ----------------------------------------------------------------------------------------------------- */

const { l } = ed25519;
const seed = sha256("a seed");
const text = Uint8Array.from({ length: 100 }, (_, index) => index);

function expanded(from: Uint8Array): { readonly a: bigint; readonly prefix: Uint8Array } {
	const hash = hashed("sha512", from);
	const a = (littleOf(hash.subarray(0, 32)) & (2n ** 254n - 8n)) | (2n ** 254n);
	return { a, prefix: hash.slice(32) };
}

function nodeKey(from: Uint8Array) {
	const key = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), from]);
	return createPrivateKey({ key, format: "der", type: "pkcs8" });
}

const publicOf = (from: Uint8Array): Uint8Array =>
	Uint8Array.from(createPublicKey(nodeKey(from)).export({ format: "der", type: "spki" }).subarray(-32));
const edSigned = (from: Uint8Array, message: Uint8Array): Uint8Array =>
	Uint8Array.from(signWithNode(null, message, nodeKey(from)));
const challenge = (r: Uint8Array, key: Uint8Array, message: Uint8Array): bigint =>
	modulo(littleOf(hashed("sha512", r, key, message)), l);

const edVerification = (key: Uint8Array, message: Uint8Array, signature: Uint8Array): Call => ({
	routine: "pc_ed25519_verify",
	arguments: [key, message, message.length, signature],
	memory,
});

/** The first digit that is not 0 of the non-adjacent form of width 5, and the bit that it is at. */
function topDigit(k: bigint): readonly [number, number] {
	let top: readonly [number, number] = [0, 0];
	for (let rest = k, bit = 0; rest > 0n; ) {
		if (rest & 1n) {
			const low = Number(rest & 31n);
			const digit = low > 16 ? low - 32 : low;
			top = [digit, bit];
			rest -= BigInt(digit);
		}
		rest >>= 1n;
		bit++;
	}
	return top;
}

function makeWrongEdSignatures(): Record<string, Call> {
	const key = publicOf(seed);
	const { a } = expanded(seed);
	const right = edSigned(seed, text);
	const [r, s] = [right.slice(0, 32), littleOf(right.subarray(32))];
	const changed = (at: number): Uint8Array => right.map((byte, index) => (index === at ? byte ^ 1 : byte));
	const free = modulo(littleOf(sha256("S")), l);
	const own = ed25519.encode(ed25519.multiply(free, ed25519.b));
	const neutral = ed25519.encode(ed25519.neutral);
	/* R = -d A, for a text whose k begins with the digit d. */
	const multiple = ed25519.encode(ed25519.negate(ed25519.multiply(5n, ed25519.multiply(a, ed25519.b))));
	let early: Uint8Array = text;
	while (topDigit(challenge(multiple, key, early))[0] !== 5) early = sha256(early);
	return {
		"another message": edVerification(key, text.slice(1), right),
		"another key's": edVerification(key, text, edSigned(sha256("another seed"), text)),
		"R wrong in its first bit": edVerification(key, text, changed(0)),
		"S wrong in its first bit": edVerification(key, text, changed(32)),
		"all zeros": edVerification(key, text, new Uint8Array(64)),
		"S + L": edVerification(key, text, join(r, littleBytes(s + l))),
		"a key of small order": edVerification(neutral, text, join(own, littleBytes(free))),
		"R of small order": edVerification(
			key,
			text,
			join(neutral, littleBytes(modulo(challenge(neutral, key, text) * a, l))),
		),
		"made for k = 0": edVerification(key, text, join(own, littleBytes(free))),
		"made for a loop that ends": edVerification(key, early, join(multiple, littleBytes(1n))),
	};
}

const wrongEdSignatures = makeWrongEdSignatures();

const edDecides = [
	...["pc_ed25519_verify", "status_of", "wipe_stack", "pc_ed25519_verify_claim", "read_inputs", "audit", "is_key"],
	...["decode", "is_small_order", "equal", "encode_affine", "is_same_residue", "hash_to_scalar", "reduce_hash"],
];

describe.skipIf(missing)("a wrong Ed25519 signature is refused whatever instruction is left out", () => {
	test("a right one is accepted, and a wrong one is not", async () => {
		expect(await undisturbed(edVerification(publicOf(seed), text, edSigned(seed, text)))).toBe(OK);
		for (const [what, call] of Object.entries(wrongEdSignatures)) {
			expect([what, await undisturbed(call)]).toEqual([what, FORGED]);
		}
	});

	test.each(Object.keys(wrongEdSignatures))("%s", async (what) => {
		const call = wrongEdSignatures[what] as Call;
		const ends = what.endsWith("ends");
		const arithmetic = what === "another message" ? 3 : what.startsWith("made") && !ends ? 1 : 0;
		const steps = ends ? ["double_multiple"] : [];
		const report = await disturb(`Ed25519, ${what}`, call, [...edDecides, ...steps], arithmetic);
		expect(report.text).not.toContain("accepts without");
		expect(report.accepted).toBe(0);
	});
});

/* ---- CCM and GCM ------------------------------------------------------------------------------------------------- */

type Mode = "ccm" | "gcm";

interface Message {
	readonly key: Uint8Array;
	readonly nonce: Uint8Array;
	readonly aad: Uint8Array;
	readonly data: Uint8Array;
	readonly tag: Uint8Array;
}

const plain = Uint8Array.from({ length: 40 }, (_, index) => 3 * index);

function sealed(mode: Mode, tagSize: number, content: Uint8Array, name = "a message"): Message {
	const key = sha256("aes").slice(0, 16);
	const [nonce, aad] = [sha256("nonce").slice(0, 12), sha256(name).slice(0, 20)];
	const options = { authTagLength: tagSize };
	const cipher = createCipheriv(`aes-128-${mode}` as CipherCCMTypes, key, nonce, options) as CipherCCM;
	cipher.setAAD(aad, { plaintextLength: content.length });
	const data = Uint8Array.from(cipher.update(content));
	cipher.final();
	return { key, nonce, aad, data, tag: Uint8Array.from(cipher.getAuthTag()) };
}

/** A call with a pc_aead (crypto.h) that points at the other arguments. */
function opening(routine: string, message: Message, ...more: readonly Uint8Array[]): Call {
	const { key, nonce, aad, data, tag } = message;
	const members = [key, nonce, aad, data, tag];
	const structure = new Uint32Array(10);
	const list: Uint8Array[] = [new Uint8Array(structure.buffer), ...more, ...members];
	let at = image.free;
	const places = list.map((bytes) => {
		const here = at;
		at = (at + bytes.length + 15) & ~15;
		return here;
	});
	members.forEach((bytes, index) => {
		structure.set([places[1 + more.length + index] ?? 0, bytes.length], 2 * index);
	});
	return { routine, arguments: list, memory };
}

function wrongTags(mode: Mode, size: number): Record<string, Message> {
	const right = sealed(mode, size, plain);
	const changed = (at: number): Message => ({
		...right,
		tag: right.tag.map((byte, index) => (index === at ? byte ^ 1 : byte)),
	});
	return {
		"first byte wrong": changed(0),
		"last byte wrong": changed(size - 1),
		"all zeros": { ...right, tag: new Uint8Array(size) },
		"another message's": {
			...right,
			tag: sealed(
				mode,
				size,
				plain.map((byte) => byte ^ 1),
			).tag,
		},
		"another header's": { ...right, tag: sealed(mode, size, plain, "another").tag },
		"data changed": { ...right, data: right.data.map((byte, index) => (index === 39 ? byte ^ 1 : byte)) },
	};
}

const sealDecides = ["pc_aes_ccm_decrypt", "pc_aes_gcm_decrypt", "unseal", "look_at_tag", "look_at_ccm_key"];
const sealSteps = ["look_at_gcm_key", "ccm", "ccm.part.0", "gcm", "gcm.part.0", "status_of", "wipe_stack", "pc_wipe"];
const bearDecides = ["br_ccm_get_tag", "br_ccm_reset", "br_gcm_get_tag", "br_gcm_reset", "br_gcm_init", "br_ccm_init"];
const modes: readonly (readonly [Mode, number])[] = [
	["ccm", 16],
	["ccm", 8],
	["gcm", 16],
];

describe.skipIf(missing)("a wrong tag is refused whatever instruction is left out", () => {
	test.each(modes)("AES-128-%s, %i bytes of tag", async (mode, size) => {
		const routine = `pc_aes_${mode}_decrypt`;
		expect(await undisturbed(opening(routine, sealed(mode, size, plain)))).toBe(OK);
		for (const [what, message] of Object.entries(wrongTags(mode, size))) {
			const call = opening(routine, message);
			expect([what, await undisturbed(call)]).toEqual([what, FORGED]);
			const decides = [...sealDecides, ...sealSteps, ...bearDecides];
			const sample = what === "last byte wrong" ? 3 : 1;
			const report = await disturb(`${mode.toUpperCase()} tag of ${size}, ${what}`, call, decides, sample);
			expect(report.text).not.toContain("accepts without");
			expect(report.accepted).toBe(0);
		}
	});
});

/* ---- signing ------------------------------------------------------------------------------------------------------ */

const signatureSize = 64;
const ecdsaSigning: Call = {
	routine: "pc_ecdsa_sign_with",
	arguments: [bytesOf(d), p256.encode(q), digest, new Room(signatureSize)],
	memory,
};
const edSigning: Call = {
	routine: "pc_ed25519_sign",
	arguments: [seed, publicOf(seed), text, text.length, new Room(signatureSize)],
	memory,
};

/** The address of the signature, which is the last argument, and the signature that is right. */
async function rightSignature(of: Image, call: Call): Promise<{ readonly at: number; readonly right: Uint8Array }> {
	const machine = await openMachine(of);
	try {
		const run = await machine.call(call);
		expect(run.value).toBe(OK);
		const at = run.arguments.at(-1) ?? 0;
		return { at, right: await machine.read(at, signatureSize) };
	} finally {
		await machine.close();
	}
}

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** Signatures that are not right, of runs without one instruction of these functions. */
async function faulty(call: Call, functions: readonly string[]): Promise<Uint8Array[]> {
	const { at, right } = await rightSignature(unverified, call);
	const machine = await openMachine(unverified);
	try {
		const run = await machine.call(call, { record: true });
		const { words } = await machine.list();
		const addresses = words.filter((_, index) => index % 2 === 0 && words[index + 1] === 0);
		const wanted = new Set(functions);
		const chosen = choosePositions(addresses, () => false, 2).filter((position) =>
			wanted.has(unverified.place(addresses[position] ?? 0).symbol ?? ""),
		);
		const request = { positions: chosen, limit: 2 * run.instructions, watch: { at, size: signatureSize } };
		const { results } = await machine.skip(call, request);
		return results
			.filter(({ outcome, value, memory }) => outcome === "returned" && value === OK && !same(memory, right))
			.map(({ memory }) => memory);
	} finally {
		await machine.close();
	}
}

describe.skipIf(missing)("a signature that went wrong gives the key away, and does not leave", () => {
	test("ECDSA: the right signature and one with a wrong k G, without the check", async () => {
		const { right } = await rightSignature(unverified, ecdsaSigning);
		const [r, s] = [numberOf(right.subarray(0, 32)), numberOf(right.subarray(32))];
		const wrong = await faulty(ecdsaSigning, ["multiply_generator", "pc_p256_add_affine", "pc_p256_double", "commit"]);
		/* s k = z + r d, and s' k = z + r' d */
		const keys = wrong.map((bytes) => {
			const [r2, s2] = [numberOf(bytes.subarray(0, 32)), numberOf(bytes.subarray(32))];
			return over(z, over(s * modulo(r - r2, n), s - s2) - r);
		});
		const found = keys.filter((key) => key === d).length;
		console.log(`ECDSA: ${found} of ${wrong.length} wrong signatures give the key away`);
		expect(found).toBeGreaterThan(10);
	});

	test("Ed25519: the right signature and one with a wrong R, without the check", async () => {
		const { right } = await rightSignature(unverified, edSigning);
		const key = publicOf(seed);
		const { a } = expanded(seed);
		const answer = (bytes: Uint8Array) => [challenge(bytes.subarray(0, 32), key, text), littleOf(bytes.subarray(32))];
		const [k = 0n, s = 0n] = answer(right);
		const wrong = await faulty(edSigning, ["pc_25519_base", "pc_25519_add_cached", "pc_25519_double", "to_affine"]);
		/* S = r + k a, and S' = r + k' a */
		const keys = wrong.map((bytes) => {
			const [k2 = 0n, s2 = 0n] = answer(bytes);
			return modulo((s - s2) * inverse(modulo(k - k2, l), l), l);
		});
		const found = keys.filter((guess) => guess === modulo(a, l)).length;
		console.log(`Ed25519: ${found} of ${wrong.length} wrong signatures give the key away`);
		expect(found).toBeGreaterThan(10);
	});

	const verified = (name: string, message: Uint8Array, signature: Uint8Array): boolean => {
		if (name === "Ed25519") return verifyWithNode(null, message, createPublicKey(nodeKey(seed)), signature);
		const [r, s] = [numberOf(signature.subarray(0, 32)), numberOf(signature.subarray(32))];
		const point = p256.add(p256.multiply(over(numberOf(message), s), g), p256.multiply(over(r, s), q));
		return point !== undefined && xOf(point) === r;
	};

	test.each([
		["ECDSA", ecdsaSigning, digest, ["pc_ecdsa_sign_with", "ecdsa_sign", "pc_p256_sign_raw", "next_nonce"]],
		["Ed25519", edSigning, text, ["pc_ed25519_sign", "ed25519_sign", "pc_ed25519_sign_raw", "expand"]],
	] as const)("%s: with the check no wrong signature leaves", async (name, call, message, every) => {
		const { at, right } = await rightSignature(image, call);
		/* The message lies in front of the signature. */
		const distance = (message.length + 15) & ~15;
		const wrong: SkipOptions["accepted"] = ({ value, memory }) => {
			const signature = memory.subarray(distance);
			if (value !== OK || same(signature, right)) return false;
			/* A stray write may have changed the message: then the signature is that of the changed one. */
			const now = memory.slice(0, message.length);
			return same(now, message) || !verified(name, now, signature);
		};
		const watch = { at: at - distance, size: distance + signatureSize };
		const decides = [...every, "release", "sum_of", "works"];
		const report = await disturb(`signing, ${name}`, call, decides, 1, wrong, watch);
		expect(report.text).not.toContain("accepts without");
		expect(report.accepted).toBe(0);
	});

	test("nor a right one by a key that is not the public key's", async () => {
		for (const [call, other] of [
			[ecdsaSigning, p256.encode(p256.multiply(scalarOf("another key"), g))],
			[edSigning, publicOf(sha256("another seed"))],
		] as const) {
			const list = (call.arguments ?? []).map((argument, index) => (index === 1 ? other : argument));
			const machine = await openMachine(image);
			const run = await machine.call({ ...call, arguments: list });
			expect(run.value).toBe(FAULT);
			expect(same(await machine.read(run.arguments.at(-1) ?? 0, signatureSize), new Uint8Array(signatureSize))).toBe(
				true,
			);
			await machine.close();
		}
	});
});

/* ---- natives ------------------------------------------------------------------------------------------------------ */

/** A call of a native of xs_crypto.c, with a machine of test/native/crypto/natives/xsmc.h whose arguments are buffers. */
function native(routine: string, ...buffers: readonly Uint8Array[]): Call {
	const machine = new Uint32Array(19);
	const list: Uint8Array[] = [new Uint8Array(machine.buffer), ...buffers];
	let at = withNatives.free;
	machine[3] = buffers.length;
	list.forEach((bytes, index) => {
		if (index > 0) machine.set([2, at, bytes.length], 1 + 3 * index);
		at = (at + bytes.length + 15) & ~15;
	});
	return { routine, arguments: list, memory };
}

const isOk: SkipOptions["accepted"] = ({ memory }) => {
	const result = Buffer.from(memory);
	return result.readUInt32LE(0) === 1 && result.readUInt32LE(4) === OK;
};

describe.skipIf(missing)("no skipped instruction of a native gives JavaScript a status that is good", () => {
	const parts = (call: Call): Uint8Array[] => (call.arguments ?? []).filter((part) => part instanceof Uint8Array);
	const wrong: Readonly<Record<string, () => Call>> = {
		"ECDSA, another message": () =>
			native("xs_crypto_ecdsa_verify", ...parts(wrongSignatures["another message"] as Call)),
		"ECDSA, made for a hash of 0": () =>
			native("xs_crypto_ecdsa_verify", ...parts(wrongSignatures["made for a hash of 0"] as Call)),
		"ECDSA, made for the signature as hash": () =>
			native("xs_crypto_ecdsa_verify", ...parts(wrongSignatures["made for the signature as hash"] as Call)),
		"Ed25519, another message": () =>
			native("xs_crypto_ed25519_verify", ...parts(wrongEdSignatures["another message"] as Call)),
		"CCM, last byte wrong": () => {
			const { key, nonce, aad, data, tag } = wrongTags("ccm", 16)["last byte wrong"] as Message;
			return native("xs_crypto_ccm_decrypt", key, nonce, aad, data, tag);
		},
		"GCM, last byte wrong": () => {
			const { key, nonce, aad, data, tag } = wrongTags("gcm", 16)["last byte wrong"] as Message;
			return native("xs_crypto_gcm_decrypt", key, nonce, aad, data, tag);
		},
	};
	const natives = [
		"xs_crypto_ecdsa_verify",
		"xs_crypto_ed25519_verify",
		"xs_crypto_ccm_decrypt",
		"xs_crypto_gcm_decrypt",
	];
	const every = [...natives, "aead", "bytes_of", "readable", "writable", "exactly", "give_status", "fxInteger"];

	test.each(Object.keys(wrong))("%s", async (what) => {
		const call = (wrong[what] as () => Call)();
		const watch = { at: withNatives.free, size: 12 };
		const options = { accepted: isOk, watch, every: present(every, withNatives), sample: 0 };
		const report = await skipInstructions(withNatives, call, options);
		expect(report.text).not.toContain("accepts without");
		expect(report.functions.get(call.routine)?.tried).toBeGreaterThan(2);
	});
});

/* ---- what the checks of these tests are worth, and callers -------------------------------------------------------- */

describe.skipIf(missing)("what an earlier call left in memory helps no later one", () => {
	/* The first call's status is OK; what counts is the second one's, which the callers give plus 1. */
	const second: SkipOptions["accepted"] = ({ value }) => value === OK + 1;

	test("ECDSA: a right signature, then the same one for another message", async () => {
		const right = signatureOf(...signed(d, digest));
		const list = [p256.encode(q), digest, sha256("another"), right];
		const call: Call = { routine: "ecdsa_after", arguments: list, memory };
		const report = await disturb("ECDSA, after a right one", call, ["ecdsa_after", "pc_ecdsa_verify"], 1, second);
		expect(report.text).not.toContain("accepts without");
	});

	test("CCM: a right message, then other data with the same tag", async () => {
		const message = sealed("ccm", 16, plain);
		const other = message.data.map((byte, index) => (index === 39 ? byte ^ 1 : byte));
		const call = opening("ccm_after", message, other, message.tag);
		const report = await disturb("CCM, after a right one", call, ["ccm_after", "unseal", "look_at_tag"], 3, second);
		expect(report.text).not.toContain("accepts without");
	});
});

describe.skipIf(missing)("a check written as one would is turned, and the tests see it", () => {
	test("one comparison and a status of 0", async () => {
		for (const [what, message] of Object.entries(wrongTags("gcm", 16)).slice(0, 3)) {
			const call = opening("plain_gcm_open", message);
			const report = await skipInstructions(image, call, { accepted: ({ value }) => value === 0, sample: 1 });
			expect([what, report.accepted > 0]).toEqual([what, true]);
		}
	});

	test("a right verdict in a caller that makes 0 of it", async () => {
		const [key, hash, signature] =
			verification(q, sha256("another"), signatureOf(...signed(d, digest))).arguments ?? [];
		const call: Call = { routine: "plain_status", arguments: [key, hash, signature] as Uint8Array[], memory };
		const options = { accepted: ({ value }: { value: number }) => value === 0, every: ["plain_status"], sample: 0 };
		expect((await skipInstructions(image, call, options)).accepted).toBeGreaterThan(0);
	});
});

afterAll(() => {
	const head = ["wrong", "executed", "left out", "different ones", "refused", "fault", "hang", "accepted"];
	console.log([`| ${head.join(" | ")} |`, `| --- |${" --: |".repeat(7)}`, ...counts].join("\n"));
});
