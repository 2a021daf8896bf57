/* relocate.c: see relocate.h. */

/* A move is paid for every epoch: a third fewer instructions than with -Os, for 500 bytes. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O2")
#endif

#include "machine.h"

#include <string.h>

/* What the parts of a step may take, in units and instructions, so that it stays below PC_RELOCATE_STEP instructions; the
 * machine says the rest. */
#define SHUFFLED 128u
#define PLACED 64u
#define GAPS 32u
#define WORK 3400u

/* A fair source is rejected so often in a row once in 2^64 times at most. */
#define REJECTIONS 64u

enum { IDLE, SHUFFLE, PLACE, COPY, CALLS, FLIP, DRAIN, PLACES, UNDO, CHECK, WIPE };

/* ---- the draw ---------------------------------------------------------------------------------------------------- */

static uint32_t width_of(uint32_t most) {
	uint32_t width = 0;
	while (most >> width != 0) {
		width++;
	}
	return width;
}

/* The pool while a step takes of it: in registers. */
typedef struct {
	const uint16_t *next, *end;
	uint32_t bits; /* `count` of them */
	uint32_t count;
	uint32_t rejected;
} pool;

static inline pool begin_pool(const pc_relocator *r) {
	return (pool){r->pool + r->used, r->pool + r->drawn, r->bits, r->bit_count, r->rejected};
}

static inline void end_pool(pc_relocator *r, const pool *p) {
	r->used = (uint16_t)(p->next - r->pool);
	r->bits = p->bits;
	r->bit_count = (uint8_t)p->count;
	r->rejected = (uint8_t)p->rejected;
}

/* `count` (<= 16) random bits; false: the pool is dry. */
static inline bool take(pool *p, uint32_t count, uint32_t *value) {
	if (p->count < count) {
		if (p->next == p->end) {
			return false;
		}
		p->bits |= (uint32_t)*p->next++ << p->count;
		p->count += 16;
	}
	*value = p->bits & ((1u << count) - 1);
	p->bits >>= count;
	p->count -= count;
	return true;
}

typedef enum { DRAWN, DRY, UNFAIR } drawing;

/* A number of 0..most, all with the same chance: what is larger is thrown away and drawn again. */
static inline drawing choose(pool *p, uint32_t most, uint32_t width, uint32_t *value) {
	while (take(p, width, value)) {
		if (*value <= most) {
			p->rejected = 0;
			return DRAWN;
		}
		if (++p->rejected == REJECTIONS) {
			return UNFAIR;
		}
	}
	return DRY;
}

/* How many numbers below n, n - 1, n - 2... come of one word: their product is 2^30 at most. */
#define DICE 6u
static inline uint32_t dice_of(uint32_t n) {
	return n > 181 ? 3 : n > 64 ? 4 : n > 32 ? 5 : n > DICE ? DICE : n - 1;
}

/*
 * Fisher and Yates, from the end: index is how many units are not yet in their place. A word of 32 bits gives several numbers
 * at once, all with the same chance (Brackett-Rozinsky and Lemire, "Batched Ranged Random Integer Generation", 2024): times n,
 * its upper half is a number below n, and its lower half goes on to the next. What is left must not be below 2^32 modulo the
 * product of all n, or the word is thrown away: less often than once in four.
 */
static drawing shuffle(pc_relocator *r, uint16_t *order) {
	uint32_t left = r->index, until = left > SHUFFLED ? left - SHUFFLED : 1;
	drawing result = DRAWN;
	pool p = begin_pool(r);
	while (left > until) {
		uint32_t other[DICE], dice = dice_of(left), product = 1;
		if (p.end - p.next < 2) {
			p.next = p.end;
			result = DRY;
			break;
		}
		uint32_t rest = ~(p.next[0] | (uint32_t)p.next[1] << 16); /* so that nothing but ones is never taken */
		p.next += 2;
		for (uint32_t i = 0; i < dice; i++) {
			uint64_t scaled = (uint64_t)rest * (left - i);
			other[i] = (uint32_t)(scaled >> 32);
			rest = (uint32_t)scaled;
			product *= left - i;
		}
		if (rest < product && rest < (0u - product) % product) {
			if (++p.rejected == REJECTIONS) {
				result = UNFAIR;
				break;
			}
			continue;
		}
		p.rejected = 0;
		for (uint32_t i = 0; i < dice; i++) {
			uint16_t unit = order[--left];
			order[left] = order[other[i]];
			order[other[i]] = unit;
		}
	}
	r->index = (uint16_t)left;
	end_pool(r, &p);
	return result;
}

