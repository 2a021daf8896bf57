/* i2c.c: natives of embedded:io/i2c over hal.h. */
#include "hal.h"

#include "xsmc.h"

static void check(xsMachine *the, hal_status status, int address) {
	switch (status) {
	case HAL_OK:
		return;
	case HAL_NACK:
		xsUnknownError("i2c: no answer from address 0x%02x", address);
		return;
	case HAL_TIMEOUT:
		xsUnknownError("i2c: time-out at address 0x%02x: is the bus held low?", address);
		return;
	case HAL_BUSY:
		xsUnknownError("i2c: bus is in use with other pins or speed");
		return;
	case HAL_RANGE:
		xsRangeError("i2c: pins or speed are out of range");
		return;
	case HAL_UNSUPPORTED:
		xsRangeError("i2c: no such bus on this board");
		return;
	default:
		xsUnknownError("i2c: bus fault");
	}
}

/* (bus, data pin, clock pin, hz) */
void xs_i2c_open(xsMachine *the) {
	xsIntegerValue bus = xsmcToInteger(xsArg(0));
	xsNumberValue hz = xsmcToNumber(xsArg(3));
	if (bus < 0 || !(hz >= 1 && hz <= 5e6)) {
		xsRangeError("i2c: bus %d or its speed is out of range (1 to 5000000 Hz)", (int)bus);
	}
	check(the,
		hal_i2c_open((unsigned)bus, (unsigned)xsmcToInteger(xsArg(1)), (unsigned)xsmcToInteger(xsArg(2)), (uint32_t)hz),
		0);
}

void xs_i2c_close(xsMachine *the) {
	hal_i2c_close((unsigned)xsmcToInteger(xsArg(0)));
}

/* (bus, address, buffer, stop) */
void xs_i2c_read(xsMachine *the) {
	void *data;
	xsUnsignedValue size;
	unsigned bus = (unsigned)xsmcToInteger(xsArg(0));
	int address = xsmcToInteger(xsArg(1));
	bool stop = xsmcToBoolean(xsArg(3));
	xsmcGetBufferWritable(xsArg(2), &data, &size);
	check(the, hal_i2c_read(bus, (uint8_t)address, data, size, stop), address);
}

/* (bus, address, buffer, stop) */
void xs_i2c_write(xsMachine *the) {
	void *data;
	xsUnsignedValue size;
	unsigned bus = (unsigned)xsmcToInteger(xsArg(0));
	int address = xsmcToInteger(xsArg(1));
	bool stop = xsmcToBoolean(xsArg(3));
	xsmcGetBufferReadable(xsArg(2), &data, &size);
	check(the, hal_i2c_write(bus, (uint8_t)address, data, size, stop), address);
}
