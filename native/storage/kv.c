/*
 * kv.c: see kv.h. The order of flash operations in here is the product: docs/storage.md argues each step, and
 * test/native/storage/powercut.c cuts the power at each.
 */
#include "kv.h"

#include "crc.h"

#include <string.h>

#define ERASED 0xFFFFFFFFu

/* A sector begins with two copies of its header; slots grow up from there, payloads grow down from the sector's end. */
#define MAGIC 0x31564B50u /* "PKV1" */
#define HEADER_WORDS 5u
#define HEADER_SIZE (4u * HEADER_WORDS)
#define SLOTS_START (2u * HEADER_SIZE)
#define SLOT_WORDS 5u
#define SLOT_SIZE (4u * SLOT_WORDS)
#define COMMIT 3u  /* word of a slot: makes the record count */
#define CONFIRM 4u /* word of a slot: says that programming COMMIT came to its end */

/* In every sector sets leave this free, so that a delete finds room even in a full store. */
#define RESERVE (SLOT_SIZE + KV_KEY_MAX)

#define TOMBSTONE 0x80u
/* Stands in for a check that would look like an erased or a voided commit word. */
#define SEAL_SUBSTITUTE 0x5AC396A5u
#define SEQUENCE_MAX 0x7FFFFFFFu
#define SECTOR_MAX 32768u

static const uint32_t zeros[HEADER_WORDS] = {0, 0, 0, 0, 0};

typedef enum { SLOT_FREE, SLOT_VOID, SLOT_VALID, SLOT_BAD, SLOT_OTHER } slot_state;

typedef struct {
	uint32_t offset; /* of the payload, in its sector */
	uint32_t value_size;
	uint32_t key_size;
	uint32_t kind; /* tag, or TOMBSTONE */
	uint32_t hash;
	uint32_t crc; /* of the payload */
} slot;

typedef struct {
	const uint8_t *key;
	const uint8_t *value;
	uint32_t key_size;
	uint32_t value_size;
	uint32_t kind;
} record;

/* Where the next record goes. */
typedef struct {
	uint32_t sequence;
	uint32_t slots;
	uint32_t bottom;
} cursor;

