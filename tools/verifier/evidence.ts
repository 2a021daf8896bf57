// The claims of a token as typed values, each checked for its type, size and range (RFC 9711, RFC 9783).

import type { CborMap, CborValue } from "../../firmware/attestation/codec/cbor.ts";
import {
	CLAIM,
	COMPONENT,
	ENGINES,
	ENTROPY_SOURCES,
	HASH_SIZES,
	type Lifecycle,
	lifecycleName,
	OLD_CLAIM,
	OLD_PROFILES,
	PROFILE,
	RELOCATION_CHANGES,
	RELOCATION_STATUSES,
	RELOCATION_TRIGGERS,
	RESET_REASONS,
	UEID_RAND,
} from "../../firmware/attestation/codec/claims.ts";

export interface SoftwareComponent {
	readonly type: string | undefined;
	readonly value: Uint8Array;
	readonly version: string | undefined;
	readonly signerId: Uint8Array | undefined;
}

/** What the check of moved code found: the number of a unit ("layout", "unit"), of an entry, or of a word of a half. */
export interface Change {
	readonly kind: "layout" | "unit" | "gap" | "dispatch" | "spare";
	readonly number: number;
}

/** How a device's code moves. */
export type Relocation =
	| { readonly status: "none" }
	| {
			readonly status: "ready" | "moving" | "no-random" | "no-entropy";
			/** Moves since the start; 0: the code lies as it was built. */
			readonly epoch: number;
			/** Milliseconds since the last move was done; in epoch 0, since the start. */
			readonly age: number;
			/** log2 of the number of layouts, rounded down. */
			readonly bits: number;
			/** Milliseconds between two moves; 0: none by time. */
			readonly period: number;
			/** Percent of the period, either way. */
			readonly jitter: number;
			/** Bits below which the device refuses to move. */
			readonly floor: number;
			readonly beforeAttestation: boolean;
			readonly afterAnomaly: boolean;
			/** undefined: moved code, its layout and the dispatch table are as they must be. */
			readonly change: Change | undefined;
	  };

/** A claims set; a claim that is absent or not as it must be is undefined. */
export interface Evidence {
	readonly profile: string | undefined;
	readonly nonce: Uint8Array | undefined;
	readonly instanceId: Uint8Array | undefined;
	readonly implementationId: Uint8Array | undefined;
	readonly clientId: number | undefined;
	readonly lifecycle: Lifecycle | undefined;
	/** The number of the lifecycle claim. */
	readonly lifecycleValue: number | undefined;
	readonly bootCount: number | undefined;
	readonly bootSeed: Uint8Array | undefined;
	readonly components: readonly SoftwareComponent[];
	/** Of ENTROPY_SOURCES. */
	readonly entropySource: string | undefined;
	/** Of RESET_REASONS. */
	readonly resetReason: string | undefined;
	/** Of ENGINES, or "engine N" for one that this verifier doesn't know. */
	readonly failedEngines: readonly string[] | undefined;
	readonly relocation: Relocation | undefined;
}

export interface Read {
	readonly evidence: Evidence;
	/** What is wrong with the profile, if anything. */
	readonly profileFault: string | undefined;
	/** What is wrong with claims, one sentence each. */
	readonly faults: readonly string[];
}

/* Claims that tell a token of PSA_IOT_PROFILE_1, which may lack the profile itself. */
const OLD_MARKS = [OLD_CLAIM.profile, OLD_CLAIM.nonce, OLD_CLAIM.instanceId];

/** Reads a claims set. Claims that it does not know are left aside (RFC 9711 section 6.3.3). */
export function readClaims(claims: CborMap): Read {
	const faults: string[] = [];
	const first = !claims.has(CLAIM.profile) && OLD_MARKS.some((label) => claims.has(label));
	const key = (name: keyof typeof CLAIM & keyof typeof OLD_CLAIM) => (first ? OLD_CLAIM[name] : CLAIM[name]);
	const profile = claims.get(key("profile"));
	const profileFault = checkProfile(profile, first);
	const take = <T>(
		name: string,
		label: number,
		must: boolean,
		wanted: string,
		check: (value: CborValue) => T | undefined,
	) => {
		if (!claims.has(label)) {
			if (must) faults.push(`the claim ${name} (${label}) is missing`);
			return undefined;
		}
		const value = check(claims.get(label));
		if (value === undefined) faults.push(`the claim ${name} (${label}) is not ${wanted}`);
		return value;
	};
	const lifecycleValue = take(
		"security lifecycle",
		key("lifecycle"),
		true,
		"a state of RFC 9783 section 4.3.1",
		(value) => (typeof value === "number" && lifecycleName(value) !== undefined ? value : undefined),
	);
	const evidence: Evidence = {
		profile: typeof profile === "string" ? profile : undefined,
		nonce: take("nonce", key("nonce"), true, "one byte string of 32, 48 or 64 bytes", (value) =>
			bytes(value, HASH_SIZES),
		),
		instanceId: take("instance id", key("instanceId"), true, "33 bytes that begin with 0x01", (value) => {
			const id = bytes(value, [33]);
			return id?.[0] === UEID_RAND ? id : undefined;
		}),
		implementationId: take("implementation id", key("implementationId"), true, "32 bytes", (value) =>
			bytes(value, [32]),
		),
		clientId: take("client id", key("clientId"), true, "an integer of 32 bits other than 0", (value) =>
			typeof value === "number" && value !== 0 && value >= -0x80000000 && value <= 0x7fffffff ? value : undefined,
		),
		lifecycle: lifecycleValue === undefined ? undefined : lifecycleName(lifecycleValue),
		lifecycleValue,
		bootCount: take("boot count", CLAIM.bootCount, false, "an unsigned integer", unsigned),
		bootSeed: take("boot seed", key("bootSeed"), false, "8 to 32 bytes", (value) =>
			value instanceof Uint8Array && value.length >= 8 && value.length <= 32 ? value : undefined,
		),
		components: readComponents(claims, key("components"), first, faults),
		entropySource: take("entropy source", CLAIM.entropySource, false, `0..${ENTROPY_SOURCES.length - 1}`, (value) =>
			typeof value === "number" ? ENTROPY_SOURCES[value] : undefined,
		),
		resetReason: take("reset reason", CLAIM.resetReason, false, `0..${RESET_REASONS.length - 1}`, (value) =>
			typeof value === "number" ? RESET_REASONS[value] : undefined,
		),
		failedEngines: take("failed engines", CLAIM.failedEngines, false, "1..4294967295", (value) =>
			typeof value === "number" && value >= 1 && value <= 0xffffffff ? engineNames(value) : undefined,
		),
		relocation: take("relocation", CLAIM.relocation, false, "[0], or an array of 8 or 10 as it must be", relocation),
	};
	return { evidence, profileFault, faults };
}

