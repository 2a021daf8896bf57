// The verifier on tokens that a test-only device makes: the honest ones are affirmed, and each attack is refused with the
// reason that names it.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type CborMap, CborTag, type CborValue, encode } from "../../firmware/attestation/codec/cbor.ts";
import {
	CLAIM,
	COMPONENT,
	ENTROPY_SOURCES,
	lifecycleName,
	lifecycleValue,
	RELOCATION_CHANGES,
	RELOCATION_STATUSES,
	RESET_REASONS,
} from "../../firmware/attestation/codec/claims.ts";
import { makeCorim } from "../../tools/build/corim.ts";
import { DeviceKeys, instanceIdOf, jwkOfPoint, KeyError, parsePublicKey, pointOf } from "../../tools/verifier/keys.ts";
import { NonceStore } from "../../tools/verifier/nonces.ts";
import {
	DEVELOPMENT_SIGNER,
	DEVICE_POLICY,
	demanding,
	EMULATED_POLICY,
	type Policy,
	type RelocationDemand,
} from "../../tools/verifier/policy.ts";
import { checkReference, parseCorim, parseReference, type Reference } from "../../tools/verifier/reference.ts";
import { tierOf, toEar } from "../../tools/verifier/result.ts";
import { type AttestationResult, compareVersions, verify } from "../../tools/verifier/verifier.ts";
import {
	Attester,
	bytes,
	changed,
	hex,
	IMAGE,
	logOf,
	movingReferenceOf,
	referenceOf,
	type TokenOptions,
} from "./attester.ts";

/** A verifier with one device enrolled, and what passes between them. */
class Bench {
	readonly device = new Attester();
	readonly keys = new DeviceKeys();
	readonly nonces: NonceStore;
	now = 1_000_000;
	references: Reference[] = [referenceOf(IMAGE)];
	policy: Policy = EMULATED_POLICY;

	constructor() {
		this.nonces = new NonceStore({ lifetime: 60_000, now: () => this.now });
		this.keys.enrol(this.device.jwk);
	}

	verify(token: Uint8Array, log?: Uint8Array, challenge?: Uint8Array): AttestationResult {
		const { keys, references, nonces, policy } = this;
		return verify({
			token,
			keys,
			references,
			nonces,
			policy,
			...(log === undefined ? {} : { log }),
			...(challenge === undefined ? {} : { challenge }),
		});
	}

	/** One exchange: a challenge, and the device's answer to it. */
	attest(options: TokenOptions = {}): AttestationResult {
		const nonce = this.nonces.issue();
		return this.verify(this.device.token(nonce, options), logOf(options.image ?? IMAGE), nonce);
	}
}

const texts = (result: AttestationResult) => result.reasons.map((reason) => reason.text);
/** The reasons that speak against a device. */
const faults = (result: AttestationResult) =>
	result.reasons.filter((reason) => reason.tier !== "affirming").map((reason) => reason.text);

describe("an honest device", () => {
	test("is affirmed, with its claims and its components", () => {
		const bench = new Bench();
		const nonce = bench.nonces.issue();
		const result = bench.verify(bench.device.token(nonce), logOf(IMAGE), nonce);
		expect(faults(result)).toEqual([]);
		expect(result.verdict).toBe("affirming");
		expect(result.vector).toEqual({ "instance-identity": 2, hardware: 2, executables: 2, configuration: 2 });
		expect(result.components.map(({ name, status }) => [name, status])).toEqual([
			["native", "ok"],
			["xs", "ok"],
			["app", "ok"],
			["config", "ok"],
		]);
		for (const component of result.components) expect(component.measured).toBe(component.expected);
		expect(result.evidence).toMatchObject({
			profile: "tag:psacertified.org,2023:psa#tfm",
			clientId: -1,
			lifecycle: "secured",
			bootCount: 7,
			entropySource: "development",
			resetReason: "power-on",
		});
		expect(hex(result.nonce ?? bytes(""))).toBe(hex(nonce));
	});

	test.each([32, 48, 64])("with a nonce of %i bytes, and without a log", (size) => {
		const bench = new Bench();
		const nonce = bench.nonces.issue(size);
		expect(bench.verify(bench.device.token(nonce), undefined, nonce).verdict).toBe("affirming");
	});

	test("the result as EAR (draft-ietf-rats-ear)", () => {
		const result = new Bench().attest();
		const ear = toEar(result, "mps2-an386", 1_700_000_000_999);
		expect(ear).toEqual({
			eat_profile: "tag:ietf.org,2026:rats/ear#03",
			iat: 1_700_000_000,
			ear_verifier_id: { developer: "Pericard", build: "pericard-verifier 1" },
			submods: {
				"mps2-an386": {
					ear_status: "affirming",
					ear_trustworthiness_vector: { "instance-identity": 2, hardware: 2, executables: 2, configuration: 2 },
					ear_appraisal_policy_ids: ["pericard:emulated/1"],
					eat_nonce: Buffer.from(result.nonce ?? []).toString("base64url"),
					pericard_reasons: texts(result),
				},
			},
		});
	});

	test("claims that nobody knows do not matter (RFC 9711)", () => {
		const result = new Bench().attest({ claims: (claims) => claims.set(-80000, "news").set(2401, 1) });
		expect(result.verdict).toBe("affirming");
	});

	test("on a board with a hardware source, by the policy for devices", () => {
		const bench = new Bench();
		bench.policy = DEVICE_POLICY;
		bench.references = [referenceOf(IMAGE, "nrf52840dk")];
		const result = bench.attest({ board: "nrf52840dk" });
		expect(texts(result)).toEqual([]);
		expect(result.verdict).toBe("affirming");
	});
});

