// One iteration of a loop that calls a function with one argument; the loop itself is in the figure.

import { mark } from "pericard/bench";

const ITERATIONS = 100_000;

function increment(value: number): number {
	return value + 1;
}

function loop(): number {
	let value = 0;
	for (let i = 0; i < ITERATIONS; i++) value = increment(value);
	return value;
}

mark();
loop();
mark();
