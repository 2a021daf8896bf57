// What an ECG sensor needs of the electronics below it, so that a simulated front end and a chip are interchangeable.

import type { EcgFormat } from "./codec.ts";

/**
 * Why a stretch of signal must not be trusted:
 * - `corrupt-frame`: bytes that are no valid frame; their samples are lost
 * - `gap`: the sequence jumped; samples are missing
 * - `saturation`: the ADC stood on a rail
 * - `lead-off`: an electrode is off the skin
 * - `no-signal`: the front end has not sent what was due for 250 ms
 * - `bad-format`: the front end announced a format that is out of range, or sent samples before any format
 */
export type EcgFault = "corrupt-frame" | "gap" | "saturation" | "lead-off" | "no-signal" | "bad-format";

/**
 * What poll() found: a batch (samples, a fault, or samples with a fault that spoils them), or that the record has ended
 * and nothing follows; undefined when nothing is due.
 */
export type Polled = "batch" | "end" | undefined;

/** Holds one batch at a time: its fields are valid after "batch" until the next poll(). */
export interface FrontEnd {
	/** Who made it, for the sensor's identification. */
	readonly model: string;
	/** It has shown a sign of life, be it a damaged one. */
	readonly attached: boolean;
	/** Null until the front end has told it. */
	readonly format: EcgFormat | null;
	/** Index of the batch's first sample, counted from the start of the record; missing samples count. */
	readonly index: number;
	/** Samples in the batch; 0 when it only tells of a fault. */
	readonly count: number;
	/** The first `count` entries are ADC units. */
	readonly samples: readonly number[];
	readonly fault: EcgFault | null;
	/** Takes the next batch that is due at `ticks` (milliseconds of the sensor's clock). */
	poll(ticks: number): Polled;
	close(): void;
}
