/*
 * rng.c: raw noise of the RNG peripheral, with its bias correction on.
 *
 * A corrected byte takes about 120 us on average and has no upper bound; one that takes a hundred times as long means
 * that the source is dead. Health tests and conditioning belong to whoever turns noise into keys.
 */
#include "board.h"

#define LONGEST_BYTE_US 12000u
/* Turns of an empty loop between two looks at the event: 3 us or so, in which nothing goes over the peripheral bus. */
#define PAUSE 64u

hal_status hal_entropy(uint8_t *data, size_t size) {
	hal_status status = HAL_OK;
	NRF_RNG_CONFIG = NRF_RNG_BIAS_CORRECTION;
	NRF_RNG_EVENTS_VALRDY = 0;
	NRF_RNG_TASKS_START = 1;
	for (size_t i = 0; i < size && status == HAL_OK; i++) {
		const uint64_t since = hal_now_us();
		for (unsigned polls = 1; NRF_RNG_EVENTS_VALRDY == 0; polls++) {
			/* Looking at the clock costs much more than looking at the event. */
			if (polls % 16u == 0 && hal_now_us() - since > LONGEST_BYTE_US) {
				status = HAL_FAULT;
				break;
			}
			for (unsigned turn = 0; turn < PAUSE; turn++) {
				__asm__ volatile("" : : "r"(turn));
			}
		}
		if (status == HAL_OK) {
			/* Cleared before the read: a byte that comes in between is waited for, never taken twice. */
			NRF_RNG_EVENTS_VALRDY = 0;
			data[i] = (uint8_t)NRF_RNG_VALUE;
		}
	}
	NRF_RNG_TASKS_STOP = 1;
	return status;
}

hal_entropy_kind hal_entropy_source(void) {
	return HAL_ENTROPY_HARDWARE;
}
