// What the application does to its storage, step by step. The host's test imports it too: it knows what must be there.

export const KEYS = 7;

/** One step: sets a key to the step's own value, or deletes it. Steps count from 1. */
export interface Step {
	readonly key: string;
	readonly remove: boolean;
}

export function step(number: number): Step {
	return { key: `key${(number * 5) % KEYS}`, remove: number % 5 === 4 };
}

/** The value that step `number` writes: of all lengths up to two in a sector. */
export function value(number: number): Uint8Array {
	const bytes = new Uint8Array(2 + ((number * 353) % 1500));
	for (let i = 0; i < bytes.length; i++) bytes[i] = number * 7 + i;
	bytes[0] = number & 255;
	bytes[1] = number >> 8;
	return bytes;
}

/** The step that wrote these bytes, or -1 if no step did. */
export function stepOf(bytes: Uint8Array): number {
	const number = (bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8);
	const expected = value(number);
	return bytes.length === expected.length && bytes.every((byte, i) => byte === expected[i]) ? number : -1;
}
