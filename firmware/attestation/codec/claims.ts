// What the claims of an attestation token are called and what their numbers mean: RFC 9711 (EAT), RFC 9783 (PSA profile), and
// the private claims of this firmware. Runs on XS as well as on Node and imports nothing.

/** COSE (RFC 9052): tags, the header parameter "alg", and the algorithm of the tokens, ECDSA with SHA-256 (RFC 9053). */
export const COSE = { sign1: 18, mac0: 17, algorithm: 1, critical: 2, es256: -7 } as const;

/** Keys of the claims set. */
export const CLAIM = {
	/** eat_nonce, RFC 9711 section 4.1: the challenge. */
	nonce: 10,
	/** ueid, RFC 9711 section 4.2.1: 0x01 and the SHA-256 of the public key, 33 bytes. */
	instanceId: 256,
	/** eat_profile, RFC 9711 section 4.3.2. */
	profile: 265,
	/** bootcount, RFC 9711 section 4.2.11. */
	bootCount: 267,
	/** bootseed, RFC 9711 section 4.2.12: other bytes after each start. */
	bootSeed: 268,
	/** RFC 9783 section 4. */
	clientId: 2394,
	lifecycle: 2395,
	implementationId: 2396,
	certification: 2398,
	components: 2399,
	verificationService: 2400,
	/** Private: where the device's random numbers come from, see ENTROPY_SOURCES. */
	entropySource: -70001,
	/** Private: why the device started, see RESET_REASONS. */
	resetReason: -70002,
	/** Private: which engines of cryptography have failed a known-answer test, a bit each, see ENGINES. Absent: none. */
	failedEngines: -70003,
	/**
	 * Private: how the code moves, an array: [0] where it doesn't, or [status, epoch, age, bits, period, jitter, floor, triggers],
	 * and behind that, where the check before the token found something, what and its number. See RELOCATION_STATUSES.
	 */
	relocation: -70004,
} as const;

/** Keys of a software component (RFC 9783 section 4.4.1). */
export const COMPONENT = { type: 1, value: 2, version: 4, signerId: 5, description: 6 } as const;

/** The profile of the tokens (RFC 9783 section 5.2). */
export const PROFILE = "tag:psacertified.org,2023:psa#tfm";

/**
 * Profiles before RFC 9783. Tokens of the first have other keys for the same claims (RFC 9783 section 4.6), those of the
 * second nearly the same.
 */
export const OLD_PROFILES = { first: "PSA_IOT_PROFILE_1", second: "http://arm.com/psa/2.0.0" } as const;

/** Keys of the claims set in PSA_IOT_PROFILE_1. */
export const OLD_CLAIM = {
	profile: -75000,
	clientId: -75001,
	lifecycle: -75002,
	implementationId: -75003,
	bootSeed: -75004,
	certification: -75005,
	components: -75006,
	noMeasurements: -75007,
	nonce: -75008,
	instanceId: -75009,
	verificationService: -75010,
} as const;

/** Sizes in bytes of a nonce and of a digest (RFC 9783 section 4). */
export const HASH_SIZES: readonly number[] = [32, 48, 64];

/** First byte of an instance id: of the type RAND (RFC 9711 section 4.2.1.1). */
export const UEID_RAND = 1;

export type Lifecycle =
	| "unknown"
	| "assembly-and-test"
	| "psa-rot-provisioning"
	| "secured"
	| "non-psa-rot-debug"
	| "recoverable-psa-rot-debug"
	| "decommissioned";

/** States by their major number, bits 15..8 of the claim; the minor one is the implementation's (RFC 9783 section 4.3.1). */
const LIFECYCLES: readonly Lifecycle[] = [
	"unknown",
	"assembly-and-test",
	"psa-rot-provisioning",
	"secured",
	"non-psa-rot-debug",
	"recoverable-psa-rot-debug",
	"decommissioned",
];

/** The state that a security lifecycle claim tells of, or undefined where the number is outside of all ranges. */
export function lifecycleName(value: number): Lifecycle | undefined {
	if (!Number.isInteger(value) || value < 0 || value > 0xffff || (value & 0x0f00) !== 0) return undefined;
	return LIFECYCLES[value >> 12];
}

/** The least number of a state, as the device sends it. */
export function lifecycleValue(name: Lifecycle): number {
	return LIFECYCLES.indexOf(name) << 12;
}

/** The components of an image, in the order of the token. */
export const COMPONENTS = ["native", "xs", "app", "config"] as const;

/** Values of the claim entropySource. */
export const ENTROPY_SOURCES: readonly string[] = ["none", "hardware", "development"];

/** Values of the claim resetReason: hosts/common/reset.h. */
export const RESET_REASONS: readonly string[] = [
	"power-on",
	"pin",
	"software",
	"watchdog",
	"lockup",
	"hard-fault",
	"memory-fault",
	"bus-fault",
	"usage-fault",
	"stack-overflow",
	"out-of-memory",
	"out-of-keys",
	"uncaught-exception",
	"unhandled-rejection",
	"engine-check",
];

/** Bits of the claim failedEngines, from the lowest on: native/crypto/selftest.h. */
export const ENGINES: readonly string[] = [
	"SHA-256",
	"SHA-512",
	"P-256",
	"Curve25519",
	"AES",
	"GHASH",
	"AES hardware",
	"SHA-256 hardware",
	"P-256 hardware",
];

/**
 * First element of the claim relocation: hosts/common/moving.h. "no-random" and "no-entropy": the last move was refused, as there
 * were no random numbers or too few bits; the code stays where it is.
 */
export const RELOCATION_STATUSES = ["none", "ready", "moving", "no-random", "no-entropy"] as const;

/** Bits of its element "triggers": what moves the code besides the period. */
export const RELOCATION_TRIGGERS = { beforeAttestation: 1, afterAnomaly: 2 } as const;

/** What the check found, from 1 on, and what its number is of: pc_changed of native/relocate/relocate.h. */
export const RELOCATION_CHANGES = ["nothing", "layout", "unit", "gap", "dispatch", "spare"] as const;
