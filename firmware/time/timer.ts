// timer: Moddable's Timer. Times are in milliseconds and may have fractions; a repeating timer keeps its raster.

declare const brand: unique symbol;

export type TimerCallback = (timer: Timer) => void;

const set: (callback: TimerCallback, interval?: number, repeat?: number) => Timer = native("xs_timer_set");
const schedule: (timer: Timer, interval?: number, repeat?: number) => void = native("xs_timer_schedule");
const clear: (timer: Timer | undefined | null) => void = native("xs_timer_clear");
const delay: (milliseconds: number) => void = native("xs_timer_delay");

export default class Timer {
	declare readonly [brand]: true;

	private constructor() {}

	/** Calls back once after `interval`, then, with `repeat`, every `repeat` milliseconds. */
	static set(callback: TimerCallback, interval = 0, repeat?: number): Timer {
		return set(callback, interval, repeat);
	}

	/** Calls back every `interval` milliseconds, the first time after one. */
	static repeat(callback: TimerCallback, interval: number): Timer {
		return set(callback, interval, interval);
	}

	/** Starts a timer anew; without an interval it stands still until it is scheduled again. */
	static schedule(timer: Timer, interval?: number, repeat?: number): void {
		schedule(timer, interval, repeat);
	}

	static clear(timer: Timer | undefined | null): void {
		clear(timer);
	}

	/** Sleeps. Nothing else runs meanwhile. */
	static delay(milliseconds: number): void {
		delay(milliseconds);
	}
}
