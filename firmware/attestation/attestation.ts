// pericard/attestation: the device proves what it runs. Flash is measured, claims are put together and signed in native/,
// in the background; JavaScript gives a nonce and gets a token (docs/attestation.md).

const start: (nonce: ArrayBuffer, callback: (status: number, token?: HostBuffer, log?: HostBuffer) => void) => void =
	native("xs_attestation_start");
const end: () => void = native("xs_attestation_end");
const keyOrStatus: () => ArrayBuffer | number = native("xs_attestation_public_key");
const idOf: (publicKey: ArrayBuffer) => ArrayBuffer = native("xs_attestation_instance_id");

/** By the statuses of native/attestation, from 1. */
const FAULTS = ["entropy", "key", "flash", "size", "fault", "engine"] as const;

/**
 * "entropy": no random numbers, since the noise source is missing, stuck or biased; "key": the attestation key in flash is
 * damaged; "flash": the flash fails; "size": the token is larger than the device can hold;
 * "fault": the signature was wrong when it was verified, so there is no token: the core was disturbed, or the key in flash is not
 * that of the public key beside it; "engine": the cryptography that it needs failed its known-answer test.
 */
export type AttestationFault = (typeof FAULTS)[number];

const MEANINGS: Readonly<Record<AttestationFault, string>> = {
	entropy: "no random numbers",
	key: "no attestation key",
	flash: "the flash fails",
	size: "the token is too large",
	fault: "the signature was wrong, and was not given out",
	engine: "the cryptography failed its test",
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

/**
 * Measures the image and signs what was found, with `nonce` for freshness, and calls back. Runs in the background, in slices:
 * events and timers go first. Several at once are done one after the other. Throws a RangeError for a nonce that is not of
 * 32, 48 or 64 bytes.
 */
export function attest(nonce: ArrayBuffer, callback: Attested): void {
	start(nonce, (status, token, log) => {
		const copies = [token, log].map((lent) => (lent === undefined ? undefined : new Uint8Array(lent).slice().buffer));
		end();
		callback(status === 0 ? null : new AttestationError(faultOf(status)), ...(copies as ArrayBuffer[]));
	});
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

function faultOf(status: number): AttestationFault {
	return FAULTS[status - 1] ?? "key";
}
