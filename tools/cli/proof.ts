// The end of the demo: the running device proves what it is, and three attacks on it are caught.

import { readFileSync } from "node:fs";
import { readBoard } from "../build/board.ts";
import type { Build } from "../build/build.ts";
import { imageRegions } from "../build/reference.ts";
import type { Device } from "../harness/device.ts";
import { ManagementClient } from "../harness/management.ts";
import { type Answer, Challenger } from "../verifier/challenger.ts";
import type { AttestationResult } from "../verifier/verifier.ts";
import { policyFor } from "./attest.ts";

/** The module that the first attack changes, and the C function that the second replaces. */
const MODULE = "pericard/signal/qrs";
const FUNCTION = "pc_crc16";
/** Thumb: movs r0, #0; bx lr */
const RETURN_ZERO = Uint8Array.of(0x00, 0x20, 0x70, 0x47);

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
	return verdicts.every(({ verdict }, index) => verdict === (index === 0 ? "affirming" : "contraindicated"));
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
