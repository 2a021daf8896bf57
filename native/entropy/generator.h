/*
 * generator.h: from noise to random numbers: health tests, conditioning, HMAC_DRBG. The core below entropy.h, for one noise
 * source that comes as a function.
 *
 * The caller owns the pc_generator, which is as secret as what it gives. Nothing here blocks on anything but the source,
 * and no function may be called while another one runs on the same generator.
 *
 * Numbers, with their reasons in docs/keys.md: the source is assumed to give PC_NOISE_H = 4 bits of min-entropy a byte, and
 * a test fails a source that does with a probability of 2^-30 at most.
 */
#ifndef PERICARD_GENERATOR_H
#define PERICARD_GENERATOR_H

#include "crypto.h"
#include "entropy.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* SP 800-90B 4.4.1: 1 + ceil(30 / H). */
#define PC_REPETITION_CUTOFF 9u
/* SP 800-90B 4.4.2: 1 + critbinom(512, 2^-H, 1 - 2^-30). */
#define PC_PROPORTION_WINDOW 512u
#define PC_PROPORTION_CUTOFF 71u
/* SP 800-90B 4.3: at least 1,024 consecutive samples before the first use; they then make the first seed. */
#define PC_STARTUP_BYTES 1024u
#define PC_RESEED_BYTES 128u
/* Requests after which the DRBG must be seeded anew. */
#define PC_RESEED_REQUESTS 256u

/* Puts `size` bytes of raw noise, unconditioned, into `data`; false when the source gives none. */
typedef bool (*pc_noise_read)(void *context, uint8_t *data, size_t size);

typedef enum {
	PC_GENERATOR_READY = 0,
	PC_GENERATOR_HUNGRY = 1, /* needs noise: pc_generator_feed() until it doesn't */
	PC_GENERATOR_FAILED = 2, /* for good; `failure` says why */
} pc_generator_state;

typedef struct {
	pc_noise_read read;
	void *context;
	pc_generator_state state;
	pc_entropy_status failure;
	/* repetition count: A, B */
	uint8_t repeated;
	uint16_t repeats;
	/* adaptive proportion: A, B, and how many of the window have come */
	uint8_t sample;
	uint16_t same;
	uint16_t seen;
	bool seeded;
	uint16_t gathered; /* bytes towards the next seed */
	uint16_t requests; /* since the last seed */
	uint8_t seed[64];
	pc_sha256 pool;
	pc_hmac_drbg drbg;
} pc_generator;

void pc_generator_begin(pc_generator *generator, pc_noise_read read, void *context);

/* Takes `size` (1..16) bytes of noise, tests them, and seeds the DRBG when they are enough. Nothing to do: does nothing. */
void pc_generator_feed(pc_generator *generator, size_t size);

/* `size` random bytes, if the state is PC_GENERATOR_READY; else nothing is written. One request. Returns the state in which it
 * was called, or PC_GENERATOR_FAILED if that fails; for more than PC_RANDOM_MAX bytes PC_GENERATOR_FAILED, and nothing has
 * changed. */
pc_generator_state pc_generator_random(pc_generator *generator, void *data, size_t size);

#endif
