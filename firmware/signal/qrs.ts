// QRS detector: finds the R peaks of an ECG, sample by sample, on integers.
//
// Follows J. Pan and W. J. Tompkins, "A Real-Time QRS Detection Algorithm", IEEE Trans. Biomed. Eng. 32(3), 1985:
// band-pass, derivative, squaring, moving-window integration, two adaptive thresholds on the integrated and on the
// filtered signal, search-back, T-wave discrimination by slope. P. S. Hamilton and W. J. Tompkins, 1986 (same journal,
// 33(12)) is followed where it departs: one peak per rise and half-fall of the integrated signal. The paper's filters
// are for 200 Hz; here their lengths are derived from the sampling rate (100..1000 Hz; above 200 Hz neighbouring samples
// are averaged to stay below), and the R peak is found between the samples by a parabola.
//
//   low-pass    y[n] = 2 y[n-1] - y[n-2] + x[n] - 2 x[n-h] + x[n-2h]      h = 25 ms, first zero at 1/h = 40 Hz
//   high-pass   y[n] = N x[n-N/2] - sum(x[n-N+1..n])                      N = 125 ms, -3 dB near 5 Hz
//   derivative  y[n] = x[n] - x[n-d]                                      d = 10 ms
//   window      y[n] = sum(x[n-W+1..n]^2)                                 W = 150 ms
//
// All state is integers (poles on the unit circle cancel exactly). The short rings are plain arrays, which XS reads
// quicker, the long ones typed arrays, which take a quarter of the room. The filters keep their state in locals and
// allocate nothing.

/** A peak of the integrated signal. Positions count the detector's own (averaged) samples since restart. */
interface Candidate {
	/** R peak in the raw signal; with a fraction. */
	readonly at: number;
	/** Height in the integrated signal, in the band-passed signal, and steepest slope of the latter. */
	readonly peak: number;
	readonly amplitude: number;
	readonly slope: number;
}

export interface QrsOptions {
	/** Samples per second, 100..1000. */
	readonly sampleRate: number;
	/** ADC units per millivolt, above 0. */
	readonly unitsPerMillivolt: number;
}

const HIGHEST_INTERNAL_RATE = 200;
/** Units per millivolt inside, about. */
const INTERNAL_GAIN = 256;
/** Deflections below this are no QRS: monitors must not count 0.15 mV and must count 0.5 mV (ANSI/AAMI EC13). */
const FLOOR_MILLIVOLT = 0.15;
/** Limits the effect of an artefact: far steeper than a QRS of 5 mV. */
const SLOPE_LIMIT = 2047;
/** The band-pass and a cut-off QRS need this long to leave the filters after a restart. */
const SETTLE_SECONDS = 0.25;
/** A line with less than this over 80 ms has no electrode at its end. */
const FLAT_MILLIVOLT = 0.01;
const REFRACTORY_SECONDS = 0.2;
const T_WAVE_SECONDS = 0.36;
const LEARNING_SECONDS = 2;
/** Without a beat for this long the thresholds are learnt anew. */
const LOST_SECONDS = 4;
const SEARCH_BACK = 1.66;

function powerOfTwo(least: number): number {
	let size = 1;
	while (size < least) {
		size <<= 1;
	}
	return size;
}

function zeros(length: number): number[] {
	return new Array<number>(length).fill(0);
}

/** floor(log2(value)) of a value of at least 1. */
function log2(value: number): number {
	return 31 - Math.clz32(value);
}

export class QrsDetector {
	/**
	 * R peaks found by the last process() or flush(), as indices of input samples (as given to restart()), ascending;
	 * the array is reused. A beat is told 0.2 to 0.5 s after its peak, one found by search-back later.
	 */
	readonly beats: number[] = [];

	// Geometry, in the detector's own samples.
	private readonly rate: number;
	private readonly factor: number;
	private readonly up: number;
	private readonly down: number;
	private readonly h: number;
	private readonly lowShift: number;
	private readonly highLength: number;
	private readonly highShift: number;
	private readonly slopeLength: number;
	private readonly windowLength: number;
	private readonly delay: number;
	private readonly refineWidth: number;
	private readonly stepLength: number;
	private readonly floor: number;

