/* nor.c: see nor.h. */
#include "nor.h"

#include <stdlib.h>
#include <string.h>

uint32_t nor_random(nor *n) {
	n->random ^= n->random << 13;
	n->random ^= n->random >> 17;
	n->random ^= n->random << 5;
	return n->random;
}

static void show(nor *n, uint32_t word, uint32_t value) {
	for (uint32_t i = 0; i < 4; i++) {
		n->mem[4 * word + i] = (uint8_t)(value >> 8 * i);
	}
}

static void complain(nor *n, const char *what) {
	if (n->violation == NULL) {
		n->violation = what;
	}
}

static void torn_words(nor *n, uint32_t from, uint32_t to) {
	n->torn_from = from < n->torn_from ? from : n->torn_from;
	n->torn_to = to > n->torn_to ? to : n->torn_to;
	n->reading = n->kind == TORN_WEAK_OLD ? READ_OLD : n->kind == TORN_WEAK_NEW ? READ_NEW : READ_RANDOM;
}

static bool program(void *context, uint32_t offset, const void *data, size_t size) {
	nor *n = context;
	if (offset % 4 != 0 || size % 4 != 0 || (uintptr_t)data % 4 != 0 || offset > n->flash.size ||
		size > n->flash.size - offset) {
		complain(n, "program outside or unaligned");
		return false;
	}
	for (uint32_t i = 0; i < size / 4; i++) {
		uint32_t word = offset / 4 + i;
		const uint8_t *p = (const uint8_t *)data + 4 * i;
		uint32_t value = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
		n->operations++;
		if (n->operations == n->fail_at) {
			return false;
		}
		if (n->operations == n->drop_at) {
			continue;
		}
		uint32_t change = (n->cells[word] | n->weak[word]) & ~value;
		if (n->operations == n->cut_at) {
			uint32_t lowest = change & -change;
			uint32_t touched = 0, weak = 0;
			switch (n->kind) {
			case TORN_NOTHING:
				break;
			case TORN_ALL:
				touched = change;
				break;
			case TORN_FIRST_BIT:
				touched = lowest;
				break;
			case TORN_LAST_BIT:
				touched = change ^ lowest;
				break;
			case TORN_WEAK:
			case TORN_WEAK_OLD:
			case TORN_WEAK_NEW:
				weak = change;
				break;
			default:
				touched = change & nor_random(n);
			}
			n->cells[word] &= ~touched;
			n->weak[word] = (n->weak[word] & ~touched) | weak;
			torn_words(n, word, word + 1);
			longjmp(n->power, 1);
		}
		if ((~n->cells[word] & ~n->weak[word] & value) != 0) {
			complain(n, "a programmed bit was to be set");
			return false;
		}
		if (value != 0xFFFFFFFFu && ++n->writes[word] > n->writes_allowed) {
			complain(n, "a word was programmed too often");
		}
		n->cells[word] &= value;
		n->weak[word] &= value;
		/* A weak bit that was not programmed stays as it reads in this boot. */
		uint32_t reads = (uint32_t)n->mem[4 * word] | (uint32_t)n->mem[4 * word + 1] << 8 |
						 (uint32_t)n->mem[4 * word + 2] << 16 | (uint32_t)n->mem[4 * word + 3] << 24;
		show(n, word, reads & value);
	}
	return true;
}

static bool erase(void *context, uint32_t offset) {
	nor *n = context;
	if (offset % n->flash.sector != 0 || offset >= n->flash.size) {
		complain(n, "erase outside or unaligned");
		return false;
	}
	n->operations++;
	if (n->operations == n->fail_at) {
		return false;
	}
	n->erases[offset / n->flash.sector]++;
	if (n->operations == n->drop_at) {
		return true;
	}
	bool cut = n->operations == n->cut_at;
	uint32_t words = n->flash.sector / 4;
	for (uint32_t i = 0; i < words; i++) {
		uint32_t word = offset / 4 + i;
		uint32_t old = n->cells[word];
		uint32_t changed = ~(uint32_t)0, weak = 0;
		n->writes[word] = 0;
		if (cut) {
			switch (n->kind) {
			case TORN_NOTHING:
				changed = 0;
				break;
			case TORN_ALL:
				break;
			case TORN_FIRST_BIT:
				changed = i < words / 8 ? changed : 0;
				break;
			case TORN_LAST_BIT:
				changed = i < words - words / 8 ? changed : 0;
				break;
			case TORN_WEAK:
			case TORN_WEAK_OLD:
			case TORN_WEAK_NEW:
				changed = 0;
				weak = ~old;
				break;
			case TORN_GARBAGE:
				old = nor_random(n);
				changed = 0;
				break;
			default:
				changed = nor_random(n);
			}
		}
		n->cells[word] = old | changed;
		n->weak[word] = weak;
		show(n, word, n->cells[word]);
	}
	if (cut) {
		torn_words(n, offset / 4, offset / 4 + words);
		longjmp(n->power, 1);
	}
	return true;
}

void nor_open(nor *n, uint32_t size, uint32_t sector, uint32_t seed) {
	memset(n, 0, sizeof *n);
	n->mem = malloc(size);
	n->random = seed | 1;
	n->writes_allowed = 2;
	n->torn_from = UINT32_MAX;
	n->flash = (kv_flash){n->mem, size, sector, 4, program, erase, n};
	nor_fill(n, 0xFF);
}

void nor_close(nor *n) {
	free(n->mem);
}

void nor_boot(nor *n) {
	for (uint32_t word = n->torn_from; word < n->torn_to; word++) {
		if (n->weak[word] == 0) {
			show(n, word, n->cells[word]);
			continue;
		}
		uint32_t reading = nor_random(n);
		/* A weak bit was going from `cells` (1 in a program, 0 in an erase) to its opposite. */
		if (n->reading == READ_OLD) {
			reading = n->cells[word];
		} else if (n->reading == READ_NEW) {
			reading = ~n->cells[word];
		}
		show(n, word, (n->cells[word] & ~n->weak[word]) | (reading & n->weak[word]));
	}
	if (n->reading != READ_RANDOM) {
		n->reading = n->reading == READ_OLD ? READ_NEW : READ_OLD;
	}
	n->operations = 0;
	n->cut_at = 0;
}

void nor_copy(nor *to, const nor *from) {
	uint32_t words = from->flash.size / 4;
	memcpy(to->mem, from->mem, from->flash.size);
	memcpy(to->cells, from->cells, 4 * words);
	memcpy(to->weak, from->weak, 4 * words);
	memcpy(to->writes, from->writes, words);
	memcpy(to->erases, from->erases, sizeof to->erases);
	to->operations = from->operations;
	to->cut_at = 0;
	to->drop_at = 0;
	to->fail_at = 0;
	to->reading = from->reading;
	to->writes_allowed = from->writes_allowed;
	to->random = from->random;
	to->violation = from->violation;
	to->torn_from = from->torn_from;
	to->torn_to = from->torn_to;
}

void nor_fill(nor *n, uint8_t byte) {
	memset(n->mem, byte, n->flash.size);
	memset(n->cells, byte, sizeof n->cells);
	memset(n->weak, 0, sizeof n->weak);
}

void nor_flip(nor *n, uint32_t bit) {
	n->mem[bit / 8] ^= (uint8_t)(1u << bit % 8);
	n->cells[bit / 32] ^= 1u << bit % 32;
}