/* Gives the next units of the order their places. `random` is false for the canonical layout. */
static drawing lay_out(pc_relocator *r, const pc_layout *layout, bool random) {
	const pc_relocation_unit *units = r->table->units;
	const uint16_t *order = layout->order;
	uint16_t *places = layout->place;
	uint32_t index = r->index, cursor = r->cursor, until = r->table->unit_count, gap = 0;
	uint32_t gap_log2 = random ? r->table->gap_log2 : 0, offsets = random ? r->table->offsets : 1;
	drawing result = DRAWN;
	pool p = begin_pool(r);
	until = until - index > PLACED ? index + PLACED : until;
	if (index == 0) {
		result = choose(&p, offsets - 1, width_of(offsets - 1), &gap);
	} else if (!take(&p, gap_log2, &gap)) {
		result = DRY;
	}
	while (result == DRAWN) {
		uint32_t unit = order[index], place = cursor + gap;
		if (__builtin_expect(units[unit].align_log2 > 2, 0)) {
			uint32_t mask = (1u << (units[unit].align_log2 - 2)) - 1;
			place = (place + mask) & ~mask;
		}
		places[unit] = (uint16_t)place;
		cursor = place + units[unit].size;
		if (++index == until) {
			break;
		}
		if (!take(&p, gap_log2, &gap)) {
			result = DRY;
		}
	}
	r->index = (uint16_t)index;
	r->cursor = cursor;
	end_pool(r, &p);
	return result;
}

/* Bytes to ask for now: what the rest of the draw needs, with some to spare: a shuffle takes 8 bits a unit, 11 above 181. With
 * the 32 bytes that a request takes for itself (native/entropy/stream.h) they are whole blocks of the stream. More than
 * PC_RELOCATE_DRAW come in several requests. */
static size_t draw_size(const pc_relocator *r) {
	uint32_t gap = r->table->gap_log2, units = r->table->unit_count, left = r->index, bits = (units - left) * gap;
	if (r->phase == SHUFFLE) {
		bits = left * 8u + (left > 181 ? 3u * (left - 181) : 0) + units * gap + 160;
	}
	uint32_t bytes = ((bits / 8 + 32 + 63) & ~63u) - 32;
	return bytes < PC_RELOCATE_DRAW ? bytes : PC_RELOCATE_DRAW;
}

/* Fills the pool; nothing is open meanwhile. */
static bool draw(pc_relocator *r) {
	uint16_t bytes[PC_RELOCATE_DRAW / 2];
	size_t size = draw_size(r);
	bool ready = r->ops->random(r->ops->context, (uint8_t *)bytes, size);
	r->ops->open(r->ops->context, 2);
	if (ready) {
		memcpy(r->pool, bytes, size);
		r->drawn = (uint16_t)(size / 2);
		r->used = 0;
	} else {
		r->phase = IDLE;
	}
	r->ops->close(r->ops->context);
	memset(bytes, 0, sizeof bytes);
	__asm__ volatile("" : : "r"(bytes) : "memory");
	return ready;
}

static void forget_draw(pc_relocator *r) {
	memset(r->pool, 0, sizeof r->pool);
	r->drawn = r->used = 0;
	r->rejected = 0;
	r->bits = 0;
	r->bit_count = 0;
}

/* ---- filling a half ---------------------------------------------------------------------------------------------- */

/* Applies all patches of units [first, last), or takes them off; their list begins at `patch`; returns where it ends. */
static inline const uint32_t *patch_units(
	const pc_relocator *r, unsigned half, uint32_t first, uint32_t last, const uint32_t *patch, uint32_t sign) {
	const pc_relocation_unit *units = r->table->units;
	for (; first < last; first++) {
		const uint32_t *end = patch + units[first].patches;
		if (patch < end) {
			patch_unit(r, half, first, patch, end, sign);
		}
		patch = end;
	}
	return patch;
}

/* One each, so that the loop above has no sign to look after. */
__attribute__((noinline)) static const uint32_t *apply_patches(
	const pc_relocator *r, unsigned half, uint32_t first, uint32_t last, const uint32_t *patch) {
	return patch_units(r, half, first, last, patch, 1);
}

