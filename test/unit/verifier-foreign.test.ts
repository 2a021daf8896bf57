// Tokens from elsewhere: they decode, and are refused for the right reason.

import { describe, expect, test } from "vitest";
import { openSign1, verifySign1 } from "../../tools/verifier/cose.ts";
import { DeviceKeys, instanceIdOf } from "../../tools/verifier/keys.ts";
import { FOREIGN_POLICY } from "../../tools/verifier/policy.ts";
import { type AttestationResult, verify } from "../../tools/verifier/verifier.ts";
import { Attester, hex, IMAGE, referenceOf } from "./attester.ts";
import {
	EXAMPLE_KEY,
	RFC9711_CWT,
	RFC9783_MAC0,
	RFC9783_MAC0_TAG,
	RFC9783_SIGN1,
	TFM_IAT,
	TFM_IAT_HMAC,
	TFM_PSA_2,
	VERAISON_PROFILE_1,
	VERAISON_PSA_2,
} from "./psa-tokens.ts";

function appraise(token: Uint8Array, keys = new DeviceKeys()): AttestationResult {
	return verify({ token, keys, references: [], policy: FOREIGN_POLICY });
}

const UNKNOWN_KEY = /^unknown key: the token is of instance [0-9a-f]{16}…; no device is enrolled$/;
const UNKNOWN_REFERENCE = /^unknown reference values: there are none for a device of implementation [0-9a-f]{16}…$/;
const MAC0 = /^the token is a COSE_Mac0/;

test.each([
	["RFC 9783, COSE_Sign1", RFC9783_SIGN1, [], ["PRoT"]],
	["RFC 9783, COSE_Mac0", RFC9783_MAC0, [MAC0], ["PRoT"]],
	[
		"TF-M, first profile",
		TFM_IAT,
		[/has the claims of the older profile PSA_IOT_PROFILE_1, .* "http:\/\/example\.com"/],
		["BL", "M1", "M2", "M3"],
	],
	[
		"TF-M, first profile, COSE_Mac0",
		TFM_IAT_HMAC,
		[MAC0, /the older profile PSA_IOT_PROFILE_1/],
		["BL", "M1", "M2", "M3"],
	],
	[
		"TF-M, second profile",
		TFM_PSA_2,
		[/names no algorithm/, /of the older profile http:\/\/arm\.com\/psa\/2\.0\.0;/],
		["SPE", "NSPE"],
	],
	[
		"Veraison, first profile",
		VERAISON_PROFILE_1,
		[/of the older profile PSA_IOT_PROFILE_1;/],
		["BL", "M1", "M2", "M3"],
	],
	[
		"Veraison, second profile",
		VERAISON_PSA_2,
		[/of the older profile http:\/\/arm\.com\/psa\/2\.0\.0;/],
		["BL", "PRoT", "ARoT"],
	],
] as const)("%s", (_, token, reasons, components) => {
	const result = appraise(token);
	expect(result.verdict).toBe("none");
	expect(result.vector).toEqual({});
	expect(result.reasons.map((reason) => reason.text)).toEqual(
		[...reasons, UNKNOWN_KEY, UNKNOWN_REFERENCE].map((reason) => expect.stringMatching(reason)),
	);
	expect(result.components.map(({ name, status, expected }) => [name, status, expected])).toEqual(
		components.map((name) => [name, "unknown", null]),
	);
	expect(result.evidence?.lifecycle).toBe("secured");
	expect([32, 64]).toContain(result.nonce?.length);
});

describe("the RFCs' examples are exact", () => {
	test("RFC 9783: the published signature is one of the published key", () => {
		const keys = new DeviceKeys();
		const { key } = keys.enrol(EXAMPLE_KEY);
		expect(verifySign1(openSign1(RFC9783_SIGN1), key)).toBe(true);
		expect(verifySign1(openSign1(RFC9783_SIGN1), new DeviceKeys().enrol(new Attester().jwk).key)).toBe(false);
		expect(hex(openSign1(RFC9783_MAC0).signature)).toBe(RFC9783_MAC0_TAG);
		// Its instance id is not the hash of that key, so it is a token of nobody.
		const result = appraise(RFC9783_SIGN1, keys);
		expect(result.verdict).toBe("none");
		expect(result.reasons[0]?.text).toBe(
			`unknown key: the token is of instance 0102020202020202…; enrolled is ${hex(instanceIdOf(EXAMPLE_KEY)).slice(0, 16)}…`,
		);
	});

	test("RFC 9711: an EAT of no PSA profile decodes", () => {
		const { claims, deviations } = openSign1(RFC9711_CWT);
		expect([...claims.keys()]).toEqual([10, 256, 258, 261, 263, 260]);
		expect(deviations[0]).toMatch(/CWT tag \(61\)/);
		const result = appraise(RFC9711_CWT);
		expect(result.verdict).toBe("none");
		expect(result.reasons[0]?.text).toMatch(/names no profile/);
		expect(result.reasons.map((reason) => reason.text).join("\n")).toMatch(/security lifecycle \(2395\) is missing/);
	});
});

test("a foreign token where ours are expected", () => {
	const keys = new DeviceKeys();
	keys.enrol(new Attester().jwk);
	const result = verify({ token: RFC9783_SIGN1, keys, references: [referenceOf(IMAGE)] });
	expect(result.verdict).toBe("none");
	const texts = result.reasons.map((reason) => reason.text).join("\n");
	expect(texts).toMatch(/^unknown key: /m);
	expect(texts).toMatch(/^unknown reference values: .*, only for ecg-patch on mps2-an386$/m);
});
