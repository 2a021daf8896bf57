/*
 * powercut.c: the promise of the key-value store, tested on the real C.
 *
 * The power is cut at every flash operation of many workloads, in every way that nor.h knows, and again at every
 * operation of the recovery. After each cut the store must hold the state before the interrupted call or the state after
 * it, hold the same one at the next boot, and take new writes. Further suites: wear, full flash, bit flips, flash that
 * lies or fails, and images of garbage. One JSON object a suite on stdout; exit 1 and a reason at the first failure.
 *
 * usage: powercut [suite...]
 */
#include "kv.h"
#include "nor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYS 14u

/* What the store should hold: a version of each key's value; 0 is absent. */
typedef struct {
	uint32_t version[KEYS];
} model;

typedef struct {
	uint32_t key;
	uint32_t version; /* 0: delete */
} operation;

typedef struct {
	uint32_t size;
	uint32_t sector;
	uint32_t value_max; /* of the workload */
	uint32_t length;    /* operations */
} geometry;

static const char *suite;
static uint64_t used, full; /* writes after a recovery that were taken, and rightly refused */
static char where[256];

static void fail(const char *what) {
	fprintf(stderr, "%s: %s: %s\n", suite, where, what);
	exit(1);
}

static uint32_t mix(uint32_t a, uint32_t b) {
	uint32_t h = a * 0x9E3779B1u ^ b * 0x85EBCA77u;
	h ^= h >> 15;
	h *= 0x2C1B3C6Du;
	h ^= h >> 12;
	return h;
}

static uint32_t key_of(uint32_t key, uint8_t out[KV_KEY_MAX]) {
	uint32_t size = key == 0 ? 1 : key == 1 ? KV_KEY_MAX : 2 + mix(key, 1) % 12;
	for (uint32_t i = 0; i < size; i++) {
		out[i] = (uint8_t)(i == 0 ? 'a' + key : mix(key, i));
	}
	return size;
}

/* Values of all sizes, some full of 0xFF, which programs nothing. */
static uint32_t value_of(uint32_t key, uint32_t version, uint32_t max, uint8_t out[2048]) {
	uint32_t h = mix(key + 100, version);
	uint32_t size = h % 8 == 0 ? 0 : h % 8 == 1 ? max : h / 8 % (max / 3 + 1);
	for (uint32_t i = 0; i < size; i++) {
		out[i] = h >> 20 & 1 && i % 16 < 12 ? 0xFF : (uint8_t)mix(h, i);
	}
	return size;
}

static uint8_t tag_of(uint32_t version) {
	return (uint8_t)(version % 5);
}

static bool holds(const kv_store *store, uint32_t key, uint32_t version, uint32_t max) {
	uint8_t name[KV_KEY_MAX], value[2048];
	kv_entry entry;
	kv_status status = kv_get(store, name, key_of(key, name), &entry);
	if (version == 0) {
		return status == KV_ABSENT;
	}
	uint32_t size = value_of(key, version, max, value);
	return status == KV_OK && entry.value_size == size && entry.tag == tag_of(version) &&
		   memcmp(entry.value, value, size) == 0;
}

static kv_status apply(kv_store *store, const operation *o, uint32_t max) {
	uint8_t name[KV_KEY_MAX], value[2048];
	uint32_t size = key_of(o->key, name);
	if (o->version == 0) {
		return kv_delete(store, name, size);
	}
	return kv_set(store, name, size, value, value_of(o->key, o->version, max, value), tag_of(o->version));
}

static void check(const kv_store *store, const model *m, uint32_t max) {
	for (uint32_t key = 0; key < KEYS; key++) {
		if (!holds(store, key, m->version[key], max)) {
			fail("a key changed that was not being written");
		}
	}
	kv_iterator iterator;
	kv_entry entry;
	uint32_t seen = 0, expected = 0;
	kv_status status;
	for (kv_begin(store, &iterator); (status = kv_next(store, &iterator, &entry)) == KV_OK;) {
		uint32_t key = (uint32_t)(entry.key[0] - 'a');
		if (key >= KEYS || m->version[key] == 0 || (seen & 1u << key) != 0) {
			fail("the iterator gives a key that isn't there, or one twice");
		}
		seen |= 1u << key;
	}
	for (uint32_t key = 0; key < KEYS; key++) {
		expected |= m->version[key] != 0 ? 1u << key : 0;
	}
	if (status != KV_ABSENT || seen != expected) {
		fail("the iterator leaves out a key");
	}
}

