// What a boot finds in the keystore. The attestation key is made before the report, on the first boot.

import { attestationPublicKey, bootCount } from "pericard/keystore";
import { report } from "pericard/report";

const digits = "0123456789abcdef";
const hex = (bytes: ArrayBuffer) =>
	Array.from(new Uint8Array(bytes), (byte) => `${digits[byte >> 4]}${digits[byte & 15]}`).join("");

let key: string;
try {
	key = hex(attestationPublicKey());
} catch (error) {
	key = String(error);
}
report("keys", { boots: bootCount() ?? -1, key });
