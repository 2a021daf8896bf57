// The image's measurement on the device: what it measures is all that is there, equals the build's reference values, and a
// single changed byte shows in the region that it is in and in no other.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { decode } from "../../firmware/attestation/codec/cbor.ts";
import type { Build } from "../../tools/build/build.ts";
import { readElf } from "../../tools/build/elf.ts";
import { componentTypes, componentValue, type ReferenceComponent } from "../../tools/build/reference.ts";
import type { Device } from "../../tools/harness/device.ts";
import { describeAt, eachBoard, image, mps2, nrf, type Place, posix, withBuild, withDevice } from "./boards.ts";
import { type Patch, patchAddress, patchedBuild, regionsOf } from "./patch.ts";

type Components = readonly Pick<ReferenceComponent, "type" | "value" | "entries">[];

interface DeviceRegion {
	readonly component: string;
	readonly name: string;
	readonly address: number;
	readonly size: number;
}

function reports(device: Device, type: string): unknown[] {
	return device.records().flatMap((record) => (record.event === "report" && record.type === type ? [record.data] : []));
}

/* The four values, then the log: what the test app reports. The log is decoded strictly: it is deterministic CBOR. */
function parse(hex: string): Components {
	const bytes = Buffer.from(hex, "hex");
	const log = decode(bytes.subarray(32 * componentTypes.length)) as [string, [string, Uint8Array][]][];
	expect(log.map(([type]) => type)).toEqual(componentTypes);
	return log.map(([type, entries], index) => ({
		type: type as ReferenceComponent["type"],
		value: bytes.toString("hex", 32 * index, 32 * index + 32),
		entries: entries.map(([name, digest]) => ({ name, value: Buffer.from(digest).toString("hex") })),
	}));
}

/** A measurement that began after now. */
async function measured(device: Device): Promise<Components> {
	const count = (): number => Number(reports(device, "measured").at(-1) ?? 0);
	const wanted = count() + 2;
	for (let slices = 0; count() < wanted; slices++) {
		if (slices === 60) throw new Error(`the device does not measure:\n${device.output().slice(-2000)}`);
		await device.run(0.1);
	}
	return parse(String(reports(device, "measurement").at(-1)));
}

function reference(build: Build): Components {
	return build.reference.components.map(({ type, value, entries }) => ({ type, value, entries }));
}

/** The regions that differ from the reference, as component/name. */
function differing(build: Build, components: Components): string[] {
	return components.flatMap(({ type, value, entries }, index) => {
		const expected = build.reference.components[index] as ReferenceComponent;
		expect(value).toBe(componentValue(entries));
		expect(value !== expected.value).toBe(JSON.stringify(entries) !== JSON.stringify(expected.entries));
		expect(entries.map(({ name }) => name)).toEqual(expected.entries.map(({ name }) => name));
		return entries.flatMap((entry, at) =>
			entry.value === expected.entries[at]?.value ? [] : [`${type}/${entry.name}`],
		);
	});
}

async function deviceRegions(device: Device): Promise<DeviceRegion[]> {
	await device.waitFor('"lifecycle"', { seconds: 2 });
	return (reports(device, "regions")[0] as string[]).map((line) => {
		const [, component = "", address, size, name = ""] = /^(\S+) (\d+) (\d+) (.*)$/.exec(line) ?? [];
		return { component, name, address: Number(address), size: Number(size) };
	});
}

/* Bytes that the test app can do without, one in each region. */
function harmless(build: Build): Patch[] {
	const host = build.board === "posix";
	return regionsOf(build).map(({ name }): Patch => {
		if (name === "host") return { symbol: host ? "usage" : "pc_fault_handler", offset: 8 };
		if (name === "native") return { symbol: "xs_spare", offset: 4 };
		if (name === "xs") return { symbol: "fx_Math_cbrt", offset: 8 };
		if (name === "directory") return { region: name, offset: 55 }; // of the header's flags
		// What a module begins with runs once, before this.
		if (name.startsWith("module:")) return { region: name, offset: 3 };
		if (name === "machine") return { symbol: "pc_identity", offset: 64 + 31 }; // behind the version's end
		if (name === "options") return { region: name, offset: 0x80 }; // the first of the customer's own
		return { region: name, offset: -1 };
	});
}

