/*
 * listeners.h: C that is called for events of hal.h, in the event loop, as the functions of JavaScript's I/O classes are.
 *
 * Unlike those it doesn't keep the application running: when nothing else is left to happen the application has ended.
 */
#ifndef PERICARD_LISTENERS_H
#define PERICARD_LISTENERS_H

#include <stdint.h>

/* The memory is the caller's, and stays. */
typedef struct pc_listener {
	struct pc_listener *next; /* this file's */
	uint64_t again;           /* this file's */
	uint32_t events;          /* HAL_EVENT_ bits */
	/* Gets those of its events that are pending, may call XS, and returns when it is to be called though none is:
	 * microseconds of hal_now_us(), or HAL_FOREVER. */
	uint64_t (*call)(struct pc_listener *listener, void *machine, uint32_t events);
} pc_listener;

/* Calls it from now on; what is pending already is an event for it too. */
void pc_listen(pc_listener *listener);

#endif