describe("freshness", () => {
	test("a replayed token", () => {
		const bench = new Bench();
		const nonce = bench.nonces.issue();
		const token = bench.device.token(nonce);
		expect(bench.verify(token, undefined, nonce).verdict).toBe("affirming");
		const again = bench.verify(token, undefined, nonce);
		expect(again.verdict).toBe("contraindicated");
		expect(faults(again)).toEqual([
			expect.stringMatching(/^replayed token: its nonce [0-9a-f]{16}… has been answered/),
		]);
		// Also as the answer to a new challenge.
		const later = bench.verify(token, undefined, bench.nonces.issue());
		expect(later.verdict).toBe("contraindicated");
		expect(faults(later)).toEqual([expect.stringMatching(/^replayed token/)]);
	});

	test("a token for another nonce: of another exchange, or never issued", () => {
		const bench = new Bench();
		const [mine, others] = [bench.nonces.issue(), bench.nonces.issue()];
		const result = bench.verify(bench.device.token(others), undefined, mine);
		expect(result.verdict).toBe("contraindicated");
		expect(faults(result)).toEqual([
			`token for another nonce: it answers challenge ${hex(others).slice(0, 16)}… instead of ${hex(mine).slice(0, 16)}…`,
		]);
		const invented = bench.verify(bench.device.token(new Uint8Array(32)), undefined, mine);
		expect(invented.verdict).toBe("contraindicated");
		expect(faults(invented)[0]).toMatch(/^token for another nonce: .* never issued$/);
		// Neither has used up a challenge.
		expect(bench.verify(bench.device.token(others), undefined, others).verdict).toBe("affirming");
	});

	test("an answer that comes too late", () => {
		const bench = new Bench();
		const nonce = bench.nonces.issue();
		bench.now += 60_001;
		const result = bench.verify(bench.device.token(nonce), undefined, nonce);
		expect(result.verdict).toBe("contraindicated");
		expect(faults(result)[0]).toMatch(/^stale token/);
	});

	test("without a challenge to compare with nothing is affirmed", () => {
		const bench = new Bench();
		const { keys, references, policy } = bench;
		const result = verify({ token: bench.device.token(new Uint8Array(32)), keys, references, policy });
		expect(result.verdict).toBe("none");
		expect(faults(result)).toEqual([expect.stringMatching(/no challenge is known/)]);
	});

	test("a forged token does not use up the challenge", () => {
		const bench = new Bench();
		const nonce = bench.nonces.issue();
		const forged = bench.device.token(nonce);
		forged[forged.length - 1] = (forged[forged.length - 1] as number) ^ 1;
		expect(bench.verify(forged, undefined, nonce).verdict).toBe("contraindicated");
		expect(bench.verify(bench.device.token(nonce), undefined, nonce).verdict).toBe("affirming");
	});

	test("the store forgets the oldest, and takes no nonce twice", () => {
		const nonces = new NonceStore({ capacity: 2 });
		const [first, second, third] = [nonces.issue(), nonces.issue(), nonces.issue()];
		expect([first, second, third].map((nonce) => nonces.state(nonce))).toEqual(["unknown", "issued", "issued"]);
		expect(() => nonces.add(second)).toThrow(RangeError);
		expect(() => nonces.issue(16)).toThrow(RangeError);
		expect([nonces.take(second), nonces.take(second)]).toEqual(["issued", "used"]);
	});
});

describe("identity", () => {
	test("a token of another device's key", () => {
		const bench = new Bench();
		const other = new Attester();
		const nonce = bench.nonces.issue();
		// As itself: nobody knows it.
		const stranger = bench.verify(other.token(nonce), undefined, nonce);
		expect(stranger.verdict).toBe("none");
		expect(faults(stranger)).toEqual([
			`unknown key: the token is of instance ${hex(other.instanceId).slice(0, 16)}…; enrolled is ${hex(bench.device.instanceId).slice(0, 16)}…`,
		]);
		// In the name of the enrolled one.
		const claims = (claims: Map<CborValue, CborValue>) => claims.set(CLAIM.instanceId, bench.device.instanceId);
		const impostor = bench.verify(other.token(nonce, { claims }), undefined, nonce);
		expect(impostor.verdict).toBe("contraindicated");
		expect(faults(impostor)).toEqual([expect.stringMatching(/^the signature is not one of the key that is enrolled/)]);
		expect(impostor.vector["instance-identity"]).toBe(99);
	});

	test("a device that says the instance id of another is not enrolled", () => {
		const device = new Attester();
		expect(() => new DeviceKeys().enrol(device.jwk, new Attester().instanceId)).toThrow(KeyError);
		expect(() => new DeviceKeys().enrol(device.jwk, device.instanceId)).not.toThrow();
	});

	test("a boot count that goes back, and one boot with two seeds", () => {
		const bench = new Bench();
		expect(bench.attest().verdict).toBe("affirming");
		bench.device.bootCount = 9;
		expect(bench.attest().verdict).toBe("affirming");
		bench.device.bootCount = 8;
		const back = bench.attest();
		expect(back.verdict).toBe("contraindicated");
		expect(faults(back)).toEqual([expect.stringMatching(/^the boot count went back from 9 to 8/)]);
		bench.device.bootCount = 9;
		expect(bench.attest().verdict).toBe("affirming");
		bench.device.bootSeed = new Uint8Array(32);
		const twin = bench.attest();
		expect(twin.verdict).toBe("contraindicated");
		expect(faults(twin)).toEqual([expect.stringMatching(/^boot 9 has two boot seeds/)]);
	});

	test("keys: JWK, PEM and points name the same device; what is no P-256 key is refused", () => {
		const { jwk, instanceId } = new Attester();
		expect(hex(instanceIdOf(jwkOfPoint(pointOf(jwk))))).toBe(hex(instanceId));
		expect(parsePublicKey(JSON.stringify(jwk))).toEqual(jwk);
		const off = pointOf(jwk);
		off[64] = (off[64] as number) ^ 1;
		expect(() => jwkOfPoint(off)).toThrow(/not on the curve/);
		expect(() => jwkOfPoint(off.subarray(1))).toThrow(KeyError);
		expect(() => parsePublicKey("no key")).toThrow(KeyError);
		expect(() => parsePublicKey('{"kty":"oct","k":"AAAA"}')).toThrow(KeyError);
		const ed = '{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}';
		expect(() => parsePublicKey(ed)).toThrow(/P-256 is needed, this is Ed25519/);
	});
});

