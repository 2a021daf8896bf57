/*
 * board.h: what the drivers of this board share with each other and with nobody else.
 */
#ifndef PERICARD_NRF52840DK_BOARD_H
#define PERICARD_NRF52840DK_BOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "cortex-m.h"
#include "hal.h"
#include "nrf52840.h"

/* Pins are numbered P0.00 = 0 ... P0.31 = 31, P1.00 = 32 ... P1.15 = 47, as in the PSEL registers. */
#define NRF_PIN_COUNT 48u
#define NRF_PIN(port, pin) ((port)*32u + (pin))
#define NRF_PIN_BIT(pin) (UINT64_C(1) << (pin))

/* Every write before it has arrived, also in RAM and in peripherals. */
static inline void nrf_barrier(void) {
	__asm__ volatile("dsb" : : : "memory");
}

/* Takes pins for one owner; false (and nothing taken) if one of them has an owner already. */
bool nrf_pins_claim(uint64_t pins);
void nrf_pins_release(uint64_t pins);
/* Writes a whole PIN_CNF register. */
void nrf_pin_configure(unsigned pin, uint32_t configuration);

/* Start the time base and the port interrupt; called once by hal_init(). */
void nrf_rtc_init(void);
void nrf_gpio_init(void);

/* Interrupt handlers, placed in the vector table by board.c. */
void nrf_uarte0_handler(void);
void nrf_uarte1_handler(void);
void nrf_gpiote_handler(void);
void nrf_rtc1_handler(void);

#endif
