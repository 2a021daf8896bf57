// Encrypts and hashes, and reports what came of it; then waits for challenges.

import { aesGcmEncrypt, CryptoError, sha256 } from "pericard/crypto";
import { report } from "pericard/report";
import Timer from "timer";

function outcome(work: () => void): string {
	try {
		work();
		return "done";
	} catch (error) {
		return error instanceof CryptoError ? error.code : String(error);
	}
}

const message = {
	key: new Uint8Array(16),
	nonce: new Uint8Array(12),
	data: new Uint8Array(1),
	tag: new Uint8Array(16),
};
report("outcome", { encrypt: outcome(() => aesGcmEncrypt(message)), hash: outcome(() => sha256(new Uint8Array(0))) });
Timer.repeat(() => {}, 100);
