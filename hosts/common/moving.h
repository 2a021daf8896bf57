/*
 * moving.h: code that moves while it runs, as start-up, event loop, measurement and natives see it (docs/relocation.md).
 *
 * native/relocate has it, in images that have the module pericard/relocation. Whether code of such an image moves, board and
 * build decide: its moving.c is for those whose code does; in others no-relocation.c says that nothing moves. moving.c of this
 * folder has weak definitions, for images that have not got the module.
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

/* When code moves: "relocation" of "defines" in the manifests. It is part of the measured configuration. */
typedef struct {
	uint32_t period_ms;   /* from move to move, on average; 0: none but those that something else asks for */
	uint32_t floor;       /* bits that a layout must have; below, there is no move */
	uint8_t jitter;       /* how far from the period, either way, in percent */
	uint8_t before_token; /* before an attestation measures */
	uint8_t on_anomaly;   /* when something was found that must not be */
} pc_moving_policy;

typedef struct {
	pc_moving_status status;
	uint32_t epoch;                 /* 0: the code has not moved yet, and lies in canonical order */
	uint32_t bits;                  /* of a layout, rounded down; what its random numbers are worth is 256 at most */
	uint64_t moved_us;              /* hal_now_us() when the last move was done; 0 in epoch 0 */
	const pc_moving_policy *policy; /* NULL if nothing moves */
	bool module;                    /* the image has pericard/relocation */
} pc_moving;

/* What a check has found first since the start: kinds and numbers are those of pc_changed in native/relocate/relocate.h. */
typedef struct {
	uint8_t kind; /* 0: nothing */
	uint32_t number;
} pc_moving_finding;

pc_moving pc_moving_state(void);

/* Begins a move, if none is under way: false, and there is none: pc_moving_state() says why. It goes on in the event loop. */
bool pc_moving_request(void);

/* Something was found that must not be: a changed byte, a wrong signature. By policy the code moves, with new random numbers. */
void pc_moving_anomaly(void);

/* Starts `job` in the background; by policy behind a move, so that nobody has known for long where the code is that measures and
 * signs. A move that is refused doesn't keep it. */
struct pc_job;
void pc_moving_before_token(struct pc_job *job);

/* Compares everything that runs with what must be there, and tells what was found first since the start, by this check or by those
 * that go with each move. In a background job, in slices; some 50,000 instructions. */
pc_moving_finding pc_moving_check(void);

/* Does this place belong to code that moves, or to its canonical copy? For the record of a fault. */
bool pc_moving_covers(uint32_t address);

/* Puts the code where it runs in epoch 0, and moves it for the first time: before any call of it. All at once. False: the image's
 * relocation table is damaged, and no code of the set can be called. A move that is refused is no reason for that. */
bool pc_moving_begin(void);

/* When the event loop has to go on with a move, by hal_now_us(): 0 at once, HAL_FOREVER not at all. */
uint64_t pc_moving_due(void);

/* Begins the move that is due, or goes on with it: at most 4,000 instructions; random numbers come in a background job. In the event
 * loop only. */
void pc_moving_step(void);

/* For native/measure: canonical code, and the canonical dispatch table, out of what runs. `from` is where in flash the code
 * is; of the dispatch table, where it is in RAM. */
void pc_moving_read(uint8_t *to, const uint8_t *from, size_t size);
void pc_moving_read_dispatch(uint8_t *to, const uint8_t *from, size_t size);

#endif
