// The figures of `pericard bench crypto`: what each primitive of native/crypto takes on a Cortex-M4F, beside BearSSL's own
// implementation in the same image, the best published figure and our bound. How instructions, cycles and stack are measured:
// docs/analysis.md.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { buildImage, compileImage, type Image, type ImageOptions } from "../analysis/image.ts";
import { type Call, type Machine, openMachine, Room } from "../analysis/machine.ts";
import { checkModel, comparedWithHardware, difference, handComputed, SEQUENCES } from "../analysis/model.ts";
import { seededBytes } from "../analysis/secrets.ts";
import { bearsslAdvice, bearsslFolder, bearsslProblem } from "../bearssl.mjs";
import { pericardRoot, readBoard } from "../build/board.ts";
import { BuildError } from "../build/errors.ts";
import { readManifest } from "../build/manifest.ts";

/** What one unit of a primitive takes. */
export interface CryptoCost {
	readonly instructions: number;
	readonly cycles: number;
}

/** A primitive. `unit` is what the figures are for: "operation", or "byte" of a message of 4 KiB. */
export interface CryptoFigure extends CryptoCost {
	readonly name: string;
	readonly unit: "operation" | "byte";
	/** Bytes of the stack that the whole call takes. */
	readonly stackBytes: number;
	/** BearSSL's implementation; null where it has none. */
	readonly baseline: CryptoCost | null;
}

/** What is known of a figure beside its measurement. Cycles, and bytes of code. */
export interface CryptoDetails {
	readonly figure: CryptoFigure;
	/** Bytes that an image has more for this operation alone; undefined where it isn't asked for. */
	readonly codeBytes: number | undefined;
	readonly baselineCodeBytes: number | undefined;
	readonly baselineStackBytes: number | undefined;
	/** Cycles of the best published code for this core. */
	readonly published: number | undefined;
	/** Cycles that it may take at most. */
	readonly bound: number | undefined;
}

/** Bytes of flash of a set of functions. */
export interface CodeSize {
	readonly name: string;
	readonly bytes: number;
	readonly baseline: number | null;
	readonly bound: number | undefined;
}

export interface CryptoReport {
	readonly details: readonly CryptoDetails[];
	readonly sizes: readonly CodeSize[];
	/** What the cycle model was checked with, a line each. */
	readonly model: readonly string[];
	/** Figures above their bound, and sequences of which the cycle model is wrong; empty if all is well. */
	readonly misses: readonly string[];
}

/** Bytes of stack that any operation may take. */
export const STACK_BOUND = 2560;
const KB = 1024;
const MESSAGE = 4 * KB;
/** What takes its figures from BearSSL at -O2, its authors' flag. */
const BASELINE_FLAGS = ["-O2"];
const baselineFiles = [
	...["ec_c25519_m31", "ec_p256_m31", "ec_secp256r1", "ec_secp384r1", "ec_secp521r1"].map((name) => `ec/${name}`),
	...["bits", "sign_raw", "vrfy_raw"].map((name) => `ec/ecdsa_i31_${name}`),
	...["add", "bitlen", "decmod", "decode", "encode", "fmont", "iszero", "modpow", "montmul", "muladd"].map(
		(name) => `int/i31_${name}`,
	),
	...["ninv31", "rshift", "sub", "tmont"].map((name) => `int/i31_${name}`),
	...["int/i32_div32", "hash/ghash_ctmul", "hash/sha2small"],
	...["aes_ct", "aes_ct_ctr", "aes_ct_ctrcbc", "aes_ct_enc"].map((name) => `symcipher/${name}`),
];
const NATIVE = "tools/bench/native";
const INCLUDE = ["native/crypto"];
const BOARD = "mps2-an386";
/** A flag for native/crypto: signatures leave without having been verified. What signing alone takes. */
export const UNVERIFIED = "-DMODDEF_CRYPTO_VERIFYSIGNATURES=0";

/** The C and assembler files of native/crypto as a firmware has them, but for its JavaScript. */
export function cryptoSources(): string[] {
	const manifest = join(pericardRoot, "native/crypto/manifest.json");
	const { natives } = readManifest(join(pericardRoot, "firmware/apps/ecg-patch"), readBoard(BOARD));
	const group = natives.find((one) => one.manifest === manifest);
	if (group === undefined) throw new Error(`ecg-patch has nothing of ${manifest}`);
	return group.sources.filter((file) => !/\/xs_\w+\.c$/.test(file));
}

