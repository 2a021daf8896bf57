// The challenges that a verifier has issued: each is good for one token, for a time.

import { randomBytes } from "node:crypto";
import { HASH_SIZES } from "../../firmware/attestation/codec/claims.ts";

/** "issued": may be answered now; "used": has been answered; "expired": the answer came too late. */
export type NonceState = "issued" | "used" | "expired" | "unknown";

export interface NonceOptions {
	/** Milliseconds that an answer may take; five minutes if not given. */
	readonly lifetime?: number;
	/** Nonces that are remembered; the oldest is forgotten, and then unknown. 10,000 if not given. */
	readonly capacity?: number;
	/** The clock, in milliseconds. */
	readonly now?: () => number;
}

interface Issued {
	readonly until: number;
	used: boolean;
}

export class NonceStore {
	/* In the order of issue. */
	readonly #issued = new Map<string, Issued>();
	readonly #lifetime: number;
	readonly #capacity: number;
	readonly #now: () => number;

	constructor(options: NonceOptions = {}) {
		this.#lifetime = options.lifetime ?? 300_000;
		this.#capacity = options.capacity ?? 10_000;
		this.#now = options.now ?? Date.now;
	}

	/** A new random nonce of 32, 48 or 64 bytes. Throws RangeError for another size. */
	issue(size = 32): Uint8Array {
		const nonce = new Uint8Array(randomBytes(size));
		this.add(nonce);
		return nonce;
	}

	/** Takes a nonce that somebody else chose as issued now. Throws RangeError for a wrong size, or one that is known. */
	add(nonce: Uint8Array): void {
		if (!HASH_SIZES.includes(nonce.length)) throw new RangeError(`a nonce has 32, 48 or 64 bytes, not ${nonce.length}`);
		const name = hex(nonce);
		if (this.#issued.has(name)) throw new RangeError("this nonce was issued before");
		this.#issued.set(name, { until: this.#now() + this.#lifetime, used: false });
		for (const oldest of this.#issued.keys()) {
			if (this.#issued.size <= this.#capacity) break;
			this.#issued.delete(oldest);
		}
	}

	state(nonce: Uint8Array): NonceState {
		const entry = this.#issued.get(hex(nonce));
		if (entry === undefined) return "unknown";
		if (entry.used) return "used";
		return this.#now() > entry.until ? "expired" : "issued";
	}

	/** The nonce's state until now; an issued one is used from here on. */
	take(nonce: Uint8Array): NonceState {
		const state = this.state(nonce);
		const entry = this.#issued.get(hex(nonce));
		if (state === "issued" && entry !== undefined) entry.used = true;
		return state;
	}
}

function hex(bytes: Uint8Array): string {
	return Buffer.from(bytes).toString("hex");
}
