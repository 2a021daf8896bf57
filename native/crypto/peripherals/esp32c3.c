/* esp32c3.c: see esp32c3.h. */
#include "choice.h"

#if PC_ENGINE_ESP32C3

#include "esp32c3.h"

/*
 * The manual gives no times. A product of 256 bits, the longest that is asked for, takes some hundred cycles by table 20.3-1
 * (2.33 ms for 18 modular multiplications of 3,072 bits); the RSA memory is 1.5 KB to initialise. A poll is 4 cycles at least.
 */
#define MOST_POLLS 5000u

const pc_esp32c3_shared *pc_esp32c3_sharing;

/* What has been switched on, while nobody shares. */
static uint32_t on;

bool pc_esp32c3_wait(uint32_t address, uint32_t value) {
	for (unsigned polls = 0; polls < MOST_POLLS; polls++) {
		if (pc_esp32c3_read(address) == value) {
			return true;
		}
	}
	return false;
}

void pc_esp32c3_reset(uint32_t which) {
	uint32_t resets = pc_esp32c3_read(ESP32C3_SYSTEM_PERIP_RST_EN1);
	uint32_t above = ESP32C3_DS_BIT | (which == ESP32C3_SHA_BIT ? ESP32C3_HMAC_BIT : 0);
	pc_esp32c3_write(ESP32C3_SYSTEM_PERIP_RST_EN1, resets | which);
	pc_esp32c3_write(ESP32C3_SYSTEM_PERIP_RST_EN1, resets & ~(which | above));
}

static void switch_on(uint32_t which) {
	uint32_t clocks = pc_esp32c3_read(ESP32C3_SYSTEM_PERIP_CLK_EN1);
	pc_esp32c3_write(ESP32C3_SYSTEM_PERIP_CLK_EN1, clocks | which);
	if (which == ESP32C3_RSA_BIT) {
		uint32_t power = pc_esp32c3_read(ESP32C3_SYSTEM_RSA_PD_CTRL);
		pc_esp32c3_write(ESP32C3_SYSTEM_RSA_PD_CTRL, power & ~(ESP32C3_RSA_MEM_PD | ESP32C3_RSA_MEM_FORCE_PD));
	}
	pc_esp32c3_reset(which);
	on |= which;
}

static bool is_idle(uint32_t which) {
	switch (which) {
	case ESP32C3_AES_BIT:
		return pc_esp32c3_read(ESP32C3_AES_STATE) == ESP32C3_AES_STATE_IDLE;
	case ESP32C3_SHA_BIT:
		return pc_esp32c3_read(ESP32C3_SHA_BUSY) == 0;
	default:
		return pc_esp32c3_read(ESP32C3_RSA_IDLE) == 1;
	}
}

pc_peripheral_status pc_esp32c3_take(uint32_t which) {
	if (pc_esp32c3_sharing != NULL) {
		if (!pc_esp32c3_sharing->take(which)) {
			return PC_PERIPHERAL_BUSY;
		}
	} else if ((on & which) == 0) {
		switch_on(which);
	}
	pc_peripheral_status status = PC_PERIPHERAL_OK;
	if (which == ESP32C3_RSA_BIT && !pc_esp32c3_wait(ESP32C3_RSA_CLEAN, 1)) {
		status = PC_PERIPHERAL_SILENT;
	} else if (!is_idle(which)) {
		status = PC_PERIPHERAL_BUSY;
	}
	if (status != PC_PERIPHERAL_OK) {
		pc_esp32c3_give_back(which);
	}
	return status;
}

void pc_esp32c3_give_back(uint32_t which) {
	if (pc_esp32c3_sharing != NULL) {
		pc_esp32c3_sharing->give_back(which);
	}
}

#endif
