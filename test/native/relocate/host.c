/* host.c: see host.h. */
#define _DEFAULT_SOURCE
#include "host.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* One block of pages: the state with the layouts and the dispatch table, half 0, half 1; each from a page of its own. */
static size_t pages(size_t size) {
	return (size + 4095u) & ~(size_t)4095u;
}

static size_t state_size(const pc_relocation_table *table) {
	return pages(sizeof(host) + table->unit_count * 8u + table->entry_count * 4u);
}

static size_t half_size(const pc_relocation_table *table) {
	return pages(table->half_words * 4u);
}

uint64_t host_random(uint64_t *seed) { /* splitmix64 */
	uint64_t x = *seed += 0x9E3779B97F4A7C15u;
	x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
	x = (x ^ x >> 27) * 0x94D049BB133111EBu;
	return x ^ x >> 31;
}

static void set(host *h, unsigned what, int protection) {
	uint8_t *base = (uint8_t *)h;
	size_t state = state_size(&h->table), half = half_size(&h->table);
	if (what < 2) {
		mprotect(base + state + what * half, half, protection);
	} else {
		mprotect(base, state, protection);
	}
}

static bool random_bytes(void *context, uint8_t *to, size_t size) {
	host *h = context;
	if (h->opened != 3) { /* nothing is open meanwhile */
		abort();
	}
	if (h->dry) {
		return false;
	}
	host_unprotect(h); /* the seed is in the page of the state */
	for (size_t i = 0; i < size; i++) {
		to[i] = h->ones ? 0xFF : (uint8_t)host_random(&h->seed);
	}
	host_protect(h);
	return true;
}

static void open_half(void *context, unsigned half) {
	host *h = context;
	set(h, 2, PROT_READ | PROT_WRITE);
	h->errors += h->opened != 3;
	h->opened = half;
	if (half < 2) {
		h->errors += (h->runs >> half & 1u) != 0; /* never what runs */
		set(h, half, PROT_READ | PROT_WRITE);
	}
}

static void close_half(void *context) {
	host *h = context;
	h->errors += h->opened == 3;
	if (h->opened < 2) {
		set(h, h->opened, PROT_READ);
	}
	h->opened = 3;
	set(h, 2, PROT_READ);
}

static void flip(void *context, unsigned half) {
	host *h = context;
	open_half(h, 2);
	pc_relocate_commit(&h->relocator);
	h->runs |= 1u << half;
	close_half(h);
}

static bool frames(void *context, unsigned half) {
	(void)half;
	return ((host *)context)->pinned;
}

static void retire(void *context, unsigned half) {
	host *h = context;
	set(h, 2, PROT_READ | PROT_WRITE);
	h->errors += h->opened != 3;
	h->runs &= ~(1u << half);
	set(h, 2, PROT_READ);
}

host *host_make(const pc_relocation_table *table, const uint32_t *code, uint32_t code_address, uint32_t half_address) {
	static pc_relocate_ops ops[1];
	size_t size = state_size(table) + 2 * half_size(table);
	host *h = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (h == MAP_FAILED) {
		return NULL;
	}
	/* One context serves them all: a program has one host at a time. */
	ops[0] = (pc_relocate_ops){h, random_bytes, open_half, close_half, flip, frames, retire};
	uint8_t *halves = (uint8_t *)h + state_size(table);
	uint32_t *dispatch = (uint32_t *)(h + 1);
	uint16_t *words = (uint16_t *)(dispatch + table->entry_count);
	uint32_t units = table->unit_count;
	h->table = *table;
	h->opened = 3;
	h->relocator = (pc_relocator){
		.table = &h->table,
		.ops = ops,
		.code = code,
		.code_address = code_address,
		.half = {(uint32_t *)halves, (uint32_t *)(halves + half_size(table))},
		.half_address = {half_address, half_address + 4u * table->half_words},
		.dispatch = dispatch,
		.layout = {{words, words + units}, {words + 2 * units, words + 3 * units}},
	};
	set(h, 0, PROT_READ);
	set(h, 1, PROT_READ);
	set(h, 2, PROT_READ);
	pc_relocate_begin(&h->relocator);
	return h;
}

void host_unprotect(host *h) {
	for (unsigned what = 3; what-- > 0;) {
		set(h, what, PROT_READ | PROT_WRITE);
	}
}

void host_protect(host *h) {
	unsigned opened = h->opened;
	for (unsigned what = 0; what < 2; what++) {
		set(h, what, opened == what ? PROT_READ | PROT_WRITE : PROT_READ);
	}
	set(h, 2, opened == 3 ? PROT_READ : PROT_READ | PROT_WRITE);
}

void host_free(host *h) {
	size_t size = state_size(&h->table) + 2 * half_size(&h->table);
	munmap(h, size);
}
