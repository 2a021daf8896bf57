/*
 * board.c: brings the nRF52840 DK up, names its interrupt handlers and says why it was reset.
 */
#include "board.h"

static uint32_t reset_reasons;

void hal_init(void) {
	/* RESETREAS gathers reasons until it is cleared: keep this reset's, so that the next one shows only its own. */
	reset_reasons = NRF_POWER_RESETREAS;
	NRF_POWER_RESETREAS = reset_reasons;

	/* Registers of CLOCK that a reset leaves as they were (erratum 36). */
	NRF_CLOCK_EVENTS_DONE = 0;
	NRF_CLOCK_EVENTS_CTTO = 0;
	NRF_CLOCK_CTIV = 0;

	NRF_POWER_DCDCEN = 1; /* the DK has the inductor of the first-stage DC/DC converter */
	NRF_NVMC_ICACHECNF = 1;

	nrf_rtc_init();
	nrf_gpio_init();
	(void)hal_uart_open(HAL_UART_CONSOLE, 115200);
}

hal_reset_cause hal_reset_cause_read(void) {
	/* After a pin reset other bits may be set that should not be (erratum 136): the pin is looked at first. */
	if ((reset_reasons & NRF_RESETREAS_PIN) != 0) {
		return HAL_RESET_PIN;
	}
	if ((reset_reasons & NRF_RESETREAS_WATCHDOG) != 0) {
		return HAL_RESET_WATCHDOG;
	}
	if ((reset_reasons & NRF_RESETREAS_LOCKUP) != 0) {
		return HAL_RESET_LOCKUP;
	}
	if ((reset_reasons & NRF_RESETREAS_SOFTWARE) != 0) {
		return HAL_RESET_SOFTWARE;
	}
	return HAL_RESET_POWER_ON;
}

_Noreturn void hal_reset(void) {
	pc_system_reset();
}

const pc_mpu_region pc_board_regions[] = {
	{0x00000000u, 20, PC_MPU_READ_EXECUTE}, /* flash, 1 MB */
	{0x000F0000u, 16, PC_MPU_READ_WRITE},   /* the storage area in it: STORAGE of nrf52840dk.ld */
	{0x20000000u, 18, PC_MPU_READ_WRITE},   /* RAM, 256 KB */
	{0x40000000u, 29, PC_MPU_DEVICE},       /* peripherals, GPIO among them */
};
const unsigned pc_board_region_count = sizeof pc_board_regions / sizeof pc_board_regions[0];

const pc_vector pc_board_vectors[NRF_IRQ_COUNT] __attribute__((section(".vectors.irq"), used)) = {
	[NRF_IRQ_UARTE0] = nrf_uarte0_handler,
	[NRF_IRQ_GPIOTE] = nrf_gpiote_handler,
	[NRF_IRQ_RTC1] = nrf_rtc1_handler,
	[NRF_IRQ_UARTE1] = nrf_uarte1_handler,
};