describeAt(eachBoard, "measuring the image", (place) => {
	test("equals the reference values of the build; the lifecycle is that of a release", async () => {
		await withDevice(place, "measure", async (device, build) => {
			expect(await measured(device)).toEqual(reference(build));
			expect(reports(device, "lifecycle")).toEqual([0x3000]);
			expect(device.records()[0]).toMatchObject({ event: "boot", version: "2.3.4-test" });
			expect(build.reference).toMatchObject({ version: "2.3.4-test", lifecycle: "secured", debug: false });
		});
	});
});

describeAt(eachBoard, "measuring the image", (place) => {
	test("a byte that changes while the device runs shows in its region, and nowhere else", async () => {
		await withDevice(place, "measure", async (device, build) => {
			expect(differing(build, await measured(device))).toEqual([]);
			const regions = regionsOf(build);
			for (const [index, patch] of harmless(build).entries()) {
				// Renode takes its time to hash an image: some of the regions will do.
				if (place.emulator === "renode" && index % 3 !== 0) continue;
				const address = patchAddress(build, patch);
				const [byte = 0] = await device.readMemory(address, 1);
				await device.writeMemory(address, Uint8Array.of(byte ^ 0x10));
				const region = regions[index];
				expect(differing(build, await measured(device))).toEqual([`${region?.component}/${region?.name}`]);
				await device.writeMemory(address, Uint8Array.of(byte));
			}
			expect(differing(build, await measured(device))).toEqual([]);
		});
	}, 300_000);

	test("an image that was changed before it was loaded", async () => {
		const build = await image("measure", place.board);
		const attack = async (patch: Patch): Promise<string[]> =>
			withBuild(place, patchedBuild(build, patch), async (device) => differing(build, await measured(device)));
		expect(await attack({ symbol: "xs_spare", offset: 4 })).toEqual(["native/native"]);
		if (place.emulator === "renode") return;
		expect(await attack({ symbol: "fx_Math_cbrt", offset: 8 })).toEqual(["xs/xs"]);
		// Whoever changes a module must change its checksum, too, and that is in the directory.
		expect(await attack({ module: "spare", offset: 20 })).toEqual(["app/directory", "app/module:spare"]);
		expect(await attack({ symbol: "pc_identity", offset: 64 })).toEqual(["config/machine"]);
	});
});

/* What the linker made: every byte that is loaded, by its address, out of the HEX file. */
function hexBytes(file: string): Map<number, number> {
	const bytes = new Map<number, number>();
	let base = 0;
	for (const line of readFileSync(file, "latin1").split(/\r?\n/)) {
		if (line === "") continue;
		const record = Buffer.from(line.slice(1), "hex");
		const data = record.subarray(4, -1);
		const type = record[3];
		if (type === 4) base = data.readUInt16BE(0) * 0x10000;
		else if (type === 2) base = data.readUInt16BE(0) * 16;
		else if (type === 0) for (const [at, byte] of data.entries()) bytes.set(base + record.readUInt16BE(1) + at, byte);
	}
	return bytes;
}

describeAt([mps2, nrf], "what is measured", (place: Place) => {
	test("is every byte of the image in flash and of the option bytes, each once", async () => {
		await withDevice(place, "measure", async (device, build) => {
			const regions = await deviceRegions(device);
			const loaded = hexBytes(build.hex as string);
			const owners = new Map<number, string>();
			const twice: string[] = [];
			for (const { name, address, size } of regions) {
				for (let at = address; at < address + size; at++) {
					const owner = owners.get(at);
					if (owner !== undefined) twice.push(`0x${at.toString(16)} in ${owner} and ${name}`);
					owners.set(at, name);
				}
			}
			expect(twice).toEqual([]);
			expect([...loaded.keys()].filter((at) => !owners.has(at))).toEqual([]);
			// The other way round: what is measured was loaded, but for option bytes that are as they were erased.
			expect([...owners].filter(([at, name]) => !loaded.has(at) && name !== "options")).toEqual([]);
			const options = regions.find(({ name }) => name === "options");
			expect(options?.size).toBe(place.board === "nrf52840dk" ? 0x308 : undefined);
			const [start = 0, end = 0] = ["__flash_start", "__flash_end"].map((name) => build.symbols.get(name));
			expect(loaded.size).toBeGreaterThanOrEqual(end - start);
			expect(regions.filter(({ name }) => name !== "options").reduce((sum, { size }) => sum + size, 0)).toBe(
				end - start,
			);
		});
	});
});

