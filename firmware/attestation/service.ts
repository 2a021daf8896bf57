// pericard/attestation/service: answers challenges on the management link. Being loaded is all it takes: manifests/attestation.json
// has it loaded before the app.

import { type AttestationFault, attestInPlace, faultOf, giveBack } from "pericard/attestation";
import { answer, answerOnce, type Payload, type Request, refuse, serve } from "pericard/management";
import { ERROR, EVIDENCE, encodeMessage, encodePartHeader, MESSAGE, PART_MAX } from "pericard/management/codec";

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
					refuse(request, codeOf(faultOf(status)));
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
	attestInPlace(request.body.slice().buffer as ArrayBuffer, (error, token, log) => {
		if (token === undefined || log === undefined) {
			refuse(request, codeOf(error?.code));
			goOn();
		} else {
			sendEvidence(request.sequence, token, log);
		}
	});
}

/* The current challenge has been answered. */
function goOn(): void {
	giveBack();
	current = undefined;
	const next = waiting;
	waiting = undefined;
	if (next !== undefined) {
		begin(next);
	}
}

function codeOf(fault: AttestationFault | undefined): number {
	switch (fault) {
		case "entropy":
			return ERROR.entropy;
		case "key":
		case "flash":
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
		const end = Math.min(start + PART_MAX, data.length);
		offset = end;
		return { head: encodePartHeader(sequence, what, start, data.length), data, start, end };
	});
}
