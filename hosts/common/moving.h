/*
 * moving.h: code that moves while it runs, as start-up, event loop, measurement and natives see it (docs/relocation.md).
 *
 * native/relocate/moving.c has all of it, in images that have the module pericard/relocation. Whether code of such an image
 * moves, board and build decide: if not, pc_moving_state() says so, and the rest but pc_moving_request() is not there.
 */
#ifndef PERICARD_MOVING_H
#define PERICARD_MOVING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
	PC_MOVING_FIXED = 0, /* no code of this image moves */
	PC_MOVING_READY,     /* the last move was done */
	PC_MOVING_UNDERWAY,
	PC_MOVING_RANDOM,  /* the last move was refused: no random numbers, or none to be trusted */
	PC_MOVING_ENTROPY, /* it was refused: layouts have too few bits */
} pc_moving_status;

typedef struct {
	pc_moving_status status;
	uint32_t epoch;    /* 0: the code has not moved yet, and lies in canonical order */
	uint32_t bits;     /* of a layout, rounded down; what its random numbers are worth is 256 at most */
	uint64_t moved_us; /* hal_now_us() when the last move was done; 0 in epoch 0 */
} pc_moving;

/* The bits that a layout must have; below, there is no move. */
#define PC_MOVING_FLOOR 256u

pc_moving pc_moving_state(void);

/* Begins a move, if none is under way: false, and there is none: pc_moving_state() says why. It goes on in the event loop. */
bool pc_moving_request(void);

/* Puts the code where it runs in epoch 0, and moves it for the first time: before any call of it. All at once. False: the image's
 * relocation table is damaged, and no code of the set can be called. A move that is refused is no reason for that. */
bool pc_moving_begin(void) __attribute__((weak));

/* Has the event loop to go on with a move? */
bool pc_moving_pending(void) __attribute__((weak));

/* A step of it, of at most 4,000 instructions; random numbers come in a background job. In the event loop only. */
void pc_moving_step(void) __attribute__((weak));

/* For native/measure: canonical code, and the canonical dispatch table, out of what runs. `from` is where in flash the code
 * is; of the dispatch table, where it is in RAM. */
void pc_moving_read(uint8_t *to, const uint8_t *from, size_t size);
void pc_moving_read_dispatch(uint8_t *to, const uint8_t *from, size_t size);

#endif
