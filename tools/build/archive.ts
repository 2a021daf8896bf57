// Writes, reads and verifies the archive of modules. docs/archive.md describes it to the byte; native/archive reads it
// on the device.

export const archiveFormat = 1;
export const headerSize = 64;
export const moduleEntrySize = 40;
export const resourceEntrySize = 16;
export const hostRefSize = 8;
export const lineEntrySize = 8;
/** Header flag: a debug build; the modules have line tables. */
export const flagDebug = 1;
/** Module flag: run before `main`. */
export const flagPreload = 1;
/** In a host reference: the function has no name. */
export const noName = 0xffff;

const magic = "PCAR";

/** A reference from a module's code to a native: XS_CODE_HOST n means the module's n-th reference. */
export interface HostRef {
	/** Index into the archive's native names. */
	readonly native: number;
	/** Number of formal parameters; -1 for a destructor. */
	readonly length: number;
	/** Machine ID of the function's name, or noName. */
	readonly nameId: number;
}

export interface ArchiveModule {
	readonly name: string;
	/** Bytecode with machine IDs. */
	readonly code: Uint8Array;
	readonly hostRefs: readonly HostRef[];
	/** [offset in code, line in the source], ascending; empty in a release build. */
	readonly lines: readonly (readonly [number, number])[];
	/** The source's path for people, or undefined. */
	readonly source: string | undefined;
	readonly preload: boolean;
}

export interface ArchiveResource {
	readonly name: string;
	readonly data: Uint8Array;
}

export interface Archive {
	/** major << 24 | minor << 16 | patch << 8 of the engine. */
	readonly engine: number;
	/** The number of the engine's built-in names; symbol i has the machine ID firstId + i. */
	readonly firstId: number;
	readonly debug: boolean;
	readonly symbols: readonly string[];
	/** Names of the natives, sorted; a native's number is its index. */
	readonly hosts: readonly string[];
	readonly modules: readonly ArchiveModule[];
	readonly resources: readonly ArchiveResource[];
}

/** Why an archive is refused: the same cases, found in the same order, as pc_archive_open() has. */
export type ArchiveFault =
	| "truncated"
	| "magic"
	| "version"
	| "engine"
	| "header-crc"
	| "directory"
	| "natives"
	| "module-crc"
	| "no-main";

export class ArchiveError extends Error {
	readonly fault: ArchiveFault;

	constructor(fault: ArchiveFault, message: string) {
		super(message);
		this.name = "ArchiveError";
		this.fault = fault;
	}
}

const crcTable = Uint32Array.from({ length: 256 }, (_, index) => {
	let value = index;
	for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
	return value;
});

/** CRC-32/ISO-HDLC (zlib's). `crc` continues an earlier result. */
export function crc32(data: Uint8Array, crc = 0): number {
	let value = ~crc;
	for (const byte of data) value = (value >>> 8) ^ (crcTable[(value ^ byte) & 0xff] as number);
	return ~value >>> 0;
}

/** CRC-32 over NUL-terminated names: what ties an archive to the table of natives in its image. */
export function namesCrc(names: readonly string[]): number {
	let crc = 0;
	for (const name of names) crc = crc32(Buffer.from(`${name}\0`), crc);
	return crc;
}

