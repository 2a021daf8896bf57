// What attestation costs: instructions of a challenge, the longest time for which it holds everything else up, and the flash and
// RAM that an app pays for it.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Build, buildFirmware } from "../build/build.ts";
import { openDevice } from "../harness/device.ts";
import { ManagementClient } from "../harness/management.ts";

const INCLUDE = "$(PERICARD)/manifests/attestation.json";

/** Bytes that attestation adds to an app's image. */
export interface AttestationSize {
	readonly flash: number;
	readonly ram: number;
}

/** Builds the app twice: with and without the include that lets it attest. Its code stays in flash: what it costs that code moves is
 * a figure of its own. */
export async function attestationSize(app: string, board: string, out: string): Promise<AttestationSize> {
	const build = async (app: string, folder: string) =>
		(await buildFirmware({ app, board, out: join(out, folder), relocation: "none" })).size;
	const attesting = await build(app, "with-attestation");
	const plain = await build(withoutAttestation(app, out), "without-attestation");
	return { flash: attesting.flashTotal - plain.flashTotal, ram: attesting.ramTotal - plain.ramTotal };
}

/** A folder with the app's manifest but for that include. */
function withoutAttestation(app: string, out: string): string {
	const manifest = JSON.parse(readFileSync(join(app, "manifest.json"), "utf8")) as {
		include: string[];
		modules: Record<string, string | string[]>;
	};
	if (!manifest.include.includes(INCLUDE)) throw new Error(`${app} does not include ${INCLUDE}`);
	const include = manifest.include.filter((file) => file !== INCLUDE);
	const modules = Object.fromEntries(
		Object.entries(manifest.modules).map(([name, files]) => [name, [files].flat().map((file) => resolve(app, file))]),
	);
	const folder = resolve(out, "without-attestation", "manifests", app.split("/").at(-1) ?? "app");
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
