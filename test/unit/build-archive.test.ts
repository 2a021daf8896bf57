// The archive: what is written is read back, and every kind of damage is found.

import { describe, expect, test } from "vitest";
import { type Archive, ArchiveError, crc32, namesCrc, readArchive, writeArchive } from "../../tools/build/archive.ts";

const archive: Archive = {
	engine: 0x0d030000,
	firstId: 400,
	debug: true,
	symbols: ["alpha", "beta", "größe"],
	hosts: ["xs_a", "xs_b"],
	modules: [
		{
			name: "main",
			code: Buffer.from([1, 2, 3, 4, 5]),
			hostRefs: [
				{ native: 1, length: -1, nameId: 0xffff },
				{ native: 0, length: 3, nameId: 401 },
			],
			lines: [
				[0, 1],
				[3, 7],
			],
			source: "main.ts",
			preload: false,
		},
		{ name: "a/b", code: Buffer.from([9]), hostRefs: [], lines: [], source: "a/b.ts", preload: true },
	],
	resources: [{ name: "cert.der", data: Buffer.from("secret") }],
};

/* The fault of an archive of these bytes. */
function fault(bytes: Buffer, expectation = {}): string {
	try {
		readArchive(bytes, expectation);
		return "ok";
	} catch (error) {
		if (error instanceof ArchiveError) return error.fault;
		throw error;
	}
}

/* Changes a byte, then makes the header (and if told the directory) match its CRC again. */
function patched(offset: number, value: number, directoryEnd?: number): Buffer {
	const bytes = writeArchive(archive);
	bytes[offset] = value;
	if (directoryEnd !== undefined) bytes.writeUInt32LE(crc32(bytes.subarray(64, directoryEnd)), 56);
	bytes.writeUInt32LE(crc32(bytes.subarray(0, 60)), 60);
	return bytes;
}

test("CRC-32 is the one of ISO-HDLC", () => {
	expect(crc32(Buffer.from("123456789"))).toBe(0xcbf43926);
	expect(crc32(Buffer.from("6789"), crc32(Buffer.from("12345")))).toBe(0xcbf43926);
	expect(namesCrc(["a", "b"])).toBe(crc32(Buffer.from("a\0b\0")));
});

test("reads what was written, modules sorted by name", () => {
	const bytes = writeArchive(archive);
	expect(bytes.length % 4).toBe(0);
	const read = readArchive(bytes);
	expect(read.modules.map((module) => module.name)).toEqual(["a/b", "main"]);
	const [first, second] = archive.modules;
	expect(read).toEqual({ ...archive, modules: [second, first] });
	expect(writeArchive(read)).toEqual(bytes);
});

test("a release archive has no lines", () => {
	const read = readArchive(writeArchive({ ...archive, debug: false }));
	expect(read.debug).toBe(false);
	expect(read.modules.every((module) => module.lines.length === 0)).toBe(true);
});

describe("the layout", () => {
	const bytes = writeArchive(archive);
	const word = (offset: number) => bytes.readUInt32LE(offset);

	test("of the header", () => {
		expect(bytes.toString("latin1", 0, 4)).toBe("PCAR");
		expect(bytes.readUInt16LE(4)).toBe(1);
		expect(bytes.readUInt16LE(6)).toBe(64);
		expect([8, 12, 16, 20, 28, 36, 44, 52].map(word)).toEqual([bytes.length, 0x0d030000, 400, 3, 2, 2, 1, 1]);
		expect(word(60)).toBe(crc32(bytes.subarray(0, 60)));
	});

	test("of a module entry", () => {
		const entry = word(32) + 40;
		const name = word(entry);
		expect(bytes.toString("latin1", name, name + 5)).toBe("main\0");
		const code = word(entry + 4);
		expect(code % 4).toBe(0);
		expect([...bytes.subarray(code, code + word(entry + 8))]).toEqual([1, 2, 3, 4, 5]);
		expect(word(entry + 12)).toBe(crc32(Buffer.from([1, 2, 3, 4, 5])));
		expect([...bytes.subarray(word(entry + 16), word(entry + 16) + 16)]).toEqual([
			1, 0, 0xff, 0, 0xff, 0xff, 0, 0, 0, 0, 3, 0, 0x91, 0x01, 0, 0,
		]);
		expect(word(entry + 20)).toBe(2);
		const lines = word(entry + 24);
		expect([4, 8, 12, 16].map((at) => word(lines + at))).toEqual([0, 1, 3, 7]);
		expect(word(lines)).toBe(crc32(bytes.subarray(lines + 4, lines + 20)));
	});

	test("the directory ends where the first module's code begins", () => {
		const end = Math.min(word(word(32) + 4), word(word(32) + 44));
		expect(word(56)).toBe(crc32(bytes.subarray(64, end)));
	});
});

describe("damage", () => {
	const bytes = writeArchive(archive);
	const word = (offset: number) => bytes.readUInt32LE(offset);
	const end = Math.min(word(word(32) + 4), word(word(32) + 44));

	test("any changed bit that carries meaning is found", () => {
		const padding = new Set<number>();
		const parts: [number, number][] = [];
		for (const at of [0, 40]) parts.push([word(word(32) + at + 4), word(word(32) + at + 8)]);
		for (const at of [0, 40]) parts.push([word(word(32) + at + 24), word(word(32) + at + 28)]);
		parts.push([word(word(48) + 4), word(word(48) + 8)]);
		for (let offset = end; offset < bytes.length; offset++) {
			if (!parts.some(([from, size]) => offset >= from && offset < from + size)) padding.add(offset);
		}
		for (let offset = 0; offset < bytes.length; offset++) {
			if (padding.has(offset)) continue;
			const damaged = Buffer.from(bytes);
			damaged.writeUInt8((damaged[offset] ?? 0) ^ (1 << (offset & 7)), offset);
			expect(fault(damaged), `offset ${offset}`).not.toBe("ok");
		}
	});

	test("any shortening is found", () => {
		for (let length = 0; length < bytes.length; length++) expect(fault(bytes.subarray(0, length))).toBe("truncated");
	});

	test("each kind has its name", () => {
		const damaged = (offset: number) => {
			const copy = Buffer.from(bytes);
			copy.writeUInt8((copy[offset] ?? 0) ^ 1, offset);
			return copy;
		};
		expect(fault(damaged(0))).toBe("magic");
		expect(fault(damaged(20))).toBe("header-crc");
		expect(fault(patched(4, 2))).toBe("version");
		expect(fault(bytes, { engine: 0x0e000000 })).toBe("engine");
		expect(fault(bytes, { firstId: 401 })).toBe("engine");
		expect(fault(bytes, { hosts: ["xs_a"] })).toBe("natives");
		expect(fault(damaged(70))).toBe("directory");
		expect(fault(damaged(end))).toBe("module-crc");
		const { modules } = archive;
		expect(fault(writeArchive({ ...archive, modules: modules.slice(1) }))).toBe("no-main");
	});

	test("offsets outside of their place are found even under a right CRC", () => {
		const modules = word(32);
		for (const field of [0, 16, 32]) {
			expect(fault(patched(modules + 40 + field + 2, 0x7f, end)), `field ${field}`).toBe("directory");
		}
		expect(fault(patched(modules + 40 + 8 + 2, 0x7f, end))).toBe("directory");
		expect(fault(patched(modules + 40 + 24 + 2, 0x7f, end))).toBe("directory");
		expect(fault(patched(26, 0x7f))).toBe("directory");
		expect(fault(patched(word(modules + 40 + 16), 2, end))).toBe("directory");
	});
});
