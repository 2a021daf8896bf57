// `pericard bench crypto`: what it prints, that all of it is within its bounds, and that the documents say the same.

import { execFile, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { bearssl } from "../../tools/bearssl.mjs";
import { type CryptoReport, cryptoSources, measureCrypto } from "../../tools/bench/crypto.ts";

const ROOT = join(import.meta.dirname, "../..");
const missing = spawnSync("qemu-system-arm", ["--version"]).status !== 0;
const NAMES = [
	...["p256-sign", "p256-verify", "p256-ecdh", "x25519", "ed25519-sign", "ed25519-verify"],
	...["aes128-ctr", "aes128-ccm", "aes128-gcm", "sha256"],
];
/** How far a document's figure may be from the measured one; or by 1 in its last digit. */
const TOLERANCE = 0.01;

/** The cells of a table's rows, by the name in code quotes in their first cell, numbers without separators. */
function rows(file: string, heading: string): Map<string, string[]> {
	const page = readFileSync(join(ROOT, file), "utf8");
	const section = page.slice(page.indexOf(`\n${heading}\n`) + heading.length + 2).split(/^#+ /m)[0] ?? "";
	const found = new Map<string, string[]>();
	for (const line of section.split("\n")) {
		const [, name, ...cells] = line.split("|").map((cell) => cell.trim().replace(/(?<=\d)[ ,](?=\d{3})/g, ""));
		const quoted = /^`([\w-]+)`/.exec(name ?? "")?.[1];
		if (quoted !== undefined) found.set(quoted, cells.slice(0, -1));
	}
	return found;
}

/** Is every number of the cells near the expected one, and as absent? Else a row that says what was measured. */
function outdated(cells: readonly string[] | undefined, expected: readonly (number | null | undefined)[]): string {
	const near = expected.every((value, index) => {
		const cell = cells?.[index] ?? "";
		if (value === null || value === undefined) return cell === "" || cell === "none";
		const digit = 10 ** -(/\.(\d+)/.exec(cell)?.[1]?.length ?? 0);
		return /\d/.test(cell) && Math.abs(Number.parseFloat(cell) - value) <= Math.max(TOLERANCE * value, digit);
	});
	return near ? "" : `measured: ${expected.map((value) => value ?? "").join(" | ")}`;
}

describe.skipIf(missing)("pericard bench crypto", () => {
	let report: CryptoReport | undefined;
	beforeAll(async () => {
		report = await measureCrypto(() => {});
	}, 120_000);
	const details = () => new Map((report?.details ?? []).map((detail) => [detail.figure.name, detail]));

	test("every figure is within its bound, and the cycle model is what was computed by hand", () => {
		expect(report?.misses).toEqual([]);
	});

	test("the primitives are ahead of BearSSL in instructions, cycles and all that is published", () => {
		for (const name of NAMES) {
			const { figure, published, bound } = details().get(name) ?? {};
			const { baseline, cycles = Number.NaN, instructions = Number.NaN } = figure ?? {};
			expect(instructions).toBeLessThan(cycles);
			if (baseline === null) expect(name).toMatch(/^ed25519-/);
			else expect(cycles).toBeLessThan(baseline?.cycles ?? 0);
			if (baseline) expect(instructions).toBeLessThan(baseline.instructions);
			if (bound !== undefined) expect(cycles).toBeLessThanOrEqual(bound);
			/* SHA-256 of the best published code takes 28.8 cycles a byte. */
			if (published !== undefined && name !== "sha256") expect(cycles).toBeLessThan(published);
		}
	});

	test("a signature that is verified costs signing, the key's public one, verifying, and a look at the nonce", () => {
		const cycles = (name: string) => details().get(name)?.figure.cycles ?? Number.NaN;
		const p256 = cycles("p256-sign") + cycles("p256-verify") + cycles("p256-public");
		expect(cycles("p256-sign-verified") / p256).toBeGreaterThan(1);
		expect(cycles("p256-sign-verified") / p256).toBeLessThan(1.15);
		const edwards = cycles("ed25519-sign") + cycles("ed25519-verify");
		expect(cycles("ed25519-sign-verified") / edwards).toBeGreaterThan(1);
		expect(cycles("ed25519-sign-verified") / edwards).toBeLessThan(1.15);
	});

	test("docs/crypto.md has the figures", () => {
		const table = rows("docs/crypto.md", "## Cost");
		for (const { figure, codeBytes } of report?.details ?? []) {
			const { name, instructions, cycles, stackBytes, baseline } = figure;
			const ratio = baseline === null ? null : baseline.cycles / cycles;
			const expected = [instructions, cycles, stackBytes, codeBytes, baseline?.instructions, baseline?.cycles, ratio];
			expect(`${name}: ${outdated(table.get(name), expected)}`).toBe(`${name}: `);
		}
		for (const { name, bytes, baseline } of report?.sizes ?? []) {
			expect(`${name}: ${outdated(table.get(name), [bytes, baseline])}`).toBe(`${name}: `);
		}
	});

	test("README.md has the figures that have bounds", () => {
		const table = rows("README.md", "### Cryptography");
		for (const name of NAMES) {
			const { figure, bound, published } = details().get(name) ?? {};
			const expected = [figure?.cycles, figure?.baseline?.cycles, published, bound];
			expect(`${name}: ${outdated(table.get(name), expected)}`).toBe(`${name}: `);
		}
	});

	test("--json: an array of the figures, and nothing else on either stream", async () => {
		const bin = join(ROOT, "tools/bin/pericard.mjs");
		const { code, stdout, stderr } = await new Promise<{ code: unknown; stdout: string; stderr: string }>((done) => {
			execFile(process.execPath, [bin, "bench", "crypto", "--json"], { cwd: ROOT }, (error, out, text) =>
				done({ code: error?.code ?? 0, stdout: out, stderr: text }),
			);
		});
		expect(stderr).toBe("");
		expect(code).toBe(0);
		const figures = JSON.parse(stdout) as Record<string, unknown>[];
		expect(figures.slice(0, NAMES.length).map(({ name }) => name)).toEqual(NAMES);
		expect(figures).toEqual(report?.details.map(({ figure }) => figure));
		for (const figure of figures) {
			expect(Object.keys(figure)).toEqual(["name", "unit", "instructions", "cycles", "stackBytes", "baseline"]);
			expect(["operation", "byte"]).toContain(figure.unit);
			for (const key of ["instructions", "cycles", "stackBytes"]) expect(figure[key]).toBeGreaterThan(0);
			if (figure.baseline !== null) {
				expect(figure.baseline).toEqual({ instructions: expect.any(Number), cycles: expect.any(Number) });
			}
		}
		const units = figures.slice(0, NAMES.length).map(({ unit }) => unit);
		expect(units).toEqual([...Array(6).fill("operation"), ...Array(4).fill("byte")]);
	});
});

test("the product links none of the files that it is compared with, and all of them are pinned", () => {
	const library = cryptoSources().filter((file) => file.includes("/src/"));
	expect(library.length).toBeGreaterThan(0);
	for (const file of library) expect(file).not.toMatch(/\/(ec|int|hash|symcipher)\//);
	for (const path of ["src/ec/ec_p256_m31.c", "src/ec/ec_c25519_m31.c", "src/symcipher/aes_ct.c"]) {
		expect(bearssl.files[path]).toMatch(/^[0-9a-f]{64}$/);
	}
});
