/*
 * platform.h: the XS platform's own parts, for each other: the machine, its modules, its timers, its listeners.
 */
#ifndef PERICARD_PLATFORM_H
#define PERICARD_PLATFORM_H

#include "archive.h"

#include <stdbool.h>
#include <stdint.h>

struct xsMachineRecord;

/* The archive that the running machine executes. */
extern pc_archive pc_modules;

/* timers.c: runs what is due; returns the next deadline (HAL_FOREVER for none). `the` is the machine. */
uint64_t pc_timers_run(void *the);
/* listeners.c: calls who listens to the pending events; returns when one wants to be called again (HAL_FOREVER for none). */
uint64_t pc_listeners_run(void *the, uint32_t events);

/* Things that keep the application from having ended: timers and listeners. */
void pc_hold(void);
void pc_release(void);

/* machine.c: runs promise jobs until there are none. */
void pc_jobs_run(void *the);
/* Ends the application as an uncaught exception does: records, tells, resets. The exception is in the machine. */
_Noreturn void pc_uncaught(void *the, bool rejection);

/* background.c: what the event loop calls when it has nothing else to do; NULL when there is none. A variable, so that an
 * image without background jobs holds none of that. */
extern void (*pc_background)(void *the);

/* native/keystore: counts this boot, and has the attestation key made if there is none; before any JavaScript. */
void pc_boot_keys(void);

/* Firmware entry: called by a board's start-up after hal_init(). Returns the exit status, on posix only. */
int pc_main(void);

#endif
