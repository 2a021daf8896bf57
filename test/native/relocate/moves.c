/*
 * moves.c: moves code of an ELF image for Arm, which is only data here: `moves TABLE CODE CODE-ADDRESS HALF-ADDRESS SEED COUNT
 * OUT`. After each move it checks all that can be checked here, changes bytes and looks whether they are found. To OUT goes for
 * each move: the address of the half, the units' places (16 bits each), the dispatch table, the half.
 */
#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t *read_file(const char *name, size_t *size) {
	FILE *file = fopen(name, "rb");
	if (file == NULL) {
		perror(name);
		exit(2);
	}
	fseek(file, 0, SEEK_END);
	*size = (size_t)ftell(file);
	rewind(file);
	uint8_t *data = malloc(*size);
	if (data == NULL || fread(data, 1, *size, file) != *size) {
		exit(2);
	}
	fclose(file);
	return data;
}

static void fail(const char *what, unsigned long number) {
	fprintf(stderr, "%s (%lu)\n", what, number);
	exit(1);
}

static pc_changed check(const pc_relocator *r, uint32_t *number) {
	pc_relocate_checker checker = {0};
	pc_changed changed;
	unsigned long steps = 0;
	while (pc_relocate_check(r, &checker, &changed, number)) {
		if (++steps > 1000000) {
			fail("a check does not end", steps);
		}
	}
	return changed;
}

/* Pieces of any size and order give the canonical code. */
static void check_undo(host *h, uint64_t *seed) {
	const pc_relocator *r = &h->relocator;
	uint32_t size = h->table.code_words * 4u, offset = 0;
	pc_canonical at = {0};
	uint8_t piece[300];
	while (offset < size) {
		size_t most = 1 + host_random(seed) % sizeof piece;
		size_t count = pc_relocate_undo(r, &at, offset, piece, most);
		if (count == 0 || count > most || memcmp(piece, (const uint8_t *)r->code + offset, count) != 0) {
			fail("the canonical form is not the canonical code", offset);
		}
		offset += (uint32_t)count;
		if (host_random(seed) % 16 == 0) {
			uint32_t back = (uint32_t)(host_random(seed) % size);
			count = pc_relocate_undo(r, &at, back, piece, 40);
			if (memcmp(piece, (const uint8_t *)r->code + back, count) != 0) {
				fail("a piece out of order is not canonical", back);
			}
		}
	}
	if (pc_relocate_undo(r, &at, size, piece, 1) != 0) {
		fail("there is code behind the code", size);
	}
}

static uint32_t unit_at(const host *h, uint32_t word) {
	const pc_relocator *r = &h->relocator;
	for (uint32_t i = 0; i < h->table.unit_count; i++) {
		uint32_t place = r->layout[r->running].place[i];
		if (word >= place && word < place + h->table.units[i].size) {
			return i;
		}
	}
	return UINT32_MAX;
}

/* Each change of one bit is found, and its place is named. */
static void tamper(host *h, uint32_t *code, uint64_t *seed) {
	pc_relocator *r = &h->relocator;
	uint32_t number, bit = 1u << host_random(seed) % 32;
	uint32_t word = (uint32_t)(host_random(seed) % h->table.half_words);
	host_unprotect(h);

	uint32_t unit = unit_at(h, word);
	r->half[r->running][word] ^= bit;
	pc_changed changed = check(r, &number);
	if (unit == UINT32_MAX ? changed != PC_CHANGED_GAP || number != word
						   : changed != PC_CHANGED_UNIT || number != unit) {
		fail("a changed word of the running half is not found", word);
	}
	r->half[r->running][word] ^= bit;

	r->half[1 - r->running][word] ^= bit;
	if (check(r, &number) != PC_CHANGED_SPARE || number != word) {
		fail("a changed word of the empty half is not found", word);
	}
	r->half[1 - r->running][word] ^= bit;

	uint32_t entry = (uint32_t)(host_random(seed) % h->table.entry_count);
	r->dispatch[entry] ^= bit;
	if (check(r, &number) != PC_CHANGED_DISPATCH || number != entry) {
		fail("a changed entry of the dispatch table is not found", entry);
	}
	r->dispatch[entry] ^= bit;

	word = (uint32_t)(host_random(seed) % h->table.code_words);
	code[word] ^= bit;
	changed = check(r, &number);
	const pc_relocation_unit *owner = &h->table.units[number];
	if (changed != PC_CHANGED_UNIT || word >= (uint32_t)owner->offset + owner->size) {
		fail("a changed word of the canonical code is not found", word);
	}
	code[word] ^= bit;

	uint16_t *place = &r->layout[r->running].place[host_random(seed) % h->table.unit_count];
	uint16_t before = *place;
	*place = (uint16_t)host_random(seed);
	if (*place != before && check(r, &number) == PC_CHANGED_NOTHING) {
		fail("a changed place is not found", before);
	}
	*place = before;
	host_protect(h);
	if (check(r, &number) != PC_CHANGED_NOTHING) {
		fail("what was put back is not well", number);
	}
}

