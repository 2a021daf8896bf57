/*
 * bytes.h: words in memory, of any alignment, in either byte order. Constant-time.
 */
#ifndef PERICARD_KERNELS_BYTES_H
#define PERICARD_KERNELS_BYTES_H

#include <stdint.h>

static inline uint32_t pc_load_le(const uint8_t *bytes) {
	return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static inline void pc_store_le(uint8_t *bytes, uint32_t word) {
	bytes[0] = (uint8_t)word;
	bytes[1] = (uint8_t)(word >> 8);
	bytes[2] = (uint8_t)(word >> 16);
	bytes[3] = (uint8_t)(word >> 24);
}

static inline uint32_t pc_load_be(const uint8_t *bytes) {
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static inline void pc_store_be(uint8_t *bytes, uint32_t word) {
	bytes[0] = (uint8_t)(word >> 24);
	bytes[1] = (uint8_t)(word >> 16);
	bytes[2] = (uint8_t)(word >> 8);
	bytes[3] = (uint8_t)word;
}

#endif
