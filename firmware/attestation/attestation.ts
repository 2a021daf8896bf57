// pericard/attestation: the device proves what it runs. Flash is measured, claims are put together and signed in native/,
// in the background; JavaScript gives a nonce and gets a token (docs/attestation.md).

const start: (nonce: ArrayBuffer, callback: (status: number, token?: HostBuffer, log?: HostBuffer) => void) => void =
	native("xs_attestation_start");
const end: () => void = native("xs_attestation_end");
const keyOrStatus: () => ArrayBuffer | number = native("xs_attestation_public_key");
const idOf: (publicKey: ArrayBuffer) => ArrayBuffer = native("xs_attestation_instance_id");

/** By the statuses of native/attestation, from 1. */
const FAULTS = ["entropy", "key", "flash", "size"] as const;

/**
 * "entropy": no random numbers, since the noise source is missing, stuck or biased; "key": the attestation key in flash is
 * damaged; "flash": the flash fails; "size": the token is larger than the device can hold.
 */
export type AttestationFault = (typeof FAULTS)[number];

const MEANINGS: Readonly<Record<AttestationFault, string>> = {
	entropy: "no random numbers",
	key: "no attestation key",
	flash: "the flash fails",
	size: "the token is too large",
};

/** Why the device can't attest. What else it does goes on. */
export class AttestationError extends Error {
	override readonly name = "AttestationError";
	readonly code: AttestationFault;

	constructor(code: AttestationFault) {
		super(`attestation: ${MEANINGS[code]}`);
		this.code = code;
	}
}

/** Gets the token and the measurement log that it proves, or an error. */
export type Attested = (error: AttestationError | null, token?: ArrayBuffer, log?: ArrayBuffer) => void;

/** The same where they lie: they are lent until `giveBack` is called, and nobody else is served before. */
export type Lent = (error: AttestationError | null, token?: Uint8Array, log?: Uint8Array) => void;

const waiting: { readonly nonce: ArrayBuffer; readonly callback: Lent }[] = [];
let busy = false;

/**
 * Measures the image and signs what was found, with `nonce` for freshness, and calls back. Runs in the background, in slices:
 * events and timers go first. Several at once are done one after the other. Throws a RangeError for a nonce that is not of
 * 32, 48 or 64 bytes.
 */
export function attest(nonce: ArrayBuffer, callback: Attested): void {
	attestInPlace(nonce, (error, token, log) => {
		const copies = [token, log].map((bytes) => bytes?.slice().buffer as ArrayBuffer | undefined);
		giveBack();
		callback(error, ...copies);
	});
}

/** As attest(), without copies. The callback, or what it starts, must call giveBack(), after an error too. */
export function attestInPlace(nonce: ArrayBuffer, callback: Lent): void {
	const size = nonce.byteLength;
	if (size !== 32 && size !== 48 && size !== 64) {
		throw new RangeError(`attestation: a nonce has 32, 48 or 64 bytes, not ${size}`);
	}
	waiting.push({ nonce: nonce.slice(0), callback });
	next();
}

/** Ends what attestInPlace() has begun. */
export function giveBack(): void {
	end();
	busy = false;
	next();
}

function next(): void {
	const first = busy ? undefined : waiting.shift();
	if (first !== undefined) {
		start(first.nonce, (status, token, log) => {
			if (token === undefined || log === undefined) {
				first.callback(new AttestationError(faultOf(status)));
			} else {
				first.callback(null, new Uint8Array(token), new Uint8Array(log));
			}
		});
		busy = true;
	}
}

/** The public half of the attestation key: 04 || X || Y. Throws an AttestationError. At the first boot, while the key is being
 * made in the background, it waits for that. */
export function publicKey(): ArrayBuffer {
	const found = keyOrStatus();
	if (typeof found === "number") {
		throw new AttestationError(faultOf(found));
	}
	return found;
}

/** The device's UEID (RFC 9783 section 4.2.1): 01 || SHA-256 of the public key. Throws an AttestationError. */
export function instanceId(): ArrayBuffer {
	return idOf(publicKey());
}

/** The fault of a status of native/attestation. */
export function faultOf(status: number): AttestationFault {
	return FAULTS[status - 1] ?? "key";
}
