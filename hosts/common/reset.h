/*
 * reset.h: why the device reset, kept in RAM that survives a reset and offered to the application.
 *
 * The software writes a record before it resets or from a fault handler; at the next start pc_reset_begin() joins it
 * with what the hardware says. The record has a check word, so random RAM after power-on is never taken for one.
 */
#ifndef PERICARD_RESET_H
#define PERICARD_RESET_H

#include <stdbool.h>
#include <stdint.h>

typedef enum {
	PC_RESET_POWER_ON = 0,
	PC_RESET_PIN,
	PC_RESET_SOFTWARE, /* restart() of pericard/system */
	PC_RESET_WATCHDOG, /* the watchdog was not fed in time */
	PC_RESET_LOCKUP,   /* the core locked up (a fault in the fault handler) */
	PC_RESET_HARD_FAULT,
	PC_RESET_MEMORY_FAULT, /* an MPU violation */
	PC_RESET_BUS_FAULT,
	PC_RESET_USAGE_FAULT,
	PC_RESET_STACK_OVERFLOW, /* JavaScript or C stack used up */
	PC_RESET_OUT_OF_MEMORY,  /* the XS heap is used up */
	PC_RESET_OUT_OF_KEYS,    /* more property names than XS can number */
	PC_RESET_UNCAUGHT,       /* an exception that nothing caught */
	PC_RESET_REJECTION,      /* a rejected promise that nothing handled */
	PC_RESET_ENGINE,         /* the engine's own checks failed */
	PC_RESET_REASONS
} pc_reset_reason;

#define PC_RESET_MESSAGE 96u

/* Registers are 0 where they do not apply. */
typedef struct {
	uint32_t magic;
	uint32_t reason; /* pc_reset_reason */
	uint32_t pc, lr, psr, sp;
	uint32_t r[13];
	uint32_t cfsr, hfsr, address;   /* fault status, and the address of a memory or bus fault (0 if not valid) */
	uint32_t count;                 /* resets since power-on */
	char message[PC_RESET_MESSAGE]; /* NUL-terminated; the exception, the module, ... */
	uint32_t check;
} pc_reset_record;

/* Called once at start, before anything else can write a record: takes over the last one. */
void pc_reset_begin(void);

/* Why the device started this time. Valid after pc_reset_begin(). */
const pc_reset_record *pc_reset_last(void);

/* The name of a reason, as in docs ("memory-fault"). */
const char *pc_reset_name(uint32_t reason);

/* Starts the record for the coming reset; the caller may fill registers. Safe in a fault handler. */
pc_reset_record *pc_reset_prepare(pc_reset_reason reason, const char *message);

/* Seals the record, tells the console, and resets. */
_Noreturn void pc_reset_commit(pc_reset_record *record);

#endif
