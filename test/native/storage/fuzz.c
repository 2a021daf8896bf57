/*
 * fuzz.c: libFuzzer target for the key-value store: any image, and any sequence of calls and damage.
 *
 * The first byte chooses: an image of the input's own bytes; a store's image with bytes of the input in it and every check
 * made right again, so that the fuzzer gets behind the checks; or a program of sets, deletes, boots and flipped bits, in which the store must stay usable.
 * kv.c is included, not linked: the second mode needs its seal.
 */
#include "kv.c"

#include "nor.h"

#include <stdlib.h>

static void require(bool what) {
	if (!what) {
		abort();
	}
}

static void use(kv_store *store) {
	kv_entry entry;
	kv_iterator iterator;
	uint32_t seen = 0, sum = 0;
	kv_status status;
	for (kv_begin(store, &iterator); (status = kv_next(store, &iterator, &entry)) == KV_OK; seen++) {
		require(entry.key_size >= 1 && entry.key_size <= KV_KEY_MAX && entry.value_size <= kv_value_max(store));
		sum += pc_crc32(0, entry.key, entry.key_size) + pc_crc32(0, entry.value, entry.value_size);
		kv_entry again;
		require(kv_get(store, entry.key, entry.key_size, &again) == KV_OK && again.value == entry.value);
	}
	require(status == KV_ABSENT && seen < 5000);
	kv_usage usage;
	kv_examine(store, &usage);
	require(usage.keys == seen && sum == sum + 0 * usage.live);
	(void)kv_get(store, "k", 1, &entry);
	(void)kv_delete(store, "k", 1);
	if (kv_set(store, "k", 1, "value", 5, 3) == KV_OK) {
		require(kv_get(store, "k", 1, &entry) == KV_OK && entry.value_size == 5 && entry.tag == 3);
	}
}

/* Makes header and commit words right, wherever they stand. */
static void make_right(nor *flash) {
	kv_store store = {.flash = &flash->flash, .sectors = flash->flash.size / flash->flash.sector};
	for (uint32_t index = 0; index < store.sectors; index++) {
		uint32_t words[HEADER_WORDS], address = index * flash->flash.sector;
		uint32_t sequence = store.sectors * (1 + load(&store, address + 8) % 3) + index;
		uint32_t tail = sequence - load(&store, address + 12) % (store.sectors > 2 ? store.sectors - 1 : 1);
		header_words(&store, sequence, tail < store.sectors ? sequence : tail, words);
		for (uint32_t i = 0; i < HEADER_WORDS; i++) {
			put(flash->mem + address + 4 * i, words[i]);
		}
		for (uint32_t slot = 0; slot < slots_max(&store); slot++) {
			uint32_t at = slot_address(&store, sequence, slot);
			uint32_t first[3] = {load(&store, at), load(&store, at + 4), load(&store, at + 8)};
			uint32_t offset = first[0] & 0xFFFCu, size = (first[0] >> 16) + (first[1] & 0xFFu);
			if (first[0] == ERASED) {
				break;
			}
			if (offset < flash->flash.sector && size <= flash->flash.sector - offset) {
				const uint8_t *payload = flash->mem + address + offset;
				uint32_t value_size = first[0] >> 16;
				first[0] = offset | value_size << 16;
				first[1] = (first[1] & 0xFFFFu) | key_hash(payload + value_size, first[1] & 0xFFu) << 16;
				first[2] = pc_crc32(0, payload, size);
			}
			for (uint32_t i = 0; i < 3; i++) {
				put(flash->mem + at + 4 * i, first[i]);
			}
			put(flash->mem + at + 4 * COMMIT, seal(sequence, slot, first));
		}
	}
}

static void image(nor *flash, const uint8_t *data, size_t size, bool right) {
	kv_store store;
	if (right) {
		/* A store with some history; the input is where to put which byte. */
		require(kv_mount(&store, &flash->flash) == KV_OK);
		for (uint8_t i = 0; i < 40; i++) {
			uint8_t key[2] = {'a', i % 9};
			(void)(i % 5 == 4 ? kv_delete(&store, key, 2) : kv_set(&store, key, 1 + i % 2, data, size % 30, i));
		}
		for (size_t i = 0; i + 2 < size; i += 3) {
			flash->mem[(data[i] | (uint32_t)data[i + 1] << 8) % flash->flash.size] = data[i + 2];
		}
		make_right(flash);
	} else {
		memcpy(flash->mem, data, size < flash->flash.size ? size : flash->flash.size);
	}
	for (uint32_t word = 0; word < flash->flash.size / 4; word++) {
		store.flash = &flash->flash;
		flash->cells[word] = load(&store, 4 * word);
	}
	require(kv_mount(&store, &flash->flash) == KV_OK);
	use(&store);
	require(kv_mount(&store, &flash->flash) == KV_OK);
	use(&store);
}

static void calls(nor *flash, const uint8_t *data, size_t size) {
	kv_store store;
	uint8_t value[256];
	require(kv_mount(&store, &flash->flash) == KV_OK);
	for (size_t i = 0; i + 3 < size && i < 400; i += 4) {
		uint32_t key = data[i + 1] % 32;
		kv_entry entry;
		switch (data[i] % 8) {
		default:
			memset(value, data[i + 2], sizeof value);
			if (kv_set(&store, &key, 1 + key % 4, value, data[i + 3], data[i + 2] & KV_TAG_MAX) == KV_OK) {
				require(kv_get(&store, &key, 1 + key % 4, &entry) == KV_OK && entry.value_size == data[i + 3]);
			}
			break;
		case 5:
			(void)kv_delete(&store, &key, 1 + key % 4);
			require(kv_get(&store, &key, 1 + key % 4, &entry) == KV_ABSENT);
			break;
		case 6:
			nor_boot(flash);
			require(kv_mount(&store, &flash->flash) == KV_OK);
			break;
		case 7:
			nor_flip(flash, (data[i + 1] | (uint32_t)data[i + 2] << 8) % (8 * flash->flash.size));
			require(kv_mount(&store, &flash->flash) == KV_OK);
			break;
		}
	}
	use(&store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	if (size < 2) {
		return 0;
	}
	static const uint32_t sectors[] = {2, 3, 4, 5};
	nor *flash = malloc(sizeof *flash);
	nor_open(flash, sectors[data[1] % 4] * 512, 512, 1);
	flash->writes_allowed = 255;
	if (data[0] % 4 >= 2) {
		calls(flash, data + 2, size - 2);
	} else {
		image(flash, data + 2, size - 2, data[0] % 4 == 1);
	}
	nor_close(flash);
	free(flash);
	return 0;
}
