// Tells the user what a long step is doing, on stderr, so that stdout stays the result.

/** Receives the name of each step as it begins. */
export type Progress = (message: string) => void;

/** Names each step with the time since the first; nothing when `quiet`. */
export function progressLines(quiet: boolean): Progress {
	const start = performance.now();
	return (message) => {
		if (quiet) return;
		const seconds = ((performance.now() - start) / 1000).toFixed(1).padStart(5);
		process.stderr.write(`[${seconds} s] ${message}\n`);
	};
}
