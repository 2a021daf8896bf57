/*
 * main.c: from start-up to the event loop: take over the reset record, check the archive, make the machine, run the
 * application, then sleep until something happens.
 */
#include "background.h"
#include "config.h"
#include "console.h"
#include "globals.h"
#include "hal.h"
#include "harness.h"
#include "identity.h"
#include "machine.h"
#include "memory.h"
#include "moving.h"
#include "platform.h"
#include "reset.h"

/* C stack that host functions below the last check of XS may still use. */
#define STACK_RESERVE 2048
/* Steps of a move in a row: 16,000 instructions. */
#define MOVING_STEPS 4u

static unsigned holds;

void (*pc_background)(void *the);

/* Only an image with native/keystore has it. */
void pc_boot_keys(void) __attribute__((weak));

void pc_hold(void) {
	holds++;
}

void pc_release(void) {
	holds--;
}

static void tell_boot(pc_archive_status status, const char *culprit) {
	pc_console_record_begin("boot");
	pc_console_record_text("app", pc_creation.app);
	pc_console_record_text("version", pc_identity.version);
	pc_console_record_text("build", pc_creation.build);
	pc_console_record_text("reset", pc_reset_name(pc_reset_last()->reason));
	pc_console_record_text("archive", pc_archive_reason(status));
	if (culprit != NULL) {
		pc_console_record_text("culprit", culprit);
	}
	pc_console_record_end();
}

static void tell_end(int status) {
	pc_console_record_begin("end");
	pc_console_record_number("status", status);
	pc_console_record_end();
	hal_uart_flush(HAL_UART_CONSOLE);
	pc_harness_stop();
}

static void run_modules(void *the) {
	for (uint32_t i = 0; i < pc_modules.module_count; i++) {
		pc_archive_module module = pc_archive_module_at(&pc_modules, i);
		if ((module.flags & PC_ARCHIVE_MODULE_PRELOAD) != 0) {
			pc_machine_import(the, module.name);
			pc_jobs_run(the);
		}
	}
	pc_machine_import(the, "main");
	pc_jobs_run(the);
}

/* Goes on with a move: events wait for one step of it, timers for some, for a look at everything costs a tenth of a step. */
static void step(void) {
	unsigned left = MOVING_STEPS;
	do {
		pc_moving_step();
	} while (--left > 0 && pc_background == NULL && pc_moving_due() == 0 && !hal_events_pending());
}

/* Returns when nothing can happen any more. */
static void loop(void *the) {
	uint64_t rested = HAL_FOREVER; /* since when there has been background work that did not get on */
	for (;;) {
		uint64_t again = pc_listeners_run(the, hal_events_take());
		uint64_t deadline = pc_timers_run(the);
		deadline = again < deadline ? again : deadline;
		uint64_t due = pc_moving_due(); /* of code that moves */
		uint64_t now = pc_background != NULL || due != HAL_FOREVER ? hal_now_us() : 0;
		if (pc_background != NULL || due <= now) {
			rested = rested < now ? rested : now;
			if ((deadline > now && !hal_events_pending()) || now - rested >= PC_BACKGROUND_REST) {
				if (due <= now) {
					step();
				}
				if (pc_background != NULL) {
					pc_background(the);
				}
				rested = HAL_FOREVER;
			}
			continue;
		}
		if (hal_events_pending()) {
			continue;
		}
		if (holds == 0) {
			return;
		}
		hal_idle(due < deadline ? due : deadline);
	}
}

int pc_main(void) {
	const char *culprit;
	const pc_archive_expect expect = {
		.engine = pc_engine_version(),
		.first_id = pc_engine_first_id(),
		.native_count = pc_native_count,
		.natives_crc = pc_native_names_crc,
	};
	pc_reset_begin();
	pc_memory_begin(pc_heap, pc_creation.static_bytes);
	pc_archive_status status =
		pc_archive_open(&pc_modules, pc_archive_start, (size_t)(pc_archive_end - pc_archive_start), &expect, &culprit);
	tell_boot(status, culprit);
	if (status != PC_ARCHIVE_OK) {
		tell_end(1);
		return 1;
	}
	if (!pc_moving_begin()) {
		tell_end(1);
		return 1;
	}
	if (pc_boot_keys != NULL) {
		pc_boot_keys();
	}
	void *the = pc_machine_create(&pc_creation, hal_stack_limit() + STACK_RESERVE);
	if (the == NULL) {
		pc_reset_commit(pc_reset_prepare(PC_RESET_OUT_OF_MEMORY, "at the machine's creation"));
	}
	pc_globals_define(the);
	run_modules(the);
	loop(the);
	tell_end(0);
	return 0;
}
