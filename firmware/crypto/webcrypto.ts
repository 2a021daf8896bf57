// pericard/webcrypto: WebCrypto's `crypto`. docs/webcrypto.md says what of it is there, and what differs from Node's.

import { randomBytes } from "pericard/random";
import { fail } from "./error.ts";
import { type SubtleCrypto, subtle } from "./subtle.ts";

export { DOMException } from "./error.ts";
export * from "./subtle.ts";

type IntegerArray =
	| Int8Array
	| Uint8Array
	| Uint8ClampedArray
	| Int16Array
	| Uint16Array
	| Int32Array
	| Uint32Array
	| BigInt64Array
	| BigUint64Array;

/** Fills an array of integers of at most 65,536 bytes with random bytes, and gives it back. TypeMismatchError for other
 * arrays, QuotaExceededError for longer ones, OperationError when there are no random numbers. */
export function getRandomValues<T extends IntegerArray>(array: T): T {
	if (
		!ArrayBuffer.isView(array) ||
		array instanceof DataView ||
		(array as unknown) instanceof Float32Array ||
		(array as unknown) instanceof Float64Array
	) {
		fail("TypeMismatchError", "not an array of integers");
	}
	if (array.byteLength > 65536) fail("QuotaExceededError", "at most 65536 bytes at once");
	try {
		randomBytes(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
	} catch {
		fail("OperationError", "no random numbers");
	}
	return array;
}

let made = false;

export class Crypto {
	readonly #subtle = subtle;

	constructor() {
		if (made) throw new TypeError("webcrypto: there is one crypto");
		made = true;
	}

	get subtle(): SubtleCrypto {
		return this.#subtle;
	}

	getRandomValues<T extends IntegerArray>(array: T): T {
		void this.#subtle; /* a TypeError for what is no Crypto */
		return getRandomValues(array);
	}

	get [Symbol.toStringTag](): string {
		return "Crypto";
	}
}

export const crypto = new Crypto();