/** An operation, and BearSSL's with the same arguments. */
export interface Operation {
	readonly name: string;
	/** Bytes that it works on, where the figures are by bytes. */
	readonly bytes?: number;
	readonly call: Call;
	readonly baseline?: Call;
	/** What both must give alike: `size` bytes at an argument, by its number, or at a variable. */
	readonly output?: { readonly at: number | string; readonly size: number };
	/** Cycles of the best published code for this core, and those that it may take at most. */
	readonly published?: number;
	readonly bound?: number;
	/** The routine gives no status. */
	readonly plain?: boolean;
	/** The signature is verified before it leaves, as the product does unless a manifest says otherwise. */
	readonly checked?: boolean;
	/** Beyond what has a bound. */
	readonly more?: boolean;
}

const P256_KEY = seededBytes(32, "P-256 key");
const P256_PEER_KEY = seededBytes(32, "P-256 key of the peer");
const X25519_KEY = seededBytes(32, "X25519 key");
const X25519_PEER = seededBytes(32, "X25519 key of the peer");
const ED25519_SEED = seededBytes(32, "Ed25519 seed");
const AES_KEY = seededBytes(32, "AES key");
const NONCE = seededBytes(13, "nonce");
const COUNTER = Uint8Array.of(...seededBytes(12, "counter"), 0, 0, 0, 2);
const DIGEST = seededBytes(32, "digest");
const DATA = seededBytes(MESSAGE, "message");
const TEXT = seededBytes(64, "text");

