// The core of native/entropy on this machine, with the sanitizers: the health tests of SP 800-90B at their exact limits, and
// that what comes out is HMAC_DRBG over the conditioned noise and nothing else.

import { execFileSync, spawnSync } from "node:child_process";
import { createHash, createHmac } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cryptoIncludes, cryptoObjects } from "./crypto-native.ts";

const root = join(import.meta.dirname, "../..");
const dir = mkdtempSync(join(tmpdir(), "pericard-entropy-"));
const program = join(dir, "generator");
afterAll(() => rmSync(dir, { recursive: true, force: true }));

beforeAll(async () => {
	const sources = ["native/entropy/generator.c", "test/native/entropy/generator.c"].map((file) => join(root, file));
	const flags = ["-std=c11", "-g", "-O1", "-Wall", "-Wextra", "-Wconversion", "-Werror"];
	flags.push("-fsanitize=address,undefined", "-fno-sanitize-recover=all", `-I${join(root, "native/entropy")}`);
	const args = [...flags, ...cryptoIncludes, ...sources, ...(await cryptoObjects()), "-no-pie", "-o", program];
	execFileSync("gcc", args, { stdio: ["ignore", "pipe", "pipe"] });
}, 120_000);

const READY = 0;
const HUNGRY = 1;
const FAILED = 2;
const OK = 0;
const UNAVAILABLE = 1;
const STUCK = 2;
const BIASED = 3;

interface Line {
	readonly state: number;
	readonly failure: number;
	/** Bytes of noise so far. */
	readonly taken: number;
	readonly given: string;
	readonly secret: boolean;
}

function run(noise: Uint8Array, ...commands: readonly (string | number)[]): Line[] {
	const { stdout, stderr, status } = spawnSync(program, commands.map(String), { input: noise, encoding: "utf8" });
	expect(status, stderr).toBe(0);
	return stdout
		.trim()
		.split("\n")
		.map((line) => {
			const [state = "", failure = "", taken = "", given = "", secret = ""] = line.split(" ");
			return {
				state: Number(state),
				failure: Number(failure),
				taken: Number(taken),
				given: given === "-" ? "" : given,
				secret: secret === "1",
			};
		});
}

/** Noise in which no byte follows itself, and none comes more than twice or so in a window. */
function even(size: number): Uint8Array {
	return Uint8Array.from({ length: size }, (_, i) => (i * 167 + (i >> 8) * 13) & 255);
}

/** Puts so many of a byte, in a row, into noise that has none of it around. */
function withRun(size: number, at: number, count: number, byte = 0x77): Uint8Array {
	const noise = even(size).map((value) => (value === byte ? byte ^ 1 : value));
	noise.fill(byte, at, at + count);
	return noise;
}

describe("the start-up test", () => {
	test("takes 1,024 bytes before anything comes out", () => {
		const [before, early, after, bytes] = run(even(2000), "feed", 1023, "random", 16, "feed", 500, "random", 16);
		expect(before).toMatchObject({ state: HUNGRY, failure: OK, taken: 1023 });
		expect(early).toMatchObject({ state: HUNGRY, given: "" });
		// Not one byte more than it needs.
		expect(after).toMatchObject({ state: READY, taken: 1024 });
		expect(bytes?.given).toHaveLength(32);
	});

	test("a source that gives nothing, or too little, is unavailable", () => {
		for (const size of [0, 1, 1023]) {
			const [line, bytes] = run(even(size), "feed", 1024, "random", 16);
			expect(line).toEqual({ state: FAILED, failure: UNAVAILABLE, taken: size, given: "", secret: false });
			expect(bytes).toMatchObject({ state: FAILED, given: "" });
		}
	});
});

describe("repetition count test (SP 800-90B 4.4.1)", () => {
	test.each([0, 1, 300, 1015])("8 equal bytes in a row pass, the 9th fails: at byte %i", (at) => {
		expect(run(withRun(1024, at, 8), "feed", 1024)[0]).toMatchObject({ state: READY });
		expect(run(withRun(1024, at, 9), "feed", 1024)[0]).toEqual({
			state: FAILED,
			failure: STUCK,
			taken: at + 9,
			given: "",
			secret: false,
		});
	});

	test("equal bytes of zero count, also at the very start", () => {
		expect(run(new Uint8Array(1024), "feed", 1024)[0]).toMatchObject({ failure: STUCK, taken: 9 });
	});

	test("a run across two requests for noise counts", () => {
		const [, line] = run(withRun(1024, 100, 9), "feed", 104, "feed", 900);
		expect(line).toMatchObject({ failure: STUCK, taken: 109 });
	});
});

