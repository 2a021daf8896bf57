// CBOR (RFC 8949) for things that are signed: one encoding for each value, and a decoder that says what is wrong with bytes
// that have another. Runs on XS as well as on Node and imports nothing.
//
// The encoder is deterministic (RFC 8949 section 4.2.1). The decoder asks for the same unless told otherwise, and refuses in
// any case what is not well-formed or not valid: equal keys, bytes behind the end, invalid UTF-8.
//
//   CBOR                  here
//   integer               number; bigint beyond 2^53 - 1
//   byte string           Uint8Array, of the decoded bytes themselves: no copy
//   text string           string
//   array, map            array, Map
//   false, true, null     false, true, null
//   undefined             undefined
//   float                 CborFloat: a number is always an integer
//   tag, simple value     CborTag, CborSimple

/** A floating-point number, so that 1.0 is never taken for 1. */
export class CborFloat {
	readonly value: number;

	constructor(value: number) {
		this.value = value;
	}
}

/** A tag number (0 .. 2^64 - 1) and what it is the tag of. */
export class CborTag {
	readonly tag: number | bigint;
	readonly value: CborValue;

	constructor(tag: number | bigint, value: CborValue) {
		this.tag = tag;
		this.value = value;
	}
}

/** A simple value without a name: 0..19, 32..255. */
export class CborSimple {
	readonly value: number;

	constructor(value: number) {
		this.value = value;
	}
}

export type CborMap = ReadonlyMap<CborValue, CborValue>;

export type CborValue =
	| number
	| bigint
	| boolean
	| null
	| undefined
	| string
	| Uint8Array
	| CborFloat
	| CborTag
	| CborSimple
	| readonly CborValue[]
	| CborMap;

/** What is wrong with bytes. Those from "not-shortest" on are well-formed CBOR, but not deterministic. */
export type CborFault =
	| "truncated"
	| "trailing-bytes"
	| "reserved"
	| "break"
	| "chunk"
	| "simple"
	| "utf-8"
	| "duplicate-key"
	| "depth"
	| "size"
	| "not-shortest"
	| "indefinite"
	| "unsorted-keys";

const MEANINGS: Readonly<Record<CborFault, string>> = {
	truncated: "the data ends in the middle of an item",
	"trailing-bytes": "bytes follow the end of the item",
	reserved: "the additional information is a reserved value",
	break: "a break where none may be",
	chunk: "a chunk of an indefinite-length string of another type",
	simple: "a simple value in a form that does not exist",
	"utf-8": "a text string is not valid UTF-8",
	"duplicate-key": "a map has two equal keys",
	depth: "items are nested too deep",
	size: "the data is too long",
	"not-shortest": "a number or a length is not in its shortest form",
	indefinite: "an item of indefinite length",
	"unsorted-keys": "the keys of a map are not in bytewise order",
};

/** What `decode()` throws for bytes that it refuses. */
export class CborError extends Error {
	override readonly name = "CborError";
	readonly fault: CborFault;
	/** Offset of the byte where the item begins that is at fault. */
	readonly offset: number;

	constructor(fault: CborFault, offset: number) {
		super(`${MEANINGS[fault]} (byte ${offset})`);
		this.fault = fault;
		this.offset = offset;
	}
}

export interface DecodeOptions {
	/** Only the encoding of RFC 8949 section 4.2.1. True if not given. */
	readonly deterministic?: boolean;
	/** Items of indefinite length too, where `deterministic` is false. False if not given (as RFC 9783 section 5.1.1 has it). */
	readonly indefinite?: boolean;
	/** Arrays, maps and tags within each other; 16 if not given. */
	readonly depth?: number;
	/** Bytes; 65,536 if not given. */
	readonly size?: number;
}

const UINT = 0;
const NEGATIVE = 1;
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const MAP = 5;
const TAG = 6;
const OTHER = 7;

const BREAK = 0xff;
const INDEFINITE = 31;
const TWO_32 = 4294967296;

