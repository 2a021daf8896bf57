// Appraises the evidence of a device: is it authentic, fresh, and of an image that was built as the reference values say?
// verify() throws for nothing that a token, a log or a device can bring: whatever comes, there is a verdict with reasons.

import { COMPONENTS, type Lifecycle, lifecycleValue, RESET_REASONS } from "../../firmware/attestation/codec/claims.ts";
import { openSign1, type Sign1, TokenError, verifySign1 } from "./cose.ts";
import { type Change, clean, type Evidence, readClaims, type SoftwareComponent } from "./evidence.ts";
import type { DeviceKeys, Enrolled } from "./keys.ts";
import { type LogComponent, LogError, readLog } from "./log.ts";
import type { NonceState, NonceStore } from "./nonces.ts";
import { DEVELOPMENT_SIGNER, DEVICE_POLICY, type Policy } from "./policy.ts";
import type { Reference, ReferenceComponent } from "./reference.ts";
import {
	type ComponentResult,
	type PartResult,
	type Reason,
	type ReasonCode,
	type Tier,
	TRUST,
	TRUST_CLAIMS,
	type TrustClaim,
	type TrustVector,
	tierOf,
	worst,
} from "./result.ts";

/** What there is to judge, and what to judge it by. */
export interface Appraisal {
	readonly token: Uint8Array;
	/** The measurement log that came with the token, if any did. */
	readonly log?: Uint8Array;
	/** The trust anchors. */
	readonly keys: DeviceKeys;
	/** What may run; the device's image is one of these or none. */
	readonly references: readonly Reference[];
	/** The challenges that were issued. Without them it stays unknown whether the token is fresh. */
	readonly nonces?: NonceStore;
	/** The challenge that this token is the answer to; any open one if not given. */
	readonly challenge?: Uint8Array;
	/** DEVICE_POLICY if not given. */
	readonly policy?: Policy;
}

export interface AttestationResult {
	readonly verdict: Tier;
	readonly vector: TrustVector;
	/** The gravest first. */
	readonly reasons: readonly Reason[];
	readonly components: readonly ComponentResult[];
	/** The id of the policy. */
	readonly policy: string;
	/** The claims as they were read, whether or not they are to be believed. */
	readonly evidence: Evidence | undefined;
	/** Whether the claims are authentic: signed with the key that is enrolled for their instance id. */
	readonly authentic: boolean;
	readonly nonce: Uint8Array | undefined;
	/** The reference values that the components were compared with. */
	readonly reference: Reference | undefined;
	readonly device: Enrolled | undefined;
}

/** Collects what is found. */
class Findings {
	readonly reasons: Reason[] = [];
	readonly vector: Partial<Record<TrustClaim, number>> = {};
	components: ComponentResult[] = [];
	evidence: Evidence | undefined;
	authentic = false;
	reference: Reference | undefined;
	device: Enrolled | undefined;

	add(code: ReasonCode, tier: Tier, text: string, claims: Partial<Record<TrustClaim, number>> = {}): void {
		this.reasons.push({ code, tier, text });
		for (const [claim, value] of Object.entries(claims)) this.assert(claim as TrustClaim, value);
	}

	/** Of several values for a claim the gravest counts (AR4SI section 2.3.3). */
	assert(claim: TrustClaim, value: number): void {
		const held = this.vector[claim];
		const rank = (of: number) => ["none", "affirming", "warning", "contraindicated"].indexOf(tierOf(of));
		if (held === undefined || rank(value) > rank(held)) this.vector[claim] = value;
	}
}

const ALL_FAILED = Object.fromEntries(TRUST_CLAIMS.map((claim) => [claim, TRUST.cryptoFailed]));

/** Judges a token. Uses up its nonce, where its signature is good. */
export function verify(appraisal: Appraisal): AttestationResult {
	const findings = new Findings();
	const policy = appraisal.policy ?? DEVICE_POLICY;
	try {
		appraise(appraisal, policy, findings);
	} catch (error) {
		if (error instanceof TokenError) {
			findings.add(error.code, "none", error.message);
		} else {
			findings.add("malfunction", "none", `the verifier itself failed: ${(error as Error).message}`);
		}
	}
	const { evidence, authentic, reference, device } = findings;
	// Claims that nobody vouches for tell neither good nor bad of any device.
	const unvouched = !authentic && findings.reasons.every((reason) => reason.code !== "signature");
	const reasons = unvouched
		? findings.reasons.map((reason) => ({ ...reason, tier: "none" as const }))
		: findings.reasons;
	const order: readonly Tier[] = ["contraindicated", "none", "warning", "affirming"];
	return {
		verdict: unvouched ? "none" : worst(reasons.map((reason) => reason.tier)),
		vector: unvouched ? {} : findings.vector,
		reasons: [...reasons].sort((a, b) => order.indexOf(a.tier) - order.indexOf(b.tier)),
		components: findings.components,
		policy: policy.id,
		evidence,
		authentic,
		nonce: evidence?.nonce,
		reference,
		device,
	};
}

