// The app: measures every 100 ms, reports the median of the last five values once a second.

import { report } from "pericard/report";
import Timer from "timer";
import { median } from "./median.ts";

const PERIOD_MS = 100;
const REPORT_EVERY = 10;

const window: number[] = [];
let count = 0;

/** Stands for a sensor: replace it by yours. Volts. */
function measure(): number {
	return 3 + Math.sin(count / 7) / 10;
}

console.log("{{NAME}} is up");

Timer.repeat(() => {
	window.push(measure());
	if (window.length > 5) window.shift();
	count += 1;
	if (count % REPORT_EVERY === 0) report("level", { t: (count * PERIOD_MS) / 1000, volts: median(window) });
}, PERIOD_MS);
