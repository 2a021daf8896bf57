// From beats to R-R intervals and a heart rate.

/** The heart rate is the mean over this many intervals at most. */
const INTERVALS = 8;

export class Rhythm {
	/** Seconds since the beat before, null when there is none to measure from. */
	rr: number | null = null;
	/** Beats per minute, a whole number; null until an interval is known. */
	bpm: number | null = null;

	private readonly sampleRate: number;
	private last = -1;
	private intervals: number[] = [];

	/** `sampleRate`: samples per second. */
	constructor(sampleRate: number) {
		this.sampleRate = sampleRate;
	}

	/** A beat at sample `index`; sets `rr` and `bpm`. */
	beat(index: number): void {
		if (this.last < 0) {
			this.rr = null;
		} else {
			const interval = index - this.last;
			this.rr = Math.round((interval * 1000) / this.sampleRate) / 1000;
			const intervals = this.intervals;
			if (intervals.length === INTERVALS) {
				intervals.shift();
			}
			intervals.push(interval);
			let total = 0;
			for (let i = 0; i < intervals.length; i++) {
				total += intervals[i] as number;
			}
			this.bpm = Math.round((60 * this.sampleRate * intervals.length) / total);
		}
		this.last = index;
	}

	/** The signal was interrupted: no interval may span the break, and no rate outlive it. */
	restart(): void {
		this.last = -1;
		this.rr = null;
		this.bpm = null;
		this.intervals = [];
	}
}
