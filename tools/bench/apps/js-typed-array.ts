// One iteration of a loop that reads and writes an element of an Int16Array; the loop itself is in the figure.

import { mark } from "pericard/bench";

const ITERATIONS = 100_000;
const samples = new Int16Array(1000);

function loop(): void {
	let at = 0;
	for (let i = 0; i < ITERATIONS; i++) {
		samples[at] = (samples[at] as number) + 1;
		at = at === 999 ? 0 : at + 1;
	}
}

mark();
loop();
mark();
