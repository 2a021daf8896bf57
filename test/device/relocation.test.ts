// Code that moves in a whole firmware: it is at another place after each move, computes what it should, and measures as it was built.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { type Build, buildFirmware } from "../../tools/build/build.ts";
import type { Room } from "../../tools/build/manifest.ts";
import type { Device } from "../../tools/harness/device.ts";
import { ManagementClient } from "../../tools/harness/management.ts";
import { openSign1 } from "../../tools/verifier/cose.ts";
import { readClaims } from "../../tools/verifier/evidence.ts";
import { readLog } from "../../tools/verifier/log.ts";
import { appPath, describeAt, mps2, nrf, posix, withDevice } from "./boards.ts";

vi.setConfig({ testTimeout: 300_000 });

const APP = "relocation";
const SECONDS = { seconds: 60 };
const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString("hex");

interface Attack {
	readonly count: number;
	readonly name: string;
	readonly target: number;
	readonly epoch: number;
}

interface Reset {
	readonly count: number;
	readonly reason: string;
	readonly pc: number;
	readonly address: number;
	readonly cfsr: number;
}

interface Tick {
	readonly ticks: number;
	readonly wrong: number;
	readonly moving: boolean;
	readonly status: string;
	readonly epoch: number;
}

function reports<T>(device: Device, type: string): T[] {
	return device.records().flatMap((record) => (record.type === type ? [record.data as T] : []));
}

const evidence = (device: Device) => new ManagementClient(device).attest(new Uint8Array(32).fill(3), SECONDS);

function claimOf({ token }: { readonly token: Uint8Array }) {
	const claim = readClaims(openSign1(token).claims).evidence.relocation;
	if (claim === undefined || claim.status === "none") throw new Error("the token does not say that code moves");
	return claim;
}

/** A function that moves and that the app never calls: its entry, and where it is now. */
async function quiet(device: Device, build: Build) {
	const name = "xs_crypto_ccm_encrypt";
	const entry = build.reference.relocation?.entries.indexOf(name) ?? -1;
	expect(entry).toBeGreaterThanOrEqual(0);
	const word = Buffer.from(await device.readMemory((build.symbols.get("pc_dispatch") ?? 0) + 4 * entry, 4));
	return { name, entry, address: word.readUInt32LE() - 1 };
}

/** Regions whose digest is not what was built. */
async function differing(device: Device, build: Build): Promise<string[]> {
	const { log } = await evidence(device);
	return readLog(log).flatMap(({ entries }, component) =>
		entries.flatMap(({ name, digest }, index) =>
			hex(digest) === build.reference.components[component]?.entries[index]?.value ? [] : [name],
		),
	);
}

