/*
 * time.c: virtual time. It moves by 0.1 us a step of the engine's meter, and jumps to the deadline when the firmware
 * sleeps, so a run is as fast as the host and the same on every host.
 */
#include "hal.h"
#include "posix.h"

#include <stdlib.h>

#define NS_PER_UNIT 100u

/* Called by the XS platform while JavaScript runs: the engine's steps since the last call. */
void pc_posix_meter(uint32_t units);

static uint64_t now_ns;      /* since power-on */
static uint64_t power_on_ns; /* the value at the last reset */
static uint64_t meter;
static uint32_t wakeups;

void posix_time_begin(uint64_t power_on, uint64_t total) {
	now_ns = power_on_ns = power_on;
	meter = total;
}

uint64_t posix_time_ns(void) {
	return now_ns;
}

uint64_t posix_meter_total(void) {
	return meter;
}

void posix_advance(uint64_t until_ns) {
	for (;;) {
		uint64_t limit = posix_limit_ns();
		uint64_t bite = posix_watchdog_ns();
		uint64_t next = until_ns < limit ? until_ns : limit;
		next = next < bite ? next : bite;
		now_ns = next > now_ns ? next : now_ns;
		if (now_ns >= bite) {
			posix_watchdog_bite();
		}
		if (now_ns < limit) {
			return;
		}
		posix_stop("time");
		posix_uart_poll();
		if (now_ns >= until_ns || hal_events_pending()) {
			return;
		}
	}
}

void pc_posix_meter(uint32_t units) {
	meter += units;
	posix_work((uint64_t)units * NS_PER_UNIT);
}

void posix_work(uint64_t ns) {
	uint64_t until = now_ns + ns;
	posix_control_poll();
	posix_uart_poll();
	while (now_ns < until) {
		posix_advance(until);
	}
}

uint64_t hal_now_us(void) {
	return (now_ns - power_on_ns) / 1000u;
}

void hal_idle(uint64_t deadline_us) {
	uint64_t deadline =
		deadline_us >= (UINT64_MAX - power_on_ns) / 1000u ? UINT64_MAX : power_on_ns + deadline_us * 1000u;
	posix_uart_write_out();
	posix_uart_poll();
	if (hal_events_pending() || deadline <= now_ns) {
		return;
	}
	if (deadline == UINT64_MAX && !posix_controlled() && posix_watchdog_ns() == UINT64_MAX) {
		/* Nothing but input can wake the firmware; where that has ended, it would sleep for ever. */
		if (!posix_input_wait()) {
			exit(0);
		}
		posix_uart_poll();
	} else {
		posix_advance(deadline);
	}
	wakeups++;
}

uint32_t hal_wakeups(void) {
	return wakeups;
}
