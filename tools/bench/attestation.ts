// What attestation costs: instructions of a challenge, the longest time for which it holds everything else up, and the flash and
// RAM that an app pays for it.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Build, buildFirmware } from "../build/build.ts";
import { openDevice } from "../harness/device.ts";
import { ManagementClient } from "../harness/management.ts";

const ATTESTATION = "$(PERICARD)/manifests/attestation.json";
const RELOCATION = "$(PERICARD)/manifests/relocation.json";

/** Bytes that parts of an app add to its image. */
export interface Additions {
	readonly attestation: { readonly flash: number; readonly ram: number };
	/** Code that moves; nothing on boards where none does. */
	readonly relocation: { readonly flash: number; readonly ram: number };
}

/** What attestation adds to an app's image whose code stays in flash, and what it adds to that that code moves. `size`: of the app as
 * it is. */
export async function additions(app: string, board: string, size: Build["size"], out: string): Promise<Additions> {
	const build = async (name: string, ...left: readonly string[]) =>
		(await buildFirmware({ app: without(app, left, join(out, name)), board, out: join(out, name) })).size;
	const more = (one: Build["size"], other: Build["size"]) => ({
		flash: one.flashTotal - other.flashTotal,
		ram: one.ramTotal - other.ramTotal,
	});
	const fixed = await build("without-relocation", RELOCATION);
	const plain = await build("without-attestation", RELOCATION, ATTESTATION);
	return { attestation: more(fixed, plain), relocation: more(size, fixed) };
}

/** A folder with the app's manifest but for some includes. */
function without(app: string, left: readonly string[], out: string): string {
	const manifest = JSON.parse(readFileSync(join(app, "manifest.json"), "utf8")) as {
		include: string[];
		modules: Record<string, string | string[]>;
	};
	const missing = left.find((file) => !manifest.include.includes(file));
	if (missing !== undefined) throw new Error(`${app} does not include ${missing}`);
	const include = manifest.include.filter((file) => !left.includes(file));
	const modules = Object.fromEntries(
		Object.entries(manifest.modules).map(([name, files]) => [name, [files].flat().map((file) => resolve(app, file))]),
	);
	const folder = resolve(out, "manifests", app.split("/").at(-1) ?? "app");
	mkdirSync(folder, { recursive: true });
	writeFileSync(join(folder, "manifest.json"), JSON.stringify({ ...manifest, include, modules }, null, "\t"));
	return folder;
}

export interface AttestationCost {
	/** Instructions of a challenge, from its first byte to the last of the evidence, beside what the device does anyway. */
	readonly total: number;
	/** Instructions of the longest slice: events and timers wait for it. */
	readonly longestSlice: number;
	/** Bytes of the token for a nonce of 32 bytes. */
	readonly tokenBytes: number;
}

/** Seconds in which the device boots and makes its key, and in which it attests. */
const BOOT_SECONDS = 1;
const ATTEST_SECONDS = 2;

/** Measures a device that is idle but for the challenge, in QEMU. */
export async function attestationCost(build: Build): Promise<AttestationCost> {
	const markAt = ["hal_fibre_resume", "hal_fibre_suspend"];
	const run = async (challenge: boolean) => {
		const device = await openDevice(build, { emulator: "qemu", markAt });
		try {
			await device.start();
			await device.run(BOOT_SECONDS);
			const client = new ManagementClient(device);
			const before = await device.instructions();
			const skip = (await device.marks()).length;
			const sequence = challenge ? client.challenge(new Uint8Array(32)) : undefined;
			await device.run(ATTEST_SECONDS);
			const instructions = Number((await device.instructions()) - before);
			const marks = (await device.marks()).slice(skip).map(Number);
			const token = sequence === undefined ? undefined : (await client.evidence(sequence)).token;
			return { instructions, marks, token };
		} finally {
			await device.stop();
		}
	};
	const idle = await run(false);
	const { instructions, marks, token } = await run(true);
	const slices = marks.flatMap((mark, index) => (index % 2 === 1 ? [mark - (marks[index - 1] ?? 0)] : []));
	if (slices.length === 0 || token === undefined) throw new Error("the device has not attested");
	return {
		total: instructions - idle.instructions,
		longestSlice: Math.max(...slices),
		tokenBytes: token.length,
	};
}
