// The device's synthetic ECG as a recording with known beats: for the demo and for tests of the detector.

import { SyntheticEcg, type SyntheticOptions } from "../../firmware/sensors/ecg/synthetic.ts";
import type { Recording } from "./record.ts";

export interface SyntheticRecording extends Recording {
	/** Sample indices of the R peaks. */
	readonly beats: readonly number[];
}

/** `seconds` of synthetic ECG; 250 Hz and 200 units per millivolt unless told otherwise. */
export function syntheticRecording(
	options: Partial<SyntheticOptions> & { readonly seconds: number },
): SyntheticRecording {
	const { seconds, sampleRate = 250, unitsPerMillivolt = 200 } = options;
	const ecg = new SyntheticEcg({ ...options, sampleRate, unitsPerMillivolt });
	const samples = new Int16Array(Math.round(seconds * sampleRate));
	const beats: number[] = [];
	const one = [0];
	for (let i = 0; i < samples.length; i++) {
		ecg.read(one, 1);
		samples[i] = one[0] as number;
		if (ecg.lastPeak >= 0 && ecg.lastPeak !== beats.at(-1)) {
			beats.push(ecg.lastPeak);
		}
	}
	return {
		name: "synthetic",
		sampleRate,
		signals: [{ name: "ECG", unitsPerMillivolt, baseline: 0, bits: 16, low: -32768, high: 32767, samples }],
		beats: beats.filter((beat) => beat < samples.length),
	};
}
