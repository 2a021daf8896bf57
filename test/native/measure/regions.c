/*
 * regions.c: native/measure over archives that change under it. A case is two archives of one size: the first is opened,
 * then the second takes its place, as an attacker who writes flash does it. Prints the regions, the values and the log.
 */
#include "crypto.h"
#include "measure.h"

#include <bearssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The hash alone, without the rest of native/crypto. */
void pc_sha256_begin(pc_sha256 *hash) {
	br_sha256_init((br_sha256_context *)&hash->context);
}

void pc_sha256_update(pc_sha256 *hash, const void *data, size_t size) {
	br_sha256_update((br_sha256_context *)&hash->context, data, size);
}

pc_crypto_status pc_sha256_end(const pc_sha256 *hash, uint8_t digest[32]) {
	br_sha256_out((const br_sha256_context *)&hash->context, digest);
	return PC_CRYPTO_OK;
}

static void hex(void *context, const uint8_t *data, size_t size) {
	*(size_t *)context += size;
	if (size > PC_MEASURE_ENTRY) {
		abort();
	}
	for (size_t i = 0; i < size; i++) {
		printf("%02x", data[i]);
	}
}

static uint8_t *block(FILE *file, uint32_t size) {
	uint8_t *data = malloc(size > 0 ? size : 1); /* its own: reading past its end is seen */
	if (fread(data, 1, size, file) != size) {
		exit(1);
	}
	return data;
}

static void slow_read(uint8_t *to, const uint8_t *from, size_t size) {
	memcpy(to, from, size);
}

int main(int argc, char **argv) {
	static const uint8_t text[] = "0123456789012345678901234567890123456789012345678901234567890123456789";
	static const uint8_t options[] = {0xFF, 1, 2};
	const pc_image_part parts[] = {
		{"vectors", text, text + 65, slow_read, PC_COMPONENT_NATIVE},
		{"empty", text, text, NULL, PC_COMPONENT_NATIVE},
		{"xs", text, text + 64, NULL, PC_COMPONENT_ENGINE},
		{"machine", text + 1, text + 3, NULL, PC_COMPONENT_CONFIGURATION},
	};
	FILE *file = fopen(argv[argc - 1], "rb");
	uint32_t size;
	while (file != NULL && fread(&size, sizeof size, 1, file) == 1) {
		uint8_t *data = block(file, size), *changed = block(file, size);
		uint32_t head[12];
		memcpy(head, data, sizeof head);
		pc_archive archive = {
			.data = data,
			.size = head[2],
			.module_count = head[7],
			.modules = head[8],
			.resource_count = head[11],
		};
		memcpy(&archive.resources, data + 48, sizeof archive.resources);
		memcpy(data, changed, size);
		const pc_image image = {parts, 4, &archive, data + size, options, sizeof options};
		pc_region_iterator iterator;
		pc_region region;
		const uint8_t *end = data;
		pc_region_begin(&iterator, &image);
		while (pc_region_next(&iterator, &region)) {
			if (region.component == PC_COMPONENT_ARCHIVE) {
				if (region.data != end || strlen(region.name) > PC_MEASURE_NAME) {
					abort();
				}
				end = region.data + region.size;
			}
		}
		if (end != data + size) {
			abort();
		}
		uint8_t values[PC_COMPONENTS][PC_MEASURE_DIGEST];
		size_t told = 0, ignored = 0;
		pc_measure_image(&image, hex, &told, values);
		if (told != pc_measure_log_size(&image)) {
			abort();
		}
		printf(" ");
		hex(&ignored, values[0], 32);
		hex(&ignored, values[1], 32);
		hex(&ignored, values[2], 32);
		hex(&ignored, values[3], 32);
		printf("\n");
		free(changed);
		free(data);
	}
	return 0;
}
