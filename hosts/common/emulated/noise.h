/*
 * noise.h: the noise source of the emulated boards: a development source, expanded from a seed that the harness gives.
 */
#ifndef PERICARD_NOISE_H
#define PERICARD_NOISE_H

#include <stdint.h>

/* What the source does wrong, for tests; from its `after`-th byte on. */
typedef enum {
	PC_NOISE_WORKS = 0,
	PC_NOISE_STUCK = 1,  /* the same byte for ever */
	PC_NOISE_BIASED = 2, /* only two bits of a byte are noise */
	PC_NOISE_ABSENT = 3, /* no bytes */
} pc_noise_fault;

/* In RAM that a reset keeps, so that the noise goes on behind it. The harness writes it at power-on: on a process by
 * pc_noise_begin(), elsewhere straight into memory (tools/harness/noise.ts), before the first instruction. */
typedef struct {
	uint32_t magic; /* PC_NOISE_MAGIC; anything else: nobody gave a seed, and there is no source */
	uint32_t fault; /* pc_noise_fault */
	uint32_t after;
	uint32_t given; /* bytes so far */
	uint64_t state; /* not 0 */
} pc_noise_record;

#define PC_NOISE_MAGIC 0x44454553u /* "SEED" */

extern pc_noise_record pc_noise;

/* Power-on of a process. */
void pc_noise_begin(uint64_t seed, pc_noise_fault fault, uint32_t after);

#endif
