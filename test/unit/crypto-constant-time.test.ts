// Does the time of native/crypto tell a secret? Each routine runs in the emulated Cortex-M4 with secrets as different as can be,
// and what it executes and where it reads and writes must be the same for all. Also how much stack each takes, and how long it works before
// it says so.

import { spawnSync } from "node:child_process";
import { createCipheriv, createECDH } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildImage, type Image } from "../../tools/analysis/image.ts";
import { type Call, type Machine, openMachine, Room } from "../../tools/analysis/machine.ts";
import { secretValues, seededBytes } from "../../tools/analysis/secrets.ts";
import { compareTraces } from "../../tools/analysis/trace.ts";
import { cryptoSources, frontDoor, STACK_BOUND, UNVERIFIED } from "../../tools/bench/crypto.ts";

const missing = spawnSync("qemu-system-arm", ["--version"]).status !== 0;
/** Instructions that may lie between two calls of pc_crypto_spend. */
const LONGEST = 8000;
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

const bytesOf = (value: bigint) => Uint8Array.from(Buffer.from(value.toString(16).padStart(64, "0"), "hex"));
const numberOf = (value: Uint8Array) => BigInt(`0x${Buffer.from(value).toString("hex")}`);

/** Private keys of P-256, 1 to n - 1: the ends, the middle, and those of secretValues that are. */
function scalars(random: number): Uint8Array[] {
	const edges = [1n, 2n, 3n, ORDER - 1n, ORDER - 2n, ORDER / 2n, ORDER / 2n + 1n, (1n << 255n) - 1n].map(bytesOf);
	const others = secretValues(32, random).filter((value) => numberOf(value) > 0n && numberOf(value) < ORDER);
	return [...edges, ...others];
}

const digest = seededBytes(32, "digest");
const nonce = seededBytes(13, "nonce");
const nonce16 = seededBytes(16, "nonce of 16");
const message = seededBytes(77, "message");
const counter = Uint8Array.of(...seededBytes(12, "counter"), 0, 0, 0, 2);
const peerOf = (curve: string) => {
	const ecdh = createECDH(curve);
	ecdh.setPrivateKey(seededBytes(32, "peer"));
	return Uint8Array.from(ecdh.getPublicKey());
};
const p256Peer = peerOf("prime256v1");
const x25519Peer = seededBytes(32, "X25519 peer");

interface Subject {
	readonly name: string;
	readonly routine: string;
	readonly secrets: readonly Uint8Array[];
	arguments(secret: Uint8Array, image: Image): NonNullable<Call["arguments"]>;
	memory?(secret: Uint8Array, image: Image): NonNullable<Call["memory"]>;
}

/** A message of `data` for the routines of AES-CCM and AES-GCM: what bench_ccm and bench_gcm point to (tools/bench/native). */
function aead(image: Image, mode: "ccm" | "gcm", key: Uint8Array, data: Uint8Array, tag: Uint8Array) {
	const at = image.address(`bench_${mode}`);
	const word = (value: number) => new Uint8Array(Uint32Array.of(value).buffer);
	return [
		{ at: "bench_key", bytes: key },
		{ at: "bench_nonce", bytes: nonce },
		{ at: "bench_aad", bytes: nonce },
		{ at: "bench_data", bytes: data },
		{ at: "bench_tag", bytes: tag },
		{ at: at + 4, bytes: word(key.length) },
		{ at: at + 28, bytes: word(data.length) },
	];
}

/** What the device gives for it, so that it may be decrypted: [data, tag]. */
function sealed(mode: "ccm" | "gcm", key: Uint8Array, data: Uint8Array): [Uint8Array, Uint8Array] {
	const name = `aes-${key.length * 8}-${mode}` as "aes-128-ccm";
	const length = mode === "ccm" ? 8 : 16;
	const cipher = createCipheriv(name, key, nonce.subarray(0, mode === "ccm" ? 13 : 12), { authTagLength: length });
	cipher.setAAD(nonce, { plaintextLength: data.length });
	const result = Buffer.concat([cipher.update(data), cipher.final()]);
	return [Uint8Array.from(result), Uint8Array.from(cipher.getAuthTag())];
}

