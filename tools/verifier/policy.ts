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
	/** Whether the development signer is one like others; otherwise a remark tells of it. */
	readonly developmentSigner: boolean;
	/** The least version that may run; the reference values' own if not given. */
	readonly minimumVersion?: string;
	/** What is asked of code that moves; where anything is, code that doesn't move is refused. */
	readonly relocation?: RelocationDemand;
}

/** What a policy asks of code that moves (docs/relocation.md). */
export interface RelocationDemand {
	/** The fewest bits that a layout may have. */
	readonly bits?: number;
	/** The most milliseconds that the last move may be ago. */
	readonly age?: number;
	/** The fewest moves since the start. */
	readonly epoch?: number;
}

/** Signer id of the key pair that RFC 6979 publishes in appendix A.2.5: everybody can sign with it (docs/measurement.md). */
export const DEVELOPMENT_SIGNER = "5a7a78cca4a0f420d9bc62bb669c3c2759e39f723d3ae10dcbe0f0815a07ecd4";

/** For devices that patients wear. */
export const DEVICE_POLICY: Policy = {
	id: "pericard:device/1",
	deterministic: true,
	entropy: ["hardware"],
	entropyWhy: "only a hardware source makes keys that nobody can guess",
	developmentSigner: false,
};

/** For a board that exists in emulators only: its random numbers come from a seed of the harness, and so does its key. */
export const EMULATED_POLICY: Policy = {
	id: "pericard:emulated/1",
	deterministic: true,
	entropy: ["hardware", "development"],
	entropyWhy: "the board is an emulated one, and has no other",
	developmentSigner: true,
};

/** For tokens from elsewhere: any CBOR that RFC 9783 allows. */
export const FOREIGN_POLICY: Policy = { ...DEVICE_POLICY, id: "pericard:foreign/1", deterministic: false };

/** The policy with a demand on code that moves, which its id tells: "pericard:device/1;relocation-bits=256". */
export function demanding(policy: Policy, relocation: RelocationDemand): Policy {
	const told = (["bits", "age", "epoch"] as const).flatMap((name) => {
		const value = relocation[name];
		return value === undefined ? [] : [`;relocation-${name}=${value}`];
	});
	return told.length === 0 ? policy : { ...policy, id: policy.id + told.join(""), relocation };
}
