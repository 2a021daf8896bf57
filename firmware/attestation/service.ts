// pericard/attestation/service: answers challenges on the management link. Being loaded is all it takes: manifests/attestation.json
// has it loaded before the app.

import { answer, answerOnce, type Payload, type Request, refuse, serve } from "pericard/management";
import { ERROR, EVIDENCE, encodeMessage, encodePartHeader, LAYOUT, MESSAGE } from "pericard/management/codec";

// The natives of pericard/attestation itself: the token goes out from where it lies, without a copy in JavaScript's memory.
type Callback = (status: number, token?: HostBuffer, log?: HostBuffer) => void;
const start: (nonce: Uint8Array, callback: Callback) => void = native("xs_attestation_start");
const end: () => void = native("xs_attestation_end");
const identify: (callback: (status: number, body?: ArrayBuffer) => void) => void = native("xs_attestation_identify");

/* The body of "identity", once it is known; until then who asks for it waits here. */
let identity: Uint8Array | undefined;
const asking: Request[] = [];

/* The challenge that is being answered, and the one whose turn is next. */
let current: Request | undefined;
let waiting: Request | undefined;

serve(MESSAGE.identify, (request) => {
	if (identity !== undefined) {
		answerOnce(encodeMessage(MESSAGE.identity, request.sequence, identity));
		return;
	}
	asking.push(request);
	if (asking.length === 1) {
		identify((status, body) => {
			identity = body === undefined ? undefined : new Uint8Array(body);
			for (const request of asking.splice(0)) {
				if (identity === undefined) {
					refuse(request, codeOf(status));
				} else {
					answerOnce(encodeMessage(MESSAGE.identity, request.sequence, identity));
				}
			}
		});
	}
});

serve(MESSAGE.challenge, (request) => {
	const { length } = request.body;
	if (length !== 32 && length !== 48 && length !== 64) {
		refuse(request, ERROR.nonce);
	} else if (current === undefined) {
		begin(request);
	} else {
		if (waiting !== undefined) {
			refuse(waiting, ERROR.superseded);
		}
		waiting = request;
	}
});

function begin(request: Request): void {
	current = request;
	try {
		start(request.body, (status, token, log) => {
			if (token === undefined || log === undefined) {
				refuse(
					request,
					codeOf(status),
					status === FAULT ? "the signature was wrong, and was not given out" : undefined,
				);
				goOn();
			} else {
				sendEvidence(request.sequence, new Uint8Array(token), new Uint8Array(log));
			}
		});
	} catch (error) {
		// No memory: the next challenge may find some.
		current = undefined;
		refuse(request, ERROR.internal, String(error));
	}
}

/* The current challenge has been answered. */
function goOn(): void {
	end();
	current = undefined;
	const next = waiting;
	waiting = undefined;
	if (next !== undefined) {
		begin(next);
	}
}

/* By the statuses of native/attestation. */
const FAULT = 5;

function codeOf(status: number): number {
	switch (status) {
		case 1:
			return ERROR.entropy;
		case 2:
		case 3:
			return ERROR.key;
		default:
			return ERROR.internal;
	}
}

/* The token's parts, then the log's. */
function sendEvidence(sequence: number, token: Uint8Array, log: Uint8Array): void {
	let what: number = EVIDENCE.token;
	let data = token;
	let offset = 0;
	answer((): Payload | undefined => {
		if (offset >= data.length) {
			if (what === EVIDENCE.log) {
				goOn();
				return undefined;
			}
			what = EVIDENCE.log;
			data = log;
			offset = 0;
		}
		const start = offset;
		const end = Math.min(start + LAYOUT.part, data.length);
		offset = end;
		return { head: encodePartHeader(sequence, what, start, data.length), data, start, end };
	});
}
