// What the firmware says on its console: lines of text for people, and machine records (RFC 7464 JSON text sequences:
// 0x1E, one JSON object, LF).

import type { StopReason } from "./device.ts";

/** A machine record of the firmware: a JSON object that names its event. */
export interface DeviceRecord {
	readonly event: string;
	readonly [key: string]: unknown;
}

export type ConsoleItem =
	| { readonly kind: "line"; readonly text: string }
	| { readonly kind: "record"; readonly record: DeviceRecord };

const RECORD_SEPARATOR = "\u001e";

/**
 * Takes the console's text in pieces of any size and gives lines and records. A record that is broken (the device was
 * reset in the middle of it, or it is none of ours) comes as a line, never as an error.
 */
export class RecordParser {
	#rest = "";

	/** Text that came; returns what is complete by now. */
	push(text: string): ConsoleItem[] {
		const items: ConsoleItem[] = [];
		const lines = (this.#rest + text).split("\n");
		this.#rest = lines.pop() ?? "";
		for (const line of lines) split(line, items);
		return items;
	}

	/** No more will come: what is left counts as complete. */
	end(): ConsoleItem[] {
		const items: ConsoleItem[] = [];
		if (this.#rest !== "") split(this.#rest, items);
		this.#rest = "";
		return items;
	}
}

/** The records in the whole output of a device, and what the newest of them say of a stop. */
export class RecordLog {
	readonly #parser = new RecordParser();
	readonly #records: DeviceRecord[] = [];
	#parsed = 0;
	#told = 0;

	/** All records in `output`, which must begin with what was given before. */
	read(output: string): DeviceRecord[] {
		for (const item of this.#parser.push(output.slice(this.#parsed))) {
			if (item.kind === "record") this.#records.push(item.record);
		}
		this.#parsed = output.length;
		return [...this.#records];
	}

	/** Why the firmware is at pc_harness_stop(), by the records since the last call. Undefined: it goes on by itself. */
	whyStopped(output: string): StopReason | undefined {
		const news = this.read(output).slice(this.#told);
		this.#told += news.length;
		if (news.some(({ event }) => event === "uncaught" || event === "rejection")) return "uncaught";
		const last = news.findLast(({ event }) => event === "end" || event === "abort" || event === "fault");
		if (last === undefined || (last.event === "abort" && last.reason === "software")) return undefined;
		return last.event === "end" ? "ended" : "abort";
	}
}

/* One line; it may hold unfinished text or records before its last record. */
function split(line: string, items: ConsoleItem[]): void {
	const [before = "", ...records] = line.split(RECORD_SEPARATOR);
	if (before !== "" || records.length === 0) items.push({ kind: "line", text: before.replace(/\r$/, "") });
	for (const text of records) {
		const record = parseRecord(text);
		if (record !== undefined) items.push({ kind: "record", record });
		else if (text !== "") items.push({ kind: "line", text });
	}
}

function parseRecord(text: string): DeviceRecord | undefined {
	try {
		const value: unknown = JSON.parse(text);
		const isRecord = typeof value === "object" && value !== null && "event" in value && typeof value.event === "string";
		return isRecord ? (value as DeviceRecord) : undefined;
	} catch {
		return undefined;
	}
}
