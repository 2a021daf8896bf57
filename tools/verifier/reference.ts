// Reference values as a verifier takes them in, checked before anything is compared with them: the build's JSON, or CoRIM
// (draft-ietf-rats-corim) in the profile for PSA tokens (draft-fdb-rats-psa-endorsements).

import { CborError, type CborMap, CborTag, type CborValue, decode } from "../../firmware/attestation/codec/cbor.ts";
import { COMPONENTS } from "../../firmware/attestation/codec/claims.ts";
import type { Reference, ReferenceComponent, ReferenceEntry, ReferenceRelocation } from "../build/reference.ts";
import { measurementValue } from "./log.ts";

export type { Reference, ReferenceComponent, ReferenceEntry, ReferenceRelocation } from "../build/reference.ts";

/** Reference values that can't be used; the message says why. */
export class ReferenceValueError extends Error {
	override readonly name = "ReferenceValueError";
}

/** The reference values of a `<name>.reference.json`. Throws ReferenceValueError. */
export function parseReference(text: string): Reference {
	let json: unknown;
	try {
		json = JSON.parse(text);
	} catch (error) {
		throw new ReferenceValueError(`not JSON: ${(error as Error).message}`);
	}
	return checkReference(json);
}

/** Checks that a value is what tools/build/reference.ts writes, and that its values are those of its entries. Throws ReferenceValueError. */
export function checkReference(json: unknown): Reference {
	const reference = object(json, "reference values");
	if (reference.format !== 1)
		throw new ReferenceValueError(`format ${String(reference.format)} is unknown; 1 is expected`);
	const lifecycle = reference.lifecycle;
	if (lifecycle !== "secured" && lifecycle !== "non-psa-rot-debug") {
		throw new ReferenceValueError(`lifecycle: "secured" or "non-psa-rot-debug" is expected`);
	}
	if (typeof reference.debug !== "boolean") throw new ReferenceValueError("debug: true or false is expected");
	const components = array(reference.components, "components").map((item, index) => component(item, index));
	if (components.map((item) => item.type).join() !== COMPONENTS.join()) {
		throw new ReferenceValueError(`components: ${COMPONENTS.join(", ")} are expected, in this order`);
	}
	return {
		format: 1,
		app: text(reference.app, "app"),
		board: text(reference.board, "board"),
		version: text(reference.version, "version"),
		engine: text(reference.engine, "engine"),
		debug: reference.debug,
		lifecycle,
		implementationId: digest(reference.implementationId, "implementationId"),
		signerId: digest(reference.signerId, "signerId"),
		components,
		...(reference.relocation === undefined ? {} : { relocation: relocation(reference.relocation) }),
	};
}

/* CoRIM's tags and keys, by their names in the drafts. */
const CORIM = { unsigned: 501, conciseMid: 506, taggedBytes: 560, id: 0, tags: 1 } as const;
const TRIPLES = 4;
const REFERENCE_TRIPLES = 0;
const CLASS = 0;
const CLASS_ID = 0;
const MEASUREMENT = { key: 0, value: 1 } as const;
const VALUE = { version: 0, digests: 2, name: 11, cryptoKeys: 13 } as const;
const SOFTWARE = "psa.software-component";
/* SHA-256 as CoRIM names it: by its name, or by its number in the registry of named information. */
const SHA256: readonly CborValue[] = ["sha-256", 1];

/**
 * The reference values of a CoRIM with one implementation. It tells less than the JSON does: no parts of components, no
 * names of code that moves, and no lifecycle, so that a locked device is expected. Throws ReferenceValueError.
 */
export function parseCorim(data: Uint8Array): Reference {
	let outer: CborValue;
	try {
		outer = decode(data, { deterministic: false, size: 1 << 20 });
	} catch (error) {
		if (error instanceof CborError) throw new ReferenceValueError(`no CoRIM: ${error.message}`);
		throw error;
	}
	if (!(outer instanceof CborTag) || outer.tag !== CORIM.unsigned) {
		throw new ReferenceValueError("no unsigned CoRIM (tag 501)");
	}
	const corim = map(outer.value, "the CoRIM");
	const implementations = new Set<string>();
	const signers = new Set<string>();
	const components: ReferenceComponent[] = [];
	for (const tag of list(corim.get(CORIM.tags), "tags")) {
		if (!(tag instanceof CborTag) || tag.tag !== CORIM.conciseMid) continue;
		const comid = map(readComid(tag.value), "a CoMID");
		const triples = map(comid.get(TRIPLES), "triples");
		for (const triple of list(triples.get(REFERENCE_TRIPLES), "reference triples")) {
			const [environment, measurements] = list(triple, "a reference triple");
			const classMap = map(map(environment, "an environment").get(CLASS), "a class");
			implementations.add(taggedDigest(classMap.get(CLASS_ID), "a class id"));
			for (const item of list(measurements, "measurements")) {
				const measurement = map(item, "a measurement");
				if (measurement.get(MEASUREMENT.key) !== SOFTWARE) continue;
				const value = map(measurement.get(MEASUREMENT.value), "a measurement's values");
				for (const key of list(value.get(VALUE.cryptoKeys), "crypto keys")) signers.add(taggedDigest(key, "a signer"));
				components.push({
					type: text(value.get(VALUE.name), "a component's name") as ReferenceComponent["type"],
					version: text(map(value.get(VALUE.version), "a version").get(0), "a version"),
					value: sha256Of(value.get(VALUE.digests)),
					entries: [],
				});
			}
		}
	}
	const [implementationId, signerId] = [only(implementations, "implementation"), only(signers, "signer")];
	if (components.length === 0) throw new ReferenceValueError("the CoRIM has no software component");
	// tools/build/corim.ts: pericard/<board>/<app>/<version>/<hash>
	const id = corim.get(CORIM.id);
	const [, board = "", app = ""] = typeof id === "string" ? id.split("/") : [];
	const version = (type: string) => components.find((component) => component.type === type)?.version ?? "";
	return {
		format: 1,
		app,
		board,
		version: version("app"),
		engine: version("xs"),
		debug: false,
		lifecycle: "secured",
		implementationId,
		signerId,
		components,
	};
}

