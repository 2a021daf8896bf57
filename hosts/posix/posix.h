/*
 * posix.h: the parts of the posix host, for each other.
 *
 * The process is one thread. Time is virtual: it moves while JavaScript runs (the engine's meter) and jumps while the
 * firmware sleeps. Whoever lets it move calls posix_advance(), the only place where time, watchdog and harness meet.
 */
#ifndef PERICARD_POSIX_H
#define PERICARD_POSIX_H

#include "hal.h"

#define POSIX_PORTS 2u

/* ---- board.c: start, reset, watchdog ---- */

/* Ends this run of the firmware and starts the next one. What RAM keeps is kept; `hold` waits for the harness first. */
_Noreturn void posix_reset(hal_reset_cause cause, bool hold);
uint32_t posix_resets(void);
/* When the watchdog bites, in ns since power-on; UINT64_MAX if it was not started. */
uint64_t posix_watchdog_ns(void);
_Noreturn void posix_watchdog_bite(void);

/* ---- time.c ---- */

void posix_time_begin(uint64_t now_ns, uint64_t meter);
/* Nanoseconds since power-on, resets included. */
uint64_t posix_time_ns(void);
/* Steps of the engine since power-on. */
uint64_t posix_meter_total(void);
/* Moves time on to `until_ns`; stops for the harness on the way. Returns earlier when an event is pending after that. */
void posix_advance(uint64_t until_ns);

/* Lets time move by the work of a slice in the background. */
void posix_work(uint64_t ns);

/* ---- uart.c ---- */

/* Moves waiting input into the receive rings as far as they have room, and raises the events. */
void posix_uart_poll(void);
void posix_uart_write_out(void);
/* Input that the line has not delivered yet. It outlives a reset. */
void posix_input_append(unsigned port, const uint8_t *data, size_t size);
size_t posix_input_pending(unsigned port, const uint8_t **data);
/* Whether the harness refills the line: then an empty one is waited for. */
void posix_input_stream(unsigned port, bool on);
bool posix_input_streaming(unsigned port);
/* Without a harness: the file to read. */
void posix_input_open(unsigned port, int fd);
/* Waits until there is input on a line that is still open. False if all have ended. */
bool posix_input_wait(void);

/* ---- control.c: the harness on file descriptor 3 ---- */

typedef struct {
	uint64_t limit_ns, flash_steps, flash_limit;
	size_t mark_count;
} posix_control_state;

/* True if a harness is there. */
bool posix_control_begin(void);
bool posix_controlled(void);
/* The time of the next stop; UINT64_MAX without a harness. */
uint64_t posix_limit_ns(void);
/* Tells the harness that the process stands still, and serves it until it says run. Does nothing without one. */
void posix_stop(const char *reason);
/* As posix_stop, without telling. */
void posix_control_hold(void);
/* Waits for one command and serves it. */
void posix_control_serve(void);
/* Serves a command if there is one. */
void posix_control_poll(void);
/* Asks for more input. */
void posix_control_want(unsigned port);
void posix_control_save(posix_control_state *state);
void posix_control_restore(const posix_control_state *state, const uint64_t *marks);
const uint64_t *posix_control_marks(void);

/* ---- fault.c ---- */

/* Signals of the processor become the faults that a Cortex-M would record. */
void posix_faults_begin(void);
/* Where the page below the fibre's stack begins (fibre.c); 0 without a fibre. */
#define POSIX_FIBRE_GUARD 4096u
extern uintptr_t posix_fibre_guard;

#endif
