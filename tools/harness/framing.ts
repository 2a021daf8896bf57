// Frames on a serial line that carries text as well: the host's side of native/management (docs/management.md).
//
//   0xC0 | 0xA8 payload FCS-low FCS-high, escaped | 0xC0
//
// SLIP (RFC 1055) with the FCS-16 of RFC 1662, in the manner of Slipmux. 0xC0 occurs in no UTF-8 text and 0xA8 begins none,
// so whatever stands between frames is text.

const END = 0xc0;
const ESC = 0xdb;
const ESC_END = 0xdc;
const ESC_ESC = 0xdd;

const TYPE = 0xa8;
/** Type and check. */
const OVERHEAD = 3;
/** Longest payload that a device sends. */
export const PAYLOAD_MAX = 256;
/** What is left of type, payload and check when they are right (RFC 1662, appendix C.2). */
const GOOD_FCS = 0xf0b8;

/** FCS-16 of RFC 1662 before its complement; the check value of "123456789" is 0x6f91 (complement 0x906e). */
export function fcs16(bytes: Iterable<number>): number {
	let fcs = 0xffff;
	for (const byte of bytes) {
		fcs ^= byte;
		for (let bit = 0; bit < 8; bit++) fcs = fcs & 1 ? (fcs >>> 1) ^ 0x8408 : fcs >>> 1;
	}
	return fcs;
}

/** The bytes on the line of one frame. */
export function encodeFrame(payload: Uint8Array): Uint8Array {
	const body = [TYPE, ...payload];
	const check = fcs16(body) ^ 0xffff;
	const line = [END];
	for (const byte of [...body, check & 0xff, check >>> 8]) {
		if (byte === END) line.push(ESC, ESC_END);
		else if (byte === ESC) line.push(ESC, ESC_ESC);
		else line.push(byte);
	}
	line.push(END);
	return Uint8Array.from(line);
}

/**
 * Takes the bytes of a line in pieces of any size and gives text and the payloads of valid frames. A frame that is damaged
 * is dropped. One that is too long is none: its bytes come as text.
 */
export class LineSplitter {
	readonly #longest: number;
	#state: "text" | "start" | "frame" | "escape" = "start";
	#frame: number[] = [];
	/** The frame's bytes as they were on the line. */
	#raw: number[] = [];
	#damaged = false;

	/** `longest`: the longest payload of a frame. */
	constructor(longest = PAYLOAD_MAX) {
		this.#longest = longest;
	}

	push(bytes: Uint8Array): { readonly text: Uint8Array; readonly frames: readonly Uint8Array[] } {
		const text: number[] = [];
		const frames: Uint8Array[] = [];
		for (const byte of bytes) {
			if (byte === END) {
				const payload = this.#complete();
				if (payload !== undefined) frames.push(payload);
				this.#state = "start";
			} else if (this.#state === "start" && byte === TYPE) {
				this.#state = "frame";
				this.#frame = [TYPE];
				this.#raw = [byte];
				this.#damaged = false;
			} else if (this.#state === "start" || this.#state === "text") {
				this.#state = "text";
				text.push(byte);
			} else {
				this.#raw.push(byte);
				this.#take(byte);
				if (this.#frame.length > this.#longest + OVERHEAD) {
					text.push(...this.#raw);
					this.#state = "text";
				}
			}
		}
		return { text: Uint8Array.from(text), frames };
	}

	/** The sender was cut off: what has come of a frame is nothing. */
	break(): void {
		if (this.#state !== "text") this.#state = "start";
	}

	#take(byte: number): void {
		if (this.#state === "escape") {
			this.#state = "frame";
			if (byte === ESC_END) this.#frame.push(END);
			else if (byte === ESC_ESC) this.#frame.push(ESC);
			else {
				this.#damaged = true;
				this.#frame.push(byte);
			}
		} else if (byte === ESC) {
			this.#state = "escape";
		} else {
			this.#frame.push(byte);
		}
	}

	/* The payload, if a valid frame has ended. */
	#complete(): Uint8Array | undefined {
		const frame = this.#frame;
		if (this.#state !== "frame" || this.#damaged || frame.length < OVERHEAD || fcs16(frame) !== GOOD_FCS)
			return undefined;
		return Uint8Array.from(frame.slice(1, -2));
	}
}
