// The end of the demo: the running device proves what it is, and attacks on it are caught: on its flash, on what it says, and on
// its code that moves.

import { readFileSync } from "node:fs";
import { readBoard } from "../build/board.ts";
import type { Build } from "../build/build.ts";
import { imageRegions } from "../build/reference.ts";
import type { Device } from "../harness/device.ts";
import { LayoutReader } from "../harness/layout.ts";
import { ManagementClient } from "../harness/management.ts";
import { type Answer, Challenger } from "../verifier/challenger.ts";
import type { AttestationResult } from "../verifier/verifier.ts";
import { policyFor } from "./attest.ts";

/** The module that the first attack changes, and the C function that the second replaces. */
const MODULE = "pericard/signal/qrs";
const FUNCTION = "pc_crc16";
/** Thumb: movs r0, #0; bx lr */
const RETURN_ZERO = Uint8Array.of(0x00, 0x20, 0x70, 0x47);

/** Functions that move: the one that is patched where it runs is not called any more, the other one by every measurement. */
const PATCHED = "pc_keystore_make";
const REUSED = "pc_sha256_update";

/** Bytes of the stack that background work has (hosts/cortex-m/fibre.c), and emulated seconds between two looks at it. */
const STACK = 4096;
const STEP = 0.002;
/** Emulated seconds in which a challenge is answered, and how many are made at most. */
const ANSWERED = 0.5;
const TRIES = 4;

/** Emulated seconds that one answer may take. */
const DEADLINE = 60;

/**
 * Challenges the device as it is, then under each attack, and tells each verdict. Whether all are as they must be.
 * `print` takes a line.
 */
export async function prove(device: Device, build: Build, print: (line: string) => void): Promise<boolean> {
	const client = new ManagementClient(device);
	const link = {
		identify: () => client.identify({ seconds: DEADLINE }),
		attest: (nonce: Uint8Array) => client.attest(nonce, { seconds: DEADLINE }),
	};
	const challenger = new Challenger(link, { references: [build.reference], policy: policyFor(build.board) });
	await challenger.enrol();
	const honest = await challenger.attest();
	const { length } = honest.token;
	print(`Is it still what was built? The device measures its flash and signs (a PSA token of ${length} bytes):\n`);
	const verdicts: AttestationResult[] = [];
	const tell = (what: string, result: AttestationResult): void => {
		verdicts.push(result);
		const { verdict, reasons } = result;
		print(`  ${what.padEnd(58)} ${verdict}`);
		const [reason] = reasons;
		// The digests are for `pericard attest`.
		if (verdict !== "affirming" && reason !== undefined) print(`    ${reason.text.replace(/: expected .*$/, "")}`);
	};
	tell("honest device", honest.result);

	const region = imageRegions(readFileSync(build.elf), readBoard(build.board)).find(
		({ name }) => name === `module:${MODULE}`,
	);
	if (region === undefined) throw new Error(`${build.name} has no module ${MODULE}`);
	const module = await attacked(device, challenger, region.address + region.bytes.length - 1, (bytes) =>
		bytes.map((byte) => byte ^ 1),
	);
	tell(`attack: one bit of the module ${MODULE} flipped`, module.result);

	const code = (build.symbols.get(FUNCTION) ?? 0) & ~1;
	const native = await attacked(device, challenger, code, () => RETURN_ZERO, RETURN_ZERO.length);
	tell(`attack: the C function ${FUNCTION} patched to return 0`, native.result);

	const challenge = challenger.nonces.issue();
	tell("attack: the honest answer sent again", challenger.judge(honest.token, honest.log, challenge));
	const caught = verdicts.every(({ verdict }, index) => verdict === (index === 0 ? "affirming" : "contraindicated"));

	const layouts = LayoutReader.of(build);
	if (layouts === undefined) return caught;
	await patchMoved(device, layouts);
	const moved = (await challenger.attest()).result;
	tell(`attack: ${PATCHED} patched in RAM, where it runs`, moved);

	const reuse = await reusePointer(device, build, layouts);
	print(`  ${`attack: ${REUSED} called where it was an epoch ago`.padEnd(58)} ${reuse.reason}`);
	const back = (await challenger.attest()).result;
	const note = back.reasons.find(({ code }) => code === "reset")?.text ?? "the device says nothing of it";
	print(`    epoch ${reuse.read}'s address, used in epoch ${reuse.used}; the next answer: ${back.verdict}, ${note}`);
	const stopped = reuse.reason === "memory-fault" && reuse.pc === reuse.pointer - 1;
	return caught && moved.verdict === "contraindicated" && stopped && back.verdict === "affirming";
}

