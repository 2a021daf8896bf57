/*
 * ecb.c: AES-128 of one block in the ECB peripheral.
 *
 * It shares its AES core with the radio's CCM and AAR, which go first: a block that one of them interrupts ends with
 * ERRORECB, and whoever asked tries again or computes it otherwise. A block takes 7.2 us (tECB), 461 cycles.
 */
#include "board.h"

#include <string.h>

/* 12 cycles each at least, so 77 us: ten times a block. */
#define MOST_POLLS 410u

/* What the peripheral reads and writes. Not on the stack: one that has been given up on may still write, and then hits nothing
 * but this. */
static struct {
	uint8_t key[16];
	uint8_t clear[16];
	uint8_t cipher[16];
} block __attribute__((aligned(4)));

hal_status hal_aes128_block(const uint8_t key[16], const uint8_t in[16], uint8_t out[16]) {
	hal_status status = HAL_TIMEOUT;
	memcpy(block.key, key, sizeof block.key);
	memcpy(block.clear, in, sizeof block.clear);
	NRF_ECB_EVENTS_ENDECB = 0;
	NRF_ECB_EVENTS_ERRORECB = 0;
	NRF_ECB_ECBDATAPTR = (uint32_t)(uintptr_t)&block;
	nrf_barrier();
	NRF_ECB_TASKS_STARTECB = 1;
	for (unsigned polls = 0; polls < MOST_POLLS; polls++) {
		if (NRF_ECB_EVENTS_ENDECB != 0) {
			status = HAL_OK;
			break;
		}
		if (NRF_ECB_EVENTS_ERRORECB != 0) {
			status = HAL_BUSY;
			break;
		}
	}
	nrf_barrier();
	if (status == HAL_OK) {
		memcpy(out, block.cipher, sizeof block.cipher);
	} else {
		NRF_ECB_TASKS_STOPECB = 1;
	}
	memset(&block, 0, sizeof block);
	nrf_barrier(); /* and it is not left out, though nobody reads it any more */
	return status;
}
