// time: Moddable's Time.

const ticks: () => number = native("xs_time_ticks");
const microseconds: () => number = native("xs_time_microseconds");
const set: (seconds: number) => void = native("xs_time_set");

const Time = {
	/** Milliseconds since start, as a signed 32-bit integer that wraps; compare with delta(). */
	get ticks(): number {
		return ticks();
	},
	/** Microseconds since start. */
	get microseconds(): number {
		return microseconds();
	},
	/** Milliseconds from `start` to `end` (now when left out), right across a wrap of ticks. */
	delta(start: number, end: number = ticks()): number {
		return (end - start) | 0;
	},
	/** Sets the wall clock behind Date: seconds since 1970-01-01 UTC. */
	set(seconds: number): void {
		set(seconds);
	},
	/** The device's time zone is UTC. */
	timezone: 0,
	dst: 0,
};

export default Time;
