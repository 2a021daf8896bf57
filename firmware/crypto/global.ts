// pericard/webcrypto/global: makes `crypto` a global, as browsers and Node have it, with the classes that belong to it.

import * as webcrypto from "pericard/webcrypto";

declare global {
	const crypto: webcrypto.Crypto;
	const Crypto: typeof webcrypto.Crypto;
	const CryptoKey: typeof webcrypto.CryptoKey;
	const SubtleCrypto: typeof webcrypto.SubtleCrypto;
	type Crypto = webcrypto.Crypto;
	type SubtleCrypto = webcrypto.SubtleCrypto;
	type CryptoKey = webcrypto.CryptoKey;
	type CryptoKeyPair = webcrypto.CryptoKeyPair;
	type JsonWebKey = webcrypto.JsonWebKey;
	type KeyUsage = webcrypto.KeyUsage;
	const DOMException: typeof webcrypto.DOMException;
	type DOMException = webcrypto.DOMException;
}

for (const [name, value] of [
	["crypto", webcrypto.crypto],
	["Crypto", webcrypto.Crypto],
	["CryptoKey", webcrypto.CryptoKey],
	["SubtleCrypto", webcrypto.SubtleCrypto],
	["DOMException", webcrypto.DOMException],
] as const) {
	Object.defineProperty(globalThis, name, { value, writable: true, enumerable: false, configurable: true });
}
