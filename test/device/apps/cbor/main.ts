// The CBOR codec on the device's engine: what the RFC's examples become, and what is refused.

import { CborError, decode, encode } from "pericard/attestation/codec/cbor";
import { report } from "pericard/report";
import { bytes, EXAMPLES, hex, MALFORMED } from "../../../unit/cbor-examples.ts";

const lenient = { deterministic: false, indefinite: true };

function fault(example: string, options?: typeof lenient): string {
	try {
		decode(bytes(example), options);
		return "none";
	} catch (error) {
		return error instanceof CborError ? error.fault : String(error);
	}
}

const wrong: string[] = [];
let count = 0;
for (const [example, value, deterministic] of EXAMPLES) {
	count++;
	const decoded = encode(decode(bytes(example), lenient));
	if (hex(decoded) !== hex(encode(value))) wrong.push(`${example} is another value`);
	if (deterministic !== false && hex(encode(value)) !== example) wrong.push(`${example} is encoded otherwise`);
	if ((fault(example) === "none") !== (deterministic !== false)) wrong.push(`${example}: ${fault(example)}`);
}
for (const [expected, lists] of Object.entries(MALFORMED)) {
	for (const example of lists.join(" ").split(" ")) {
		count++;
		if (fault(example, lenient) !== expected) wrong.push(`${example}: ${fault(example, lenient)}`);
	}
}
const text = "a\u0000\u00fc\u6c34\ud800\udd51";
if (decode(encode(text)) !== text) wrong.push("a text of all lengths of UTF-8");
report("cbor", { count, wrong });
