// Every operation on a secret, with secrets as different as can be: two marks around each (time.c).

import { report } from "pericard/report";

const run: (operation: number, secret: number, untimed: boolean) => void = native("xs_time_run");

const operations = ["public", "ecdh", "sign", "hmac", "hkdf", "ccm", "gcm", "equal"];
const SECRETS = 5;

operations.forEach((name, operation) => {
	run(operation, 0, true); // the first use tests the engine
	for (let secret = 0; secret < SECRETS; secret++) run(operation, secret, false);
	report(name, { secrets: SECRETS });
});
