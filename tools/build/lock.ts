// One build at a time in one output folder: others of this machine wait for their turn.

import { closeSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 50;
/* A number of a process comes again some day: a lock as old as this is nobody's. */
const STALE_MS = 10 * 60 * 1000;

/** Runs `action` while nobody else holds the lock `file`. `wait` is called once if it has to wait. */
export async function locked<T>(file: string, wait: () => void, action: () => Promise<T>): Promise<T> {
	mkdirSync(dirname(file), { recursive: true });
	for (let told = false; !take(file); ) {
		if (isStale(file)) {
			rmSync(file, { force: true });
			continue;
		}
		if (!told) wait();
		told = true;
		await sleep(POLL_MS);
	}
	try {
		return await action();
	} finally {
		rmSync(file, { force: true });
	}
}

function take(file: string): boolean {
	try {
		const descriptor = openSync(file, "wx");
		writeSync(descriptor, String(process.pid));
		closeSync(descriptor);
		return true;
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
		throw error;
	}
}

/* Whether the process that took the lock was killed. One that is about to write its number is alive. */
function isStale(file: string): boolean {
	try {
		if (Date.now() - statSync(file).mtimeMs > STALE_MS) return true;
		const owner = Number(readFileSync(file, "utf8"));
		if (owner > 0) process.kill(owner, 0);
		return false;
	} catch (error) {
		/* ENOENT: it is free by now. EPERM: somebody else's, and alive. */
		return (error as NodeJS.ErrnoException).code === "ESRCH";
	}
}
