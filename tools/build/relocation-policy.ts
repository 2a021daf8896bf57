// When code of an image moves, as manifests say it.

import { BuildError, suggestion } from "./errors.ts";

/** "relocation" of a manifest's "defines" (docs/relocation.md). */
export interface RelocationPolicy {
	/** Milliseconds from move to move on average; 0: none but those that something else asks for. */
	readonly period?: number;
	/** How far from it, either way, in percent. */
	readonly jitter?: number;
	/** Bits that a layout must have, or nothing moves. */
	readonly floor?: number;
	readonly beforeAttestation?: boolean;
	readonly afterAnomaly?: boolean;
}

/* What each may be: the least and the most, or true and false. The device has the same (native/relocate/moving.c). */
const policyShape: Readonly<Record<keyof RelocationPolicy, readonly [number, number] | "boolean">> = {
	period: [0, 86_400_000],
	jitter: [0, 100],
	floor: [0, 65_535],
	beforeAttestation: "boolean",
	afterAnomaly: "boolean",
};

/** Throws a BuildError for a policy with a key or a value that there isn't. */
export function checkPolicy(policy: object, where: { readonly file?: string; readonly key?: string }): void {
	const at = (name: string) => ({ ...where, key: where.key === undefined ? name : `${where.key}.${name}` });
	for (const [name, value] of Object.entries(policy)) {
		if (name.startsWith("//")) continue;
		const shape = policyShape[name as keyof RelocationPolicy];
		if (shape === undefined) {
			throw new BuildError(`unknown key${suggestion(name, Object.keys(policyShape))}`, at(name));
		}
		if (shape === "boolean") {
			if (typeof value !== "boolean") throw new BuildError("expected true or false", at(name));
		} else if (!Number.isInteger(value) || value < shape[0] || value > shape[1]) {
			throw new BuildError(
				`expected a whole number from ${shape[0]} to ${shape[1]}, not ${JSON.stringify(value)}`,
				at(name),
			);
		}
	}
}
