/*
 * leaks.c: pairs of routines over a secret, one that leaks it through time and one that does not.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIZE 16u

uint32_t branch_leaks(const uint8_t *secret);
uint32_t branch_keeps(const uint8_t *secret);
uint32_t table_leaks(const uint8_t *secret);
uint32_t table_keeps(const uint8_t *secret);
bool compare_leaks(const uint8_t *secret, const uint8_t *guess);
bool compare_keeps(const uint8_t *secret, const uint8_t *guess);
uint32_t division_leaks(const uint8_t *secret);
uint32_t condition_leaks(const uint8_t *secret);
uint32_t leaks_before(const uint8_t *secret);

static const uint32_t table[16] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3};

/* Square and multiply: the multiplication only for bits that are set. */
uint32_t branch_leaks(const uint8_t *secret) {
	uint32_t power = 1;
	for (size_t i = 0; i < SIZE * 8; i++) {
		power *= power;
		if (secret[i / 8] >> (i % 8) & 1) {
			power *= 3;
			__asm__ volatile("" : "+r"(power)); /* the compiler is not to make a choice without a branch of it */
		}
	}
	return power;
}

uint32_t branch_keeps(const uint8_t *secret) {
	uint32_t power = 1;
	for (size_t i = 0; i < SIZE * 8; i++) {
		power *= power;
		uint32_t mask = -(uint32_t)(secret[i / 8] >> (i % 8) & 1);
		power = (power & ~mask) | (power * 3 & mask);
	}
	return power;
}

uint32_t table_leaks(const uint8_t *secret) {
	uint32_t sum = 0;
	for (size_t i = 0; i < SIZE; i++)
		sum = sum * 31 + table[secret[i] & 15];
	return sum;
}

uint32_t table_keeps(const uint8_t *secret) {
	uint32_t sum = 0;
	for (size_t i = 0; i < SIZE; i++) {
		uint32_t value = 0;
		for (uint32_t k = 0; k < 16; k++) {
			uint32_t other = k ^ (secret[i] & 15u);
			uint32_t mask = ((other | -other) >> 31) - 1;
			value |= table[k] & mask;
		}
		sum = sum * 31 + value;
	}
	return sum;
}

bool compare_leaks(const uint8_t *secret, const uint8_t *guess) {
	for (size_t i = 0; i < SIZE; i++)
		if (secret[i] != guess[i])
			return false;
	return true;
}

bool compare_keeps(const uint8_t *secret, const uint8_t *guess) {
	uint32_t difference = 0;
	for (size_t i = 0; i < SIZE; i++)
		difference |= (uint32_t)(secret[i] ^ guess[i]);
	return (difference - 1) >> 31;
}

/* The same instructions and addresses; but the core takes its time by the operands. */
uint32_t division_leaks(const uint8_t *secret) {
	return 1000000007u / (secret[0] + 1u);
}

/* The same instructions; but one of them is carried out, or not. */
uint32_t condition_leaks(const uint8_t *secret) {
	uint32_t value = 5;
	__asm__ volatile("tst %1, #1\n\tit ne\n\tldrne %0, [%2]"
					 : "+r"(value)
					 : "r"((uint32_t)secret[0]), "r"(table)
					 : "cc");
	return value;
}

void part_begins(void);
void part_ends(void);

__attribute__((noinline)) void part_begins(void) {
	__asm__ volatile("");
}

__attribute__((noinline)) void part_ends(void) {
	__asm__ volatile("");
}

/* Leaks, but not between the two marks. */
uint32_t leaks_before(const uint8_t *secret) {
	uint32_t value = table_leaks(secret);
	part_begins();
	value ^= branch_keeps(secret);
	part_ends();
	return value;
}
