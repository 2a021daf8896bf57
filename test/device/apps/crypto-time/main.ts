// Every operation on a secret, with secrets as different as can be: two marks around each (time.c).

import { report } from "pericard/report";

const run: (operation: number, secret: number) => void = native("xs_time_run");

const operations = ["public", "ecdh", "sign", "hmac", "hkdf", "ccm", "gcm", "equal"];
const SECRETS = 5;

operations.forEach((name, operation) => {
	for (let secret = 0; secret < SECRETS; secret++) run(operation, secret);
	report(name, { secrets: SECRETS });
});