/** All that is measured, in the order of the table. Public keys and signatures are those that the machine itself makes. */
export async function operations(machine: Machine): Promise<Operation[]> {
	const made = async (routine: string, size: number, ...given: readonly (Uint8Array | number)[]) => {
		const run = await machine.call({ routine, arguments: [...given, new Room(size)] });
		return machine.read(run.arguments[given.length] ?? 0, size);
	};
	const publicKey = await made("pc_p256_public", 65, P256_KEY);
	const peer = await made("pc_p256_public", 65, P256_PEER_KEY);
	const signature = await made("pc_ecdsa_sign", 64, P256_KEY, DIGEST);
	const edwards = await made("pc_ed25519_public", 32, ED25519_SEED);
	const edwardsSignature = await made("pc_ed25519_sign", 64, ED25519_SEED, edwards, TEXT, TEXT.length);

	/* pc_x and baseline_x, with one argument list. */
	const both = (x: string, args: NonNullable<Call["arguments"]>, size: number) => ({
		call: { routine: `pc_${x}`, arguments: args },
		baseline: { routine: `baseline_${x}`, arguments: args },
		...(size > 0 ? { output: { at: args.findIndex((one) => one instanceof Room), size } } : {}),
	});
	const sign = { routine: "pc_ecdsa_sign", arguments: [P256_KEY, DIGEST, new Room(64)] };
	const edSign = { routine: "pc_ed25519_sign", arguments: [ED25519_SEED, edwards, TEXT, TEXT.length, new Room(64)] };
	const edVerify = { routine: "pc_ed25519_verify", arguments: [edwards, TEXT, TEXT.length, edwardsSignature] };

	const counter = (keySize: number) => {
		const key = AES_KEY.subarray(0, keySize);
		return {
			call: { routine: "pc_aes_ctr", arguments: [key, keySize, COUNTER, 32, DATA, MESSAGE] },
			baseline: { routine: "baseline_aes_ctr", arguments: [key, keySize, COUNTER, DATA, MESSAGE] },
		};
	};
	const sealed = (mode: "ccm" | "gcm", keySize: number, size = MESSAGE) => {
		const at = machine.image.address(`bench_${mode}`);
		const words = (...values: readonly number[]) => new Uint8Array(Uint32Array.from(values).buffer);
		const memory = [
			{ at: "bench_key", bytes: AES_KEY },
			{ at: "bench_nonce", bytes: NONCE },
			{ at: "bench_aad", bytes: NONCE },
			{ at: "bench_data", bytes: DATA },
			/* pc_aead: the second word is the key's size, the eighth the data's. */
			{ at: at + 4, bytes: words(keySize) },
			{ at: at + 28, bytes: words(size) },
		];
		return {
			call: { routine: `pc_aes_${mode}_encrypt`, arguments: [at], memory },
			baseline: { routine: `baseline_aes_${mode}_encrypt`, arguments: [at], memory },
			output: { at: "bench_data", size: MESSAGE },
		};
	};
	const hash = { arguments: [DATA, MESSAGE, new Room(32)] };
	const request = { arguments: [AES_KEY, 32, new Room(32), 32] };
	const bounded: Operation[] = [
		{ name: "p256-sign", ...both("ecdsa_sign", sign.arguments, 64), published: 375_000, bound: 450_000 },
		{
			name: "p256-verify",
			...both("ecdsa_verify", [publicKey, DIGEST, signature], 0),
			published: 976_000,
			bound: 1_100_000,
		},
		{
			name: "p256-ecdh",
			...both("p256_ecdh", [P256_KEY, peer, new Room(32)], 32),
			published: 906_000,
			bound: 1_050_000,
		},
		{
			name: "x25519",
			...both("x25519", [X25519_KEY, X25519_PEER, new Room(32)], 32),
			published: 548_873,
			bound: 700_000,
		},
		{ name: "ed25519-sign", call: edSign, published: 500_000, bound: 600_000 },
		{ name: "ed25519-verify", call: edVerify, published: 1_270_000, bound: 1_600_000 },
		{ name: "aes128-ctr", bytes: MESSAGE, ...counter(16), published: 80, bound: 90 },
		{ name: "aes128-ccm", bytes: MESSAGE, ...sealed("ccm", 16), bound: 185 },
		{ name: "aes128-gcm", bytes: MESSAGE, ...sealed("gcm", 16) },
		{
			name: "sha256",
			bytes: MESSAGE,
			call: { routine: "bench_sha256", ...hash },
			plain: true,
			baseline: { routine: "baseline_sha256", ...hash },
			output: { at: 2, size: 32 },
			published: 28.8,
			bound: 34,
		},
	];
	const more: Operation[] = [
		{ name: "p256-sign-verified", call: sign, checked: true },
		{ name: "p256-public", ...both("p256_public", [P256_KEY, new Room(65)], 65), published: 327_000 },
		{ name: "x25519-public", call: { routine: "pc_x25519_public", arguments: [X25519_KEY, new Room(32)] } },
		{ name: "ed25519-sign-verified", call: edSign, checked: true },
		{ name: "ed25519-public", call: { routine: "pc_ed25519_public", arguments: [ED25519_SEED, new Room(32)] } },
		{ name: "aes256-ctr", bytes: MESSAGE, ...counter(32) },
		{ name: "aes256-ccm", bytes: MESSAGE, ...sealed("ccm", 32) },
		{ name: "aes256-gcm", bytes: MESSAGE, ...sealed("gcm", 32) },
		{ name: "aes128-ccm-64", ...sealed("ccm", 16, 64) },
		{ name: "aes128-gcm-64", ...sealed("gcm", 16, 64) },
		{
			name: "hmac-sha256-32",
			...both("hmac_sha256", [AES_KEY, 32, DIGEST, 32, new Room(32)], 32),
			plain: true,
		},
		{
			name: "hkdf-sha256-32",
			...both("hkdf_sha256", [DIGEST, 32, AES_KEY, 32, TEXT, 16, new Room(32), 32], 32),
		},
		{
			name: "hmac-drbg-32",
			call: { routine: "bench_hmac_drbg", ...request },
			plain: true,
			baseline: { routine: "baseline_hmac_drbg", ...request },
			output: { at: 2, size: 32 },
		},
		{
			name: "sha512",
			bytes: MESSAGE,
			call: { routine: "bench_sha512", arguments: [DATA, MESSAGE, new Room(64)] },
			plain: true,
		},
	];
	return [...bounded, ...more.map((operation) => ({ ...operation, more: true }))];
}

const round = (value: number) => Math.round(value * 100) / 100;