function appraise(appraisal: Appraisal, policy: Policy, findings: Findings): void {
	const token = openSign1(appraisal.token);
	const { evidence, profileFault, faults } = readClaims(token.claims);
	findings.evidence = evidence;
	if (policy.deterministic) {
		for (const deviation of token.deviations) {
			findings.add("encoding", "contraindicated", `non-deterministic encoding: ${deviation}`);
		}
	}
	if (token.unprotected !== undefined) findings.add("protection", "none", token.unprotected);
	if (profileFault !== undefined) findings.add("profile", "none", profileFault);
	for (const fault of faults) findings.add("claim", "none", fault, { executables: TRUST.unknownElements });
	if (!authenticate(appraisal, token, evidence, findings)) return;
	if (findings.authentic) checkNonce(appraisal, evidence, findings);
	findings.reference = chooseReference(appraisal.references, evidence);
	// Before the components: a function's name says more than a region's.
	checkMovedCode(evidence, findings);
	checkSoftware(appraisal, policy, evidence, findings);
	checkLifecycle(evidence, findings);
	if (findings.authentic) {
		checkEntropy(policy, evidence, findings);
		checkRelocation(policy, evidence, findings);
		checkHistory(evidence, findings);
	}
	if (evidence.failedEngines !== undefined) {
		const names = evidence.failedEngines.join(", ");
		findings.add("engine", "warning", `engines of cryptography that failed their tests: ${names}`, {
			hardware: TRUST.vulnerable,
		});
	}
	const reset = evidence.resetReason;
	if (reset !== undefined && RESET_REASONS.indexOf(reset) >= RESET_REASONS.indexOf("watchdog")) {
		findings.add("reset", "affirming", `the device started after a failure: ${reset}`);
	}
}

/** Finds the device's key and checks the signature; false where the signature is not one of that key. */
function authenticate(appraisal: Appraisal, token: Sign1, evidence: Evidence, findings: Findings): boolean {
	const id = evidence.instanceId;
	// What is wrong with the claim itself has been said.
	if (id === undefined) return true;
	const device = appraisal.keys.find(id);
	if (device === undefined) {
		const known = appraisal.keys.all();
		const enrolled =
			known.length === 0
				? "no device is enrolled"
				: `enrolled ${known.length === 1 ? "is" : "are"} ${known
						.slice(0, 3)
						.map((other) => short(other.instanceId))
						.join(", ")}${known.length > 3 ? ", ..." : ""}`;
		findings.add("key", "none", `unknown key: the token is of instance ${short(hex(id))}; ${enrolled}`);
		return true;
	}
	findings.device = device;
	// That it can't be checked has been said.
	if (token.unprotected !== undefined) return true;
	if (!verifySign1(token, device.key)) {
		const text = `the signature is not one of the key that is enrolled for instance ${short(device.instanceId)}: another key signed, or the token was changed`;
		findings.add("signature", "contraindicated", text, ALL_FAILED);
		return false;
	}
	findings.authentic = true;
	findings.assert("instance-identity", TRUST.approved);
	return true;
}

function checkNonce(appraisal: Appraisal, evidence: Evidence, findings: Findings): void {
	const { nonces, challenge } = appraisal;
	const { nonce } = evidence;
	if (nonce === undefined) return;
	if (nonces === undefined) {
		findings.add("nonce", "none", "no challenge is known to compare the nonce with: the token may be an old one");
		return;
	}
	const mine = challenge === undefined || hex(challenge) === hex(nonce);
	const state = mine ? nonces.take(nonce) : nonces.state(nonce);
	if (mine && state === "issued") return;
	const other = challenge === undefined ? "" : ` instead of ${short(hex(challenge))}`;
	const texts: Readonly<Record<NonceState, string>> = {
		used: `replayed token: its nonce ${short(hex(nonce))} has been answered before`,
		expired: `stale token: the answer to nonce ${short(hex(nonce))} came after its time`,
		issued: `token for another nonce: it answers challenge ${short(hex(nonce))}${other}`,
		unknown: `token for another nonce: it answers ${short(hex(nonce))}${other}, which was never issued`,
	};
	findings.add("nonce", "contraindicated", texts[state], ALL_FAILED);
}

