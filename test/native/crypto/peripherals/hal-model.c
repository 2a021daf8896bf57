/* hal-model.c: hal_aes128_encrypt() of a board that doesn't exist, and its failures. */
#include "hal.h"
#include "model.h"
#include "plain.h"

#include <string.h>

static model_fault fault;
static unsigned fault_at;
static unsigned operations;

void model_set_fault(model_unit unit, model_fault kind, unsigned after) {
	(void)unit;
	fault = kind;
	fault_at = operations + after;
}

unsigned model_operations(model_unit unit) {
	return unit == MODEL_AES ? operations : 0;
}

const char *model_violation(void) {
	return NULL;
}

static hal_status encrypt(const uint8_t key[16], uint8_t block[16]) {
	model_fault now = operations < fault_at || (fault == MODEL_ONCE && operations > fault_at) ? MODEL_WORKS : fault;
	operations++;
	switch (now) {
	case MODEL_SILENT:
		return HAL_TIMEOUT;
	case MODEL_TAKEN:
		return HAL_BUSY;
	case MODEL_IDLE:
		memset(block, 0, 16);
		return HAL_OK;
	default:
		plain_aes(key, 16, block, block);
		block[9] ^= now == MODEL_WORKS ? 0 : 0x04;
		return HAL_OK;
	}
}

hal_status hal_aes128_encrypt(const uint8_t key[16], uint8_t *blocks, size_t count) {
	hal_status status = HAL_OK;
	for (size_t i = 0; i < count && status == HAL_OK; i++) {
		status = encrypt(key, blocks + 16 * i);
	}
	return status;
}
