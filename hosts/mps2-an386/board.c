/*
 * board.c: brings the emulated MPS2 AN386 up, names its interrupt handlers and memory map, and says why it was reset.
 */
#include "mps2.h"

#include "hal.h"

void hal_init(void) {
	mps2_time_init();
	(void)hal_uart_open(HAL_UART_CONSOLE, 115200);
}

/* AN386 has no register that tells a reset from a power-on: RAM that still holds ALIVE was not without power. A reset
 * that the firmware asked for, the watchdog's NMI among them, leaves a record (hosts/common/reset.c); any other is the
 * reset button. */
#define ALIVE 0x414C4956u
static uint32_t alive __attribute__((section(".noinit")));
static uint32_t asked __attribute__((section(".noinit")));

hal_reset_cause hal_reset_cause_read(void) {
	hal_reset_cause cause = HAL_RESET_POWER_ON;
	if (alive == ALIVE) {
		cause = asked == ALIVE ? HAL_RESET_SOFTWARE : HAL_RESET_PIN;
	}
	alive = ALIVE;
	asked = 0;
	return cause;
}

_Noreturn void hal_reset(void) {
	asked = ALIVE;
	pc_system_reset();
}

/* ---- watchdog: its time-out raises NMI, which fault.c records and ends in a reset -------------------------------- */

static uint32_t watchdog_load;

hal_status hal_watchdog_start(uint32_t timeout_ms) {
	if (timeout_ms < 1 || timeout_ms > 60000) {
		return HAL_RANGE;
	}
	if (watchdog_load != 0) {
		return HAL_BUSY;
	}
	watchdog_load = (uint32_t)((uint64_t)timeout_ms * (MPS2_CLOCK / 1000u));
	MPS2_REG(MPS2_WATCHDOG, WATCHDOG_LOCK) = WATCHDOG_UNLOCK;
	MPS2_REG(MPS2_WATCHDOG, WATCHDOG_LOAD) = watchdog_load;
	MPS2_REG(MPS2_WATCHDOG, WATCHDOG_CONTROL) =
		1u; /* NMI; its own reset at a second time-out could overtake the record */
	MPS2_REG(MPS2_WATCHDOG, WATCHDOG_LOCK) = 0;
	return HAL_OK;
}

void hal_watchdog_feed(void) {
	if (watchdog_load != 0) {
		MPS2_REG(MPS2_WATCHDOG, WATCHDOG_LOCK) = WATCHDOG_UNLOCK;
		MPS2_REG(MPS2_WATCHDOG, WATCHDOG_INTCLEAR) = 1;
		MPS2_REG(MPS2_WATCHDOG, WATCHDOG_LOCK) = 0;
	}
}

/* ---- tables ------------------------------------------------------------------------------------------------------ */

const pc_vector pc_board_vectors[MPS2_IRQ_COUNT] __attribute__((section(".vectors.irq"), used)) = {
	[MPS2_IRQ_UART_RX(0)] = mps2_uart0_rx,
	[MPS2_IRQ_UART_TX(0)] = mps2_uart0_tx,
	[MPS2_IRQ_UART_RX(1)] = mps2_uart1_rx,
	[MPS2_IRQ_UART_TX(1)] = mps2_uart1_tx,
	[MPS2_IRQ_DUALTIMER] = mps2_dualtimer,
};

const pc_mpu_region pc_board_regions[] = {
	{0x00000000u, 22, PC_MPU_READ_EXECUTE}, /* "flash" */
	{0x20000000u, 18, PC_MPU_READ_WRITE},   /* RAM */
	{0x21FF0000u, 16, PC_MPU_READ_WRITE},   /* storage */
	{0x40000000u, 29, PC_MPU_DEVICE},
};
const unsigned pc_board_region_count = sizeof pc_board_regions / sizeof pc_board_regions[0];
