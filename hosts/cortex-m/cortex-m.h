/*
 * cortex-m.h: what the boards with an Armv7-M core share: the core's own registers, interrupts, start-up, faults, MPU.
 *
 * Register names and fields follow the Armv7-M Architecture Reference Manual (DDI 0403), chapters B3.2 to B3.5.
 */
#ifndef PERICARD_CORTEX_M_H
#define PERICARD_CORTEX_M_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PC_REGISTER(address) (*(volatile uint32_t *)(address))

/* System control block */
#define PC_SCB_ICSR PC_REGISTER(0xE000ED04u)
#define PC_SCB_VTOR PC_REGISTER(0xE000ED08u)
#define PC_SCB_AIRCR PC_REGISTER(0xE000ED0Cu)
#define PC_SCB_CCR PC_REGISTER(0xE000ED14u)
#define PC_SCB_SHCSR PC_REGISTER(0xE000ED24u)
#define PC_SCB_CFSR PC_REGISTER(0xE000ED28u)
#define PC_SCB_HFSR PC_REGISTER(0xE000ED2Cu)
#define PC_SCB_MMFAR PC_REGISTER(0xE000ED34u)
#define PC_SCB_BFAR PC_REGISTER(0xE000ED38u)
#define PC_SCB_CPACR PC_REGISTER(0xE000ED88u)
#define PC_AIRCR_SYSRESETREQ 0x05FA0004u
#define PC_SHCSR_FAULTS 0x00070000u /* usage, bus and memory faults have handlers of their own */
#define PC_CFSR_MSTKERR (1u << 4)
#define PC_CFSR_MMARVALID (1u << 7)
#define PC_CFSR_BFARVALID (1u << 15)

/* Interrupt controller */
#define PC_NVIC_ISER(n) PC_REGISTER(0xE000E100u + 4u * (n))
#define PC_NVIC_ICER(n) PC_REGISTER(0xE000E180u + 4u * (n))
#define PC_NVIC_ICPR(n) PC_REGISTER(0xE000E280u + 4u * (n))

/* Memory protection unit */
#define PC_MPU_TYPE PC_REGISTER(0xE000ED90u)
#define PC_MPU_CTRL PC_REGISTER(0xE000ED94u)
#define PC_MPU_RNR PC_REGISTER(0xE000ED98u)
#define PC_MPU_RBAR PC_REGISTER(0xE000ED9Cu)
#define PC_MPU_RASR PC_REGISTER(0xE000EDA0u)

typedef void (*pc_vector)(void);

static inline uint32_t pc_irq_save(void) {
	uint32_t state;
	__asm__ volatile("mrs %0, primask\n\tcpsid i" : "=r"(state) : : "memory");
	return state;
}

static inline void pc_irq_restore(uint32_t state) {
	__asm__ volatile("msr primask, %0" : : "r"(state) : "memory");
}

static inline void pc_irq_enable(unsigned irq) {
	PC_NVIC_ISER(irq / 32u) = 1u << irq % 32u;
}

static inline void pc_irq_disable(unsigned irq) {
	PC_NVIC_ICER(irq / 32u) = 1u << irq % 32u;
	__asm__ volatile("dsb\n\tisb" : : : "memory");
}

/* Sleeps until an interrupt is pending, also with interrupts masked. */
static inline void pc_wait_for_interrupt(void) {
	__asm__ volatile("dsb\n\twfi" : : : "memory");
}

/* A function of its own: the emulator's plugin watches its address. */
__attribute__((noinline, unused)) static _Noreturn void pc_system_reset(void) {
	__asm__ volatile("dsb" : : : "memory");
	PC_SCB_AIRCR = PC_AIRCR_SYSRESETREQ;
	__asm__ volatile("dsb" : : : "memory");
	for (;;) {
	}
}

/* What a board may be read, written and executed where: one MPU region each. A later entry overrides an earlier one.
 * `base` is a multiple of the size, 1 << size_log2 (5..32) bytes. */
typedef enum {
	PC_MPU_NONE,         /* no access at all */
	PC_MPU_READ_EXECUTE, /* flash: read-only, executable */
	PC_MPU_READ,         /* read-only, execute-never */
	PC_MPU_READ_WRITE,   /* RAM: execute-never */
	PC_MPU_DEVICE,       /* peripherals: execute-never, strongly ordered enough */
} pc_mpu_access;

typedef struct {
	uint32_t base;
	uint8_t size_log2;
	uint8_t access; /* pc_mpu_access */
} pc_mpu_region;

/* The board's map, at most six entries, or four if its code may move; the null page comes on top (mpu.c). */
extern const pc_mpu_region pc_board_regions[];
extern const unsigned pc_board_region_count;

/* Switches the MPU on with the board's map. Nothing outside of a region is accessible but the core's own registers. */
void pc_mpu_enable(void);

/* Copies bytes that no region of the map lets anybody read, such as the null page and option bytes. Interrupts wait meanwhile. */
void pc_mpu_read(uint8_t *to, const uint8_t *from, size_t size);

/* The board's handlers of its external interrupts, in section .vectors.irq. */
extern const pc_vector pc_board_vectors[];

/* fibre.c: the lowest address that PSP, the fibre's stack pointer, may reach; 0 without a fibre. */
extern uint32_t pc_fibre_limit;

/* fibre.c: while the fibre stands still: may a return address on its stack lead into [start, end)? Every word is taken for
 * one, so the answer may be yes where none does. */
bool pc_fibre_leads_to(uint32_t start, uint32_t end);

/* fibre.c: the fibre that stands still will not be resumed: nothing on its stack counts any more. */
void pc_fibre_forget(void);

/* Entry of every fault and of any unexpected exception; records, tells the console, resets. Does not return. */
void pc_fault_handler(void);

#endif