/** A call behind another that has warmed it up: what an engine does before its first use only is no part of it. */
async function runWarm(machine: Machine, { output, bytes = 1 }: Operation, call: Call) {
	await machine.call(call);
	const run = await machine.call({ ...call, keep: true });
	const at = typeof output?.at === "number" ? (run.arguments[output.at] ?? 0) : output?.at;
	return {
		cost: { instructions: round(run.instructions / bytes), cycles: round(run.cycles / bytes) },
		stack: run.stack,
		value: run.value,
		result:
			output === undefined || at === undefined ? "" : Buffer.from(await machine.read(at, output.size)).toString("hex"),
	};
}

/** The functions of the suite that docs/crypto.md compares: hashing, key derivation, random numbers, CCM, ECDSA, ECDH, X25519. */
const SUITE = {
	ours: [
		...["begin", "update", "end"].map((name) => `pc_sha256_${name}`),
		...["begin", "reseed", "generate"].map((name) => `pc_hmac_drbg_${name}`),
		...["pc_hkdf_sha256", "pc_aes_ccm_encrypt", "pc_aes_ccm_decrypt", "pc_p256_public", "pc_p256_ecdh"],
		...["pc_ecdsa_sign", "pc_ecdsa_verify", "pc_x25519", "pc_x25519_public"],
	],
	baseline: [
		...["sha256", "hkdf_sha256", "hmac_drbg", "aes_ccm_encrypt", "aes_ccm_decrypt", "p256_public", "p256_ecdh"],
		...["ecdsa_sign", "ecdsa_verify", "x25519"],
	].map((name) => `baseline_${name}`),
	bound: 32 * KB,
};

