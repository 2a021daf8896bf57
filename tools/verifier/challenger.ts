// A verifier at work on one device: makes it known, challenges it, and judges its answer.

import { DeviceKeys, type Enrolled, jwkOfPoint } from "./keys.ts";
import { NonceStore } from "./nonces.ts";
import type { Policy } from "./policy.ts";
import type { Reference } from "./reference.ts";
import { type AttestationResult, verify } from "./verifier.ts";

/** The way to a device, such as the ManagementClient of tools/harness. */
export interface Link {
	identify(): Promise<{ readonly publicKey: Uint8Array; readonly instanceId: Uint8Array }>;
	attest(nonce: Uint8Array): Promise<{ readonly token: Uint8Array; readonly log: Uint8Array }>;
}

export interface ChallengerOptions {
	readonly references: readonly Reference[];
	readonly policy: Policy;
	/** Devices that are known already. */
	readonly keys?: DeviceKeys;
	readonly nonces?: NonceStore;
}

/** What came of one challenge. */
export interface Answer {
	readonly nonce: Uint8Array;
	readonly token: Uint8Array;
	readonly log: Uint8Array;
	readonly result: AttestationResult;
}

export class Challenger {
	readonly keys: DeviceKeys;
	readonly nonces: NonceStore;
	readonly #link: Link;
	readonly #options: ChallengerOptions;

	constructor(link: Link, options: ChallengerOptions) {
		this.#link = link;
		this.#options = options;
		this.keys = options.keys ?? new DeviceKeys();
		this.nonces = options.nonces ?? new NonceStore();
	}

	/**
	 * Takes the key that the device names as its own from here on. Only good for a device that is in the right hands, as it is
	 * in the factory: whoever answers is believed. Throws KeyError, and what the link throws.
	 */
	async enrol(): Promise<Enrolled> {
		const { publicKey, instanceId } = await this.#link.identify();
		return this.keys.enrol(jwkOfPoint(publicKey), instanceId);
	}

	/** Challenges the device with a new nonce, or with the one given. Throws what the link throws. */
	async attest(nonce = this.nonces.issue()): Promise<Answer> {
		if (this.nonces.state(nonce) === "unknown") this.nonces.add(nonce);
		const { token, log } = await this.#link.attest(nonce);
		return { nonce, token, log, result: this.judge(token, log, nonce) };
	}

	/** Judges a token as the answer to a challenge. */
	judge(token: Uint8Array, log: Uint8Array | undefined, challenge: Uint8Array): AttestationResult {
		const { references, policy } = this.#options;
		const { keys, nonces } = this;
		return verify({ token, ...(log === undefined ? {} : { log }), keys, references, nonces, challenge, policy });
	}
}
