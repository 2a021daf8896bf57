// Imported on demand by the tests of modules.

export let count = 0;

export function increment(): number {
	return ++count;
}

export const answer = await Promise.resolve(42);
