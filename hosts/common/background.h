/*
 * background.h: long work (hashing an image, a signature) in slices, between which events and timers go first.
 *
 * A job's body is plain C that runs on a stack of its own, a fibre. It counts its work by pc_background_spend(); when a
 * slice is spent the fibre stands still, and the event loop goes on. A slice runs only when no event is pending and no timer
 * is due. Jobs run one after another, in the order in which they were started.
 *
 * A body never touches XS, never sleeps, and doesn't wait for another job. It has PC_BACKGROUND_STACK bytes of stack, which
 * are wiped when it ends; an overflow is recorded as any other overflow of a stack and resets the device.
 */
#ifndef PERICARD_BACKGROUND_H
#define PERICARD_BACKGROUND_H

#include <stdbool.h>
#include <stdint.h>

/* Instructions in a slice, as the work is counted. Together with what runs between two counts and with the switches, a
 * slice stays below 64 k instructions. */
#define PC_SLICE 48000u

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
 * called at least every 4,000 instructions. Outside of a body it does nothing, so code that is called from both need not
 * know. */
void pc_background_spend(uint32_t instructions);

/* Is a job under way or waiting? */
bool pc_background_pending(void);

/* One slice of the job at the head of the queue, if there is one; calls its `done` if that was its last. The event
 * loop's. */
void pc_background_run(void *machine);

/* Bytes of the fibre's stack that a job has used at most since the start, out of PC_BACKGROUND_STACK. */
uint32_t pc_background_stack_used(void);

#endif
