// Errors as WebCrypto names them.

/** Names of DOMExceptions that are thrown here. */
export type ErrorName =
	| "NotSupportedError"
	| "SyntaxError"
	| "InvalidAccessError"
	| "OperationError"
	| "DataError"
	| "QuotaExceededError"
	| "TypeMismatchError";

/** An error with a name of its own (WebIDL, 2.8.1). `code` is not there: names tell errors apart. */
export class DOMException extends Error {
	readonly #name: string;

	constructor(message = "", name = "Error") {
		super(message);
		this.#name = name;
	}

	override get name(): string {
		return this.#name;
	}
}

export function fail(name: ErrorName, message: string): never {
	throw new DOMException(message, name);
}
