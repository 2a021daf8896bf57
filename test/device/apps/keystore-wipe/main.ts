// Uses keys, one step a line of input, so that the host can look at RAM before, while and after.

import Serial from "embedded:io/serial";
import { sha256 } from "pericard/crypto";
import { attestationPublicKey, generateKey, type Key, openKey } from "pericard/keystore";
import { report } from "pericard/report";

const attest: (digest: ArrayBuffer, callback: (signature: ArrayBuffer) => void) => void = native("xs_test_attest");

const digits = "0123456789abcdef";
const hex = (bytes: ArrayBuffer) =>
	Array.from(new Uint8Array(bytes), (byte) => `${digits[byte >> 4]}${digits[byte & 15]}`).join("");
const message = new Uint8Array(100);

let next: () => void = () => {};
const serial = new Serial({
	port: 1,
	baud: 115200,
	onReadable(count) {
		for (let i = 0; i < count; i++) if (this.read() === 10) next();
	},
});
const line = () =>
	new Promise<void>((resolve) => {
		next = resolve;
	});

async function main(): Promise<void> {
	await generateKey({ type: "ecdsa-p256", persistent: "signing" });
	const key = openKey("signing") as Key;
	report("public", { attestation: hex(attestationPublicKey()), signing: hex(key.publicKey) });
	console.log("ready");
	await line();
	await new Promise<ArrayBuffer>((resolve) => attest(sha256(message), resolve));
	console.log("signed 0");
	await line();
	await key.sign(message);
	console.log("signed 1");
	await line();
	key.destroy();
	console.log("destroyed");
	serial.close();
}

main();