/** The order of names in an archive: by the bytes of their UTF-8, as strcmp() has it. */
export function compareNames(a: string, b: string): number {
	return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** Packs an archive. Modules and resources are sorted by name; natives must be sorted already (their index counts). */
export function writeArchive(archive: Archive): Buffer {
	const modules = [...archive.modules].sort((a, b) => compareNames(a.name, b.name));
	const resources = [...archive.resources].sort((a, b) => compareNames(a.name, b.name));
	const symbolsOffset = headerSize;
	const hostsOffset = symbolsOffset + archive.symbols.length * 4;
	const modulesOffset = hostsOffset + archive.hosts.length * 4;
	const resourcesOffset = modulesOffset + modules.length * moduleEntrySize;
	const poolOffset = resourcesOffset + resources.length * resourceEntrySize;

	const pool = new StringPool(poolOffset);
	const symbols = archive.symbols.map((name) => pool.add(name));
	const hosts = archive.hosts.map((name) => pool.add(name));
	const moduleNames = modules.map((module) => pool.add(module.name));
	const sources = modules.map((module) => (module.source === undefined ? 0 : pool.add(module.source)));
	const resourceNames = resources.map((resource) => pool.add(resource.name));

	const refsOffset = align(poolOffset + pool.size);
	const refOffsets: number[] = [];
	let offset = refsOffset;
	for (const module of modules) {
		refOffsets.push(offset);
		offset += module.hostRefs.length * hostRefSize;
	}
	const directoryEnd = offset;
	const codeOffsets: number[] = [];
	const lineTables = modules.map((module) => (archive.debug ? lineTable(module.lines) : Buffer.alloc(0)));
	const lineOffsets: number[] = [];
	for (const [index, module] of modules.entries()) {
		const table = lineTables[index] as Buffer;
		codeOffsets.push(offset);
		offset = align(offset + module.code.length);
		lineOffsets.push(table.length === 0 ? 0 : offset);
		offset += table.length;
	}
	const dataOffsets: number[] = [];
	for (const resource of resources) {
		dataOffsets.push(offset);
		offset = align(offset + resource.data.length);
	}

	const bytes = Buffer.alloc(offset);
	bytes.write(magic, 0, "latin1");
	bytes.writeUInt16LE(archiveFormat, 4);
	bytes.writeUInt16LE(headerSize, 6);
	const header = [
		bytes.length,
		archive.engine,
		archive.firstId,
		symbols.length,
		symbolsOffset,
		modules.length,
		modulesOffset,
		hosts.length,
		hostsOffset,
		resources.length,
		resourcesOffset,
		archive.debug ? flagDebug : 0,
	];
	writeWords(bytes, 8, header);
	writeWords(bytes, symbolsOffset, symbols);
	writeWords(bytes, hostsOffset, hosts);
	for (const [index, module] of modules.entries()) {
		const hasRefs = module.hostRefs.length > 0;
		writeWords(bytes, modulesOffset + index * moduleEntrySize, [
			moduleNames[index] as number,
			codeOffsets[index] as number,
			module.code.length,
			crc32(module.code),
			hasRefs ? (refOffsets[index] as number) : 0,
			module.hostRefs.length,
			lineOffsets[index] as number,
			(lineTables[index] as Buffer).length,
			sources[index] as number,
			module.preload ? flagPreload : 0,
		]);
		for (const [number, ref] of module.hostRefs.entries()) {
			const at = (refOffsets[index] as number) + number * hostRefSize;
			bytes.writeUInt16LE(ref.native, at);
			bytes.writeInt8(ref.length, at + 2);
			bytes.writeUInt16LE(ref.nameId, at + 4);
		}
		bytes.set(module.code, codeOffsets[index]);
		bytes.set(lineTables[index] as Buffer, lineOffsets[index]);
	}
	for (const [index, resource] of resources.entries()) {
		writeWords(bytes, resourcesOffset + index * resourceEntrySize, [
			resourceNames[index] as number,
			dataOffsets[index] as number,
			resource.data.length,
			crc32(resource.data),
		]);
		bytes.set(resource.data, dataOffsets[index]);
	}
	bytes.set(pool.bytes(), poolOffset);
	bytes.writeUInt32LE(crc32(bytes.subarray(headerSize, directoryEnd)), 56);
	bytes.writeUInt32LE(crc32(bytes.subarray(0, 60)), 60);
	return bytes;
}

/** What readArchive compares an archive with; what is left out is not compared. */
export interface ArchiveExpectation {
	readonly engine?: number;
	readonly firstId?: number;
	readonly hosts?: readonly string[];
}

/** Reads an archive and verifies every byte of it. Throws ArchiveError. */
export function readArchive(data: Uint8Array, expect: ArchiveExpectation = {}): Archive {
	const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
	if (bytes.length < headerSize) {
		throw new ArchiveError("truncated", `${bytes.length} bytes, shorter than the header (${headerSize})`);
	}
	if (bytes.toString("latin1", 0, 4) !== magic) throw new ArchiveError("magic", `does not begin with "${magic}"`);
	if (crc32(bytes.subarray(0, 60)) !== bytes.readUInt32LE(60)) {
		throw new ArchiveError("header-crc", "the header does not match its CRC");
	}
	const format = bytes.readUInt16LE(4);
	if (format !== archiveFormat || bytes.readUInt16LE(6) !== headerSize) {
		throw new ArchiveError("version", `format ${format}, expected ${archiveFormat}`);
	}
	const word = (at: number): number => bytes.readUInt32LE(at);
	const total = word(8);
	if (total > bytes.length || total < headerSize) {
		throw new ArchiveError("truncated", `${bytes.length} bytes, the header says ${total}`);
	}
	const engine = word(12);
	const firstId = word(16);
	if ((expect.engine ?? engine) !== engine || (expect.firstId ?? firstId) !== firstId) {
		throw new ArchiveError("engine", `for engine 0x${engine.toString(16)} with ${firstId} names`);
	}
	const wrong = (what: string): ArchiveError => new ArchiveError("directory", `the directory is damaged: ${what}`);
	const inside = (offset: number, length: number, from: number, to: number): boolean =>
		offset >= from && offset + length <= to;
	const table = (countAt: number, each: number, what: string): number[] => {
		const count = word(countAt);
		const offset = word(countAt + 4);
		if (offset % 4 !== 0 || !inside(offset, count * each, headerSize, total)) throw wrong(`the place of its ${what}`);
		return Array.from({ length: count }, (_, index) => offset + index * each);
	};
	const symbolEntries = table(20, 4, "symbols");
	const moduleEntries = table(28, moduleEntrySize, "modules");
	const hostEntries = table(36, 4, "natives");
	const resourceEntries = table(44, resourceEntrySize, "resources");
	let end = total;
	for (const at of moduleEntries) end = Math.min(end, word(at + 4));
	for (const at of resourceEntries) end = Math.min(end, word(at + 4));
	if (end < headerSize || crc32(bytes.subarray(headerSize, end)) !== word(56)) throw wrong("it does not match its CRC");

	const text = (offset: number): string => {
		const zero = offset < headerSize || offset >= end ? -1 : bytes.indexOf(0, offset);
		if (zero < 0 || zero >= end) throw wrong("a name outside of it");
		return bytes.toString("utf8", offset, zero);
	};
	const part = (offset: number, size: number, crc: number, name: string): Buffer => {
		if (offset % 4 !== 0 || !inside(offset, size, end, total)) throw wrong(`the place of "${name}"`);
		const content = bytes.subarray(offset, offset + size);
		if (crc32(content) !== crc) throw new ArchiveError("module-crc", `"${name}" does not match its CRC`);
		return content;
	};
	const hosts = hostEntries.map((at) => text(word(at)));
	if (expect.hosts !== undefined && hosts.join("\0") !== expect.hosts.join("\0")) {
		throw new ArchiveError("natives", "it names other natives than expected");
	}
	const modules = moduleEntries.map((at): ArchiveModule => {
		const name = text(word(at));
		const refs = word(at + 16);
		const refCount = word(at + 20);
		if (refCount > 0 && (refs % 4 !== 0 || !inside(refs, refCount * hostRefSize, headerSize, end))) {
			throw wrong(`the native references of "${name}"`);
		}
		const hostRefs = Array.from({ length: refCount }, (_, index): HostRef => {
			const ref = refs + index * hostRefSize;
			const native = bytes.readUInt16LE(ref);
			if (native >= hosts.length) throw wrong(`a native reference of "${name}"`);
			return { native, length: bytes.readInt8(ref + 2), nameId: bytes.readUInt16LE(ref + 4) };
		});
		const lines: [number, number][] = [];
		const linesOffset = word(at + 24);
		const linesSize = word(at + 28);
		if (linesOffset !== 0) {
			if (linesSize % lineEntrySize !== 4 || !inside(linesOffset, linesSize, end, total)) {
				throw wrong(`the line table of "${name}"`);
			}
			const content = bytes.subarray(linesOffset, linesOffset + linesSize);
			if (crc32(content.subarray(4)) !== content.readUInt32LE(0)) {
				throw new ArchiveError("module-crc", `the line table of "${name}" does not match its CRC`);
			}
			for (let entry = 4; entry < linesSize; entry += lineEntrySize) {
				lines.push([content.readUInt32LE(entry), content.readUInt32LE(entry + 4)]);
			}
		}
		const source = word(at + 32);
		return {
			name,
			code: part(word(at + 4), word(at + 8), word(at + 12), name),
			hostRefs,
			lines,
			source: source === 0 ? undefined : text(source),
			preload: (word(at + 36) & flagPreload) !== 0,
		};
	});
	for (const [index, module] of modules.entries()) {
		const before = modules[index - 1];
		if (before !== undefined && compareNames(before.name, module.name) >= 0) throw wrong("modules are not sorted");
	}
	const resources = resourceEntries.map((at): ArchiveResource => {
		const name = text(word(at));
		return { name, data: part(word(at + 4), word(at + 8), word(at + 12), name) };
	});
	if (!modules.some((module) => module.name === "main")) throw new ArchiveError("no-main", 'no module "main"');
	return {
		engine,
		firstId,
		debug: (word(52) & flagDebug) !== 0,
		symbols: symbolEntries.map((at) => text(word(at))),
		hosts,
		modules,
		resources,
	};
}

function align(offset: number): number {
	return (offset + 3) & ~3;
}

function writeWords(bytes: Buffer, offset: number, words: readonly number[]): void {
	for (const [index, word] of words.entries()) bytes.writeUInt32LE(word, offset + index * 4);
}

/* CRC-32 of what follows, then an offset and a line for each entry. */
function lineTable(lines: readonly (readonly [number, number])[]): Buffer {
	if (lines.length === 0) return Buffer.alloc(0);
	const table = Buffer.alloc(4 + lines.length * lineEntrySize);
	for (const [index, entry] of lines.entries()) writeWords(table, 4 + index * lineEntrySize, entry);
	table.writeUInt32LE(crc32(table.subarray(4)), 0);
	return table;
}

/* NUL-terminated strings, each once. */
class StringPool {
	readonly #offsets = new Map<string, number>();
	readonly #parts: Buffer[] = [];
	readonly #start: number;
	size = 0;

	constructor(start: number) {
		this.#start = start;
	}

	add(text: string): number {
		let offset = this.#offsets.get(text);
		if (offset === undefined) {
			if (text.includes("\0")) throw new Error(`a name with NUL can't be in an archive: ${JSON.stringify(text)}`);
			const part = Buffer.from(`${text}\0`);
			offset = this.#start + this.size;
			this.#offsets.set(text, offset);
			this.#parts.push(part);
			this.size += part.length;
		}
		return offset;
	}

	bytes(): Buffer {
		return Buffer.concat(this.#parts);
	}
}
