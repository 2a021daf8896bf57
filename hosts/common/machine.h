/*
 * machine.h: creating the XS machine and running modules of the archive in it. `machine` is an xsMachine pointer.
 */
#ifndef PERICARD_MACHINE_H
#define PERICARD_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

struct pc_creation_t;

/* What an archive must have been built for. */
uint32_t pc_engine_version(void);
uint32_t pc_engine_first_id(void);

/* Makes the machine out of the arena that pc_memory_begin() gave. The C stack may be used down to `stack_limit`. */
void *pc_machine_create(const struct pc_creation_t *creation, char *stack_limit);

/* Imports a module of the archive; a failure is an uncaught exception. */
void pc_machine_import(void *machine, const char *name);

/* The module and code offset of an address in the archive. */
bool pc_code_position(const void *code, const char **module, uint32_t *offset);

/* Sets the wall clock, in seconds since 1970-01-01. */
void pc_time_set(double seconds);

/* Bytes. Slots and chunks in use were counted at the last collection. */
struct pc_memory_use {
	uint32_t slots, slots_peak, chunks, chunks_peak, free, keys;
};
void pc_machine_memory(void *machine, struct pc_memory_use *use);

#endif