/* Takes what the store holds of the key that was being written; it must be one of the two. */
static void adopt(const kv_store *store, model *m, const operation *o, uint32_t max) {
	if (!holds(store, o->key, m->version[o->key], max)) {
		if (!holds(store, o->key, o->version, max)) {
			fail("neither the state before nor the state after");
		}
		m->version[o->key] = o->version;
	}
}

static void expect_mount(kv_store *store, nor *flash) {
	if (kv_mount(store, &flash->flash) != KV_OK) {
		fail("mount failed");
	}
}

static void no_violation(const nor *flash) {
	if (flash->violation != NULL) {
		fail(flash->violation);
	}
}

/* May the store rightly be full? With so much live that a record of every sector may not find its place. */
static bool nearly_full(const kv_store *store, uint32_t max) {
	kv_usage usage;
	kv_examine(store, &usage);
	return usage.live + (store->sectors - 1) * (20 + KV_KEY_MAX + max) > usage.capacity;
}

/* Sets of the interrupted key and of another one, and a delete, must work, and survive the next boots. `count` of them,
 * 1 to 4: few, so that they go beside what the cut left, or enough to need a new sector. */
static void use(kv_store *store, nor *flash, model *m, const operation *o, uint32_t max, uint32_t count) {
	const uint32_t other = (o->key + 1) % KEYS, untouched = UINT32_MAX;
	const operation more[4] = {{o->key, 1000001}, {other, 1000002}, {o->key, 0}, {o->key, 1000003}};
	uint32_t written[KEYS];
	memset(written, 0xFF, sizeof written);
	for (uint32_t i = 0; i < count; i++) {
		kv_status status = apply(store, &more[i], max / 4);
		if (status == KV_FULL && more[i].version != 0 && nearly_full(store, max)) {
			full++;
			continue;
		}
		if (status != KV_OK) {
			/* The set before may have been refused. */
			if (status != KV_ABSENT || !holds(store, more[i].key, 0, max)) {
				fail("the store takes no new write");
			}
		}
		used++;
		written[more[i].key] = more[i].version;
	}
	for (uint32_t boots = 0; boots < 3; boots++) {
		for (uint32_t key = 0; key < KEYS; key++) {
			bool right = written[key] == untouched ? holds(store, key, m->version[key], max)
												   : holds(store, key, written[key], max / 4);
			if (!right) {
				fail("a key was lost by the writes after the recovery, or they were");
			}
		}
		nor_boot(flash);
		expect_mount(store, flash);
	}
	no_violation(flash);
}

static struct {
	nor start, flash, again;
	kv_store start_store, store;
	uint64_t cuts, double_cuts, lies, failures;
} t;

static operation next_operation(uint32_t step, uint32_t seed, const model *m) {
	uint32_t h = mix(step, seed);
	operation o = {h % KEYS, step + 1};
	/* A few hot keys, so that old versions and tombstones are everywhere. */
	if (h >> 8 & 1) {
		o.key %= 4;
	}
	if (m->version[o.key] != 0 && (h >> 9) % 4 == 0) {
		o.version = 0;
	}
	return o;
}

/* The operations that mounting and `o` take on a copy of this flash, without a cut. */
static uint32_t operations_of(const nor *flash, const kv_store *mounted, const operation *o, uint32_t max) {
	kv_store store;
	nor_copy(&t.again, flash);
	t.again.operations = 0;
	t.again.cut_at = 0;
	if (mounted != NULL) {
		store = *mounted;
		store.flash = &t.again.flash;
	} else {
		expect_mount(&store, &t.again);
	}
	(void)apply(&store, o, max);
	return t.again.operations;
}

/* Runs a call until the power is cut; false if it came to its end. */
static __attribute__((noinline)) bool cut_short(kv_store *store, nor *flash, const operation *o, uint32_t max) {
	if (setjmp(flash->power) != 0) {
		return true;
	}
	(void)apply(store, o, max);
	return false;
}

/* The same for a boot: mount, look at what became of `o`, then run `next`. Returns whether the mount came to its end. */
static __attribute__((noinline)) bool boot_cut_short(
	kv_store *store, nor *flash, model *m, const operation *o, const operation *next, uint32_t max) {
	static bool mounted;
	mounted = false;
	if (setjmp(flash->power) == 0) {
		expect_mount(store, flash);
		adopt(store, m, o, max);
		mounted = true;
		(void)apply(store, next, max / 4);
	}
	return mounted;
}

