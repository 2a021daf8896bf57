// Code that is in the image and never runs: a test may change it without an effect.

const idle: () => number = native("xs_spare");

export function spare(): string {
	return `nobody calls this ${idle()}`;
}
