// Reference values as a verifier takes them in: the build's JSON, checked before anything is compared with it.

import { COMPONENTS } from "../../firmware/attestation/codec/claims.ts";
import type { Reference, ReferenceComponent, ReferenceEntry } from "../build/reference.ts";
import { measurementValue } from "./log.ts";

export type { Reference, ReferenceComponent, ReferenceEntry } from "../build/reference.ts";

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
	};
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