/** Everything that works on a secret, and the secrets to try it with. `random`: how many of them are random. */
function subjects(random: number): Subject[] {
	const seeds = secretValues(32, random);
	const keys = scalars(random);
	const data = secretValues(message.length, random);
	const list: Subject[] = [
		{ name: "P-256, public key", routine: "pc_p256_public", secrets: keys, arguments: (key) => [key, new Room(65)] },
		{
			name: "P-256, ECDH",
			routine: "pc_p256_ecdh",
			secrets: keys,
			arguments: (key) => [key, p256Peer, new Room(32)],
		},
		{
			name: "ECDSA, signing",
			routine: "pc_ecdsa_sign",
			secrets: keys,
			arguments: (key) => [key, digest, new Room(64)],
		},
		{
			name: "ECDSA, signing where the public key is known",
			routine: "pc_ecdsa_sign_with",
			secrets: keys,
			arguments: (key) => [key, p256Peer, digest, new Room(64)],
		},
		{
			name: "X25519, public key",
			routine: "pc_x25519_public",
			secrets: seeds,
			arguments: (key) => [key, new Room(32)],
		},
		{
			name: "X25519",
			routine: "pc_x25519",
			secrets: seeds,
			arguments: (key) => [key, x25519Peer, new Room(32)],
		},
		{
			name: "Ed25519, public key",
			routine: "pc_ed25519_public",
			secrets: seeds,
			arguments: (seed) => [seed, new Room(32)],
		},
		{
			name: "Ed25519, signing",
			routine: "pc_ed25519_sign",
			secrets: seeds,
			arguments: (seed) => [seed, 0, message, message.length, new Room(64)],
		},
		{
			name: "GHASH, key",
			routine: "pc_ghash",
			secrets: secretValues(16, random),
			arguments: (h) => [new Uint8Array(16), h, message, message.length],
		},
		{
			name: "GHASH, data",
			routine: "pc_ghash",
			secrets: data,
			arguments: (text) => [new Uint8Array(16), nonce16, text, text.length],
		},
		{
			name: "SHA-256",
			routine: "bench_sha256",
			secrets: data,
			arguments: (text) => [text, text.length, new Room(32)],
		},
		{
			name: "SHA-512",
			routine: "bench_sha512",
			secrets: data,
			arguments: (text) => [text, text.length, new Room(64)],
		},
		{
			name: "HMAC, key",
			routine: "pc_hmac_sha256",
			secrets: seeds,
			arguments: (key) => [key, key.length, message, message.length, new Room(32)],
		},
		{
			name: "HMAC, key longer than a block",
			routine: "pc_hmac_sha256",
			secrets: data,
			arguments: (key) => [key, key.length, message, message.length, new Room(32)],
		},
		{
			name: "HMAC-SHA-512",
			routine: "pc_hmac_sha512",
			secrets: seeds,
			arguments: (key) => [key, key.length, message, message.length, new Room(64)],
		},
		...["pc_hkdf_sha256", "pc_hkdf_sha512"].map((routine) => ({
			name: `HKDF, ${routine}`,
			routine,
			secrets: seeds,
			arguments: (key: Uint8Array) => [nonce, nonce.length, key, key.length, nonce, 5, new Room(80), 80],
		})),
		{
			name: "HMAC_DRBG",
			routine: "bench_hmac_drbg",
			secrets: secretValues(48, random),
			arguments: (seed) => [seed, seed.length, new Room(70), 70],
		},
		{
			name: "comparing",
			routine: "pc_equal",
			secrets: seeds,
			arguments: (secret) => [secret, seededBytes(32, "secret/0"), secret.length],
		},
	];
	for (const size of [16, 32]) {
		const bits = size * 8;
		const aesKeys = secretValues(size, random);
		const key = seededBytes(size, "AES key");
		list.push(
			{
				name: `AES-${bits}-CTR, key`,
				routine: "pc_aes_ctr",
				secrets: aesKeys,
				arguments: (secret) => [secret, size, counter, 32, message, message.length],
			},
			{
				name: `AES-${bits}-CTR, data`,
				routine: "pc_aes_ctr",
				secrets: data,
				arguments: (text) => [key, size, counter, 32, text, text.length],
			},
		);
		for (const mode of ["ccm", "gcm"] as const) {
			const shared = { arguments: (_: Uint8Array, image: Image) => [image.address(`bench_${mode}`)] };
			const encrypt = { ...shared, routine: `pc_aes_${mode}_encrypt` };
			const decrypt = { ...shared, routine: `pc_aes_${mode}_decrypt` };
			const name = `AES-${bits}-${mode.toUpperCase()}`;
			const none = new Uint8Array(16);
			list.push(
				{
					name: `${name}, encryption, key`,
					...encrypt,
					secrets: aesKeys,
					memory: (secret, image) => aead(image, mode, secret, message, none),
				},
				{
					name: `${name}, encryption, data`,
					...encrypt,
					secrets: data,
					memory: (text, image) => aead(image, mode, key, text, none),
				},
				{
					name: `${name}, decryption, key`,
					...decrypt,
					secrets: aesKeys,
					memory: (secret, image) => aead(image, mode, secret, ...sealed(mode, secret, message)),
				},
				{
					name: `${name}, decryption, data`,
					...decrypt,
					secrets: data,
					memory: (text, image) => aead(image, mode, key, ...sealed(mode, key, text)),
				},
				{
					name: `${name}, a tag that is not right`,
					...decrypt,
					secrets: secretValues(16, random),
					memory: (tag, image) => aead(image, mode, key, message, tag),
				},
			);
		}
	}
	return list;
}

