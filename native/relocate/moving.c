/* moving.c: see hosts/common/moving.h. What moves is moved here: when, with which random numbers, and what is said of it. */
#include "moving.h"

#include "build.h"

#if PC_BUILD_MOVES

#include "arena.h"
#include "background.h"
#include "console.h"
#include "cortex-m.h"
#include "crypto.h"
#include "entropy.h"
#include "hal.h"
#include "mc.defines.h"
#include "stream.h"

#include <stddef.h>
#include <string.h>

#ifndef MODDEF_RELOCATION_PERIOD
#define MODDEF_RELOCATION_PERIOD 1000
#endif
#ifndef MODDEF_RELOCATION_JITTER
#define MODDEF_RELOCATION_JITTER 25
#endif
#ifndef MODDEF_RELOCATION_FLOOR
#define MODDEF_RELOCATION_FLOOR 256
#endif
#ifndef MODDEF_RELOCATION_BEFOREATTESTATION
#define MODDEF_RELOCATION_BEFOREATTESTATION 1
#endif
#ifndef MODDEF_RELOCATION_AFTERANOMALY
#define MODDEF_RELOCATION_AFTERANOMALY 1
#endif

_Static_assert(MODDEF_RELOCATION_PERIOD >= 0 && MODDEF_RELOCATION_PERIOD <= 86400000, "a period is 0 to 86,400,000 ms");
_Static_assert(MODDEF_RELOCATION_JITTER >= 0 && MODDEF_RELOCATION_JITTER <= 100, "jitter is 0 to 100 percent");
_Static_assert(MODDEF_RELOCATION_FLOOR >= 0 && MODDEF_RELOCATION_FLOOR <= 65535, "the floor is 0 to 65,535 bits");

static const pc_moving_policy policy __attribute__((section(".configuration"))) = {
	.period_ms = MODDEF_RELOCATION_PERIOD,
	.floor = MODDEF_RELOCATION_FLOOR,
	.jitter = MODDEF_RELOCATION_JITTER,
	.before_token = MODDEF_RELOCATION_BEFOREATTESTATION,
	.on_anomaly = MODDEF_RELOCATION_AFTERANOMALY,
};

/* Moves that a seed is for. */
#define SEEDED 16u
/* Moves check the half that they leave, but for those of a period that is shorter than this: they do if none has for CHECK_US. A check
 * takes more than a move, so that it would be what often moving costs. */
#define CHECKED_MS 700u
#define CHECK_US 2000000u
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
static uint32_t seeded; /* moves that its seed is still for */
static pc_moving_status status = PC_MOVING_READY;
static uint64_t moved_us;
static uint64_t due_us = HAL_FOREVER; /* of the next move by the period */
static bool anomaly;                  /* a move is wanted as soon as none is under way */
static pc_job *waiting;               /* for the move to be done */
static bool thorough;                 /* the next move checks, too */
static uint64_t checked_us;

/* tools/harness/layout.ts looks in from outside. */
_Static_assert(offsetof(pc_relocator, half_address) == 24 && offsetof(pc_relocator, layout) == 36 &&
				   offsetof(pc_relocator, epoch) == 52 && offsetof(pc_relocator, running) == 56 &&
				   offsetof(pc_relocator, draining) == 59,
	"tools/harness/layout.ts has these offsets");

/* ---- what the relocator needs ------------------------------------------------------------------------------------- */

/* Requests of random numbers that a move makes at most, but once in far more moves than a device lives. Up to some 230 units it
 * makes two: for the layout, and for when the next one is due. */
static uint32_t requests(void) {
	return table.unit_count / 24u + 6u;
}

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
		pc_stream_seed(&stream, seed.bytes, SEEDED * requests());
		seeded = SEEDED;
		pc_wipe(seed.bytes, sizeof seed.bytes);
	}
	return seed.ready;
}

