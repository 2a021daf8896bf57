// One iteration of a counting loop that adds integers.

import { mark } from "pericard/bench";

const ITERATIONS = 100_000;

function loop(): number {
	let sum = 0;
	for (let i = 0; i < ITERATIONS; i++) sum = (sum + i) | 0;
	return sum;
}

mark();
loop();
mark();
