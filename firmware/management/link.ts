// pericard/management: the management link, which shares the console's line with its text. Services take requests by their
// number and answer them; what is no valid frame never gets here (native/management).

import {
	decodeMessage,
	ERROR,
	encodeError,
	encodeMessage,
	LAYOUT,
	MESSAGE,
	type Message,
} from "pericard/management/codec";

const open: (onFrame: (payload: ArrayBuffer) => void, onRoom: () => void) => void = native("xs_management_open");
const send: (head: Uint8Array, data?: Uint8Array, start?: number, end?: number) => boolean =
	native("xs_management_send");
const wait: () => void = native("xs_management_wait");

export interface Request {
	readonly message: number;
	readonly sequence: number;
	readonly body: Uint8Array;
}

/** The payload of a frame: `head`, then bytes [start, end) of `data`. */
export interface Payload {
	readonly head: Uint8Array;
	readonly data?: Uint8Array;
	readonly start?: number;
	readonly end?: number;
}

/** Makes an answer's payloads one after the other; undefined when there are no more. */
export type Answer = () => Payload | undefined;

const services = new Map<number, (request: Request) => void>();
/* Answers that wait for room, and the next payload of the first. */
const answers: Answer[] = [];
let payload: Payload | undefined;

/** Takes the requests of a number from now on; opens the link if it is not. What `service` throws is refused. */
export function serve(message: number, service: (request: Request) => void): void {
	if (services.size === 0) {
		open(receive, sendOn);
	}
	services.set(message, service);
}

/** Queues an answer. */
export function answer(next: Answer): void {
	answers.push(next);
	if (answers.length === 1) {
		sendOn();
	}
}

/** Answers "error". `text` is for ERROR.internal; the other codes speak for themselves. */
export function refuse(request: { readonly sequence: number }, code: number, text = ""): void {
	answerOnce(encodeMessage(MESSAGE.error, request.sequence, encodeError(code, text)));
}

/** Queues an answer of one payload. */
export function answerOnce(head: Uint8Array): void {
	let left: Payload | undefined = { head };
	answer(() => {
		const next = left;
		left = undefined;
		return next;
	});
}

/* One frame at most: in between others have their turn. */
function sendOn(): void {
	const first = next();
	if (first !== undefined && send(first.head, first.data, first.start, first.end)) {
		payload = undefined;
	}
	if (next() !== undefined) {
		wait();
	}
}

/* What is to be sent next, if anything. */
function next(): Payload | undefined {
	while (payload === undefined && answers.length > 0) {
		payload = (answers[0] as Answer)();
		if (payload === undefined) {
			answers.shift();
		}
	}
	return payload;
}

function receive(frame: ArrayBuffer): void {
	const message = decodeMessage(new Uint8Array(frame));
	// Nobody answers an answer, or two devices on one line would never stop.
	if (message === undefined || (message.message & MESSAGE.answer) !== 0) {
		return;
	}
	try {
		dispatch(message);
	} catch (error) {
		refuse(message, ERROR.internal, String(error).slice(0, 100));
	}
}

function dispatch({ version, message, sequence, body }: Message): void {
	const service = services.get(message);
	if (version !== LAYOUT.version) {
		refuse({ sequence }, ERROR.version);
	} else if (body === undefined) {
		refuse({ sequence }, ERROR.malformed);
	} else if (service === undefined) {
		refuse({ sequence }, ERROR.unknown);
	} else {
		service({ message, sequence, body });
	}
}