describeAt([posix], "what is measured", (place: Place) => {
	test("is all code of the process but what the system's linker adds for itself", async () => {
		await withDevice(place, "measure", async (device, build) => {
			const regions = await deviceRegions(device);
			const code = readElf(readFileSync(build.elf), build.elf).sections.filter(
				({ allocated, writable, address, size }) =>
					allocated && !writable && size > 0 && !regions.some((region) => region.address === address),
			);
			// Headers, the symbols of the dynamic linker, its jumps into shared libraries, what unwinds stacks.
			const known =
				/^\.(?:interp|note\..*|gnu\..*|dynsym|dynstr|rela\..*|init|fini|plt.*|eh_frame.*|gcc_except_table|archive)$/;
			expect(code.map(({ name }) => name).filter((name) => !known.test(name))).toEqual([]);
			const archive = regions.filter(({ component }) => component === "app");
			const [first, last] = [archive[0], archive.at(-1)] as [DeviceRegion, DeviceRegion];
			expect(first.address).toBe(build.symbols.get("__archive_start"));
			expect(last.address + last.size).toBe(build.symbols.get("__archive_end"));
		});
	});
});

describeAt([nrf], "option bytes", (place) => {
	const approtect = 0x10001208;

	test("an unlocked debug port is told, and measured", async () => {
		const build = await image("measure", place.board);
		const unlocked = patchedBuild(build, { address: approtect, bytes: Uint8Array.of(0xff, 0xff, 0xff, 0xff) });
		await withBuild(place, unlocked, async (device) => {
			expect(differing(build, await measured(device))).toEqual(["config/options"]);
			expect(reports(device, "lifecycle")).toEqual([0x4000]);
		});
	});

	test("a debug image leaves the port open, says so, and has other values", async () => {
		const release = await image("measure", place.board);
		await withDevice(
			place,
			"measure",
			async (device, build) => {
				expect(await measured(device)).toEqual(reference(build));
				expect(reports(device, "lifecycle")).toEqual([0x4000]);
				expect(Buffer.from(await device.readMemory(approtect, 4)).toString("hex")).toBe("ffffffff");
				expect(build.reference).toMatchObject({ lifecycle: "non-psa-rot-debug", debug: true });
				const values = ({ reference: { components } }: Build) => components.map(({ value }) => value);
				for (const index of [2, 3]) expect(values(build)[index]).not.toBe(values(release)[index]);
			},
			{ debug: true },
		);
	});
});

describe("the cost of measuring", () => {
	/* Counts of instructions at the marks of the first measurement. */
	const marks = (count: string): Promise<bigint[]> =>
		withDevice(
			mps2,
			"measure",
			async (device) => {
				await device.waitFor('"measurement"', { seconds: 3 });
				return device.marks();
			},
			{ config: { count } },
		);

	test("at most 40 instructions a byte; work is counted at least every 8,000", async () => {
		const [start = 0n, end = 0n] = await marks("0");
		const build = await image("measure", mps2.board, { config: { count: "0" } });
		const bytes = regionsOf(build).reduce((sum, region) => sum + region.bytes.length, 0);
		const each = Number(end - start) / bytes;
		const counted = await marks("1");
		const steps = counted.slice(1).map((mark, index) => Number(mark - (counted[index] as bigint)));
		const longest = Math.max(...steps);
		console.log(
			`${bytes} bytes, ${each.toFixed(1)} instructions each; counted ${steps.length} times, at most ${longest}`,
		);
		expect(longest).toBeLessThanOrEqual(8000);
		expect(each).toBeLessThanOrEqual(40);
		expect(each).toBeGreaterThan(10);
	});
});
