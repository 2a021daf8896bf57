// pericard/crypto/sha512: SHA-512, apart from pericard/crypto because it takes 64-bit arithmetic that others do without.

import { type Bytes, result } from "pericard/crypto";

const hash: (data: Bytes) => ArrayBuffer | number = native("xs_crypto_sha512");

/** SHA-512 (FIPS 180-4) of some bytes: 64 bytes. */
export function sha512(data: Bytes): ArrayBuffer {
	return result(hash(data));
}
