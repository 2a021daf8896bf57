// pericard/bench: lets whoever runs the device note the count of executed instructions at a place of the application.

const markNow: () => void = native("xs_bench_mark");

/** Marks a place in time. Costs a call of a native; on hardware it does nothing else. */
export function mark(): void {
	markNow();
}
