// pericard/webcrypto on the boards, against Node's WebCrypto: the same code runs on both.

import {
	createCipheriv,
	createDecipheriv,
	createPrivateKey,
	createPublicKey,
	diffieHellman,
	generateKeyPairSync,
	hkdfSync,
	type JsonWebKey,
	sign,
	verify,
} from "node:crypto";
import { beforeAll, expect, test } from "vitest";
import type { Build } from "../../tools/build/build.ts";
import type { Device, DeviceRecord } from "../../tools/harness/device.ts";
import { groups, shown } from "./apps/webcrypto/cases.ts";
import { describeAt, mps2, nrf, posix, withDevice } from "./boards.ts";

const reports = (device: Device, type: string): unknown[] =>
	device
		.records()
		.filter((record: DeviceRecord) => record.event === "report" && record.type === type)
		.map((record) => record.data);

/** What Node gives for each case. */
const expected: (readonly [name: string, value: unknown])[] = [];

beforeAll(async () => {
	for (const [name, run] of groups.flatMap((group) => group())) {
		const value = JSON.stringify(shown(await run()));
		/* Node 20's name for what the standard calls InvalidAccessError. */
		expected.push([name, JSON.parse(value.replace("InvalidAccessException", "InvalidAccessError"))]);
	}
});

describeAt([posix, mps2, nrf], "crypto.subtle", (place) => {
	test("gives what Node gives", { timeout: 600_000 }, async () => {
		await withDevice(place, "webcrypto", async (device) => {
			expect(await device.run(300)).toBe("ended");
			const found = reports(device, "case") as [string, unknown][];
			const differs = found.flatMap(([name, value], i) => {
				const [here, there] = [JSON.stringify(value), JSON.stringify(expected[i]?.[1])];
				return here === there ? [] : [`${name}: ${here}, on Node ${there}`];
			});
			expect(differs).toEqual([]);
			expect(reports(device, "done")).toEqual([true]);
			expect(found.map(([name]) => name)).toEqual(expected.map(([name]) => name));
			expect(found.length).toBeGreaterThan(220);
		});
	});
});

/* ---- what only the device has, hostile modules, and messages between the two ---- */

const message = Buffer.from("from one to the other");
/** As the apps make them. */
const sample = (size: number, step = 7): Buffer =>
	Buffer.from(Array.from({ length: size }, (_, i) => (i * step + 3) & 255));
const der = <T extends "spki" | "pkcs8">(key: string, type: T): { key: Buffer; format: "der"; type: T } => ({
	key: Buffer.from(key, "hex"),
	format: "der",
	type,
});
const own = { ECDH: generateKeyPairSync("ec", { namedCurve: "P-256" }), X25519: generateKeyPairSync("x25519") };
const spkiOf = (name: keyof typeof own): string =>
	own[name].publicKey.export({ type: "spki", format: "der" }).toString("hex");

/** What Node signs, for the device. */
function fromNode(): string {
	const ecdsa = generateKeyPairSync("ec", { namedCurve: "P-256" });
	const ed25519 = generateKeyPairSync("ed25519");
	const by = (hash: string) =>
		sign(hash, message, { key: ecdsa.privateKey, dsaEncoding: "ieee-p1363" }).toString("hex");
	return JSON.stringify({
		ecdsa: {
			spki: ecdsa.publicKey.export({ type: "spki", format: "der" }).toString("hex"),
			jwk: ecdsa.publicKey.export({ format: "jwk" }),
			"SHA-256": by("sha256"),
			"SHA-512": by("sha512"),
		},
		ed25519: {
			jwk: ed25519.publicKey.export({ format: "jwk" }),
			signature: sign(null, message, ed25519.privateKey).toString("hex"),
		},
		ECDH: spkiOf("ECDH"),
		X25519: spkiOf("X25519"),
	});
}

interface Signed {
	readonly jwk: JsonWebKey;
	readonly spki: string;
	readonly pkcs8: string;
	readonly "SHA-256": string;
	readonly "SHA-512": string;
	readonly edJwk: JsonWebKey;
	readonly edPkcs8: string;
	readonly edSignature: string;
}

