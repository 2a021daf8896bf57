// The console: text for people on the first serial port, one line a call.

interface Console {
	/** Writes its arguments, converted with String() and separated by spaces. */
	log(...values: readonly unknown[]): void;
	info(...values: readonly unknown[]): void;
	warn(...values: readonly unknown[]): void;
	error(...values: readonly unknown[]): void;
	debug(...values: readonly unknown[]): void;
}

declare const console: Console;
