// BuildError: the one error that a mistake in somebody's app, manifest or C file ends in.

import { relative } from "node:path";

/** How a path is shown to people: relative to the working directory where that is shorter, else absolute. */
export function displayPath(path: string): string {
	const short = relative(process.cwd(), path);
	return short === "" || short.startsWith("../../") ? path : short;
}

/**
 * A build that can't go on because of its input. `message` is complete as it stands: `file: key: what is wrong`.
 * `file` is an absolute path, `key` a place in a manifest such as `modules["*"][0]`.
 */
export class BuildError extends Error {
	readonly file: string | undefined;
	readonly key: string | undefined;

	constructor(reason: string, where: { file?: string; key?: string; line?: number; column?: number } = {}) {
		let prefix = "";
		if (where.file !== undefined) {
			prefix = displayPath(where.file);
			if (where.line !== undefined) prefix += `:${where.line}`;
			if (where.column !== undefined) prefix += `:${where.column}`;
			prefix += ": ";
		}
		if (where.key !== undefined) prefix += `${where.key}: `;
		super(prefix + reason);
		this.name = "BuildError";
		this.file = where.file;
		this.key = where.key;
	}
}

/** The names that a typing mistake may have meant, best first: at most three, at most a third of the letters wrong. */
export function closest(name: string, candidates: Iterable<string>): string[] {
	const scored: [number, string][] = [];
	for (const candidate of candidates) {
		const score = distance(name.toLowerCase(), candidate.toLowerCase());
		const tail = candidate.endsWith(`/${name}`) || candidate.endsWith(`:${name}`);
		if (tail || score <= Math.max(1, Math.floor(Math.max(name.length, candidate.length) / 3))) {
			scored.push([tail ? 0 : score, candidate]);
		}
	}
	scored.sort((a, b) => a[0] - b[0] || (a[1] < b[1] ? -1 : 1));
	return scored.slice(0, 3).map((entry) => entry[1]);
}

/** `; did you mean "a" or "b"?`, or nothing. */
export function suggestion(name: string, candidates: Iterable<string>): string {
	const names = closest(name, candidates).map((candidate) => `"${candidate}"`);
	return names.length === 0 ? "" : `; did you mean ${names.join(" or ")}?`;
}

/* Letters added, left out, replaced, or swapped with their neighbour. */
function distance(a: string, b: string): number {
	let before: number[] = [];
	let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
	for (let i = 1; i <= a.length; i++) {
		const current = [i];
		for (let j = 1; j <= b.length; j++) {
			const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
			let best = Math.min(substitution, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1);
			if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
				best = Math.min(best, (before[j - 2] ?? 0) + 1);
			}
			current.push(best);
		}
		before = previous;
		previous = current;
	}
	return previous[b.length] ?? 0;
}
