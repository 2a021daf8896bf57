// Cuts the power of a device at flash operations of its storage; the exhaustive search is test/unit/storage.test.ts, this
// one shows that it holds on the boards: through TypeScript, the binding and the board's own flash driver.

import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { Device } from "../../tools/harness/device.ts";
import { step } from "./apps/storage-powercut/sequence.ts";
import { describeAt, eachBoard, type Place, withDevice } from "./boards.ts";

const dir = mkdtempSync(join(tmpdir(), "pericard-cuts-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

type State = Readonly<Record<string, number>>;

/** What a step makes of a state. */
function after(state: State, number: number): State {
	const { key, remove } = step(number);
	const { [key]: _old, ...rest } = state;
	return remove ? rest : { ...rest, [key]: number };
}

interface Found {
	readonly keys: State;
	readonly corrupt: number;
}

/** The reports of one boot: what was found, and the state that must hold now; `pending` if a step was under way. */
function history(device: Device, boot: number): { found: State; now: State; pending: number | undefined } {
	const reports = device.records().filter((record) => record.event === "report");
	const starts = reports.flatMap((record, i) => (record.type === "found" ? [i] : []));
	const own = reports.slice(starts[boot], starts[boot + 1]);
	const first = own[0];
	if (first === undefined) throw new Error(`boot ${boot} found nothing to report: ${device.output().slice(-500)}`);
	const { keys, corrupt } = first.data as Found;
	expect(corrupt).toBe(0);
	let now: State = keys;
	let pending: number | undefined;
	for (const { type, data } of own.slice(1)) {
		pending = type === "begin" ? (data as number) : undefined;
		if (type === "done") now = after(now, data as number);
	}
	return { found: keys, now, pending };
}

function withStorage<T>(place: Place, storage: string, body: (device: Device) => Promise<T>): Promise<T> {
	return withDevice(place, "storage-powercut", body, { device: { storage } });
}

describeAt(eachBoard, "storage and power cuts", (place) => {
	const base = join(dir, `${place.board}-${place.emulator}`);

	test("what was written is there after a power cut, whenever it comes", { timeout: 900_000 }, async () => {
		// A store with history: several boots, until every sector has been used. (Renode is slow at watching each operation:
		// QEMU and posix go through many, it shows that the board's driver does the same.)
		const boots = place.emulator === "renode" ? 2 : 4;
		const full = await withStorage(place, base, async (device) => {
			let state: State = {};
			for (let boot = 0; boot < boots; boot++) {
				expect(await device.run(60)).toBe("ended");
				const { found, now } = history(device, boot);
				expect(found).toEqual(state);
				state = now;
				await device.powerCut();
			}
			return state;
		});
		// Cuts that come closer and further: single words of a record, headers, erases.
		const cuts = { posix: 24, qemu: 6, renode: 2 }[place.emulator];
		let kept = 0;
		let made = 0;
		for (let i = 0; i < cuts; i++) {
			const storage = `${base}-${i}`;
			copyFileSync(base, storage);
			await withStorage(place, storage, async (device) => {
				device.powerCutAtFlashOperation(1 + i * 17 + ((i * i) % 13));
				expect(await device.run(60)).toBe("power-cut");
				const { found, now, pending } = history(device, 0);
				expect(found).toEqual(full);
				expect(pending).toBeDefined();
				await device.start();
				expect(await device.run(60)).toBe("ended");
				const again = history(device, 1).found;
				const changed = after(now, pending as number);
				expect([now, changed]).toContainEqual(again);
				if (JSON.stringify(again) === JSON.stringify(now)) kept++;
				else made++;
				// And it stays so.
				await device.powerCut();
				expect(await device.run(60)).toBe("ended");
				expect(history(device, 2).found).toEqual(history(device, 1).now);
			});
			rmSync(storage, { force: true });
		}
		expect(kept + made).toBe(cuts);
		if (cuts > 10) expect(kept).toBeGreaterThan(0);
	});
});
