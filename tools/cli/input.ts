// The file that `--input` names, as bytes for the device's second serial port.

import { existsSync, readFileSync, statSync } from "node:fs";
import { extname, resolve } from "node:path";
import { recordFrames, recordStream } from "../signals/frames.ts";
import { openRecord, type Recording } from "../signals/record.ts";
import { CliError } from "./command.ts";

const RECORDS = [".hea", ".dat", ".csv"];

/** The ECG record of that name: a WFDB record (.hea, .dat, or without ending) or a CSV file. Throws CliError, RecordError. */
export function findRecord(word: string): Recording {
	const path = resolve(word);
	if (!existsSync(path) && !existsSync(`${path}.hea`)) {
		throw new CliError(`there is no file ${word}`, "an ECG is a WFDB record (its .hea file) or a .csv file");
	}
	const record = openRecord(path);
	// A record that the device can't take is refused now, not in the middle of the run.
	recordFrames(record).next();
	return record;
}

/** A record as the frames of an ECG front end; any other file as its bytes. Throws CliError, RecordError. */
export function openInput(word: string): AsyncIterable<Uint8Array> | Uint8Array {
	const path = resolve(word);
	if (existsSync(path) && statSync(path).isDirectory()) {
		throw new CliError(`${word} is a folder`, "an ECG is a WFDB record (its .hea file) or a .csv file");
	}
	if (existsSync(path) && !RECORDS.includes(extname(path).toLowerCase()) && !existsSync(`${path}.hea`)) {
		return readFileSync(path);
	}
	return recordStream(findRecord(word));
}
