// A damaged archive is refused at boot, with the reason, before any of its code runs; an intact one is not.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readArchive } from "../../tools/build/archive.ts";
import type { Device } from "../../tools/harness/device.ts";
import { describeAt, eachBoard, image, type Place, withDevice } from "./boards.ts";

/** Boots an image whose archive `damage` has changed in flash, and returns its boot record. */
async function boot(place: Place, damage: (archive: Buffer) => void): Promise<{ device: Device; boot: unknown }> {
	const build = await image("natives", place.board, { sanitize: false });
	const intact = readFileSync(build.archive);
	const changed = Buffer.from(intact);
	damage(changed);
	return withDevice(
		place,
		"natives",
		async (device) => {
			const start = build.symbols.get("pc_archive_start") as number;
			for (let at = 0; at < intact.length; at++) {
				if (changed[at] !== intact[at]) await device.writeMemory(start + at, changed.subarray(at, at + 1));
			}
			await device.run(0.05);
			return { device, boot: device.records().find((record) => record.event === "boot") };
		},
		{ sanitize: false },
	);
}

describeAt(eachBoard, "the archive at boot", (place) => {
	test("intact: accepted", async () => {
		const { boot: record } = await boot(place, () => {});
		expect(record).toMatchObject({ archive: "ok" });
	});

	test("one bit of a module's code: refused by name, and nothing of it runs", async () => {
		const build = await image("natives", place.board, { sanitize: false });
		const bytes = readFileSync(build.archive);
		const module = readArchive(bytes).modules.find((candidate) => candidate.name === "pericard/test");
		const offset = bytes.indexOf(Buffer.from(module?.code ?? []));
		expect(offset).toBeGreaterThan(0);
		const { boot: record, device } = await boot(place, (archive) => {
			archive[offset + 100] = (archive[offset + 100] as number) ^ 0x10;
		});
		expect(record).toMatchObject({ archive: "damaged module", culprit: "pericard/test" });
		expect(device.records().at(-1)).toMatchObject({ event: "end", status: 1 });
		expect(device.records().some((candidate) => candidate.event === "test")).toBe(false);
	});

	test("header, directory and magic: each its reason", async () => {
		const header = await boot(place, (archive) => {
			archive[20] = (archive[20] as number) ^ 1;
		});
		expect(header.boot).toMatchObject({ archive: "damaged archive header" });
		const directory = await boot(place, (archive) => {
			archive[70] = (archive[70] as number) ^ 1;
		});
		expect(directory.boot).toMatchObject({ archive: "damaged archive directory" });
		const magic = await boot(place, (archive) => archive.fill(0xff, 0, 4));
		expect(magic.boot).toMatchObject({ archive: "no archive: wrong magic" });
	});
});
