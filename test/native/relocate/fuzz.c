/*
 * fuzz.c: a libFuzzer target: any table. What is accepted can be moved, undone and checked without a byte out of place. The
 * first byte chooses: the bytes as they are; with magic number and size put right, or the CRC too; or a table that is made to
 * their instructions, nearly right: each of its numbers may be one too many.
 */
#include "crc.h"
#include "host.h"

#include <stdlib.h>
#include <string.h>

#define MOST (16u * 1024u)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put32(uint8_t *to, uint32_t value) {
	memcpy(to, &value, 4);
}

static void require(bool truth) {
	if (!truth) {
		abort();
	}
}

/* Kinds that there are, that may refer to what is outside, that are words, that take two words of the list: a bit each. */
#if PC_RELOCATION_MACHINE == PC_RELOCATION_THUMB
enum { kinds = 0x7F, outside = 0x42, words = 0x43, two = 0x30 };
#else
enum { kinds = 0xFF, outside = 0xC6, words = 0x03, two = 0x50 };
#endif

/* There is a lower part at halfword `place`, with this target. */
static void require_low(const uint32_t *patch, const uint32_t *last, uint32_t place, uint32_t target) {
	for (; patch < last; patch += 1 + (two >> (*patch >> 15 & 7) & 1)) {
		if (*patch == (place | 7u << 15 | target << 18)) {
			return;
		}
	}
	abort();
}

/* What docs/relocation.md says of an accepted table, said once more. */
static void require_conformity(const pc_relocation_table *table) {
	const uint32_t *patch = table->patches;
	require(table->unit_count >= 1 && table->unit_count <= 1023);
	for (uint32_t i = 0, end = 0; i < table->unit_count; i++) {
		const pc_relocation_unit *unit = &table->units[i];
		const uint32_t *first = patch, *last = patch + unit->patches;
		require(unit->align_log2 >= 2 && unit->align_log2 <= 6 && unit->size >= 1 && unit->size <= 16384);
		require(unit->offset >= end && unit->offset - end < 1u << (unit->align_log2 - 2));
		require(unit->offset % (1u << (unit->align_log2 - 2)) == 0);
		end = (uint32_t)unit->offset + unit->size;
		require(i + 1 < table->unit_count || end == table->code_words);
		for (uint32_t free = 0; patch < last; patch++) {
			uint32_t place = *patch & 0x7FFF, kind = *patch >> 15 & 7, target = *patch >> 18;
			require(place >= free && kinds >> kind & 1u);
			require(target < table->unit_count || (target == 1023 && (outside >> kind & 1u)));
			require((words >> kind & 1u) == 0 || place % 2 == 0);
			free = place + (PC_RELOCATION_MACHINE == PC_RELOCATION_RV32 && kind == 2 ? 4 : 2);
			require(free <= 2u * unit->size);
			patch += two >> kind & 1u;
			require(patch < last);
			if (PC_RELOCATION_MACHINE == PC_RELOCATION_RV32 && kind == 6) {
				require_low(first, last, *patch, target);
			}
		}
	}
	require((const uint8_t *)patch == table->data + table->size);
	for (uint32_t i = 0; i < table->entry_count; i++) {
		const pc_relocation_entry *entry = &table->entries[i];
		require(entry->unit < table->unit_count && entry->offset < 2u * table->units[entry->unit].size);
	}
}

/* Instructions; zeros when there are no more. */
typedef struct {
	const uint8_t *data;
	size_t size;
} script;

static uint32_t next(script *s, uint32_t count) {
	uint32_t value = 0;
	for (uint32_t most = 1; most < count && s->size > 0; most *= 256, s->size--) {
		value = value * 256 + *s->data++;
	}
	return value % count;
}

static void put16(uint8_t *to, uint32_t value) {
	to[0] = (uint8_t)value;
	to[1] = (uint8_t)(value >> 8);
}

