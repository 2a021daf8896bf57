// Beat-by-beat comparison of a detector with reference annotations, as ANSI/AAMI EC57 asks: one detection can only
// match one beat, within a window; sensitivity and positive predictivity.

export interface ScoreOptions {
	/** Half width of the match window in seconds; default 0.15. */
	readonly window?: number;
	/** Beats and detections before this time do not count; default 5 (the learning period). */
	readonly exclude?: number;
	/** Beats and detections from this time on do not count; default none. */
	readonly until?: number;
}

export interface Score {
	readonly truePositives: number;
	readonly falseNegatives: number;
	readonly falsePositives: number;
	/** TP / (TP + FN), 0..1; NaN without beats. */
	readonly sensitivity: number;
	/** TP / (TP + FP), 0..1; NaN without detections. */
	readonly positivePredictivity: number;
	/** Of the matched beats, detection minus reference in seconds. */
	readonly meanError: number;
	readonly maxError: number;
	/** Times of the beats that were missed and of the detections that match none. */
	readonly missed: readonly number[];
	readonly extra: readonly number[];
}

/** `reference` and `detected`: times in seconds, ascending. */
export function score(reference: readonly number[], detected: readonly number[], options: ScoreOptions = {}): Score {
	const window = options.window ?? 0.15;
	const from = options.exclude ?? 5;
	const until = options.until ?? Number.POSITIVE_INFINITY;
	const counts = (time: number): boolean => time >= from && time < until;
	const missed: number[] = [];
	const extra: number[] = [];
	const errors: number[] = [];
	let r = 0;
	let d = 0;
	while (r < reference.length || d < detected.length) {
		const beat = reference[r] ?? Number.POSITIVE_INFINITY;
		const found = detected[d] ?? Number.POSITIVE_INFINITY;
		const distance = Math.abs(found - beat);
		if (distance <= window) {
			// The earlier of the two may have a nearer partner: leave this one to it.
			if (Math.abs((detected[d + 1] ?? Number.POSITIVE_INFINITY) - beat) < distance) {
				if (counts(found)) {
					extra.push(found);
				}
				d++;
			} else if (Math.abs(found - (reference[r + 1] ?? Number.POSITIVE_INFINITY)) < distance) {
				if (counts(beat)) {
					missed.push(beat);
				}
				r++;
			} else {
				// A pair on the border of the excluded time counts by its reference beat.
				if (counts(beat)) {
					errors.push(found - beat);
				}
				r++;
				d++;
			}
		} else if (beat < found) {
			if (counts(beat)) {
				missed.push(beat);
			}
			r++;
		} else {
			if (counts(found)) {
				extra.push(found);
			}
			d++;
		}
	}
	const truePositives = errors.length;
	return {
		truePositives,
		falseNegatives: missed.length,
		falsePositives: extra.length,
		sensitivity: truePositives / (truePositives + missed.length),
		positivePredictivity: truePositives / (truePositives + extra.length),
		meanError: errors.reduce((sum, error) => sum + error, 0) / truePositives,
		maxError: errors.reduce((most, error) => Math.max(most, Math.abs(error)), 0),
		missed,
		extra,
	};
}
