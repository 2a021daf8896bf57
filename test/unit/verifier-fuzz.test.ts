// Whatever bytes come as token or log, the verifier has a verdict and a reason, and affirms none but the token that was signed.

import { describe, expect, test } from "vitest";
import { CborFloat, CborTag, type CborValue, decode, encode } from "../../firmware/attestation/codec/cbor.ts";
import { CLAIM } from "../../firmware/attestation/codec/claims.ts";
import { openSign1 } from "../../tools/verifier/cose.ts";
import { DeviceKeys } from "../../tools/verifier/keys.ts";
import { NonceStore } from "../../tools/verifier/nonces.ts";
import { EMULATED_POLICY, FOREIGN_POLICY, type Policy } from "../../tools/verifier/policy.ts";
import { type AttestationResult, verify } from "../../tools/verifier/verifier.ts";
import { Attester, hex, IMAGE, logOf, movingReferenceOf } from "./attester.ts";
import * as foreign from "./psa-tokens.ts";
import { random } from "./random.ts";

const device = new Attester();
const keys = new DeviceKeys();
const enrolled = keys.enrol(device.jwk);
const references = [movingReferenceOf(IMAGE)];
const nonce = new Uint8Array(32).fill(7);
/** All claims that a device can send. */
function claimsOf(): Map<CborValue, CborValue> {
	return device.claims(nonce, IMAGE, "mps2-an386").set(CLAIM.relocation, [1, 14, 400, 1246, 1000, 25, 256, 3]);
}
const honest = device.token(nonce, { payload: () => encode(claimsOf()) });
const log = logOf(IMAGE);

/** Appraises a token as the first that came of the device, and the first answer to the challenge. */
function appraise(token: Uint8Array, withLog = log, policy: Policy = EMULATED_POLICY): AttestationResult {
	const nonces = new NonceStore();
	nonces.add(nonce);
	enrolled.last = undefined;
	return verify({ token, log: withLog, keys, references, nonces, challenge: nonce, policy });
}

/** What holds for any token that is not the honest one. */
function refused(token: Uint8Array, policy?: Policy): void {
	const result = appraise(token, log, policy);
	const what = () => `${hex(token)}: ${JSON.stringify(result.reasons)}`;
	if (result.verdict === "affirming" || result.reasons.length === 0) throw new Error(`affirmed ${what()}`);
	if (result.reasons.some((reason) => reason.code === "malfunction" || reason.text === "")) {
		throw new Error(`failed at ${what()}`);
	}
}

/** Lets the event loop turn now and then: the test runner wants to hear of this process. */
async function breathe(round: number): Promise<void> {
	if (round % 200 === 0) await new Promise((resolve) => setImmediate(resolve));
}

type Next = () => number;
const below = (next: Next, limit: number) => Math.floor(next() * limit);

/** A copy with bits flipped, bytes changed, cut, inserted or repeated. */
function mutateBytes(next: Next, data: Uint8Array): Uint8Array {
	let bytes = [...data];
	for (let changes = 1 + below(next, 3); changes > 0; changes--) {
		const at = below(next, bytes.length + 1);
		const some = Array.from({ length: 1 + below(next, 4) }, () => below(next, 256));
		switch (below(next, 6)) {
			case 0:
				bytes[Math.min(at, bytes.length - 1)] = (bytes[at] ?? 0) ^ (1 << below(next, 8));
				break;
			case 1:
				bytes.splice(at, some.length, ...some);
				break;
			case 2:
				bytes.splice(at, some.length);
				break;
			case 3:
				bytes.splice(at, 0, ...some);
				break;
			case 4:
				bytes = bytes.slice(0, at);
				break;
			default:
				bytes.splice(at, 0, ...bytes.slice(at, at + below(next, 60)));
		}
		if (bytes.length === 0) bytes.push(below(next, 256));
	}
	return new Uint8Array(bytes);
}

const STRANGE: readonly CborValue[] = [
	0,
	-1,
	2 ** 53 - 1,
	2n ** 64n - 1n,
	-(2n ** 64n),
	true,
	null,
	undefined,
	"",
	"\u0000",
	"__proto__",
	new Uint8Array(0),
	new Uint8Array(32),
	new Uint8Array(64),
	[],
	new Map(),
	new CborFloat(1),
	new CborFloat(Number.NaN),
	new CborTag(18, 0),
];

/** The value with something in it changed: a part replaced, removed, doubled or put in another's place. */
function mutateValue(next: Next, value: CborValue): CborValue {
	if (next() < 0.15) return STRANGE[below(next, STRANGE.length)];
	if (value instanceof CborTag) {
		return next() < 0.2
			? new CborTag(below(next, 70), value.value)
			: new CborTag(value.tag, mutateValue(next, value.value));
	}
	if (Array.isArray(value) && value.length > 0) {
		const list = [...(value as CborValue[])];
		const at = below(next, list.length);
		const kind = next();
		if (kind < 0.1) list.splice(at, 1);
		else if (kind < 0.2) list.splice(at, 0, list[below(next, list.length)]);
		else if (kind < 0.3) list.reverse();
		else list[at] = mutateValue(next, list[at]);
		return list;
	}
	if (value instanceof Map && value.size > 0) {
		const entries = [...value] as [CborValue, CborValue][];
		const at = below(next, entries.length);
		const [key, item] = entries[at] as [CborValue, CborValue];
		const kind = next();
		if (kind < 0.15) entries.splice(at, 1);
		else if (kind < 0.25) entries[at] = [key, entries[below(next, entries.length)]?.[1]];
		else if (kind < 0.35) entries[at] = [typeof key === "number" ? key + 1 : 0, item];
		else entries[at] = [key, mutateValue(next, item)];
		// Keys that are equal by chance are one.
		return new Map(new Map(entries.map((entry) => [hex(encode(entry[0])), entry] as const)).values());
	}
	if (value instanceof Uint8Array && value.length > 0) return next() < 0.5 ? mutateBytes(next, value) : value.slice(1);
	if (typeof value === "number") return value + (next() < 0.5 ? 1 : -1) * 2 ** below(next, 40);
	if (typeof value === "string") return `${value.slice(0, below(next, value.length + 1))}x`;
	return STRANGE[below(next, STRANGE.length)];
}

