// The peer's side of the management link's messages: requests, answers, and evidence put together from its parts. Runs on
// Node; the device has no use for it.

import { ERROR, encodeMessage, LAYOUT, MESSAGE, type Message } from "./codec.ts";

/** An answer that is not as docs/management.md has it. */
export class AnswerError extends Error {
	override readonly name = "AnswerError";
}

const KEY_SIZE = 65;
const ID_SIZE = 33;

const MEANINGS: Readonly<Record<number, string>> = {
	[ERROR.malformed]: "the request's length is not that of its body",
	[ERROR.version]: "the device speaks another version of the protocol",
	[ERROR.unknown]: "the device knows no such request",
	[ERROR.nonce]: "a nonce must have 32, 48 or 64 bytes",
	[ERROR.superseded]: "a newer challenge has taken this one's place",
	[ERROR.entropy]: "the device has no random numbers: its noise source is missing, stuck or biased",
	[ERROR.key]: "the device has no attestation key, or its flash fails",
	[ERROR.internal]: "the device failed",
};

/** The device's answer "error". */
export class Refusal extends Error {
	override readonly name = "Refusal";
	/** One of ERROR in codec.ts. */
	readonly code: number;

	constructor(code: number, text = "") {
		super([MEANINGS[code] ?? `error ${code}`, text].filter((part) => part !== "").join(": "));
		this.code = code;
	}
}

export interface Identity {
	readonly board: string;
	readonly app: string;
	readonly version: string;
	/** 04 || X || Y of the attestation key. */
	readonly publicKey: Uint8Array;
	/** The UEID: 01 || SHA-256 of the public key. */
	readonly instanceId: Uint8Array;
}

export interface Evidence {
	/** A COSE_Sign1 of claims (docs/attestation.md). */
	readonly token: Uint8Array;
	/** The measurement log that the token's measurement values are made of. */
	readonly log: Uint8Array;
}

export function encodeIdentify(sequence: number): Uint8Array {
	return encodeMessage(MESSAGE.identify, sequence, new Uint8Array(0));
}

/** A nonce of any size that fits: whether it will do is the device's to say. */
export function encodeChallenge(sequence: number, nonce: Uint8Array): Uint8Array {
	if (nonce.length > LAYOUT.request - LAYOUT.header) {
		throw new RangeError(
			`a nonce of ${nonce.length} bytes does not fit into a request (${LAYOUT.request - LAYOUT.header})`,
		);
	}
	return encodeMessage(MESSAGE.challenge, sequence, nonce);
}

/** Throws a Refusal if the answer is one, and an AnswerError if it is not `message`. */
export function expectAnswer(answer: Message, message: number): Uint8Array {
	const { body } = answer;
	if (body === undefined) throw new AnswerError("the answer's length is not that of its body");
	if (answer.message === MESSAGE.error) {
		const [code] = body;
		if (code === undefined) throw new AnswerError("the answer is an error without a code");
		throw new Refusal(code, text(body.subarray(1)));
	}
	if (answer.message !== message) throw new AnswerError(`the answer is message ${answer.message}, not ${message}`);
	return body;
}

export function decodeIdentity(body: Uint8Array): Identity {
	const texts: string[] = [];
	for (let at = KEY_SIZE + ID_SIZE; at < body.length; ) {
		const end = at + 1 + (body[at] ?? 0);
		if (end > body.length) throw new AnswerError("a text of the identity ends behind its body");
		texts.push(text(body.subarray(at + 1, end)));
		at = end;
	}
	const [board, app, version] = texts;
	if (board === undefined || app === undefined || version === undefined || texts.length !== 3) {
		throw new AnswerError("the identity is not as long as it should be");
	}
	const instanceId = body.slice(KEY_SIZE, KEY_SIZE + ID_SIZE);
	return { board, app, version, publicKey: body.slice(0, KEY_SIZE), instanceId };
}

/** Puts evidence together from its parts, which come in their order: the token's, then the log's. */
export class EvidenceReader {
	readonly #whole: Uint8Array[] = [];
	#part = new Uint8Array(0);

	/** Takes the body of an "evidence"; the evidence when it was the last. */
	take(body: Uint8Array): Evidence | undefined {
		if (body.length < LAYOUT.partHeader) throw new AnswerError("a part of the evidence is too short");
		const view = new DataView(body.buffer, body.byteOffset, body.length);
		const [what, offset, total] = [view.getUint8(0), view.getUint16(1, true), view.getUint16(3, true)];
		const size = body.length - LAYOUT.partHeader;
		if (what !== this.#whole.length || offset !== this.#part.length || size !== Math.min(LAYOUT.part, total - offset)) {
			throw new AnswerError("a part of the evidence is missing");
		}
		const joined = new Uint8Array(offset + size);
		joined.set(this.#part);
		joined.set(body.subarray(LAYOUT.partHeader), offset);
		this.#part = joined;
		if (joined.length < total) return undefined;
		this.#whole.push(joined);
		this.#part = new Uint8Array(0);
		const [token, log] = this.#whole;
		return token === undefined || log === undefined ? undefined : { token, log };
	}
}

function text(bytes: Uint8Array | undefined): string {
	return new TextDecoder().decode(bytes);
}
