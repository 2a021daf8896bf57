/*
 * ecb.c: AES-128 of single blocks in the ECB peripheral.
 *
 * It shares its AES core with the radio's CCM and AAR, which go first: a block that one of them interrupts ends with
 * ERRORECB, and whoever asked tries again or computes it otherwise. A block takes 7.2 us (tECB), 461 cycles; meanwhile the
 * core fetches the block before it and lays the next one ready.
 */
#include "board.h"

#include <string.h>

/* 12 cycles each at least, so 77 us: ten times a block. */
#define MOST_POLLS 410u

/* What the peripheral reads and writes, by turns. Not on the stack: one that has been given up on may still write, and then
 * hits nothing but this. Global, so that a test can see that nothing stays in it. */
struct {
	uint8_t key[16];
	uint8_t clear[16];
	uint8_t cipher[16];
} pc_ecb_slots[2] __attribute__((aligned(4)));

static void wipe(unsigned count) {
	volatile uint32_t *words = (volatile uint32_t *)pc_ecb_slots;
#pragma GCC unroll 12
	for (unsigned i = 0; i < count * sizeof pc_ecb_slots[0] / 4; i++) {
		words[i] = 0;
	}
}

static void start(const void *slot) {
	NRF_ECB_EVENTS_ENDECB = 0;
	NRF_ECB_EVENTS_ERRORECB = 0;
	NRF_ECB_ECBDATAPTR = (uint32_t)(uintptr_t)slot;
	nrf_barrier();
	NRF_ECB_TASKS_STARTECB = 1;
}

static hal_status wait(void) {
	for (unsigned polls = 0; polls < MOST_POLLS; polls++) {
		if (NRF_ECB_EVENTS_ENDECB != 0) {
			return HAL_OK;
		}
		if (NRF_ECB_EVENTS_ERRORECB != 0) {
			return HAL_BUSY;
		}
	}
	return HAL_TIMEOUT;
}

hal_status hal_aes128_encrypt(const uint8_t key[16], uint8_t *blocks, size_t count) {
	hal_status status = HAL_OK;
	if (count == 0) {
		return HAL_OK;
	}
	memcpy(pc_ecb_slots[0].key, key, 16);
	if (count > 1) {
		memcpy(pc_ecb_slots[1].key, key, 16);
	}
	memcpy(pc_ecb_slots[0].clear, blocks, 16);
	for (size_t i = 0; i < count && status == HAL_OK; i++) {
		start(&pc_ecb_slots[i % 2]);
		if (i + 1 < count) {
			memcpy(pc_ecb_slots[(i + 1) % 2].clear, blocks + 16 * (i + 1), 16);
		}
		if (i > 0) {
			memcpy(blocks + 16 * (i - 1), pc_ecb_slots[(i - 1) % 2].cipher, 16);
		}
		status = wait();
		nrf_barrier();
	}
	if (status == HAL_OK) {
		memcpy(blocks + 16 * (count - 1), pc_ecb_slots[(count - 1) % 2].cipher, 16);
	} else {
		NRF_ECB_TASKS_STOPECB = 1;
	}
	wipe(count > 1 ? 2 : 1);
	return status;
}
