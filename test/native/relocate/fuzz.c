/*
 * fuzz.c: a libFuzzer target: any table. What is accepted can be moved, undone and checked without a byte out of place. The
 * first byte chooses what is put right before: nothing, the magic number and the size, or the CRC too.
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	if (size < 1 || size > MOST) {
		return 0;
	}
	uint8_t how = *data++;
	size--;
	/* Of exactly the size, so that AddressSanitizer sees a byte too far. */
	uint8_t *copy = malloc(size + 1);
	memcpy(copy, data, size);
	if (how != 0 && size >= PC_RELOCATION_HEADER) {
		put32(copy, PC_RELOCATION_MAGIC);
		copy[4] = PC_RELOCATION_VERSION;
		copy[5] = PC_RELOCATION_THUMB;
		put32(copy + 24, (uint32_t)size);
		if (how > 1) {
			put32(copy + 28, pc_crc32(pc_crc32(0, copy, 28), copy + 32, size - 32));
		}
	}
	pc_relocation_table table;
	if (pc_relocation_open(&table, copy, size) == PC_RELOCATION_OK) {
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
			(void)pc_relocate_start(r, 0);
			while (pc_relocate_step(r) == PC_RELOCATE_MORE) {
			}
			require(r->epoch == (uint32_t)i + 1);
		}
		host_free(h);
		free(code);
	}
	free(copy);
	return 0;
}
