// The noise source of an emulated device: a seed, and what is wrong with it. hosts/common/emulated/noise.h says what the
// firmware makes of it, renode-platforms/models/NrfRng.cs what the RNG of the nRF does.

import type { DeviceOptions } from "./device.ts";

/** Where a board without a noise source of its own finds pc_noise_record. */
export const NOISE_SYMBOL = "pc_noise";

export interface Noise {
	/** 63 bits: differs at each power-on. */
	readonly seed: bigint;
	readonly fault: keyof typeof FAULTS;
	readonly after: number;
}

const FAULTS = { works: 0, stuck: 1, biased: 2, absent: 3 };
const MAGIC = 0x44454553;
const WORD = (1n << 64n) - 1n;

/** splitmix64, as in noise.c. */
function spread(seed: bigint): bigint {
	let x = (seed + 0x9e3779b97f4a7c15n) & WORD;
	x = ((x ^ (x >> 30n)) * 0xbf58476d1ce4e5b9n) & WORD;
	x = ((x ^ (x >> 27n)) * 0x94d049bb133111ebn) & WORD;
	return x ^ (x >> 31n);
}

/** The noise of a device at its n-th power-on, from 0. Throws RangeError for a seed that is none. */
export function noiseAt(options: DeviceOptions, boot: number): Noise {
	const { seed = 1, noise } = options;
	if (!Number.isSafeInteger(seed) || seed < 0) throw new RangeError(`${seed} is no seed: an integer from 0`);
	return {
		seed: boot === 0 ? BigInt(seed) : (spread(BigInt(seed)) ^ BigInt(boot)) >> 1n,
		fault: noise?.kind ?? "works",
		after: noise?.after ?? 0,
	};
}

/** pc_noise_record, as pc_noise_begin() makes it. */
export function noiseRecord(noise: Noise): Uint8Array {
	const view = new DataView(new ArrayBuffer(24));
	view.setUint32(0, MAGIC, true);
	view.setUint32(4, FAULTS[noise.fault], true);
	view.setUint32(8, noise.after, true);
	view.setBigUint64(16, spread(noise.seed) || 1n, true);
	return new Uint8Array(view.buffer);
}