describe("mutated tokens", () => {
	test("the token itself is affirmed", () => {
		expect(appraise(honest).verdict).toBe("affirming");
	});

	test("every single bit", async () => {
		for (let bit = 0; bit < honest.length * 8; bit++) {
			await breathe(bit);
			const token = honest.slice();
			token[bit >> 3] = (token[bit >> 3] as number) ^ (1 << (bit & 7));
			refused(token);
		}
	});

	test("every length", () => {
		for (let length = 0; length < honest.length; length++) refused(honest.slice(0, length));
		for (let more = 1; more < 40; more++) refused(new Uint8Array([...honest, ...new Array(more).fill(0)]));
	});

	test("every byte taken out, put in or repeated", async () => {
		for (let at = 0; at < honest.length; at++) {
			await breathe(at);
			refused(new Uint8Array([...honest.subarray(0, at), ...honest.subarray(at + 1)]));
			refused(new Uint8Array([...honest.subarray(0, at), 0xa0, ...honest.subarray(at)]));
		}
	});

	test("bytes changed at random", async () => {
		const next = random(100);
		for (let round = 0; round < 4000; round++) {
			await breathe(round);
			const token = mutateBytes(next, honest);
			if (hex(token) !== hex(honest)) refused(token);
		}
	});

	test("the structure changed at random, signature as it was", async () => {
		const next = random(200);
		for (let round = 0; round < 2000; round++) {
			await breathe(round);
			const parts = (decode(honest) as CborTag).value as readonly CborValue[];
			const envelope = next() < 0.3;
			const claims = openSign1(honest).claims;
			const token = envelope
				? encode(mutateValue(next, new CborTag(18, parts)))
				: encode(new CborTag(18, [parts[0], parts[1], encode(mutateValue(next, claims)), parts[3]]));
			if (hex(token) !== hex(honest)) {
				refused(token);
				refused(token, { ...EMULATED_POLICY, deterministic: false });
			}
		}
	});

	test("claims changed at random by who has the key: a verdict for each", async () => {
		const next = random(300);
		const verdicts = new Map<string, number>();
		for (let round = 0; round < 3000; round++) {
			await breathe(round);
			const payload = encode(mutateValue(next, claimsOf()));
			const token = device.sign(encode(new Map([[1, -7]])), new Map(), payload);
			const result = appraise(token);
			expect(result.reasons.map((reason) => reason.code)).not.toContain("malfunction");
			verdicts.set(result.verdict, (verdicts.get(result.verdict) ?? 0) + 1);
			if (result.verdict !== "affirming") continue;
			expect(result.components.map(({ status }) => status)).toEqual(["ok", "ok", "ok", "ok"]);
			// Only claims that are no one's business here, and the device's own counters, may be others.
			for (const label of [CLAIM.nonce, CLAIM.instanceId, CLAIM.profile, CLAIM.implementationId]) {
				const found = openSign1(token).claims.get(label);
				expect(hex(encode(found))).toBe(hex(encode(openSign1(honest).claims.get(label))));
			}
		}
		expect([...verdicts.keys()].sort()).toEqual(["affirming", "contraindicated", "none", "warning"]);
	});

	test("tokens from elsewhere, changed at random", async () => {
		const next = random(400);
		const tokens = Object.values(foreign).filter((value) => value instanceof Uint8Array);
		for (let round = 0; round < 3000; round++) {
			await breathe(round);
			const token = tokens[round % tokens.length] as Uint8Array;
			refused(mutateBytes(next, token), FOREIGN_POLICY);
			refused(encode(mutateValue(next, decode(token, { deterministic: false }))), FOREIGN_POLICY);
		}
	});

	test("bytes that were never a token", async () => {
		const next = random(500);
		for (let round = 0; round < 3000; round++) {
			await breathe(round);
			refused(new Uint8Array(Array.from({ length: below(next, 200) }, () => below(next, 256))));
		}
	});
});

test("mutated logs: a good token stays good or gets a warning, a bad one stays bad", async () => {
	const next = random(600);
	const patched = device.token(nonce, {
		image: { ...IMAGE, regions: { ...IMAGE.regions, xs: [["xs", "another engine"]] } },
	});
	for (let round = 0; round < 1000; round++) {
		await breathe(round);
		const changed = next() < 0.5 ? mutateBytes(next, log) : encode(mutateValue(next, decode(log)));
		const good = appraise(honest, changed);
		expect(["affirming", "warning"], JSON.stringify(good.reasons)).toContain(good.verdict);
		const bad = appraise(patched, changed);
		expect(bad.verdict).toBe("contraindicated");
		for (const { reasons } of [good, bad]) expect(reasons.map((reason) => reason.code)).not.toContain("malfunction");
	}
});
