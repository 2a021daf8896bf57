// pericard/random: random numbers for keys and nonces: the board's noise source under health tests, and HMAC_DRBG.
//
// Where the source fails there are no random numbers until the device restarts. docs/keys.md has the design.

type Bytes = ArrayBuffer | ArrayBufferView;

const fill: (buffer: Bytes) => number = native("xs_random_fill");
const state: () => number = native("xs_random_state");
const source: () => number = native("xs_random_source");

/** Values of pc_entropy_status. */
const codes = ["ok", "unavailable", "stuck", "biased", "range", "engine"] as const;
const RANGE = 4;

export type EntropyErrorCode =
	/** The board has no noise source, or it gives nothing. */
	| "unavailable"
	/** The source gave the same byte too often in a row. */
	| "stuck"
	/** The source gave one byte too often. */
	| "biased"
	/** SHA-256, which all random numbers are made with, failed its known-answer test. */
	| "engine";

/** There are no random numbers on this device until it restarts. */
export class EntropyError extends Error {
	readonly code: EntropyErrorCode;

	constructor(code: EntropyErrorCode) {
		const why = code === "engine" ? "SHA-256 failed its test" : `the noise source is ${code}`;
		super(`random: no random numbers: ${why}`);
		this.code = code;
	}

	override get name(): string {
		return "EntropyError";
	}
}

/** Fills a buffer of at most 65,536 bytes with random bytes. Throws an EntropyError when the noise source fails (the buffer
 * is then all zeros), a RangeError for a longer buffer, a TypeError for what is no buffer. */
export function randomBytes<T extends Bytes>(buffer: T): T {
	const status = fill(buffer);
	if (status === RANGE) throw new RangeError("random: at most 65536 bytes at once");
	refuse(status);
	return buffer;
}

/** The verdict on the noise source as of now. */
export function entropyState(): "ok" | EntropyErrorCode {
	return codes[state()] as "ok" | EntropyErrorCode;
}

/** What the board's random numbers are made of: "development" is a seed that whoever runs the emulator knows. */
export function entropySource(): "none" | "hardware" | "development" {
	return (["none", "hardware", "development"] as const)[source()] ?? "none";
}

function refuse(status: number): void {
	if (status !== 0) throw new EntropyError(codes[status] as EntropyErrorCode);
}
