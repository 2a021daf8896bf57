// What a verifier says of a device, in the terms of AR4SI (draft-ietf-rats-ar4si) and as an EAT Attestation Result
// (draft-ietf-rats-ear).

/** Trustworthiness tiers (AR4SI section 3.2). */
export type Tier = "affirming" | "warning" | "contraindicated" | "none";

/** Trustworthiness claims and their keys in CBOR (AR4SI section 2.3.4). */
export const TRUST_CLAIMS = [
	"instance-identity",
	"configuration",
	"executables",
	"file-system",
	"hardware",
	"runtime-opaque",
	"storage-opaque",
	"sourced-data",
] as const;
export type TrustClaim = (typeof TRUST_CLAIMS)[number];

/** The values that this verifier gives; a claim that is absent is no assertion. */
export const TRUST = {
	/** The evidence has what the verifier can't evaluate. */
	unknownElements: 1,
	/** Of instance-identity: recognized, and not known to be compromised; of the others: genuine and approved. */
	approved: 2,
	/** There are known vulnerabilities. */
	vulnerable: 32,
	/** Recognized, but not to be trusted. */
	contraindicated: 96,
	/** Not recognized, though it should be. Of instance-identity and hardware only. */
	unrecognized: 97,
	/** The cryptographic validation of the evidence has failed. */
	cryptoFailed: 99,
	/** A fault of the verifier itself. */
	malfunction: -1,
} as const;

export type TrustVector = Readonly<Partial<Record<TrustClaim, number>>>;

/** The tier of a claim's value: a signed byte (AR4SI section 2.3.2). */
export function tierOf(value: number): Tier {
	if (value >= -1 && value <= 1) return "none";
	if ((value >= 2 && value < 32) || (value >= -32 && value < -1)) return "affirming";
	if ((value >= 32 && value < 96) || (value >= -96 && value < -32)) return "warning";
	return "contraindicated";
}

/* From the best to the worst. "none" is worse than a warning: nothing at all is known. */
const ORDER: readonly Tier[] = ["affirming", "warning", "none", "contraindicated"];

/** The worst of some tiers; affirming where there is none. */
export function worst(tiers: Iterable<Tier>): Tier {
	let rank = 0;
	for (const tier of tiers) rank = Math.max(rank, ORDER.indexOf(tier));
	return ORDER[rank] as Tier;
}

/** What a reason is about. */
export type ReasonCode =
	| "malformed"
	| "encoding"
	| "protection"
	| "profile"
	| "claim"
	| "key"
	| "signature"
	| "identity"
	| "nonce"
	| "reference"
	| "lifecycle"
	| "version"
	| "component"
	| "log"
	| "entropy"
	| "engine"
	| "relocation"
	| "reset"
	| "malfunction";

/** Why the verdict is what it is. One of the tier "affirming" is a remark that spoils nothing. */
export interface Reason {
	readonly code: ReasonCode;
	readonly tier: Tier;
	/** A sentence for people; names what is wrong. */
	readonly text: string;
}

/** "ok" as expected; "unknown": no reference value says what to expect. */
export type ComponentStatus = "ok" | "differs" | "missing" | "unexpected" | "unknown";

/** A software component of the token beside its reference value; digests in hex. */
export interface ComponentResult {
	readonly name: string;
	readonly expected: string | null;
	readonly measured: string | null;
	readonly status: ComponentStatus;
	/** The parts of it that are not as expected, where the measurement log tells them. */
	readonly parts: readonly PartResult[];
}

/** A region of a component: "module:main", "vectors". */
export interface PartResult {
	readonly name: string;
	readonly expected: string | null;
	readonly measured: string | null;
	readonly status: ComponentStatus;
}

export const EAR_PROFILE = "tag:ietf.org,2026:rats/ear#03";

export const VERIFIER_ID = { developer: "Pericard", build: "pericard-verifier 1" } as const;

/** The claims set of an EAR in its JSON form (draft-ietf-rats-ear section 3). */
export interface Ear {
	readonly eat_profile: string;
	/** Seconds since 1970. */
	readonly iat: number;
	readonly ear_verifier_id: { readonly developer: string; readonly build: string };
	readonly submods: Readonly<Record<string, EarAppraisal>>;
}

export interface EarAppraisal {
	readonly ear_status: Tier;
	readonly ear_trustworthiness_vector?: TrustVector;
	readonly ear_appraisal_policy_ids: readonly string[];
	/** Base64url, of the evidence. */
	readonly eat_nonce?: string;
	/** Private claim: the reasons, as this verifier gives them. */
	readonly pericard_reasons: readonly string[];
}

/** What toEar() needs of a result. */
export interface Appraised {
	readonly verdict: Tier;
	readonly vector: TrustVector;
	readonly reasons: readonly Reason[];
	readonly policy: string;
	readonly nonce: Uint8Array | undefined;
}

/** An EAR of one appraisal. `label`: what the relying party knows the device's kind by; `time`: milliseconds since 1970. */
export function toEar(result: Appraised, label: string, time: number): Ear {
	return {
		eat_profile: EAR_PROFILE,
		iat: Math.floor(time / 1000),
		ear_verifier_id: VERIFIER_ID,
		submods: {
			[label]: {
				ear_status: result.verdict,
				// A vector is never empty (AR4SI: non-empty<{...}>).
				...(Object.keys(result.vector).length === 0 ? {} : { ear_trustworthiness_vector: result.vector }),
				ear_appraisal_policy_ids: [result.policy],
				...(result.nonce === undefined ? {} : { eat_nonce: Buffer.from(result.nonce).toString("base64url") }),
				pericard_reasons: result.reasons.map((reason) => reason.text),
			},
		},
	};
}