/* A cut in the recovery from a cut: at each operation of the mount and of the next call. */
static void double_cut(const nor *torn_flash, const model *before, const operation *o, uint32_t max, uint32_t step) {
	operation then = {(o->key + 5) % KEYS, 2000000 + step};
	static const torn kinds[] = {TORN_ALL, TORN_RANDOM, TORN_WEAK_OLD, TORN_WEAK_NEW};
	uint32_t total = operations_of(torn_flash, NULL, &then, max / 4);
	/* A call that erases is long; its inner part was cut at in the first place. */
	for (uint32_t cut = 1; cut <= total; cut += cut < 24 || total - cut < 16 ? 1 : 7) {
		torn kind = kinds[(cut + step) % 4];
		model m = *before;
		nor_copy(&t.again, torn_flash);
		t.again.cut_at = cut;
		t.again.kind = kind;
		t.again.writes_allowed = 4;
		bool mounted = boot_cut_short(&t.store, &t.again, &m, o, &then, max);
		nor_boot(&t.again);
		expect_mount(&t.store, &t.again);
		if (!mounted) {
			adopt(&t.store, &m, o, max);
		}
		for (uint32_t key = 0; key < KEYS; key++) {
			if (!holds(&t.store, key, m.version[key], max) &&
				!(mounted && key == then.key && holds(&t.store, key, then.version, max / 4))) {
				fail("a double cut lost a key, or changed what a mount had shown");
			}
		}
		no_violation(&t.again);
		t.double_cuts++;
	}
}

static void cut_everywhere(const geometry *g, uint32_t seed, bool twice) {
	model m = {{0}};
	nor_open(&t.start, g->size, g->sector, seed);
	nor_open(&t.flash, g->size, g->sector, seed);
	nor_open(&t.again, g->size, g->sector, seed);
	nor_boot(&t.start);
	expect_mount(&t.start_store, &t.start);
	for (uint32_t step = 0; step < g->length; step++) {
		operation o = next_operation(step, seed, &m);
		uint32_t total = operations_of(&t.start, &t.start_store, &o, g->value_max);
		for (uint32_t cut = 1; cut <= total; cut++) {
			for (torn kind = TORN_NOTHING; kind < TORN_KINDS; kind++) {
				/* Long calls: all kinds where something is decided, and a changing one in between. */
				if (total > 60 && cut > 12 && total - cut > 40 && kind != (torn)(cut % TORN_KINDS)) {
					continue;
				}
				snprintf(where, sizeof where, "%ux%u seed %u step %u (key %u version %u) cut %u/%u kind %d",
					g->size / g->sector, g->sector, seed, step, o.key, o.version, cut, total, (int)kind);
				nor_copy(&t.flash, &t.start);
				t.store = t.start_store;
				t.store.flash = &t.flash.flash;
				t.flash.operations = 0;
				t.flash.cut_at = cut;
				t.flash.kind = kind;
				t.flash.random = mix(cut, (uint32_t)kind + seed) | 1;
				if (!cut_short(&t.store, &t.flash, &o, g->value_max)) {
					fail("the cut did not come");
				}
				t.flash.writes_allowed = 3;
				nor_boot(&t.flash);
				if (twice && kind % 2 == 1 && (cut < 10 || cut % 5 == 0 || total - cut < 8)) {
					double_cut(&t.flash, &m, &o, g->value_max, step);
				}
				model after = m;
				expect_mount(&t.store, &t.flash);
				adopt(&t.store, &after, &o, g->value_max);
				check(&t.store, &after, g->value_max);
				/* Bits that read as before now, and as changed at the next boot: whatever is written in between wins. */
				for (uint32_t key = 0; kind == TORN_WEAK_OLD && total - cut < 48 && key < KEYS; key++) {
					kv_store store = t.store;
					operation target = {key, 0};
					nor_copy(&t.again, &t.flash);
					store.flash = &t.again.flash;
					use(&store, &t.again, &after, &target, g->value_max, 1);
				}
				/* What was shown once must be shown for ever, however the weak bits read now; also when there were
				 * writes in between. */
				for (uint32_t boots = (cut + step) % 2 == 0 ? 0 : 3; boots < 3; boots++) {
					nor_boot(&t.flash);
					expect_mount(&t.store, &t.flash);
					check(&t.store, &after, g->value_max);
				}
				use(&t.store, &t.flash, &after, &o, g->value_max, 1 + (cut / 2 + (uint32_t)kind) % 4);
				t.cuts++;
			}
		}
		kv_status status = apply(&t.start_store, &o, g->value_max);
		snprintf(where, sizeof where, "%ux%u seed %u step %u", g->size / g->sector, g->sector, seed, step);
		if (status == KV_OK) {
			m.version[o.key] = o.version;
		} else if (status != KV_FULL) {
			fail("a call failed without a cut");
		}
		check(&t.start_store, &m, g->value_max);
		no_violation(&t.start);
		/* Now and then a boot without a cut. */
		if (step % 17 == 16) {
			nor_boot(&t.start);
			expect_mount(&t.start_store, &t.start);
			check(&t.start_store, &m, g->value_max);
		}
	}
	nor_close(&t.start);
	nor_close(&t.flash);
	nor_close(&t.again);
}

