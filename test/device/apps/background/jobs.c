/* jobs.c: background jobs of known work, and of what no job may do. */
#include "background.h"
#include "hal.h"
#include "harness.h"
#include "platform.h"

#include "xsmc.h"

#include <string.h>

#define JOBS 4

typedef struct {
	pc_job job;
	xsSlot callback;
	uint32_t rounds, step, marks;
	uint32_t result;
	bool busy;
} task;

static task tasks[JOBS];

/* About four instructions a turn. */
static __attribute__((noinline)) uint32_t spin(uint32_t instructions, uint32_t seed) {
	volatile uint32_t sum = seed;
	for (uint32_t i = 0; i < instructions / 6; i++) {
		sum = sum * 1664525u + 1013904223u;
	}
	return sum;
}

/* Works through `rounds` steps; on the way values live in FP registers. */
static void work(pc_job *job) {
	task *t = (task *)job;
	volatile char secret[64];
	memcpy((char *)(uintptr_t)secret, "this text must not stay", 24);
	float a = 1.0f, b = 2.0f, c = 3.0f, d = (float)t->step;
	for (uint32_t i = 0; i < t->rounds; i++) {
		(void)spin(t->step, i);
		a += 1.0f, b += a * 0.5f, c -= b, d += c;
		b = b > 1000.0f ? 2.0f : b, c = c < -1000.0f ? 3.0f : c, d = d < -1000.0f ? 4.0f : d;
		if (i < t->marks) {
			pc_mark();
		}
		pc_background_spend(t->step);
		if (i < t->marks) {
			pc_mark();
		}
	}
	t->result = (uint32_t)(int32_t)(a * 3.0f + b + c + d) + (uint32_t)secret[0] - 't';
}

/* The same without a switch. */
static uint32_t expected(uint32_t rounds, uint32_t step) {
	float a = 1.0f, b = 2.0f, c = 3.0f, d = (float)step;
	for (uint32_t i = 0; i < rounds; i++) {
		a += 1.0f, b += a * 0.5f, c -= b, d += c;
		b = b > 1000.0f ? 2.0f : b, c = c < -1000.0f ? 3.0f : c, d = d < -1000.0f ? 4.0f : d;
	}
	return (uint32_t)(int32_t)(a * 3.0f + b + c + d);
}

static uint32_t descend(volatile uint32_t depth, bool spend) {
	volatile uint32_t frame[16];
	frame[depth & 15] = depth;
	if (spend) {
		pc_background_spend(10);
	}
	return depth == UINT32_MAX ? 0 : descend(depth + 1, spend) + frame[depth & 15];
}

/* Just over the end of the stack, by a job that doesn't count its work meanwhile. */
static uint32_t deep(volatile uint32_t left) {
	volatile uint32_t frame[16];
	frame[left & 15] = left;
	bool out = (uint8_t *)__builtin_frame_address(0) < hal_fibre_stack().base + 32;
	return out ? 0 : deep(left + 1) + frame[left & 15];
}

static void overflow(pc_job *job) {
	((task *)job)->result = descend(0, true);
}

static void overflow_unseen(pc_job *job) {
	task *t = (task *)job;
	t->result = deep(0);
	pc_background_spend(100);
}

static void undefined(pc_job *job) {
	(void)job;
	pc_background_spend(100);
	__builtin_trap();
}

static void done(pc_job *job, void *machine) {
	task *t = (task *)job;
	xsBeginHost(machine);
	xsmcVars(4);
	xsTry {
		xsVar(0) = t->callback;
		xsForget(t->callback);
		t->busy = false;
		xsmcSetBoolean(xsVar(1), t->result == expected(t->rounds, t->step));
		xsmcSetInteger(xsVar(2), (xsIntegerValue)pc_background_stack_used());
		xsCallFunction2(xsVar(0), xsGlobal, xsVar(1), xsVar(2));
	}
	xsCatch {
		pc_uncaught(the, false);
	}
	xsEndHost();
}

/* (kind: 0 work, 1 overflow, 2 overflow between two counts, 3 undefined instruction; rounds, step, marks, callback) */
void xs_job_start(xsMachine *the) {
	static void (*const bodies[])(pc_job *) = {work, overflow, overflow_unseen, undefined};
	task *t = NULL;
	for (unsigned i = 0; i < JOBS && t == NULL; i++) {
		t = tasks[i].busy ? NULL : &tasks[i];
	}
	if (t == NULL) {
		xsUnknownError("no job is left");
	}
	t->busy = true;
	t->job.body = bodies[xsmcToInteger(xsArg(0))];
	t->job.done = done;
	t->rounds = (uint32_t)xsmcToInteger(xsArg(1));
	t->step = (uint32_t)xsmcToInteger(xsArg(2));
	t->marks = (uint32_t)xsmcToInteger(xsArg(3));
	t->callback = xsArg(4);
	xsRemember(t->callback);
	pc_background_start(&t->job);
}

/* (rounds, step) -> whether a job that is waited for gives the right result */
void xs_job_finish(xsMachine *the) {
	static task own;
	own = (task){
		.job = {.body = work}, .rounds = (uint32_t)xsmcToInteger(xsArg(0)), .step = (uint32_t)xsmcToInteger(xsArg(1))};
	pc_background_start(&own.job);
	pc_background_finish(&own.job);
	xsmcSetBoolean(xsResult, own.result == expected(own.rounds, own.step));
}