static uint32_t load(const kv_store *store, uint32_t address) {
	const uint8_t *p = store->flash->base + address;
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void put(uint8_t *p, uint32_t word) {
	p[0] = (uint8_t)word;
	p[1] = (uint8_t)(word >> 8);
	p[2] = (uint8_t)(word >> 16);
	p[3] = (uint8_t)(word >> 24);
}

static uint32_t crc_words(uint32_t crc, const uint32_t *words, size_t count) {
	uint8_t bytes[4];
	for (size_t i = 0; i < count; i++) {
		put(bytes, words[i]);
		crc = pc_crc32(crc, bytes, 4);
	}
	return crc;
}

static uint32_t sector_address(const kv_store *store, uint32_t sequence) {
	return sequence % store->sectors * store->flash->sector;
}

static uint32_t slot_address(const kv_store *store, uint32_t sequence, uint32_t index) {
	return sector_address(store, sequence) + SLOTS_START + index * SLOT_SIZE;
}

static uint32_t slots_max(const kv_store *store) {
	return (store->flash->sector - SLOTS_START) / SLOT_SIZE;
}

static uint32_t padded(uint32_t size) {
	return (size + 3u) & ~3u;
}

static uint32_t record_size(uint32_t key_size, uint32_t value_size) {
	return SLOT_SIZE + padded(key_size + value_size);
}

static bool program_words(const kv_store *store, uint32_t address, const uint32_t *words, size_t count) {
	uint32_t data[HEADER_WORDS];
	for (size_t i = 0; i < count; i++) {
		put((uint8_t *)&data[i], words[i]);
	}
	return store->flash->program(store->flash->context, address, data, 4 * count);
}

static bool program_word(const kv_store *store, uint32_t address, uint32_t word) {
	return program_words(store, address, &word, 1);
}

static uint32_t key_hash(const uint8_t *key, uint32_t key_size) {
	uint32_t crc = pc_crc32(0, key, key_size);
	return (crc ^ crc >> 16) & 0xFFFFu;
}

static bool few_bits(uint32_t word) {
	return (word & (word - 1)) == 0;
}

/* ---- sector headers --------------------------------------------------------------------------------------------- */

static void header_words(const kv_store *store, uint32_t sequence, uint32_t tail, uint32_t words[HEADER_WORDS]) {
	words[0] = MAGIC;
	words[1] = store->sectors | store->flash->sector << 16;
	words[2] = sequence;
	words[3] = tail;
	words[4] = crc_words(0, words, 4);
}

/* The sequence number in one copy of a sector's header, or 0 if that copy isn't valid. */
static uint32_t header_read(const kv_store *store, uint32_t index, uint32_t copy, uint32_t *tail) {
	uint32_t words[HEADER_WORDS], expected[HEADER_WORDS];
	uint32_t address = index * store->flash->sector + copy * HEADER_SIZE;
	for (uint32_t i = 0; i < HEADER_WORDS; i++) {
		words[i] = load(store, address + 4 * i);
	}
	header_words(store, words[2], words[3], expected);
	if (memcmp(words, expected, sizeof words) != 0) {
		return 0;
	}
	uint32_t sequence = words[2];
	if (sequence < store->sectors || sequence > SEQUENCE_MAX || sequence % store->sectors != index) {
		return 0;
	}
	if (words[3] < store->sectors || words[3] > sequence || sequence - words[3] > store->sectors - 2) {
		return 0;
	}
	*tail = words[3];
	return sequence;
}

/* ---- slots ------------------------------------------------------------------------------------------------------ */

/* The commit word of a slot: bound to the place and time of the slot, so that no byte of a value can pass for one. */
static uint32_t seal(uint32_t sequence, uint32_t index, const uint32_t words[3]) {
	uint32_t place[2] = {sequence, index};
	uint32_t crc = crc_words(crc_words(0, place, 2), words, 3);
	return crc == ERASED || few_bits(crc) ? SEAL_SUBSTITUTE : crc;
}

/* Looks for the one bit whose change makes the slot valid: a slot that lost a bit in place must not let an older
 * version of its key come back. */
static bool mend(uint32_t sequence, uint32_t index, uint32_t words[SLOT_WORDS]) {
	if (few_bits(words[COMMIT] ^ seal(sequence, index, words))) {
		return true;
	}
	for (uint32_t bit = 0; bit < 96; bit++) {
		words[bit / 32] ^= 1u << bit % 32;
		if (words[COMMIT] == seal(sequence, index, words)) {
			return true;
		}
		words[bit / 32] ^= 1u << bit % 32;
	}
	return false;
}

static uint32_t value_limit(const kv_store *store) {
	uint32_t room = store->flash->sector - SLOTS_START - RESERVE - SLOT_SIZE - KV_KEY_MAX;
	uint32_t half = store->flash->sector / 2;
	return room < half ? room : half;
}

static slot_state slot_read(const kv_store *store, uint32_t sequence, uint32_t index, bool mending, slot *out) {
	uint32_t words[SLOT_WORDS];
	uint32_t address = slot_address(store, sequence, index);
	uint32_t all = ERASED;
	for (uint32_t i = 0; i < SLOT_WORDS; i++) {
		words[i] = load(store, address + 4 * i);
		all &= words[i];
	}
	if (all == ERASED) {
		return SLOT_FREE;
	}
	if (few_bits(words[COMMIT])) {
		return SLOT_VOID;
	}
	if (words[COMMIT] != seal(sequence, index, words)) {
		if (!mending || !mend(sequence, index, words)) {
			return SLOT_BAD;
		}
	}
	out->offset = words[0] & 0xFFFFu;
	out->value_size = words[0] >> 16;
	out->key_size = words[1] & 0xFFu;
	out->kind = words[1] >> 8 & 0xFFu;
	out->hash = words[1] >> 16;
	out->crc = words[2];
	uint32_t size = padded(out->key_size + out->value_size);
	if (out->key_size < 1 || out->key_size > KV_KEY_MAX || out->value_size > value_limit(store) ||
		out->kind > TOMBSTONE || (out->offset & 3u) != 0 || out->offset < SLOTS_START + (index + 1) * SLOT_SIZE ||
		out->offset > store->flash->sector || size > store->flash->sector - out->offset) {
		return SLOT_BAD;
	}
	return SLOT_VALID;
}

static void slot_record(const kv_store *store, uint32_t sequence, const slot *s, record *r) {
	r->value = store->flash->base + sector_address(store, sequence) + s->offset;
	r->value_size = s->value_size;
	r->key = r->value + s->value_size;
	r->key_size = s->key_size;
	r->kind = s->kind;
}

static bool slot_intact(const kv_store *store, uint32_t sequence, const slot *s) {
	record r;
	slot_record(store, sequence, s, &r);
	return pc_crc32(0, r.value, r.value_size + r.key_size) == s->crc;
}

/* A walk over the slots of one sector, oldest first. */
typedef struct {
	uint32_t sequence;
	uint32_t index;  /* of the next slot */
	uint32_t bottom; /* where the payload of the slot before begins: no slot reaches into it */
} walk;

static walk walk_from(const kv_store *store, uint32_t sequence) {
	return (walk){sequence, 0, store->flash->sector};
}

/* SLOT_FREE is the end. With a `mark` (key size and hash) slots of other keys are passed over as SLOT_OTHER after a
 * cheap look; not so where some slot lost a bit, which may be one of its hash. */
static slot_state walk_next(const kv_store *store, walk *w, uint32_t mark, slot *out) {
	if (w->index >= slots_max(store) || SLOTS_START + (w->index + 1) * SLOT_SIZE > w->bottom) {
		return SLOT_FREE;
	}
	uint32_t address = slot_address(store, w->sequence, w->index);
	uint32_t first = load(store, address);
	if (mark != 0 && !store->damaged && first != 0 && first != ERASED &&
		(load(store, address + 4) & 0xFFFF00FFu) != mark && !few_bits(load(store, address + 4 * COMMIT))) {
		w->bottom = first & 0xFFFFu;
		w->index++;
		return SLOT_OTHER;
	}
	slot_state state = slot_read(store, w->sequence, w->index, store->damaged, out);
	if (state == SLOT_VALID) {
		w->bottom = out->offset;
	}
	if (state == SLOT_VOID && first != 0) {
		w->index = slots_max(store); /* a record that was begun and given up: nothing was put behind it */
	} else if (state != SLOT_FREE) {
		w->index++;
	}
	return state;
}

/* Is this slot a record of that key? One with the key's hash that fails its check is taken for one: rather no value
 * than an old one. */
static bool slot_matches(
	const kv_store *store, uint32_t sequence, const slot *s, const uint8_t *key, uint32_t key_size, uint32_t hash) {
	if (s->key_size != key_size || s->hash != hash) {
		return false;
	}
	record r;
	slot_record(store, sequence, s, &r);
	return memcmp(r.key, key, key_size) == 0 || !slot_intact(store, sequence, s);
}

/* Finds the newest slot of a key from where `from` stands on; returns the sequence number of its sector, or 0. `any` ends
 * the search at the first one that is found. */
static uint32_t newest(const kv_store *store, walk from, const uint8_t *key, uint32_t key_size, bool any, slot *out) {
	uint32_t hash = key_hash(key, key_size);
	for (uint32_t at = store->head; at != 0 && at >= from.sequence; at--) {
		walk w = at == from.sequence ? from : walk_from(store, at);
		bool found = false;
		slot s;
		slot_state state;
		while (!(found && any) && (state = walk_next(store, &w, key_size | hash << 16, &s)) != SLOT_FREE) {
			if (state == SLOT_VALID && slot_matches(store, at, &s, key, key_size, hash)) {
				*out = s;
				found = true;
			}
		}
		if (found) {
			return at;
		}
	}
	return 0;
}

/* Is this, the slot that `w` has just passed, the newest record of its key, and a value? */
static bool slot_live(const kv_store *store, const walk *w, const slot *s) {
	if (s->kind == TOMBSTONE) {
		return false;
	}
	record r;
	slot newer;
	slot_record(store, w->sequence, s, &r);
	return newest(store, *w, r.key, r.key_size, true, &newer) == 0;
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static bool fits(const cursor *at, uint32_t size) {
	uint32_t used = SLOTS_START + at->slots * SLOT_SIZE;
	return at->bottom >= used && at->bottom - used >= size;
}

static bool erased(const kv_store *store, uint32_t address, uint32_t size) {
	for (uint32_t i = 0; i < size; i += 4) {
		if (load(store, address + i) != ERASED) {
			return false;
		}
	}
	return true;
}

/* Is there room for a record of `size` bytes beside `reserve`, and is all of it erased? */
static bool has_room(const kv_store *store, const cursor *at, uint32_t size, uint32_t reserve) {
	uint32_t payload = size - SLOT_SIZE;
	return fits(at, size + reserve) && erased(store, slot_address(store, at->sequence, at->slots), SLOT_SIZE) &&
		   erased(store, sector_address(store, at->sequence) + at->bottom - payload, payload);
}

/* Programs value, key and padding through a small buffer: the source may lie unaligned, or in the flash itself. */
static bool program_payload(const kv_store *store, uint32_t address, const record *r) {
	uint32_t words[16];
	uint32_t total = r->value_size + r->key_size;
	for (uint32_t done = 0; done < total; done += sizeof words) {
		uint8_t *to = (uint8_t *)words;
		uint32_t step = total - done < sizeof words ? total - done : (uint32_t)sizeof words;
		uint32_t from_value = done >= r->value_size ? 0 : r->value_size - done;
		if (from_value > step) {
			from_value = step;
		}
		memset(words, 0xFF, sizeof words);
		if (from_value > 0) {
			memcpy(to, r->value + done, from_value);
		}
		if (step > from_value) {
			memcpy(to + from_value, r->key + (done + from_value - r->value_size), step - from_value);
		}
		if (!store->flash->program(store->flash->context, address + done, words, padded(step))) {
			return false;
		}
	}
	return true;
}

/* Puts a record where the cursor is, which must have room for it. */
static kv_status append(kv_store *store, cursor *at, const record *r) {
	uint32_t size = padded(r->key_size + r->value_size);
	uint32_t offset = at->bottom - size;
	uint32_t sector = sector_address(store, at->sequence);
	uint32_t address = slot_address(store, at->sequence, at->slots);
	uint32_t words[3] = {
		offset | r->value_size << 16,
		r->key_size | r->kind << 8 | key_hash(r->key, r->key_size) << 16,
		pc_crc32(pc_crc32(0, r->value, r->value_size), r->key, r->key_size),
	};
	/* The slot first: whatever a cut leaves behind from here on, this slot will say that something was begun. */
	bool ok = program_words(store, address, words, 3) && program_payload(store, sector + offset, r) &&
			  load(store, address) == words[0] && load(store, address + 4) == words[1] &&
			  load(store, address + 8) == words[2] &&
			  pc_crc32(0, store->flash->base + sector + offset, r->value_size + r->key_size) == words[2];
	uint32_t commit = seal(at->sequence, at->slots, words);
	ok = ok && program_word(store, address + 4 * COMMIT, commit) && load(store, address + 4 * COMMIT) == commit;
	if (!ok) {
		return KV_FAULT;
	}
	/* The record counts from here on. CONFIRM only tells a later mount that COMMIT isn't half programmed. */
	(void)program_word(store, address + 4 * CONFIRM, 0);
	at->slots++;
	at->bottom = offset;
	return KV_OK;
}

/* Copies the live records of a sector to the cursor: all of them, or those that fit beside the reserve. */
static kv_status copy_live(kv_store *store, uint32_t sequence, cursor *to, bool all) {
	walk w = walk_from(store, sequence);
	slot s;
	slot_state state;
	while ((state = walk_next(store, &w, 0, &s)) != SLOT_FREE) {
		if (state != SLOT_VALID || !slot_live(store, &w, &s)) {
			continue;
		}
		record r;
		slot_record(store, sequence, &s, &r);
		uint32_t size = record_size(r.key_size, r.value_size);
		if (!slot_intact(store, sequence, &s)) {
			store->corrupt += all ? 1 : 0;
			store->live -= all ? size : 0;
			continue;
		}
		if (!has_room(store, to, size, all ? 0 : RESERVE)) {
			if (all) {
				return KV_CORRUPT; /* more than a sector holds out of one sector: only a forged image says so */
			}
			continue;
		}
		kv_status status = append(store, to, &r);
		if (status != KV_OK) {
			return status;
		}
	}
	return KV_OK;
}

static cursor head_cursor(const kv_store *store) {
	return (cursor){store->head, store->slots, store->bottom};
}

static void set_head(kv_store *store, const cursor *at) {
	store->head = at->sequence;
	store->slots = at->slots;
	store->bottom = at->bottom;
}

/* Opens the next sector of the ring. When that uses the last free one, the live records of the oldest sector move into
 * it before its header makes it count: until then a cut leaves it meaningless, and the oldest sector as it was. */
static kv_status advance(kv_store *store) {
	uint32_t next = store->head == 0 ? store->sectors : store->head + 1;
	uint32_t tail = store->head == 0 ? next : store->tail;
	uint32_t address = sector_address(store, next);
	if (next > SEQUENCE_MAX) {
		return KV_FAULT;
	}
	if (!store->flash->erase(store->flash->context, address) || !erased(store, address, store->flash->sector)) {
		return KV_FAULT;
	}
	cursor to = {next, 0, store->flash->sector};
	if (next - tail + 1 == store->sectors) {
		kv_status status = copy_live(store, tail, &to, true);
		if (status != KV_OK) {
			return status;
		}
		tail++;
	}
	/* Two copies, one after the other: that the second was begun proves that the first was finished. */
	uint32_t words[HEADER_WORDS];
	header_words(store, next, tail, words);
	if (!program_words(store, address, words, HEADER_WORDS) ||
		!program_words(store, address + HEADER_SIZE, words, HEADER_WORDS)) {
		return KV_FAULT;
	}
	uint32_t read_tail;
	if (header_read(store, next % store->sectors, 0, &read_tail) != next) {
		return KV_FAULT;
	}
	set_head(store, &to);
	store->tail = tail;
	store->closed = false;
	return KV_OK;
}

/* Before the first write after a mount: a cut may have left weak bits, that read as erased, in two places: the header
 * of the next sector and the next slot. Both are made to mean nothing for good. */
static kv_status prepare(kv_store *store) {
	if (!store->fresh || store->head == 0) {
		store->fresh = false;
		return KV_OK;
	}
	uint32_t next = (store->head + 1) % store->sectors;
	for (uint32_t copy = 0; copy < 2; copy++) {
		uint32_t tail, any = 0;
		uint32_t address = next * store->flash->sector + copy * HEADER_SIZE;
		for (uint32_t i = 0; i < HEADER_WORDS; i++) {
			any |= load(store, address + 4 * i);
		}
		if (any != 0 && header_read(store, next, copy, &tail) == 0 &&
			!program_words(store, address, zeros, HEADER_WORDS)) {
			return KV_FAULT;
		}
	}
	cursor at = head_cursor(store);
	if (!store->closed && fits(&at, SLOT_SIZE)) {
		if (!program_words(store, slot_address(store, store->head, store->slots), zeros, SLOT_WORDS)) {
			return KV_FAULT;
		}
		store->slots++;
	} else {
		store->closed = true;
	}
	store->fresh = false;
	return KV_OK;
}

static void count(kv_store *store) {
	if (!store->counted) {
		kv_usage usage;
		kv_examine(store, &usage);
		store->live = usage.live;
		store->counted = true;
	}
}

static uint32_t capacity(const kv_store *store) {
	return (store->sectors - 1) * (store->flash->sector - SLOTS_START - RESERVE);
}

/* Makes room for a record of `size` bytes in the head, beside `reserve`. */
static kv_status make_room(kv_store *store, uint32_t size, uint32_t reserve) {
	for (uint32_t rounds = 0;; rounds++) {
		cursor at = head_cursor(store);
		if (store->head != 0 && !store->closed && has_room(store, &at, size, reserve)) {
			return KV_OK;
		}
		if (rounds == 0 && reserve != 0) {
			count(store);
			bool hopeless = store->failed_size != 0 && size >= store->failed_size && store->live >= store->failed_live;
			if (hopeless || size > capacity(store) || store->live > capacity(store) - size) {
				return KV_FULL;
			}
		}
		if (rounds == store->sectors) {
			store->failed_size = size;
			store->failed_live = store->live;
			return KV_FULL;
		}
		/* A second round means that one sector's garbage wasn't enough: pack the live records closer. */
		if (rounds > 0 && !store->closed && store->tail != store->head &&
			store->head - store->tail + 2 == store->sectors) {
			kv_status status = copy_live(store, store->tail, &at, false);
			set_head(store, &at);
			if (status != KV_OK) {
				store->closed = true;
				return status;
			}
		}
		kv_status status = advance(store);
		if (status != KV_OK) {
			return status;
		}
	}
}

static kv_status write(kv_store *store, const record *r, uint32_t reserve) {
	uint32_t size = record_size(r->key_size, r->value_size);
	kv_status status = prepare(store);
	if (status == KV_OK) {
		store->generation++;
		status = make_room(store, size, reserve);
	}
	if (status != KV_OK) {
		return status;
	}
	cursor at = head_cursor(store);
	slot s;
	uint32_t sequence = newest(store, walk_from(store, store->tail), r->key, r->key_size, false, &s);
	uint32_t old = sequence == 0 || s.kind == TOMBSTONE ? 0 : record_size(s.key_size, s.value_size);
	status = append(store, &at, r);
	if (status != KV_OK) {
		/* What is left of it must never come to count, and nothing more is put beside it. */
		(void)program_word(store, slot_address(store, at.sequence, at.slots) + 4 * COMMIT, 0);
		store->slots++;
		store->closed = true;
		return status;
	}
	store->live += (r->kind == TOMBSTONE ? 0 : size) - old;
	set_head(store, &at);
	return KV_OK;
}

/* ---- mounting --------------------------------------------------------------------------------------------------- */

/* Programs words again that may be half programmed: only clears bits, so it harms nothing where it isn't possible. */
static bool settle(const kv_store *store, uint32_t address, const uint32_t *words, uint32_t size) {
	for (uint32_t i = 0; i < size; i++) {
		if ((load(store, address + 4 * i) & words[i]) != words[i]) {
			return true; /* a flipped bit, not a cut */
		}
	}
	return program_words(store, address, words, size);
}

/* Makes the state of the head's last slot final, as a cut may have left its commit word half programmed. Earlier slots
 * were made so by what was programmed behind them. */
static bool settle_slots(const kv_store *store) {
	uint32_t bottom = store->flash->sector;
	for (uint32_t i = 0; i < slots_max(store) && SLOTS_START + (i + 1) * SLOT_SIZE <= bottom; i++) {
		uint32_t words[SLOT_WORDS];
		uint32_t address = slot_address(store, store->head, i);
		uint32_t all = ERASED;
		for (uint32_t word = 0; word < SLOT_WORDS; word++) {
			words[word] = load(store, address + 4 * word);
			all &= words[word];
		}
		if (all == ERASED) {
			break;
		}
		bool sealed = words[COMMIT] == seal(store->head, i, words);
		if (words[0] == 0) {
			/* Voided by prepare(), perhaps not wholly. */
			if (words[CONFIRM] != 0 && !program_words(store, address, zeros, SLOT_WORDS)) {
				return false;
			}
			continue;
		}
		if (words[CONFIRM] == ERASED && words[COMMIT] != 0) {
			if (!sealed) {
				return program_word(store, address + 4 * COMMIT, 0);
			}
			if (!program_word(store, address + 4 * COMMIT, words[COMMIT]) ||
				!program_word(store, address + 4 * CONFIRM, 0)) {
				return false;
			}
		}
		if (words[COMMIT] == 0) {
			break;
		}
		if (sealed) {
			bottom = words[0] & 0xFFFFu;
		}
	}
	return true;
}

static bool settle_header(const kv_store *store) {
	uint32_t tail, words[HEADER_WORDS];
	uint32_t index = store->head % store->sectors;
	if (header_read(store, index, 0, &tail) != 0 && header_read(store, index, 1, &tail) != 0) {
		return true;
	}
	header_words(store, store->head, store->tail, words);
	uint32_t address = sector_address(store, store->head);
	return settle(store, address, words, HEADER_WORDS) && settle(store, address + HEADER_SIZE, words, HEADER_WORDS);
}

/* Does every slot pass its check as it stands? */
static bool all_sealed(const kv_store *store) {
	for (uint32_t sequence = store->tail; sequence <= store->head; sequence++) {
		walk w = walk_from(store, sequence);
		slot s;
		slot_state state;
		while ((state = walk_next(store, &w, 0, &s)) != SLOT_FREE) {
			if (state == SLOT_BAD) {
				return false;
			}
		}
	}
	return true;
}

/* Looks at the slots of a sector; for the head also finds where the next record goes. */
static void scan(kv_store *store, uint32_t sequence) {
	walk w = walk_from(store, sequence);
	bool closed = false;
	slot s;
	slot_state state;
	while ((state = walk_next(store, &w, 0, &s)) != SLOT_FREE) {
		if (state == SLOT_BAD) {
			store->corrupt++;
			closed = true;
		}
	}
	if (sequence == store->head) {
		/* Behind a record that was begun and given up nothing is put: where its payload is isn't certain. */
		store->closed = closed || w.index == slots_max(store);
		store->slots = w.index;
		store->bottom = w.bottom;
	}
}

kv_status kv_mount(kv_store *store, const kv_flash *flash) {
	memset(store, 0, sizeof *store);
	store->flash = flash;
	store->fresh = true;
	if (flash->base == NULL || flash->sector < 256 || flash->sector > SECTOR_MAX || flash->sector % 4 != 0 ||
		flash->size % flash->sector != 0 || flash->size / flash->sector < 2 || flash->size / flash->sector > 65535 ||
		(flash->unit != 1 && flash->unit != 2 && flash->unit != 4)) {
		return KV_RANGE;
	}
	store->sectors = flash->size / flash->sector;
	for (uint32_t index = 0; index < store->sectors; index++) {
		for (uint32_t copy = 0; copy < 2; copy++) {
			uint32_t tail;
			uint32_t sequence = header_read(store, index, copy, &tail);
			if (sequence > store->head) {
				store->head = sequence;
				store->tail = tail;
			}
		}
	}
	if (store->head == 0) {
		return KV_OK;
	}
	bool ok = settle_header(store) && settle_slots(store);
	store->damaged = !all_sealed(store);
	for (uint32_t sequence = store->tail; sequence <= store->head; sequence++) {
		scan(store, sequence);
	}
	return ok ? KV_OK : KV_FAULT;
}

/* ---- the rest of the interface ---------------------------------------------------------------------------------- */

uint32_t kv_value_max(const kv_store *store) {
	return value_limit(store);
}

static void entry_from(const record *r, kv_entry *entry) {
	*entry = (kv_entry){r->key, r->value, r->key_size, r->value_size, (uint8_t)r->kind};
}

kv_status kv_get(const kv_store *store, const void *key, size_t key_size, kv_entry *entry) {
	if (key_size < 1 || key_size > KV_KEY_MAX) {
		return KV_RANGE;
	}
	slot s;
	uint32_t sequence = newest(store, walk_from(store, store->tail), key, (uint32_t)key_size, false, &s);
	if (sequence == 0) {
		return KV_ABSENT;
	}
	if (!slot_intact(store, sequence, &s)) {
		return KV_CORRUPT;
	}
	if (s.kind == TOMBSTONE) {
		return KV_ABSENT;
	}
	record r;
	slot_record(store, sequence, &s, &r);
	entry_from(&r, entry);
	return KV_OK;
}

kv_status kv_set(kv_store *store, const void *key, size_t key_size, const void *value, size_t value_size, uint8_t tag) {
	if (key_size < 1 || key_size > KV_KEY_MAX || value_size > value_limit(store) || tag > KV_TAG_MAX) {
		return KV_RANGE;
	}
	kv_entry entry;
	if (kv_get(store, key, key_size, &entry) == KV_OK && entry.tag == tag && entry.value_size == value_size &&
		(value_size == 0 || memcmp(entry.value, value, value_size) == 0)) {
		return KV_OK;
	}
	record r = {key, value_size == 0 ? key : value, (uint32_t)key_size, (uint32_t)value_size, tag};
	return write(store, &r, RESERVE);
}

kv_status kv_delete(kv_store *store, const void *key, size_t key_size) {
	kv_entry entry;
	kv_status status = kv_get(store, key, key_size, &entry);
	if (status != KV_OK && status != KV_CORRUPT) {
		return status;
	}
	record r = {key, key, (uint32_t)key_size, 0, TOMBSTONE};
	return write(store, &r, 0);
}

void kv_begin(const kv_store *store, kv_iterator *iterator) {
	*iterator = (kv_iterator){store->tail, 0, store->flash->sector, store->generation};
}

kv_status kv_next(const kv_store *store, kv_iterator *iterator, kv_entry *entry) {
	if (iterator->generation != store->generation) {
		return KV_STALE;
	}
	walk w = {iterator->sequence, iterator->index, iterator->bottom};
	kv_status status = KV_ABSENT;
	while (store->head != 0 && w.sequence <= store->head && status == KV_ABSENT) {
		slot s;
		slot_state state = walk_next(store, &w, 0, &s);
		if (state == SLOT_FREE) {
			w = walk_from(store, w.sequence + 1);
		} else if (state == SLOT_VALID && slot_live(store, &w, &s) && slot_intact(store, w.sequence, &s)) {
			record r;
			slot_record(store, w.sequence, &s, &r);
			entry_from(&r, entry);
			status = KV_OK;
		}
	}
	*iterator = (kv_iterator){w.sequence, w.index, w.bottom, iterator->generation};
	return status;
}

void kv_examine(const kv_store *store, kv_usage *usage) {
	*usage = (kv_usage){.corrupt = store->corrupt, .capacity = capacity(store), .erases_min = UINT32_MAX};
	for (uint32_t index = 0; index < store->sectors; index++) {
		uint32_t erases = kv_erases(store, index);
		usage->erases_min = erases < usage->erases_min ? erases : usage->erases_min;
		usage->erases_max = erases > usage->erases_max ? erases : usage->erases_max;
	}
	for (uint32_t sequence = store->tail; store->head != 0 && sequence <= store->head; sequence++) {
		walk w = walk_from(store, sequence);
		slot s;
		slot_state state;
		while ((state = walk_next(store, &w, 0, &s)) != SLOT_FREE) {
			if (state != SLOT_VALID) {
				continue;
			}
			bool intact = slot_intact(store, sequence, &s);
			usage->corrupt += intact ? 0 : 1;
			if (slot_live(store, &w, &s)) {
				usage->live += record_size(s.key_size, s.value_size);
				usage->keys += intact ? 1 : 0;
			}
		}
	}
}

uint32_t kv_erases(const kv_store *store, uint32_t index) {
	uint32_t last = store->head % store->sectors;
	uint32_t turn = store->head / store->sectors;
	if (store->head == 0) {
		return 0;
	}
	return index <= last ? turn : turn - 1;
}