/** Compares the software components with the reference values. */
function checkSoftware(appraisal: Appraisal, policy: Policy, evidence: Evidence, findings: Findings): void {
	const { implementationId } = evidence;
	// What these claims lack has been said.
	if (implementationId === undefined || evidence.components.length === 0) return;
	const { reference } = findings;
	if (reference === undefined) {
		const of = ` of implementation ${short(hex(implementationId))}`;
		const known = appraisal.references.map((known) => `${known.app} on ${known.board}`).join(", ");
		const tier = known === "" ? "none" : "contraindicated";
		const text = `unknown reference values: there are none for a device${of}${known === "" ? "" : `, only for ${known}`}`;
		findings.add("reference", tier, text, known === "" ? {} : { hardware: TRUST.unrecognized });
		findings.components = evidence.components.map((component, index) => ({
			name: nameOf(component, index),
			expected: null,
			measured: hex(component.value),
			status: "unknown",
			parts: [],
		}));
		return;
	}
	findings.assert("hardware", TRUST.approved);
	if (reference.signerId === DEVELOPMENT_SIGNER && !policy.developmentSigner) {
		findings.add(
			"reference",
			"affirming",
			"signed by the development signer, whose key is published: not for use on people",
		);
	}
	checkVersion(policy, reference, evidence, findings);
	const version = imageVersion(evidence);
	const log = openLog(appraisal.log, evidence, findings);
	const names = [
		...COMPONENTS,
		...evidence.components.map(nameOf).filter((name) => !(COMPONENTS as readonly string[]).includes(name)),
	];
	findings.components = names.map((name) => {
		const expected = reference.components.find((component) => component.type === name);
		const measured = evidence.components.find((component, index) => nameOf(component, index) === name);
		return compareComponent(name, expected, measured, reference, version, log.get(name), findings);
	});
}

/** The reference values of the device's board that are nearest to what it measured. */
function chooseReference(references: readonly Reference[], evidence: Evidence): Reference | undefined {
	const { implementationId, components } = evidence;
	if (implementationId === undefined) return undefined;
	const score = (reference: Reference) =>
		reference.components.filter((expected) =>
			components.some((measured) => measured.type === expected.type && hex(measured.value) === expected.value),
		).length;
	return references
		.filter((reference) => reference.implementationId === hex(implementationId))
		.sort((a, b) => score(b) - score(a) || compareVersions(b.version, a.version))[0];
}

function checkVersion(policy: Policy, reference: Reference, evidence: Evidence, findings: Findings): void {
	const version = imageVersion(evidence);
	if (version === undefined) return;
	const bad = (text: string) => {
		findings.add("version", "contraindicated", text, { executables: TRUST.contraindicated });
	};
	const runs = `the device runs version ${clean(version)}`;
	const least = policy.minimumVersion ?? reference.version;
	const last = findings.authentic ? findings.device?.last?.version : undefined;
	if (compareVersions(version, least) < 0) bad(`downgraded version: ${runs}, older than ${least}`);
	else if (version !== reference.version)
		bad(`unknown version: ${runs}; the reference values are of ${reference.version}`);
	else if (last !== undefined && compareVersions(version, last) < 0) {
		bad(`downgraded version: ${runs} after it ran ${clean(last)}`);
	}
}

/** The version of the image: that of its JavaScript. */
function imageVersion(evidence: Evidence): string | undefined {
	return evidence.components.find((component) => component.type === "app")?.version;
}

/** The parts of the log that the token proves, by component. */
function openLog(
	data: Uint8Array | undefined,
	evidence: Evidence,
	findings: Findings,
): ReadonlyMap<string, LogComponent> {
	const proven = new Map<string, LogComponent>();
	if (data === undefined) return proven;
	try {
		for (const component of readLog(data)) {
			const measured = evidence.components.find((other) => other.type === component.type);
			if (measured !== undefined && hex(measured.value) === hex(component.value)) {
				proven.set(component.type, component);
				continue;
			}
			// A component that the token does not have is told as such.
			if (measured === undefined) continue;
			const what = `its ${clean(component.type)} does not hash to the token's value`;
			findings.add("log", "warning", `the measurement log is not the one that was signed: ${what}`);
		}
	} catch (error) {
		if (!(error instanceof LogError)) throw error;
		findings.add("log", "warning", `the measurement log can't be read: ${error.message}`);
	}
	return proven;
}