/** A machine for the tests of a group: native/crypto, signing without the check of the signature, and what the tests add. */
function place(...cflags: readonly string[]) {
	const held: { machine?: Machine } = {};
	beforeAll(async () => {
		const own = ["leaky", "spend"].map((name) => `test/native/crypto/${name}.c`);
		const variables = ["key", "nonce", "aad", "data", "tag", "ccm", "gcm"].map((name) => `bench_${name}`);
		const image = await buildImage({
			sources: [...cryptoSources().map((file) => ({ file, cflags })), "tools/bench/native/calls.c", ...own],
			include: ["native/crypto"],
			entries: [
				...new Set(subjects(1).map(({ routine }) => routine)),
				...[
					"pc_ecdsa_verify",
					"pc_ed25519_verify",
					"pc_p256_check_nonce",
					"pc_ed25519_check_nonce",
					"pc_sha256_vtable",
					"pc_crypto_spend",
					"spend_hook",
					"spend_told",
					...variables,
				],
				...["leaky_equal", "leaky_table", "leaky_power"],
			],
		});
		held.machine = await openMachine(image);
	});
	afterAll(() => held.machine?.close());
	return () => {
		if (held.machine === undefined) throw new Error("the image was not built");
		return held.machine;
	};
}

/** The engines' known-answer tests are done: they would run before each first use, on nothing secret. */
const TESTED = { at: "tested", bytes: new Uint8Array(4).fill(0xff) };

/** `size` bytes that a routine writes to its last argument. */
async function made(machine: Machine, routine: string, size: number, ...given: readonly (Uint8Array | number)[]) {
	const run = await machine.call({ routine, arguments: [...given, new Room(size)] });
	return machine.read(run.arguments[given.length] ?? 0, size);
}

async function compare(machine: Machine, { routine, secrets, arguments: args, memory }: Subject): Promise<void> {
	const calls = secrets.map((secret): Call => {
		const data = memory?.(secret, machine.image) ?? [];
		return { routine, arguments: args(secret, machine.image), memory: [...data, TESTED] };
	});
	const report = await compareTraces(machine, calls);
	expect(report.text).toBe(`${routine}: ${calls.length} runs, one trace of ${report.instructions} instructions`);
}

describe.skipIf(missing)("the same instructions and addresses whatever the secret is", () => {
	const machine = place(UNVERIFIED);

	test.each(subjects(8))("$name", (subject) => compare(machine(), subject));

	/* What the product does with a key beside signing. Verification itself works on nothing secret. */
	test("the look at a signature's nonce, ECDSA", async () => {
		const calls: Call[] = [];
		for (const key of scalars(8)) {
			const signature = await made(machine(), "pc_ecdsa_sign", 64, key, digest);
			/* br_ec_private_key: the curve's number, where the key is, and its size. */
			const words = Uint32Array.of(23, machine().image.address("bench_key"), 32);
			calls.push({
				routine: "pc_p256_check_nonce",
				arguments: [machine().image.address("pc_sha256_vtable"), digest, new Uint8Array(words.buffer), signature],
				memory: [{ at: "bench_key", bytes: key }],
			});
		}
		await expectRight(calls);
	});

	test("the look at a signature's nonce, Ed25519", async () => {
		const calls: Call[] = [];
		for (const seed of secretValues(32, 8)) {
			const key = await made(machine(), "pc_ed25519_public", 32, seed);
			const signature = await made(machine(), "pc_ed25519_sign", 64, seed, key, message, message.length);
			calls.push({
				routine: "pc_ed25519_check_nonce",
				arguments: [signature, seed, key, message, message.length],
			});
		}
		await expectRight(calls);
	});

	/** All say yes, with one trace. */
	async function expectRight(calls: readonly Call[]): Promise<void> {
		for (const call of calls) expect((await machine().call(call)).value).toBe(1);
		const report = await compareTraces(machine(), calls);
		expect(report.text).toBe(
			`${calls[0]?.routine}: ${calls.length} runs, one trace of ${report.instructions} instructions`,
		);
	}

	test.each([
		["leaky_equal", "branch", (secret: Uint8Array) => [secret, seededBytes(32, "secret/0"), 32]],
		["leaky_table", "address", (secret: Uint8Array) => [secret, 32]],
		["leaky_power", "branch", (secret: Uint8Array) => [new Uint8Array(16), nonce16, secret, 32]],
	] as const)("%s is caught", async (routine, kind, args) => {
		const calls = secretValues(32, 2).map((secret): Call => ({ routine, arguments: args(secret) }));
		const { constant, differences } = await compareTraces(machine(), calls);
		expect(constant).toBe(false);
		expect(differences[0]?.kind).toBe(kind);
		expect(machine().image.place(differences[0]?.instruction ?? 0).symbol).toBe(routine);
	});
});

