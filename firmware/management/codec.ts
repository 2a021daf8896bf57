// Messages of the management link: what a device and its peer need to know of them. client.ts is the peer's side.
//
// Runs on XS as well as on Node and imports nothing. docs/management.md describes the protocol to the byte.
//
//   offset  size  field (little-endian): the payload of a frame
//   0       1     version: 1
//   1       1     message; bit 7 is set in answers
//   2       2     sequence: the peer's own, an answer carries that of its request
//   4       2     length of the body
//   6       n     body
//
//   0x01 identify   nothing
//   0x02 challenge  the nonce: 32, 48 or 64 bytes
//   0x81 identity   public key of the attestation key (65 bytes, 04 || X || Y), instance id (33 bytes), then board, app and
//                   version, each as u8 length and UTF-8
//   0x82 evidence   u8 what (0 token, 1 measurement log), u16 offset, u16 total, a part of it
//   0xff error      u8 code, for code 8 a text (ASCII)

// Numbers are members of enumerations that the compiler puts in their places: so they cost a device no memory.

// biome-ignore-start lint/suspicious/noConstEnum: a constant object takes 32 bytes of a device's heap for each number

export const enum MESSAGE {
	identify = 0x01,
	challenge = 0x02,
	identity = 0x81,
	evidence = 0x82,
	error = 0xff,
	/** Set in the numbers of answers. */
	answer = 0x80,
}

/** Codes of the message "error". */
export const enum ERROR {
	/** A length that is not the body's, or a body that the message doesn't have. */
	malformed = 1,
	/** Another version of the protocol. */
	version = 2,
	/** No such request. */
	unknown = 3,
	/** The nonce is not of 32, 48 or 64 bytes. */
	nonce = 4,
	/** A newer challenge has taken the place of this one before its turn came. */
	superseded = 5,
	/** The device has no random numbers: its source is missing, stuck or biased. */
	entropy = 6,
	/** The device has no attestation key, or its flash fails. */
	key = 7,
	/** Anything else; a text tells. */
	internal = 8,
}

/** What a message "evidence" has a part of. */
export const enum EVIDENCE {
	token = 0,
	log = 1,
}

export const enum LAYOUT {
	version = 1,
	/** Bytes before the body. */
	header = 6,
	/** Longest payload of a request. A longer one is no frame to the device. */
	request = 128,
	/** Longest payload of an answer. */
	longest = 240,
	/** Bytes of the body of "evidence" before its part, and of a part but for the last. */
	partHeader = 5,
	part = longest - header - partHeader,
}

// biome-ignore-end lint/suspicious/noConstEnum: as above

export interface Message {
	readonly version: number;
	readonly message: number;
	readonly sequence: number;
	/** Undefined if the payload is shorter or longer than its length says. */
	readonly body: Uint8Array | undefined;
}

/** The payload of a frame but for its body, whose length it says. */
export function encodeHeader(message: number, sequence: number, length: number): Uint8Array {
	return Uint8Array.of(LAYOUT.version, message, sequence, sequence >> 8, length, length >> 8);
}

/** The payload of a frame. */
export function encodeMessage(message: number, sequence: number, body: Uint8Array): Uint8Array {
	const payload = new Uint8Array(LAYOUT.header + body.length);
	payload.set(encodeHeader(message, sequence, body.length));
	payload.set(body, LAYOUT.header);
	return payload;
}

/** Undefined for a payload without a header, which nobody can be told of. */
export function decodeMessage(payload: Uint8Array): Message | undefined {
	if (payload.length < LAYOUT.header) {
		return undefined;
	}
	const view = new DataView(payload.buffer, payload.byteOffset, LAYOUT.header);
	const length = view.getUint16(4, true);
	return {
		version: view.getUint8(0),
		message: view.getUint8(1),
		sequence: view.getUint16(2, true),
		body: length === payload.length - LAYOUT.header ? payload.subarray(LAYOUT.header) : undefined,
	};
}

/** The body of "error"; what is not ASCII in the text becomes "?". */
export function encodeError(code: number, text: string): Uint8Array {
	const body = new Uint8Array(1 + text.length);
	body[0] = code;
	for (let i = 0; i < text.length; i++) {
		const unit = text.charCodeAt(i);
		body[1 + i] = unit < 0x80 ? unit : 0x3f;
	}
	return body;
}

/** The payload of an "evidence" but for its part, which is of so many bytes. */
export function encodePartHeader(sequence: number, what: number, offset: number, total: number): Uint8Array {
	const length = LAYOUT.partHeader + Math.min(LAYOUT.part, total - offset);
	const part = [what, offset, offset >> 8, total, total >> 8];
	return Uint8Array.of(LAYOUT.version, MESSAGE.evidence, sequence, sequence >> 8, length, length >> 8, ...part);
}
