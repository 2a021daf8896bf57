// Types of bearssl.mjs.

/** native/crypto/bearssl.json. */
export const bearssl: {
	/** Debian's source package. */
	readonly package: string;
	readonly version: string;
	readonly cflags: readonly string[];
	/** Path in the folder -> SHA-256 in hex. */
	readonly files: Readonly<Record<string, string>>;
};
export function cacheRoot(): string;
export function bearsslCache(): string;
export function bearsslFolder(): string;
export function bearsslProblem(folder?: string): string | undefined;
export function bearsslAdvice(): string;
