// embedded:io/digital: ECMA-419's Digital over the board's pins.

const open: (pin: number, mode: number, edges: number) => void = native("xs_digital_open");
const shut: (pin: number) => void = native("xs_digital_close");
const level: (pin: number) => 0 | 1 = native("xs_digital_read");
const drive: (pin: number, value: 0 | 1) => void = native("xs_digital_write");
const nextEdge: () => number | undefined = native("xs_digital_edge");
const listen: (event: number, call?: () => void) => void = native("xs_listen");

const GPIO = 8; // the number of hal.h's event

const readers = new Map<number, () => void>();

function edges(): void {
	for (let pin = nextEdge(); pin !== undefined; pin = nextEdge()) readers.get(pin)?.();
}

export interface DigitalOptions {
	/** The board's pin number, 0 to 63. */
	readonly pin: number;
	/** One of Digital.Input, InputPullUp, InputPullDown, Output, OutputOpenDrain. */
	readonly mode: number;
	/** Digital.Rising, Digital.Falling or both; required with onReadable. */
	readonly edge?: number;
	readonly target?: unknown;
	readonly onReadable?: (this: Digital) => void;
}

/** A pin. Its constructor throws a RangeError when the board has no such pin, it is in use, or has not that mode. */
export default class Digital {
	static readonly Input = 0;
	static readonly InputPullUp = 1;
	static readonly InputPullDown = 2;
	static readonly InputPullUpDown = 3;
	static readonly Output = 8;
	static readonly OutputOpenDrain = 9;
	static readonly Rising = 1;
	static readonly Falling = 2;

	readonly target: unknown;
	#pin: number | undefined;

	constructor(options: DigitalOptions) {
		const { pin, mode, edge, target, onReadable } = options;
		if (pin === undefined) throw new RangeError("digital: pin is missing");
		if (onReadable && !edge) throw new RangeError("digital: onReadable needs an edge");
		open(pin, mode, onReadable ? (edge ?? 0) : 0);
		this.#pin = pin;
		this.target = target;
		if (onReadable) {
			if (readers.size === 0) listen(GPIO, edges);
			readers.set(pin, () => onReadable.call(this));
		}
	}

	get #open(): number {
		if (this.#pin === undefined) throw new TypeError("digital: closed");
		return this.#pin;
	}

	get format(): "number" {
		return "number";
	}

	set format(value: "number") {
		if (value !== "number") throw new RangeError(`digital: format "${value}" is not supported`);
	}

	close(): void {
		const pin = this.#pin;
		if (pin === undefined) return;
		if (readers.delete(pin) && readers.size === 0) listen(GPIO);
		shut(pin);
		this.#pin = undefined;
	}

	read(): 0 | 1 {
		return level(this.#open);
	}

	write(value: 0 | 1): void {
		drive(this.#open, value);
	}
}
