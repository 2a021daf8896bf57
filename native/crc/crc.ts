// pericard/crc: the cyclic redundancy checks of Pericard's formats. They find accidents, not attackers.

type Bytes = ArrayBuffer | ArrayBufferView;

const crc16of: (buffer: Bytes, start?: number, end?: number) => number = native("xs_crc16");
const crc32of: (buffer: Bytes, start?: number, end?: number) => number = native("xs_crc32");

/** CRC-16/IBM-3740 ("CCITT-FALSE") of bytes [start, end) of `buffer`. Throws a RangeError outside of the buffer. */
export function crc16(buffer: Bytes, start?: number, end?: number): number {
	return crc16of(buffer, start, end);
}

/** CRC-32/ISO-HDLC (IEEE 802.3, zlib) of bytes [start, end) of `buffer`. Throws a RangeError outside of the buffer. */
export function crc32(buffer: Bytes, start?: number, end?: number): number {
	return crc32of(buffer, start, end);
}
