/*
 * driver.c: the machine's memory under any order of allocations: no two overlap, contents stay, and when all is freed the
 * arena is as it was. Arguments: seed, steps.
 */
#include "memory.h"
#include "xs-platform.h"

#include <stdio.h>

#define MANY 40u

static _Alignas(16) uint8_t arena[20000];
static uint8_t *blocks[MANY];
static size_t sizes[MANY];
static uint8_t marks[MANY];

static bool whole(unsigned i) {
	for (size_t at = 0; at < sizes[i]; at++) {
		if (blocks[i][at] != marks[i]) {
			return false;
		}
	}
	return true;
}

int main(int count, char **arguments) {
	unsigned state = count > 1 ? (unsigned)atoi(arguments[1]) : 1;
	unsigned steps = count > 2 ? (unsigned)atoi(arguments[2]) : 1000;
	unsigned refused = 0;
	pc_memory_begin(arena, sizeof arena);
	size_t all = pc_memory_free();
	for (unsigned step = 0; step < steps; step++) {
		state = state * 1103515245u + 12345u;
		unsigned i = (state >> 16) % MANY;
		size_t size = (state >> 8) % 5 == 0 ? (state >> 12) % 3000 : (state >> 12) % 100;
		if (blocks[i] != NULL && !whole(i)) {
			printf("block %u of %zu bytes has changed at step %u\n", i, sizes[i], step);
			return 1;
		}
		bool grow = blocks[i] != NULL && (state >> 24) % 4 == 0;
		if (blocks[i] != NULL && !grow) {
			pc_free(blocks[i]);
			blocks[i] = NULL;
			continue;
		}
		uint8_t *made = grow ? pc_realloc(blocks[i], sizes[i] + size) : pc_malloc(size);
		if (made == NULL) {
			refused++;
			continue;
		}
		if (((uintptr_t)made & 7) != 0 || made < arena || made + size > arena + sizeof arena) {
			printf("a block at a wrong place at step %u\n", step);
			return 1;
		}
		blocks[i] = made;
		sizes[i] = grow ? sizes[i] + size : size;
		marks[i] = (uint8_t)step;
		memset(made, marks[i], sizes[i]);
	}
	for (unsigned i = 0; i < MANY; i++) {
		if (blocks[i] != NULL && !whole(i)) {
			printf("block %u has changed\n", i);
			return 1;
		}
		pc_free(blocks[i]);
	}
	printf("%zu of %zu bytes free, %u refused\n", pc_memory_free(), all, refused);
	return pc_memory_free() == all ? 0 : 1;
}
