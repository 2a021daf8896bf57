// Where the value of a characteristic goes when it changes. Without a radio: into the application's reports.

/** Sends `value` to whoever has subscribed to the characteristic `uuid` (assigned number, hexadecimal). */
export type Notify = (uuid: string, value: Uint8Array) => void;

const DIGITS = "0123456789abcdef";

function hexadecimal(bytes: Uint8Array): string {
	let text = "";
	for (let i = 0; i < bytes.length; i++) {
		const byte = bytes[i] as number;
		text += (DIGITS[byte >> 4] as string) + (DIGITS[byte & 15] as string);
	}
	return text;
}

/** A Notify that makes a report `notify` of `{uuid, value}`, the value in hexadecimal. */
export function reportingNotifier(report: (type: string, data: object) => void): Notify {
	return (uuid, value) => report("notify", { uuid, value: hexadecimal(value) });
}
