/*
 * kv.h: a key-value store on NOR flash that survives a power cut at any moment.
 *
 * Every set and every delete is atomic: after a cut at any flash operation, also one that was left half done, a mount
 * finds the state before the call or the state after it, finds the same one on every later mount, and takes new writes.
 * docs/storage.md tells why the design is as it is and gives the format to the byte.
 *
 * The store allocates nothing and has no globals: the caller owns the kv_store (opaque; 48 bytes) and the
 * kv_flash, and keeps both as long as the store is used. No function prints, blocks on anything but flash, or recurses.
 * Stack: below 700 bytes on Cortex-M4. One thread at a time.
 *
 * What the flash must do (any NOR flash does): an erase sets every bit of one sector; a program clears bits of the
 * words it is given, in ascending order of address, and changes nothing else; a word may be programmed twice between
 * two erases (nRF52840: nWRITE = 2). A cut may leave the word or sector under way in any mixture of old and new bits,
 * and those bits may read differently after the next boot.
 */
#ifndef PERICARD_KV_H
#define PERICARD_KV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The flash that a store lives on. `base` is memory-mapped and stays readable at all times. `sector` is the erase unit,
 * 256..32768 bytes, a multiple of 4; `size` is 2..65535 whole sectors. `unit`, the program unit, is 1, 2 or 4 bytes.
 * program: `offset` and `size` are multiples of 4; `data` is 4-byte aligned RAM. erase: `offset` is that of a sector.
 * Both return false when the flash reports a failure; `context` is handed to both. */
typedef struct {
	const uint8_t *base;
	uint32_t size;
	uint32_t sector;
	uint32_t unit;
	bool (*program)(void *context, uint32_t offset, const void *data, size_t size);
	bool (*erase)(void *context, uint32_t offset);
	void *context;
} kv_flash;

typedef enum {
	KV_OK = 0,
	KV_ABSENT = 1,  /* no such key; end of an iteration */
	KV_RANGE = 2,   /* an argument is outside of what the store takes; nothing was changed */
	KV_FULL = 3,    /* no room, also after collecting all garbage; nothing was lost */
	KV_CORRUPT = 4, /* the newest record of this key fails its check: no older value is given in its place */
	KV_FAULT = 5,   /* the flash failed or kept other bits than it was given; the state before the call holds */
	KV_STALE = 6,   /* the store was changed since this iteration began */
} kv_status;

/* Keys are 1..80 bytes of any content; values 0..kv_value_max() bytes. */
#define KV_KEY_MAX 80u
/* With each value goes a tag of the caller's, 0..127. */
#define KV_TAG_MAX 127u

/* The caller owns it and looks at nothing inside. */
typedef struct {
	const kv_flash *flash;
	uint32_t sectors;     /* of the flash */
	uint32_t head;        /* sequence number of the sector being filled; 0: none was ever opened */
	uint32_t tail;        /* sequence number of the oldest sector with live records */
	uint32_t slots;       /* used slots of the head */
	uint32_t bottom;      /* lowest used payload byte of the head */
	uint32_t live;        /* bytes of all live records, when `counted` */
	uint32_t failed_size; /* smallest record that found no room ... */
	uint32_t failed_live; /* ... when this much was live */
	uint32_t generation;  /* counts changes, for the iterators */
	uint32_t corrupt;     /* damaged records met since mount */
	bool closed;          /* nothing more goes into the head */
	bool fresh;           /* nothing was written since mount */
	bool damaged;         /* some slot fails its check: lookups must try to mend */
	bool counted;
} kv_store;

/* A record in place, in flash. The pointers are valid until the next kv_set, kv_delete or kv_mount. The value is
 * 4-byte aligned when the flash is. */
typedef struct {
	const uint8_t *key;
	const uint8_t *value;
	uint32_t key_size;
	uint32_t value_size;
	uint8_t tag;
} kv_entry;

/* The caller owns it and looks at nothing inside. */
typedef struct {
	uint32_t sequence;
	uint32_t index;
	uint32_t bottom;
	uint32_t generation;
} kv_iterator;

typedef struct {
	uint32_t keys;       /* live keys whose records pass their check */
	uint32_t live;       /* bytes of flash that the live records take, with their slots */
	uint32_t capacity;   /* bytes that records may take at most; rounding to whole records costs some of it */
	uint32_t corrupt;    /* damaged records: now in the log, and dropped by collection since mount */
	uint32_t erases_min; /* how often the least and the most worn sector were erased by rotation; an erase that */
	uint32_t erases_max; /* a power cut made necessary again is not counted. They differ by at most 1. */
} kv_usage;

/* Finds the store on `flash`; one that was never written (or holds anything else) is an empty store, and the first set
 * formats it. Reads every slot (at most size / 20) and every header once; checks slots, not payloads. Writes only when
 * the last write was cut short: up to 12 words. KV_RANGE (geometry), KV_FAULT (the store can be read, not written). */
kv_status kv_mount(kv_store *store, const kv_flash *flash);

/* The largest value in bytes: half a sector, but never more than a sector holds beside its reserve. */
uint32_t kv_value_max(const kv_store *store);

/* Finds the value of a key. Looks at every slot once: O(records). KV_OK, KV_ABSENT, KV_CORRUPT, KV_RANGE. */
kv_status kv_get(const kv_store *store, const void *key, size_t key_size, kv_entry *entry);

/* Sets the value of a key. `key` and `value` must not lie in the store's own flash. A value that is already stored with
 * this tag is not written again. KV_OK, KV_RANGE, KV_FULL, KV_FAULT.
 * Flash operations: 5 words + the payload; where a new sector is due: one erase + 10 words + the live records of one
 * sector; at most as many times as there are sectors, in a store that is nearly full. */
kv_status kv_set(kv_store *store, const void *key, size_t key_size, const void *value, size_t value_size, uint8_t tag);

/* Deletes a key. Always finds room in a store that only kv_set filled. KV_OK, KV_ABSENT, KV_RANGE, KV_FAULT. */
kv_status kv_delete(kv_store *store, const void *key, size_t key_size);

/* Walks over the live records, in no stated order; damaged ones are left out. kv_next gives KV_OK with an entry,
 * KV_ABSENT at the end, KV_STALE after any change. O(records) for each record. */
void kv_begin(const kv_store *store, kv_iterator *iterator);
kv_status kv_next(const kv_store *store, kv_iterator *iterator, kv_entry *entry);

/* Checks every record, payloads too. O(records squared): for diagnosis, not for every boot. */
void kv_examine(const kv_store *store, kv_usage *usage);

/* How often rotation has erased the sector at this index (0..sectors-1). */
uint32_t kv_erases(const kv_store *store, uint32_t index);

#endif