test("every function of crypto.h is compared, but those that see no secret or are part of another", () => {
	const parts = ["sha256", "sha512"].flatMap((hash) => ["begin", "update", "end"].map((step) => `pc_${hash}_${step}`));
	const others = ["begin", "reseed", "generate"].map((step) => `pc_hmac_drbg_${step}`);
	const open = ["pc_wipe", "pc_ecdsa_verify", "pc_ed25519_verify"];
	const compared = subjects(1).map(({ routine }) => routine);
	expect(frontDoor().filter((name) => ![...compared, ...parts, ...others, ...open].includes(name))).toEqual([]);
	expect(frontDoor().length).toBeGreaterThan(25);
});

describe.skipIf(missing)("what an operation takes, signatures verified before they leave", () => {
	const machine = place();
	const long = seededBytes(4096, "long");
	const key = seededBytes(32, "key");
	const words = (...values: readonly number[]) => new Uint8Array(Uint32Array.from(values).buffer);

	/* One call of each subject, the largest messages, and verification. */
	const calls: Record<string, (image: Image) => Call | Promise<Call>> = {};
	for (const { name, routine, secrets, arguments: args, memory } of subjects(1)) {
		const secret = secrets.at(-1) ?? key;
		calls[name] = (image) => ({ routine, arguments: args(secret, image), memory: memory?.(secret, image) ?? [] });
	}
	for (const [mode, tag] of [
		["ccm", 8],
		["gcm", 16],
	] as const) {
		calls[`AES-256-${mode.toUpperCase()} of 4 KiB`] = (image) => ({
			routine: `pc_aes_${mode}_encrypt`,
			arguments: [image.address(`bench_${mode}`)],
			memory: aead(image, mode, key, long, new Uint8Array(tag)),
		});
	}
	calls["AES-256-CTR of 4 KiB"] = () => ({
		routine: "pc_aes_ctr",
		arguments: [key, 32, counter, 32, long, long.length],
	});
	calls["SHA-256 of 4 KiB"] = () => ({ routine: "bench_sha256", arguments: [long, long.length, new Room(32)] });
	calls["SHA-512 of 4 KiB"] = () => ({ routine: "bench_sha512", arguments: [long, long.length, new Room(64)] });
	calls["ECDSA, verifying"] = async () => {
		const signature = await made(machine(), "pc_ecdsa_sign", 64, key, digest);
		return {
			routine: "pc_ecdsa_verify",
			arguments: [await made(machine(), "pc_p256_public", 65, key), digest, signature],
		};
	};
	calls["Ed25519, verifying"] = async () => {
		const publicKey = await made(machine(), "pc_ed25519_public", 32, key);
		const signature = await made(machine(), "pc_ed25519_sign", 64, key, publicKey, message, message.length);
		return { routine: "pc_ed25519_verify", arguments: [publicKey, message, message.length, signature] };
	};

	test.each(Object.keys(calls))("%s", async (name) => {
		const call = (await calls[name]?.(machine().image)) as Call;
		const { image } = machine();
		const hook = image.address("spend_hook");
		const memory = [...(call.memory ?? []), { at: "pc_crypto_spend", bytes: words(hook | 1) }];
		const { stack, instructions } = await machine().call({ ...call, memory }, { record: true });
		expect(stack).toBeLessThanOrEqual(STACK_BOUND);

		/* An entry of the list is an instruction if its second word is 0. */
		const { words: steps } = await machine().list();
		let longest = 0;
		let since = 0;
		for (let at = 0; at < steps.length; at += 2) {
			if (steps[at + 1] !== 0) continue;
			since = steps[at] === hook ? 0 : since + 1;
			longest = Math.max(longest, since);
		}
		expect(longest).toBeLessThanOrEqual(LONGEST);
		const [told = 0] = new Uint32Array((await machine().read("spend_told", 4)).buffer);
		if (instructions > 200_000) expect(Math.abs(told / instructions - 1)).toBeLessThan(0.15);
	});
});

describe.skipIf(missing)("the portable twins too, compiled for that core", () => {
	const machine = place(UNVERIFIED, "-DPC_KERNELS_PORTABLE");

	test.each(subjects(2))("$name", (subject) => compare(machine(), subject));
});