/* The period, up to `jitter` percent less or more. Of 2^32 numbers some are taken once more than others, which nobody can tell. */
static uint64_t wait_us(void) {
	uint32_t random = 0x80000000u; /* without random numbers nothing moves anyway */
	uint64_t period = policy.period_ms * 1000ull, reach = period * policy.jitter / 100;
	(void)pc_stream_random(&stream, &random, sizeof random);
	return period - reach + ((2 * reach * random) >> 32);
}

static void tell_refusal(const char *reason) {
	pc_console_record_begin("relocation");
	pc_console_record_text("refused", reason);
	pc_console_record_end();
}

/* What a step has come to. A move that ends lets go what has waited for it. */
static void settle(pc_relocate_status outcome) {
	pc_moving_status before = status;
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
		return;
	}
	if (status != PC_MOVING_READY && status != before) {
		tell_refusal(status == PC_MOVING_RANDOM ? "no-random" : "no-entropy");
	}
	if (policy.period_ms != 0) {
		due_us = hal_now_us() + wait_us();
	}
	if (waiting != NULL) {
		pc_job *job = waiting;
		waiting = NULL;
		pc_background_start(job);
	}
}

static void start(void) {
	uint64_t now = hal_now_us();
	bool check = thorough || policy.period_ms >= CHECKED_MS || now - checked_us >= CHECK_US;
	seeded -= seeded != 0;
	thorough = false;
	checked_us = check ? now : checked_us;
	settle(pc_relocate_start(&pc_arena_relocator, policy.floor, check));
}

static void seed_done(pc_job *job, void *machine) {
	(void)job;
	(void)machine;
	seed.underway = false;
	if (take_seed()) {
		start();
	} else {
		settle(PC_RELOCATE_RANDOM);
	}
}

static bool request(void) {
	if (status == PC_MOVING_UNDERWAY) {
		return true;
	}
	if (seeded == 0 || stream.requests < requests()) {
		status = PC_MOVING_UNDERWAY;
		seed.underway = true;
		seed.job = (pc_job){.body = seed_body, .done = seed_done};
		pc_background_start(&seed.job);
	} else {
		start();
	}
	return status == PC_MOVING_UNDERWAY;
}

bool pc_moving_request(void) {
	thorough = true;
	return request();
}

void pc_moving_anomaly(void) {
	anomaly = policy.on_anomaly != 0;
}

void pc_moving_before_token(pc_job *job) {
	if (policy.before_token != 0 && pc_moving_request()) {
		waiting = job;
	} else {
		pc_background_start(job);
	}
}

uint64_t pc_moving_due(void) {
	if (status == PC_MOVING_UNDERWAY) {
		return seed.underway ? HAL_FOREVER : 0;
	}
	return anomaly ? 0 : due_us;
}

void pc_moving_step(void) {
	if (status == PC_MOVING_UNDERWAY) {
		settle(pc_relocate_step(&pc_arena_relocator));
		return;
	}
	if (anomaly) {
		anomaly = false;
		thorough = true;
		stream.requests = 0; /* what is known of them is worth nothing then */
	}
	(void)request();
}

static uint32_t half_size(void) {
	return pc_arena_map.half[1] - pc_arena_map.half[0];
}

static pc_relocator as_built(void) {
	const uint32_t *half = pc_arena_map.half;
	uint16_t units = table.unit_count;
	uint16_t *words = pc_relocation_layouts;
	return (pc_relocator){
		.table = &table,
		.ops = &ops,
		.code = __relocatable_start,
		.code_address = (uint32_t)(uintptr_t)__relocatable_start,
		.half = {(uint32_t *)(uintptr_t)half[0], (uint32_t *)(uintptr_t)half[1]},
		.half_address = {half[0], half[1]},
		.dispatch = pc_dispatch,
		.layout = {{words, words + units}, {words + 2 * units, words + 3 * units}},
	};
}

