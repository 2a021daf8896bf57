// What each operation says that it costs: marks at its start, at each report of its work, and at its end (cost.c).

import { report } from "pericard/report";

const count: (operation: number) => number = native("xs_cost_count");
const mark: (operation: number) => number = native("xs_cost_mark");

["hash", "public", "sign", "ecdh", "verify", "x25519", "ed25519-sign", "ed25519", "ctr", "ccm", "gcm"].forEach(
	(operation, index) => {
		report(operation, { counted: count(index), marks: mark(index) });
	},
);
