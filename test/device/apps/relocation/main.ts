// A device whose native code moves while it is at work: each of the first ticks moves it, and all check results of the code that
// moves. With config `attack` it attacks that code instead, once a start, until no attack is left.

import config from "mc/config";
import { aesGcmDecrypt, aesGcmEncrypt, hmacSha256, sha256 } from "pericard/crypto";
import { layoutEntropyBits, move, relocationEpoch, relocationStatus } from "pericard/relocation";
import { report } from "pericard/report";
import { resetRecord } from "pericard/system";
import Timer from "timer";

const message = new Uint8Array(150).fill(7);
const key = new Uint8Array(16).fill(9);
const nonce = new Uint8Array(12).fill(1);

/** One number of all that the set computes. */
function work(): number {
	const data = message.slice();
	const tag = new Uint8Array(16);
	const sealed = { key, nonce, aad: message, data, tag };
	aesGcmEncrypt(sealed);
	let sum = 1;
	for (const bytes of [sha256(message), hmacSha256(key, message), data.slice(), tag]) {
		for (const byte of new Uint8Array(bytes)) sum = (sum * 31 + byte) % 65521;
	}
	aesGcmDecrypt(sealed);
	return data[0] === 7 ? sum : -1;
}

/* Of xs_probe.c: addresses by what is there, and what an attacker would do with them. */
const addressOf: (what: number) => number = native("xs_probe_address");
const writeTo: (address: number) => void = native("xs_probe_write");
const jumpTo: (address: number) => void = native("xs_probe_jump");

/** One attack a start: each ends in a fault. */
function attack(): void {
	const places = ["running half", "empty half", "dispatch table", "relocator", "canonical code"];
	const attacks = [
		...places.map((place, index) => ({ name: `write to ${place}`, action: writeTo, what: index })),
		...places.slice(1).map((place, index) => ({ name: `jump to ${place}`, action: jumpTo, what: index + 1 })),
		{ name: "jump to a leaked address", action: jumpTo, what: 5 },
	];
	const { count, reason, cfsr, address, pc } = resetRecord;
	report("reset", { count, reason, cfsr, address, pc });
	const next = attacks[count];
	if (next === undefined) {
		report("survived", count);
		return;
	}
	const target = addressOf(next.what);
	report("attack", { count, name: next.name, target, epoch: relocationEpoch() });
	move();
	/* What leaked is used in the next epoch; the rest at once. */
	Timer.set(() => next.action(target), next.what === 5 ? 200 : 0);
}

const expected = work();
const MOVES = Number(config.moves);
let wrong = 0;
let ticks = 0;
report("start", { status: relocationStatus(), epoch: relocationEpoch(), bits: layoutEntropyBits() });
function tick(): void {
	if (work() !== expected) wrong++;
	ticks++;
	const moving = ticks <= MOVES && move();
	report("tick", { ticks, wrong, moving, status: relocationStatus(), epoch: relocationEpoch() });
}

if (config.attack) attack();
else Timer.repeat(tick, 20);
