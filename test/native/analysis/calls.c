/*
 * calls.c: routines of every form of arguments, results and ends.
 */
#include <stdint.h>

uint32_t leaf(uint32_t a, uint32_t b);
uint32_t six(uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t e, uint32_t f);
uint64_t wide(uint32_t a, uint32_t b);
uint32_t reads_from(const uint32_t *p);
uint32_t never(void);
void fills(uint8_t *to, uint32_t size);

uint32_t leaf(uint32_t a, uint32_t b) {
	return a + b;
}

uint32_t six(uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t e, uint32_t f) {
	return a + 10 * b + 100 * c + 1000 * d + 10000 * e + 100000 * f;
}

uint64_t wide(uint32_t a, uint32_t b) {
	return (uint64_t)a * b;
}

uint32_t reads_from(const uint32_t *p) {
	return *p;
}

uint32_t never(void) {
	for (;;)
		__asm__ volatile("");
}

void fills(uint8_t *to, uint32_t size) {
	static uint8_t next;
	for (uint32_t i = 0; i < size; i++)
		to[i] += ++next;
}