	private readonly longMask: number;
	private readonly shortMask: number;
	private readonly raw: Int32Array;
	private readonly band: Int32Array;
	private readonly low: number[];
	private readonly energy: number[];

	// Signal path.
	private base = 0;
	private n = 0;
	private phase = 0;
	private sum = 0;
	private origin = 0;
	private y1 = 0;
	private y2 = 0;
	private highSum = 0;
	private energySum = 0;
	private peak = 0;
	private peakAt = 0;
	private found = false;

	// Decision. Names of the paper: SPKI, NPKI on the integrated signal, SPKF, NPKF on the filtered one.
	private learning = true;
	private learnUntil = 0;
	private settled = 0;
	private spkI = 0;
	private npkI = 0;
	private spkF = 0;
	private npkF = 0;
	private lastAt = -1;
	private lastSlope = 0;
	private lastEvent = 0;
	private pending: Candidate[] = [];
	private readonly intervals: number[] = [];
	private averageInterval = 0;

	/** @throws RangeError */
	constructor(options: QrsOptions) {
		const { sampleRate, unitsPerMillivolt } = options;
		if (!(sampleRate >= 100 && sampleRate <= 1000)) {
			throw new RangeError(`QRS detector: sample rate is ${sampleRate} Hz, expected 100..1000`);
		}
		if (!(unitsPerMillivolt > 0)) {
			throw new RangeError(`QRS detector: ${unitsPerMillivolt} units per millivolt, expected more than 0`);
		}
		this.factor = Math.ceil(sampleRate / HIGHEST_INTERNAL_RATE);
		const rate = sampleRate / this.factor;
		this.rate = rate;
		const scale = Math.round(Math.log2(INTERNAL_GAIN / (unitsPerMillivolt * this.factor)));
		this.up = Math.max(0, scale);
		this.down = Math.max(0, -scale);
		this.h = Math.round(0.025 * rate);
		this.lowShift = log2(this.h * this.h);
		this.highLength = 2 * Math.round(0.0625 * rate);
		this.highShift = log2(this.highLength);
		this.slopeLength = Math.max(1, Math.round(0.01 * rate));
		this.windowLength = Math.round(0.15 * rate);
		this.delay = this.h - 1 + this.highLength / 2;
		this.refineWidth = Math.round(0.04 * rate);
		this.stepLength = Math.round(0.08 * rate);
		const gain =
			unitsPerMillivolt *
			this.factor *
			2 ** scale *
			((this.h * this.h) / (1 << this.lowShift)) *
			(this.highLength / (1 << this.highShift));
		this.floor = FLOOR_MILLIVOLT * gain;

		// Long: from an R peak until its candidate is seen (delay, window, half-fall). Short: the longest filter.
		const long = powerOfTwo(Math.ceil(0.6 * rate));
		const short = powerOfTwo(Math.max(this.highLength, this.windowLength) + 1);
		this.longMask = long - 1;
		this.shortMask = short - 1;
		this.raw = new Int32Array(long);
		this.band = new Int32Array(long);
		this.low = zeros(short);
		this.energy = zeros(short);
		this.restart(0, 0, true);
	}

	/**
	 * The signal was interrupted: starts over with the next sample, whose index is `index`. What was seen and not yet
	 * told is dropped. Peaks in the first `settle` seconds are no beats (an amplifier that recovers; at least the 0.25 s
	 * of the filters). With `relearn` the thresholds are dropped too (another electrode, another amplitude).
	 */
	restart(index: number, settle: number, relearn: boolean): void {
		this.base = index;
		this.n = 0;
		this.phase = 0;
		this.sum = 0;
		this.y1 = 0;
		this.y2 = 0;
		this.highSum = 0;
		this.energySum = 0;
		this.peak = 0;
		this.peakAt = 0;
		this.raw.fill(0);
		this.band.fill(0);
		this.low.fill(0);
		this.energy.fill(0);
		this.settled = Math.round(Math.max(SETTLE_SECONDS, settle) * this.rate);
		this.lastAt = -1;
		this.lastSlope = 0;
		this.lastEvent = 0;
		this.pending = [];
		if (relearn || this.learning) {
			this.learn();
		}
	}