__attribute__((noinline)) static const uint32_t *undo_patches(
	const pc_relocator *r, unsigned half, uint32_t first, uint32_t last, const uint32_t *patch) {
	return patch_units(r, half, first, last, patch, UINT32_MAX);
}

__attribute__((noinline)) static void copy_units(const pc_relocator *r, unsigned half, uint32_t first, uint32_t last) {
	const pc_relocation_unit *unit = &r->table->units[first];
	const uint16_t *places = r->layout[half].place;
	for (; first < last; first++, unit++) {
		copy_words(r->half[half] + places[first], r->code + unit->offset, unit->size);
	}
}

/* A part of a unit that is too large for one step; true when it is done. */
static bool fill_part(pc_relocator *r, unsigned half, uint32_t sign) {
	const pc_relocation_unit *unit = &r->table->units[r->index];
	uint32_t *to = r->half[half] + r->layout[half].place[r->index];
	uint32_t count = (uint32_t)unit->size - r->copied;
	if (sign == 1 && count != 0) {
		count = count < COPIED ? count : COPIED;
		copy_words(to + r->copied, r->code + unit->offset + r->copied, count);
		r->copied = (uint16_t)(r->copied + count);
		return r->copied == unit->size && unit->patches == 0;
	}
	const uint32_t *list = r->table->patches + r->patch;
	count = PART_PATCHES;
	while (r->patched < unit->patches && count-- > 0) {
		const uint32_t *patch = list + r->patched;
		patch_unit(r, half, r->index, patch, patch + pc_patch_size(*patch), sign);
		r->patched = (uint16_t)(r->patched + pc_patch_size(*patch));
	}
	return r->patched == unit->patches;
}

/* Copies and patches as many units as a step takes, or a part of one; true when all units are there. `undo`: takes the patches off
 * where the units are. */
static bool fill(pc_relocator *r, unsigned half, bool undo) {
	const pc_relocation_table *table = r->table;
	uint32_t first = r->index, last = first, work = 0, sign = undo ? UINT32_MAX : 1;
	for (const pc_relocation_unit *unit = &table->units[first]; last < table->unit_count; last++, unit++) {
		work += (undo ? 0 : WORDS_WORK(unit->size)) + unit->patches * PATCH_WORK + UNIT_WORK;
		if (work > WORK) {
			break;
		}
	}
	if (last > first) {
		const uint32_t *list = table->patches + r->patch, *end;
		if (undo) {
			end = undo_patches(r, half, first, last, list);
		} else {
			copy_units(r, half, first, last);
			end = apply_patches(r, half, first, last, list);
		}
		r->patch += (uint32_t)(end - list);
		r->index = (uint16_t)last;
	} else if (fill_part(r, half, sign)) {
		r->patch += table->units[first].patches;
		r->copied = r->patched = 0;
		r->index++;
	}
	return r->index == table->unit_count;
}

/* True when all of it is. */
static bool wipe(pc_relocator *r, unsigned half) {
	uint32_t count = r->table->half_words - r->index;
	count = count < WIPED ? count : WIPED;
	trap_words(r->half[half] + r->index, count);
	r->index = (uint16_t)(r->index + count);
	return r->index == r->table->half_words;
}

static void enter(pc_relocator *r, unsigned phase) {
	r->phase = (uint8_t)phase;
	r->index = r->copied = r->patched = 0;
	r->patch = r->cursor = 0;
	r->checker = (pc_relocate_checker){0};
}

static void identity(const pc_relocator *r, const pc_layout *layout) {
	uint16_t *order = layout->order;
	uint32_t count = r->table->unit_count, i = 0;
	for (; i + 4 <= count; i += 4) {
		order[i] = (uint16_t)i;
		order[i + 1] = (uint16_t)(i + 1);
		order[i + 2] = (uint16_t)(i + 2);
		order[i + 3] = (uint16_t)(i + 3);
	}
	for (; i < count; i++) {
		order[i] = (uint16_t)i;
	}
}

/* ---- evidence ---------------------------------------------------------------------------------------------------- */

