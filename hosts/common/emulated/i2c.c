/* i2c.c: the boards of an emulator have no I2C bus, and say so. */
#include "hal.h"

hal_status hal_i2c_open(unsigned bus, unsigned data_pin, unsigned clock_pin, uint32_t hz) {
	(void)bus;
	(void)data_pin;
	(void)clock_pin;
	(void)hz;
	return HAL_UNSUPPORTED;
}

void hal_i2c_close(unsigned bus) {
	(void)bus;
}

hal_status hal_i2c_write(unsigned bus, uint8_t address, const uint8_t *data, size_t size, bool stop) {
	(void)bus;
	(void)address;
	(void)data;
	(void)size;
	(void)stop;
	return HAL_UNSUPPORTED;
}

hal_status hal_i2c_read(unsigned bus, uint8_t address, uint8_t *data, size_t size, bool stop) {
	(void)bus;
	(void)address;
	(void)data;
	(void)size;
	(void)stop;
	return HAL_UNSUPPORTED;
}
