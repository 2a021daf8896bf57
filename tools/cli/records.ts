// What the firmware says on its console, as it comes in: lines for people, and machine records (RFC 7464).

/** A machine record: a JSON object with an "event". */
export interface ConsoleRecord {
	readonly event: string;
	readonly [key: string]: unknown;
}

const RECORD_SEPARATOR = "\u001e";

/** Splits console text that arrives in pieces. A line that is cut off waits for its rest. */
export class ConsoleSplitter {
	#rest = "";
	readonly #onLine: (line: string) => void;
	readonly #onRecord: (record: ConsoleRecord) => void;

	constructor(onLine: (line: string) => void, onRecord: (record: ConsoleRecord) => void) {
		this.#onLine = onLine;
		this.#onRecord = onRecord;
	}

	feed(text: string): void {
		const lines = (this.#rest + text).split("\n");
		this.#rest = lines.pop() ?? "";
		for (const line of lines) this.#take(line);
	}

	/** The device has stopped: what is left is a line too. */
	end(): void {
		if (this.#rest !== "") this.#take(this.#rest);
		this.#rest = "";
	}

	#take(line: string): void {
		// A record may begin behind a line that the app has not ended.
		const at = line.indexOf(RECORD_SEPARATOR);
		const before = (at < 0 ? line : line.slice(0, at)).replace(/\r$/, "");
		if (at < 0 || before !== "") this.#onLine(before);
		if (at < 0) return;
		let record: unknown;
		try {
			record = JSON.parse(line.slice(at + 1));
		} catch {
			// Cut off by a reset, or not ours: show it as it came.
			this.#onLine(line.slice(at + 1));
			return;
		}
		if (typeof record === "object" && record !== null && typeof (record as ConsoleRecord).event === "string") {
			this.#onRecord(record as ConsoleRecord);
		}
	}
}
