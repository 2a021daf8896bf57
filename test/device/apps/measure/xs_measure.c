/* xs_measure.c: the image's regions, and their measurement, for a test. */
#include "crypto.h"
#include "harness.h"
#include "identity.h"
#include "image.h"

#include "xsmc.h"

#include <stdio.h>
#include <string.h>

typedef struct {
	uint8_t *data;
	size_t size, room;
} log_buffer;

static void append(void *context, const uint8_t *data, size_t size) {
	log_buffer *log = context;
	if (size <= log->room - log->size) {
		memcpy(log->data + log->size, data, size);
	}
	log->size += size;
}

/* (index) -> "component name address size" */
void xs_region_at(xsMachine *the) {
	xsIntegerValue index = xsmcToInteger(xsArg(0));
	pc_image image;
	pc_region_iterator iterator;
	pc_region region;
	pc_image_open(&image);
	pc_region_begin(&iterator, &image);
	for (xsIntegerValue i = 0; pc_region_next(&iterator, &region); i++) {
		if (i == index) {
			char text[PC_MEASURE_NAME + 64];
			snprintf(text, sizeof text, "%s %lu %lu %s", pc_component_names[region.component],
				(unsigned long)(uintptr_t)region.data, (unsigned long)region.size, region.name);
			xsmcSetString(xsResult, text);
			return;
		}
	}
}

static void mark(uint32_t instructions) {
	(void)instructions;
	pc_mark();
}

/* (count) -> the four values, then the log. pc_mark() before and after; with count, at each count of work too. */
void xs_measure(xsMachine *the) {
	static uint8_t bytes[PC_COMPONENTS * PC_MEASURE_DIGEST + 4096];
	uint8_t values[PC_COMPONENTS][PC_MEASURE_DIGEST];
	pc_image image;
	log_buffer log = {bytes + sizeof values, 0, sizeof bytes - sizeof values};
	void (*before)(uint32_t) = pc_crypto_spend;
	if (xsmcToBoolean(xsArg(0))) {
		pc_crypto_spend = mark;
	}
	pc_image_open(&image);
	pc_mark();
	pc_measure_image(&image, append, &log, values);
	pc_mark();
	pc_crypto_spend = before;
	if (log.size > log.room || log.size != pc_measure_log_size(&image)) {
		xsRangeError("a log of %d bytes", (int)log.size);
	}
	memcpy(bytes, values, sizeof values);
	xsmcSetArrayBuffer(xsResult, bytes, (xsIntegerValue)(sizeof values + log.size));
}

void xs_lifecycle(xsMachine *the) {
	xsmcSetInteger(xsResult, pc_identity_lifecycle());
}

/* Nobody calls it. */
void xs_spare(xsMachine *the) {
	xsmcSetInteger(xsResult, 0x5A5A);
}
