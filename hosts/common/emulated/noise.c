/* noise.c: see noise.h. */
#include "noise.h"

#include "hal.h"

pc_noise_record pc_noise __attribute__((section(".noinit"), aligned(8)));

/* Spreads a small seed over all bits: splitmix64, Steele, Lea and Flood 2014. */
static uint64_t spread(uint64_t seed) {
	seed += UINT64_C(0x9E3779B97F4A7C15);
	seed = (seed ^ seed >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	seed = (seed ^ seed >> 27) * UINT64_C(0x94D049BB133111EB);
	return seed ^ seed >> 31;
}

void pc_noise_begin(uint64_t seed, pc_noise_fault fault, uint32_t after) {
	uint64_t state = spread(seed);
	pc_noise =
		(pc_noise_record){.magic = PC_NOISE_MAGIC, .fault = fault, .after = after, .state = state != 0 ? state : 1};
}

/* xorshift64*, Vigna 2016. */
static uint8_t next(void) {
	uint64_t x = pc_noise.state;
	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	pc_noise.state = x;
	return (uint8_t)((x * UINT64_C(0x2545F4914F6CDD1D)) >> 56);
}

hal_status hal_entropy(uint8_t *data, size_t size) {
	if (pc_noise.magic != PC_NOISE_MAGIC) {
		return HAL_UNSUPPORTED;
	}
	for (size_t i = 0; i < size; i++) {
		uint32_t fault = pc_noise.given < pc_noise.after ? PC_NOISE_WORKS : pc_noise.fault;
		if (fault == PC_NOISE_ABSENT) {
			return HAL_FAULT;
		}
		uint8_t byte = next();
		data[i] = fault == PC_NOISE_STUCK ? 0 : fault == PC_NOISE_BIASED ? byte & 3 : byte;
		pc_noise.given++;
	}
	return HAL_OK;
}

hal_entropy_kind hal_entropy_source(void) {
	return pc_noise.magic == PC_NOISE_MAGIC ? HAL_ENTROPY_DEVELOPMENT : HAL_ENTROPY_NONE;
}
