// embedded:storage/key-value: ECMA-419's key-value storage on the power-cut-safe store of native/storage.
//
// A write or delete that has returned is there after any power cut; one that a cut interrupts has happened or has not.

/** A reference to the mounted store, held by C. */
type Handle = { readonly handle: unique symbol };
type Bytes = ArrayBuffer | ArrayBufferView;

const openStore: () => Handle = native("xs_kv_open");
const closeStore: (handle: Handle) => void = native("xs_kv_close");
const readPair: (
	handle: Handle,
	domain: string,
	key: string,
	tag: number,
	buffer: Bytes | undefined,
) => ArrayBuffer | string | number | undefined = native("xs_kv_read");
const writePair: (handle: Handle, domain: string, key: string, tag: number, value: Bytes | string) => void =
	native("xs_kv_write");
const deletePair: (handle: Handle, domain: string, key: string) => boolean = native("xs_kv_delete");
const listKeys: (handle: Handle, domain: string) => string[] = native("xs_kv_keys");
const examine: (handle: Handle, buffer: Bytes) => void = native("xs_kv_status");

export type Format =
	| "buffer"
	| "string"
	| "uint8"
	| "int8"
	| "uint16"
	| "int16"
	| "uint32"
	| "int32"
	| "uint64"
	| "int64";

export interface OpenOptions {
	/** The domain: 1 to 15 bytes of UTF-8. Keys of different domains never meet. */
	readonly path: string;
	/** "r" refuses to write; "r+" is the default. */
	readonly mode?: "r" | "r+";
	/** What `read` gives and `write` takes; "buffer" is the default. */
	readonly format?: Format;
	readonly target?: unknown;
}

/** Figures of the whole store, all domains together. Sizes in bytes. */
export interface StoreStatus {
	readonly keys: number;
	/** Flash that the values, their keys and 20 bytes each take. */
	readonly used: number;
	readonly capacity: number;
	/** Records that fail their check. */
	readonly corrupt: number;
	/** Erases of the least and of the most worn sector. */
	readonly erasesMin: number;
	readonly erasesMax: number;
}

/** What each format is stored under: part of the storage format, never to be renumbered. */
const tags: readonly Format[] = [
	"buffer",
	"string",
	"uint8",
	"int8",
	"uint16",
	"int16",
	"uint32",
	"int32",
	"uint64",
	"int64",
];

/** Bytes of a number of this format, with its least and greatest value. */
function limitsOf(format: Format): { bytes: number; least: bigint; greatest: bigint } | undefined {
	const match = /^(u?)int(\d+)$/.exec(format);
	if (!match) return undefined;
	const bits = BigInt(match[2] ?? "0");
	const least = match[1] === "u" ? 0n : -(2n ** (bits - 1n));
	return { bytes: Number(bits) / 8, least, greatest: least + 2n ** bits - 1n };
}

/** The numbers, little-endian. */
function encodeNumber(format: Format, value: unknown): ArrayBuffer {
	const limits = limitsOf(format);
	if (!limits) throw new TypeError(`key-value: format "${format}" is no number`);
	const wide = limits.bytes === 8;
	let number: bigint;
	if (wide) {
		if (typeof value !== "bigint") throw new TypeError(`key-value: format "${format}" takes a bigint`);
		number = value;
	} else {
		const converted = Number(value);
		if (!Number.isInteger(converted)) throw new RangeError(`key-value: ${String(value)} is no integer`);
		number = BigInt(converted);
	}
	if (number < limits.least || number > limits.greatest) {
		throw new RangeError(`key-value: ${number} is outside of ${limits.least} to ${limits.greatest}`);
	}
	const view = new DataView(new ArrayBuffer(limits.bytes));
	const bits = BigInt.asUintN(8 * limits.bytes, number);
	for (let i = 0; i < limits.bytes; i++) view.setUint8(i, Number((bits >> BigInt(8 * i)) & 255n));
	return view.buffer as ArrayBuffer;
}

function decodeNumber(format: Format, value: ArrayBuffer): number | bigint {
	const limits = limitsOf(format);
	if (limits?.bytes !== value.byteLength) throw new TypeError(`key-value: the value is no ${format}`);
	const view = new DataView(value);
	let bits = 0n;
	for (let i = limits.bytes - 1; i >= 0; i--) bits = (bits << 8n) | BigInt(view.getUint8(i));
	const number = limits.least < 0n ? BigInt.asIntN(8 * limits.bytes, bits) : bits;
	return limits.bytes === 8 ? number : Number(number);
}