	/** Takes the next `count` samples in ADC units; returns how many beats are in `beats`. */
	process(samples: readonly number[], count: number): number {
		this.beats.length = 0;
		let at = 0;
		do {
			at = this.filter(samples, at, count);
			if (this.found) {
				this.found = false;
				this.candidate(this.peak, this.peakAt);
				this.peak = 0;
				this.n++;
			}
		} while (at < count);
		this.overdue();
		return this.beats.length;
	}

	/**
	 * Filters samples `from` up to `count`, or until a peak of the integrated signal is complete (`found`); returns the
	 * index behind. What happens to peaks is not called from here: with all of this on the engine's stack it would not
	 * have much left.
	 */
	private filter(samples: readonly number[], from: number, count: number): number {
		const factor = this.factor;
		const up = this.up;
		const down = this.down;
		const h = this.h;
		const lowShift = this.lowShift;
		const highLength = this.highLength;
		const highMiddle = highLength >> 1;
		const highShift = this.highShift;
		const slopeLength = this.slopeLength;
		const windowLength = this.windowLength;
		const longMask = this.longMask;
		const shortMask = this.shortMask;
		const raw = this.raw;
		const band = this.band;
		const low = this.low;
		const energy = this.energy;
		let n = this.n;
		let phase = this.phase;
		let sum = this.sum;
		let origin = this.origin;
		let y1 = this.y1;
		let y2 = this.y2;
		let highSum = this.highSum;
		let energySum = this.energySum;
		let peak = this.peak;
		let peakAt = this.peakAt;

		let i = from;
		while (i < count) {
			sum += samples[i++] as number;
			if (++phase < factor) {
				continue;
			}
			// Measured from the first sample: the filters start in their steady state, without a step.
			if (n === 0) {
				origin = sum;
			}
			const x = ((sum - origin) << up) >> down;
			phase = 0;
			sum = 0;

			const longAt = n & longMask;
			const shortAt = n & shortMask;
			const y = 2 * y1 - y2 + x - 2 * (raw[(n - h) & longMask] as number) + (raw[(n - 2 * h) & longMask] as number);
			raw[longAt] = x;
			y2 = y1;
			y1 = y;

			const l = y >> lowShift;
			highSum += l - (low[(n - highLength) & shortMask] as number);
			low[shortAt] = l;
			const b = (highLength * (low[(n - highMiddle) & shortMask] as number) - highSum) >> highShift;
			band[longAt] = b;

			let d = b - (band[(n - slopeLength) & longMask] as number);
			if (d > SLOPE_LIMIT || d < -SLOPE_LIMIT) {
				d = SLOPE_LIMIT;
			}
			d *= d;
			const before = energySum;
			energySum += d - (energy[(n - windowLength) & shortMask] as number);
			energy[shortAt] = d;

			if (energySum > peak) {
				// A new peak only begins on a rise: the tail of the last one falls.
				if (peak > 0 || energySum > before) {
					peak = energySum;
					peakAt = n;
				}
			} else if (energySum < peak >> 1 || (peak > 0 && n - peakAt >= windowLength)) {
				this.found = true;
				break;
			}
			n++;
		}

		this.n = n;
		this.phase = phase;
		this.sum = sum;
		this.origin = origin;
		this.y1 = y1;
		this.y2 = y2;
		this.highSum = highSum;
		this.energySum = energySum;
		this.peak = peak;
		this.peakAt = peakAt;
		return i;
	}