static void suite_cuts(void) {
	static const geometry geometries[] = {
		{2 * 512, 512, 40, 60},
		{4 * 512, 512, 90, 64},
		{3 * 1024, 1024, 200, 36},
		{4 * 4096, 4096, 400, 20},
	};
	for (uint32_t i = 0; i < sizeof geometries / sizeof geometries[0]; i++) {
		for (uint32_t seed = 1; seed <= 2; seed++) {
			cut_everywhere(&geometries[i], seed, false);
		}
	}
	if (full * 4 > used) {
		fail("the workloads fill the store too much to show anything");
	}
	printf("{\"suite\":\"cuts\",\"cuts\":%llu,\"writes\":%llu,\"refused\":%llu}\n", (unsigned long long)t.cuts,
		(unsigned long long)used, (unsigned long long)full);
}

static void suite_double_cuts(void) {
	static const geometry geometries[] = {{2 * 512, 512, 40, 40}, {4 * 512, 512, 90, 40}};
	for (uint32_t i = 0; i < sizeof geometries / sizeof geometries[0]; i++) {
		cut_everywhere(&geometries[i], 7, true);
	}
	printf("{\"suite\":\"double-cuts\",\"cuts\":%llu}\n", (unsigned long long)t.double_cuts);
}

/* A flash that silently leaves out one operation, or that reports a failure: the call must say so or have worked. */
static void suite_lies(void) {
	static const geometry g = {4 * 512, 512, 90, 120};
	uint64_t reported = 0, harmless = 0;
	for (uint32_t mode = 0; mode < 2; mode++) {
		model m = {{0}};
		nor_open(&t.start, g.size, g.sector, 3);
		nor_open(&t.flash, g.size, g.sector, 3);
		nor_open(&t.again, g.size, g.sector, 3);
		expect_mount(&t.start_store, &t.start);
		for (uint32_t step = 0; step < g.length; step++) {
			operation o = next_operation(step, 3, &m);
			uint32_t total = operations_of(&t.start, &t.start_store, &o, g.value_max);
			for (uint32_t at = 1; at <= total; at++) {
				snprintf(where, sizeof where, "%s step %u operation %u", mode ? "failure" : "lie", step, at);
				nor_copy(&t.flash, &t.start);
				t.store = t.start_store;
				t.store.flash = &t.flash.flash;
				t.flash.operations = 0;
				t.flash.drop_at = mode == 0 ? at : 0;
				t.flash.fail_at = mode == 1 ? at : 0;
				t.flash.writes_allowed = 3;
				kv_status status = apply(&t.store, &o, g.value_max);
				t.flash.drop_at = t.flash.fail_at = 0;
				model after = m;
				if (status == KV_OK) {
					after.version[o.key] = o.version;
					harmless++;
				} else if (status == KV_FAULT) {
					reported++;
				} else if (status != KV_FULL) {
					fail("neither done nor reported");
				}
				check(&t.store, &after, g.value_max);
				nor_boot(&t.flash);
				expect_mount(&t.store, &t.flash);
				check(&t.store, &after, g.value_max);
				use(&t.store, &t.flash, &after, &o, g.value_max, 4);
			}
			if (apply(&t.start_store, &o, g.value_max) == KV_OK) {
				m.version[o.key] = o.version;
			}
		}
		nor_close(&t.start);
		nor_close(&t.flash);
		nor_close(&t.again);
	}
	printf("{\"suite\":\"lies\",\"reported\":%llu,\"harmless\":%llu}\n", (unsigned long long)reported,
		(unsigned long long)harmless);
}

