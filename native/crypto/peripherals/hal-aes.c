/* hal-aes.c: the board's AES block behind hal_aes128_encrypt(), for peripheral-aes.h. */
#include "choice.h"

#if PC_ENGINE_AES_HAL

#include "hal.h"
#include "peripheral-aes.h"

/* From begin to end; the caller's, who keeps it that long. */
static const uint8_t *loaded;

static pc_peripheral_status begin(const uint8_t *key, size_t key_size) {
	if (key_size != 16) {
		return PC_PERIPHERAL_UNSUPPORTED;
	}
	loaded = key;
	return PC_PERIPHERAL_OK;
}

static pc_peripheral_status encrypt(uint8_t *blocks, size_t count) {
	switch (hal_aes128_encrypt(loaded, blocks, count)) {
	case HAL_OK:
		return PC_PERIPHERAL_OK;
	case HAL_UNSUPPORTED:
		return PC_PERIPHERAL_UNSUPPORTED;
	case HAL_BUSY:
		return PC_PERIPHERAL_BUSY;
	default:
		return PC_PERIPHERAL_SILENT;
	}
}

static void end(void) {
	loaded = NULL;
}

const pc_block_peripheral pc_aes_peripheral = {begin, encrypt, end};

#endif
