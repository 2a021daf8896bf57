/* options.c: the boards of an emulator have no option bytes, and no debug port that an owner could lock. */
#include "hal.h"

bool hal_debug_locked(void) {
	return true;
}

bool hal_option_bytes(const uint8_t **data, size_t *size) {
	(void)data;
	(void)size;
	return false;
}

void hal_option_bytes_read(uint8_t *to, const uint8_t *from, size_t size) {
	(void)to;
	(void)from;
	(void)size;
}