describe("software", () => {
	test("a changed module is named", () => {
		const image = changed(IMAGE, { "module:pericard/signal/qrs": "patched", directory: "its checksum too" });
		const result = new Bench().attest({ image });
		expect(result.verdict).toBe("contraindicated");
		expect(faults(result)).toEqual([
			expect.stringMatching(
				/^app: module "pericard\/signal\/qrs" is not what was built: expected [0-9a-f]{16}…, measured [0-9a-f]{16}…$/,
			),
			expect.stringMatching(/^app: region "directory" is not what was built/),
		]);
		expect(result.vector.executables).toBe(96);
		expect(result.components.map(({ status }) => status)).toEqual(["ok", "ok", "differs", "ok"]);
		expect(result.components[2]?.parts.map(({ name }) => name)).toEqual(["module:pericard/signal/qrs", "directory"]);
	});

	test("without its log the component is named", () => {
		const bench = new Bench();
		const nonce = bench.nonces.issue();
		const token = bench.device.token(nonce, { image: changed(IMAGE, { native: "patched" }) });
		const result = bench.verify(token, undefined, nonce);
		expect(result.verdict).toBe("contraindicated");
		expect(faults(result)).toEqual([
			expect.stringMatching(/^native: not what was built: .* \(without its measurement log/),
		]);
	});

	test("a patched native, and another configuration", () => {
		const native = new Bench().attest({ image: changed(IMAGE, { native: "patched" }) });
		expect(faults(native)).toEqual([expect.stringMatching(/^native: region "native" is not what was built/)]);
		const configuration = new Bench().attest({ image: changed(IMAGE, { machine: "more heap" }) });
		expect(faults(configuration)).toEqual([expect.stringMatching(/^config: region "machine" is not what was built/)]);
		expect(configuration.vector).toMatchObject({ executables: 2, configuration: 96 });
	});

	test("modules that were added and taken away", () => {
		const archive = IMAGE.regions.app ?? [];
		const regions = { ...IMAGE.regions, app: [...archive.slice(0, 3), ["module:spy", "bytecode"] as const] };
		const result = new Bench().attest({ image: { ...IMAGE, regions } });
		expect(faults(result)).toEqual([
			'app: resource "table.bin" is missing',
			expect.stringMatching(/^app: module "spy" was added: [0-9a-f]{16}…$/),
		]);
	});

	test("a log that is not the one that was signed proves nothing", () => {
		const bench = new Bench();
		const nonce = bench.nonces.issue();
		const token = bench.device.token(nonce, { image: changed(IMAGE, { "module:main": "patched" }) });
		const lie = bench.verify(token, logOf(IMAGE), nonce);
		expect(lie.verdict).toBe("contraindicated");
		expect(faults(lie)).toEqual([
			expect.stringMatching(/^app: not what was built/),
			expect.stringMatching(/^the measurement log is not the one that was signed: its app does not hash/),
		]);
		for (const log of [
			bytes(""),
			bytes("80ff"),
			bytes("8101"),
			bytes("8182018 0".replace(" ", "")),
			encode([["app", [["x", 1]]]]),
		]) {
			const next = bench.nonces.issue();
			const result = bench.verify(bench.device.token(next), log, next);
			expect(result.verdict).toBe("warning");
			expect(faults(result)[0]).toMatch(/^the measurement log can't be read: /);
		}
	});

	test("a downgraded version: one that is known, one that is not, and one that the device had left", () => {
		const old = changed(IMAGE, { "module:main": "old bytecode" }, "1.1.9");
		const unknown = new Bench().attest({ image: old });
		expect(unknown.verdict).toBe("contraindicated");
		expect(faults(unknown)[0]).toBe("downgraded version: the device runs version 1.1.9, older than 1.2.0");
		const known = new Bench();
		known.references = [referenceOf(IMAGE), referenceOf(old)];
		known.policy = { ...EMULATED_POLICY, minimumVersion: "1.2.0" };
		const below = known.attest({ image: old });
		expect(below.verdict).toBe("contraindicated");
		expect(faults(below)).toEqual(["downgraded version: the device runs version 1.1.9, older than 1.2.0"]);
		known.policy = EMULATED_POLICY;
		expect(known.attest({ image: old }).verdict).toBe("affirming");
		expect(known.attest().verdict).toBe("affirming");
		const back = known.attest({ image: old });
		expect(back.verdict).toBe("contraindicated");
		expect(faults(back)).toEqual(["downgraded version: the device runs version 1.1.9 after it ran 1.2.0"]);
	});

	test("a newer version than any reference value", () => {
		const result = new Bench().attest({ image: { ...IMAGE, version: "1.3.0" } });
		expect(result.verdict).toBe("contraindicated");
		expect(faults(result)[0]).toMatch(/^unknown version: the device runs version 1\.3\.0; .* of 1\.2\.0$/);
	});

	test("the wrong signer, a component that is missing or another's", () => {
		const components = (change: (list: Map<CborValue, CborValue>[]) => unknown) => ({
			claims: (claims: Map<CborValue, CborValue>) => {
				change(claims.get(CLAIM.components) as Map<CborValue, CborValue>[]);
			},
		});
		const signer = new Bench().attest(components((list) => list[0]?.set(COMPONENT.signerId, new Uint8Array(32))));
		expect(faults(signer)).toEqual([expect.stringMatching(/^native: signed by 0{16}…, not by /)]);
		expect(signer.verdict).toBe("contraindicated");
		const missing = new Bench().attest(components((list) => list.pop()));
		expect(faults(missing)).toEqual(["config: the token does not have this component"]);
		const renamed = new Bench().attest(components((list) => list[3]?.set(COMPONENT.type, "settings")));
		expect(faults(renamed)).toEqual([
			"config: the token does not have this component",
			"settings: no reference value is known for this component",
		]);
		const engine = new Bench().attest(components((list) => list[1]?.set(COMPONENT.version, "13.2.0")));
		expect(faults(engine)).toEqual(["xs: version 13.2.0 where 13.3.0 is expected"]);
	});

	test("reference values of another board", () => {
		const result = new Bench().attest({ board: "nrf52840dk" });
		expect(result.verdict).toBe("contraindicated");
		expect(faults(result)).toEqual([
			expect.stringMatching(/^unknown reference values: .* only for ecg-patch on mps2-an386$/),
		]);
		expect(result.vector.hardware).toBe(97);
		expect(result.components.map(({ status, expected }) => [status, expected])).toEqual(
			Array.from({ length: 4 }, () => ["unknown", null]),
		);
	});
});

describe("lifecycle", () => {
	const debug = { ...changed(IMAGE, { machine: "debug" }), debug: true };

	test("a debug image where a locked one is expected", () => {
		const result = new Bench().attest({ image: debug });
		expect(result.verdict).toBe("contraindicated");
		expect(faults(result)).toContain(
			"the device's lifecycle is non-psa-rot-debug (0x4000): a debug build, or the debug port is open; secured (0x3000) is expected",
		);
		expect(result.vector).toMatchObject({ configuration: 96, "runtime-opaque": 96 });
	});

	test("a debug image where one is expected is a warning", () => {
		const bench = new Bench();
		bench.references = [referenceOf(debug)];
		const result = bench.attest({ image: debug });
		expect(result.verdict).toBe("warning");
		expect(faults(result)).toEqual([expect.stringMatching(/lifecycle is non-psa-rot-debug .* not for use on people$/)]);
	});

	test.each([
		"unknown",
		"assembly-and-test",
		"psa-rot-provisioning",
		"recoverable-psa-rot-debug",
		"decommissioned",
	] as const)("%s is never trusted", (state) => {
		const claims = (claims: Map<CborValue, CborValue>) => claims.set(CLAIM.lifecycle, lifecycleValue(state) + 0xff);
		const result = new Bench().attest({ claims });
		expect(result.verdict).toBe("contraindicated");
		expect(faults(result)[0]).toContain(`lifecycle is ${state} (0x`);
	});

	test("names and numbers (RFC 9783 section 4.3.1)", () => {
		const states = [0, 0x10ff, 0x2000, 0x3001, 0x40ff, 0x5000, 0x6000];
		expect(states.map((value) => lifecycleName(value))).toEqual([
			"unknown",
			"assembly-and-test",
			"psa-rot-provisioning",
			"secured",
			"non-psa-rot-debug",
			"recoverable-psa-rot-debug",
			"decommissioned",
		]);
		for (const none of [-1, 0x100, 0x3100, 0x6100, 0x7000, 0x103000, 2 ** 32 + 0x3000, 0.5]) {
			expect(lifecycleName(none)).toBeUndefined();
		}
	});
});

describe("sources of random numbers, and why the device started", () => {
	const entropy = (value: CborValue) => ({
		claims: (claims: Map<CborValue, CborValue>) => claims.set(CLAIM.entropySource, value),
	});

	test("a development source is named; it is enough for an emulated board only", () => {
		const emulated = new Bench().attest();
		expect(emulated.verdict).toBe("affirming");
		expect(texts(emulated)).toEqual([
			"entropy source: development; accepted, since the board is an emulated one, and has no other",
		]);
		const bench = new Bench();
		bench.policy = DEVICE_POLICY;
		const device = bench.attest();
		expect(device.verdict).toBe("warning");
		expect(faults(device)).toEqual([expect.stringMatching(/^entropy source: development; only a hardware source/)]);
		expect(bench.attest(entropy(1)).verdict).toBe("affirming");
	});

	test("no source, none that is told, and one that does not exist", () => {
		expect(new Bench().attest(entropy(0)).verdict).toBe("warning");
		const silent = new Bench().attest({ claims: (claims) => claims.delete(CLAIM.entropySource) });
		expect(silent.verdict).toBe("warning");
		expect(faults(silent)[0]).toMatch(/does not tell where/);
		expect(new Bench().attest(entropy(3)).verdict).toBe("none");
	});

	test("engines of cryptography that failed are a warning that names them", () => {
		const result = new Bench().attest({ claims: (claims) => claims.set(CLAIM.failedEngines, 0x2050) });
		expect(result.verdict).toBe("warning");
		expect(faults(result)).toEqual(["engines of cryptography that failed their tests: AES, AES hardware, engine 13"]);
		expect(result.vector.hardware).toBe(32);
		expect(result.evidence?.failedEngines).toEqual(["AES", "AES hardware", "engine 13"]);
		expect(new Bench().attest().evidence?.failedEngines).toBeUndefined();
	});

	test("a start after a failure is told", () => {
		const reset = (value: number) =>
			texts(new Bench().attest({ claims: (claims) => claims.set(CLAIM.resetReason, value) }));
		expect(reset(RESET_REASONS.indexOf("memory-fault"))).toContain("the device started after a failure: memory-fault");
		expect(reset(RESET_REASONS.indexOf("software")).join()).not.toMatch(/failure/);
	});

	test("the development signer is told of where a device is no emulated one", () => {
		const bench = new Bench();
		const reference = { ...referenceOf(IMAGE, "nrf52840dk"), signerId: DEVELOPMENT_SIGNER };
		bench.references = [reference];
		bench.policy = DEVICE_POLICY;
		const signed = (claims: Map<CborValue, CborValue>) => {
			for (const component of claims.get(CLAIM.components) as Map<CborValue, CborValue>[]) {
				component.set(COMPONENT.signerId, bytes(DEVELOPMENT_SIGNER));
			}
		};
		const result = bench.attest({ board: "nrf52840dk", claims: signed });
		expect(result.verdict).toBe("affirming");
		expect(texts(result)).toEqual([expect.stringMatching(/^signed by the development signer/)]);
		bench.policy = EMULATED_POLICY;
		expect(texts(bench.attest({ board: "nrf52840dk", claims: signed }))).toEqual([]);
		const manifest = readFileSync(join(import.meta.dirname, "../../manifests/base.json"), "utf8");
		expect(manifest).toContain(`"signer": "#${DEVELOPMENT_SIGNER}"`);
	});

	test("the names are the firmware's", () => {
		const file = (name: string) => readFileSync(join(import.meta.dirname, "../..", name), "utf8");
		const names = [...file("hosts/common/reset.c").matchAll(/\[PC_RESET_\w+\] = "([\w-]+)"/g)].map(([, name]) => name);
		expect(names).toEqual(RESET_REASONS);
		const sources = [...file("hosts/common/hal.h").matchAll(/HAL_ENTROPY_(\w+) = (\d)/g)];
		expect(sources.map(([, name, value]) => [name?.toLowerCase(), Number(value)])).toEqual(
			ENTROPY_SOURCES.map((name, value) => [name, value]),
		);
	});
});

describe("code that moves", () => {
	/** A device that says this of its code, held against an image whose code moves. */
	function moving(claim: CborValue, demand: RelocationDemand = {}, reference = movingReferenceOf(IMAGE)) {
		const bench = new Bench();
		bench.references = [reference];
		bench.policy = demanding(EMULATED_POLICY, demand);
		const claims = (claims: Map<CborValue, CborValue>) => {
			if (claim !== undefined) claims.set(CLAIM.relocation, claim);
		};
		return bench.attest({ claims });
	}
	const ready = [1, 14, 400, 1246, 1000, 25, 256, 3];

	test("is told with its epoch, its age, its bits and the policy in force", () => {
		const result = moving(ready);
		expect(result.verdict).toBe("affirming");
		expect(faults(result)).toEqual([]);
		expect(result.evidence?.relocation).toEqual({
			status: "ready",
			epoch: 14,
			age: 400,
			bits: 1246,
			period: 1000,
			jitter: 25,
			floor: 256,
			beforeAttestation: true,
			afterAnomaly: true,
			change: undefined,
		});
		expect(moving([2, 0, 3, 1246, 0, 0, 0, 2]).evidence?.relocation).toMatchObject({
			status: "moving",
			beforeAttestation: false,
			afterAnomaly: true,
		});
		const still = moving([0], {}, referenceOf(IMAGE));
		expect(still.evidence?.relocation).toEqual({ status: "none" });
		expect(still.verdict).toBe("affirming");
		const silent = moving(undefined, {}, referenceOf(IMAGE));
		expect(silent.evidence?.relocation).toBeUndefined();
		expect(silent.verdict).toBe("affirming");
	});

	test.each([
		[1, 2, 'the layout says that function "memcpy.out" (generated) is where it can\'t be'],
		[1, 1023, "the relocator's state is not what start-up made it"],
		[2, 1, 'function "pc_sha256_update" (native/crypto/sha256.c) is not what was built'],
		[2, 3, "function 3 is not what was built"],
		[3, 77, "there is code between the functions of the half that runs, at word 77"],
		[4, 0, 'calls of "pc_sha256_update" are led to another place'],
		[4, 1, "calls of entry 1 are led to another place"],
		[5, 12, "the half that is not in use is not empty, at word 12"],
	])("what the check found, %i of number %i, is told by name", (kind, number, text) => {
		const result = moving([...ready, kind, number]);
		expect(result.verdict).toBe("contraindicated");
		expect(faults(result)).toEqual([`moved code: ${text}`]);
		expect(result.vector.executables).toBe(96);
	});

	test("the function is told before the region, and by its number where nobody knows its name", () => {
		const moved = (contents: string) => ({
			...IMAGE,
			regions: { ...IMAGE.regions, native: [...(IMAGE.regions.native ?? []), ["moved", contents] as const] },
		});
		const bench = new Bench();
		const claims = (claims: Map<CborValue, CborValue>) => claims.set(CLAIM.relocation, [...ready, 2, 1]);
		bench.references = [movingReferenceOf(moved("code"))];
		const named = bench.attest({ image: moved("patched"), claims });
		expect(faults(named)).toEqual([
			'moved code: function "pc_sha256_update" (native/crypto/sha256.c) is not what was built',
			expect.stringMatching(/^native: region "moved" is not what was built/),
		]);
		bench.references = [parseCorim(makeCorim(movingReferenceOf(moved("code"))))];
		expect(faults(bench.attest({ image: moved("code"), claims }))).toEqual([
			"moved code: function 1 is not what was built",
		]);
	});

	test("a device that says of its code what the build does not", () => {
		for (const claim of [undefined, [0]]) {
			const none = moving(claim);
			expect(none.verdict).toBe("contraindicated");
			expect(faults(none)).toEqual(["moved code: the token tells of none, but code of this image moves"]);
		}
		const more = moving([1, 14, 400, 1248, 1000, 25, 256, 3]);
		expect(more.verdict).toBe("contraindicated");
		expect(faults(more)).toEqual(["moved code: the token tells of 1248 bits a layout; this image has 1246"]);
		for (const bits of [1245, 1247]) expect(moving([1, 14, 400, bits, 1000, 25, 256, 3]).verdict).toBe("affirming");
	});

	test("a move that was refused is a warning that says why", () => {
		const random = moving([3, 2, 9000, 1246, 1000, 25, 256, 3]);
		expect(random.verdict).toBe("warning");
		expect(faults(random)).toEqual([
			"code stays where it is (epoch 2): the last move was refused, as there were no random numbers",
		]);
		expect(random.vector.hardware).toBe(32);
		const entropy = moving([4, 0, 9000, 1246, 1000, 25, 2000, 3]);
		expect(entropy.verdict).toBe("warning");
		expect(faults(entropy)).toEqual([
			"code stays where it is (epoch 0): the last move was refused, as layouts have 1246 bits and 2000 are the floor",
		]);
		expect(entropy.vector.configuration).toBe(32);
	});

	test.each<[RelocationDemand, string]>([
		[{ bits: 1247 }, "a layout of the code has 1246 bits; the policy demands 1247"],
		[{ age: 399 }, "the code last moved 0.4 s ago; the policy allows 0.399 s"],
		[{ epoch: 15 }, "the code has moved 14 times; the policy demands 15"],
	])("a demand that is not met: %j", (demand, text) => {
		const result = moving(ready, demand);
		expect(result.verdict).toBe("contraindicated");
		expect(faults(result)).toEqual([text]);
		expect(result.vector.configuration).toBe(96);
	});

	test("a demand that is met, and one of a device whose code doesn't move", () => {
		const demand = { bits: 1246, age: 400, epoch: 14 };
		const met = moving(ready, demand);
		expect(met.verdict).toBe("affirming");
		expect(met.policy).toBe("pericard:emulated/1;relocation-bits=1246;relocation-age=400;relocation-epoch=14");
		const none = moving([0], { bits: 1 }, referenceOf(IMAGE));
		expect(none.verdict).toBe("contraindicated");
		expect(faults(none)).toEqual(["no code moves; the policy demands it"]);
		const silent = moving(undefined, { age: 1000 }, referenceOf(IMAGE));
		expect(silent.verdict).toBe("contraindicated");
		expect(faults(silent)).toEqual(["the token does not tell whether code moves; the policy demands it"]);
		expect(faults(moving([1, 0, 6000, 1246, 0, 0, 256, 0], { age: 5000 }))).toEqual([
			"the code has not moved since the start, 6 s ago; the policy allows 5 s",
		]);
		expect(demanding(EMULATED_POLICY, {})).toBe(EMULATED_POLICY);
	});

	test("the names are the firmware's", () => {
		const file = (name: string) => readFileSync(join(import.meta.dirname, "../..", name), "utf8");
		const statuses = /typedef enum \{\n\tPC_MOVING_([\s\S]*?)\} pc_moving_status;/.exec(
			file("hosts/common/moving.h"),
		)?.[0];
		expect([...(statuses ?? "").matchAll(/\tPC_MOVING_(\w+)/g)]).toHaveLength(RELOCATION_STATUSES.length);
		const changes = [...file("native/relocate/relocate.h").matchAll(/\tPC_CHANGED_(\w+)/g)];
		expect(changes.map(([, name]) => name?.toLowerCase())).toEqual(RELOCATION_CHANGES);
	});
});

describe("encoding", () => {
	/** The claims with two bytes in front of the map replaced by what `change` makes of the encoding. */
	const repacked = (change: (claims: CborMap, encoded: Uint8Array) => Uint8Array): TokenOptions => ({
		payload: (claims) => change(claims, encode(claims)),
	});
	const join = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));

	test("two equal claims", () => {
		const second = join(encode(CLAIM.lifecycle), encode(0x3000));
		const result = new Bench().attest(
			repacked((claims, encoded) => join(new Uint8Array([0xa0 + claims.size + 1]), encoded.subarray(1), second)),
		);
		expect(result.verdict).toBe("none");
		expect(faults(result)).toEqual([
			expect.stringMatching(/^malformed token: in the claims a map has two equal keys \(byte \d+\)$/),
		]);
	});

	test("trailing bytes, behind the token and behind the claims", () => {
		const bench = new Bench();
		const nonce = bench.nonces.issue();
		const outer = bench.verify(join(bench.device.token(nonce), bytes("00")), undefined, nonce);
		expect(outer.verdict).toBe("none");
		expect(faults(outer)).toEqual([
			expect.stringMatching(/^malformed token: in the token bytes follow the end of the item \(byte \d+\)$/),
		]);
		const inner = new Bench().attest(repacked((_, encoded) => join(encoded, bytes("f6"))));
		expect(inner.verdict).toBe("none");
		expect(faults(inner)).toEqual([expect.stringMatching(/^malformed token: in the claims bytes follow the end/)]);
	});

	test.each([
		[
			"a claim's number in a longer form",
			/not in its shortest form/,
			(_: CborMap, encoded: Uint8Array) => join(encoded.subarray(0, 1), bytes("180a"), encoded.subarray(2)),
		],
		[
			"claims in another order",
			/not in bytewise order/,
			(claims: CborMap) => {
				const entries = [...claims].map(([key, value]) => join(encode(key), encode(value)));
				return join(new Uint8Array([0xa0 + claims.size]), ...entries.reverse());
			},
		],
	] as const)("a non-deterministic encoding: %s", (_, reason, change) => {
		const result = new Bench().attest(repacked(change));
		expect(result.verdict).toBe("contraindicated");
		expect(faults(result)).toEqual([expect.stringMatching(/^non-deterministic encoding: in the claims /)]);
		expect(faults(result)[0]).toMatch(reason);
		// By a policy that asks for no more than RFC 9783 the same token is good.
		const bench = new Bench();
		bench.policy = { ...EMULATED_POLICY, deterministic: false };
		expect(bench.attest(repacked(change)).verdict).toBe("affirming");
	});

	test("a non-deterministic encoding of the envelope", () => {
		const bench = new Bench();
		const nonce = bench.nonces.issue();
		const token = bench.device.token(nonce);
		const result = bench.verify(join(bytes("d812"), token.subarray(1)), undefined, nonce);
		expect(result.verdict).toBe("contraindicated");
		expect(faults(result)).toEqual([
			"non-deterministic encoding: in the token a number or a length is not in its shortest form (byte 0)",
		]);
	});

	test("an indefinite length, which RFC 9783 does not allow", () => {
		const result = new Bench().attest(repacked((_, encoded) => join(bytes("bf"), encoded.subarray(1), bytes("ff"))));
		expect(result.verdict).toBe("none");
		expect(faults(result)[0]).toMatch(/^malformed token: in the claims an item of indefinite length/);
	});

	test("headers that nobody vouches for", () => {
		const result = new Bench().attest({ unprotectedHeader: new Map<CborValue, CborValue>([[4, bytes("01")]]) });
		expect(result.verdict).toBe("contraindicated");
		expect(faults(result)).toEqual(["non-deterministic encoding: the unprotected header is not empty"]);
		const more = new Map<CborValue, CborValue>([
			[1, -7],
			[4, bytes("01")],
		]);
		expect(new Bench().attest({ protectedHeader: encode(more) }).verdict).toBe("contraindicated");
	});

	test.each([
		["no algorithm", new Map(), /names no algorithm/],
		["another algorithm", new Map([[1, -35]]), /algorithm is -35; only ES256/],
		["an algorithm that is no number", new Map([[1, "ES256"]]), /of no known kind/],
		[
			"critical parameters",
			new Map<CborValue, CborValue>([
				[1, -7],
				[2, [99]],
			]),
			/critical parameters/,
		],
	])("a protected header with %s", (_, header, reason) => {
		const result = new Bench().attest({ protectedHeader: encode(header as CborMap) });
		expect(result.verdict).toBe("none");
		expect(faults(result).join("\n")).toMatch(reason);
	});

	test.each([
		["nothing", "", /ends in the middle/],
		["a number", "00", /no COSE_Sign1/],
		["another tag", "d90259a0", /no COSE_Sign1/],
		["a CWT tag around it", "d83dd28340a040", /array of four/],
		["too few parts", "d28340a040", /array of four/],
		["a header that is no bytes", "d28400a04040", /protected header is no byte string/],
		["an unprotected header that is no map", "d28440804040", /unprotected header is no map/],
		["a payload that is not there", "d28440a0f640", /payload is no byte string/],
		["a signature that is no bytes", "d28440a0406161", /signature is no byte string/],
		["a header that is no map", "d28441 00a04040".replace(" ", ""), /protected header is no map/],
		["claims that are no map", "d28443a10126a0410040", /claims are no map/],
	])("%s", (_, token, reason) => {
		const result = new Bench().verify(bytes(token));
		expect(result.verdict).toBe("none");
		expect(faults(result)).toHaveLength(1);
		expect(faults(result)[0]).toMatch(reason);
	});
});

