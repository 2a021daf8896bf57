// embedded:io/serial: ECMA-419's Serial over the board's UARTs. The pins of a port are the board's; `port` chooses it.

type Bytes = ArrayBuffer | ArrayBufferView;

const open: (port: number, baud: number) => void = native("xs_serial_open");
const shut: (port: number) => void = native("xs_serial_close");
const readable: (port: number) => number = native("xs_serial_readable");
const writable: (port: number) => number = native("xs_serial_writable");
const errors: (port: number) => number = native("xs_serial_errors");
const readByte: (port: number) => number | undefined = native("xs_serial_read_byte");
const readInto: (port: number, buffer: Bytes) => number = native("xs_serial_read");
const send: (port: number, value: number | Bytes) => number = native("xs_serial_write");
const drain: (port: number) => void = native("xs_serial_flush");
const listen: (event: number, call?: () => void) => void = native("xs_listen");

// Numbers of the events of hal.h.
const RX = 0;
const TX = 4;

export interface SerialOptions {
	/** The board's port number; 0 is the console. */
	readonly port: number;
	/** Bits per second. */
	readonly baud: number;
	readonly receive?: number;
	readonly transmit?: number;
	readonly format?: "number" | "buffer";
	readonly target?: unknown;
	readonly onReadable?: (this: Serial, bytes: number) => void;
	readonly onWritable?: (this: Serial, bytes: number) => void;
}

/** A serial port. Its constructor throws a RangeError when the board has no such port, it is in use, or `baud` is not
 * to be had. */
export default class Serial {
	readonly target: unknown;
	#port: number | undefined;
	#format: "number" | "buffer";

	constructor(options: SerialOptions) {
		const { port, baud, target, onReadable, onWritable } = options;
		if (port === undefined) throw new RangeError("serial: port is missing");
		if (baud === undefined) throw new RangeError("serial: baud is missing");
		this.#format = "number";
		this.format = options.format ?? "number";
		open(port, baud);
		this.#port = port;
		this.target = target;
		if (onReadable) {
			listen(RX + port, () => {
				const bytes = readable(port);
				if (bytes > 0) onReadable.call(this, bytes);
			});
		}
		if (onWritable) {
			listen(TX + port, () => {
				const bytes = writable(port);
				if (bytes > 0) onWritable.call(this, bytes);
			});
		}
	}

	get #open(): number {
		if (this.#port === undefined) throw new TypeError("serial: closed");
		return this.#port;
	}

	get resolution(): number {
		return 8;
	}

	/** Receive errors since the port was opened: overruns, framing errors, bytes lost. */
	get errors(): number {
		return errors(this.#open);
	}

	get format(): "number" | "buffer" {
		return this.#format;
	}

	set format(value: "number" | "buffer") {
		if (value !== "number" && value !== "buffer") throw new RangeError(`serial: format "${value}" is not supported`);
		this.#format = value;
	}

	close(): void {
		const port = this.#port;
		if (port === undefined) return;
		listen(RX + port);
		listen(TX + port);
		shut(port);
		this.#port = undefined;
	}

	/**
	 * Format "number": one byte. Format "buffer": with no argument all that waits, with a length at most so many bytes, as
	 * an ArrayBuffer; with a buffer, fills it and returns how many bytes. Undefined when nothing waits.
	 */
	read(into?: number | Bytes): number | ArrayBuffer | undefined {
		const port = this.#open;
		if (this.#format === "number") return readByte(port);
		if (into !== undefined && typeof into !== "number") {
			const count = readInto(port, into);
			return count === 0 ? undefined : count;
		}
		const waiting = readable(port);
		const size = into === undefined ? waiting : Math.min(into, waiting);
		if (size === 0) return undefined;
		const buffer = new ArrayBuffer(size);
		readInto(port, buffer);
		return buffer;
	}

	/** Queues a byte or a buffer. Throws a RangeError, and queues nothing, when there is no room for all of it. */
	write(value: number | Bytes): void {
		const port = this.#open;
		const size = typeof value === "number" ? 1 : value.byteLength;
		if (size > writable(port)) throw new RangeError(`serial: no room for ${size} bytes`);
		send(port, value);
	}

	/** Waits until all that was written has left. */
	flush(): void {
		drain(this.#open);
	}
}
