/* table.c: see table.h. */
#include "table.h"

#include "crc.h"

#include <string.h>

#define CRC_AT 28u

static uint16_t u16(const uint8_t *data) {
	return (uint16_t)(data[0] | data[1] << 8);
}

static uint32_t u32(const uint8_t *data) {
	return u16(data) | (uint32_t)u16(data + 2) << 16;
}

static uint32_t aligned(uint32_t words, uint8_t align_log2) {
	uint32_t mask = (1u << (align_log2 - 2)) - 1;
	return (words + mask) & ~mask;
}

/* Units follow each other in the canonical code, each at the first place that its alignment allows. */
static pc_relocation_status check_units(pc_relocation_table *table) {
	uint32_t end = 0, patches = 0, most = 0;
	for (uint32_t i = 0; i < table->unit_count; i++) {
		const pc_relocation_unit *unit = &table->units[i];
		if (unit->align_log2 < 2 || unit->align_log2 > PC_RELOCATION_ALIGN_LOG2 || unit->zero != 0 || unit->size == 0 ||
			unit->size > 0x4000u || unit->offset != aligned(end, unit->align_log2)) {
			return PC_RELOCATION_BAD_UNIT;
		}
		end = (uint32_t)unit->offset + unit->size;
		patches += unit->patches;
		/* The most that a unit takes of a half: its widest gap, and what aligning it skips at worst. */
		most += unit->size + (1u << table->gap_log2) - 1 + (1u << (unit->align_log2 - 2)) - 1;
	}
	if (end != table->code_words) {
		return PC_RELOCATION_BAD_UNIT;
	}
	if (patches != table->patch_words) {
		return PC_RELOCATION_BAD_PATCH;
	}
	most -= (1u << table->gap_log2) - 1; /* none before the first */
	if (most > table->half_words) {
		return PC_RELOCATION_BAD_SPACE;
	}
	table->offsets = table->half_words - most + 1;
	return PC_RELOCATION_OK;
}

static pc_relocation_status check_entries(const pc_relocation_table *table) {
	uint32_t before = 0;
	for (uint32_t i = 0; i < table->entry_count; i++) {
		const pc_relocation_entry *entry = &table->entries[i];
		uint32_t order = (uint32_t)entry->unit << 16 | entry->offset;
		if (entry->unit >= table->unit_count || entry->offset >= table->units[entry->unit].size * 2u ||
			(i > 0 && order <= before)) {
			return PC_RELOCATION_BAD_ENTRY;
		}
		before = order;
	}
	return PC_RELOCATION_OK;
}

/* A word of data, and a field that a place outside of the set may be referred to by: what is relative to the place. */
#if PC_RELOCATION_MACHINE == PC_RELOCATION_THUMB

static int is_word(pc_patch_kind kind) {
	return kind == PC_PATCH_ABS32 || kind == PC_PATCH_REL32 || kind == PC_PATCH_PREL31;
}

static int is_relative(pc_patch_kind kind) {
	return kind == PC_PATCH_REL32 || kind == PC_PATCH_PREL31;
}

#else

static int is_word(pc_patch_kind kind) {
	return kind == PC_PATCH_ABS32 || kind == PC_PATCH_REL32;
}

/* But for JAL, which doesn't reach so far. */
static int is_relative(pc_patch_kind kind) {
	return kind == PC_PATCH_REL32 || kind == PC_PATCH_CALL || kind == PC_PATCH_PCREL_HI20 ||
		   kind == PC_PATCH_PCREL_LO12;
}

/* Each PCREL_HI20 of [patch, last) names a PCREL_LO12 of the same target: from there its carry is known. */
static int have_pairs(const uint32_t *patch, const uint32_t *last) {
	for (const uint32_t *high = patch; high < last; high += pc_patch_size(*high)) {
		if (pc_patch_kind_of(*high) != PC_PATCH_PCREL_HI20) {
			continue;
		}
		const uint32_t *low = patch;
		uint32_t wanted = PC_PATCH_PCREL_LO12 << 15 | pc_patch_target(*high) << 18;
		while (low < last && (high[1] > 0x7FFFu || *low != (wanted | high[1]))) {
			low += pc_patch_size(*low);
		}
		if (low >= last) {
			return 0;
		}
	}
	return 1;
}

#endif

/* Places ascend in a unit and don't overlap. What is no instruction is aligned to a word. */
static pc_relocation_status check_patches(const pc_relocation_table *table) {
	const uint32_t *patch = table->patches;
	for (uint32_t i = 0; i < table->unit_count; i++) {
		const pc_relocation_unit *unit = &table->units[i];
		const uint32_t *first = patch, *last = patch + unit->patches;
		uint32_t free = 0;
		while (patch < last) {
			uint32_t word = *patch;
			uint32_t place = pc_patch_place(word), target = pc_patch_target(word);
			pc_patch_kind kind = pc_patch_kind_of(word);
			if (word >> 28 != 0 || kind >= PC_PATCHES || place < free ||
				place + pc_patch_width(word) > unit->size * 4u) {
				return PC_RELOCATION_BAD_PATCH;
			}
			free = place + pc_patch_width(word);
			if ((is_word(kind) && place % 4u != 0) ||
				(target >= table->unit_count && !(is_relative(kind) && target == PC_RELOCATION_OUTSIDE))) {
				return PC_RELOCATION_BAD_PATCH;
			}
			patch += pc_patch_size(word);
			if (patch > last) {
				return PC_RELOCATION_BAD_PATCH;
			}
		}
#if PC_RELOCATION_MACHINE == PC_RELOCATION_RV32
		if (!have_pairs(first, last)) {
			return PC_RELOCATION_BAD_PATCH;
		}
#else
		(void)first;
#endif
	}
	return PC_RELOCATION_OK;
}

