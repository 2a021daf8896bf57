/*
 * entropy.h: random numbers for keys and nonces: noise of the board, health tests (NIST SP 800-90B), HMAC_DRBG (SP 800-90A).
 *
 * The noise source is tested at the start and at every byte from then on. Once a test has failed there are no random
 * numbers any more until the device restarts: nothing that a source gave before its failure was seen is used on. What
 * needs no random numbers goes on. docs/keys.md has the design and the cut-offs.
 */
#ifndef PERICARD_ENTROPY_H
#define PERICARD_ENTROPY_H

#include <stddef.h>
#include <stdint.h>

typedef enum {
	PC_ENTROPY_OK = 0,
	PC_ENTROPY_UNAVAILABLE = 1, /* the board has no noise source, or it gives nothing (hal_entropy: HAL_FAULT) */
	PC_ENTROPY_STUCK = 2,       /* repetition count test: the same byte too often in a row */
	PC_ENTROPY_BIASED = 3,      /* adaptive proportion test: one byte too often in a window */
	PC_ENTROPY_RANGE = 4,       /* more than PC_RANDOM_MAX bytes at once; not a failure of the source */
	PC_ENTROPY_ENGINE = 5,      /* SHA-256 failed its known-answer test (selftest.h) */
} pc_entropy_status;

#define PC_RANDOM_MAX 65536u

/* Fills `data` with `size` (0..PC_RANDOM_MAX) random bytes; with zeros on failure. The first call runs the start-up test,
 * which takes a hardware source about 150 ms. Callable from a background job, where it counts its work and keeps slices
 * short, and from the event loop. */
pc_entropy_status pc_random(void *data, size_t size);

/* The verdict on the noise source as of now; runs the start-up test if it has not run. */
pc_entropy_status pc_entropy_state(void);

#endif