/** Decodes one item that takes all of `data`. Throws CborError. */
export function decode(data: Uint8Array, options: DecodeOptions = {}): CborValue {
	if (data.length > (options.size ?? 65536)) throw new CborError("size", 0);
	const reader = new Reader(data, options);
	const value = reader.item(options.depth ?? 16);
	if (reader.at !== data.length) throw new CborError("trailing-bytes", reader.at);
	return value;
}

class Reader {
	at = 0;
	readonly #data: Uint8Array;
	readonly #view: DataView;
	readonly #deterministic: boolean;
	readonly #indefinite: boolean;

	constructor(data: Uint8Array, options: DecodeOptions) {
		this.#data = data;
		this.#view = new DataView(data.buffer, data.byteOffset, data.byteLength);
		this.#deterministic = options.deterministic ?? true;
		this.#indefinite = options.indefinite ?? false;
	}

	item(depth: number): CborValue {
		const start = this.at;
		const first = this.#byte(start);
		const major = first >> 5;
		const info = first & 31;
		if (major === OTHER) return this.#other(start, info);
		if (info === INDEFINITE) return this.#open(start, major, depth);
		const argument = this.#argument(start, info);
		switch (major) {
			case UINT:
				return argument;
			case NEGATIVE:
				return typeof argument === "bigint" || argument === Number.MAX_SAFE_INTEGER
					? -1n - BigInt(argument)
					: -1 - argument;
			case BYTES:
				return this.#take(start, argument);
			case TEXT:
				return this.#text(start, this.#take(start, argument));
			case ARRAY:
				return this.#array(this.#count(start, argument, 1), this.#inner(start, depth));
			case MAP:
				return this.#map(this.#count(start, argument, 2), this.#inner(start, depth));
			default:
				return new CborTag(argument, this.item(this.#inner(start, depth)));
		}
	}

	#byte(start: number): number {
		const byte = this.#data[this.at];
		if (byte === undefined) throw new CborError("truncated", start);
		this.at++;
		return byte;
	}

	#skip(start: number, size: number): number {
		const from = this.at;
		if (this.#data.length - from < size) throw new CborError("truncated", start);
		this.at = from + size;
		return from;
	}

	#inner(start: number, depth: number): number {
		if (depth <= 0) throw new CborError("depth", start);
		return depth - 1;
	}

	/** The argument of a head whose first byte has been read (RFC 8949 section 3). */
	#argument(start: number, info: number): number | bigint {
		if (info < 24) return info;
		let value: number | bigint;
		let least: number;
		switch (info) {
			case 24:
				value = this.#view.getUint8(this.#skip(start, 1));
				least = 24;
				break;
			case 25:
				value = this.#view.getUint16(this.#skip(start, 2));
				least = 256;
				break;
			case 26:
				value = this.#view.getUint32(this.#skip(start, 4));
				least = 65536;
				break;
			case 27: {
				const from = this.#skip(start, 8);
				const high = this.#view.getUint32(from);
				const low = this.#view.getUint32(from + 4);
				value = high < 0x200000 ? high * TWO_32 + low : (BigInt(high) << 32n) | BigInt(low);
				least = TWO_32;
				break;
			}
			default:
				throw new CborError("reserved", start);
		}
		if (this.#deterministic && value < least) throw new CborError("not-shortest", start);
		return value;
	}