	/** The record has ended: decides on a peak that was still rising or falling. Then only restart() may follow. */
	flush(): number {
		this.beats.length = 0;
		if (this.peak > 0) {
			this.candidate(this.peak, this.peakAt);
			this.peak = 0;
		}
		if (this.learning) {
			this.learnt();
		}
		return this.beats.length;
	}

	private learn(): void {
		this.learning = true;
		this.learnUntil = Math.max(this.n, this.settled) + Math.round(LEARNING_SECONDS * this.rate);
		this.pending = [];
		this.intervals.length = 0;
		this.averageInterval = 0;
	}

	/** Measures a peak of the integrated signal in the band-passed and in the raw one. */
	private candidate(peak: number, peakAt: number): void {
		const band = this.band;
		const mask = this.longMask;
		const slopeLength = this.slopeLength;
		let amplitude = 0;
		let slope = 0;
		let extreme = 0;
		let where = peakAt;
		const first = Math.max(0, peakAt - this.windowLength - slopeLength);
		for (let k = first; k <= peakAt; k++) {
			const b = band[k & mask] as number;
			const size = b < 0 ? -b : b;
			if (size > amplitude) {
				amplitude = size;
				extreme = b;
				where = k;
			}
			if (k - first >= slopeLength) {
				const d = b - (band[(k - slopeLength) & mask] as number);
				if (d > slope) {
					slope = d;
				} else if (-d > slope) {
					slope = -d;
				}
			}
		}
		// Where the band-passed peak came from, and the raw extremum of that sign nearby.
		const raw = this.raw;
		const middle = where - this.delay;
		const last = middle + this.refineWidth;
		let at = middle;
		let best = Number.NEGATIVE_INFINITY;
		for (let k = Math.max(0, middle - this.refineWidth); k <= last; k++) {
			const value = raw[k & mask] as number;
			const height = extreme < 0 ? -value : value;
			if (height > best) {
				best = height;
				at = k;
			}
		}
		if (at < this.settled || this.isStep(at)) {
			return;
		}
		const candidate: Candidate = { at: at + this.fraction(at), peak, amplitude, slope };
		if (this.learning) {
			this.pending.push(candidate);
		} else {
			this.overdue();
			this.decide(candidate);
		}
	}

	/** How far the top of the parabola through a raw extremum and its neighbours is from it, -0.5..0.5. */
	private fraction(at: number): number {
		const mask = this.longMask;
		const before = this.raw[(at - 1) & mask] as number;
		const after = this.raw[(at + 1) & mask] as number;
		const bend = before - 2 * (this.raw[at & mask] as number) + after;
		const offset = bend === 0 ? 0 : (before - after) / (2 * bend);
		return offset >= -0.5 && offset <= 0.5 ? offset : 0;
	}

	/**
	 * An electrode that comes off without the front end's notice: the signal goes to another level and is dead there, or
	 * comes from one. A QRS returns to about where it started.
	 */
	private isStep(at: number): boolean {
		const raw = this.raw;
		const mask = this.longMask;
		const length = this.stepLength;
		const before = raw[(at - length) & mask] as number;
		const height = (raw[at & mask] as number) - before;
		const rise = (raw[(at + length) & mask] as number) - before;
		if (2 * Math.abs(rise) < Math.abs(height)) {
			return false;
		}
		return this.isFlat(at - 2 * length, at - length) || this.isFlat(at + length, at + 2 * length);
	}

	private isFlat(from: number, to: number): boolean {
		const raw = this.raw;
		const mask = this.longMask;
		let low = raw[from & mask] as number;
		let high = low;
		for (let k = from + 1; k <= to; k++) {
			const value = raw[k & mask] as number;
			low = Math.min(low, value);
			high = Math.max(high, value);
		}
		return high - low <= FLAT_MILLIVOLT * INTERNAL_GAIN;
	}

