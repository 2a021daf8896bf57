/*
 * relocate.h: moves code while it runs: at each epoch every unit of the table gets a random place in the other half of an
 * arena in RAM, calls are led there, and the half that was left is wiped. docs/relocation.md tells why it is safe.
 *
 * This core owns no memory and knows no board, no XS and no MPU. Its state is the caller's, who keeps it with the arena in
 * memory that nobody can write outside of `open` and `close`; `ops` is all that it needs of the place where it runs.
 *
 * A move goes on in steps of at most PC_RELOCATE_STEP instructions (random numbers apart); in between everything runs, the
 * code that is being moved too. A step is never interrupted by another call of this core.
 *
 *    half 0   runs ............ runs until the last frame has left it, checked, wiped | empty
 *    half 1   empty | filled  | flip: runs .......................................................
 */
#ifndef PERICARD_RELOCATE_H
#define PERICARD_RELOCATE_H

#include "table.h"

#include <stdbool.h>

/* The most instructions of a step on a Cortex-M4, without those of `ops`. */
#define PC_RELOCATE_STEP 4000u

/* Bytes that are asked of `random` at once. */
#define PC_RELOCATE_DRAW 352u

typedef enum {
	PC_RELOCATE_OK = 0,  /* done: nothing is under way */
	PC_RELOCATE_MORE,    /* call again */
	PC_RELOCATE_WAITING, /* call again later: a frame is still in the half that was left */
	PC_RELOCATE_RANDOM, /* there are no random numbers, or none to be trusted; nothing has moved, the old layout runs on */
	PC_RELOCATE_ENTROPY, /* layouts of this table have fewer bits than asked for; nothing has moved */
} pc_relocate_status;

/* What this core needs. `context` comes back as it was given. */
typedef struct {
	void *context;
	/* Puts `size` random bytes into `to`; false: there are none. May take its time: nothing is open meanwhile. */
	bool (*random)(void *context, uint8_t *to, size_t size);
	/* Lets half `half` (0, 1; 2: neither) and the relocator's state be written, until close(). No code runs in that half. */
	void (*open)(void *context, unsigned half);
	void (*close)(void *context);
	/* Calls pc_relocate_commit() with interrupts masked and the state open, and lets half `half` be executed, not written. The
	 * other half goes on as it was. */
	void (*flip)(void *context, unsigned half);
	/* May a return address on any stack, of a handler or of a job that stands still, lead into half `half`? */
	bool (*frames)(void *context, unsigned half);
	/* Nothing of half `half` may be executed from now on. */
	void (*retire)(void *context, unsigned half);
} pc_relocate_ops;

/* Memory of one half's layout, `units` elements each. */
typedef struct {
	uint16_t *place; /* of each unit: words from the start of the half */
	uint16_t *order; /* the units by ascending place */
} pc_layout;

/* What differs, and its number. */
typedef enum {
	PC_CHANGED_NOTHING = 0,
	PC_CHANGED_LAYOUT, /* the relocator's state: places that overlap or leave the half; number of the unit */
	PC_CHANGED_UNIT,   /* moved copy and canonical copy differ: which of them, their digests say; number of the unit */
	PC_CHANGED_GAP,    /* what should trap, in a half that runs; word of the half */
	PC_CHANGED_DISPATCH, /* number of the entry */
	PC_CHANGED_SPARE,    /* the half that should be empty; word of it */
} pc_changed;

/*
 * Where a walk through the canonical form of moved code is. Zeroed, it is at the start. It may be used across moves: pieces
 * that are read before and after one come from different places and are the same bytes.
 */
typedef struct {
	uint16_t unit;
	uint32_t patch;
} pc_canonical;

/* Where a check is; zeroed, it begins. */
typedef struct {
	uint8_t phase;
	bool spare;
	uint32_t index; /* of the unit, in the order or in the table, or of the entry */
	uint32_t word;  /* of the half, or of a unit */
	uint32_t epoch;
	pc_canonical at;
} pc_relocate_checker;