static size_t undo(const pc_relocator *r, unsigned half, pc_canonical *at, uint32_t offset, uint8_t *to, size_t size) {
	const pc_relocation_table *table = r->table;
	const pc_relocation_unit *units = table->units;
	uint32_t end = table->code_words * 4u;
	if (offset >= end) {
		return 0;
	}
	size = size < end - offset ? size : end - offset;
	size_t done = 0;
	/* Back to the start if the walk is behind the place, or is no walk. */
	if (at->unit >= table->unit_count ||
		(at->unit > 0 && offset < 4u * (units[at->unit - 1].offset + units[at->unit - 1].size))) {
		*at = (pc_canonical){0};
	}
	while (done < size) {
		const pc_relocation_unit *unit = &units[at->unit];
		uint32_t from = offset + (uint32_t)done, first = unit->offset * 4u, last = first + unit->size * 4u;
		if (from >= last) {
			at->patch += unit->patches;
			at->unit++;
			continue;
		}
		if (from < first) {
			to[done++] = (uint8_t)PC_RELOCATION_TRAP;
			continue;
		}
		uint32_t count = last - from < size - done ? last - from : (uint32_t)(size - done);
		uint32_t begin = from - first; /* [begin, begin + count) of the unit */
		const uint8_t *moved = (const uint8_t *)(r->half[half] + r->layout[half].place[at->unit]);
		memcpy(to + done, moved + begin, count);
		uint32_t unit_delta = delta(r, half, at->unit);
		const uint32_t *patches = table->patches + at->patch;
		for (uint32_t i = 0; i < unit->patches; i += pc_patch_size(patches[i])) {
			uint32_t place = pc_patch_place(patches[i]);
			if (place >= begin + count) {
				break;
			}
			if (place + pc_patch_width(patches[i]) <= begin) {
				continue;
			}
			for (uint32_t part = 0; part < pc_patch_width(patches[i]); part += 4, place += 4) {
				uint32_t raw = undo_patch(r, half, unit_delta, moved, &patches[i], part);
				for (uint32_t b = 0; b < 4; b++) {
					if (place + b >= begin && place + b < begin + count) {
						to[done + place + b - begin] = (uint8_t)(raw >> 8 * b);
					}
				}
			}
		}
		done += count;
	}
	return size;
}

size_t pc_relocate_undo(const pc_relocator *r, pc_canonical *at, uint32_t offset, uint8_t *to, size_t size) {
	return undo(r, r->running, at, offset, to, size);
}

uint32_t pc_relocate_undo_dispatch(const pc_relocator *r, uint32_t index) {
	return r->dispatch[index] - delta(r, r->running, r->table->entries[index].unit);
}

/* ---- checks ------------------------------------------------------------------------------------------------------ */

enum { CHECK_LAYOUT, CHECK_UNITS, CHECK_GAPS, CHECK_DISPATCH, CHECK_SPARE, CHECK_DONE };

static void next_phase(pc_relocate_checker *c, uint8_t phase) {
	c->phase = phase;
	c->index = c->word = 0;
	c->at = (pc_canonical){0};
}

/* Places ascend along the order, and no unit reaches into the next: so the order has each unit once. One step. */
static bool check_layout(const pc_relocator *r, unsigned half, pc_relocate_checker *c, uint32_t *number) {
	const pc_relocation_table *table = r->table;
	for (uint32_t i = 0; i < PLACED && c->index < table->unit_count; i++, c->index++) {
		uint32_t unit = r->layout[half].order[c->index];
		*number = unit;
		if (unit >= table->unit_count) {
			return false;
		}
		uint32_t place = r->layout[half].place[unit];
		uint32_t mask = (1u << (table->units[unit].align_log2 - 2)) - 1;
		if (place < c->word || (place & mask) != 0 || place + table->units[unit].size > table->half_words) {
			return false;
		}
		c->word = place + table->units[unit].size;
	}
	return true;
}

/* One step in the units of a half that runs: false, and unit *number differs. */
static bool check_units(const pc_relocator *r, unsigned half, pc_relocate_checker *c, uint32_t *number) {
	const pc_relocation_table *table = r->table;
	uint8_t piece[COMPARED];
	uint32_t offset = c->word * 4u;
	size_t size = undo(r, half, &c->at, offset, piece, sizeof piece);
	const uint8_t *canonical = (const uint8_t *)r->code + offset;
	for (uint32_t i = 0; i < size; i++) {
		if (piece[i] != canonical[i]) {
			uint32_t unit = 0;
			while ((table->units[unit].offset + table->units[unit].size) * 4u <= offset + i) {
				unit++;
			}
			*number = unit;
			return false;
		}
	}
	c->word += (uint32_t)size / 4u;
	return true;
}

