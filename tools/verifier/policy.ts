// What a verifier asks of evidence beyond its being genuine. A policy is data, so that it can be shown with the verdict.

/** An appraisal policy. */
export interface Policy {
	/** Goes into the result, so that a relying party knows by what it was judged. */
	readonly id: string;
	/** Whether a token must be in deterministic CBOR, as those of this firmware are. */
	readonly deterministic: boolean;
	/** Sources of random numbers that are good enough (ENTROPY_SOURCES), and why if it is not "hardware" alone. */
	readonly entropy: readonly string[];
	readonly entropyWhy: string;
	/** The least version that may run; the reference values' own if not given. */
	readonly minimumVersion?: string;
}

/** For devices that patients wear. */
export const DEVICE_POLICY: Policy = {
	id: "pericard:device/1",
	deterministic: true,
	entropy: ["hardware"],
	entropyWhy: "only a hardware source makes keys that nobody can guess",
};

/** For a board that exists in emulators only: its random numbers come from a seed of the harness, and so does its key. */
export const EMULATED_POLICY: Policy = {
	id: "pericard:emulated/1",
	deterministic: true,
	entropy: ["hardware", "development"],
	entropyWhy: "the board is an emulated one, and has no other",
};

/** For tokens from elsewhere: any CBOR that RFC 9783 allows. */
export const FOREIGN_POLICY: Policy = { ...DEVICE_POLICY, id: "pericard:foreign/1", deterministic: false };