/** Makes a function that moves return at once, in the half that runs. The next move heals it. */
async function patchMoved(device: Device, layouts: LayoutReader): Promise<void> {
	const layout = await layouts.read(device);
	const unit = layouts.report.units.findIndex(({ name }) => name === PATCHED);
	const address = layout?.addresses[unit];
	if (address === undefined) throw new Error(`${PATCHED} is not among the functions that move`);
	await device.writeMemory(address, RETURN_ZERO);
}

interface Reuse {
	/** A code pointer: bit 0 is Thumb's. */
	readonly pointer: number;
	/** The epoch in which it was read, and the one in which it was used. */
	readonly read: number;
	readonly used: number;
	/** How the device ended, and where. */
	readonly reason: string;
	readonly pc: number;
}

/**
 * Reads the address of a function, lets the device move its code, as it does before it answers, and then writes the address over
 * every return address on the stack of the work that is under way, as an overflow would.
 */
async function reusePointer(device: Device, build: Build, layouts: LayoutReader): Promise<Reuse> {
	const entry = layouts.report.entries.indexOf(REUSED);
	if (entry < 0) throw new Error(`${REUSED} is not among the functions that move`);
	const slot = (build.symbols.get("pc_dispatch") ?? 0) + 4 * entry;
	for (let tries = 0; tries < TRIES; tries++) {
		const before = await layouts.read(device);
		const pointer = Buffer.from(await device.readMemory(slot, 4)).readUInt32LE();
		new ManagementClient(device).challenge(new Uint8Array(32));
		let used: number | undefined;
		for (let elapsed = 0; elapsed < ANSWERED; elapsed += STEP) {
			const layout = await layouts.read(device);
			// Two moves in a row, and there is code in that half again: then once more.
			const moved = layout?.running !== before?.running && layout?.draining === false;
			if (used === undefined && moved && (await overwrite(device, build, pointer))) used = layout?.epoch;
			if ((await device.run(STEP)) === "time") continue;
			const fault = device.records().at(-1);
			const [reason, pc] = [String(fault?.reason), Number(fault?.pc)];
			return { pointer, read: before?.epoch ?? 0, used: used ?? 0, reason, pc };
		}
	}
	throw new Error(`the code did not move before ${TRIES} answers`);
}

/** Puts a pointer over all return addresses on the stack of background work. Whether there are any. */
async function overwrite(device: Device, build: Build, pointer: number): Promise<boolean> {
	const [first = 0, last = 0] = ["__host_start", "__library_end"].map((name) => build.symbols.get(name));
	const stack = Buffer.from(await device.readMemory("pc_fibre_stack", STACK));
	let found = false;
	for (let at = 0; at < STACK; at += 4) {
		const word = stack.readUInt32LE(at);
		if (word % 2 === 0 || word < first || word >= last) continue;
		stack.writeUInt32LE(pointer, at);
		found = true;
	}
	if (found) await device.writeMemory("pc_fibre_stack", stack);
	return found;
}

/** Challenges the device while some bytes of its flash are others, and puts them back. */
async function attacked(
	device: Device,
	challenger: Challenger,
	address: number,
	change: (bytes: Uint8Array) => Uint8Array,
	size = 1,
): Promise<Answer> {
	const bytes = await device.readMemory(address, size);
	await device.writeMemory(address, change(bytes));
	const answer = await challenger.attest();
	await device.writeMemory(address, bytes);
	return answer;
}
