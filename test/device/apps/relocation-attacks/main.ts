// A device with flaws (xs_victim.c), for test/device/relocation-attacks.test.ts: tells why it started and whether the code that
// moves computes what it should, then obeys the test.

import { hmacSha256, sha256 } from "pericard/crypto";
import { relocationEpoch, relocationStatus } from "pericard/relocation";
import { report } from "pericard/report";
import { resetRecord } from "pericard/system";
import Timer from "timer";

const obey: () => void = native("xs_victim_obey");

/** One number of what the set computes: the same in every epoch. */
function work(): number {
	const message = new Uint8Array(150).fill(7);
	let sum = 1;
	for (const bytes of [sha256(message), hmacSha256(message, message)]) {
		for (const byte of new Uint8Array(bytes)) sum = (sum * 31 + byte) % 65521;
	}
	return sum;
}

const { reason, message, pc, address, cfsr } = resetRecord;
report("start", {
	reason,
	message,
	pc,
	address,
	cfsr,
	work: work(),
	status: relocationStatus(),
	epoch: relocationEpoch(),
});
Timer.repeat(obey, 1);