function compareComponent(
	name: string,
	expected: ReferenceComponent | undefined,
	measured: SoftwareComponent | undefined,
	reference: Reference,
	version: string | undefined,
	log: LogComponent | undefined,
	findings: Findings,
): ComponentResult {
	const claim: TrustClaim = name === "config" ? "configuration" : "executables";
	const bad = (text: string) => {
		findings.add("component", "contraindicated", `${clean(name)}: ${text}`, { [claim]: TRUST.contraindicated });
	};
	const result = (status: ComponentResult["status"], parts: readonly PartResult[] = []): ComponentResult => ({
		name: clean(name),
		expected: expected?.value ?? null,
		measured: measured === undefined ? null : hex(measured.value),
		status,
		parts,
	});
	if (measured === undefined) {
		bad("the token does not have this component");
		return result("missing");
	}
	if (expected === undefined) {
		bad("no reference value is known for this component");
		return result("unexpected");
	}
	if (measured.signerId !== undefined && hex(measured.signerId) !== reference.signerId) {
		bad(`signed by ${short(hex(measured.signerId))}, not by ${short(reference.signerId)}`);
	}
	// Another version of the whole image is told once, by checkVersion().
	if (
		measured.version !== expected.version &&
		(measured.version !== version || expected.version !== reference.version)
	) {
		const has = measured.version === undefined ? "no version" : `version ${clean(measured.version)}`;
		bad(`${has} where ${expected.version} is expected`);
	}
	if (hex(measured.value) === expected.value) {
		findings.assert(claim, TRUST.approved);
		return result("ok");
	}
	// Reference values of a CoRIM have no entries.
	const detailed = log !== undefined && expected.entries.length > 0;
	const parts = detailed ? compareParts(expected, log) : [];
	if (parts.length === 0) {
		const why = log === undefined ? " (without its measurement log it stays unknown which part)" : "";
		bad(`not what was built: expected ${short(expected.value)}, measured ${short(hex(measured.value))}${why}`);
	}
	for (const part of parts.slice(0, PARTS_TOLD)) bad(partText(part));
	if (parts.length > PARTS_TOLD) bad(`and ${parts.length - PARTS_TOLD} more parts are not what was built`);
	return result("differs", parts);
}

/** Parts of one component that are told one by one. */
const PARTS_TOLD = 4;

/** What is different between the entries of a component and its reference values. */
function compareParts(expected: ReferenceComponent, log: LogComponent): PartResult[] {
	const parts: PartResult[] = [];
	/* The same name may be there more than once: then the order tells which is which. */
	const left = log.entries.map((entry) => ({ name: entry.name, value: hex(entry.digest) }));
	for (const entry of expected.entries) {
		const at = left.findIndex((other) => other.name === entry.name);
		const found = at < 0 ? undefined : left.splice(at, 1)[0];
		if (found?.value === entry.value) continue;
		parts.push({
			name: entry.name,
			expected: entry.value,
			measured: found?.value ?? null,
			status: found === undefined ? "missing" : "differs",
		});
	}
	for (const entry of left) {
		parts.push({ name: clean(entry.name), expected: null, measured: entry.value, status: "unexpected" });
	}
	if (parts.length === 0) return parts;
	// A change of a module changes the checksum in the directory too: the module is what people want to hear of first.
	const rank = (part: PartResult) => (part.name === "directory" ? 1 : 0);
	return parts.sort((a, b) => rank(a) - rank(b));
}

function partText(part: PartResult): string {
	const name = /^(module|resource):/.test(part.name)
		? part.name.replace(/^(\w+):(.*)$/s, '$1 "$2"')
		: `region "${part.name}"`;
	switch (part.status) {
		case "missing":
			return `${name} is missing`;
		case "unexpected":
			return `${name} was added: ${short(part.measured ?? "")}`;
		default:
			return `${name} is not what was built: expected ${short(part.expected ?? "")}, measured ${short(part.measured ?? "")}`;
	}
}

