// Plain-text tables: first column to the left, the others to the right.

/** Lines of a table with a head, rows and, below a rule, an optional foot. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], foot?: readonly string[]): string {
	const all = [head, ...rows, ...(foot ? [foot] : [])];
	const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
	const line = (row: readonly string[]) =>
		row
			.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
			.join("  ")
			.trimEnd();
	const rule = widths.map((width) => "-".repeat(width)).join("  ");
	return [line(head), rule, ...rows.map(line), ...(foot ? [rule, line(foot)] : [])].join("\n");
}