describe("claims", () => {
	const set = (label: number, value: CborValue): TokenOptions => ({ claims: (claims) => claims.set(label, value) });

	test.each(
		(
			[
				["nonce", CLAIM.nonce],
				["instance id", CLAIM.instanceId],
				["implementation id", CLAIM.implementationId],
				["client id", CLAIM.clientId],
				["security lifecycle", CLAIM.lifecycle],
				["software components", CLAIM.components],
			] as const
		).map(([name, label]) => ({ name, label })),
	)("$name is mandatory", ({ name, label }) => {
		const result = new Bench().attest({ claims: (claims) => claims.delete(label) });
		expect(result.verdict).toBe("none");
		expect(faults(result).join("\n")).toMatch(new RegExp(`${name} \\(${label}\\) is missing`));
	});

	test.each(
		(
			[
				["a nonce of another size", CLAIM.nonce, new Uint8Array(33)],
				["two nonces", CLAIM.nonce, [new Uint8Array(32), new Uint8Array(32)]],
				["an instance id of another type", CLAIM.instanceId, new Uint8Array(33)],
				["an implementation id that is too long", CLAIM.implementationId, new Uint8Array(33)],
				["client id 0", CLAIM.clientId, 0],
				["a client id of 33 bits", CLAIM.clientId, 2 ** 31],
				["a lifecycle between two states", CLAIM.lifecycle, 0x3100],
				["a lifecycle that is a text", CLAIM.lifecycle, "secured"],
				["a boot seed that is too short", CLAIM.bootSeed, new Uint8Array(7)],
				["a boot count below 0", CLAIM.bootCount, -1],
				["no components", CLAIM.components, []],
				["a component that is no map", CLAIM.components, [1]],
				["a component without a value", CLAIM.components, [new Map([[COMPONENT.type, "native"]])]],
				["a reset reason that does not exist", CLAIM.resetReason, 99],
				["failed engines, but none", CLAIM.failedEngines, 0],
				["failed engines of 33 bits", CLAIM.failedEngines, 2 ** 32],
				["a relocation that is no array", CLAIM.relocation, 0],
				["one without its status", CLAIM.relocation, []],
				["one that doesn't move, but has an epoch", CLAIM.relocation, [0, 1, 2, 3, 4, 5, 6, 7]],
				["one that moves, but is cut", CLAIM.relocation, [1, 2, 3, 4, 5, 6, 7]],
				["a status that does not exist", CLAIM.relocation, [5, 1, 2, 3, 4, 5, 6, 3]],
				["an epoch below 0", CLAIM.relocation, [1, -1, 2, 3, 4, 5, 6, 3]],
				["a jitter of more than all", CLAIM.relocation, [1, 1, 2, 3, 4, 101, 6, 3]],
				["a find without its number", CLAIM.relocation, [1, 1, 2, 3, 4, 5, 6, 3, 2]],
				["a find of nothing", CLAIM.relocation, [1, 1, 2, 3, 4, 5, 6, 3, 0, 0]],
				["a find that does not exist", CLAIM.relocation, [1, 1, 2, 3, 4, 5, 6, 3, 6, 0]],
				["one that is longer than all", CLAIM.relocation, [1, 1, 2, 3, 4, 5, 6, 3, 1, 0, 0]],
			] as const
		).map(([what, label, value]) => ({ what, label, value })),
	)("$what", ({ label, value }) => {
		const result = new Bench().attest(set(label, value as CborValue));
		expect(["none", "contraindicated"]).toContain(result.verdict);
		expect(faults(result).join("\n")).toContain(`(${label})`);
	});

	test("two components of one type", () => {
		const result = new Bench().attest({
			claims: (claims) => {
				const list = claims.get(CLAIM.components) as CborValue[];
				list.push(list[0] as CborValue);
			},
		});
		expect(result.verdict).toBe("none");
		expect(faults(result)[0]).toMatch(/component 4 has the type "native" of another one/);
	});

	test("another profile, and what a token says reaches no terminal", () => {
		const result = new Bench().attest(set(CLAIM.profile, "\u001b[31mred\u202e"));
		expect(result.verdict).toBe("none");
		expect(faults(result)[0]).toMatch(/^the token is of the unknown profile "\?\[31mred\?"/);
		expect(faults(new Bench().attest({ claims: (claims) => claims.delete(CLAIM.profile) }))[0]).toMatch(
			/names no profile/,
		);
	});
});

