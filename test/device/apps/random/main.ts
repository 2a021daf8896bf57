// Random numbers, and what becomes of a device whose noise source has failed.

import { generateKey, openKey } from "pericard/keystore";
import { EntropyError, entropySource, entropyState, randomBytes } from "pericard/random";
import { report } from "pericard/report";
import { collect, resetRecord, restart } from "pericard/system";
import Timer from "timer";

const digits = "0123456789abcdef";
const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => `${digits[byte >> 4]}${digits[byte & 15]}`).join("");

/** What a call throws: name and code, or "nothing". */
function thrown(call: () => void): string {
	try {
		call();
		return "nothing";
	} catch (error) {
		const { name, code } = error as { name: string; code?: string };
		return code === undefined ? name : `${name} ${code}`;
	}
}

function buffers(): void {
	const whole = new Uint8Array(64);
	randomBytes(whole.subarray(16, 48));
	report("view", {
		outside: whole.every((byte, i) => byte === 0 || (i >= 16 && i < 48)),
		inside: whole.subarray(16, 48).some((byte) => byte !== 0),
		view: new DataView(randomBytes(new ArrayBuffer(8))).getFloat64(0) !== 0,
		nothing: randomBytes(new Uint8Array(0)).length,
	});
	report("refused", [
		thrown(() => randomBytes(new Uint8Array(65537))),
		thrown(() => randomBytes("text" as unknown as Uint8Array)),
		thrown(() => randomBytes(7 as unknown as Uint8Array)),
		thrown(() => randomBytes(undefined as unknown as Uint8Array)),
	]);
}

/** How often each byte comes, and some of them. */
function statistics(): void {
	const bytes = randomBytes(new Uint8Array(4096));
	const counts = new Uint32Array(256);
	for (const byte of bytes) counts[byte] = (counts[byte] ?? 0) + 1;
	report("counts", Array.from(counts));
	report("sample", hex(bytes.subarray(0, 512)));
}

/** Asks until there is an answer that is none: the number of requests before. */
function untilFailure(): void {
	const buffer = new Uint8Array(8);
	let requests = 0;
	let failure = "";
	while (failure === "" && requests < 900) {
		buffer.fill(1);
		try {
			randomBytes(buffer);
			requests++;
		} catch (error) {
			failure = error instanceof EntropyError ? `${error.name} ${error.code}` : String(error);
		}
	}
	report("until", { requests, failure, left: hex(buffer), again: thrown(() => randomBytes(buffer)) });
}

async function main(): Promise<void> {
	report("source", entropySource());
	report("state", entropyState());
	let bytes = "";
	report(
		"first",
		thrown(() => {
			bytes = hex(randomBytes(new Uint8Array(32)));
		}),
	);
	report("bytes", bytes);
	if (resetRecord.count === 0) {
		if (entropyState() === "ok") {
			statistics();
			collect();
			buffers();
		}
		untilFailure();
	}
	for (const type of ["ecdsa-p256", "aes-128"] as const) {
		report(type, await generateKey({ type }).then(String, ({ name, code }) => `${name} ${code}`));
	}
	// The rest of the device.
	report("open", String(openKey("none")));
	await new Promise((resolve) => Timer.set(resolve, 10));
	report("alive", true);
	if (resetRecord.count === 0 && entropyState() === "ok") restart("once more");
}

main();
