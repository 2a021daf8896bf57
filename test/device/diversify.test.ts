// Images in an order of functions that a seed gives: the same behaviour at other addresses, attested as what they are.

import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";
import { type Build, buildFirmware } from "../../tools/build/build.ts";
import { diverseRegions } from "../../tools/build/diversify.ts";
import { readElf } from "../../tools/build/elf.ts";
import { policyFor } from "../../tools/cli/attest.ts";
import { ManagementClient } from "../../tools/harness/management.ts";
import { Challenger } from "../../tools/verifier/challenger.ts";
import { appPath, describeAt, mps2, posix, withBuild } from "./boards.ts";

vi.setConfig({ testTimeout: 300_000 });

const SECONDS = { seconds: 60 };

const folder = mkdtempSync(join(tmpdir(), "pericard-diversity-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const builds = new Map<string, Promise<Build>>();

/** An image of a test's app, in the order of a seed or, without one, the linker's. */
function image(app: string, board: string, seed?: string): Promise<Build> {
	const key = JSON.stringify([app, board, seed]);
	const build = builds.get(key) ?? buildFirmware({ app: appPath(app), board, out: folder, diversify: seed });
	builds.set(key, build);
	return build;
}

/** Where each function of the regions that are shuffled is. */
function functions(build: Build): Map<string, number> {
	const { symbols } = readElf(readFileSync(build.elf), build.elf);
	const at = (name: string) => symbols.find((symbol) => symbol.name === name)?.value ?? 0;
	const ranges = diverseRegions.map((name) => [at(`__${name}_start`), at(`__${name}_end`)] as const);
	const found = new Map<string, number>();
	const twice = new Set<string>();
	for (const { name, value, type, defined } of symbols) {
		if (type !== 2 || !defined || !ranges.some(([start, end]) => value >= start && value < end)) continue;
		if (found.has(name)) twice.add(name);
		found.set(name, value);
	}
	for (const name of twice) found.delete(name);
	return found;
}

/** The share of functions that are elsewhere in another image. */
function moved(one: Build, other: Build): number {
	const [first, second] = [functions(one), functions(other)];
	expect([...second.keys()].sort()).toEqual([...first.keys()].sort());
	expect(first.size).toBeGreaterThan(1000);
	return [...first].filter(([name, address]) => second.get(name) !== address).length / first.size;
}

function files(build: Build): Map<string, Buffer> {
	const names = readdirSync(build.dir).filter((name) => statSync(join(build.dir, name)).isFile());
	return new Map(names.map((name) => [name, readFileSync(join(build.dir, name))]));
}

describeAt([mps2], "a seed", (place) => {
	test("moves almost every function, and none out of its region", async () => {
		const plain = await image("attestation", place.board);
		const one = await image("attestation", place.board, "device 1");
		const two = await image("attestation", place.board, "device 2");
		for (const [a, b] of [
			[one, two],
			[plain, one],
			[plain, two],
		] as const) {
			expect(moved(a, b)).toBeGreaterThan(0.98);
		}
		const { diversity } = one;
		const sizes = diversity?.regions.map(({ name, units, functions }) => [name, units > 1, functions >= units / 2]);
		expect(sizes).toEqual(diverseRegions.map((name) => [name, true, true]));
		expect(diversity?.permutationEntropyBits).toBeGreaterThan(10_000);
		expect(JSON.parse(readFileSync(join(one.dir, "attestation.diversity.json"), "utf8"))).toEqual(diversity);
		expect(plain.diversity).toBeUndefined();
		/* Each region of code has another digest; what is no code of the device has not. */
		const values = (build: Build) =>
			new Map(build.reference.components.flatMap(({ entries }) => entries.map(({ name, value }) => [name, value])));
		const [first, second] = [values(one), values(two)];
		const names = ["vectors", "host", "xs", "native", "library"];
		for (const name of names) expect(second.get(name), name).not.toBe(first.get(name));
		for (const name of ["directory", "module:main"]) expect(second.get(name), name).toBe(first.get(name));
	});

	test("gives the same bytes in any folder", async () => {
		const copies = ["here", "there/and/further"].map((name) => join(folder, name, "twin"));
		const [one, two] = await Promise.all(
			copies.map((app) => {
				cpSync(appPath("attestation"), app, { recursive: true });
				return buildFirmware({ app, board: place.board, out: join(app, "build"), diversify: "device 1" });
			}),
		);
		const [first, second] = [files(one as Build), files(two as Build)];
		expect([...second.keys()]).toEqual([...first.keys()]);
		for (const [name, bytes] of first) expect(second.get(name)?.equals(bytes), name).toBe(true);
	});

	test("leaves the language as it is", async () => {
		await withBuild(place, await image("conformance", place.board, "device 1"), async (device) => {
			expect(await device.run(60)).toBe("ended");
			const summary = device.records().find((record) => record.event === "tests");
			expect(summary).toMatchObject({ passed: 49, failed: 0, skipped: 0 });
		});
	});
});

/* Code of the second app moves while it runs. */
describe.each([
	[mps2, "attestation"],
	[mps2, "firmware/apps/ecg-patch"],
	[posix, "attestation"],
] as const)("with a seed, %o: %s", (place, app) => {
	test("is attested: affirmed by its own reference values, refused by another's", async () => {
		const one = await image(app, place.board, "device 1");
		const two = await image(app, place.board, "device 2");
		const plain = await image(app, place.board);
		await withBuild(place, one, async (device) => {
			const client = new ManagementClient(device);
			const link = {
				identify: () => client.identify(SECONDS),
				attest: (nonce: Uint8Array) => client.attest(nonce, SECONDS),
			};
			const judge = async ({ reference }: Build) => {
				const verifier = new Challenger(link, { references: [reference], policy: policyFor(place.board) });
				await verifier.enrol();
				return (await verifier.attest()).result;
			};
			expect((await judge(one)).verdict).toBe("affirming");
			for (const other of [two, plain]) {
				const { verdict, components } = await judge(other);
				expect(verdict).toBe("contraindicated");
				const status = new Map(components.map((component) => [component.name, component.status]));
				expect(["native", "xs", "app"].map((name) => status.get(name) === "ok")).toEqual([false, false, true]);
			}
		});
	});
});

test("nrf52840dk: an image in another order fits, without a gap", async () => {
	const plain = await image("attestation", "nrf52840dk");
	const one = await image("attestation", "nrf52840dk", "device 1");
	expect(moved(plain, one)).toBeGreaterThan(0.98);
	expect(Math.abs(one.size.flashTotal - plain.size.flashTotal)).toBeLessThan(2048);
});