/* A store of static data and one hot key: every sector must take its share of the erases. */
static void suite_wear(void) {
	nor_open(&t.start, 16 * 4096, 4096, 5);
	expect_mount(&t.start_store, &t.start);
	uint8_t value[400];
	for (uint32_t key = 0; key < 60; key++) {
		memset(value, (int)key, sizeof value);
		if (kv_set(&t.start_store, &key, sizeof key, value, sizeof value, 0) != KV_OK) {
			fail("set");
		}
	}
	uint64_t operations = 0;
	uint32_t longest = 0, sets = 60000;
	for (uint32_t i = 0; i < sets; i++) {
		memset(value, 0, sizeof value);
		memcpy(value, &i, sizeof i);
		t.start.operations = 0;
		if (kv_set(&t.start_store, "hot", 3, value, 32, 1) != KV_OK) {
			fail("set");
		}
		operations += t.start.operations;
		longest = t.start.operations > longest ? t.start.operations : longest;
		if (i % 5000 == 0) {
			nor_boot(&t.start);
			expect_mount(&t.start_store, &t.start);
		}
	}
	uint32_t least = UINT32_MAX, most = 0;
	for (uint32_t i = 0; i < 16; i++) {
		least = t.start.erases[i] < least ? t.start.erases[i] : least;
		most = t.start.erases[i] > most ? t.start.erases[i] : most;
		if (kv_erases(&t.start_store, i) != t.start.erases[i]) {
			fail("the store's erase count isn't the flash's");
		}
	}
	kv_usage usage;
	kv_examine(&t.start_store, &usage);
	if (most - least > 1 || usage.erases_max != most || usage.erases_min != least || usage.keys != 61) {
		fail("wear isn't spread, or a key was lost");
	}
	for (uint32_t key = 0; key < 60; key++) {
		kv_entry entry;
		memset(value, (int)key, sizeof value);
		if (kv_get(&t.start_store, &key, sizeof key, &entry) != KV_OK || entry.value_size != sizeof value ||
			memcmp(entry.value, value, sizeof value) != 0) {
			fail("static data was lost");
		}
	}
	no_violation(&t.start);
	nor_close(&t.start);
	printf("{\"suite\":\"wear\",\"sets\":%u,\"erases_min\":%u,\"erases_max\":%u,\"words_per_set\":%.2f,"
		   "\"longest_set\":%u}\n",
		sets, least, most, (double)operations / sets, longest);
}

