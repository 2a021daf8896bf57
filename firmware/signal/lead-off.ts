// Lead-off detection by the signal: an electrode that hangs free leaves the amplifier on one value.
//
// A heart at rest is silent between T and P for well under two seconds; a line flatter than the amplifier's own noise
// for that long is no ECG. The signal is looked at 50 times a second, more often than any QRS could slip through.

const FLAT_SECONDS = 2;
const LOOKS_PER_SECOND = 50;
const TOLERANCE_MILLIVOLT = 0.01;

export class LeadOffDetector {
	/** The signal has been flat for two seconds or more. */
	off = false;

	private readonly stride: number;
	private readonly limit: number;
	private readonly tolerance: number;
	private next = 0;
	private level = 0;
	private flat = 0;

	/** `sampleRate` in Hz, `unitsPerMillivolt` in ADC units. */
	constructor(sampleRate: number, unitsPerMillivolt: number) {
		this.stride = Math.max(1, Math.floor(sampleRate / LOOKS_PER_SECOND));
		this.limit = Math.ceil((FLAT_SECONDS * sampleRate) / this.stride);
		this.tolerance = TOLERANCE_MILLIVOLT * unitsPerMillivolt;
	}

	/** Takes the next `count` samples; returns `off`. */
	process(samples: readonly number[], count: number): boolean {
		let i = this.next;
		for (; i < count; i += this.stride) {
			const distance = (samples[i] as number) - this.level;
			if (distance > this.tolerance || distance < -this.tolerance) {
				this.level = samples[i] as number;
				this.flat = 0;
				this.off = false;
			} else if (++this.flat >= this.limit) {
				this.off = true;
			}
		}
		this.next = i - count;
		return this.off;
	}

	restart(): void {
		this.flat = 0;
		this.off = false;
	}
}
