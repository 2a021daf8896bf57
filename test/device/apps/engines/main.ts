// Encrypts a byte and reports what came of it; then waits for challenges.

import { aesGcmEncrypt, CryptoError, sha256 } from "pericard/crypto";
import { report } from "pericard/report";
import Timer from "timer";

function encrypt(): string {
	try {
		const data = Uint8Array.of(0x5a);
		aesGcmEncrypt({ key: new Uint8Array(16), nonce: new Uint8Array(12), data, tag: new Uint8Array(16) });
		return "encrypted";
	} catch (error) {
		return error instanceof CryptoError ? error.code : String(error);
	}
}

report("encrypt", encrypt());
report("hash", sha256(new Uint8Array(0)).byteLength);
Timer.repeat(() => {}, 100);