	#take(start: number, length: number | bigint): Uint8Array {
		// A length beyond 2^53 is longer than any data.
		const from = this.#skip(start, typeof length === "bigint" ? Number.POSITIVE_INFINITY : length);
		return this.#data.subarray(from, this.at);
	}

	/** A count of items of at least `size` bytes each: what can't be there is not waited for. */
	#count(start: number, count: number | bigint, size: number): number {
		if (typeof count === "bigint" || count > (this.#data.length - this.at) / size) {
			throw new CborError("truncated", start);
		}
		return count;
	}

	#text(start: number, bytes: Uint8Array): string {
		const text = utf8(bytes);
		if (text === undefined) throw new CborError("utf-8", start);
		return text;
	}

	#array(count: number, depth: number): CborValue[] {
		const items: CborValue[] = [];
		while (items.length < count && !this.#ended(count)) items.push(this.item(depth));
		return items;
	}

	#map(count: number, depth: number): CborMap {
		const map = new Map<CborValue, CborValue>();
		/* Keys are equal if their values are, however they are encoded: so what is compared is their deterministic encoding. */
		const seen = new Set<string>();
		let last: Uint8Array | undefined;
		while (map.size < count && !this.#ended(count)) {
			const start = this.at;
			const key = this.item(depth);
			if (this.#deterministic) {
				const bytes = this.#data.subarray(start, this.at);
				const order = last === undefined ? -1 : compare(last, bytes);
				if (order === 0) throw new CborError("duplicate-key", start);
				if (order > 0) throw new CborError("unsorted-keys", start);
				last = bytes;
			} else {
				const name = encode(key).join();
				if (seen.has(name)) throw new CborError("duplicate-key", start);
				seen.add(name);
			}
			map.set(key, this.item(depth));
		}
		return map;
	}

	/** Whether an array or map of indefinite length (a count of infinity) ends here; takes its break. */
	#ended(count: number): boolean {
		if (count !== Number.POSITIVE_INFINITY || this.#data[this.at] !== BREAK) return false;
		this.at++;
		return true;
	}

	/** An item of indefinite length (RFC 8949 section 3.2). */
	#open(start: number, major: number, depth: number): CborValue {
		if (major < BYTES || major === TAG) throw new CborError("reserved", start);
		if (this.#deterministic || !this.#indefinite) throw new CborError("indefinite", start);
		if (major === ARRAY) return this.#array(Number.POSITIVE_INFINITY, this.#inner(start, depth));
		if (major === MAP) return this.#map(Number.POSITIVE_INFINITY, this.#inner(start, depth));
		const chunks: Uint8Array[] = [];
		let text = "";
		for (;;) {
			const from = this.at;
			const first = this.#byte(start);
			if (first === BREAK) break;
			if (first >> 5 !== major || (first & 31) === INDEFINITE) throw new CborError("chunk", from);
			const chunk = this.#take(from, this.#argument(from, first & 31));
			if (major === TEXT) text += this.#text(from, chunk);
			else chunks.push(chunk);
		}
		return major === TEXT ? text : join(chunks);
	}

	/** Major type 7: simple values and floats (RFC 8949 section 3.3). */
	#other(start: number, info: number): CborValue {
		switch (info) {
			case 20:
				return false;
			case 21:
				return true;
			case 22:
				return null;
			case 23:
				return undefined;
			case 24: {
				const value = this.#byte(start);
				if (value < 32) throw new CborError("simple", start);
				return new CborSimple(value);
			}
			case 25:
				return this.#float(start, 2, fromHalf(this.#view.getUint16(this.#skip(start, 2))));
			case 26:
				return this.#float(start, 4, this.#view.getFloat32(this.#skip(start, 4)));
			case 27:
				return this.#float(start, 8, this.#view.getFloat64(this.#skip(start, 8)));
			case INDEFINITE:
				throw new CborError("break", start);
			default:
				if (info > 27) throw new CborError("reserved", start);
				return new CborSimple(info);
		}
	}

	#float(start: number, size: number, value: number): CborFloat {
		const float = new CborFloat(value);
		if (this.#deterministic) {
			const shortest = encode(float);
			if (shortest.length !== size + 1) throw new CborError("not-shortest", start);
			// A NaN with a payload has the length of the one that is deterministic, but not its bytes.
			if (compare(shortest, this.#data.subarray(start, this.at)) !== 0) throw new CborError("not-shortest", start);
		}
		return float;
	}
}

/** The deterministic encoding (RFC 8949 section 4.2.1). Throws RangeError for what CBOR can't say, or a map with equal keys. */
export function encode(value: CborValue): Uint8Array {
	const writer = new Writer();
	writer.item(value);
	return writer.bytes();
}

class Writer {
	#data = new Uint8Array(64);
	#view = new DataView(this.#data.buffer);
	#size = 0;

	bytes(): Uint8Array {
		return this.#data.slice(0, this.#size);
	}

