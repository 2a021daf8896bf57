// pericard/crypto/ed25519: verifying Ed25519 signatures. Signing is pericard/webcrypto's, with keys by handle.

import { type Bytes, verdict } from "pericard/crypto";

const verify: (publicKey: Bytes, data: Bytes, signature: Bytes) => number = native("xs_crypto_ed25519_verify");

/** Is this an Ed25519 signature (RFC 8032, pure) of the owner of the public key (32 bytes) over the data? `signature` has 64
 * bytes; other sizes are a RangeError. Strict: native/crypto/kernels/ed25519.h says what is refused. */
export function ed25519Verify(publicKey: Bytes, data: Bytes, signature: Bytes): boolean {
	return verdict(verify(publicKey, data, signature));
}