/* Fills the store to the brim, several times, with records of one size: nothing may be lost, and deletes must work. */
static void suite_full(void) {
	static const geometry geometries[] = {{2 * 512, 512, 0, 0}, {4 * 512, 512, 0, 0}, {16 * 4096, 4096, 0, 0}};
	uint32_t most_erases = 0;
	for (uint32_t i = 0; i < 3; i++) {
		const geometry *g = &geometries[i];
		for (uint32_t size = i == 2 ? 121 : 0; size <= 2048; size = size * 3 + 1) {
			uint8_t value[2048];
			nor_open(&t.start, g->size, g->sector, 11);
			expect_mount(&t.start_store, &t.start);
			snprintf(where, sizeof where, "%ux%u values of %u", g->size / g->sector, g->sector, size);
			if (size > kv_value_max(&t.start_store)) {
				if (kv_set(&t.start_store, "k", 1, value, size, 0) != KV_RANGE) {
					fail("a value beyond the maximum was taken");
				}
				nor_close(&t.start);
				break;
			}
			uint32_t stored = 0;
			for (; stored < 5000; stored++) {
				memset(value, (int)(stored * 7), sizeof value);
				kv_status status = kv_set(&t.start_store, &stored, sizeof stored, value, size, 0);
				if (status == KV_FULL) {
					break;
				}
				if (status != KV_OK) {
					fail("set");
				}
			}
			kv_usage usage;
			kv_examine(&t.start_store, &usage);
			if (usage.keys != stored || stored == 0) {
				fail("a full store lost a key");
			}
			/* The same refusal must not wear the flash. */
			uint32_t erases = 0;
			for (uint32_t s = 0; s < g->size / g->sector; s++) {
				erases += t.start.erases[s];
			}
			for (uint32_t again = 0; again < 10; again++) {
				uint32_t other = 100000 + again;
				if (kv_set(&t.start_store, &other, sizeof other, value, size, 0) != KV_FULL) {
					fail("full, and then not");
				}
			}
			for (uint32_t s = 0; s < g->size / g->sector; s++) {
				erases -= t.start.erases[s];
			}
			if (erases != 0) {
				fail("a refused set erased sectors");
			}
			/* Overwrites and deletes in the full store, all of them; every key by its turn. */
			for (uint32_t key = 0; key < stored; key++) {
				t.start.operations = 0;
				uint32_t before = 0, after = 0;
				for (uint32_t s = 0; s < g->size / g->sector; s++) {
					before += t.start.erases[s];
				}
				if (kv_delete(&t.start_store, &key, sizeof key) != KV_OK) {
					fail("a full store can't delete");
				}
				for (uint32_t s = 0; s < g->size / g->sector; s++) {
					after += t.start.erases[s];
				}
				most_erases = after - before > most_erases ? after - before : most_erases;
				kv_entry entry;
				if (kv_get(&t.start_store, &key, sizeof key, &entry) != KV_ABSENT) {
					fail("deleted, and still there");
				}
				if (key % 2 == 1) {
					memset(value, (int)key, sizeof value);
					kv_status status = kv_set(&t.start_store, &key, sizeof key, value, size, 0);
					if (status != KV_OK && status != KV_FULL) {
						fail("set");
					}
					if (status == KV_FULL && size > 0 && key > 3) {
						fail("deleted two records of a size, and there is no room for one");
					}
				}
			}
			nor_boot(&t.start);
			expect_mount(&t.start_store, &t.start);
			for (uint32_t key = 5; key < stored; key += 2) {
				kv_entry entry;
				memset(value, (int)key, sizeof value);
				if (kv_get(&t.start_store, &key, sizeof key, &entry) != KV_OK || entry.value_size != size ||
					memcmp(entry.value, value, size) != 0) {
					fail("a key was lost");
				}
			}
			no_violation(&t.start);
			nor_close(&t.start);
		}
	}
	if (most_erases > 1) {
		fail("a delete took more than one erase");
	}
	printf("{\"suite\":\"full\",\"erases_of_a_delete\":%u}\n", most_erases);
}

/* Each bit of an image flipped: a key may become absent or corrupt, never an older or another value. */
static void suite_flips(void) {
	static const geometry g = {3 * 1024, 1024, 200, 60};
	model m = {{0}};
	nor_open(&t.start, g.size, g.sector, 9);
	nor_open(&t.flash, g.size, g.sector, 9);
	expect_mount(&t.start_store, &t.start);
	for (uint32_t step = 0; step < g.length; step++) {
		operation o = next_operation(step, 9, &m);
		if (apply(&t.start_store, &o, g.value_max) == KV_OK) {
			m.version[o.key] = o.version;
		}
	}
	uint64_t harmless = 0, told = 0;
	for (uint32_t bit = 0; bit < 8 * g.size; bit++) {
		snprintf(where, sizeof where, "bit %u of byte %u", bit % 8, bit / 8);
		nor_copy(&t.flash, &t.start);
		t.flash.writes_allowed = 4;
		nor_flip(&t.flash, bit);
		nor_boot(&t.flash);
		(void)kv_mount(&t.store, &t.flash.flash);
		uint32_t damaged = 0, which = 0;
		for (uint32_t key = 0; key < KEYS; key++) {
			if (!holds(&t.store, key, m.version[key], g.value_max)) {
				uint8_t name[KV_KEY_MAX];
				kv_entry entry;
				kv_status status = kv_get(&t.store, name, key_of(key, name), &entry);
				if (status != KV_CORRUPT && status != KV_ABSENT) {
					fail("a flipped bit gave a wrong value");
				}
				if (status == KV_ABSENT && m.version[key] != 0) {
					fail("a flipped bit made a key vanish without a word");
				}
				damaged++;
				which = key;
			}
		}
		kv_usage usage;
		kv_examine(&t.store, &usage);
		if (damaged > 1 || usage.corrupt < damaged) {
			fail("one flipped bit harmed two keys, or wasn't counted");
		}
		harmless += damaged == 0;
		told += damaged;
		/* The damage doesn't spread, and a set heals the key. */
		operation o = {damaged ? which : 2, 3000000};
		for (uint32_t i = 0; i < 12; i++) {
			operation other = {i % 2 == 0 ? o.key : (o.key + 1) % KEYS, 3000000 + i};
			if (apply(&t.store, &other, g.value_max / 4) != KV_OK) {
				fail("no write after a flipped bit");
			}
			if (!holds(&t.store, other.key, other.version, g.value_max / 4)) {
				fail("a write after a flipped bit isn't there");
			}
		}
		for (uint32_t key = 0; key < KEYS; key++) {
			if (key != o.key && key != (o.key + 1) % KEYS && !holds(&t.store, key, m.version[key], g.value_max)) {
				fail("the damage spread");
			}
		}
	}
	nor_close(&t.start);
	nor_close(&t.flash);
	printf("{\"suite\":\"flips\",\"harmless\":%llu,\"reported\":%llu}\n", (unsigned long long)harmless,
		(unsigned long long)told);
}

