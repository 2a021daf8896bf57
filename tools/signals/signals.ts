// What the command line needs of this folder: a file name in, the bytes for the device's input port out.

import { recordStream, type StreamOptions } from "./frames.ts";
import { openRecord } from "./record.ts";

/**
 * Opens a WFDB record or a CSV file and streams its first lead (or `options.signal`) as front-end frames.
 * @throws RecordError at once when the file cannot be read; its message says what to do.
 */
export function openSignal(path: string, options: StreamOptions = {}): AsyncGenerator<Uint8Array> {
	return recordStream(openRecord(path), options);
}
