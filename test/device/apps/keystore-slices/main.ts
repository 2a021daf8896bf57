// Leaves the attestation key to the background, and makes others beside it.

import { generateKey } from "pericard/keystore";

for (const type of ["ecdsa-p256", "aes-128"] as const) generateKey({ type }).then(() => console.log(type));
