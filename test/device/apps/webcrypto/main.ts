// Runs the cases that Node runs as well.

import { report } from "pericard/report";
import { groups, shown } from "./cases.ts";

async function main(): Promise<void> {
	for (const group of groups) {
		for (const [name, run] of group()) {
			let value: unknown;
			try {
				value = shown(await run());
			} catch (error) {
				value = `threw ${String(error)}`;
			}
			report("case", [name, value]);
		}
	}
	report("done", true);
}

main();
