// The boards that a device test runs on, and the images that it runs there.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe } from "vitest";
import { type Build, type BuildOptions, buildFirmware } from "../../tools/build/build.ts";
import { type Device, type DeviceOptions, type Emulator, openDevice } from "../../tools/harness/device.ts";
import { RenodeDevice, RenodeServer } from "../../tools/harness/renode.ts";
import { which } from "../../tools/requirements.mjs";

/** A board in one of its emulators. */
export interface Place {
	readonly board: string;
	readonly emulator: Emulator;
}

export const posix: Place = { board: "posix", emulator: "posix" };
export const mps2: Place = { board: "mps2-an386", emulator: "qemu" };
export const mps2Renode: Place = { board: "mps2-an386", emulator: "renode" };
export const nrf: Place = { board: "nrf52840dk", emulator: "renode" };

/** Every board once. That both emulators of mps2-an386 do the same, tests of Renode and of random numbers show. */
export const eachBoard: readonly Place[] = [posix, mps2, nrf];
/** The two that need nothing but packages. */
export const tierOne: readonly Place[] = [posix, mps2];

const root = join(import.meta.dirname, "../..");
const builds = new Map<string, Promise<Build>>();
let out: string | undefined;

function scratch(): string {
	out ??= mkdtempSync(join(tmpdir(), "pericard-test-"));
	return out;
}

/** Path of a test's app, or of a firmware app. */
export function appPath(name: string): string {
	return join(root, name.includes("/") ? name : `test/device/apps/${name}`);
}

export interface AppOptions {
	readonly debug?: boolean;
	readonly sanitize?: boolean;
	readonly config?: Readonly<Record<string, string>>;
	/** When code moves, in place of what the app's manifest says; "none": not at all. */
	readonly relocation?: BuildOptions["relocation"];
}

/** The image of an app for a board; built once a test file. On posix with AddressSanitizer and UBSan. */
export function image(name: string, board: string, options: AppOptions = {}): Promise<Build> {
	const sanitize = options.sanitize ?? board === "posix";
	const key = JSON.stringify([name, board, options]);
	let build = builds.get(key);
	if (build === undefined) {
		const dir = join(scratch(), String(builds.size));
		build = buildFirmware({ app: appPath(name), board, out: dir, ...options, sanitize });
		builds.set(key, build);
	}
	return build;
}

/* Renode takes seconds to start: one for each board serves all devices of a test file. */
const servers = new Map<string, Promise<RenodeServer>>();

async function makeDevice(build: Build, emulator: Emulator, options: DeviceOptions): Promise<Device> {
	if (emulator !== "renode") return openDevice(build, { ...options, emulator });
	const server = servers.get(build.board) ?? RenodeServer.start(scratch());
	servers.set(build.board, server);
	return new RenodeDevice(build, { ...options, server: await server });
}

afterAll(async () => {
	for (const server of servers.values()) await (await server).stop();
	servers.clear();
	if (out !== undefined) rmSync(out, { recursive: true, force: true });
	out = undefined;
	builds.clear();
});

/** Runs `body` with a started device, and stops it. */
export async function withDevice<T>(
	place: Place,
	app: string,
	body: (device: Device, build: Build) => Promise<T>,
	options: AppOptions & { readonly device?: DeviceOptions } = {},
): Promise<T> {
	const { device: deviceOptions, ...appOptions } = options;
	const build = await image(app, place.board, appOptions);
	return withBuild(place, build, (device) => body(device, build), deviceOptions);
}

/** The same with an image that is there already, such as a patched one (patch.ts). */
export async function withBuild<T>(
	place: Place,
	build: Build,
	body: (device: Device) => Promise<T>,
	options: DeviceOptions = {},
): Promise<T> {
	const device = await makeDevice(build, place.emulator, options);
	try {
		await device.start();
		return await body(device);
	} finally {
		await device.stop();
	}
}

/** Describes the same tests at several places. Where Renode is absent its tests are skipped, by name. */
export function describeAt(places: readonly Place[], name: string, body: (place: Place) => void): void {
	for (const place of places) {
		const absent = place.emulator === "renode" && which("renode") === undefined;
		const where = place.board === place.emulator ? place.board : `${place.board} in ${place.emulator}`;
		describe.skipIf(absent)(`${name}: ${where}${absent ? " (skipped: renode is not on PATH)" : ""}`, () => body(place));
	}
}
