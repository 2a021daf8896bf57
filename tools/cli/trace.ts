// A curve in a terminal: braille cells, two samples wide and four dots high each.

/** Dots of a braille cell by column and row (Unicode 6.x, block U+2800). */
const DOTS = [
	[0x01, 0x02, 0x04, 0x40],
	[0x08, 0x10, 0x20, 0x80],
] as const;

/**
 * Draws `values` as lines of text, `columns` x `rows` cells; the whole width is 2 x columns points. Neighbouring points
 * are joined. `low` and `high` are the values at the lower and upper edge; NaN leaves a gap.
 */
export function trace(values: ArrayLike<number>, columns: number, rows: number, low: number, high: number): string[] {
	const width = columns * 2;
	const height = rows * 4;
	const cells = Array.from({ length: rows }, () => new Uint8Array(columns));
	let before: number | undefined;
	for (let x = 0; x < width; x++) {
		const value = values[x];
		if (value === undefined || Number.isNaN(value)) {
			before = undefined;
			continue;
		}
		const share = Math.min(1, Math.max(0, (high - value) / (high - low)));
		const y = Math.round(share * (height - 1));
		for (let at = Math.min(y, before ?? y); at <= Math.max(y, before ?? y); at++) {
			const row = cells[at >> 2];
			if (row !== undefined) row[x >> 1] = (row[x >> 1] ?? 0) | (DOTS[x & 1 ? 1 : 0][at & 3] ?? 0);
		}
		before = y;
	}
	return cells.map((row) => String.fromCharCode(...Array.from(row, (cell) => (cell === 0 ? 0x20 : 0x2800 + cell))));
}