bool pc_moving_begin(void) {
	uint32_t size = (uint32_t)(pc_relocation_data_end - pc_relocation_data);
	memset(__arena_state, 0, (size_t)(__arena_state_end - __arena_state)); /* not yet protected */
	if (pc_relocation_open(&table, pc_relocation_data, size) != PC_RELOCATION_OK) {
		return false;
	}
	if (4u * table.half_words > half_size()) {
		return false;
	}
	pc_arena_relocator = as_built();
	pc_arena_protect();
	pc_relocate_begin(&pc_arena_relocator);
	/* The first move is at once, so that nothing but this draw ever runs in an order that is known. */
	seed_body(NULL);
	if (!take_seed()) {
		settle(PC_RELOCATE_RANDOM);
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
		.policy = &policy,
		.module = true,
	};
}

/* ---- evidence ----------------------------------------------------------------------------------------------------- */

/* What taking off a piece's patches costs at most, an instruction a byte. */
#define UNDO_WORK 24u

void pc_moving_read(uint8_t *to, const uint8_t *from, size_t size) {
	static pc_canonical at; /* where the last piece was: a walk that goes on costs less */
	uint32_t offset = (uint32_t)(uintptr_t)from - pc_arena_relocator.code_address;
	if (offset == 0) {
		at = (pc_canonical){0};
	}
	size_t count = pc_relocate_undo(&pc_arena_relocator, &at, offset, to, size);
	memset(to + count, 0, size - count);
	pc_background_spend(UNDO_WORK * (uint32_t)size);
}

void pc_moving_read_dispatch(uint8_t *to, const uint8_t *from, size_t size) {
	uint32_t index = (uint32_t)((uintptr_t)from - (uintptr_t)pc_dispatch) / 4u;
	for (size_t done = 0; done + 4 <= size; done += 4, index++) {
		uint32_t word = pc_relocate_undo_dispatch(&pc_arena_relocator, index);
		memcpy(to + done, &word, sizeof word);
	}
}

/* Table and places as they were set at start-up: whoever can write them can lead a check astray. */
static bool intact(void) {
	pc_relocation_table opened;
	uint32_t size = (uint32_t)(pc_relocation_data_end - pc_relocation_data);
	const pc_relocator *now = &pc_arena_relocator, built = as_built();
	return pc_relocation_describe(&opened, pc_relocation_data, size) == PC_RELOCATION_OK &&
		   memcmp(&opened, &table, offsetof(pc_relocation_table, offsets)) == 0 && now->table == built.table &&
		   now->ops == built.ops && now->code == built.code && now->code_address == built.code_address &&
		   memcmp(now->half, built.half, sizeof built.half) == 0 &&
		   memcmp(now->half_address, built.half_address, sizeof built.half_address) == 0 &&
		   now->dispatch == built.dispatch && memcmp(now->layout, built.layout, sizeof built.layout) == 0 &&
		   now->running < 2;
}

pc_moving_finding pc_moving_check(void) {
	static pc_moving_finding first; /* since the start */
	pc_relocate_checker checker = {0};
	pc_changed changed = PC_CHANGED_LAYOUT;
	uint32_t number = PC_RELOCATION_UNITS; /* no unit: the state itself */
	if (intact()) {
		while (pc_relocate_check(&pc_arena_relocator, &checker, &changed, &number)) {
			pc_background_spend(PC_RELOCATE_STEP);
		}
	}
	if (first.kind == 0) {
		first = pc_arena_relocator.changed != 0
					? (pc_moving_finding){pc_arena_relocator.changed, pc_arena_relocator.changed_number}
					: (pc_moving_finding){(uint8_t)changed, changed != 0 ? number : 0};
	}
	if (first.kind != 0) {
		pc_moving_anomaly();
	}
	return first;
}

bool pc_moving_covers(uint32_t address) {
	uint32_t code = pc_arena_relocator.code_address;
	return address - pc_arena_map.half[0] < 2 * half_size() || address - code < 4u * table.code_words;
}

#endif
