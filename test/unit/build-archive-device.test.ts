// The device's archive reader (C, with sanitizers) and the tool-chain's agree on every damaged archive.

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { type Archive, ArchiveError, crc32, namesCrc, readArchive, writeArchive } from "../../tools/build/archive.ts";
import { pericardRoot } from "../../tools/build/board.ts";
import { scratch } from "./build-fixtures.ts";

const engine = 0x0d030000;
const firstId = 400;
const hosts = ["xs_a", "xs_b"];
const archive: Archive = {
	engine,
	firstId,
	debug: false,
	symbols: ["alpha", "beta"],
	hosts,
	modules: [
		{
			name: "main",
			code: Buffer.from([1, 2, 3, 4, 5, 6, 7, 8]),
			hostRefs: [{ native: 1, length: 2, nameId: 401 }],
			lines: [],
			source: undefined,
			preload: false,
		},
		{ name: "other", code: Buffer.alloc(12, 7), hostRefs: [], lines: [], source: undefined, preload: true },
	],
	resources: [{ name: "data.bin", data: Buffer.from("0123") }],
};

/* In the order of pc_archive_status. */
const faults = [
	"ok",
	"truncated",
	"magic",
	"version",
	"engine",
	"header-crc",
	"directory",
	"natives",
	"module-crc",
	"no-main",
];

const program = `
#include "archive.h"
#include <stdio.h>
#include <stdlib.h>
/* argv: file of {u32 size, bytes}, engine, first ID, natives, their CRC. Prints a status for each archive. */
int main(int argc, char **argv) {
	(void)argc;
	FILE *file = fopen(argv[1], "rb");
	pc_archive_expect expect = {strtoul(argv[2], 0, 10), strtoul(argv[3], 0, 10), strtoul(argv[4], 0, 10), strtoul(argv[5], 0, 10)};
	uint32_t size;
	while (fread(&size, 4, 1, file) == 1) {
		uint8_t *data = malloc(size ? size : 1); /* its own block: reading past its end is seen */
		if (fread(data, 1, size, file) != size) return 1;
		pc_archive archive;
		const char *culprit;
		pc_archive_status status = pc_archive_open(&archive, data, size, &expect, &culprit);
		if (status == PC_ARCHIVE_OK) {
			for (uint32_t i = 0; i < archive.symbol_count; i++) (void)pc_archive_symbol(&archive, i);
			for (uint32_t i = 0; i < archive.module_count; i++) {
				pc_archive_module module = pc_archive_module_at(&archive, i);
				for (uint32_t j = 0; j < module.host_ref_count; j++) (void)pc_archive_host_ref_at(&module, j);
			}
		}
		printf("%d\\n", status);
		free(data);
	}
	return 0;
}
`;

let dir = "";

beforeAll(() => {
	dir = scratch();
	writeFileSync(join(dir, "main.c"), program);
	const native = (name: string) => join(pericardRoot, "native", name);
	execFileSync("gcc", [
		"-g",
		"-fsanitize=address,undefined",
		"-fno-sanitize-recover=all",
		`-I${native("archive")}`,
		`-I${native("crc")}`,
		"-o",
		join(dir, "reader"),
		join(dir, "main.c"),
		native("archive/archive.c"),
		native("crc/crc.c"),
	]);
});

/* What the device says of each archive. */
function device(archives: readonly Buffer[]): string[] {
	const parts = archives.flatMap((bytes) => {
		const size = Buffer.alloc(4);
		size.writeUInt32LE(bytes.length);
		return [size, bytes];
	});
	const file = join(dir, "archives");
	writeFileSync(file, Buffer.concat(parts));
	const args = [file, engine, firstId, hosts.length, namesCrc(hosts)].map(String);
	const lines = execFileSync(join(dir, "reader"), args).toString().trim().split("\n");
	return lines.map((line) => faults[Number(line)] ?? line);
}

function host(bytes: Buffer): string {
	try {
		readArchive(bytes, { engine, firstId, hosts });
		return "ok";
	} catch (error) {
		if (error instanceof ArchiveError) return error.message.includes("line table") ? "lines" : error.fault;
		throw error;
	}
}

test("an undamaged archive, a shortened one, and each single changed bit", () => {
	const bytes = writeArchive(archive);
	const cases = [bytes, writeArchive({ ...archive, modules: archive.modules.slice(1) })];
	for (let length = 0; length < bytes.length; length++) cases.push(bytes.subarray(0, length));
	for (let bit = 0; bit < bytes.length * 8; bit++) {
		const damaged = Buffer.from(bytes);
		damaged.writeUInt8(damaged.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
		cases.push(damaged);
	}
	const found = device(cases);
	expect(found[0]).toBe("ok");
	expect(found[1]).toBe("no-main");
	expect(found).toEqual(cases.map(host));
});

test("a hostile directory under right checksums never leads the reader out of the archive", () => {
	const bytes = writeArchive(archive);
	const word = (at: number, from = bytes) => from.readUInt32LE(at);
	/* A small generator, so that each run has the same cases. */
	let state = 12345;
	const random = (below: number): number => {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		return Math.floor((state / 2 ** 32) * below);
	};
	const values = [
		0,
		1,
		3,
		4,
		63,
		64,
		bytes.length - 1,
		bytes.length,
		bytes.length + 1,
		0x7fffffff,
		0xfffffffc,
		0xffffffff,
	];
	const cases: Buffer[] = [];
	for (let round = 0; round < 4000; round++) {
		const hostile = Buffer.from(bytes);
		for (let count = 1 + random(3); count > 0; count--) {
			const at = 8 + 4 * random((bytes.length - 8) / 4);
			hostile.writeUInt32LE(values[random(values.length)] ?? 0, at);
		}
		let end = hostile.length;
		const modules = word(32, hostile);
		for (let index = 0; index < 2; index++) {
			const at = modules + index * 40 + 4;
			if (at + 4 <= hostile.length) end = Math.min(end, word(at, hostile));
		}
		if (end >= 64 && end <= hostile.length) hostile.writeUInt32LE(crc32(hostile.subarray(64, end)), 56);
		hostile.writeUInt32LE(crc32(hostile.subarray(0, 60)), 60);
		cases.push(hostile);
	}
	const found = device(cases);
	expect(found.length).toBe(cases.length);
	/* Devices do not read line tables. */
	const disagreed = cases.filter((bytes, index) => {
		const fault = host(bytes);
		return fault !== "lines" && (fault === "ok") !== (found[index] === "ok");
	});
	expect(disagreed.length).toBe(0);
	expect(found.filter((fault) => fault === "ok").length).toBeLessThan(cases.length / 2);
});