/* The same in a half that was left and whose patches have been undone: quicker, as there is nothing to compute. */
static bool compare_units(const pc_relocator *r, unsigned half, pc_relocate_checker *c, uint32_t *number) {
	const pc_relocation_table *table = r->table;
	for (uint32_t work = 0; c->index < table->unit_count && work < WORK; work += COMPARE_WORK) {
		const pc_relocation_unit *unit = &table->units[c->index];
		const uint32_t *moved = r->half[half] + r->layout[half].place[c->index] + c->word;
		uint32_t count = unit->size - c->word, most = (WORK - work) / COMPARED_WORD_WORK + 1;
		count = count < most ? count : most;
		if (!same_words(moved, r->code + unit->offset + c->word, count)) {
			*number = c->index;
			return false;
		}
		work += COMPARED_WORD_WORK * count;
		c->word += count;
		if (c->word == unit->size) {
			c->word = 0;
			c->index++;
		}
	}
	return true;
}

/* [word, end) of a half traps; false: *number does not. */
static bool check_traps(const uint32_t *half, uint32_t word, uint32_t end, uint32_t *number) {
	const uint32_t *at = half + word;
	uint32_t trap = PC_RELOCATION_TRAP, differs = 0;
	for (uint32_t left = (end - word) / 4; left > 0; left--, at += 4) {
		if (((at[0] ^ trap) | (at[1] ^ trap) | (at[2] ^ trap) | (at[3] ^ trap)) != 0) {
			break;
		}
	}
	for (; at < half + end && differs == 0; at++) {
		differs = *at ^ trap;
	}
	if (differs != 0) {
		*number = (uint32_t)(at - half) - 1;
	}
	return differs == 0;
}

/* One step in the gaps before units of the order, and behind the last. */
static bool check_gaps(const pc_relocator *r, unsigned half, pc_relocate_checker *c, uint32_t *number) {
	const pc_relocation_table *table = r->table;
	const pc_layout *layout = &r->layout[half];
	uint32_t left = SCANNED;
	for (uint32_t i = 0; i < GAPS && left > 0 && c->index <= table->unit_count; i++) {
		bool last = c->index == table->unit_count;
		uint32_t unit = last ? 0 : layout->order[c->index];
		uint32_t end = last ? table->half_words : layout->place[unit];
		uint32_t until = end - c->word > left ? c->word + left : end;
		if (!check_traps(r->half[half], c->word, until, number)) {
			return false;
		}
		left -= until - c->word;
		c->word = until;
		if (until == end) {
			c->word += last ? 0 : table->units[unit].size;
			c->index++;
		}
	}
	return true;
}

/* A step of the check of a half with code in it: true, and there is more, or phase is CHECK_DISPATCH: it is well. `undone`: it
 * was left, and its patches have been undone. */
static bool check_half(
	const pc_relocator *r, unsigned half, bool undone, pc_relocate_checker *c, pc_changed *changed, uint32_t *number) {
	switch (c->phase) {
	case CHECK_LAYOUT:
		if (!check_layout(r, half, c, number)) {
			*changed = PC_CHANGED_LAYOUT;
			return false;
		}
		if (c->index == r->table->unit_count) {
			next_phase(c, CHECK_UNITS);
		}
		return true;
	case CHECK_UNITS:
		if (!(undone ? compare_units(r, half, c, number) : check_units(r, half, c, number))) {
			*changed = PC_CHANGED_UNIT;
			return false;
		}
		if (undone ? c->index == r->table->unit_count : c->word == r->table->code_words) {
			next_phase(c, CHECK_GAPS);
		}
		return true;
	default:
		if (!check_gaps(r, half, c, number)) {
			*changed = PC_CHANGED_GAP;
			return false;
		}
		if (c->index > r->table->unit_count) {
			next_phase(c, CHECK_DISPATCH);
		}
		return true;
	}
}