	item(value: CborValue): void {
		if (typeof value === "number" || typeof value === "bigint") this.#integer(value);
		else if (typeof value === "string") this.#string(TEXT, toUtf8(value));
		else if (value === false) this.#head(OTHER, 20);
		else if (value === true) this.#head(OTHER, 21);
		else if (value === null) this.#head(OTHER, 22);
		else if (value === undefined) this.#head(OTHER, 23);
		else if (value instanceof Uint8Array) this.#string(BYTES, value);
		else if (value instanceof CborFloat) this.#float(value.value);
		else if (value instanceof CborSimple) this.#simple(value.value);
		else if (value instanceof CborTag) {
			this.#head(TAG, value.tag);
			this.item(value.value);
		} else if (value instanceof Map) this.#map(value);
		else this.#array(value as readonly CborValue[]);
	}

	/** Room for `size` bytes; the offset where they begin. #data and #view are others after it. */
	#room(size: number): number {
		const at = this.#size;
		this.#size += size;
		if (this.#size > this.#data.length) {
			const data = new Uint8Array(Math.max(this.#size, this.#data.length * 2));
			data.set(this.#data.subarray(0, at));
			this.#data = data;
			this.#view = new DataView(data.buffer);
		}
		return at;
	}

	#head(major: number, argument: number | bigint): void {
		const first = major << 5;
		if (argument < 0 || argument > 0xffffffffffffffffn) throw new RangeError(`CBOR has no tag ${argument}`);
		if (argument < 24) {
			const at = this.#room(1);
			this.#view.setUint8(at, first | Number(argument));
		} else if (argument < 256) {
			const at = this.#room(2);
			this.#view.setUint8(at, first | 24);
			this.#view.setUint8(at + 1, Number(argument));
		} else if (argument < 65536) {
			const at = this.#room(3);
			this.#view.setUint8(at, first | 25);
			this.#view.setUint16(at + 1, Number(argument));
		} else if (argument < TWO_32) {
			const at = this.#room(5);
			this.#view.setUint8(at, first | 26);
			this.#view.setUint32(at + 1, Number(argument));
		} else {
			const at = this.#room(9);
			this.#view.setUint8(at, first | 27);
			this.#view.setUint32(at + 1, Number(BigInt(argument) >> 32n));
			this.#view.setUint32(at + 5, Number(BigInt(argument) & 0xffffffffn));
		}
	}

	#integer(value: number | bigint): void {
		if (typeof value === "number" && !Number.isSafeInteger(value)) {
			throw new RangeError(`${value} is no integer that a number holds exactly`);
		}
		if (value < -0x10000000000000000n || value > 0xffffffffffffffffn) {
			throw new RangeError(`${value} is beyond CBOR's integers`);
		}
		if (value >= 0) this.#head(UINT, value);
		else this.#head(NEGATIVE, typeof value === "bigint" ? -1n - value : -1 - value);
	}

	#string(major: number, bytes: Uint8Array): void {
		this.#head(major, bytes.length);
		const at = this.#room(bytes.length);
		this.#data.set(bytes, at);
	}

	#array(items: readonly CborValue[]): void {
		this.#head(ARRAY, items.length);
		for (const item of items) this.item(item);
	}

	#map(map: CborMap): void {
		const entries: { readonly key: Uint8Array; readonly value: CborValue }[] = [];
		for (const [key, value] of map) entries.push({ key: encode(key), value });
		entries.sort((a, b) => compare(a.key, b.key));
		this.#head(MAP, entries.length);
		let last: Uint8Array | undefined;
		for (const { key, value } of entries) {
			if (last !== undefined && compare(last, key) === 0) throw new RangeError("a map with two equal keys");
			const at = this.#room(key.length);
			this.#data.set(key, at);
			this.item(value);
			last = key;
		}
	}

	#simple(value: number): void {
		if (!Number.isInteger(value) || value < 0 || value > 255 || (value >= 20 && value < 32)) {
			throw new RangeError(`there is no simple value ${value}`);
		}
		this.#head(OTHER, value);
	}

	#float(value: number): void {
		const half = toHalf(value);
		if (half !== undefined) {
			const at = this.#room(3);
			this.#view.setUint8(at, (OTHER << 5) | 25);
			this.#view.setUint16(at + 1, half);
		} else if (Math.fround(value) === value) {
			const at = this.#room(5);
			this.#view.setUint8(at, (OTHER << 5) | 26);
			this.#view.setFloat32(at + 1, value);
		} else {
			const at = this.#room(9);
			this.#view.setUint8(at, (OTHER << 5) | 27);
			this.#view.setFloat64(at + 1, value);
		}
	}
}

