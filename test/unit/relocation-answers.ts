// What the code that moves in tests must answer (test/native/relocate/answers.h), as Node's cryptography has it.

import * as crypto from "node:crypto";
import { expect } from "vitest";

/** The bytes of light_answers and heavy_answers. */
export function expectAnswers(light: Buffer, heavy: Buffer): void {
	const key = Buffer.alloc(32);
	key.write("a key of thirty-two bytes, 0123");
	const message = Buffer.alloc(150);
	message.write("a message of three blocks");
	const part = (from: number, size: number): string => light.toString("hex", from, from + size);
	const hash = (data: Buffer): Buffer => crypto.createHash("sha256").update(data).digest();
	expect(part(0, 32)).toBe(hash(message).toString("hex"));
	expect(part(32, 32)).toBe(crypto.createHmac("sha256", key).update(message).digest("hex"));
	const okm = crypto.hkdfSync("sha256", key, message.subarray(0, 16), message.subarray(0, 10), 32);
	expect(part(64, 32)).toBe(Buffer.from(okm).toString("hex"));
	const ccm = crypto.createCipheriv("aes-128-ccm", key.subarray(0, 16), message.subarray(0, 13), {
		authTagLength: 16,
	});
	ccm.setAAD(message.subarray(60, 80), { plaintextLength: 48 });
	const sealed = [ccm.update(message.subarray(0, 48)), ccm.final(), ccm.getAuthTag()];
	expect(part(96, 64)).toBe(Buffer.concat(sealed).toString("hex"));
	const gcm = crypto.createCipheriv("aes-128-gcm", key.subarray(0, 16), message.subarray(0, 12));
	gcm.setAAD(message.subarray(60, 80));
	expect(part(160, 64)).toBe(
		Buffer.concat([gcm.update(message.subarray(0, 48)), gcm.final(), gcm.getAuthTag()]).toString("hex"),
	);
	expect(part(224, 33)).toBe(`01${hash(message.subarray(0, 65)).toString("hex")}`);
	expect(part(257, 16)).toBe(`833903e76361626345${message.toString("hex", 0, 5)}0000`);
	const ecdh = crypto.createECDH("prime256v1");
	ecdh.setPrivateKey(key);
	expect(heavy.toString("hex", 0, 65)).toBe(ecdh.getPublicKey("hex"));
	expect(heavy.toString("hex", 129, 161)).toBe(ecdh.computeSecret(ecdh.getPublicKey()).toString("hex"));
	expect([...heavy.subarray(161, 163)]).toEqual([1, 1]); // verified, and refused when forged
}