function checkProfile(profile: CborValue, first: boolean): string | undefined {
	if (profile === PROFILE && !first) return undefined;
	const wanted = `this verifier appraises ${PROFILE} (RFC 9783)`;
	const name = typeof profile === "string" ? `"${clean(profile)}"` : undefined;
	if (profile === (first ? OLD_PROFILES.first : OLD_PROFILES.second)) {
		return `the token is of the older profile ${profile}; ${wanted}`;
	}
	if (first) {
		const called = name === undefined ? "" : `, and calls its profile ${name}`;
		return `the token has the claims of the older profile ${OLD_PROFILES.first}${called}; ${wanted}`;
	}
	return name === undefined
		? `the token names no profile; ${wanted}`
		: `the token is of the unknown profile ${name}; ${wanted}`;
}

function readComponents(claims: CborMap, label: number, first: boolean, faults: string[]): SoftwareComponent[] {
	const name = `software components (${label})`;
	if (!claims.has(label)) {
		const said = first && claims.has(OLD_CLAIM.noMeasurements);
		faults.push(said ? "the token says that nothing was measured" : `the claim ${name} is missing`);
		return [];
	}
	const list = claims.get(label);
	if (!Array.isArray(list) || list.length === 0) {
		faults.push(`the claim ${name} is not an array of components`);
		return [];
	}
	const components: SoftwareComponent[] = [];
	const types = new Set<string>();
	for (const [index, item] of (list as readonly CborValue[]).entries()) {
		const fault = (what: string) => faults.push(`in the claim ${name} component ${index} ${what}`);
		if (!(item instanceof Map)) {
			fault("is no map");
			continue;
		}
		const part = item as CborMap;
		const text = (key: number, what: string) => {
			const value = part.get(key);
			if (value === undefined && !part.has(key)) return undefined;
			if (typeof value === "string") return value;
			fault(`has a ${what} that is no text`);
			return undefined;
		};
		const type = text(COMPONENT.type, "measurement type");
		const version = text(COMPONENT.version, "version");
		text(COMPONENT.description, "measurement description");
		const value = bytes(part.get(COMPONENT.value), HASH_SIZES);
		const signerId = bytes(part.get(COMPONENT.signerId), HASH_SIZES);
		if (signerId === undefined) fault("has no signer id of 32, 48 or 64 bytes");
		if (type !== undefined && types.has(type)) fault(`has the type "${clean(type)}" of another one`);
		if (type !== undefined) types.add(type);
		if (value === undefined) fault("has no measurement value of 32, 48 or 64 bytes");
		else components.push({ type, value, version, signerId });
	}
	return components;
}

function engineNames(bits: number): string[] {
	const numbers = Array.from({ length: 32 }, (_, number) => number).filter((number) => (bits >>> number) & 1);
	return numbers.map((number) => ENGINES[number] ?? `engine ${number}`);
}

function relocation(value: CborValue): Relocation | undefined {
	if (!Array.isArray(value)) return undefined;
	const list = value as readonly CborValue[];
	if (list.length === 1 && list[0] === 0) return { status: "none" };
	const numbers = list.map(unsigned);
	if (numbers.includes(undefined) || (numbers.length !== 8 && numbers.length !== 10)) return undefined;
	const [number = 0, epoch = 0, age = 0, bits = 0, period = 0, jitter = 0, floor = 0, triggers = 0] = numbers;
	const status = RELOCATION_STATUSES[number];
	if (status === undefined || status === "none" || jitter > 100) return undefined;
	const change = numbers.length === 8 ? undefined : changeOf(numbers[8] ?? 0, numbers[9] ?? 0);
	if (numbers.length === 10 && change === undefined) return undefined;
	const { beforeAttestation, afterAnomaly } = RELOCATION_TRIGGERS;
	return {
		status,
		epoch,
		age,
		bits,
		period,
		jitter,
		floor,
		beforeAttestation: (triggers & beforeAttestation) !== 0,
		afterAnomaly: (triggers & afterAnomaly) !== 0,
		change,
	};
}

function changeOf(code: number, number: number): Change | undefined {
	const kind = RELOCATION_CHANGES[code];
	return kind === undefined || kind === "nothing" ? undefined : { kind, number };
}

function bytes(value: CborValue, sizes: readonly number[]): Uint8Array | undefined {
	return value instanceof Uint8Array && sizes.includes(value.length) ? value : undefined;
}

function unsigned(value: CborValue): number | undefined {
	return typeof value === "number" && value >= 0 ? value : undefined;
}

/** Text of a token as it may be shown: short, and without control characters. */
export function clean(text: string): string {
	// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not reach a terminal
	const visible = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, "?");
	return visible.length > 64 ? `${visible.slice(0, 63)}…` : visible;
}