function checkLifecycle(evidence: Evidence, findings: Findings): void {
	const { lifecycle, lifecycleValue: value } = evidence;
	if (lifecycle === undefined || value === undefined) return;
	const expected: Lifecycle = findings.reference?.lifecycle ?? "secured";
	const says = `the device's lifecycle is ${lifecycle} (0x${value.toString(16).padStart(4, "0")})`;
	if (lifecycle === "secured" && expected === "secured") return;
	if (lifecycle === "non-psa-rot-debug" && expected === lifecycle) {
		const text = `${says}: a debug build or an open debug port, as the reference values have it; not for use on people`;
		findings.add("lifecycle", "warning", text, { configuration: TRUST.vulnerable });
		return;
	}
	const debug = lifecycle === "non-psa-rot-debug" ? ": a debug build, or the debug port is open" : "";
	findings.add(
		"lifecycle",
		"contraindicated",
		`${says}${debug}; ${expected} (0x${lifecycleValue(expected).toString(16).padStart(4, "0")}) is expected`,
		{ configuration: TRUST.contraindicated, "runtime-opaque": TRUST.contraindicated },
	);
}

function checkEntropy(policy: Policy, evidence: Evidence, findings: Findings): void {
	const source = evidence.entropySource;
	if (source === undefined) {
		findings.add("entropy", "warning", "the token does not tell where the device's random numbers come from", {
			hardware: TRUST.vulnerable,
		});
	} else if (!policy.entropy.includes(source)) {
		findings.add("entropy", "warning", `entropy source: ${source}; ${policy.entropyWhy}`, {
			hardware: TRUST.vulnerable,
		});
	} else if (source !== "hardware") {
		findings.add("entropy", "affirming", `entropy source: ${source}; accepted, since ${policy.entropyWhy}`);
	}
}

/** What the device's own check of its moved code found, and whether it says of that code what the build does. */
function checkMovedCode(evidence: Evidence, findings: Findings): void {
	const { relocation } = evidence;
	const built = findings.reference?.relocation;
	const bad = (text: string) => {
		findings.add("relocation", "contraindicated", `moved code: ${text}`, { executables: TRUST.contraindicated });
	};
	if (relocation === undefined || relocation.status === "none") {
		if (built !== undefined) bad("the token tells of none, but code of this image moves");
		return;
	}
	if (relocation.change !== undefined) bad(changeText(relocation.change, findings.reference));
	// The device adds up logarithms in fixed point.
	if (built !== undefined && Math.abs(relocation.bits - built.bits) > 1) {
		bad(`the token tells of ${relocation.bits} bits a layout; this image has ${built.bits}`);
	}
}

/* PC_RELOCATION_UNITS of native/relocate/table.h. */
const NO_UNIT = 1023;

/** What differs, with the names of the build, where its reference values have them. */
function changeText(change: Change, reference: Reference | undefined): string {
	const { kind, number } = change;
	const name = changedName(change, reference);
	const file = reference?.relocation?.units[number]?.file;
	const unit = name === undefined ? `function ${number}` : `function "${name}" (${file})`;
	switch (kind) {
		case "layout":
			// Behind the last unit: what the layout itself hangs on.
			if (number === NO_UNIT) return "the relocator's state is not what start-up made it";
			return `the layout says that ${unit} is where it can't be`;
		case "unit":
			return `${unit} is not what was built`;
		case "gap":
			return `there is code between the functions of the half that runs, at word ${number}`;
		case "dispatch":
			return `calls of ${name === undefined ? `entry ${number}` : `"${name}"`} are led to another place`;
		default:
			return `the half that is not in use is not empty, at word ${number}`;
	}
}

/** The function that a change is in or leads away from, if it is one of a function and the reference values have its name. */
export function changedName({ kind, number }: Change, reference: Reference | undefined): string | undefined {
	const names = reference?.relocation;
	if (kind === "dispatch") return names?.entries[number];
	return kind === "layout" || kind === "unit" ? names?.units[number]?.name : undefined;
}

