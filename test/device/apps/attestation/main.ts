// A device that attests, over the link and by itself. Config `run`: "service" only has the link, "self" attests on its own with
// three nonces at once and reports what it gets.

import config from "mc/config";
import { AttestationError, attest, instanceId, publicKey } from "pericard/attestation";
import { report } from "pericard/report";
import Timer from "timer";

const ROW = 64;

/* In rows, so that no step takes much memory. */
function hex(buffer: ArrayBuffer): string {
	const rows: string[] = [];
	for (let at = 0; at < buffer.byteLength; at += ROW) {
		let row = "";
		for (const byte of new Uint8Array(buffer, at, Math.min(ROW, buffer.byteLength - at))) {
			row += byte.toString(16).padStart(2, "0");
		}
		rows.push(row);
	}
	return rows.join("");
}

function tryWith(size: number): string {
	try {
		attest(new ArrayBuffer(size), () => {});
		return "taken";
	} catch (error) {
		return String(error);
	}
}

function keys(): { publicKey: string; instanceId: string } | string {
	try {
		return { publicKey: hex(publicKey()), instanceId: hex(instanceId()) };
	} catch (error) {
		return error instanceof AttestationError ? error.code : String(error);
	}
}

if (config.run === "self") {
	report("sizes", [0, 31, 33, 47, 63, 65, 128].map(tryWith));
	report("keys", keys());
	for (const [index, size] of [32, 48, 64].entries()) {
		const nonce = new Uint8Array(size).fill(index + 1);
		attest(nonce.buffer, (error, token, log) => {
			if (token === undefined || log === undefined) report("failed", error?.code);
			else report("attested", { index, token: hex(token), log: hex(log) });
		});
		nonce.fill(0); // is ours again
	}
} else {
	let ticks = 0;
	Timer.repeat(() => report("tick", { n: ++ticks }), 10);
}
