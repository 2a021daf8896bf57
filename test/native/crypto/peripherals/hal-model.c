/* hal-model.c: hal_aes128_block() of a board that doesn't exist, and its failures. */
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

hal_status hal_aes128_block(const uint8_t key[16], const uint8_t in[16], uint8_t out[16]) {
	model_fault now = operations < fault_at || (fault == MODEL_ONCE && operations > fault_at) ? MODEL_WORKS : fault;
	operations++;
	switch (now) {
	case MODEL_SILENT:
		return HAL_TIMEOUT;
	case MODEL_TAKEN:
		return HAL_BUSY;
	case MODEL_IDLE:
		memset(out, 0, 16);
		return HAL_OK;
	default:
		plain_aes(key, 16, in, out);
		out[9] ^= now == MODEL_WORKS ? 0 : 0x04;
		return HAL_OK;
	}
}
