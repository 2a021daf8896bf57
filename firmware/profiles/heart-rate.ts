// The Heart Rate Measurement characteristic (0x2A37) of the Bluetooth Heart Rate Service 1.0: exact bytes, both ways.
//
//   u8    flags: bit 0 rate is u16, bits 1..2 sensor contact (0 not supported, 2 supported and off, 3 supported and on),
//         bit 3 energy expended follows (never here), bit 4 R-R intervals follow
//   u8/16 heart rate in beats per minute
//   u16   each R-R interval in 1/1024 s, oldest first
// All little-endian.

/** Assigned number of the characteristic. */
export const HEART_RATE_MEASUREMENT = "2a37";

export interface HeartRateMeasurement {
	/** Beats per minute, 0..65535, a whole number; sent in one byte up to 255. */
	readonly bpm: number;
	/** Whether the electrodes touch the skin; null when the sensor cannot tell. */
	readonly contact: boolean | null;
	/** R-R intervals in seconds since the last measurement, oldest first; each under 64 s. */
	readonly rr: readonly number[];
}

const FLAG_16_BIT = 0x01;
const FLAG_CONTACT = 0x02;
const FLAG_CONTACT_SUPPORTED = 0x04;
const FLAG_ENERGY = 0x08;
const FLAG_RR = 0x10;

/** A notification over the default ATT_MTU of 23 has room for 20 bytes. */
const MOST_BYTES = 20;

/** @throws RangeError */
export function encodeHeartRate({ bpm, contact, rr }: HeartRateMeasurement): Uint8Array {
	if (!(Number.isInteger(bpm) && bpm >= 0 && bpm <= 65535)) {
		throw new RangeError(`heart rate is ${bpm}, expected a whole number of 0..65535`);
	}
	const wide = bpm > 255;
	const length = (wide ? 3 : 2) + 2 * rr.length;
	if (length > MOST_BYTES) {
		throw new RangeError(
			`${rr.length} R-R intervals do not fit into ${MOST_BYTES} bytes; send them in two measurements`,
		);
	}
	const bytes = new Uint8Array(length);
	const view = new DataView(bytes.buffer);
	let flags = 0;
	if (contact !== null) {
		flags |= contact ? FLAG_CONTACT_SUPPORTED | FLAG_CONTACT : FLAG_CONTACT_SUPPORTED;
	}
	let at = 2;
	if (wide) {
		flags |= FLAG_16_BIT;
		view.setUint16(1, bpm, true);
		at = 3;
	} else {
		bytes[1] = bpm;
	}
	if (rr.length > 0) {
		flags |= FLAG_RR;
	}
	bytes[0] = flags;
	for (const interval of rr) {
		const units = Math.round(interval * 1024);
		if (!(units >= 0 && units <= 65535)) {
			throw new RangeError(`R-R interval is ${interval} s, expected 0..63.999`);
		}
		view.setUint16(at, units, true);
		at += 2;
	}
	return bytes;
}

/** @throws RangeError for bytes that are no Heart Rate Measurement. Skips energy expended. */
export function decodeHeartRate(bytes: Uint8Array): HeartRateMeasurement {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const flags = bytes[0] ?? 0;
	const wide = (flags & FLAG_16_BIT) !== 0;
	let at = (wide ? 3 : 2) + (flags & FLAG_ENERGY ? 2 : 0);
	if (bytes.length < at || (flags & FLAG_RR ? (bytes.length - at) % 2 !== 0 : bytes.length !== at)) {
		throw new RangeError(`heart rate measurement: ${bytes.length} bytes do not fit flags 0x${flags.toString(16)}`);
	}
	const rr: number[] = [];
	for (; at < bytes.length; at += 2) {
		rr.push(view.getUint16(at, true) / 1024);
	}
	return {
		bpm: wide ? view.getUint16(1, true) : view.getUint8(1),
		contact: flags & FLAG_CONTACT_SUPPORTED ? (flags & FLAG_CONTACT) !== 0 : null,
		rr,
	};
}