describe("reference values", () => {
	const reference = referenceOf(IMAGE);

	test("a CoRIM says the same as the JSON, but for what it has no place for", () => {
		const corim = parseCorim(makeCorim(reference));
		const components = reference.components.map((component) => ({ ...component, entries: [] }));
		expect(corim).toEqual({ ...reference, components });
		const bench = new Bench();
		bench.references = [corim];
		expect(bench.attest().verdict).toBe("affirming");
		const patched = bench.attest({ image: changed(IMAGE, { xs: "patched" }) });
		expect(patched.verdict).toBe("contraindicated");
		expect(faults(patched)).toEqual([expect.stringMatching(/^xs: not what was built: expected/)]);
	});

	test.each([
		["no CBOR", bytes("ff"), /no CoRIM: a break/],
		["another tag", bytes("d901f6a0"), /no unsigned CoRIM/],
		["no tags", encode(new CborTag(501, new Map())), /tags: an array/],
		["nothing in it", encode(new CborTag(501, new Map([[1, []]]))), /0 values for its implementation/],
		[
			"a CoMID that is cut",
			encode(new CborTag(501, new Map([[1, [new CborTag(506, bytes("a1"))]]]))),
			/a CoMID is malformed/,
		],
	])("a CoRIM with %s", (_, corim, reason) => {
		expect(() => parseCorim(corim)).toThrow(reason);
	});

	test("what the build writes is taken", () => {
		expect(parseReference(JSON.stringify(reference))).toEqual(reference);
		const moving = movingReferenceOf(IMAGE);
		expect(parseReference(JSON.stringify(moving))).toEqual(moving);
	});

	test.each([
		["no JSON", "{", /not JSON/],
		["another format", { ...reference, format: 2 }, /format 2/],
		["a lifecycle that is none", { ...reference, lifecycle: "open" }, /lifecycle/],
		["a digest that is none", { ...reference, signerId: "00" }, /signerId: 64 hex digits/],
		[
			"code that moves, without bits",
			{ ...reference, relocation: { entries: [], units: [] } },
			/relocation\.bits: a whole/,
		],
		[
			"a function without a file",
			{ ...reference, relocation: { bits: 1, entries: [], units: [{ name: "f" }] } },
			/relocation\.units\[0\]\.file: a text/,
		],
		[
			"an entry without a name",
			{ ...reference, relocation: { bits: 1, entries: [1], units: [] } },
			/entries\[0\]: a text/,
		],
		["too few components", { ...reference, components: reference.components.slice(1) }, /components: native, xs/],
		[
			"a value that is not of its entries",
			{
				...reference,
				components: reference.components.map((component) => ({ ...component, value: reference.signerId })),
			},
			/components\[0\]: its value is not/,
		],
	])("%s", (_, value, reason) => {
		expect(() => (typeof value === "string" ? parseReference(value) : checkReference(value))).toThrow(reason);
	});
});

test("versions in the order of semver.org, section 11", () => {
	const order = [
		...["0.9.0", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11"],
		...["1.0.0-rc.1", "1.0.0", "1.0.1", "1.2.0", "1.10.0", "2.0.0"],
	];
	for (const [at, version] of order.entries()) {
		for (const [other, than] of order.entries()) {
			expect(Math.sign(compareVersions(version, than)), `${version} ${than}`).toBe(Math.sign(at - other));
		}
	}
	expect(compareVersions("1.0.0+build.1", "1.0.0+build.2")).toBe(0);
});

test("tiers of a trustworthiness claim (AR4SI section 2.3.2)", () => {
	const tiers = {
		none: [-1, 0, 1],
		affirming: [2, 31, -2, -32],
		warning: [32, 95, -33, -96],
		contraindicated: [96, 127, -97, -128],
	};
	for (const [tier, values] of Object.entries(tiers)) {
		for (const value of values) expect(tierOf(value)).toBe(tier);
	}
});
