/*
 * driver.c: native/crypto on a pipe, on this machine or on the emulated Cortex-M. A line is an operation and its arguments in
 * hex ("-" is no bytes, and a null pointer); the answer is a line with the status and what was written.
 *
 * Arguments and results come to lie at addresses of all alignments, in turn.
 */
#include "driver.h"

#include "selftest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bytes arguments[ARGUMENTS];
static uint8_t *blocks[ARGUMENTS + 1];
static uint8_t *out;
static size_t out_size;
static uint64_t spent;

/* `size` bytes that end where their block does. */
static uint8_t *place(uint8_t **block, size_t size) {
	static unsigned turn;
	unsigned offset = turn++ % 7 % 4;
	*block = calloc(size + offset + (size + offset == 0), 1);
	expect(*block != NULL, "no memory");
	return *block + offset;
}

static int digit(char c) {
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

static bytes parse(uint8_t **block, const char *hex) {
	if (strcmp(hex, "-") == 0) {
		return (bytes){NULL, 0};
	}
	size_t size = strlen(hex) / 2;
	bytes found = {place(block, size), size};
	for (size_t i = 0; i < size; i++) {
		found.data[i] = (uint8_t)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
	}
	return found;
}

uint8_t *result(size_t size) {
	free(blocks[ARGUMENTS]);
	out_size = size;
	out = place(&blocks[ARGUMENTS], size);
	return out;
}

void result_size(size_t size) {
	expect(size <= out_size, "more than there is room for");
	out_size = size;
}

uint64_t number(bytes argument) {
	uint64_t value = 0;
	for (size_t i = 0; i < argument.size; i++) {
		value = value << 8 | argument.data[i];
	}
	return value;
}

void expect(int condition, const char *message) {
	if (!condition) {
		fprintf(stderr, "driver: %s\n", message);
		exit(1);
	}
}

const char *status_name(pc_crypto_status status) {
	switch (status) {
	case PC_CRYPTO_OK:
		return "ok";
	case PC_CRYPTO_RANGE:
		return "range";
	case PC_CRYPTO_KEY:
		return "key";
	case PC_CRYPTO_FORGED:
		return "forged";
	case PC_CRYPTO_ENGINE:
		return "engine";
	case PC_CRYPTO_FAULT:
		return "fault";
	default:
		return "other";
	}
}

const char *answer(int good) {
	return good ? "ok" : "refused";
}

static const char *perform(const char *name) {
	static const operation *const tables[] = {
		core_operations, kernel_operations, p256_operations, curve25519_operations};
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
		for (const operation *o = tables[i]; o->name != NULL; o++) {
			if (strcmp(o->name, name) == 0) {
				return o->run(arguments);
			}
		}
	}
	fprintf(stderr, "driver: no operation \"%s\"\n", name);
	exit(1);
}

static void spend(uint32_t instructions) {
	spent += instructions;
}

static void print_result(void) {
	static const char digits[] = "0123456789abcdef";
	static char text[4096];
	size_t at = 0;
	for (size_t i = 0; i < out_size; i++) {
		text[at++] = digits[out[i] >> 4];
		text[at++] = digits[out[i] & 15];
		if (at == sizeof text) {
			fwrite(text, 1, at, stdout);
			at = 0;
		}
	}
	fwrite(text, 1, at, stdout);
	putchar('\n');
}

int main(void) {
	static char line[1 << 19];
	setvbuf(stdin, NULL, _IOFBF, 1 << 16);
	setvbuf(stdout, NULL, _IOLBF, 1 << 12);
	pc_crypto_spend = spend;
	while (fgets(line, sizeof line, stdin) != NULL) {
		expect(strchr(line, '\n') != NULL, "a line is too long");
		char *name = strtok(line, " \n");
		size_t count = 0;
		for (char *word; (word = strtok(NULL, " \n")) != NULL; count++) {
			expect(count < ARGUMENTS, "too many arguments");
			arguments[count] = parse(&blocks[count], word);
		}
		out_size = 0;
		fputs(perform(name), stdout);
		putchar(' ');
		print_result();
		for (size_t i = 0; i <= ARGUMENTS; i++) {
			free(blocks[i]);
			blocks[i] = NULL;
			if (i < ARGUMENTS) {
				arguments[i] = (bytes){NULL, 0};
			}
		}
	}
	expect(pc_crypto_failed() == 0, "an engine has failed its start-up test");
	/* 2: work was done that nobody was told of. */
	return spent > 0 ? 0 : 2;
}
