/* digital.c: natives of embedded:io/digital over hal.h. */
#include "hal.h"

#include "xsmc.h"

/* Edges that were seen and not yet told. */
static uint64_t edges_left;

/* (pin, mode, edges) */
void xs_digital_open(xsMachine *the) {
	xsNumberValue number = xsmcToNumber(xsArg(0));
	xsIntegerValue pin = number >= 0 && number < 64 ? (xsIntegerValue)number : -1;
	xsIntegerValue mode = xsmcToInteger(xsArg(1));
	xsIntegerValue edges = xsmcToInteger(xsArg(2));
	if ((xsNumberValue)pin != number) {
		xsRangeError("digital: pin is not on this board");
	}
	switch (hal_gpio_open((unsigned)pin, (hal_gpio_mode)mode, (unsigned)edges & 3u)) {
	case HAL_OK:
		return;
	case HAL_BUSY:
		xsRangeError("digital: pin %d is in use", (int)pin);
		return;
	case HAL_RANGE:
		xsRangeError("digital: pin %d does not have mode %d or its edges", (int)pin, (int)mode);
		return;
	default:
		xsRangeError("digital: pin %d is not on this board", (int)pin);
	}
}

void xs_digital_close(xsMachine *the) {
	unsigned pin = (unsigned)xsmcToInteger(xsArg(0));
	hal_gpio_close(pin);
	edges_left &= ~(UINT64_C(1) << (pin & 63u)); /* they are not its next owner's */
}

void xs_digital_read(xsMachine *the) {
	xsmcSetInteger(xsResult, hal_gpio_read((unsigned)xsmcToInteger(xsArg(0))) ? 1 : 0);
}

void xs_digital_write(xsMachine *the) {
	hal_gpio_write((unsigned)xsmcToInteger(xsArg(0)), xsmcToBoolean(xsArg(1)));
}

/* () -> the next pin with an edge, or undefined */
void xs_digital_edge(xsMachine *the) {
	edges_left |= hal_gpio_edges_take();
	for (unsigned pin = 0; pin < 64; pin++) {
		if ((edges_left >> pin & 1u) != 0) {
			edges_left &= ~(UINT64_C(1) << pin);
			xsmcSetInteger(xsResult, (xsIntegerValue)pin);
			return;
		}
	}
}
