/* xs_crc.c: natives of pericard/crc. */
#include "crc.h"

#include "xsmc.h"

#include <stdbool.h>

typedef struct {
	const uint8_t *data;
	size_t size;
} range;

/* (buffer, start or undefined, end or undefined) */
static range range_of(xsMachine *the) {
	void *data;
	xsUnsignedValue size;
	bool to_end = xsmcArgc <= 2 || xsmcTypeOf(xsArg(2)) == xsUndefinedType;
	xsIntegerValue start = xsmcArgc > 1 && xsmcTypeOf(xsArg(1)) != xsUndefinedType ? xsmcToInteger(xsArg(1)) : 0;
	xsIntegerValue end = to_end ? 0 : xsmcToInteger(xsArg(2));
	/* The buffer last: a conversion may run JavaScript, and a collection moves buffers. */
	xsmcGetBufferReadable(xsArg(0), &data, &size);
	if (to_end) {
		end = (xsIntegerValue)size;
	}
	if (start < 0 || end < start || (xsUnsignedValue)end > size) {
		xsRangeError("crc: range %d to %d is outside of 0 to %d", (int)start, (int)end, (int)size);
	}
	return (range){(const uint8_t *)data + start, (size_t)(end - start)};
}

void xs_crc16(xsMachine *the) {
	range bytes = range_of(the);
	xsmcSetInteger(xsResult, pc_crc16(0xFFFFu, bytes.data, bytes.size));
}

void xs_crc32(xsMachine *the) {
	range bytes = range_of(the);
	xsmcSetNumber(xsResult, (xsNumberValue)pc_crc32(0, bytes.data, bytes.size));
}
