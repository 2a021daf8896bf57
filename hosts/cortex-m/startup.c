/*
 * startup.c: the vector table of the core, the reset handler, and the C runtime's start.
 */
#include "cortex-m.h"
#include "hal.h"
#include "platform.h"

#include <string.h>

extern uint32_t __stack_top[], __stack_limit[];
extern uint8_t __data_load[], __data_start[], __data_end[], __bss_start[], __bss_end[];

_Noreturn void pc_reset_handler(void);
void _init(void);
void _fini(void);

const pc_vector pc_core_vectors[16] __attribute__((section(".vectors"), used)) = {
	(pc_vector)(uintptr_t)__stack_top, (pc_vector)pc_reset_handler, pc_fault_handler, /* NMI */
	pc_fault_handler,                                                                 /* hard fault */
	pc_fault_handler,                                                                 /* memory management fault */
	pc_fault_handler,                                                                 /* bus fault */
	pc_fault_handler,                                                                 /* usage fault */
	0, 0, 0, 0, pc_fault_handler,                                                     /* SVCall */
	pc_fault_handler,                                                                 /* debug monitor */
	0, pc_fault_handler,                                                              /* PendSV */
	pc_fault_handler,                                                                 /* SysTick */
};

_Noreturn void pc_reset_handler(void) {
	PC_SCB_CPACR |= 0x00F00000u; /* full access to the FPU */
	__asm__ volatile("dsb\n\tisb" : : : "memory");
	memcpy(__data_start, __data_load, (size_t)(__data_end - __data_start));
	memset(__bss_start, 0, (size_t)(__bss_end - __bss_start));
	PC_SCB_SHCSR |= PC_SHCSR_FAULTS;
	pc_mpu_enable();
	hal_init();
	(void)pc_main();
	/* The application has ended: nothing is left to wake up for. */
	for (;;) {
		(void)hal_events_take(); /* with one pending, it would not sleep */
		hal_idle(HAL_FOREVER);
	}
}

char *hal_stack_limit(void) {
	return (char *)__stack_limit;
}

/* newlib's own heap does not exist: XS has the arena (hosts/common/memory.c), and nothing else allocates. */
void *_sbrk(ptrdiff_t increment);
void *_sbrk(ptrdiff_t increment) {
	(void)increment;
	return (void *)-1;
}

/* newlib calls these around main and exit; there is nothing to do. */
void _init(void) {
}

void _fini(void) {
}
