/*
 * memory.c: see memory.h. C allocations are few (tables at start, keys, number conversion): a list of freed blocks in the
 * order of their addresses, neighbours merged, of which the smallest that fits is taken, and split. What is freed at the
 * arena's upper end goes back to the arena.
 */
#include "memory.h"

#include "xs-platform.h"

#define ALIGN 8u

typedef struct block {
	size_t size; /* of the payload */
	struct block *next;
} block;

/* XS collects garbage when it can't grow, but a C allocation that fails ends the machine: some room stays for those. */
#define C_RESERVE 3072u

static uint8_t *low, *high;
static block *freed;

_Static_assert(sizeof(block) % ALIGN == 0, "payloads stay aligned");

static size_t rounded(size_t size) {
	return (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

void pc_memory_begin(uint8_t *arena, size_t size) {
	uintptr_t start = ((uintptr_t)arena + ALIGN - 1) & ~(uintptr_t)(ALIGN - 1);
	uintptr_t end = ((uintptr_t)arena + size) & ~(uintptr_t)(ALIGN - 1);
	low = (uint8_t *)start;
	high = (uint8_t *)end;
	freed = NULL;
}

size_t pc_memory_free(void) {
	return (size_t)(high - low);
}

static bool fits(size_t size, size_t reserve) {
	size_t left = pc_memory_free();
	return left >= reserve && size <= left - reserve;
}

void *pc_memory_low(size_t size) {
	uint8_t *result = low;
	size = rounded(size);
	if (!fits(size, C_RESERVE)) {
		return NULL;
	}
	low += size;
	return result;
}

static void *take_high(size_t size, size_t reserve) {
	size = rounded(size);
	if (!fits(size, reserve)) {
		return NULL;
	}
	high -= size;
	return high;
}

void *pc_memory_high(size_t size) {
	return take_high(size, C_RESERVE);
}

void *pc_malloc(size_t size) {
	block **best = NULL;
	if (size > SIZE_MAX - sizeof(block) - ALIGN) {
		return NULL;
	}
	size = rounded(size);
	for (block **link = &freed; *link != NULL; link = &(*link)->next) {
		if ((*link)->size >= size && (best == NULL || (*link)->size < (*best)->size)) {
			best = link;
		}
	}
	if (best != NULL) {
		block *found = *best;
		if (found->size - size >= sizeof(block) + ALIGN) {
			block *rest = (block *)((uint8_t *)(found + 1) + size);
			rest->size = found->size - size - sizeof(block);
			rest->next = found->next;
			found->size = size;
			*best = rest;
		} else {
			*best = found->next;
		}
		return found + 1;
	}
	block *made = take_high(size + sizeof(block), 0);
	if (made == NULL) {
		return NULL;
	}
	made->size = size;
	made->next = NULL;
	return made + 1;
}

void *pc_calloc(size_t count, size_t size) {
	if (size != 0 && count > SIZE_MAX / size) {
		return NULL;
	}
	void *data = pc_malloc(count * size);
	if (data != NULL) {
		memset(data, 0, count * size);
	}
	return data;
}

static bool touch(const block *one, const block *other) {
	return (const uint8_t *)(one + 1) + one->size == (const uint8_t *)other;
}

void pc_free(void *data) {
	if (data == NULL) {
		return;
	}
	block *done = (block *)data - 1;
	block *before = NULL;
	for (block *other = freed; other != NULL && other < done; other = other->next) {
		before = other;
	}
	done->next = before == NULL ? freed : before->next;
	if (before == NULL) {
		freed = done;
	} else {
		before->next = done;
	}
	if (done->next != NULL && touch(done, done->next)) {
		done->size += sizeof(block) + done->next->size;
		done->next = done->next->next;
	}
	if (before != NULL && touch(before, done)) {
		before->size += sizeof(block) + done->size;
		before->next = done->next;
	}
	if ((uint8_t *)freed == high) {
		high += sizeof(block) + freed->size;
		freed = freed->next;
	}
}

void *pc_realloc(void *data, size_t size) {
	if (data == NULL) {
		return pc_malloc(size);
	}
	block *old = (block *)data - 1;
	if (old->size >= size) {
		return data;
	}
	void *moved = pc_malloc(size);
	if (moved != NULL) {
		memcpy(moved, data, old->size);
		pc_free(data);
	}
	return moved;
}
