/* serial.c: natives of embedded:io/serial over hal.h. A serial port is its number; the class in serial.ts owns it. */
#include "hal.h"

#include "xsmc.h"

static const char *reason(hal_status status, unsigned port) {
	switch (status) {
	case HAL_BUSY:
		return port == HAL_UART_CONSOLE ? "in use: it is the console" : "in use";
	case HAL_RANGE:
		return "baud is out of range";
	default:
		return "not on this board";
	}
}

/* (port, baud) */
void xs_serial_open(xsMachine *the) {
	xsNumberValue number = xsmcToNumber(xsArg(0));
	xsIntegerValue port = number >= 0 && number < 256 ? (xsIntegerValue)number : -1;
	xsNumberValue baud = xsmcToNumber(xsArg(1));
	if (!(baud >= 1 && baud <= 8e6)) {
		xsRangeError("serial: baud is out of range (1 to 8000000)");
	}
	if ((xsNumberValue)port != number) {
		xsRangeError("serial: port is not on this board");
	}
	hal_status status = hal_uart_open((unsigned)port, (uint32_t)baud);
	if (status != HAL_OK) {
		xsRangeError("serial: port %d: %s", (int)port, reason(status, (unsigned)port));
	}
}

void xs_serial_close(xsMachine *the) {
	hal_uart_close((unsigned)xsmcToInteger(xsArg(0)));
}

void xs_serial_readable(xsMachine *the) {
	xsmcSetInteger(xsResult, (xsIntegerValue)hal_uart_readable((unsigned)xsmcToInteger(xsArg(0))));
}

void xs_serial_writable(xsMachine *the) {
	xsmcSetInteger(xsResult, (xsIntegerValue)hal_uart_writable((unsigned)xsmcToInteger(xsArg(0))));
}

void xs_serial_errors(xsMachine *the) {
	xsmcSetInteger(xsResult, (xsIntegerValue)hal_uart_errors((unsigned)xsmcToInteger(xsArg(0))));
}

/* (port) -> byte, or undefined when none waits */
void xs_serial_read_byte(xsMachine *the) {
	uint8_t byte;
	if (hal_uart_read((unsigned)xsmcToInteger(xsArg(0)), &byte, 1) == 1) {
		xsmcSetInteger(xsResult, byte);
	}
}

/* (port, buffer) -> bytes read into the buffer */
void xs_serial_read(xsMachine *the) {
	void *data;
	xsUnsignedValue size;
	unsigned port = (unsigned)xsmcToInteger(xsArg(0));
	xsmcGetBufferWritable(xsArg(1), &data, &size);
	xsmcSetInteger(xsResult, (xsIntegerValue)hal_uart_read(port, data, size));
}

/* (port, byte or buffer) -> bytes taken */
void xs_serial_write(xsMachine *the) {
	unsigned port = (unsigned)xsmcToInteger(xsArg(0));
	if (xsmcTypeOf(xsArg(1)) == xsReferenceType) {
		void *data;
		xsUnsignedValue size;
		xsmcGetBufferReadable(xsArg(1), &data, &size);
		xsmcSetInteger(xsResult, (xsIntegerValue)hal_uart_write(port, data, size));
	} else {
		uint8_t byte = (uint8_t)xsmcToInteger(xsArg(1));
		xsmcSetInteger(xsResult, (xsIntegerValue)hal_uart_write(port, &byte, 1));
	}
}

void xs_serial_flush(xsMachine *the) {
	hal_uart_flush((unsigned)xsmcToInteger(xsArg(0)));
}
