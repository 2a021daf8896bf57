// The measurement log: which region of each component has which digest. It comes beside the token and nobody signs it: it
// counts only as far as it hashes to the values in the token.

import { createHash } from "node:crypto";
import { CborError, type CborValue, decode, encode } from "../../firmware/attestation/codec/cbor.ts";

export interface LogEntry {
	readonly name: string;
	/** SHA-256. */
	readonly digest: Uint8Array;
}

export interface LogComponent {
	readonly type: string;
	readonly entries: readonly LogEntry[];
	/** The measurement value that these entries have. */
	readonly value: Uint8Array;
}

/** A log that can't be read; the message says why. */
export class LogError extends Error {
	override readonly name = "LogError";
}

/** Longest log that is looked at, in bytes: an image has up to a few hundred modules, 100 bytes each. */
const LOG_SIZE = 262144;

/** The measurement value of a component: SHA-256 over the deterministic CBOR of its [name, digest] (docs/measurement.md). */
export function measurementValue(entries: readonly LogEntry[]): Uint8Array {
	const list = encode(entries.map((entry) => [entry.name, entry.digest]));
	return new Uint8Array(createHash("sha256").update(list).digest());
}

/** Reads a measurement log: an array of [type, [[name, digest], ...]] in deterministic CBOR. Throws LogError. */
export function readLog(data: Uint8Array): LogComponent[] {
	let log: CborValue;
	try {
		log = decode(data, { size: LOG_SIZE });
	} catch (error) {
		if (error instanceof CborError) throw new LogError(`it is malformed: ${error.message}`);
		throw error;
	}
	return pairs(log, "the log").map(([type, list]) => {
		if (typeof type !== "string") throw new LogError("the type of a component is no text");
		const entries = pairs(list, "a component").map(([name, digest]) => {
			if (typeof name !== "string") throw new LogError("the name of an entry is no text");
			if (!(digest instanceof Uint8Array) || digest.length !== 32) throw new LogError("a digest is not 32 bytes");
			return { name, digest };
		});
		return { type, entries, value: measurementValue(entries) };
	});
}

function pairs(value: CborValue, what: string): [CborValue, CborValue][] {
	if (!Array.isArray(value)) throw new LogError(`${what} is no array`);
	return (value as readonly CborValue[]).map((item) => {
		if (!Array.isArray(item) || item.length !== 2) throw new LogError(`${what} has an item that is no pair`);
		return item as [CborValue, CborValue];
	});
}