describe("adaptive proportion test (SP 800-90B 4.4.2)", () => {
	/** A window whose first byte comes `count` times in it, spread out. */
	function window(count: number, from = 0): Uint8Array {
		const noise = even(2048).map((value) => (value === 0x77 ? 0x76 : value));
		for (let i = 0; i < count; i++) noise[from + i * 7] = 0x77;
		return noise;
	}

	test.each([0, 512])("70 of the first byte in a window pass, the 71st fails: window at %i", (from) => {
		expect(run(window(70, from), "feed", 1024)[0]).toMatchObject({ state: READY });
		expect(run(window(71, from), "feed", 1024)[0]).toEqual({
			state: FAILED,
			failure: BIASED,
			taken: from + 70 * 7 + 1,
			given: "",
			secret: false,
		});
	});

	test("only the first byte of a window is counted, and each window anew", () => {
		// 0x77 often, but no window begins with it; and 70 in each of two windows.
		expect(run(window(140, 1).fill(1, 512, 513), "feed", 1024)[0]).toMatchObject({ state: READY });
		const both = window(70, 0);
		for (let i = 0; i < 70; i++) both[512 + i * 7] = 0x77;
		expect(run(both, "feed", 1024)[0]).toMatchObject({ state: READY });
	});

	test("goes on behind the start: a source that turns biased is found when it is asked again", () => {
		const noise = new Uint8Array(4096);
		noise.set(even(1024));
		for (let i = 1024; i < noise.length; i++) noise[i] = (i * i + (i >> 3)) & 3;
		const requests = (count: number) => Array.from({ length: count }, () => ["random", 1]).flat();
		const lines = run(
			noise,
			"feed",
			1024,
			...requests(256),
			"feed",
			128,
			...requests(256),
			"feed",
			128,
			...requests(256),
			"feed",
			400,
		);
		expect(lines.at(-1)).toMatchObject({ state: FAILED, failure: BIASED, secret: false });
	});
});

describe("failure", () => {
	test("is for good, and leaves no secret", () => {
		const noise = new Uint8Array(4096);
		noise.set(even(1024));
		noise.set(even(2000).reverse(), 1200);
		const requests = Array.from({ length: 256 }, () => ["random", 32]).flat();
		const lines = run(noise, "feed", 1024, ...requests, "feed", 128, "random", 32, "feed", 2000, "random", 32);
		expect(lines[0]).toMatchObject({ state: READY, secret: true });
		// The last request of 256 is still answered; then noise is due, which is stuck.
		expect(lines[256]).toMatchObject({ state: HUNGRY, secret: true });
		expect(lines[256]?.given).toHaveLength(64);
		expect(lines[257]).toEqual({ state: FAILED, failure: STUCK, taken: 1033, given: "", secret: false });
		for (const line of lines.slice(258)) expect(line).toMatchObject({ state: FAILED, taken: 1033, given: "" });
	});
});

describe("what comes out", () => {
	const sha256 = (data: Uint8Array) => createHash("sha256").update(data).digest();
	const hmac = (key: Uint8Array, ...data: Uint8Array[]) =>
		createHmac("sha256", key).update(Buffer.concat(data)).digest();

	/** HMAC_DRBG with SHA-256 (SP 800-90A 10.1.2), from the text of the standard. */
	class Drbg {
		#key: Uint8Array = new Uint8Array(32);
		#v: Uint8Array = new Uint8Array(32).fill(1);

		constructor(seed: Uint8Array) {
			this.update(seed);
		}

		update(data: Uint8Array): void {
			this.#key = hmac(this.#key, this.#v, Buffer.of(0), data);
			this.#v = hmac(this.#key, this.#v);
			if (data.length === 0) return;
			this.#key = hmac(this.#key, this.#v, Buffer.of(1), data);
			this.#v = hmac(this.#key, this.#v);
		}

		generate(size: number): string {
			const parts: Uint8Array[] = [];
			for (let length = 0; length < size; length += 32) {
				this.#v = hmac(this.#key, this.#v);
				parts.push(this.#v);
			}
			this.update(new Uint8Array());
			return Buffer.concat(parts).subarray(0, size).toString("hex");
		}
	}

	test("is HMAC_DRBG of the digests of the noise, seeded anew after 256 requests", () => {
		const noise = even(1024 + 128);
		const sizes = [32, 1, 0, 100, 33, ...Array.from({ length: 251 }, (_, i) => i % 50), 64, 65536];
		const commands = sizes.flatMap((size, i) => (i === 256 ? ["feed", 500, "random", size] : ["random", size]));
		const lines = run(noise, "feed", 2000, ...commands);
		const drbg = new Drbg(Buffer.concat([sha256(noise.subarray(0, 512)), sha256(noise.subarray(512, 1024))]));
		const given = lines.filter((_, i) => i !== 0 && i !== 257).map((line) => line.given);
		expect(given).toHaveLength(sizes.length);
		for (const [i, size] of sizes.entries()) {
			if (i === 256) drbg.update(sha256(noise.subarray(1024)));
			expect(given[i], `request ${i}`).toBe(drbg.generate(size));
		}
		expect(lines[257]).toMatchObject({ state: READY, taken: 1152 });
	});

	test("is at most 65,536 bytes at once", () => {
		const lines = run(even(1024), "feed", 1024, "random", 65537);
		expect(lines[1]?.given).toBe("");
	});
});

describe("cut-offs", () => {
	/** The least k with P(X <= k) >= 1 - alpha, X binomial: CRITBINOM of SP 800-90B 4.4.2, in exact numbers. */
	function criticalBinomial(n: number, hits: bigint, of: bigint, alpha: bigint): number {
		const power = (base: bigint, exponent: number) => base ** BigInt(exponent);
		const all = power(of, n);
		let ways = 1n;
		let sum = 0n;
		for (let k = 0; k <= n; k++) {
			if (k > 0) ways = (ways * BigInt(n - k + 1)) / BigInt(k);
			sum += ways * power(hits, k) * power(of - hits, n - k);
			if (sum * alpha >= all * (alpha - 1n)) return k;
		}
		return n;
	}

	test("are those of the standard for 4 bits a byte and 2^-30", () => {
		const h = 4;
		expect(1 + Math.ceil(30 / h)).toBe(9);
		expect(1 + criticalBinomial(512, 1n, 1n << BigInt(h), 1n << 30n)).toBe(71);
	});
});
