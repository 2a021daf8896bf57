/*
 * decisions.c: a check of a tag and what hangs on it, written as one would, and written so that one instruction left out
 * does not open the door.
 */
#include <stdint.h>
#include <string.h>

#define SIZE 16u
#define YES 0x3CA5965Au
#define NO 0xC35A69A5u

uint32_t door; /* 1: open */

void open_door(void);
uint32_t plain_check(const uint8_t *tag, const uint8_t *expected);
uint32_t careful_check(const uint8_t *tag, const uint8_t *expected);

__attribute__((noinline)) void open_door(void) {
	door = 1;
}

static __attribute__((noinline)) int plain_equal(const uint8_t *a, const uint8_t *b) {
	uint8_t difference = 0;
	for (unsigned i = 0; i < SIZE; i++)
		difference |= a[i] ^ b[i];
	return difference == 0;
}

uint32_t plain_check(const uint8_t *tag, const uint8_t *expected) {
	if (!plain_equal(tag, expected))
		return 0;
	open_door();
	return 1;
}

/* The same value, but the compiler does not know: else it would find that two checks are one. */
static inline uint32_t opaque(uint32_t value) {
	__asm__ volatile("" : "+r"(value));
	return value;
}

/* YES only if all bytes have been looked at and none differs: the result is computed from that, it is not chosen. */
static __attribute__((noinline)) uint32_t careful_equal(const uint8_t *a, const uint8_t *b) {
	volatile uint32_t difference = UINT32_MAX, seen = 0;
	uint32_t sum = 0;
	for (unsigned i = 0; i < SIZE; i++) {
		sum |= (uint32_t)(a[i] ^ b[i]);
		seen += i + 1;
	}
	difference = sum;
	return YES ^ difference ^ (seen ^ SIZE * (SIZE + 1) / 2);
}

/* Two comparisons, each of its own result; the door opens behind both. */
uint32_t careful_check(const uint8_t *tag, const uint8_t *expected) {
	volatile uint32_t first = NO, second = NO;
	first = careful_equal(tag, expected);
	if (opaque(first) != YES)
		return NO;
	second = careful_equal(expected, tag);
	if (opaque(second) != YES)
		return NO;
	if (opaque(first) != opaque(second) || (opaque(first) ^ NO) != UINT32_MAX)
		return NO;
	open_door();
	return first & second;
}
