/*
 * esp32c3-aes.c: the AES accelerator of the ESP32-C3 as the block peripheral of peripheral-aes.h: AES-128 and AES-256, by the
 * manual's "typical AES working mode", consecutive operations (18.4.3). Its own CTR needs DMA and can't be checked before its
 * result is in the caller's memory; blocks through registers can.
 */
#include "choice.h"

#if PC_ENGINE_ESP32C3

#include "../kernels/bytes.h"
#include "esp32c3.h"
#include "peripheral-aes.h"

static void write_text(const uint8_t text[16]) {
	for (unsigned i = 0; i < 4; i++) {
		pc_esp32c3_write(ESP32C3_AES_TEXT_IN(i), pc_load_le(text + 4 * i));
	}
}

static bool run(void) {
	pc_esp32c3_write(ESP32C3_AES_TRIGGER, 1);
	return pc_esp32c3_wait(ESP32C3_AES_STATE, ESP32C3_AES_STATE_IDLE);
}

static pc_peripheral_status begin(const uint8_t *key, size_t key_size) {
	pc_peripheral_status status = pc_esp32c3_take(ESP32C3_AES_BIT);
	if (status != PC_PERIPHERAL_OK) {
		return status;
	}
	pc_esp32c3_write(ESP32C3_AES_DMA_ENABLE, 0);
	pc_esp32c3_write(ESP32C3_AES_MODE, key_size == 16 ? ESP32C3_AES_MODE_ENCRYPT_128 : ESP32C3_AES_MODE_ENCRYPT_256);
	for (unsigned i = 0; i < key_size / 4; i++) {
		pc_esp32c3_write(ESP32C3_AES_KEY(i), pc_load_le(key + 4 * i));
	}
	return PC_PERIPHERAL_OK;
}

static pc_peripheral_status encrypt(uint8_t *blocks, size_t count) {
	for (uint8_t *block = blocks; count > 0; block += 16, count--) {
		write_text(block);
		if (!run()) {
			return PC_PERIPHERAL_SILENT;
		}
		for (unsigned i = 0; i < 4; i++) {
			pc_store_le(block + 4 * i, pc_esp32c3_read(ESP32C3_AES_TEXT_OUT(i)));
		}
	}
	return PC_PERIPHERAL_OK;
}

/* The result's registers can't be written: zeros, encrypted with a key of zeros, take the place of what was there. */
static void end(void) {
	static const uint8_t zeros[16];
	bool idle = pc_esp32c3_read(ESP32C3_AES_STATE) == ESP32C3_AES_STATE_IDLE;
	if (idle) {
		for (unsigned i = 0; i < 8; i++) {
			pc_esp32c3_write(ESP32C3_AES_KEY(i), 0);
		}
		write_text(zeros);
		idle = run();
	}
	if (!idle) {
		pc_esp32c3_reset(ESP32C3_AES_BIT);
	}
	pc_esp32c3_give_back(ESP32C3_AES_BIT);
}

const pc_block_peripheral pc_aes_peripheral = {begin, encrypt, end};

#endif