/** Does the code move, and as much as the policy wants? */
function checkRelocation(policy: Policy, evidence: Evidence, findings: Findings): void {
	const { relocation } = evidence;
	const demand = policy.relocation;
	const bad = (text: string) => {
		findings.add("relocation", "contraindicated", text, { configuration: TRUST.contraindicated });
	};
	// A claim that is not as it must be has been told.
	if (relocation === undefined || relocation.status === "none") {
		const says = relocation === undefined ? "the token does not tell whether code moves" : "no code moves";
		if (demand !== undefined) bad(`${says}; the policy demands it`);
		return;
	}
	const { status, epoch, age, bits, floor } = relocation;
	const refused = `code stays where it is (epoch ${epoch}): the last move was refused`;
	if (status === "no-random") {
		findings.add("relocation", "warning", `${refused}, as there were no random numbers`, {
			hardware: TRUST.vulnerable,
		});
	} else if (status === "no-entropy") {
		findings.add("relocation", "warning", `${refused}, as layouts have ${bits} bits and ${floor} are the floor`, {
			configuration: TRUST.vulnerable,
		});
	}
	if (demand?.bits !== undefined && bits < demand.bits) {
		bad(`a layout of the code has ${bits} bits; the policy demands ${demand.bits}`);
	}
	if (demand?.age !== undefined && age > demand.age) {
		const last = epoch === 0 ? "the code has not moved since the start," : "the code last moved";
		bad(`${last} ${age / 1000} s ago; the policy allows ${demand.age / 1000} s`);
	}
	if (demand?.epoch !== undefined && epoch < demand.epoch) {
		bad(`the code has moved ${epoch} times; the policy demands ${demand.epoch}`);
	}
}

/** Compares with what the device said last, and remembers what it says now. */
function checkHistory(evidence: Evidence, findings: Findings): void {
	const { device } = findings;
	if (device === undefined) return;
	const { bootCount } = evidence;
	const bootSeed = evidence.bootSeed === undefined ? undefined : hex(evidence.bootSeed);
	const { last } = device;
	const copied = "; its flash was set back, or there is a copy of the device";
	if (last?.bootCount !== undefined && bootCount !== undefined) {
		if (bootCount < last.bootCount) {
			findings.add(
				"identity",
				"contraindicated",
				`the boot count went back from ${last.bootCount} to ${bootCount}${copied}`,
				{ "instance-identity": TRUST.contraindicated },
			);
		} else if (bootCount === last.bootCount && bootSeed !== last.bootSeed) {
			findings.add("identity", "contraindicated", `boot ${bootCount} has two boot seeds${copied}`, {
				"instance-identity": TRUST.contraindicated,
			});
		}
	}
	if (findings.reasons.some((reason) => reason.tier === "contraindicated")) return;
	device.last = { bootCount, bootSeed, version: imageVersion(evidence) };
}

/** Below 0, 0 or above 0 as version `a` is before, beside or after `b` in the precedence of semver.org, section 11. */
export function compareVersions(a: string, b: string): number {
	const [x, y] = [precedence(a), precedence(b)];
	const order = compareFields(x.main, y.main);
	if (order !== 0) return order;
	// A pre-release comes before its release.
	if (x.pre === undefined || y.pre === undefined) return Number(y.pre !== undefined) - Number(x.pre !== undefined);
	return compareFields(x.pre, y.pre);
}

function precedence(version: string): { main: string[]; pre: string[] | undefined } {
	const [text = ""] = version.split("+", 1);
	const at = text.indexOf("-");
	return {
		main: (at < 0 ? text : text.slice(0, at)).split("."),
		pre: at < 0 ? undefined : text.slice(at + 1).split("."),
	};
}

/** Field by field: numbers by their size and before texts, fewer before more. */
function compareFields(a: readonly string[], b: readonly string[]): number {
	for (let at = 0; at < Math.max(a.length, b.length); at++) {
		const [x, y] = [a[at], b[at]];
		if (x === undefined || y === undefined) return x === undefined ? -1 : 1;
		const numbers = [x, y].map((field) => /^\d{1,15}$/.test(field));
		if (numbers[0] !== numbers[1]) return numbers[0] ? -1 : 1;
		const order = numbers[0] ? Number(x) - Number(y) : x < y ? -1 : x > y ? 1 : 0;
		if (order !== 0) return order;
	}
	return 0;
}

function nameOf(component: SoftwareComponent, index: number): string {
	return component.type ?? `#${index}`;
}

function hex(bytes: Uint8Array): string {
	return Buffer.from(bytes).toString("hex");
}

/** The beginning of a long hex number. */
function short(text: string): string {
	return text.length > 16 ? `${text.slice(0, 16)}…` : text;
}
