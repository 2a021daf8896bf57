// The keystore on the boards: what keys do, that they survive power cuts, and that their bytes are nowhere else.

import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { Build } from "../../tools/build/build.ts";
import type { Device, DeviceRecord } from "../../tools/harness/device.ts";
import { describeAt, eachBoard, mps2, nrf, type Place, tierOne, withDevice } from "./boards.ts";

const dir = mkdtempSync(join(tmpdir(), "pericard-keys-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const reports = (device: Device, type: string): unknown[] =>
	device
		.records()
		.filter((record: DeviceRecord) => record.event === "report" && record.type === type)
		.map((record) => record.data);

/* ---- where keys are, told from outside: docs/keys.md has the record ---- */

const SECRET = 32;
const POINT = 64;
const types = { "ecdsa-p256": 1, "ecdh-p256": 2, "hmac-sha256": 3, "aes-128": 4, attestation: 5 };

/** The key that the storage area holds for a public key. */
function secretIn(flash: Buffer, type: keyof typeof types, publicKey: string): Buffer {
	const head = Buffer.from([1, types[type], 0, 0]);
	const point = Buffer.from(publicKey, "hex").subarray(1);
	expect(point).toHaveLength(POINT);
	const at = flash.indexOf(point) - SECRET;
	expect(at).toBeGreaterThan(0);
	expect(flash.subarray(at - head.length, at)).toEqual(head);
	return flash.subarray(at, at + SECRET);
}

async function readAll(device: Device, start: number, end: number): Promise<Buffer> {
	const parts: Uint8Array[] = [];
	for (let at = start; at < end; at += 16384) parts.push(await device.readMemory(at, Math.min(16384, end - at)));
	return Buffer.concat(parts);
}

const symbol = (build: Build, name: string): number => {
	const value = build.symbols.get(name);
	if (value === undefined) throw new Error(`the image has no ${name}`);
	return value;
};

const storageOf = (device: Device, build: Build): Promise<Buffer> =>
	readAll(device, symbol(build, "__storage_start"), symbol(build, "__storage_end"));

/** All RAM of a board; of a process its variables, its heap, the fibre's stack (but for the guard) and what is mapped of the C
 * stack. */
async function ramOf(device: Device, build: Build): Promise<Buffer> {
	if (build.board !== "posix") return readAll(device, symbol(build, "__ram_start"), symbol(build, "__ram_end"));
	const fibre = symbol(build, "pc_fibre_stack");
	const limit = Buffer.from(await device.readMemory("stack_limit", 8)).readBigUInt64LE();
	const parts = [
		await readAll(device, symbol(build, "__bss_start"), fibre),
		await readAll(device, fibre + 4096, symbol(build, "_end")),
	];
	for (let page = Number(limit); page < Number(limit) + (2 << 20); page += 4096) {
		parts.push(Buffer.from(await device.readMemory(page, 4096).catch(() => new Uint8Array())));
	}
	return Buffer.concat(parts);
}

/** Forms in which a private key may lie about: as it is, from its end, and in limbs of 31 bits. */
function formsOf(secret: Buffer): Buffer[] {
	let number = BigInt(`0x${secret.toString("hex")}`);
	const limbs = Buffer.alloc(36);
	for (let i = 0; i < 9; i++, number >>= 31n) limbs.writeUInt32LE(Number(number & 0x7fffffffn), 4 * i);
	return [secret, Buffer.from(secret).reverse(), limbs];
}

const holds = (memory: Buffer, secret: Buffer): boolean => formsOf(secret).some((form) => memory.includes(form));

/* ---- tests ---- */

describeAt(eachBoard, "keystore", (place) => {
	test("keys do what they are for and nothing else, and those with a label stay", { timeout: 600_000 }, async () => {
		await withDevice(place, "keystore", async (device) => {
			expect(await device.run(60)).toBe("ended");
			const records = device.records();
			expect(records.filter((record) => record.event === "test" && record.ok === false)).toEqual([]);
			expect(records.find((record) => record.event === "tests")).toMatchObject({ passed: 11, failed: 0 });
			expect(reports(device, "after")).toEqual([{ boots: 2, types: ["ecdsa-p256", "aes-128", null, null], count: 14 }]);
			if (place.board !== "posix") expect(reports(device, "stack")[0]).toBeLessThan(4200);
		});
	});
});

describeAt(tierOne, "keystore", (place) => {
	test("no private key stays in RAM", { timeout: 600_000 }, async () => {
		await withDevice(place, "keystore-wipe", async (device, build) => {
			/** Runs to a line, and looks all the way whether RAM holds this key. */
			const seenUntil = async (text: string, secret: Buffer): Promise<boolean> => {
				let seen = false;
				const from = device.output().length;
				for (let i = 0; i < 300 && !device.output().slice(from).includes(text); i++) {
					await device.run(0.002);
					seen ||= !seen && holds(await ramOf(device, build), secret);
				}
				expect(device.output().slice(from)).toContain(text);
				return seen;
			};
			await device.waitFor("ready", { seconds: 10 });
			const [{ attestation, signing }] = reports(device, "public") as [Record<string, string>];
			const flash = await storageOf(device, build);
			const secrets = [secretIn(flash, "attestation", attestation ?? ""), secretIn(flash, "ecdsa-p256", signing ?? "")];
			for (const [i, secret] of secrets.entries()) {
				// Not after it was made, but while it signs; so what is looked for would be found.
				expect(holds(await ramOf(device, build), secret)).toBe(false);
				device.write("go\n", 1);
				expect(await seenUntil(`signed ${i}`, secret)).toBe(true);
				expect(holds(await ramOf(device, build), secret)).toBe(false);
			}
			// A key that is destroyed goes from flash, too.
			device.write("go\n", 1);
			await device.waitFor("destroyed", { seconds: 5 });
			const [attestationSecret, signingSecret] = secrets as [Buffer, Buffer];
			const now = await storageOf(device, build);
			expect(now.includes(attestationSecret)).toBe(true);
			expect(now.includes(signingSecret)).toBe(false);
		});
	});
});

describeAt(tierOne, "keystore", (place) => {
	test("JavaScript gets the attestation key in no way", { timeout: 600_000 }, async () => {
		await withDevice(place, "keystore-attack", async (device, build) => {
			await device.waitFor("ready", { seconds: 10 });
			const [attestation] = reports(device, "public") as [string];
			const secret = secretIn(await storageOf(device, build), "attestation", attestation);
			// What it looks for; a way that finds it must say so.
			device.write(`${secret.toString("hex")}\n`, 1);
			await device.waitFor(/"attacked".*\n/, { seconds: 60 });
			const attempts = reports(device, "attempt") as { name: string; result: string; found: boolean }[];
			const control = attempts.filter(({ name }) => name.startsWith("control"));
			expect(control.length).toBeGreaterThanOrEqual(3);
			for (const attempt of control) expect(attempt, attempt.name).toMatchObject({ found: true });
			const attacks = attempts.filter(({ name }) => !name.startsWith("control"));
			expect(attacks.length).toBeGreaterThan(50);
			expect(attacks.filter(({ found }) => found)).toEqual([]);
			await device.run(0.1);
			expect(device.records().at(-1)).toMatchObject({ event: "end", status: 0 });
		});
	});
});

describeAt([mps2, nrf], "making the key", (place) => {
	test("holds nothing up for longer than a slice", { timeout: 600_000 }, async () => {
		await withDevice(
			place,
			"keystore-slices",
			async (device) => {
				expect(await device.run(5)).toBe("ended");
				const marks = await device.marks();
				const slices = marks.flatMap((mark, i) => (i % 2 === 1 ? [Number(mark - (marks[i - 1] ?? 0n))] : []));
				expect(slices.length).toBeGreaterThan(20);
				expect(Math.max(...slices)).toBeLessThanOrEqual(64_000);
				expect(Math.max(...slices)).toBeGreaterThan(30_000);
			},
			{ device: { markAt: ["hal_fibre_resume", "hal_fibre_suspend"] } },
		);
	});
});

/* ---- power cuts ---- */

interface Boot {
	readonly boots: number;
	readonly key: string;
}

/** Boots a storage once, with the power cut at flash operation `cut` if it is given; what it reported, if it came to that. */
async function boot(place: Place, storage: string, cut = 0): Promise<{ cut: boolean; told: Boot | undefined }> {
	return withDevice(
		place,
		"keystore-boot",
		async (device) => {
			if (cut > 0) device.powerCutAtFlashOperation(cut);
			const reason = await device.run(10);
			expect(["ended", "power-cut"]).toContain(reason);
			return { cut: reason === "power-cut", told: reports(device, "keys")[0] as Boot | undefined };
		},
		{ device: { storage } },
	);
}

describeAt(tierOne, "power cuts", (place) => {
	test("in the first boot leave no key, or the one for ever", { timeout: 900_000 }, async () => {
		const step = place.emulator === "posix" ? 2 : 5;
		let whole = 0;
		let none = 0;
		let kept = 0;
		for (let n = 1; whole === 0; n += step) {
			const storage = join(dir, `${place.board}-${place.emulator}-${n}`);
			const first = await boot(place, storage, n);
			if (!first.cut) whole = n;
			const before = readFileSync(storage);
			const second = (await boot(place, storage)).told;
			expect(second?.key).toMatch(/^04[0-9a-f]{128}$/);
			expect(second?.boots).toBeGreaterThanOrEqual(1);
			expect(second?.boots).toBeLessThanOrEqual(2);
			if (before.includes(Buffer.from(second?.key ?? "", "hex").subarray(1))) kept++;
			else none++;
			const third = (await boot(place, storage)).told;
			expect(third).toEqual({ key: second?.key, boots: (second?.boots ?? 0) + 1 });
			if (first.told !== undefined) expect(first.told.key).toBe(second?.key);
			rmSync(storage, { force: true });
		}
		// An erase, two headers, the counter, the key: some 60 operations.
		expect(whole).toBeGreaterThan(40);
		expect(none).toBeGreaterThan(5);
		expect(kept).toBeGreaterThan(0);
	});

	test("in any boot: the key is the same, and the count goes up", { timeout: 900_000 }, async () => {
		const storage = join(dir, `${place.board}-${place.emulator}`);
		const told = (await boot(place, storage)).told as Boot;
		const { key } = told;
		let last = told.boots;
		const boots = place.emulator === "posix" ? 120 : 16;
		let cuts = 0;
		for (let i = 0; i < boots; i++) {
			// A boot takes some 13 operations, and 60 when a sector is full (once in 80 boots).
			const here = await boot(place, storage, i % 3 === 0 ? 0 : 1 + ((i * 7) % 23));
			cuts += here.cut ? 1 : 0;
			if (here.told === undefined) continue;
			expect(here.told.key).toBe(key);
			expect(here.told.boots).toBeGreaterThan(last);
			last = here.told.boots;
		}
		expect(cuts).toBeGreaterThan(boots / 5);
		expect(last).toBeGreaterThan(boots - cuts);
		copyFileSync(storage, `${storage}-kept`);
	});
});
