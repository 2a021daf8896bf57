/*
 * harness.h: places in the firmware where an observer outside (an emulator's plugin, a debugger) may look in. They are
 * empty functions with their own addresses; on hardware each costs a call.
 */
#ifndef PERICARD_HARNESS_H
#define PERICARD_HARNESS_H

#include <stdint.h>

#define PC_HARNESS_HOOK __attribute__((noinline, noclone, used))

/* The application has ended or is about to be reset; the last record on the console says why. */
void pc_harness_stop(void);

/* The application asks to note the instruction count (pericard/bench). */
void pc_mark(void);

/* A word of `size` 4 at `offset` of the storage area was programmed, or a sector erased. */
void pc_flash_step(uint32_t offset, uint32_t size);

#endif
