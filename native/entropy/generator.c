/* generator.c: see generator.h. */
#include "generator.h"

#include <string.h>

#define MOST 16u

/* What a broken source has given, and what was made of it, is of no use to anybody but an attacker. */
static void fail(pc_generator *g, pc_entropy_status why) {
	pc_wipe(g->seed, sizeof g->seed);
	pc_wipe(&g->pool, sizeof g->pool);
	pc_wipe(&g->drbg, sizeof g->drbg);
	g->state = PC_GENERATOR_FAILED;
	g->failure = why;
}

void pc_generator_begin(pc_generator *g, pc_noise_read read, void *context) {
	memset(g, 0, sizeof *g);
	g->read = read;
	g->context = context;
	g->state = PC_GENERATOR_HUNGRY;
	pc_sha256_begin(&g->pool);
}

/* ---- health tests ----------------------------------------------------------------------------------------------- */

/* SP 800-90B 4.4.1: as many of the same byte in a row. */
static bool repetition(pc_generator *g, uint8_t byte) {
	if (g->repeats > 0 && byte == g->repeated) {
		g->repeats++;
	} else {
		g->repeated = byte;
		g->repeats = 1;
	}
	return g->repeats < PC_REPETITION_CUTOFF;
}

/* SP 800-90B 4.4.2: as many of the first byte of a window in it. Windows follow each other without overlapping. */
static bool proportion(pc_generator *g, uint8_t byte) {
	if (g->seen == 0) {
		g->sample = byte;
		g->same = 0;
	}
	g->same = (uint16_t)(g->same + (byte == g->sample ? 1 : 0));
	g->seen = (uint16_t)((g->seen + 1u) % PC_PROPORTION_WINDOW);
	return g->same < PC_PROPORTION_CUTOFF;
}

/* ---- seeding ---------------------------------------------------------------------------------------------------- */

/* The digest of what has come so far is half of a seed. SP 800-90B 3.1.5.1.2: 512 (at start) or 128 bytes of 4 bits give it
 * all the entropy that it can hold, 256 bits. */
static void condition(pc_generator *g, uint8_t half[32]) {
	pc_sha256_end(&g->pool, half);
	pc_sha256_begin(&g->pool);
}

static void seed(pc_generator *g) {
	if (!g->seeded) {
		if (g->gathered == PC_STARTUP_BYTES / 2) {
			condition(g, g->seed);
		}
		if (g->gathered < PC_STARTUP_BYTES) {
			return;
		}
		condition(g, g->seed + 32);
		pc_hmac_drbg_begin(&g->drbg, g->seed, 64);
		g->seeded = true;
	} else {
		if (g->gathered < PC_RESEED_BYTES) {
			return;
		}
		condition(g, g->seed);
		pc_hmac_drbg_reseed(&g->drbg, g->seed, 32);
	}
	pc_wipe(g->seed, sizeof g->seed);
	g->gathered = 0;
	g->requests = 0;
	g->state = PC_GENERATOR_READY;
}

void pc_generator_feed(pc_generator *g, size_t size) {
	uint8_t noise[MOST];
	if (g->state != PC_GENERATOR_HUNGRY || size > MOST) {
		return;
	}
	if (!g->read(g->context, noise, size)) {
		fail(g, PC_ENTROPY_UNAVAILABLE);
	}
	for (size_t i = 0; i < size && g->state == PC_GENERATOR_HUNGRY; i++) {
		if (!repetition(g, noise[i])) {
			fail(g, PC_ENTROPY_STUCK);
		} else if (!proportion(g, noise[i])) {
			fail(g, PC_ENTROPY_BIASED);
		} else {
			pc_sha256_update(&g->pool, &noise[i], 1);
			g->gathered++;
			seed(g);
		}
	}
	pc_wipe(noise, sizeof noise);
}

pc_generator_state pc_generator_random(pc_generator *g, void *data, size_t size) {
	pc_generator_state state = size <= PC_RANDOM_MAX ? g->state : PC_GENERATOR_FAILED;
	if (state == PC_GENERATOR_READY) {
		if (pc_hmac_drbg_generate(&g->drbg, data, size) != PC_CRYPTO_OK) {
			fail(g, PC_ENTROPY_ENGINE);
			return g->state;
		}
		if (++g->requests == PC_RESEED_REQUESTS) {
			g->state = PC_GENERATOR_HUNGRY;
		}
	}
	return state;
}
