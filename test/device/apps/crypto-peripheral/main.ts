// Seals and opens messages on whatever engine the board has, and reports the hash of each: at the start, and at each byte that
// comes to the second port. On the management link it attests meanwhile.

import Serial from "embedded:io/serial";
import {
	aesCcmDecrypt,
	aesCcmEncrypt,
	aesCtr,
	aesGcmDecrypt,
	aesGcmEncrypt,
	equal,
	type Sealed,
	Sha256,
} from "pericard/crypto";
import { report } from "pericard/report";

const failed: () => number = native("xs_engines_failed");

/** What crypto-peripheral.test.ts computes too: bytes by a rule, and sizes of key and message. */
function bytes(size: number, factor: number): Uint8Array {
	const made = new Uint8Array(size);
	for (let i = 0; i < size; i++) made[i] = i * factor + size;
	return made;
}

const sizes = [
	[16, 0],
	[16, 100],
	[16, 600],
	[32, 300],
] as const;

function hex(digest: ArrayBuffer): string {
	return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** SHA-256 of the sealed message and its tag, if it can be opened again. */
function seal(encrypt: (message: Sealed) => void, decrypt: (message: Sealed) => void, key: number, size: number) {
	const data = bytes(size, 7);
	const tag = new Uint8Array(16);
	const message = { key: bytes(key, 3), nonce: bytes(12, 5), aad: bytes(size >> 1, 11), data, tag };
	encrypt(message);
	const digest = hex(new Sha256().update(data).update(tag).digest());
	decrypt(message); // throws if the tag isn't right
	return equal(data, bytes(size, 7)) ? digest : "not what it was";
}

/** SHA-256 of a message encrypted in counter mode; the counter wraps. */
function encrypt(key: number, size: number) {
	const data = bytes(size, 7);
	aesCtr({ key: bytes(key, 3), counter: new Uint8Array(16).fill(255), data });
	return hex(new Sha256().update(data).digest());
}

function run(): void {
	for (const [key, size] of sizes) {
		report("ccm", { key, size, digest: seal(aesCcmEncrypt, aesCcmDecrypt, key, size) });
		report("ctr", { key, size, digest: encrypt(key, size) });
		report("gcm", { key, size, digest: seal(aesGcmEncrypt, aesGcmDecrypt, key, size) });
	}
	report("done", { failed: failed() });
}

new Serial({
	port: 1,
	baud: 115200,
	onReadable(count: number) {
		this.read(new Uint8Array(count));
		run();
	},
});
run();