/* log2(x) in 1/65536, rounded down, for x > 0: the integer part by shifting, each bit of the fraction by a square. */
static uint32_t log2_of(uint32_t x) {
	uint32_t whole = 31;
	while ((x & 0x80000000u) == 0) {
		x <<= 1;
		whole--;
	}
	uint32_t result = whole << 16;
	for (uint32_t bit = 0x8000u; bit != 0; bit >>= 1) {
		uint64_t square = (uint64_t)x * x >> 31; /* 1.31, below 4 */
		if (square >= 0x100000000u) {
			result |= bit;
			square >>= 1;
		}
		x = (uint32_t)square;
	}
	return result;
}

/*
 * Given the order of the units, a layout tells the offset by where the first unit is and each gap by where the next unit is.
 * Aligning it merges at most 2^lost neighbours of the 2^gap_log2 choices, so at least gap_log2 - lost bits are left.
 */
static void count_bits(const pc_relocation_table *table, pc_relocation_entropy *bits) {
	uint32_t most = 0, widest = 0;
	for (uint32_t i = 0; i < table->unit_count; i++) {
		uint32_t lost = table->units[i].align_log2 - 2u;
		uint32_t gap = table->gap_log2 > lost ? table->gap_log2 - lost : 0;
		bits->permutation += log2_of(i + 1);
		bits->gaps += gap << 16;
		most = gap > most ? gap : most;
		widest = lost > widest ? lost : widest;
	}
	bits->gaps -= most << 16; /* the first unit has none */
	bits->offset = log2_of(((table->offsets - 1) >> widest) + 1);
	bits->layout = bits->permutation + bits->gaps + bits->offset;
}

/* The header. */
static pc_relocation_status read_head(pc_relocation_table *table, const uint8_t *data, size_t size) {
	memset(table, 0, sizeof *table);
	if (size < PC_RELOCATION_HEADER || (uintptr_t)data % 4u != 0) {
		return PC_RELOCATION_TRUNCATED;
	}
	if (u32(data) != PC_RELOCATION_MAGIC) {
		return PC_RELOCATION_NO_TABLE;
	}
	if (data[4] != PC_RELOCATION_VERSION || data[5] != PC_RELOCATION_MACHINE || data[6] > 8 || data[7] != 0) {
		return PC_RELOCATION_FORMAT;
	}
	table->data = data;
	table->gap_log2 = data[6];
	table->unit_count = u16(data + 8);
	table->entry_count = u16(data + 10);
	table->patch_words = u32(data + 12);
	table->code_words = u32(data + 16);
	table->half_words = u32(data + 20);
	table->size = u32(data + 24);
	return table->size == size ? PC_RELOCATION_OK : PC_RELOCATION_TRUNCATED;
}

/* Where its lists are. */
static pc_relocation_status find_lists(pc_relocation_table *table) {
	if (table->unit_count == 0 || table->unit_count > PC_RELOCATION_UNITS || table->code_words > 0xFFFFu ||
		table->half_words > PC_RELOCATION_HALF_WORDS) {
		return PC_RELOCATION_BAD_UNIT;
	}
	size_t fixed = PC_RELOCATION_HEADER + table->unit_count * sizeof(pc_relocation_unit) +
				   table->entry_count * sizeof(pc_relocation_entry);
	size_t size = table->size;
	if (size < fixed || (size - fixed) / 4u != table->patch_words || (size - fixed) % 4u != 0) {
		return PC_RELOCATION_TRUNCATED;
	}
	table->units = (const pc_relocation_unit *)(const void *)(table->data + PC_RELOCATION_HEADER);
	table->entries = (const pc_relocation_entry *)(const void *)(table->units + table->unit_count);
	table->patches = (const uint32_t *)(const void *)(table->entries + table->entry_count);
	return PC_RELOCATION_OK;
}

pc_relocation_status pc_relocation_describe(pc_relocation_table *table, const uint8_t *data, size_t size) {
	pc_relocation_status status = read_head(table, data, size);
	return status == PC_RELOCATION_OK ? find_lists(table) : status;
}

pc_relocation_status pc_relocation_open(pc_relocation_table *table, const uint8_t *data, size_t size) {
	pc_relocation_status status = read_head(table, data, size);
	if (status != PC_RELOCATION_OK) {
		return status;
	}
	if (pc_crc32(pc_crc32(0, data, CRC_AT), data + CRC_AT + 4, size - CRC_AT - 4) != u32(data + CRC_AT)) {
		return PC_RELOCATION_CRC;
	}
	status = find_lists(table);
	if (status == PC_RELOCATION_OK) {
		status = check_units(table);
	}
	if (status == PC_RELOCATION_OK) {
		status = check_entries(table);
	}
	if (status == PC_RELOCATION_OK) {
		status = check_patches(table);
	}
	if (status == PC_RELOCATION_OK) {
		count_bits(table, &table->bits);
	}
	return status;
}