/** Below 0, 0 or above 0 as `a` comes before, equals or comes after `b` in bytewise order. */
export function compare(a: Uint8Array, b: Uint8Array): number {
	const length = Math.min(a.length, b.length);
	for (let at = 0; at < length; at++) {
		const difference = (a[at] as number) - (b[at] as number);
		if (difference !== 0) return difference;
	}
	return a.length - b.length;
}

function join(chunks: readonly Uint8Array[]): Uint8Array {
	const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
	let at = 0;
	for (const chunk of chunks) {
		whole.set(chunk, at);
		at += chunk.length;
	}
	return whole;
}

/** The text that the bytes are (RFC 3629), or undefined where they are none: overlong forms, surrogates, beyond U+10FFFF. */
function utf8(bytes: Uint8Array): string | undefined {
	let text = "";
	for (let at = 0; at < bytes.length; ) {
		const first = bytes[at++] as number;
		if (first < 0x80) {
			text += String.fromCharCode(first);
			continue;
		}
		const more = first >= 0xc2 && first < 0xe0 ? 1 : first >= 0xe0 && first < 0xf0 ? 2 : 3;
		if (first < 0xc2 || first > 0xf4 || at + more > bytes.length) return undefined;
		let code = first & (0x3f >> more);
		for (let left = more; left > 0; left--) {
			const next = bytes[at++] as number;
			if ((next & 0xc0) !== 0x80) return undefined;
			code = (code << 6) | (next & 0x3f);
		}
		if (more === 2 && (code < 0x800 || (code >= 0xd800 && code < 0xe000))) return undefined;
		if (more === 3 && (code < 0x10000 || code > 0x10ffff)) return undefined;
		text += String.fromCodePoint(code);
	}
	return text;
}

/** UTF-8 of a text. Throws RangeError where it has half a surrogate pair. */
function toUtf8(text: string): Uint8Array {
	const bytes: number[] = [];
	for (const character of text) {
		const code = character.codePointAt(0) as number;
		if (code >= 0xd800 && code < 0xe000) throw new RangeError("half a surrogate pair is no text");
		if (code < 0x80) bytes.push(code);
		else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 0x3f));
		else if (code < 0x10000) bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
		else {
			bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 0x3f), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
		}
	}
	return new Uint8Array(bytes);
}

/** An IEEE 754 half-precision number (RFC 8949 appendix D). */
function fromHalf(half: number): number {
	const exponent = (half >> 10) & 0x1f;
	const mantissa = half & 0x3ff;
	let value: number;
	if (exponent === 0) value = mantissa * 2 ** -24;
	else if (exponent === 31) value = mantissa === 0 ? Number.POSITIVE_INFINITY : Number.NaN;
	else value = (mantissa + 1024) * 2 ** (exponent - 25);
	return half >= 0x8000 ? -value : value;
}

/** The half-precision bits of a number, or undefined where it has none. */
function toHalf(value: number): number | undefined {
	if (Number.isNaN(value)) return 0x7e00;
	const view = new DataView(new ArrayBuffer(4));
	view.setFloat32(0, value);
	const bits = view.getUint32(0);
	const sign = (bits >>> 16) & 0x8000;
	const exponent = ((bits >> 23) & 0xff) - 127;
	const mantissa = bits & 0x7fffff;
	let half: number;
	if (exponent === 128) half = sign | 0x7c00;
	else if (exponent >= -14 && exponent <= 15) half = sign | ((exponent + 15) << 10) | (mantissa >> 13);
	else if (exponent >= -24 && exponent < -14) half = sign | ((mantissa | 0x800000) >> (-exponent - 1));
	else half = sign;
	return Object.is(fromHalf(half), value) ? half : undefined;
}
