/*
 * fibre.c: the second stack as a context of ucontext.h. Code takes no time on this host, but background work does, at the
 * 16 ns an instruction of the emulated boards: else no timer could ever come between two slices.
 */
#include "hal.h"
#include "posix.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

/* Frames are larger than on a 32-bit core, and much larger under a sanitizer. */
#define STACK_SIZE (128u << 10)
#define PAGE POSIX_FIBRE_GUARD
#define NS_PER_INSTRUCTION 16u

/* The lowest page is the guard. */
uint8_t pc_fibre_stack[PAGE + STACK_SIZE] __attribute__((aligned(PAGE)));
static ucontext_t here, fibre;
static uint32_t done_work;

#ifdef __SANITIZE_ADDRESS__
static void *fake_here, *fake_fibre;
static const void *here_base;
static size_t here_size;

static void leave(void **fake, const void *base, size_t size) {
	__sanitizer_start_switch_fiber(fake, base, size);
}

static void arrive(void *fake, const void **base, size_t *size) {
	__sanitizer_finish_switch_fiber(fake, base, size);
}
#endif

hal_stack hal_fibre_stack(void) {
	return (hal_stack){pc_fibre_stack + PAGE, STACK_SIZE};
}

static void (*entry)(void);

static void begin(void) {
#ifdef __SANITIZE_ADDRESS__
	arrive(NULL, &here_base, &here_size);
#endif
	entry();
	abort();
}

void hal_fibre_start(void (*body)(void)) {
	posix_fibre_guard = (uintptr_t)pc_fibre_stack;
	if (mprotect(pc_fibre_stack, PAGE, PROT_NONE) != 0) {
		abort();
	}
#ifdef __SANITIZE_ADDRESS__
	/* The job before has left its frames without returning from them. */
	__asan_unpoison_memory_region(pc_fibre_stack + PAGE, STACK_SIZE);
#endif
	entry = body;
	getcontext(&fibre);
	fibre.uc_stack.ss_sp = pc_fibre_stack + PAGE;
	fibre.uc_stack.ss_size = STACK_SIZE;
	fibre.uc_link = NULL;
	makecontext(&fibre, begin, 0);
}

void hal_fibre_resume(void) {
#ifdef __SANITIZE_ADDRESS__
	leave(&fake_here, pc_fibre_stack + PAGE, STACK_SIZE);
#endif
	swapcontext(&here, &fibre);
#ifdef __SANITIZE_ADDRESS__
	arrive(fake_here, NULL, NULL);
#endif
	posix_work((uint64_t)done_work * NS_PER_INSTRUCTION);
}

void hal_fibre_suspend(uint32_t work) {
	done_work = work;
#ifdef __SANITIZE_ADDRESS__
	leave(&fake_fibre, here_base, here_size);
#endif
	swapcontext(&fibre, &here);
#ifdef __SANITIZE_ADDRESS__
	arrive(fake_fibre, &here_base, &here_size);
#endif
}
