/*
 * wdt.c: the watchdog. It counts LFCLK ticks, runs on while the CPU sleeps, pauses while a debugger holds the CPU, and
 * can be stopped by a reset only.
 */
#include "board.h"

hal_status hal_watchdog_start(uint32_t timeout_ms) {
	if (timeout_ms < 1 || timeout_ms > 60000) {
		return HAL_RANGE;
	}
	if ((NRF_WDT_RUNSTATUS & 1u) != 0) {
		return HAL_BUSY;
	}
	/* Time-out = (CRV + 1) / 32768 s; 15 is the smallest CRV, 0.5 ms. */
	NRF_WDT_CONFIG = NRF_WDT_CONFIG_SLEEP;
	NRF_WDT_CRV = (uint32_t)((uint64_t)timeout_ms * 32768u / 1000u) - 1u;
	NRF_WDT_RREN = 1;
	NRF_WDT_TASKS_START = 1;
	return HAL_OK;
}

void hal_watchdog_feed(void) {
	NRF_WDT_RR0 = NRF_WDT_RELOAD;
}
