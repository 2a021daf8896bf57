// pericard/relocation: code that moves while it runs. An image that has this module moves what its manifests call relocatable,
// on boards that can (docs/relocation.md); the first move is at boot, before any module runs.

const statusOf: () => number = native("xs_relocation_status");
const epochOf: () => number = native("xs_relocation_epoch");
const bitsOf: () => number = native("xs_relocation_bits");
const request: () => boolean = native("xs_relocation_request");

/** How it stands with moving. */
export type RelocationStatus =
	/** No code of this image moves: the board can't, or nothing is relocatable. */
	| "none"
	/** The last move was done. */
	| "ready"
	/** A move is under way. */
	| "moving"
	/** The last move was refused, for there are no random numbers to be trusted; the layout before it runs on. */
	| "no-random"
	/** Moves are refused: a layout of this image has fewer bits than the floor. */
	| "no-entropy";

const statuses: readonly RelocationStatus[] = ["none", "ready", "moving", "no-random", "no-entropy"];

export function relocationStatus(): RelocationStatus {
	return statuses[statusOf()] ?? "none";
}

/** How often the code has moved since boot, the move at boot included. 0: it lies where the build has put it. */
export function relocationEpoch(): number {
	return epochOf();
}

/** Bits of a layout, rounded down: log2 of the number of layouts that a move chooses from with equal chances. 0 if nothing
 * moves. Its random numbers have a strength of 256 bits. */
export function layoutEntropyBits(): number {
	return bitsOf();
}

/** Begins a move, which goes on when nothing else is to be done; relocationEpoch() has risen when it has flipped. True if one
 * is under way now; false if it was refused: relocationStatus() says why. */
export function move(): boolean {
	return request();
}
