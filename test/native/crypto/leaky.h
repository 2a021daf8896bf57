/*
 * leaky.h: see leaky.c.
 */
#ifndef PERICARD_TEST_LEAKY_H
#define PERICARD_TEST_LEAKY_H

#include <stdint.h>

uint32_t leaky_equal(const uint8_t *a, const uint8_t *b, uint32_t size);
uint32_t leaky_table(const uint8_t *secret, uint32_t size);
void leaky_power(uint8_t y[16], const uint8_t h[16], const uint8_t *secret, uint32_t size);

#endif