/** Every function that crypto.h declares. */
export function frontDoor(): string[] {
	const header = readFileSync(join(pericardRoot, "native/crypto/crypto.h"), "utf8");
	return [...header.matchAll(/^(?:\w+ )+\*?(pc_\w+)\(/gm)].map(([, name]) => name as string);
}

/** Images of native/crypto beside BearSSL's own implementations. */
class Images {
	readonly #crypto = cryptoSources();
	readonly #others: ImageOptions["sources"];
	#link: Awaited<ReturnType<typeof compileImage>> | undefined;
	#empty: number | undefined;

	constructor() {
		const library = baselineFiles.map((name) => join(bearsslFolder(), "src", `${name}.c`));
		const baseline = [...library, `${NATIVE}/baseline.c`].map((file) => ({ file, cflags: BASELINE_FLAGS }));
		this.#others = [...baseline, `${NATIVE}/calls.c`, SEQUENCES];
	}

	/** An image of functions and variables; `cflags` are for native/crypto's own files. */
	build(entries: readonly string[], ...cflags: readonly string[]): Promise<Image> {
		return buildImage({ sources: this.#sources(cflags), include: INCLUDE, entries });
	}

	#sources(cflags: readonly string[]): ImageOptions["sources"] {
		return [...this.#crypto.map((file) => ({ file, cflags })), ...this.#others];
	}

	/** Bytes of flash that functions take with all that they need: what an image has more than one without them. */
	async code(...entries: readonly string[]): Promise<number> {
		this.#link ??= await compileImage({ sources: this.#sources([]), include: INCLUDE });
		this.#empty ??= (await this.#link([])).flash;
		return (await this.#link(entries)).flash - this.#empty;
	}
}

/** The machines that operations run in, and what tells that one went well. */
interface Bench {
	/** Signatures leave as they are made. */
	readonly machine: Machine;
	/** Signatures are verified before they leave, as in the product. */
	readonly product: Machine;
	readonly ok: number;
}

/** Builds both images, runs `use`, and ends the machines. */
async function withBench<T>(images: Images, use: (bench: Bench) => Promise<T>): Promise<T> {
	const problem = bearsslProblem();
	if (problem !== undefined) throw new BuildError(`${problem}\n${bearsslAdvice()}`);
	const variables = ["key", "nonce", "aad", "data", "ccm", "gcm", "ok"].map((name) => `bench_${name}`);
	const called = ["sha256", "sha512", "hmac_drbg"].map((name) => `bench_${name}`);
	const others = ["hmac_sha256", "aes_ctr", "aes_gcm_encrypt", "aes_gcm_decrypt"].map((name) => `baseline_${name}`);
	const entries = [...frontDoor(), ...SUITE.baseline, ...others, ...variables, ...called, ...Object.keys(handComputed)];
	const machine = await openMachine(await images.build(entries, UNVERIFIED));
	try {
		const product = await openMachine(await images.build(entries));
		try {
			const [ok = 0] = new Uint32Array((await machine.read("bench_ok", 4)).buffer);
			return await use({ machine, product, ok });
		} finally {
			await product.close();
		}
	} finally {
		await machine.close();
	}
}

interface Measured {
	readonly figure: CryptoFigure;
	readonly baselineStackBytes: number | undefined;
}

/** Runs an operation and BearSSL's. Throws if it fails, or if their results differ. */
async function measure({ machine, product, ok }: Bench, operation: Operation): Promise<Measured> {
	const { name, bytes, call, baseline, checked, plain } = operation;
	const ours = await runWarm(checked ? product : machine, operation, call);
	if (!plain && ours.value !== ok) throw new Error(`${call.routine} fails with ${ours.value}`);
	const other = baseline === undefined ? undefined : await runWarm(machine, operation, baseline);
	if (other !== undefined && other.result !== ours.result) throw new Error(`${name}: BearSSL's result is another one`);
	const unit = bytes === undefined ? "operation" : "byte";
	const figure: CryptoFigure = { name, unit, ...ours.cost, stackBytes: ours.stack, baseline: other?.cost ?? null };
	return { figure, baselineStackBytes: other?.stack };
}

/** The figures of the primitives that have a name in `pericard bench` too: those before the rest of the table. */
export async function primitives(): Promise<CryptoFigure[]> {
	return withBench(new Images(), async (bench) => {
		const figures: CryptoFigure[] = [];
		for (const operation of (await operations(bench.machine)).filter(({ more }) => !more)) {
			figures.push((await measure(bench, operation)).figure);
		}
		return figures;
	});
}

/** Measures everything. Throws if the sources are missing, or if ours and BearSSL's results differ. */
export async function measureCrypto(progress: (message: string) => void): Promise<CryptoReport> {
	const misses: string[] = [];
	const details: CryptoDetails[] = [];
	const images = new Images();
	progress("building");
	await withBench(images, async (bench) => {
		progress("checking the cycle model");
		misses.push(...(await checkModel(bench.machine)).map((line) => `the cycle model: ${line}`));
		for (const operation of await operations(bench.machine)) {
			const { name, call, baseline, published, bound } = operation;
			progress(name);
			const { figure, baselineStackBytes } = await measure(bench, operation);
			const { cycles, stackBytes } = figure;
			if (bound !== undefined && cycles > bound) misses.push(`${name}: ${cycles} cycles, at most ${bound}`);
			if (stackBytes > STACK_BOUND) misses.push(`${name}: ${stackBytes} bytes of stack, at most ${STACK_BOUND}`);
			const codeBytes = await images.code(call.routine);
			const baselineCodeBytes = baseline === undefined ? undefined : await images.code(baseline.routine);
			details.push({ figure, baselineStackBytes, codeBytes, baselineCodeBytes, published, bound });
		}
	});
	progress("code");
	const suite = await images.code(...SUITE.ours);
	if (suite > SUITE.bound) misses.push(`code-suite: ${suite} bytes, at most ${SUITE.bound}`);
	const sizes = [
		{ name: "code-suite", bytes: suite, baseline: await images.code(...SUITE.baseline), bound: SUITE.bound },
		{ name: "code-all", bytes: await images.code(...frontDoor()), baseline: null, bound: undefined },
	];
	const compared = comparedWithHardware.map(({ published, model }) => Number(difference(published, model)));
	const range = [Math.min(...compared), Math.max(...compared)].map((value) => `${value < 0 ? "" : "+"}${value} %`);
	const model = [
		`${Object.keys(handComputed).length} sequences take what was computed by hand from the manual`,
		`${compared.length} figures of others, measured on hardware: ${range.join(" to ")} (docs/analysis.md)`,
	];
	return { details, sizes, model, misses };
}
