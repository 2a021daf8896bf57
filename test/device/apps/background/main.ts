// Background jobs beside timers and serial input, and what no job may do.

import Serial from "embedded:io/serial";
import config from "mc/config";
import { report } from "pericard/report";
import { collect, resetRecord } from "pericard/system";
import Time from "time";
import Timer from "timer";

type Callback = (right: boolean, stack: number) => void;
const startJob: (kind: number, rounds: number, step: number, marks: number, callback: Callback) => void =
	native("xs_job_start");
const finishJob: (rounds: number, step: number) => boolean = native("xs_job_finish");

const job = (rounds: number, step = 3000, marks = 0) =>
	new Promise<{ right: boolean; stack: number }>((resolve) =>
		startJob(0, rounds, step, marks, (right, stack) => resolve({ right, stack })),
	);

/** A job with nothing beside it: its slices are what the host measures. */
async function alone(): Promise<void> {
	report("alone", await job(400, 3000, 400));
}

/** A timer every 5 ms and input at the rate of the line, until `other` is done: how late the timer was at most. */
async function beside(name: string, other: () => Promise<unknown>): Promise<void> {
	let latest = 0;
	let ticks = 0;
	let bytes = 0;
	const buffer = new ArrayBuffer(512);
	collect();
	const start = Time.microseconds;
	const timer = Timer.repeat(() => {
		ticks++;
		latest = Math.max(latest, Time.microseconds - start - ticks * 5000);
	}, 5);
	const serial = new Serial({
		port: 1,
		baud: 115200,
		format: "buffer",
		onReadable() {
			bytes += this.read(buffer) as number;
		},
	});
	console.log(`listening beside ${name}`);
	await other();
	Timer.clear(timer);
	serial.close();
	report(name, { ticks, latest, bytes, took: Time.microseconds - start });
}

/** Jobs run one after another, in their order; one that can't wait is done at once, and those before it too. */
async function inOrder(): Promise<void> {
	const order: string[] = [];
	const jobs = [30, 1, 10].map((rounds, i) => job(rounds).then(() => order.push(`job ${i}`)));
	await null;
	order.push(`finished ${finishJob(40, 3000)}`);
	await Promise.all(jobs);
	report("order", order);
}

/** A timer that is always due holds the background up, but not for good. */
async function starved(): Promise<void> {
	const timer = Timer.repeat(() => {
		for (let until = Time.microseconds + 1000; Time.microseconds < until; );
	}, 1);
	const start = Time.microseconds;
	const { right } = await job(100);
	Timer.clear(timer);
	report("starved", { right, took: Time.microseconds - start });
}

const kinds = ["", "overflow", "overflow-unseen", "undefined"];

async function main(): Promise<void> {
	const kind = kinds.indexOf(config.violate);
	if (resetRecord.count > 0) {
		const { reason, message, pc } = resetRecord;
		report("reset", { reason, message, pc });
	} else if (kind > 0) {
		startJob(kind, 0, 0, 0, () => report("survived", config.violate));
	} else {
		await alone();
		await beside("nothing", () => new Promise((resolve) => Timer.set(resolve, 600)));
		// About 40 M instructions.
		await beside("a job", () => job(13_333));
		await inOrder();
		await starved();
		// Nothing but a job is left: it is done before the application ends.
		job(50).then(() => report("last", Time.microseconds > 0));
	}
}

main();