describeAt([mps2], "code that moves", (place) => {
	test("has moved before the app runs, moves on, and computes what it should", async () => {
		await withDevice(place, APP, async (device) => {
			await device.waitFor('"tick"', { seconds: 2 });
			expect(reports(device, "start")).toEqual([{ status: "ready", epoch: 1, bits: expect.any(Number) }]);
			expect(reports<{ bits: number }>(device, "start")[0]?.bits).toBeGreaterThan(256);
			const before = await device.readMemory("pc_dispatch", 64);
			await device.run(2);
			const last = reports<Tick>(device, "tick").at(-1);
			expect(last).toMatchObject({ wrong: 0, moving: true });
			expect(last?.epoch).toBeGreaterThan(40);
			expect(hex(await device.readMemory("pc_dispatch", 64))).not.toBe(hex(before));
		});
	});

	test("says what takes the RAM that the heap would need", async () => {
		const dir = mkdtempSync(join(tmpdir(), "pericard-room-"));
		try {
			const include = [join(appPath(APP), "manifest.json")];
			writeFileSync(join(dir, "manifest.json"), JSON.stringify({ include, creation: { static: 150_000 } }));
			const build = (room?: Room) =>
				buildFirmware({ app: dir, board: place.board, out: dir, ...(room ? { room } : {}) });
			await expect(build()).rejects.toThrow(
				/^the image does not fit: its heap needs 150000 bytes of RAM, and code that moves, in an arena of \d+, leaves \d+$/,
			);
			/* Room that is only wished for is as much as there is. */
			writeFileSync(join(dir, "manifest.json"), JSON.stringify({ include }));
			const { size } = await build({ static: 150_000, stack: 512 });
			expect(size.ram.heap).toBeGreaterThan(122_880);
			expect(size.ram.heap).toBeLessThan(150_000);
			expect(size.ramTotal).toBeGreaterThan(256 * 1024 - 2048);
		} finally {
			rmSync(dir, { recursive: true, force: true });
		}
	});

	test.each([false, true])(
		"a byte that is changed in RAM differs, if nothing moves before; then it moves, if the policy says so: %s",
		async (afterAnomaly) => {
			const still = { relocation: { period: 0, beforeAttestation: false, afterAnomaly } };
			await withDevice(
				place,
				APP,
				async (device, build) => {
					await device.run(4); // the app moves no more
					const epoch = () => reports<Tick>(device, "tick").at(-1)?.epoch ?? Number.NaN;
					const before = epoch();
					expect(await differing(device, build)).toEqual([]);
					const { address } = await quiet(device, build);
					const [byte = 0] = await device.readMemory(address, 1);
					await device.writeMemory(address, Uint8Array.of(byte ^ 1));
					expect(await differing(device, build)).toEqual(["moved"]);
					await device.run(0.2);
					expect(epoch() - before).toBe(afterAnomaly ? 1 : 0);
					if (!afterAnomaly) await device.writeMemory(address, Uint8Array.of(byte));
					expect(await differing(device, build)).toEqual([]);
				},
				still,
			);
		},
	);

	test("it is named in the next token and in all that follow, though the move before them wipes it; so is a dispatch entry", async () => {
		for (const what of ["unit", "dispatch"] as const) {
			await withDevice(place, APP, async (device, build) => {
				await device.run(4);
				const { address, entry, name } = await quiet(device, build);
				const at = what === "unit" ? address : (build.symbols.get("pc_dispatch") ?? 0) + 4 * entry;
				const [byte = 0] = await device.readMemory(at, 1);
				await device.writeMemory(at, Uint8Array.of(byte ^ 4));
				for (let token = 0; token < 2; token++) {
					const answer = await evidence(device);
					const { change: found } = claimOf(answer);
					expect(found?.kind).toBe(what);
					const names = what === "unit" ? build.reference.relocation?.units : undefined;
					expect(names?.[found?.number ?? -1]?.name ?? build.reference.relocation?.entries[found?.number ?? -1]).toBe(
						name,
					);
				}
				expect(await differing(device, build)).toEqual([]);
				await device.reset();
				await device.run(0.1);
				expect(claimOf(await evidence(device)).change).toBe(undefined);
			});
		}
	});

	test("moves by itself, at times that nobody can tell before", async () => {
		const often = { relocation: { period: 100, jitter: 50 }, config: { moves: "0" } };
		await withDevice(
			place,
			APP,
			async (device) => {
				await device.run(3);
				const epochs = reports<Tick>(device, "tick").map(({ epoch }) => epoch);
				const [first = 0, last = 0] = [epochs[0], epochs.at(-1)];
				expect(last - first).toBeGreaterThan(20);
				expect(last - first).toBeLessThan(45);
				/* In ticks of 20 ms: between 50 and 150 ms, and not always the same. */
				const rises = epochs.flatMap((epoch, tick) => (tick > 0 && epoch > (epochs[tick - 1] ?? 0) ? [tick] : []));
				const gaps = rises.slice(1).map((tick, index) => tick - (rises[index] ?? 0));
				expect(new Set(gaps).size).toBeGreaterThan(2);
				expect(Math.min(...gaps)).toBeGreaterThanOrEqual(2);
				expect(Math.max(...gaps)).toBeLessThanOrEqual(9);
			},
			often,
		);
	});
});

describeAt([mps2], "code that moves", (place) => {
	test("measures as it was built while it moves", async () => {
		await withDevice(place, APP, async (device, build) => {
			const names = build.reference.components[0]?.entries.map(({ name }) => name);
			expect(names).toEqual([
				"vectors",
				"host",
				"native",
				"canonical",
				"relocation",
				"library",
				"data",
				"moved",
				"dispatch",
			]);
			expect(await differing(device, build)).toEqual([]);
			await device.run(0.1);
			expect(await differing(device, build)).toEqual([]);
			const last = reports<Tick>(device, "tick").at(-1);
			expect(last).toMatchObject({ wrong: 0 });
			expect(last?.epoch).toBeGreaterThan(3);
			expect(claimOf(await evidence(device))).toMatchObject({ change: undefined });
		});
	});
});

describeAt([mps2, nrf], "code that moves", (place) => {
	test("what is written where nobody may, and jumps to where no code runs, end in a fault", async () => {
		const attacked = { config: { attack: "yes" } };
		await withDevice(
			place,
			APP,
			async (device) => {
				/* A reset ends a run. */
				for (let starts = 0; starts < 12 && reports(device, "survived").length === 0; starts++) await device.run(1);
				const attacks = reports<Attack>(device, "attack");
				const resets = reports<Reset>(device, "reset");
				expect(attacks.map(({ count }) => count)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
				for (const { count, name, target, epoch } of attacks) {
					expect(epoch).toBe(1);
					const after = resets.find((reset) => reset.count === count + 1);
					expect([name, after?.reason]).toEqual([name, "memory-fault"]);
					const isJump = name.startsWith("jump");
					expect([name, isJump ? after?.pc : after?.address]).toEqual([name, target]);
					expect([name, (after?.cfsr ?? 0) & 3]).toEqual([name, isJump ? 1 : 2]);
				}
				expect(reports(device, "survived")).toEqual([10]);
			},
			attacked,
		);
	});
});

describeAt([posix], "code that stays", () => {
	test("says so", async () => {
		await withDevice(posix, APP, async (device) => {
			await device.run(0.1);
			expect(reports(device, "start")).toEqual([{ status: "none", epoch: 0, bits: 0 }]);
			expect(reports<Tick>(device, "tick").at(-1)).toMatchObject({ wrong: 0, moving: false, status: "none", epoch: 0 });
		});
	});
});
