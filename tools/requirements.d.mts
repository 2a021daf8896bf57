// Types of requirements.mjs.

export interface Requirement {
	readonly id: string;
	readonly name: string;
	/** "build": building and running need it; "test": only `npm test`; "optional": more boards. */
	readonly need: "build" | "test" | "optional";
	readonly purpose: string;
	/** Debian's packages; empty where Debian has none. */
	packages(): string[];
	/** How to get it where no package brings it. */
	readonly hint?: string;
	/** The id of a requirement that must be there before `packages()` is right. */
	readonly after?: string;
	/** Where it is, or undefined. */
	find(): string | undefined;
	version(): string | undefined;
}

export const requirements: readonly Requirement[];
export function which(program: string): string | undefined;
export function isDebian(): boolean;
export function npmPackagesPresent(root: string): boolean;
