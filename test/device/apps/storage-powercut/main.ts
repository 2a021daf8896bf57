// An application to cut the power of: at every boot it reports what its storage holds, then goes on with its steps.

import keyValue from "embedded:storage/key-value";
import config from "mc/config";
import { report } from "pericard/report";
import Timer from "timer";
import { step, stepOf, value } from "./sequence.ts";

const store = keyValue.open({ path: "powercut" });

// Key -> the step that wrote what it holds.
const found: Record<string, number> = {};
for (const key of store) {
	const bytes = store.read(key);
	found[key] = bytes instanceof ArrayBuffer ? stepOf(new Uint8Array(bytes)) : -1;
}
const { corrupt } = store.status();
report("found", { keys: found, corrupt });

// Goes on where the newest value is from; steps that only deleted are done again, which changes nothing.
let next = 1;
for (const key in found) next = Math.max(next, (found[key] ?? 0) + 1);
const end = next + Number((config as { steps?: string }).steps ?? "20");
for (; next < end; next++) {
	const { key, remove } = step(next);
	report("begin", next);
	// Lets the console send it: what waits in the transmitter is lost with the power.
	Timer.delay(15);
	if (remove) store.delete(key);
	else store.write(key, value(next));
	report("done", next);
}
