/* moving.c: see hosts/common/moving.h. */
#include "moving.h"

#include "build.h"

#if PC_BUILD_MOVES

#include "arena.h"
#include "background.h"
#include "cortex-m.h"
#include "crypto.h"
#include "entropy.h"
#include "hal.h"
#include "stream.h"

#include <string.h>

/* Requests of random numbers that a seed is for: a move makes one, seldom two. */
#define RESEED 24u
/* More than a move makes in a row: 8 draws beside the first are needed once in far more moves than a device lives. */
#define SPARE 8u

/* Nobody but a step of the relocator may write it. */
#define STATE __attribute__((section(".moving.state")))

extern uint8_t __arena_state[], __arena_state_end[];
extern uint32_t __relocatable_start[];
extern const uint8_t pc_relocation_data[], pc_relocation_data_end[];
extern uint32_t pc_dispatch[];
extern uint16_t pc_relocation_layouts[];

static pc_relocation_table table STATE;
pc_relocator pc_arena_relocator STATE;

static pc_stream stream;
static pc_moving_status status = PC_MOVING_READY;
static uint64_t moved_us;

/* ---- what the relocator needs ------------------------------------------------------------------------------------- */

static bool draw(void *context, uint8_t *to, size_t size) {
	(void)context;
	return pc_stream_random(&stream, to, size);
}

static bool frames(void *context, unsigned half) {
	(void)context;
	uint32_t start = pc_arena_relocator.half_address[half];
	return pc_fibre_leads_to(start, start + 4u * table.half_words);
}

static const pc_relocate_ops ops = {
	.random = draw,
	.open = pc_arena_open,
	.close = pc_arena_close,
	.flip = pc_arena_flip,
	.frames = frames,
	.retire = pc_arena_retire,
};

/* ---- a move ------------------------------------------------------------------------------------------------------- */

static struct {
	pc_job job;
	uint8_t bytes[PC_STREAM_SEED];
	bool ready, underway;
} seed;

static void seed_body(pc_job *job) {
	(void)job;
	seed.ready = pc_random(seed.bytes, sizeof seed.bytes) == PC_ENTROPY_OK;
}

/* False: there are no random numbers. */
static bool take_seed(void) {
	if (seed.ready) {
		pc_stream_seed(&stream, seed.bytes, RESEED);
		pc_wipe(seed.bytes, sizeof seed.bytes);
	}
	return seed.ready;
}

static void settle(pc_relocate_status outcome) {
	switch (outcome) {
	case PC_RELOCATE_OK:
		status = PC_MOVING_READY;
		moved_us = hal_now_us();
		break;
	case PC_RELOCATE_RANDOM:
		status = PC_MOVING_RANDOM;
		break;
	case PC_RELOCATE_ENTROPY:
		status = PC_MOVING_ENTROPY;
		break;
	default:
		status = PC_MOVING_UNDERWAY;
		break;
	}
}

static void start(void) {
	settle(pc_relocate_start(&pc_arena_relocator, PC_MOVING_FLOOR));
}

static void seed_done(pc_job *job, void *machine) {
	(void)job;
	(void)machine;
	seed.underway = false;
	if (take_seed()) {
		start();
	} else {
		status = PC_MOVING_RANDOM;
	}
}

bool pc_moving_request(void) {
	if (status == PC_MOVING_UNDERWAY) {
		return true;
	}
	status = PC_MOVING_UNDERWAY;
	if (stream.requests < SPARE) {
		seed.underway = true;
		seed.job = (pc_job){.body = seed_body, .done = seed_done};
		pc_background_start(&seed.job);
	} else {
		start();
	}
	return status == PC_MOVING_UNDERWAY;
}

bool pc_moving_pending(void) {
	return status == PC_MOVING_UNDERWAY && !seed.underway;
}

void pc_moving_step(void) {
	settle(pc_relocate_step(&pc_arena_relocator));
}

bool pc_moving_begin(void) {
	uint32_t size = (uint32_t)(pc_relocation_data_end - pc_relocation_data);
	memset(__arena_state, 0, (size_t)(__arena_state_end - __arena_state)); /* not yet protected */
	if (pc_relocation_open(&table, pc_relocation_data, size) != PC_RELOCATION_OK) {
		return false;
	}
	const uint32_t *half = pc_arena_map.half;
	uint16_t units = table.unit_count;
	uint16_t *words = pc_relocation_layouts;
	if (4u * table.half_words > half[1] - half[0]) {
		return false;
	}
	pc_arena_relocator = (pc_relocator){
		.table = &table,
		.ops = &ops,
		.code = __relocatable_start,
		.code_address = (uint32_t)(uintptr_t)__relocatable_start,
		.half = {(uint32_t *)(uintptr_t)half[0], (uint32_t *)(uintptr_t)half[1]},
		.half_address = {half[0], half[1]},
		.dispatch = pc_dispatch,
		.layout = {{words, words + units}, {words + 2 * units, words + 3 * units}},
	};
	pc_arena_protect();
	pc_relocate_begin(&pc_arena_relocator);
	/* The first move is at once, so that nothing but this draw ever runs in an order that is known. */
	seed_body(NULL);
	if (!take_seed()) {
		status = PC_MOVING_RANDOM;
		return true;
	}
	for (start(); status == PC_MOVING_UNDERWAY;) {
		pc_moving_step();
	}
	return true;
}

pc_moving pc_moving_state(void) {
	return (pc_moving){
		.status = status,
		.epoch = pc_arena_relocator.epoch,
		.bits = table.bits.layout >> 16,
		.moved_us = moved_us,
	};
}

/* ---- evidence ----------------------------------------------------------------------------------------------------- */

void pc_moving_read(uint8_t *to, const uint8_t *from, size_t size) {
	static pc_canonical at; /* where the last piece was: a walk that goes on costs less */
	uint32_t offset = (uint32_t)(uintptr_t)from - pc_arena_relocator.code_address;
	if (offset == 0) {
		at = (pc_canonical){0};
	}
	size_t count = pc_relocate_undo(&pc_arena_relocator, &at, offset, to, size);
	memset(to + count, 0, size - count);
}

void pc_moving_read_dispatch(uint8_t *to, const uint8_t *from, size_t size) {
	uint32_t index = (uint32_t)((uintptr_t)from - (uintptr_t)pc_dispatch) / 4u;
	for (size_t done = 0; done + 4 <= size; done += 4, index++) {
		uint32_t word = pc_relocate_undo_dispatch(&pc_arena_relocator, index);
		memcpy(to + done, &word, sizeof word);
	}
}

#else

pc_moving pc_moving_state(void) {
	return (pc_moving){.status = PC_MOVING_FIXED};
}

bool pc_moving_request(void) {
	return false;
}

#endif
