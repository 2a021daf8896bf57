/* background.c: see background.h. */
#include "background.h"

#include "hal.h"
#include "platform.h"
#include "reset.h"

#include <stddef.h>

/* An unused stack holds FILL, so that its high-water mark can be seen; the lowest bytes must always hold it. */
#define FILL 0xA5A5A5A5u
#define CANARY 32u

typedef struct {
	pc_job *first, *last;
} queue;

static queue waiting;  /* the first of them has the fibre, once it has begun */
static queue returned; /* their bodies have; `done` is due */
static bool begun, over, inside, overflow;
static uint32_t spent;
static uint32_t deepest;

static void put(queue *to, pc_job *job) {
	job->next = NULL;
	if (to->first == NULL) {
		to->first = job;
	} else {
		to->last->next = job;
	}
	to->last = job;
}

static pc_job *take(queue *from) {
	pc_job *job = from->first;
	from->first = job->next;
	return job;
}

/* ---- the fibre's stack ------------------------------------------------------------------------------------------ */

/* A sanitizer knows that frames lie here, some of them left for good. */
#define UNCHECKED __attribute__((no_sanitize("address")))

/* Bytes from the lowest on that nothing was written to. */
UNCHECKED static uint32_t unused(hal_stack stack) {
	const volatile uint32_t *words = (const volatile uint32_t *)(uintptr_t)stack.base;
	uint32_t i = 0;
	while (i < stack.size / 4 && words[i] == FILL) {
		i++;
	}
	return 4 * i;
}

/* All from `from` on, and so that no compiler takes it for useless. */
UNCHECKED static void fill(hal_stack stack, uint32_t from) {
	volatile uint32_t *words = (volatile uint32_t *)(uintptr_t)stack.base;
	for (uint32_t i = from / 4; i < stack.size / 4; i++) {
		words[i] = FILL;
	}
}

UNCHECKED static void check(hal_stack stack) {
	const volatile uint32_t *words = (const volatile uint32_t *)(uintptr_t)stack.base;
	for (uint32_t i = 0; i < CANARY / 4; i++) {
		overflow = overflow || words[i] != FILL;
	}
	if (overflow) {
		pc_reset_commit(pc_reset_prepare(PC_RESET_STACK_OVERFLOW, "in the background"));
	}
}

/* Measures what the job has used, and leaves nothing of it behind. */
static void wipe(hal_stack stack) {
	uint32_t left = unused(stack);
	if (stack.size - left > deepest) {
		deepest = stack.size - left;
	}
	fill(stack, left);
}

/* ---- slices ----------------------------------------------------------------------------------------------------- */

static void run_body(void) {
	waiting.first->body(waiting.first);
	over = true;
	hal_fibre_suspend(spent);
}

static void slice(void) {
	hal_stack stack = hal_fibre_stack();
	if (!begun) {
		begun = true;
		if (deepest == 0) {
			fill(stack, 0);
		}
		hal_fibre_start(run_body);
	}
	spent = 0;
	inside = true;
	hal_fibre_resume();
	inside = false;
	check(stack);
	if (over) {
		begun = over = false;
		wipe(stack);
		put(&returned, take(&waiting));
	}
}

void pc_background_spend(uint32_t instructions) {
	if (!inside) {
		return;
	}
	spent += instructions;
	/* Caught here, an overflow is not deep yet. */
	overflow = (uint8_t *)__builtin_frame_address(0) < hal_fibre_stack().base + CANARY;
	if (overflow || spent >= PC_SLICE) {
		hal_fibre_suspend(spent);
	}
}

void pc_background_reserve(uint32_t instructions) {
	if (inside && spent + instructions > PC_SLICE) {
		hal_fibre_suspend(spent);
	}
}

void pc_background_run(void *machine) {
	if (returned.first == NULL) {
		if (waiting.first == NULL) {
			return;
		}
		slice();
	}
	if (returned.first == NULL) {
		return;
	}
	pc_job *job = take(&returned);
	if (!pc_background_pending()) {
		pc_background = NULL;
	}
	if (job->done != NULL) {
		job->done(job, machine);
		pc_jobs_run(machine);
	}
	pc_release();
}

void pc_background_start(pc_job *job) {
	put(&waiting, job);
	pc_hold();
	pc_background = pc_background_run;
}

static bool is_waiting(const pc_job *job) {
	for (const pc_job *other = waiting.first; other != NULL; other = other->next) {
		if (other == job) {
			return true;
		}
	}
	return false;
}

void pc_background_finish(pc_job *job) {
	while (is_waiting(job)) {
		slice();
	}
}

bool pc_background_pending(void) {
	return waiting.first != NULL || returned.first != NULL;
}

bool pc_background_inside(void) {
	return inside;
}

uint32_t pc_background_stack_used(void) {
	return deepest;
}
