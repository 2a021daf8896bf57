// Published vectors (test/data/crypto) on every processor.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Case, wrongCases } from "./crypto-cases.ts";
import { CryptoDriver, type Processor } from "./crypto-native.ts";

const folder = join(import.meta.dirname, "../data/crypto");

interface Vector {
	readonly line: number;
	readonly operation: string;
	readonly arguments: readonly string[];
	readonly status: string;
	/** Hex; undefined if it is not looked at. */
	readonly out: string | undefined;
}

/** The notation of test/data/crypto/README.md, to hex. */
function expand(word: string): string {
	if (word === "-") return "";
	const [, repeated, times] = /^([0-9a-f]+)\*(\d+)$/.exec(word) ?? [];
	if (repeated !== undefined) return repeated.repeat(Number(times));
	const [, kind, first, size] = /^(count|ones):([0-9a-f]+)\/(\d+)$/.exec(word) ?? [];
	if (kind !== undefined) {
		const value = (i: number) =>
			kind === "count"
				? (Number.parseInt(first as string, 16) + i) % 256
				: (0xff00 >> Math.min(8, Math.max(0, Number(first) - 8 * i))) % 256;
		return Buffer.from(Array.from({ length: Number(size) }, (_, i) => value(i))).toString("hex");
	}
	if (!/^([0-9a-f]{2})+$/.test(word)) throw new Error(`what is "${word}"?`);
	return word;
}

/** Sections by their comment. */
function read(file: string): Map<string, Vector[]> {
	const sections = new Map<string, Vector[]>();
	let title: string[] = [];
	for (const [index, text] of readFileSync(join(folder, file), "utf8").split("\n").entries()) {
		if (text === "") {
			title = [];
		} else if (text.startsWith("# ")) {
			title.push(text.slice(2));
		} else {
			const [call = "", answer = ""] = text.split(" > ");
			const [operation = "", ...words] = call.split(" ");
			const [status = "", out = ""] = answer.split(" ");
			const vector = {
				line: index + 1,
				operation,
				arguments: words.map(expand),
				status,
				out: out === "?" ? undefined : out,
			};
			const name = title.join(" ");
			sections.set(name, [...(sections.get(name) ?? []), vector]);
		}
	}
	return sections;
}

/** What more a vector of authenticated encryption says: its result opens, and with a changed tag it doesn't. */
function opened(vector: Vector): Vector[] {
	const mode = /^(ccm|gcm)-encrypt$/.exec(vector.operation)?.[1];
	if (mode === undefined || vector.out === undefined) return [];
	const [key, nonce, aad, data, tagSize] = vector.arguments as [string, string, string, string, string];
	const sealed = vector.out.slice(0, data.length);
	const tag = vector.out.slice(data.length);
	expect(tag.length).toBe(2 * Number.parseInt(tagSize, 16));
	const changed = tag.slice(0, -1) + (Number.parseInt(tag.slice(-1), 16) ^ 1).toString(16);
	const open = { line: vector.line, operation: `${mode}-decrypt` };
	return [
		{ ...open, arguments: [key, nonce, aad, sealed, tag], status: "ok", out: data + tag },
		{
			...open,
			arguments: [key, nonce, aad, sealed, changed],
			status: "forged",
			out: "0".repeat(data.length) + changed,
		},
	];
}

function asCase({ operation, arguments: words, status, out }: Vector): Case {
	const call = [operation, ...words] as const;
	return out === undefined ? { call, status } : { call, status, out: Buffer.from(out, "hex") };
}

const files = readdirSync(folder).filter((name) => name.endsWith(".txt"));
/* What must be there: a file that is read as if it were empty would pass. */
const counts: Readonly<Record<string, number>> = {
	"25519.txt": 28,
	"aes.txt": 728,
	"ccm.txt": 236,
	"gcm.txt": 168,
	"mac.txt": 17,
	"p256.txt": 211,
	"sha.txt": 210,
	"wycheproof.txt": 398,
};

test("every file of vectors is read, and whole", () => {
	const read_ = files.map((file) => [file, [...read(file).values()].reduce((sum, list) => sum + list.length, 0)]);
	expect(Object.fromEntries(read_)).toEqual(counts);
});

describe.each<Processor>(["this machine", "Cortex-M4", "Cortex-M3"])("on %s", (processor) => {
	let driver: CryptoDriver;
	beforeAll(async () => {
		driver = await CryptoDriver.start(processor);
	});
	afterAll(() => driver.close());

	for (const file of files) {
		describe(file, () => {
			for (const [title, vectors] of read(file)) {
				test(title, async () => {
					const cases = vectors.flatMap((vector) => [vector, ...opened(vector)]).map(asCase);
					expect(await wrongCases(driver, cases)).toEqual([]);
				});
			}
		});
	}
});
