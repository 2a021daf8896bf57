// pericard/watchdog: resets the device when the application stops feeding it.

const start: (milliseconds: number) => void = native("xs_watchdog_start");
const feedIt: () => void = native("xs_watchdog_feed");

export interface WatchdogOptions {
	/** Milliseconds, 1 to 60000. */
	readonly timeout: number;
}

/** The device's one watchdog. Once started it can't be stopped: that is its worth. */
export class Watchdog {
	/** Throws a RangeError for a time-out out of range, an Error when it runs already or the board has none. */
	constructor(options: WatchdogOptions) {
		start(options.timeout);
	}

	/** Starts the time-out anew. */
	feed(): void {
		feedIt();
	}
}
