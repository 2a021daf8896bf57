// The median of a few numbers.

/** The middle value; with an even count the mean of the two in the middle. Throws RangeError on an empty list. */
export function median(values: readonly number[]): number {
	if (values.length === 0) throw new RangeError("median of no values");
	const sorted = [...values].sort((a, b) => a - b);
	const middle = sorted.length >> 1;
	const upper = sorted[middle] as number;
	return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}