function readComid(value: CborValue): CborValue {
	if (!(value instanceof Uint8Array)) return value;
	try {
		return decode(value, { deterministic: false, size: 1 << 20 });
	} catch (error) {
		if (error instanceof CborError) throw new ReferenceValueError(`a CoMID is malformed: ${error.message}`);
		throw error;
	}
}

function map(value: CborValue, where: string): CborMap {
	if (value instanceof Map) return value;
	throw new ReferenceValueError(`${where}: a map is expected`);
}

function list(value: CborValue, where: string): readonly CborValue[] {
	if (Array.isArray(value)) return value as readonly CborValue[];
	throw new ReferenceValueError(`${where}: an array is expected`);
}

function taggedDigest(value: CborValue, where: string): string {
	const bytes = value instanceof CborTag && value.tag === CORIM.taggedBytes ? value.value : undefined;
	if (bytes instanceof Uint8Array && bytes.length === 32) return Buffer.from(bytes).toString("hex");
	throw new ReferenceValueError(`${where}: tagged bytes (560) of 32 bytes are expected`);
}

function sha256Of(value: CborValue): string {
	for (const item of list(value, "digests")) {
		const [algorithm, bytes] = list(item, "a digest");
		if (SHA256.includes(algorithm) && bytes instanceof Uint8Array && bytes.length === 32) {
			return Buffer.from(bytes).toString("hex");
		}
	}
	throw new ReferenceValueError("digests: one by SHA-256 is expected");
}

function only(values: ReadonlySet<string>, what: string): string {
	const [first] = values;
	if (first !== undefined && values.size === 1) return first;
	throw new ReferenceValueError(`the CoRIM has ${values.size} values for its ${what}; one is expected`);
}

function component(json: unknown, index: number): ReferenceComponent {
	const where = `components[${index}]`;
	const item = object(json, where);
	const entries: ReferenceEntry[] = array(item.entries, `${where}.entries`).map((entry, at) => {
		const { name, value } = object(entry, `${where}.entries[${at}]`);
		return { name: text(name, `${where}.entries[${at}].name`), value: digest(value, `${where}.entries[${at}].value`) };
	});
	const value = digest(item.value, `${where}.value`);
	const log = entries.map((entry) => ({ name: entry.name, digest: Buffer.from(entry.value, "hex") }));
	if (Buffer.from(measurementValue(log)).toString("hex") !== value) {
		throw new ReferenceValueError(`${where}: its value is not the one that its entries have`);
	}
	return {
		type: text(item.type, `${where}.type`) as ReferenceComponent["type"],
		version: text(item.version, `${where}.version`),
		value,
		entries,
	};
}

function relocation(json: unknown): ReferenceRelocation {
	const { bits, entries, units } = object(json, "relocation");
	if (typeof bits !== "number" || !Number.isSafeInteger(bits) || bits < 0) {
		throw new ReferenceValueError("relocation.bits: a whole number is expected");
	}
	return {
		bits,
		entries: array(entries, "relocation.entries").map((name, at) => text(name, `relocation.entries[${at}]`)),
		units: array(units, "relocation.units").map((item, at) => {
			const where = `relocation.units[${at}]`;
			const { name, file } = object(item, where);
			return { name: text(name, `${where}.name`), file: text(file, `${where}.file`) };
		}),
	};
}

function object(value: unknown, where: string): Record<string, unknown> {
	if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
	throw new ReferenceValueError(`${where}: an object is expected`);
}

function array(value: unknown, where: string): unknown[] {
	if (Array.isArray(value)) return value;
	throw new ReferenceValueError(`${where}: an array is expected`);
}

function text(value: unknown, where: string): string {
	if (typeof value === "string") return value;
	throw new ReferenceValueError(`${where}: a text is expected`);
}

function digest(value: unknown, where: string): string {
	if (typeof value === "string" && /^[0-9a-f]{64}$/.test(value)) return value;
	throw new ReferenceValueError(`${where}: 64 hex digits are expected`);
}
