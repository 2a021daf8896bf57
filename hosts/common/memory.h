/*
 * memory.h: the machine's one arena. XS's chunks grow up from its start; slots and the tables that XS allocates as C
 * memory grow down from its end. When the two meet the device is out of memory, and says so.
 */
#ifndef PERICARD_MEMORY_H
#define PERICARD_MEMORY_H

#include <stddef.h>
#include <stdint.h>

void pc_memory_begin(uint8_t *arena, size_t size);

/* Grows the upper or lower end by `size` bytes; NULL when the arena is used up. */
void *pc_memory_low(size_t size);
void *pc_memory_high(size_t size);

/* Bytes between the two ends. */
size_t pc_memory_free(void);

#endif
