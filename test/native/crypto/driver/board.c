/*
 * board.c: just enough of a board for the driver on the emulated Cortex-M: newlib's start-up and its semihosting do the
 * rest. Any fault ends the program with code 99.
 */
#include <stdint.h>

extern uint32_t __stack_top[];
extern void _start(void);

#define SYS_EXIT_EXTENDED 0x20
#define APPLICATION_EXIT 0x20026u

void reset(void) {
#ifdef __ARM_FP
	*(volatile uint32_t *)0xE000ED88u |= 0xFu << 20; /* CPACR: the floating-point unit may be used */
	__asm volatile("dsb\n\tisb");
#endif
	_start();
}

static void fault(void) {
	static const uint32_t block[2] = {APPLICATION_EXIT, 99};
	register uint32_t r0 __asm("r0") = SYS_EXIT_EXTENDED;
	register const void *r1 __asm("r1") = block;
	__asm volatile("bkpt 0xab" : : "r"(r0), "r"(r1) : "memory");
	for (;;) {
	}
}

__attribute__((section(".vectors"), used)) static const void *const vectors[16] = {
	__stack_top, reset, fault, fault, fault, fault, fault};
