// The key-value store's promise: test/native/storage/powercut.c on the real C, and proof that it would see a broken store.

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compile, root, run, sanitized, scratch, source, store } from "./storage-native.ts";

const dir = scratch();
const crc = join(root, "native/crc/crc.c");
let program = "";

beforeAll(() => {
	const sources = [source("powercut.c"), source("nor.c"), store, crc];
	program = compile(
		"gcc",
		["-O2", "-Wconversion", "-Wno-sign-conversion", ...sanitized],
		sources,
		join(dir, "powercut"),
	);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

interface Report {
	readonly suite: string;
	readonly [figure: string]: string | number;
}

async function suite(name: string): Promise<Report> {
	const { status, stdout, stderr } = await run(program, [name]);
	expect(stderr).toBe("");
	expect(status).toBe(0);
	return JSON.parse(stdout) as Report;
}

describe("power cuts", { timeout: 300_000 }, () => {
	test("at every flash operation of many workloads leave the state before or after", async () => {
		const report = await suite("cuts");
		expect(report.cuts).toBeGreaterThan(50_000);
		expect(report.writes).toBeGreaterThan(200_000);
	});

	test("in the recovery from a power cut are survived too", async () => {
		expect((await suite("double-cuts")).cuts).toBeGreaterThan(100_000);
	});
});

describe("the store", { timeout: 120_000 }, () => {
	test("spreads wear over all sectors, static data too", async () => {
		const report = await suite("wear");
		expect(Number(report.erases_max) - Number(report.erases_min)).toBeLessThanOrEqual(1);
		expect(report.erases_min).toBeGreaterThan(50);
	});

	test("refuses what doesn't fit, loses nothing then, and can still delete", async () => {
		expect((await suite("full")).erases_of_a_delete).toBeLessThanOrEqual(1);
	});

	test("gives no wrong value for any flipped bit", async () => {
		const report = await suite("flips");
		expect(Number(report.harmless) + Number(report.reported)).toBe(3 * 1024 * 8);
	});

	test("reports a flash that lies or fails", async () => {
		expect((await suite("lies")).reported).toBeGreaterThan(1000);
	});

	test("mounts any image and makes a store of it", async () => {
		expect((await suite("garbage")).images).toBe(180);
	});
});

// Each breaks one step that the design needs. The tests above must notice, or they prove nothing.
const mutants: readonly (readonly [what: string, suite: string, from: string, to: string])[] = [
	[
		"commits a record before its payload",
		"cuts",
		"program_words(store, address, words, 3) && program_payload(",
		"program_words(store, address, words, 3) && " +
			"program_word(store, address + 4 * COMMIT, seal(at->sequence, at->slots, words)) && program_payload(",
	],
	[
		"leaves an interrupted record undecided",
		"cuts",
		"return program_word(store, address + 4 * COMMIT, 0);",
		"return true;",
	],
	["leaves a commit word weak", "cuts", "!program_word(store, address + 4 * COMMIT, words[COMMIT]) ||", ""],
	["leaves a sector header weak", "cuts", "settle_header(store) && settle_slots(store)", "settle_slots(store)"],
	["leaves a weak header in the next sector", "cuts", "if (any != 0 && header_read(", "if (false && header_read("],
	[
		"leaves a weak slot",
		"cuts",
		"if (!store->closed && fits(&at, SLOT_SIZE)) {",
		"if (!store->closed) {} else if (false) {",
	],
	[
		"opens the last free sector without moving the oldest",
		"cuts",
		"kv_status status = copy_live(store, tail, &to, true);",
		"kv_status status = KV_OK; (void)copy_live;",
	],
	[
		"takes any header for valid",
		"flips",
		"if (words[COMMIT] != seal(sequence, index, words)) {",
		"if (words[COMMIT] == ERASED) {",
	],
	[
		"takes any payload for valid",
		"flips",
		"r.value_size + r.key_size) == s->crc;",
		"r.value_size + r.key_size) != s->crc + 1;",
	],
	["lets an old value come back for a damaged one", "flips", "|| !slot_intact(store, sequence, s);", ";"],
	[
		"mends no slot",
		"flips",
		"if (!mending || !mend(sequence, index, words)) {",
		"(void)mend; if (mending || !mending) {",
	],
	["doesn't read back the commit word", "lies", "&& load(store, address + 4 * COMMIT) == commit;", ";"],
	["doesn't check an erase", "lies", " || !erased(store, address, store->flash->sector)", ""],
	["keeps no room for deletes", "full", "#define RESERVE (SLOT_SIZE + KV_KEY_MAX)", "#define RESERVE 4u"],
];

describe("the tests notice a store that", { timeout: 300_000 }, () => {
	const text = readFileSync(store, "utf8");
	const objects = ["powercut.c", "nor.c"].map((name) => join(dir, `${name}.o`));

	beforeAll(() => {
		compile("gcc", ["-O2", "-c"], [source("powercut.c")], objects[0] as string);
		compile("gcc", ["-O2", "-c"], [source("nor.c")], objects[1] as string);
		compile("gcc", ["-O2", "-c"], [crc], join(dir, "crc.o"));
	});

	test.each(mutants)("%s", async (_what, name, from, to) => {
		expect(text.split(from).length, `"${from}" must be in kv.c`).toBeGreaterThan(1);
		const file = join(dir, "mutant.c");
		writeFileSync(file, text.replaceAll(from, to));
		const mutant = compile("gcc", ["-O2", "-Wno-error"], [...objects, file, join(dir, "crc.o")], join(dir, "mutant"));
		const { status, stderr } = await run(mutant, [name]);
		expect(stderr).toMatch(new RegExp(`^${name}: `));
		expect(status).toBe(1);
	});
});