function checkSigned(signed: Signed): void {
	for (const [hash, name] of [
		["sha256", "SHA-256"],
		["sha512", "SHA-512"],
	] as const) {
		for (const key of [
			createPublicKey(der(signed.spki, "spki")),
			createPublicKey({ key: signed.jwk, format: "jwk" }),
			createPublicKey(createPrivateKey(der(signed.pkcs8, "pkcs8"))),
		]) {
			const signature = Buffer.from(signed[name], "hex");
			expect(verify(hash, message, { key, dsaEncoding: "ieee-p1363" }, signature)).toBe(true);
			expect(verify(hash, Buffer.from("other"), { key, dsaEncoding: "ieee-p1363" }, signature)).toBe(false);
		}
	}
	const edKey = createPublicKey({ key: signed.edJwk, format: "jwk" });
	expect(verify(null, message, edKey, Buffer.from(signed.edSignature, "hex"))).toBe(true);
	expect(sign(null, message, createPrivateKey(der(signed.edPkcs8, "pkcs8"))).toString("hex")).toBe(signed.edSignature);
}

interface Agreed {
	readonly name: keyof typeof own;
	readonly spki: string;
	readonly secret: string;
	readonly sealed: string;
}

function checkAgreed({ name, spki, secret, sealed }: Agreed): void {
	const { privateKey } = own[name];
	const common = diffieHellman({ privateKey, publicKey: createPublicKey(der(spki, "spki")) });
	expect(secret).toBe(common.toString("hex"));
	const bytes = Buffer.from(sealed, "hex");
	const decipher = createDecipheriv("aes-256-gcm", common, sample(12));
	decipher.setAuthTag(bytes.subarray(-16));
	expect(Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()])).toEqual(message);
}

interface Ccm {
	readonly size: 16 | 32;
	readonly iv: number;
	readonly tagLength: number;
	readonly much: number;
	readonly aad: number;
	readonly sealed: string;
}

function checkCcm({ size, iv, tagLength, much, aad, sealed }: Ccm): void {
	const mode = size === 16 ? "aes-128-ccm" : "aes-256-ccm";
	const cipher = createCipheriv(mode, sample(size), sample(iv), { authTagLength: tagLength / 8 });
	cipher.setAAD(sample(aad, 3), { plaintextLength: much });
	const data = cipher.update(sample(much, 11));
	cipher.final();
	expect(sealed).toBe(Buffer.concat([data, cipher.getAuthTag()]).toString("hex"));
}

async function ramOf(device: Device, build: Build): Promise<Buffer> {
	const [start, end] = ["__ram_start", "__ram_end"].map((name) => build.symbols.get(name) as number) as [
		number,
		number,
	];
	const parts: Uint8Array[] = [];
	for (let at = start; at < end; at += 16384) parts.push(await device.readMemory(at, Math.min(16384, end - at)));
	return Buffer.concat(parts);
}

/** The keys that the device derives where JavaScript doesn't see them. */
function derivedKeys(): Buffer[] {
	const hkdf = Buffer.from(hkdfSync("sha256", sample(32), sample(16), "to be overwritten", 32));
	const x25519 = diffieHellman({
		privateKey: createPrivateKey(der(`302e020100300506032b656e04220420${sample(32, 5).toString("hex")}`, "pkcs8")),
		publicKey: createPublicKey(der(`302a300506032b656e032100${sample(32, 9).toString("hex")}`, "spki")),
	});
	return [hkdf, x25519];
}

describeAt([posix, mps2], "keys and hostile modules", (place) => {
	test("the device and Node understand each other, and nobody gets a key", { timeout: 600_000 }, async () => {
		await withDevice(place, "webcrypto-attack", async (device, build) => {
			await device.waitFor("ready", { seconds: 120 });
			device.write(`${fromNode()}\n`, 1);
			await device.waitFor("ready", { seconds: 60 });
			const searched = place.board !== "posix";
			const keys = derivedKeys();
			if (searched) {
				const memory = await ramOf(device, build);
				expect(keys.map((key) => memory.includes(key))).toEqual([true, true]);
			}
			device.write("go\n", 1);
			await device.waitFor("ready", { seconds: 5 });
			if (searched) {
				const memory = await ramOf(device, build);
				expect(keys.map((key) => memory.includes(key) || memory.includes(Buffer.from(key).reverse()))).toEqual([
					false,
					false,
				]);
			}
			device.write("go\n", 1);
			expect(await device.run(30)).toBe("ended");
			const records = device.records();
			expect(records.filter((record) => record.event === "test" && record.ok === false)).toEqual([]);
			expect(records.find((record) => record.event === "tests")).toMatchObject({ passed: 17, failed: 0 });
			for (const signed of reports(device, "signed") as Signed[]) checkSigned(signed);
			for (const agreed of reports(device, "agreed") as Agreed[]) checkAgreed(agreed);
			for (const ccm of reports(device, "ccm") as Ccm[]) checkCcm(ccm);
			expect(["signed", "agreed", "ccm"].map((type) => reports(device, type).length)).toEqual([1, 2, 5]);
		});
	});
});
