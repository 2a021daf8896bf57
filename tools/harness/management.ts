// The peer of a device's management link: asks over the console's line, and lets the device run until the answer is there.

import {
	decodeIdentity,
	type Evidence,
	EvidenceReader,
	encodeChallenge,
	encodeIdentify,
	expectAnswer,
	type Identity,
} from "../../firmware/management/client.ts";
import { decodeMessage, MESSAGE, type Message } from "../../firmware/management/codec.ts";
import type { Device } from "./device.ts";
import { encodeFrame } from "./framing.ts";

export { AnswerError, type Evidence, type Identity, Refusal } from "../../firmware/management/client.ts";

export interface ExchangeOptions {
	/** Deadline of the whole answer, in emulated seconds from now; 5 if not given. */
	readonly seconds?: number;
}

/** No answer came until the deadline, or the device stopped before. */
export class NoAnswerError extends Error {
	override readonly name = "NoAnswerError";
}

export class ManagementClient {
	readonly #device: Device;
	#sequence = 0;
	/** Frames of the device that have been looked at. */
	#seen: number;

	constructor(device: Device) {
		this.#device = device;
		this.#seen = device.frames().length;
	}

	/** Who the device is, and the public half of its attestation key. Throws a Refusal or a NoAnswerError. */
	async identify(options: ExchangeOptions = {}): Promise<Identity> {
		const sequence = this.#next();
		this.send(encodeFrame(encodeIdentify(sequence)));
		return this.#await(sequence, options, (answer) => decodeIdentity(expectAnswer(answer, MESSAGE.identity)));
	}

	/** Challenges the device with a nonce. Throws a Refusal (a nonce that is not of 32, 48 or 64 bytes) or a NoAnswerError. */
	async attest(nonce: Uint8Array, options: ExchangeOptions = {}): Promise<Evidence> {
		return this.evidence(this.challenge(nonce), options);
	}

	/** Puts a challenge on the line; returns its sequence number, to wait for with evidence(). */
	challenge(nonce: Uint8Array): number {
		const sequence = this.#next();
		this.send(encodeFrame(encodeChallenge(sequence, nonce)));
		return sequence;
	}

	/** Waits for the evidence of a challenge. */
	async evidence(sequence: number, options: ExchangeOptions = {}): Promise<Evidence> {
		const reader = new EvidenceReader();
		return this.#await(sequence, options, (answer) => reader.take(expectAnswer(answer, MESSAGE.evidence)));
	}

	/** Puts any bytes on the line. */
	send(bytes: Uint8Array): void {
		this.#device.write(bytes);
	}

	/** The answers that have come since the last look, whoever they are for. */
	answers(): Message[] {
		const frames = this.#device.frames();
		const found = frames.slice(this.#seen).flatMap((payload) => decodeMessage(payload) ?? []);
		this.#seen = frames.length;
		return found.filter(({ message }) => (message & MESSAGE.answer) !== 0);
	}

	#next(): number {
		this.#sequence = (this.#sequence + 1) & 0xffff;
		return this.#sequence;
	}

	/* The lengths of the slices depend on emulated time only, so that the device always stops at the same. */
	async #await<T>(sequence: number, options: ExchangeOptions, take: (answer: Message) => T | undefined): Promise<T> {
		const seconds = options.seconds ?? 5;
		let elapsed = 0;
		let reason = "time";
		for (;;) {
			for (const answer of this.answers()) {
				const result = answer.sequence === sequence ? take(answer) : undefined;
				if (result !== undefined) return result;
			}
			if (reason !== "time") throw new NoAnswerError(`no answer: the device stopped (${reason})`);
			if (elapsed >= seconds) throw new NoAnswerError(`no answer in ${seconds} s of emulated time`);
			const slice = Math.min(seconds - elapsed, Math.min(0.05, Math.max(0.001, elapsed / 20)));
			reason = await this.#device.run(slice);
			elapsed += slice;
		}
	}
}