/* All that a relocator works with; the caller's. */
typedef struct {
	const pc_relocation_table *table;
	const pc_relocate_ops *ops;
	const uint32_t *code; /* canonical code, and where it believes to be: its address on the device */
	uint32_t code_address;
	uint32_t *half[2]; /* table->half_words words each, aligned to 1 << PC_RELOCATION_ALIGN_LOG2 */
	uint32_t half_address[2];
	uint32_t *dispatch; /* table->entry_count words: where calls from outside find an entry, bit 0 set */
	pc_layout layout[2];
	/* The rest is this core's. */
	uint32_t epoch;  /* 0: canonical order, no gaps; then how often the code has moved, saturating */
	uint8_t running; /* the half that calls are led to */
	uint8_t phase;
	bool checking;   /* this move checks */
	bool draining;   /* the other half is not yet wiped: it may have frames, and runs too */
	uint8_t changed; /* pc_changed: what checks before a flip and before a wipe have found first, and its number */
	uint32_t changed_number;
	pc_relocate_checker checker;
	uint16_t index;       /* of the unit, or of the word, that is next */
	uint16_t copied;      /* words of that unit */
	uint16_t patched;     /* words of its patches */
	uint32_t patch;       /* of the table's list: the first of that unit */
	uint32_t cursor;      /* words of the new half that are given out */
	uint16_t drawn, used; /* words of `pool` */
	uint32_t bits;        /* of them, not yet used: `bit_count` */
	uint8_t bit_count;
	uint8_t rejected; /* in a row */
	uint16_t pool[PC_RELOCATE_DRAW / 2];
} pc_relocator;

/* Wipes the arena and puts the canonical layout into half 0: epoch 0, which needs no random numbers and has no entropy. At
 * start-up, before any call of a unit; not in steps. The caller has filled in all of *relocator but what is this core's. */
void pc_relocate_begin(pc_relocator *relocator);

/* Begins a move. `floor`: the bits that a layout must have, rounded up. `check`: the half that is left is compared with what it must
 * be before it is wiped, which costs more than all the rest. MORE: it is under way, also if it was before. */
pc_relocate_status pc_relocate_start(pc_relocator *relocator, uint32_t floor, bool check);

/* Goes on with a move: MORE, WAITING (after the flip only), RANDOM (and the move is off), or OK: done. The dispatch table is
 * compared with what it must be before it is written: a change that is found there, or in the half that was left, is kept in
 * `changed`. It does not end the move, which does away with it. */
pc_relocate_status pc_relocate_step(pc_relocator *relocator);

/* For ops.flip: leads all calls to the half that has just been filled. 20 + 9 * entries instructions. */
void pc_relocate_commit(pc_relocator *relocator);

/* ---- evidence ---------------------------------------------------------------------------------------------------- */

/*
 * Copies bytes [offset, offset + size) of the canonical code to `to`, as the running half has them: every patch is undone. If
 * a byte was changed there, it differs here as well. Cheapest if offsets ascend. Bytes behind the code are left out; returns
 * how many there were.
 * The layout is believed: a check that finds none of it changed goes before.
 */
size_t pc_relocate_undo(const pc_relocator *relocator, pc_canonical *at, uint32_t offset, uint8_t *to, size_t size);

/* The dispatch table's word `index` with the layout taken off: the entry's canonical address, bit 0 set, if it is intact. */
uint32_t pc_relocate_undo_dispatch(const pc_relocator *relocator, uint32_t index);

/*
 * Compares every byte that runs with what should be there, in steps of at most PC_RELOCATE_STEP instructions: true: there is
 * more to do. *changed and *number are the first difference; a check ends with it. A check that a move overtakes begins anew.
 */
bool pc_relocate_check(
	const pc_relocator *relocator, pc_relocate_checker *checker, pc_changed *changed, uint32_t *number);

#endif