static pc_relocate_status move(pc_relocator *r, bool checks) {
	pc_relocate_status status = pc_relocate_start(r, 0, checks);
	for (unsigned long steps = 0; status == PC_RELOCATE_MORE; steps++) {
		if (steps > 100000) {
			fail("a move does not end", steps);
		}
		status = pc_relocate_step(r);
	}
	return status;
}

int main(int count, char **arguments) {
	size_t table_size, code_size;
	if (count != 8) {
		return 2;
	}
	uint8_t *data = read_file(arguments[1], &table_size);
	uint32_t *code = (uint32_t *)(void *)read_file(arguments[2], &code_size);
	uint64_t seed = strtoull(arguments[5], NULL, 0);
	unsigned long moves = strtoul(arguments[6], NULL, 0);
	FILE *out = fopen(arguments[7], "wb");
	pc_relocation_table table;
	pc_relocation_status opened = pc_relocation_open(&table, data, table_size);
	if (opened != PC_RELOCATION_OK || table.code_words * 4u != code_size || out == NULL) {
		fail("the table is refused", opened);
	}
	host *h =
		host_make(&table, code, (uint32_t)strtoul(arguments[3], NULL, 0), (uint32_t)strtoul(arguments[4], NULL, 0));
	if (h == NULL) {
		return 2;
	}
	pc_relocator *r = &h->relocator;
	uint32_t number;
	for (unsigned long i = 0; i <= moves; i++) {
		if (i > 0) {
			host_unprotect(h);
			h->pinned = i % 3 == 0;
			host_protect(h);
			pc_relocate_status status = move(r, i % 2 != 0);
			if (h->pinned) {
				/* Both halves run; nothing is wiped, and a second move has to wait. */
				if (status != PC_RELOCATE_WAITING || check(r, &number) != PC_CHANGED_NOTHING || h->runs != 3 ||
					pc_relocate_start(r, 0, false) != PC_RELOCATE_MORE || pc_relocate_step(r) != PC_RELOCATE_WAITING) {
					fail("a half was wiped that has a frame", i);
				}
				host_unprotect(h);
				h->pinned = false;
				host_protect(h);
				do {
					status = pc_relocate_step(r);
				} while (status == PC_RELOCATE_MORE);
			}
			if (status != PC_RELOCATE_OK) {
				fail("a move fails", status);
			}
		}
		if (r->epoch != i || r->changed != PC_CHANGED_NOTHING || h->errors != 0 || h->runs != 1u << r->running ||
			h->opened != 3) {
			fail("the relocator's state is wrong", i);
		}
		pc_changed changed = check(r, &number);
		if (changed != PC_CHANGED_NOTHING) {
			fprintf(stderr, "changed: %d\n", changed);
			fail("moved code is not intact", number);
		}
		check_undo(h, &seed);
		tamper(h, code, &seed);
		const pc_relocator *c = r;
		fwrite(&c->half_address[c->running], 4, 1, out);
		fwrite(c->layout[c->running].place, 2, table.unit_count, out);
		fwrite(c->dispatch, 4, table.entry_count, out);
		fwrite(c->half[c->running], 4, table.half_words, out);
	}
	/* Whatever is changed in a half is found before it is wiped, and gone with it. */
	for (unsigned i = 0; i < 64; i++) {
		host_unprotect(h);
		uint32_t word = host_random(&seed) % table.half_words;
		r->half[r->running][word] ^= 1u << host_random(&seed) % 32;
		host_protect(h);
		if (move(r, true) != PC_RELOCATE_OK || (r->changed != PC_CHANGED_UNIT && r->changed != PC_CHANGED_GAP) ||
			(r->changed == PC_CHANGED_GAP && r->changed_number != word) || check(r, &number) != PC_CHANGED_NOTHING) {
			fail("what was changed in the half that was left is not found", word);
		}
		host_unprotect(h);
		r->changed = PC_CHANGED_NOTHING;
		host_protect(h);
	}
	/* Without random numbers, or with such as can't be true, nothing moves. */
	uint32_t epoch = r->epoch;
	for (unsigned how = 0; how < 2; how++) {
		host_unprotect(h);
		h->dry = how == 0;
		h->ones = how == 1;
		host_protect(h);
		pc_relocate_status status = move(r, true);
		if (status != PC_RELOCATE_RANDOM || r->epoch != epoch || check(r, &number) != PC_CHANGED_NOTHING) {
			fail("a move without random numbers", how);
		}
	}
	host_unprotect(h);
	h->dry = h->ones = false;
	host_protect(h);
	if (pc_relocate_start(r, (table.bits.layout >> 16) + 1, true) != PC_RELOCATE_ENTROPY ||
		move(r, true) != PC_RELOCATE_OK) {
		fail("the floor of entropy", table.bits.layout >> 16);
	}
	printf("%lu %lu %lu %lu\n", (unsigned long)table.bits.permutation, (unsigned long)table.bits.gaps,
		(unsigned long)table.bits.offset, (unsigned long)table.bits.layout);
	host_free(h);
	fclose(out);
	free(data);
	free(code);
	return 0;
}
