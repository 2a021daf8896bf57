// A synthetic ECG: one beat as a sum of Gaussians over the cardiac phase, with a heart rate that varies like a real one.
//
// After P. E. McSharry, G. D. Clifford, L. Tarassenko, L. A. Smith, "A Dynamical Model for Generating Synthetic
// Electrocardiogram Signals", IEEE Trans. Biomed. Eng. 50(3), 2003: the events P, Q, R, S, T at angles theta_i with
// a_i and b_i of its table I. The model's equation of motion dz/dt = -sum a_i dtheta_i exp(-dtheta_i^2 / 2 b_i^2) has,
// at a steady angular velocity, the solution z = sum a_i b_i^2 exp(-dtheta_i^2 / 2 b_i^2) up to scale: that is put into
// a table once, and read with a phase that runs through it once a beat. As in the authors' program ECGSYN the waves take
// more of a shorter beat: b_i grows with the square root of the heart rate, theta_P and theta_T with its fourth root.
// The R-R intervals follow the paper's two bands
// (Mayer waves at 0.1 Hz, breathing at 0.25 Hz), plus a little noise. The same seed gives the same signal.

const TABLE_BITS = 9;
const TABLE = 1 << TABLE_BITS;
/** The phase is an integer: the table's index above 16 bits of fraction. */
const FRACTION_BITS = 16;
const CYCLE = TABLE << FRACTION_BITS;
const R_PHASE = CYCLE / 2;
const BREATHING_HZ = 0.25;
const MAYER_HZ = 0.1;
const WANDER_BITS = 6;

/** theta_i, a_i, b_i of P, Q, R, S, T at 60 beats per minute, and the root of the rate that theta_i grows with. */
const WAVES = [
	[-Math.PI / 3, 1.2, 0.25, 4],
	[-Math.PI / 12, -5, 0.1, 2],
	[0, 30, 0.1, 1],
	[Math.PI / 12, -7.5, 0.1, 2],
	[Math.PI / 2, 0.75, 0.4, 4],
] as const;

export interface SyntheticOptions {
	/** Samples per second. */
	readonly sampleRate: number;
	readonly unitsPerMillivolt: number;
	/** Beats per minute on average, default 70. */
	readonly heartRate?: number;
	/** Height of the R wave in millivolts, default 1.2. */
	readonly amplitude?: number;
	/** White noise in millivolts peak to peak, default 0.02. */
	readonly noise?: number;
	/** Baseline wander with the breath, in millivolts peak to peak, default 0.1. */
	readonly wander?: number;
	/** A whole number other than 0; default 1. */
	readonly seed?: number;
}

/** One beat of `TABLE` points in ADC units, the R peak in the middle. */
function beatTable(height: number, heartRate: number): Int16Array {
	const table = new Float32Array(TABLE);
	const faster = heartRate / 60;
	for (const [slowTheta, a, slowB, root] of WAVES) {
		const size = a * slowB * slowB;
		const theta = slowTheta * faster ** (1 / root);
		const b = slowB * Math.sqrt(faster);
		// Beyond four b a Gaussian is nothing. Equal steps multiply it by a ratio that itself falls by a constant factor:
		// two products a point, where exp() would take a small device milliseconds.
		const first = Math.max(0, Math.floor(((theta - 4 * b + Math.PI) / (2 * Math.PI)) * TABLE));
		const last = Math.min(TABLE - 1, Math.ceil(((theta + 4 * b + Math.PI) / (2 * Math.PI)) * TABLE));
		const step = (2 * Math.PI) / TABLE;
		const distance = first * step - Math.PI - theta;
		const fall = Math.exp(-(step * step) / (b * b));
		let value = size * Math.exp(-(distance * distance) / (2 * b * b));
		let ratio = Math.exp(-(2 * distance * step + step * step) / (2 * b * b));
		for (let i = first; i <= last; i++) {
			table[i] = (table[i] as number) + value;
			value *= ratio;
			ratio *= fall;
		}
	}
	const scale = height / (table[TABLE / 2] as number);
	// An eighth of the size of a plain array, which would be quicker to read.
	const units = new Int16Array(TABLE);
	for (let i = 0; i < TABLE; i++) {
		units[i] = Math.round((table[i] as number) * scale);
	}
	return units;
}

export class SyntheticEcg {
	/** Index of the last sample that was an R peak, -1 before the first. */
	lastPeak = -1;

	private readonly sampleRate: number;
	private readonly meanInterval: number;
	private readonly beat: Int16Array;
	private readonly wander: number[];
	private readonly wanderStep: number;
	private readonly noise: number;
	private state: number;
	private index = 0;
	private phase = 0;
	private step = 0;
	private wanderPhase = 0;

	constructor(options: SyntheticOptions) {
		const { sampleRate, unitsPerMillivolt, heartRate = 70, amplitude = 1.2, noise = 0.02, wander = 0.1 } = options;
		this.sampleRate = sampleRate;
		this.meanInterval = 60 / heartRate;
		this.beat = beatTable(amplitude * unitsPerMillivolt, heartRate);
		this.noise = Math.round(noise * unitsPerMillivolt);
		const points = 1 << WANDER_BITS;
		this.wander = new Array<number>(points).fill(0);
		for (let i = 0; i < points; i++) {
			this.wander[i] = Math.round((Math.sin((2 * Math.PI * i) / points) * wander * unitsPerMillivolt) / 2);
		}
		this.wanderStep = Math.round((BREATHING_HZ / sampleRate) * (points << FRACTION_BITS));
		this.state = options.seed || 1;
		this.nextInterval();
	}

	/** Writes the next `count` samples in ADC units around 0 into the beginning of `samples`. */
	read(samples: number[], count: number): void {
		const beat = this.beat;
		const wander = this.wander;
		const wanderMask = wander.length - 1;
		const wanderStep = this.wanderStep;
		const noise = this.noise;
		const half = noise >> 1;
		let state = this.state;
		let phase = this.phase;
		let wanderPhase = this.wanderPhase;
		for (let i = 0; i < count; i++) {
			// Marsaglia's xorshift, with shifts that stay within 32-bit integers.
			state ^= state << 13;
			state ^= (state >> 17) & 0x7fff;
			state ^= state << 5;
			samples[i] =
				(beat[phase >> FRACTION_BITS] as number) +
				(wander[(wanderPhase >> FRACTION_BITS) & wanderMask] as number) +
				(((state & 0xff) * noise) >> 8) -
				half;
			wanderPhase = (wanderPhase + wanderStep) & 0xffffff;
			const before = phase;
			phase += this.step;
			if (before <= R_PHASE && phase > R_PHASE) {
				this.lastPeak = this.index + i + (R_PHASE - before > phase - R_PHASE ? 1 : 0);
			} else if (phase >= CYCLE) {
				phase -= CYCLE;
				this.state = state;
				this.index += i;
				this.nextInterval();
				this.index -= i;
				state = this.state;
			}
		}
		this.state = state;
		this.phase = phase;
		this.wanderPhase = wanderPhase;
		this.index += count;
	}

	private nextInterval(): void {
		const t = (this.index / this.sampleRate) * 2 * Math.PI;
		this.state ^= this.state << 13;
		this.state ^= (this.state >> 17) & 0x7fff;
		this.state ^= this.state << 5;
		const random = (this.state & 0xffff) / 0x8000 - 1;
		const interval =
			this.meanInterval * (1 + 0.025 * Math.sin(MAYER_HZ * t) + 0.035 * Math.sin(BREATHING_HZ * t) + 0.01 * random);
		this.step = Math.round(CYCLE / (interval * this.sampleRate));
	}
}
