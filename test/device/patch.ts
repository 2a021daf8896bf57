// An image as an attacker changes it: single bytes of a built ELF file, with the checksums put right again.

import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import {
	crc32,
	headerSize,
	lineEntrySize,
	moduleEntrySize,
	readArchive,
	resourceEntrySize,
} from "../../tools/build/archive.ts";
import { readBoard } from "../../tools/build/board.ts";
import type { Build } from "../../tools/build/build.ts";
import { readElf } from "../../tools/build/elf.ts";
import { fileOffset, imageRegions, type Region } from "../../tools/build/reference.ts";

/** Which byte, and what becomes of it. One of `region`, `module`, `symbol` and `address` says where. */
export interface Patch {
	/** A region by its name, such as "host", "xs", "directory" (docs/measurement.md). */
	readonly region?: string;
	/** A module by its name: the same as region "module:<name>", whose first bytes are its code. */
	readonly module?: string;
	/** A symbol of the ELF file; a function's is its first byte. */
	readonly symbol?: string;
	readonly address?: number;
	/** Bytes from there; negative: from the region's end. 0 if not given. */
	readonly offset?: number;
	/** What the byte is combined with by exclusive or; 1 if not given. */
	readonly xor?: number;
	/** What stands there afterwards, instead of `xor`. */
	readonly bytes?: Uint8Array;
}

export interface PatchOptions {
	/** Leaves the archive's checksums as they were: the device will notice at boot. */
	readonly keepChecksums?: boolean;
}

/** The regions of a built image, in canonical order. */
export function regionsOf(build: Build): Region[] {
	return imageRegions(readFileSync(build.elf), readBoard(build.board));
}

/** The address of a patch's byte on the device: before start-up, where the initial values of .data lie in flash. */
export function patchAddress(build: Build, patch: Patch): number {
	const offset = patch.offset ?? 0;
	const name = patch.module === undefined ? patch.region : `module:${patch.module}`;
	if (name !== undefined) {
		const region = regionsOf(build).find((candidate) => candidate.name === name);
		if (region === undefined) throw new Error(`no region "${name}" in ${build.elf}`);
		return region.address + (offset < 0 ? region.bytes.length + offset : offset);
	}
	if (patch.address !== undefined) return patch.address + offset;
	const address = build.symbols.get(patch.symbol ?? "");
	if (address === undefined) throw new Error(`no symbol "${patch.symbol}" in ${build.elf}`);
	/* The lowest bit of a Thumb function's symbol is no part of its address. */
	return (readBoard(build.board).cpu === "host" ? address : address - (address % 2)) + offset;
}

/**
 * A copy of a build with an ELF file that differs in some bytes, in a folder of its own inside of the build's. Everything
 * else, the reference values above all, is that of the build. If the archive was changed its checksums are made right, as
 * somebody who can write flash would.
 */
export function patchedBuild(build: Build, patches: Patch | readonly Patch[], options: PatchOptions = {}): Build {
	const list = Array.isArray(patches) ? (patches as readonly Patch[]) : [patches as Patch];
	const file = readFileSync(build.elf);
	const elf = readElf(file, build.elf);
	const place = (address: number): number => {
		const offset = fileOffset(elf, address);
		if (offset === undefined) throw new Error(`${build.elf} has no byte at 0x${address.toString(16)}`);
		return offset;
	};
	for (const patch of list) {
		const at = place(patchAddress(build, patch));
		if (patch.bytes !== undefined) file.set(patch.bytes, at);
		else file[at] = (file[at] as number) ^ (patch.xor ?? 1);
	}
	const [start = 0, end = 0] = ["pc_archive_start", "pc_archive_end"].map((name) => build.symbols.get(name));
	const from = place(start);
	if (options.keepChecksums !== true) restoreChecksums(file.subarray(from, from + (end - start)));
	const dir = freshFolder(build);
	const path = join(dir, basename(build.elf));
	copyFileSync(build.elf, path); // with its mode
	writeFileSync(path, file);
	const { hex: _, ...rest } = build;
	return { ...rest, elf: path };
}

let folders = 0;

function freshFolder(build: Build): string {
	const dir = join(build.dir, `patched-${process.pid}-${folders++}`);
	mkdirSync(dir, { recursive: true });
	return dir;
}

/** Computes every checksum of an archive anew, in place: those of contents, then of the directory, then of the header. */
export function restoreChecksums(archive: Buffer): void {
	const word = (at: number): number => archive.readUInt32LE(at);
	let end = word(8);
	const entries = (count: number, table: number, size: number): number[] =>
		Array.from({ length: count }, (_, index) => table + index * size);
	const modules = entries(word(28), word(32), moduleEntrySize);
	for (const at of [...modules, ...entries(word(44), word(48), resourceEntrySize)]) {
		const offset = word(at + 4);
		end = Math.min(end, offset);
		archive.writeUInt32LE(crc32(archive.subarray(offset, offset + word(at + 8))), at + 12);
	}
	for (const at of modules) {
		const lines = word(at + 24);
		const size = word(at + 28);
		if (size > lineEntrySize) archive.writeUInt32LE(crc32(archive.subarray(lines + 4, lines + size)), lines);
	}
	archive.writeUInt32LE(crc32(archive.subarray(headerSize, end)), 56);
	archive.writeUInt32LE(crc32(archive.subarray(0, 60)), 60);
	readArchive(archive);
}
