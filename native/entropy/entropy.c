/*
 * entropy.c: the device's random numbers: the generator over the board's noise source. Whoever needs noise feeds the
 * generator until it has enough, on the fibre or beside it; what changes the generator is never interrupted.
 */
#include "entropy.h"

#include "background.h"
#include "generator.h"
#include "hal.h"

#include <string.h>

/* A step on the fibre: bytes of noise, and the instructions that it may take at most. A hardware source needs up to 600 us
 * for them, which are waited for (nRF52840: 128 us to start, 120 us a byte). */
#define STEP 4u
#define STEP_WORK 44000u
#define DEVELOPMENT_WORK 10000u
/* What a fibre takes from the DRBG at once, with its work: 12 compressions of SHA-256. Seeding it takes 19, a slice of its
 * own. */
#define PIECE 32u
#define PIECE_WORK 32000u
#define INSTRUCTIONS_A_MICROSECOND 64u

static pc_generator generator;
static bool begun;

static bool read_noise(void *context, uint8_t *data, size_t size) {
	(void)context;
	return hal_entropy(data, size) == HAL_OK;
}

/* The generator's own hashing would end a slice in its midst. */
static void (*hold_on(void))(uint32_t) {
	void (*spend)(uint32_t) = pc_crypto_spend;
	pc_crypto_spend = NULL;
	return spend;
}

static void feed(void) {
	bool hardware = hal_entropy_source() == HAL_ENTROPY_HARDWARE;
	/* The byte that makes a seed comes alone. */
	uint32_t left = PC_RESEED_BYTES - generator.gathered % PC_RESEED_BYTES;
	size_t size = left > STEP ? STEP : 1u;
	pc_background_reserve(left == 1 ? PC_SLICE : hardware ? STEP_WORK : DEVELOPMENT_WORK);
	uint64_t since = hal_now_us();
	void (*spend)(uint32_t) = hold_on();
	pc_generator_feed(&generator, size);
	pc_crypto_spend = spend;
	uint32_t waited = (uint32_t)(hal_now_us() - since);
	pc_background_spend(500u + waited * INSTRUCTIONS_A_MICROSECOND);
}

static pc_entropy_status ready(void) {
	if (!begun) {
		begun = true;
		pc_generator_begin(&generator, read_noise, NULL);
	}
	while (generator.state == PC_GENERATOR_HUNGRY) {
		feed();
	}
	return generator.state == PC_GENERATOR_READY ? PC_ENTROPY_OK : generator.failure;
}

pc_entropy_status pc_entropy_state(void) {
	return ready();
}

pc_entropy_status pc_random(void *data, size_t size) {
	uint8_t *bytes = data;
	pc_entropy_status status = size > PC_RANDOM_MAX ? PC_ENTROPY_RANGE : ready();
	size_t most = pc_background_inside() ? PIECE : PC_RANDOM_MAX;
	for (size_t done = 0; done < size && status == PC_ENTROPY_OK;) {
		size_t piece = size - done < most ? size - done : most;
		pc_background_reserve(PIECE_WORK);
		void (*spend)(uint32_t) = hold_on();
		pc_generator_state state = pc_generator_random(&generator, bytes + done, piece);
		pc_crypto_spend = spend;
		if (state == PC_GENERATOR_READY) {
			done += piece;
			pc_background_spend(PIECE_WORK);
		} else {
			status = ready();
		}
	}
	if (status != PC_ENTROPY_OK && size <= PC_RANDOM_MAX && size > 0) {
		pc_wipe(data, size);
	}
	return status;
}