/* A step of the check of the dispatch table: c->index is behind the last entry when it is done. */
static bool check_dispatch(const pc_relocator *r, pc_relocate_checker *c, pc_changed *changed, uint32_t *number) {
	const pc_relocation_table *table = r->table;
	const uint16_t *place = r->layout[r->running].place;
	uint32_t base = r->half_address[r->running] | PC_RELOCATION_ADDRESS_BIT;
	for (uint32_t i = 0; i < SCANNED && c->index < table->entry_count; i++, c->index++) {
		const pc_relocation_entry *entry = &table->entries[c->index];
		if (r->dispatch[c->index] != base + 4u * place[entry->unit] + 2u * entry->offset) {
			*changed = PC_CHANGED_DISPATCH;
			*number = c->index;
			return false;
		}
	}
	return true;
}

bool pc_relocate_check(const pc_relocator *r, pc_relocate_checker *c, pc_changed *changed, uint32_t *number) {
	const pc_relocation_table *table = r->table;
	*changed = PC_CHANGED_NOTHING;
	*number = 0;
	if (c->epoch != r->epoch || (c->spare && c->phase < CHECK_DISPATCH && !r->draining)) {
		*c = (pc_relocate_checker){.epoch = r->epoch};
	}
	switch (c->phase) {
	case CHECK_LAYOUT:
	case CHECK_UNITS:
	case CHECK_GAPS:
		if (!check_half(r, c->spare ? 1u - r->running : r->running, false, c, changed, number)) {
			return false;
		}
		if (c->phase == CHECK_DISPATCH && !c->spare && r->draining) {
			c->spare = true;
			next_phase(c, CHECK_LAYOUT);
		}
		return true;
	case CHECK_DISPATCH:
		if (!check_dispatch(r, c, changed, number)) {
			return false;
		}
		if (c->index == table->entry_count) {
			next_phase(c, CHECK_SPARE);
		}
		return true;
	case CHECK_SPARE: {
		/* While a half is filled or wiped there is nothing to say of it. */
		if (r->phase != IDLE) {
			c->phase = CHECK_DONE;
			return false;
		}
		uint32_t until = table->half_words - c->word > SCANNED ? c->word + SCANNED : table->half_words;
		if (!check_traps(r->half[1 - r->running], c->word, until, number)) {
			*changed = PC_CHANGED_SPARE;
			return false;
		}
		c->word = until;
		if (until == table->half_words) {
			c->phase = CHECK_DONE;
			return false;
		}
		return true;
	}
	default:
		return false;
	}
}

/* ---- a move ------------------------------------------------------------------------------------------------------ */

void pc_relocate_begin(pc_relocator *r) {
	const pc_relocate_ops *ops = r->ops;
	ops->open(ops->context, 1);
	forget_draw(r);
	r->epoch = 0;
	r->running = 1; /* so that the first flip leads to half 0 */
	r->draining = false;
	enter(r, WIPE);
	while (!wipe(r, 1)) {
	}
	ops->close(ops->context);
	ops->open(ops->context, 0);
	enter(r, WIPE);
	while (!wipe(r, 0)) {
	}
	enter(r, PLACE);
	identity(r, &r->layout[0]);
	while (r->index < r->table->unit_count) {
		(void)lay_out(r, &r->layout[0], false);
	}
	enter(r, COPY);
	while (!fill(r, 0, false)) {
	}
	enter(r, FLIP);
	ops->close(ops->context);
	ops->flip(ops->context, 0);
	ops->open(ops->context, 2);
	enter(r, IDLE);
	r->draining = false;
	r->epoch = 0;
	ops->close(ops->context);
	ops->retire(ops->context, 1);
}

void pc_relocate_commit(pc_relocator *r) {
	unsigned half = 1u - r->running;
	const uint16_t *place = r->layout[half].place;
	const pc_relocation_entry *entry = r->table->entries;
	uint32_t base = r->half_address[half] | PC_RELOCATION_ADDRESS_BIT;
	for (uint32_t i = 0; i < r->table->entry_count; i++, entry++) {
		r->dispatch[i] = base + 4u * place[entry->unit] + 2u * entry->offset;
	}
	r->running = (uint8_t)half;
	r->draining = true;
	r->epoch += r->epoch != UINT32_MAX;
}

pc_relocate_status pc_relocate_start(pc_relocator *r, uint32_t floor, bool check) {
	if (r->phase != IDLE) {
		return PC_RELOCATE_MORE;
	}
	if (r->table->bits.layout >> 16 < floor) {
		return PC_RELOCATE_ENTROPY;
	}
	r->ops->open(r->ops->context, 2);
	identity(r, &r->layout[1 - r->running]);
	forget_draw(r);
	enter(r, SHUFFLE);
	r->checking = check;
	r->index = r->table->unit_count;
	r->ops->close(r->ops->context);
	return PC_RELOCATE_MORE;
}