/* Whatever the flash holds at first: a mount reads nothing outside, and the first set makes it a store. */
static void suite_garbage(void) {
	uint32_t images = 0;
	for (uint32_t sectors = 2; sectors <= 16; sectors += 7) {
		for (uint32_t image = 0; image < 60; image++, images++) {
			snprintf(where, sizeof where, "%u sectors, image %u", sectors, image);
			nor_open(&t.start, sectors * 512, 512, image + 1);
			nor_fill(&t.start, image == 0 ? 0xFF : 0x00);
			for (uint32_t i = 0; image > 1 && i < t.start.flash.size; i++) {
				uint8_t noise = (uint8_t)(nor_random(&t.start) & nor_random(&t.start));
				t.start.mem[i] = noise;
				t.start.cells[i / 4] = (t.start.cells[i / 4] & ~(0xFFu << i % 4 * 8)) | (uint32_t)noise << i % 4 * 8;
			}
			t.start.writes_allowed = 3;
			expect_mount(&t.start_store, &t.start);
			model m = {{0}};
			check(&t.start_store, &m, 40);
			operation o = {3, 4};
			use(&t.start_store, &t.start, &m, &o, 80, 4);
			nor_close(&t.start);
		}
	}
	kv_flash bad[5];
	nor_open(&t.start, 2048, 512, 1);
	for (uint32_t i = 0; i < 5; i++) {
		bad[i] = t.start.flash;
	}
	bad[0].base = NULL;
	bad[1].sector = 128;
	bad[2].size = 512;
	bad[3].size = 2000;
	bad[4].unit = 8;
	for (uint32_t i = 0; i < 5; i++) {
		if (kv_mount(&t.start_store, &bad[i]) != KV_RANGE) {
			fail("a bad geometry was taken");
		}
	}
	expect_mount(&t.start_store, &t.start);
	kv_entry entry;
	kv_iterator iterator;
	if (kv_set(&t.start_store, "", 0, "x", 1, 0) != KV_RANGE || kv_get(&t.start_store, "", 0, &entry) != KV_RANGE ||
		kv_set(&t.start_store, where, KV_KEY_MAX + 1, "x", 1, 0) != KV_RANGE ||
		kv_set(&t.start_store, "k", 1, "x", 1, 128) != KV_RANGE || kv_delete(&t.start_store, "k", 1) != KV_ABSENT) {
		fail("an argument out of range was taken");
	}
	kv_begin(&t.start_store, &iterator);
	if (kv_set(&t.start_store, "k", 1, "x", 1, 0) != KV_OK || kv_next(&t.start_store, &iterator, &entry) != KV_STALE) {
		fail("an iterator outlived a change");
	}
	uint32_t operations = t.start.operations;
	if (kv_set(&t.start_store, "k", 1, "x", 1, 0) != KV_OK || t.start.operations != operations) {
		fail("a value that was there was written again");
	}
	nor_close(&t.start);
	printf("{\"suite\":\"garbage\",\"images\":%u}\n", images);
}

int main(int argc, char **argv) {
	static const struct {
		const char *name;
		void (*run)(void);
	} suites[] = {
		{"cuts", suite_cuts},
		{"double-cuts", suite_double_cuts},
		{"lies", suite_lies},
		{"wear", suite_wear},
		{"full", suite_full},
		{"flips", suite_flips},
		{"garbage", suite_garbage},
	};
	for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++) {
		bool wanted = argc < 2;
		for (int a = 1; a < argc; a++) {
			wanted = wanted || strcmp(argv[a], suites[i].name) == 0;
		}
		if (wanted) {
			suite = suites[i].name;
			suites[i].run();
			fflush(stdout);
		}
	}
	return 0;
}