/** Only `open` makes domains: ECMA-419's constructor throws. */
let opening = false;

/** A domain of the store. Methods throw an Error when it is closed. */
class Domain {
	readonly target: unknown;
	readonly #path: string;
	readonly #writable: boolean;
	#format: Format = "buffer";
	#handle: Handle | undefined;

	constructor(options: OpenOptions) {
		if (!opening) throw new TypeError("key-value: use open()");
		opening = false;
		const { path, mode = "r+", format = "buffer" } = options;
		if (path === undefined) throw new RangeError("key-value: path is missing");
		if (mode !== "r" && mode !== "r+") throw new RangeError(`key-value: mode "${mode}" is neither "r" nor "r+"`);
		this.#path = String(path);
		this.#writable = mode === "r+";
		this.format = format;
		this.target = options.target;
		const handle = openStore();
		this.#handle = handle;
		// Refuses a path that is none, now and not at the first read.
		readPair(handle, this.#path, "?", 0, undefined);
	}

	get format(): Format {
		return this.#format;
	}
	set format(value: Format) {
		if (!tags.includes(value)) throw new RangeError(`key-value: format "${value}" is unknown`);
		this.#format = value;
	}

	#opened(): Handle {
		if (!this.#handle) throw new Error("key-value: closed");
		return this.#handle;
	}

	#changeable(): Handle {
		const handle = this.#opened();
		if (!this.#writable) throw new Error(`key-value: "${this.#path}" was opened to read`);
		return handle;
	}

	/** Closing twice does nothing. */
	close(): void {
		if (this.#handle) closeStore(this.#handle);
		this.#handle = undefined;
	}

	/** The value of a key in the domain's format, or undefined if there is none. With a buffer (format "buffer" only) puts
	 * the value there and gives its length. Throws a TypeError if the value was written in another format, a RangeError if
	 * the buffer is too short, an Error if the value is corrupt. */
	read(key: string): ArrayBuffer | string | number | bigint | undefined;
	read(key: string, buffer: Bytes): number | undefined;
	read(key: string, buffer?: Bytes): ArrayBuffer | string | number | bigint | undefined {
		const format = this.#format;
		const into = format === "buffer" ? buffer : undefined;
		const value = readPair(this.#opened(), this.#path, String(key), tags.indexOf(format), into);
		if (typeof value === "number") {
			if (value >= 0 && into) return value;
			throw new TypeError(`key-value: "${key}" is a ${tags[-1 - value] ?? "value of another kind"}, no ${format}`);
		}
		return value instanceof ArrayBuffer && format !== "buffer" ? decodeNumber(format, value) : value;
	}

	/** Sets the value of a key (1 to 64 bytes of UTF-8). Throws a RangeError for a key, a number or a value that doesn't
	 * fit (values: half a flash sector, 2048 bytes), an Error when the store is full; then nothing has changed. */
	write(key: string, value: Bytes | string | number | bigint): void {
		const handle = this.#changeable();
		const format = this.#format;
		let bytes: Bytes | string;
		if (format === "buffer") {
			if (typeof value !== "object") throw new TypeError('key-value: format "buffer" takes a buffer');
			bytes = ArrayBuffer.isView(value) ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : value;
		} else if (format === "string") {
			bytes = String(value);
		} else {
			bytes = encodeNumber(format, value);
		}
		writePair(handle, this.#path, String(key), tags.indexOf(format), bytes);
	}

	/** Deletes a key; false if there is none. */
	delete(key: string): boolean {
		return deletePair(this.#changeable(), this.#path, String(key));
	}

	/** Figures of the whole store. Reads every record: for diagnosis. */
	status(): StoreStatus {
		const figures = new Uint32Array(6);
		examine(this.#opened(), figures.buffer);
		const [keys = 0, used = 0, capacity = 0, corrupt = 0, erasesMin = 0, erasesMax = 0] = figures;
		return { keys, used, capacity, corrupt, erasesMin, erasesMax };
	}

	/** The keys of the domain as of now, in no stated order; the domain may change meanwhile. */
	[Symbol.iterator](): IterableIterator<string> {
		return listKeys(this.#opened(), this.#path).values();
	}
}

export type { Domain };

const keyValue = {
	/** Opens a domain; one that was never written is empty. Throws a RangeError for an option that doesn't fit, an Error if
	 * the board has no flash for storage. */
	open(options: OpenOptions): Domain {
		opening = true;
		return new Domain(options);
	},
};

export default keyValue;