/* Up to 8 units of up to 16 words, 4 patches each, 4 entries. Returns the size. */
static size_t make(uint8_t table[1024], const uint8_t *data, size_t size) {
	script s = {data, size};
	uint32_t units = 1 + next(&s, 8), gap_log2 = next(&s, 4), entries = next(&s, 5);
	uint32_t sizes[8], patch_words = 0, end = 0, most = 0;
	memset(table, 0, 1024);
	uint8_t *unit = table + PC_RELOCATION_HEADER, *entry = unit + 8 * units, *patch = entry + 4 * entries;
	for (uint32_t i = 0; i < units; i++, unit += 8) {
		uint32_t align = next(&s, 4) != 0 ? 0 : next(&s, 6), mask = (1u << align) - 1;
		sizes[i] = next(&s, 17);
		end = (end + mask) & ~mask;
		put16(unit, end);
		put16(unit + 2, sizes[i]);
		unit[6] = (uint8_t)(2 + align);
		end += sizes[i];
		most += sizes[i] + mask + (i == 0 ? 0 : (1u << gap_log2) - 1);
		uint32_t count = next(&s, 5), used = 0, place = 0;
		for (uint32_t k = 0; k < count; k++) {
			place += next(&s, 2 * sizes[i] + 2);
			uint32_t kind = next(&s, 8), target = next(&s, units + 2);
			uint32_t of = (target > units ? PC_RELOCATION_OUTSIDE : target) << 18;
			put32(patch + 4 * used++, place | kind << 15 | of);
			if (PC_RELOCATION_MACHINE == PC_RELOCATION_RV32 && kind == 6) {
				/* The lower part comes next, or nearly. */
				put32(patch + 4 * used++, place + 2);
				place += 3 - next(&s, 2);
				put32(patch + 4 * used++, place | 7u << 15 | of);
			} else if (two >> kind & 1u) {
				put32(patch + 4 * used++, next(&s, 0x10000) * 0x10001u);
				used -= next(&s, 16) == 0; /* or it is missing */
			}
			place += 2 - next(&s, 2);
		}
		put16(unit + 4, used);
		patch += 4 * used;
		patch_words += used;
	}
	for (uint32_t i = 0; i < entries; i++, entry += 4) {
		put16(entry, next(&s, units + 1));
		put16(entry + 2, next(&s, 34));
	}
	table[6] = (uint8_t)gap_log2;
	put16(table + 8, units);
	put16(table + 10, entries);
	put32(table + 12, patch_words);
	put32(table + 16, end);
	put32(table + 20, most + next(&s, 8) - 1);
	return (size_t)(patch - table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static uint8_t made[1024];
	if (size < 1 || size > MOST) {
		return 0;
	}
	uint8_t how = *data++;
	size--;
	if (how > 2) {
		size = make(made, data, size);
		data = made;
	}
	/* Of exactly the size, so that AddressSanitizer sees a byte too far. */
	uint8_t *copy = malloc(size + 1);
	memcpy(copy, data, size);
	if (how != 0 && size >= PC_RELOCATION_HEADER) {
		put32(copy, PC_RELOCATION_MAGIC);
		copy[4] = PC_RELOCATION_VERSION;
		copy[5] = PC_RELOCATION_MACHINE;
		put32(copy + 24, (uint32_t)size);
		if (how > 1) {
			put32(copy + 28, pc_crc32(pc_crc32(0, copy, 28), copy + 32, size - 32));
		}
	}
	pc_relocation_table table;
	if (pc_relocation_open(&table, copy, size) == PC_RELOCATION_OK) {
		require_conformity(&table);
		uint32_t *code = malloc(table.code_words * 4u);
		uint64_t seed = how;
		for (uint32_t i = 0; i < table.code_words; i++) {
			code[i] = (uint32_t)host_random(&seed);
		}
		/* What is between units is filling. */
		for (uint32_t i = 0, end = 0; i < table.unit_count; i++) {
			for (; end < table.units[i].offset; end++) {
				code[end] = PC_RELOCATION_TRAP;
			}
			end = (uint32_t)table.units[i].offset + table.units[i].size;
		}
		host *h = host_make(&table, code, 0x8000, 0x20020000);
		pc_relocator *r = &h->relocator;
		for (int i = 0; i < 3; i++) {
			pc_relocate_checker checker = {0};
			pc_changed changed;
			uint32_t number;
			while (pc_relocate_check(r, &checker, &changed, &number)) {
			}
			require(changed == PC_CHANGED_NOTHING && h->errors == 0 && h->opened == 3);
			(void)pc_relocate_start(r, 0, i != 0);
			while (pc_relocate_step(r) == PC_RELOCATE_MORE) {
			}
			require(r->epoch == (uint32_t)i + 1 && r->changed == PC_CHANGED_NOTHING);
		}
		host_free(h);
		free(code);
	}
	free(copy);
	return 0;
}