static pc_relocate_status give_up(pc_relocator *r) {
	forget_draw(r);
	enter(r, IDLE);
	return PC_RELOCATE_RANDOM;
}

/* What is found first stays. */
static void keep(pc_relocator *r, pc_changed changed, uint32_t number) {
	if (r->changed == PC_CHANGED_NOTHING && changed != PC_CHANGED_NOTHING) {
		r->changed = (uint8_t)changed;
		r->changed_number = number;
	}
}

/* A step; true: there is more. What has been changed is done away with by what follows, and so is what else may be. */
static bool check_before_flip(pc_relocator *r) {
	pc_changed changed = PC_CHANGED_NOTHING;
	uint32_t number = 0;
	bool well = check_dispatch(r, &r->checker, &changed, &number);
	keep(r, changed, number);
	return well && r->checker.index < r->table->entry_count;
}

/* Before anything is written by them. */
static void check_places(pc_relocator *r, unsigned half) {
	uint32_t number = 0;
	if (!check_layout(r, half, &r->checker, &number)) {
		keep(r, PC_CHANGED_LAYOUT, number);
		enter(r, WIPE);
	} else if (r->checker.index == r->table->unit_count) {
		enter(r, UNDO);
	}
}

static bool check_before_wipe(pc_relocator *r, unsigned half) {
	pc_changed changed = PC_CHANGED_NOTHING;
	uint32_t number = 0;
	bool well = check_half(r, half, true, &r->checker, &changed, &number);
	keep(r, changed, number);
	return well && r->checker.phase != CHECK_DISPATCH;
}

static pc_relocate_status open_step(pc_relocator *r, unsigned half) {
	drawing result = DRAWN;
	switch (r->phase) {
	case SHUFFLE:
		result = shuffle(r, r->layout[half].order);
		if (result == DRAWN && r->index <= 1) {
			enter(r, PLACE);
		}
		break;
	case PLACE:
		result = lay_out(r, &r->layout[half], true);
		if (result == DRAWN && r->index == r->table->unit_count) {
			forget_draw(r);
			enter(r, COPY);
		}
		break;
	case COPY:
		if (fill(r, half, false)) {
			enter(r, CALLS);
		}
		break;
	case PLACES:
		check_places(r, half);
		break;
	case UNDO:
		if (fill(r, half, true)) {
			enter(r, CHECK);
			r->checker.phase = CHECK_UNITS;
		}
		break;
	case CALLS:
		if (!check_before_flip(r)) {
			enter(r, FLIP);
		}
		break;
	case CHECK:
		if (!check_before_wipe(r, half)) {
			enter(r, WIPE);
		}
		break;
	default: /* WIPE */
		if (wipe(r, half)) {
			enter(r, IDLE);
			return PC_RELOCATE_OK;
		}
		break;
	}
	return result == UNFAIR ? give_up(r) : PC_RELOCATE_MORE;
}

pc_relocate_status pc_relocate_step(pc_relocator *r) {
	const pc_relocate_ops *ops = r->ops;
	unsigned half = 1u - r->running;
	switch (r->phase) {
	case IDLE:
		return PC_RELOCATE_OK;
	case SHUFFLE:
	case PLACE:
		if (r->used == r->drawn) {
			return draw(r) ? PC_RELOCATE_MORE : PC_RELOCATE_RANDOM;
		}
		ops->open(ops->context, 2);
		break;
	case FLIP:
		ops->flip(ops->context, half);
		ops->open(ops->context, 2);
		enter(r, DRAIN);
		ops->close(ops->context);
		return PC_RELOCATE_MORE;
	case DRAIN:
		if (ops->frames(ops->context, half)) {
			return PC_RELOCATE_WAITING;
		}
		ops->retire(ops->context, half);
		ops->open(ops->context, 2);
		r->draining = false;
		enter(r, r->checking ? PLACES : WIPE);
		ops->close(ops->context);
		return PC_RELOCATE_MORE;
	case PLACES:
	case CALLS:
	case CHECK:
		ops->open(ops->context, 2);
		break;
	default:
		ops->open(ops->context, half);
		break;
	}
	pc_relocate_status status = open_step(r, half);
	ops->close(ops->context);
	return status;
}
