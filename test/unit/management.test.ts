// The frames of the management link: the device's receiver and sender in C (native/management) against the host's in
// TypeScript (tools/harness/framing.ts), against the check values of RFC 1662, and under libFuzzer.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeFrame, fcs16, LineSplitter } from "../../tools/harness/framing.ts";
import { has, run, sanitized } from "./storage-native.ts";

const ROOT = join(import.meta.dirname, "../..");
const dir = mkdtempSync(join(tmpdir(), "pericard-management-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function compile(compiler: string, flags: readonly string[], main: string): string {
	const output = join(dir, main.replace(".c", ""));
	const sources = [join(ROOT, "test/native/management", main), join(ROOT, "native/management/management.c")];
	const strict = ["-std=c11", "-g", "-Wall", "-Wextra", "-Werror", `-I${join(ROOT, "native/management")}`];
	execFileSync(compiler, [...strict, ...flags, ...sources, "-o", output], { stdio: ["ignore", "pipe", "pipe"] });
	return output;
}

/** Numbers from 0 to 2^32 - 1 that are the same in every run (xorshift32). */
function numbers(seed: number): () => number {
	let state = seed;
	return () => {
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		return state >>> 0;
	};
}

/** Bytes with more ENDs, escapes and types than chance gives. */
function noise(next: () => number, size: number): Uint8Array {
	const often = [0xc0, 0xdb, 0xdc, 0xdd, 0xa8, 0x41];
	return Uint8Array.from({ length: size }, () =>
		next() % 3 === 0 ? (often[next() % often.length] ?? 0) : next() & 0xff,
	);
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const bytes = (text: string) => new Uint8Array(Buffer.from(text, "hex"));
const split = (line: Uint8Array, longest?: number) => new LineSplitter(longest).push(line);

describe("frames in TypeScript", () => {
	test("the check is RFC 1662's", () => {
		// The catalogue's CRC-16/IBM-SDLC: check value 0x906e, residue 0xf0b8.
		expect(fcs16(Buffer.from("123456789")) ^ 0xffff).toBe(0x906e);
		expect(fcs16([...Buffer.from("123456789"), 0x6e, 0x90])).toBe(0xf0b8);
	});

	test("a frame to the byte, with both escapes", () => {
		expect(hex(encodeFrame(bytes("01")))).toBe(`c0a801${hex(check("a801"))}c0`);
		expect(hex(encodeFrame(bytes("c0db")))).toMatch(/^c0a8dbdcdbdd....c0$/);
	});

	function check(text: string): Uint8Array {
		const value = fcs16(bytes(text)) ^ 0xffff;
		return Uint8Array.of(value & 0xff, value >> 8);
	}

	test("text and frames on one line come apart, in pieces of any size", () => {
		const line = Buffer.concat([
			Buffer.from("grüße\n"),
			encodeFrame(bytes("0102c0")),
			Buffer.from("\x1e{}\n"),
			encodeFrame(bytes("")),
			encodeFrame(bytes("ff")),
			Buffer.from("end"),
		]);
		for (const step of [1, 2, 3, line.length]) {
			const splitter = new LineSplitter();
			const text: Uint8Array[] = [];
			const frames: string[] = [];
			for (let at = 0; at < line.length; at += step) {
				const found = splitter.push(line.subarray(at, at + step));
				text.push(found.text);
				frames.push(...found.frames.map(hex));
			}
			expect(Buffer.concat(text).toString()).toBe("grüße\n\x1e{}\nend");
			expect(frames).toEqual(["0102c0", "", "ff"]);
		}
	});

	test("damaged frames are dropped, and the next one is found", () => {
		const good = encodeFrame(bytes("0a0b0c"));
		const damages = [
			good.map((byte, index) => (index === 3 ? byte ^ 1 : byte)), // wrong check
			good.subarray(0, 4), // truncated
			Uint8Array.of(0xc0, 0xa8, 0xdb), // an escape at the end: aborted
			Uint8Array.of(0xc0, 0xa8, 0xdb, 0x00, 0xc0), // no escape
			Uint8Array.of(0xc0, 0xa9, 1, 2, 3, 0xc0), // somebody else's
			Uint8Array.of(0xc0, 0xa8, 0xc0),
		];
		for (const damage of damages) {
			expect(split(Buffer.concat([damage, good])).frames.map(hex), hex(damage)).toEqual(["0a0b0c"]);
		}
	});

	test("what is too long for a frame is text", () => {
		const line = Buffer.concat([Uint8Array.of(0xc0, 0xa8), Buffer.from("x".repeat(300))]);
		expect(Buffer.from(split(line).text).toString("latin1")).toBe(`\xa8${"x".repeat(300)}`);
	});

	test("a sender that was cut off leaves nothing behind", () => {
		const splitter = new LineSplitter();
		splitter.push(encodeFrame(bytes("010203")).subarray(0, 4));
		splitter.break();
		expect(Buffer.from(splitter.push(Buffer.from("hello")).text).toString()).toBe("hello");
	});
});

describe("the device's frames against the host's", () => {
	let program = "";
	beforeAll(() => {
		program = compile("gcc", ["-O1", ...sanitized], "frames.c");
	});
	const filter = (words: readonly string[], input: Uint8Array) => {
		const { status, stdout, stderr } = spawnSync(program, words, { input, maxBuffer: 1 << 26 });
		expect(status, stderr.toString()).toBe(0);
		return stdout;
	};
	const received = (line: Uint8Array, longest: number) =>
		filter(["receive", String(longest)], line)
			.toString()
			.split("\n")
			.slice(0, -1);

	test("sent by one, received by the other", () => {
		const next = numbers(1);
		for (let size = 0; size <= 64; size++) {
			const payload = noise(next, size);
			const line = encodeFrame(payload);
			expect(hex(filter(["send"], payload))).toBe(hex(line));
			expect(received(line, 64)).toEqual([hex(payload)]);
		}
	});

	test("both find the same frames in a megabyte of noise with frames in it", () => {
		const next = numbers(2);
		const parts: Uint8Array[] = [];
		for (let size = 0; size < 1_000_000; ) {
			const frame = encodeFrame(noise(next, next() % 40));
			const damaged = next() % 4 === 0 ? frame.map((byte) => (next() % 16 === 0 ? next() & 0xff : byte)) : frame;
			const part = next() % 2 === 0 ? noise(next, next() % 60) : damaged;
			parts.push(part);
			size += part.length;
		}
		const line = Buffer.concat(parts);
		const found = received(line, 32);
		expect(found.length).toBeGreaterThan(5000);
		expect(found).toEqual(split(line, 32).frames.map(hex));
	});
});

const clang = ["clang", "clang-14"].find(has);

describe("fuzzing the receiver (needs clang)", () => {
	test.skipIf(clang === undefined)(
		"any bytes do no harm, and the next frame is found",
		{ timeout: 200_000 },
		async () => {
			const program = compile(clang as string, ["-O1", "-fsanitize=fuzzer", ...sanitized], "fuzz.c");
			const { status, stderr } = await run(program, [
				"-runs=80000",
				"-seed=1",
				"-max_len=400",
				"-max_total_time=100",
				"-len_control=0",
				`-artifact_prefix=${dir}/`,
			]);
			expect(status, stderr.slice(-4000)).toBe(0);
			expect(stderr).toContain("DONE");
		},
	);
});
