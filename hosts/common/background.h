/*
 * background.h: long work (hashing an image, a signature) in slices, between which events and timers go first.
 *
 * A job's body is plain C that runs on a stack of its own, a fibre. It counts its work by pc_background_spend(); when a
 * slice is spent the fibre stands still, and the event loop goes on. A slice runs only when no event is pending and no timer
 * is due; where that is never so, one in PC_BACKGROUND_REST microseconds runs all the same, so that nobody can hold the
 * background up for good. Jobs run one after another, in the order in which they were started.
 *
 * A body never touches XS, never sleeps, and doesn't wait for another job. Its stack is hal_fibre_stack(), which is wiped
 * when it ends; an overflow is recorded as any other overflow of a stack and resets the device.
 */
#ifndef PERICARD_BACKGROUND_H
#define PERICARD_BACKGROUND_H

#include <stdbool.h>
#include <stdint.h>

/* Instructions in a slice, as the work is counted. Together with what runs between two counts and with the switches, a
 * slice stays below 64 k instructions. */
#define PC_SLICE 48000u

#define PC_BACKGROUND_REST 10000u

/* The memory is the caller's: it stays where it is from pc_background_start() until `done` has been called, and may be
 * started again from then on. A caller puts it at the head of a structure with the job's input and output. */
typedef struct pc_job {
	struct pc_job *next;                             /* this file's */
	void (*body)(struct pc_job *job);                /* on the fibre */
	void (*done)(struct pc_job *job, void *machine); /* in the event loop, after `body` has returned: may call XS, and
													  * start jobs. Promise jobs run after it. NULL: nothing */
} pc_job;

/* Queues a job. The event loop is held until it is done: an app that has a job under way doesn't end. */
void pc_background_start(pc_job *job);

/* Counts work that a body has done, in instructions (an estimate will do), and ends the slice when PC_SLICE is spent. To be
 * called at least every 8,000 instructions. Outside of a body it does nothing, so code that is called from both need not
 * know. */
void pc_background_spend(uint32_t instructions);

/* Ends the slice now if fewer than `instructions` (at most PC_SLICE) are left of it: before work that must not be
 * interrupted. Outside of a body it does nothing. */
void pc_background_reserve(uint32_t instructions);

/* Is a job under way or waiting? */
bool pc_background_pending(void);

/* One slice of the job at the head of the queue, if there is one; calls its `done` if that was its last. The event
 * loop's. */
void pc_background_run(void *machine);

/* Runs slices, and nothing else, until the body of a job that was started has returned; so do those before it in the queue.
 * `done` is left to the event loop. For results that can't be waited for; not on the fibre. */
void pc_background_finish(pc_job *job);

/* Is the caller on the fibre? */
bool pc_background_inside(void);

/* Bytes of the fibre's stack that jobs have used at most since the start. */
uint32_t pc_background_stack_used(void);

#endif
