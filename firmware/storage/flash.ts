// embedded:storage/flash: ECMA-419's raw flash partitions. "data" is the application's; "key-value" can be read.

/** A reference to a partition, held by C. */
type Handle = { readonly handle: unique symbol };
type Bytes = ArrayBuffer | ArrayBufferView;

const nameOf: (index: number) => string | undefined = native("xs_flash_name");
const openPartition: (index: number) => Handle = native("xs_flash_open");
const closePartition: (handle: Handle) => void = native("xs_flash_close");
const sizeOf: (handle: Handle) => number = native("xs_flash_size");
const blockOf: (handle: Handle) => number = native("xs_flash_block");
const readBytes: (handle: Handle, offset: number, buffer: Bytes) => void = native("xs_flash_read");
const writeBytes: (handle: Handle, offset: number, buffer: Bytes) => void = native("xs_flash_write");
const eraseSector: (handle: Handle, block: number) => void = native("xs_flash_erase");

export interface OpenOptions {
	/** The name of the partition. */
	readonly path: string;
	/** "r" refuses to write and erase; "r+" is the default, but for "key-value", which can only be read. */
	readonly mode?: "r" | "r+";
	readonly format?: "buffer";
	readonly target?: unknown;
}

/** Sizes in bytes. */
export interface PartitionStatus {
	readonly size: number;
	readonly blocks: number;
	readonly blockLength: number;
}

function wholeNumber(value: unknown, what: string): number {
	const number = Number(value);
	if (!Number.isInteger(number) || number < 0) throw new RangeError(`flash: ${what} ${String(value)} is out of range`);
	return number;
}

function bytesOf(buffer: Bytes): Bytes {
	if (typeof buffer !== "object") throw new TypeError("flash: a buffer is expected");
	return ArrayBuffer.isView(buffer) ? new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength) : buffer;
}

function names(): string[] {
	const list: string[] = [];
	for (let name = nameOf(0); name !== undefined; name = nameOf(list.length)) list.push(name);
	return list;
}

/** Only `open` makes partitions: ECMA-419's constructor throws. */
let opening = false;

/** A partition of the storage flash: erased bytes are 0xFF, a write can only clear bits. Methods throw an Error when it is
 * closed. */
class Partition {
	readonly target: unknown;
	readonly #writable: boolean;
	#handle: Handle | undefined;

	constructor(options: OpenOptions) {
		if (!opening) throw new TypeError("flash: use open()");
		opening = false;
		const { path, format = "buffer" } = options;
		const index = names().indexOf(path);
		if (index < 0) throw new RangeError(`flash: no partition "${String(path)}"`);
		const mode = options.mode ?? (index === 0 ? "r" : "r+");
		if (mode !== "r" && mode !== "r+") throw new RangeError(`flash: mode "${String(mode)}" is neither "r" nor "r+"`);
		if (index === 0 && mode === "r+") throw new RangeError(`flash: partition "${path}" can only be read`);
		this.format = format;
		this.target = options.target;
		this.#writable = mode === "r+";
		this.#handle = openPartition(index);
	}

	get format(): "buffer" {
		return "buffer";
	}
	set format(value: "buffer") {
		if (value !== "buffer") throw new RangeError(`flash: format "${String(value)}" is unknown`);
	}

	#opened(): Handle {
		if (!this.#handle) throw new Error("flash: closed");
		return this.#handle;
	}

	#changeable(): Handle {
		const handle = this.#opened();
		if (!this.#writable) throw new Error("flash: opened to read");
		return handle;
	}

	/** Closing twice does nothing. */
	close(): void {
		if (this.#handle) closePartition(this.#handle);
		this.#handle = undefined;
	}

	/** Erases blocks [from, to), one by default. A power cut leaves a block in any mixture. */
	eraseBlock(from: number, to?: number): void {
		const handle = this.#changeable();
		const blocks = sizeOf(handle) / blockOf(handle);
		const first = wholeNumber(from, "block");
		const end = to === undefined ? first + 1 : wholeNumber(to, "block");
		if (first >= blocks || end <= first || end > blocks) {
			throw new RangeError(`flash: blocks ${first} to ${end} are outside of 0 to ${blocks}`);
		}
		for (let block = first; block < end; block++) eraseSector(handle, block);
	}

	/** Bytes from `offset` on, fewer at the end of the partition: as a new ArrayBuffer, or put into a buffer, which gives
	 * their number. Throws a RangeError outside of the partition. */
	read(count: number, offset: number): ArrayBuffer;
	read(buffer: Bytes, offset: number): number;
	read(count: number | Bytes, offset: number): ArrayBuffer | number {
		const handle = this.#opened();
		const start = wholeNumber(offset, "offset");
		const available = sizeOf(handle) - start;
		if (available <= 0) throw new RangeError(`flash: offset ${start} is outside of the partition`);
		if (typeof count === "number") {
			const wanted = wholeNumber(count, "count");
			if (wanted === 0) throw new RangeError("flash: count 0 is out of range");
			const result = new ArrayBuffer(Math.min(wanted, available));
			readBytes(handle, start, result);
			return result;
		}
		const whole = bytesOf(count);
		const bytes = ArrayBuffer.isView(whole)
			? new Uint8Array(whole.buffer, whole.byteOffset, Math.min(whole.byteLength, available))
			: new Uint8Array(whole, 0, Math.min(whole.byteLength, available));
		readBytes(handle, start, bytes);
		return bytes.byteLength;
	}

	/** Writes the bytes of `data` at `offset`; any offset and length will do. Throws a RangeError outside of the partition,
	 * an Error where a bit would have to change from 0 to 1; then nothing was written. */
	write(data: Bytes, offset: number): void {
		writeBytes(this.#changeable(), wholeNumber(offset, "offset"), bytesOf(data));
	}

	status(): PartitionStatus {
		const handle = this.#opened();
		const size = sizeOf(handle);
		const blockLength = blockOf(handle);
		return { size, blocks: size / blockLength, blockLength };
	}
}

export type { Partition };

const flash = {
	/** Opens a partition. Throws a RangeError for an option that doesn't fit. */
	open(options: OpenOptions): Partition {
		opening = true;
		return new Partition(options);
	},
	/** The names of the partitions. */
	[Symbol.iterator](): IterableIterator<string> {
		return names().values();
	},
};

export default flash;