	private decide(candidate: Candidate): void {
		const { at, peak, amplitude, slope } = candidate;
		if (this.lastAt >= 0) {
			const since = at - this.lastAt;
			if (since < REFRACTORY_SECONDS * this.rate) {
				return;
			}
			if (since < T_WAVE_SECONDS * this.rate && slope < this.lastSlope / 2) {
				return;
			}
		}
		const thresholdI = this.npkI + (this.spkI - this.npkI) / 4;
		const thresholdF = this.npkF + (this.spkF - this.npkF) / 4;
		if (peak > thresholdI && amplitude > thresholdF && amplitude >= this.floor) {
			this.accept(candidate, 1 / 8);
		} else {
			this.npkI += (peak - this.npkI) / 8;
			this.npkF += (amplitude - this.npkF) / 8;
			if (amplitude >= this.floor) {
				this.pending.push(candidate);
			}
		}
	}

	private accept(candidate: Candidate, weight: number): void {
		const { at, peak, amplitude, slope } = candidate;
		this.spkI += (peak - this.spkI) * weight;
		this.spkF += (amplitude - this.spkF) * weight;
		if (this.lastAt >= 0) {
			const intervals = this.intervals;
			if (intervals.length === 8) {
				intervals.shift();
			}
			// A pause, or a beat that was missed, must not make the next search wait long; a slower rhythm gets through.
			const interval = at - this.lastAt;
			const longest = SEARCH_BACK * this.averageInterval;
			intervals.push(longest > 0 ? Math.min(interval, longest) : interval);
			let total = 0;
			for (let i = 0; i < intervals.length; i++) {
				total += intervals[i] as number;
			}
			this.averageInterval = total / intervals.length;
		}
		this.lastAt = at;
		this.lastSlope = slope;
		this.lastEvent = at;
		if (this.pending.length > 0) {
			const from = at + REFRACTORY_SECONDS * this.rate;
			this.pending = this.pending.filter((other) => other.at > from);
		}
		this.beats.push(this.base + Math.round(at * this.factor + (this.factor - 1) / 2));
	}

	/** Ends learning when it is time; searches back when a beat is overdue; learns anew when beats stay away. */
	private overdue(): void {
		const n = this.n;
		if (this.learning) {
			if (n >= this.learnUntil) {
				this.learnt();
			}
			return;
		}
		if (this.averageInterval > 0 && this.lastAt >= 0) {
			while (this.pending.length > 0 && n - this.delay - this.lastAt > SEARCH_BACK * this.averageInterval) {
				if (!this.searchBack()) {
					break;
				}
			}
		}
		if (n - this.lastEvent > LOST_SECONDS * this.rate) {
			this.lastEvent = n;
			this.learn();
		}
	}

	/** Takes the highest peak since the last beat that passes half of the threshold. */
	private searchBack(): boolean {
		const thresholdI = (this.npkI + (this.spkI - this.npkI) / 4) / 2;
		const thresholdF = (this.npkF + (this.spkF - this.npkF) / 4) / 2;
		let found: Candidate | undefined;
		for (const candidate of this.pending) {
			if (
				candidate.peak > thresholdI &&
				candidate.amplitude > thresholdF &&
				(found === undefined || candidate.peak > found.peak)
			) {
				found = candidate;
			}
		}
		if (found === undefined) {
			return false;
		}
		this.accept(found, 1 / 4);
		return true;
	}

	/** Takes the thresholds from the peaks of the learning time, then judges these peaks by them. */
	private learnt(): void {
		const seen = this.pending;
		this.pending = [];
		let most = 0;
		let mostF = 0;
		for (const candidate of seen) {
			most = Math.max(most, candidate.peak);
			mostF = Math.max(mostF, candidate.amplitude);
		}
		if (mostF < this.floor) {
			// Nothing that could be a heart beat.
			this.learn();
			return;
		}
		this.learning = false;
		this.lastEvent = this.n;
		// Half of the largest: an artefact must not hide the beats that follow.
		this.spkI = most / 2;
		this.spkF = mostF / 2;
		this.npkI = 0;
		this.npkF = 0;
		for (const candidate of seen) {
			this.decide(candidate);
		}
	}
}
