/* events.c: the word of pending events that interrupt handlers raise and the event loop takes. */
#include "hal.h"

#include <stdatomic.h>

static atomic_uint pending;

void hal_event_raise(uint32_t bits) {
	atomic_fetch_or(&pending, bits);
}

uint32_t hal_events_take(void) {
	return atomic_exchange(&pending, 0u);
}

bool hal_events_pending(void) {
	return atomic_load(&pending) != 0u;
}
