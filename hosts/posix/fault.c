/*
 * fault.c: what would be a fault of the processor on a board arrives here as a signal, and is recorded in the same way.
 */
#include "hal.h"
#include "posix.h"
#include "reset.h"

#include <signal.h>
#include <stdlib.h>
#include <ucontext.h>

#define HANDLER_STACK 65536u

uintptr_t posix_fibre_guard;

static uint8_t handler_stack[HANDLER_STACK];

static void on_signal(int number, siginfo_t *info, void *context) {
	uintptr_t address = (uintptr_t)info->si_addr;
	uintptr_t limit = (uintptr_t)hal_stack_limit();
	pc_reset_reason reason;
	switch (number) {
	case SIGFPE:
	case SIGILL:
		reason = PC_RESET_USAGE_FAULT;
		break;
	case SIGBUS:
		reason = PC_RESET_BUS_FAULT;
		break;
	default:
		/* Below the limit there is still the rest of the process's stack; whoever is beyond that has run over. */
		reason =
			address < limit && address > limit - (UINT64_C(16) << 20) ? PC_RESET_STACK_OVERFLOW : PC_RESET_MEMORY_FAULT;
		if (posix_fibre_guard != 0 && address - posix_fibre_guard < POSIX_FIBRE_GUARD) {
			reason = PC_RESET_STACK_OVERFLOW;
		}
		break;
	}
	pc_reset_record *record = pc_reset_prepare(reason, "");
#ifdef __x86_64__
	const ucontext_t *machine = context;
	record->pc = (uint32_t)machine->uc_mcontext.gregs[REG_RIP];
	record->sp = (uint32_t)machine->uc_mcontext.gregs[REG_RSP];
#else
	(void)context;
#endif
	record->address = (uint32_t)address;
	pc_reset_commit(record);
}

void posix_faults_begin(void) {
	static const int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		sigaddset(&set, numbers[i]);
	}
	/* A reset from a handler leaves its signal blocked. */
	sigprocmask(SIG_UNBLOCK, &set, NULL);
#ifndef __SANITIZE_ADDRESS__
	stack_t stack = {.ss_sp = handler_stack, .ss_size = sizeof handler_stack};
	sigaltstack(&stack, NULL);
	struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		sigaction(numbers[i], &action, NULL);
	}
#else
	(void)on_signal; /* the sanitizer's own report says more */
	(void)handler_stack;
#endif
}
