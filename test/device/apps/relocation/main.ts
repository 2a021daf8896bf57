// A device whose native code moves all the time while it is at work: each tick moves it and checks results of the code that moves.

import { aesGcmDecrypt, aesGcmEncrypt, hmacSha256, sha256 } from "pericard/crypto";
import { layoutEntropyBits, move, relocationEpoch, relocationStatus } from "pericard/relocation";
import { report } from "pericard/report";
import Timer from "timer";

const message = new Uint8Array(150).fill(7);
const key = new Uint8Array(16).fill(9);
const nonce = new Uint8Array(12).fill(1);

/** One number of all that the set computes. */
function work(): number {
	const data = message.slice();
	const tag = new Uint8Array(16);
	const sealed = { key, nonce, aad: message, data, tag };
	aesGcmEncrypt(sealed);
	let sum = 1;
	for (const bytes of [sha256(message), hmacSha256(key, message), data.slice(), tag]) {
		for (const byte of new Uint8Array(bytes)) sum = (sum * 31 + byte) % 65521;
	}
	aesGcmDecrypt(sealed);
	return data[0] === 7 ? sum : -1;
}

const expected = work();
let wrong = 0;
let ticks = 0;
report("start", { status: relocationStatus(), epoch: relocationEpoch(), bits: layoutEntropyBits() });
Timer.repeat(() => {
	if (work() !== expected) wrong++;
	ticks++;
	const moving = move();
	report("tick", { ticks, wrong, moving, status: relocationStatus(), epoch: relocationEpoch() });
}, 20);
