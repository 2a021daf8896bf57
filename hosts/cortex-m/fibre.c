/*
 * fibre.c: the second stack on Armv7-M. Thread mode runs on MSP, the fibre on PSP: handlers always run on MSP (DDI 0403,
 * B1.4.1), so that the fibre's stack needs room for one exception frame and not for handlers.
 *
 * A switch keeps what a call keeps (AAPCS): r4 to r11, s16 to s31. FPSCR is one for both: nobody here changes it. Lazy
 * stacking of FP registers is a matter of handlers and is not touched: a switch happens in thread mode only.
 */
#include "cortex-m.h"
#include "hal.h"

/* Measured: docs/keys.md. */
#define STACK_SIZE 4096u
#define SAVED_WORDS 26u /* s16-s31, r3-r11, pc */
/* Below the fibre's last byte: background.c's canary. */
#define CANARY 32u

uint8_t pc_fibre_stack[STACK_SIZE] __attribute__((aligned(8)));
static uint32_t *saved;

hal_stack hal_fibre_stack(void) {
	return (hal_stack){pc_fibre_stack, STACK_SIZE};
}

void hal_fibre_start(void (*body)(void)) {
	saved = (uint32_t *)(uintptr_t)(pc_fibre_stack + STACK_SIZE) - SAVED_WORDS;
	for (unsigned i = 0; i < SAVED_WORDS; i++) {
		saved[i] = 0;
	}
	saved[SAVED_WORDS - 1] = (uint32_t)(uintptr_t)body;
	pc_fibre_limit = (uint32_t)(uintptr_t)pc_fibre_stack + CANARY;
}

__attribute__((naked, noinline)) static void to_fibre(uint32_t *const *from) {
	(void)from;
	__asm__ volatile("push {r3-r11, lr}\n\t"
					 "vpush {s16-s31}\n\t"
					 "ldr r1, [r0]\n\t"
					 "msr psp, r1\n\t"
					 "mrs r2, control\n\t"
					 "orr r2, r2, #2\n\t"
					 "msr control, r2\n\t"
					 "isb\n\t"
					 "vpop {s16-s31}\n\t"
					 "pop {r3-r11, pc}");
}

__attribute__((naked, noinline)) static void from_fibre(uint32_t **to) {
	(void)to;
	__asm__ volatile("push {r3-r11, lr}\n\t"
					 "vpush {s16-s31}\n\t"
					 "mov r1, sp\n\t"
					 "str r1, [r0]\n\t"
					 "mrs r2, control\n\t"
					 "bic r2, r2, #2\n\t"
					 "msr control, r2\n\t"
					 "isb\n\t"
					 "vpop {s16-s31}\n\t"
					 "pop {r3-r11, pc}");
}

void hal_fibre_resume(void) {
	to_fibre(&saved);
}

void hal_fibre_suspend(uint32_t work) {
	(void)work; /* time moves by itself */
	from_fibre(&saved);
}

bool pc_fibre_leads_to(uint32_t start, uint32_t end) {
	const uint32_t *top = (const uint32_t *)(uintptr_t)(pc_fibre_stack + STACK_SIZE);
	for (const uint32_t *word = saved; word != NULL && word < top; word++) {
		if (*word - start < end - start) {
			return true;
		}
	}
	return false;
}

void pc_fibre_forget(void) {
	saved = NULL;
}
