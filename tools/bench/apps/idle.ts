// How often an app that has nothing to do for ten seconds is woken; the timer that ends the wait is not counted.

import { report } from "pericard/report";
import { wakeups } from "pericard/system";
import Timer from "timer";

const SECONDS = 10;

Timer.set(() => {
	const before = wakeups();
	Timer.set(() => report("idle", { seconds: SECONDS, wakeups: wakeups() - before - 1 }), SECONDS * 1000);
}, 100);
