// embedded:io/i2c: ECMA-419's I2C (controller) over the board's buses.

type Bytes = ArrayBuffer | ArrayBufferView;

const open: (bus: number, data: number, clock: number, hz: number) => void = native("xs_i2c_open");
const shut: (bus: number) => void = native("xs_i2c_close");
const get: (bus: number, address: number, buffer: Bytes, stop: boolean) => void = native("xs_i2c_read");
const put: (bus: number, address: number, buffer: Bytes, stop: boolean) => void = native("xs_i2c_write");

export interface I2COptions {
	readonly data: number;
	readonly clock: number;
	/** Clock in Hz: 100000, 250000 or 400000 on every board. */
	readonly hz: number;
	/** The peer's 7-bit address. */
	readonly address: number;
	/** The board's bus number; 0 when left out. */
	readonly port?: number;
	readonly target?: unknown;
}

// Several peers share a bus: it is opened for the first and closed with the last.
const users = new Map<number, { count: number; data: number; clock: number; hz: number }>();

function acquire(bus: number, data: number, clock: number, hz: number): void {
	const user = users.get(bus);
	if (!user) {
		open(bus, data, clock, hz);
		users.set(bus, { count: 1, data, clock, hz });
		return;
	}
	if (user.data !== data || user.clock !== clock || user.hz !== hz) {
		throw new RangeError(`i2c: bus ${bus} is in use with other pins or another speed`);
	}
	user.count++;
}

function release(bus: number): void {
	const user = users.get(bus);
	if (user && --user.count === 0) {
		users.delete(bus);
		shut(bus);
	}
}

/** A peer on an I2C bus. Reads and writes block, at most 25 ms a byte; an Error says that it did not answer. */
export default class I2C {
	readonly target: unknown;
	readonly #address: number;
	#bus: number | undefined;

	constructor(options: I2COptions) {
		const { data, clock, hz, address, target, port = 0 } = options;
		if (!(address >= 0 && address < 128)) throw new RangeError(`i2c: address ${address} is not one of 7 bits`);
		acquire(port, data, clock, hz);
		this.#bus = port;
		this.#address = address;
		this.target = target;
	}

	get #open(): number {
		if (this.#bus === undefined) throw new TypeError("i2c: closed");
		return this.#bus;
	}

	get resolution(): number {
		return 8;
	}

	get format(): "buffer" {
		return "buffer";
	}

	set format(value: "buffer") {
		if (value !== "buffer") throw new RangeError(`i2c: format "${value}" is not supported`);
	}

	close(): void {
		if (this.#bus === undefined) return;
		release(this.#bus);
		this.#bus = undefined;
	}

	/** Reads `into` bytes into a new buffer, or fills the buffer `into`, and returns the buffer. */
	read(into: number | Bytes, stop = true): Bytes {
		const buffer = typeof into === "number" ? new ArrayBuffer(into) : into;
		get(this.#open, this.#address, buffer, stop);
		return buffer;
	}

	write(buffer: Bytes, stop = true): void {
		put(this.#open, this.#address, buffer, stop);
	}
}
