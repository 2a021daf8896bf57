/*
 * generator.c: drives native/entropy's core by commands, with noise from standard input.
 *
 * Arguments, in turn: "feed N" gives it N bytes, "random N" asks for N bytes. After each a line: state, failure, bytes of
 * noise taken, what was given (hexadecimal, or "-"), and whether the generator holds any secret.
 */
#include "generator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned long taken;

static bool read_noise(void *context, uint8_t *data, size_t size) {
	(void)context;
	size_t count = fread(data, 1, size, stdin);
	taken += (unsigned long)count;
	return count == size;
}

static bool any(const void *data, size_t size) {
	const uint8_t *bytes = data;
	for (size_t i = 0; i < size; i++) {
		if (bytes[i] != 0) {
			return true;
		}
	}
	return false;
}

int main(int argc, char **argv) {
	static pc_generator generator;
	static uint8_t out[PC_RANDOM_MAX];
	pc_generator_begin(&generator, read_noise, NULL);
	for (int i = 1; i + 1 < argc; i += 2) {
		unsigned long count = strtoul(argv[i + 1], NULL, 0);
		size_t given = 0;
		if (strcmp(argv[i], "feed") == 0) {
			for (unsigned long j = 0; j < count; j++) {
				pc_generator_feed(&generator, 1);
			}
		} else if (pc_generator_random(&generator, out, count) == PC_GENERATOR_READY) {
			given = count;
		}
		printf("%d %d %lu ", (int)generator.state, (int)generator.failure, taken);
		for (size_t j = 0; j < given; j++) {
			printf("%02x", out[j]);
		}
		bool secret = any(generator.seed, sizeof generator.seed) || any(&generator.pool, sizeof generator.pool) ||
					  any(&generator.drbg, sizeof generator.drbg);
		printf("%s %d\n", given == 0 ? "-" : "", secret ? 1 : 0);
	}
	return 0;
}
