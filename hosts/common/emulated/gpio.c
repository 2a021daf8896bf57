/*
 * gpio.c: no pins come out of the emulated board, so its 16 pins are wired in pairs: what is driven on pin 2n is read on
 * pin 2n + 1. That is enough to run code that uses pins, edges included.
 */
#include "hal.h"

#define PINS 16u

typedef struct {
	bool open, output, level;
	unsigned edges;
} pin_state;

static pin_state pins[PINS];
static uint64_t seen;

static void drive(unsigned pin, bool level) {
	pin_state *state = &pins[pin];
	if (state->level == level) {
		return;
	}
	state->level = level;
	if (state->open && (state->edges & (level ? HAL_EDGE_RISING : HAL_EDGE_FALLING)) != 0) {
		seen |= UINT64_C(1) << pin;
		hal_event_raise(HAL_EVENT_GPIO);
	}
}

hal_status hal_gpio_open(unsigned pin, hal_gpio_mode mode, unsigned edges) {
	if (pin >= PINS) {
		return HAL_UNSUPPORTED;
	}
	if (mode != HAL_GPIO_INPUT && mode != HAL_GPIO_INPUT_PULLUP && mode != HAL_GPIO_INPUT_PULLDOWN &&
		mode != HAL_GPIO_OUTPUT && mode != HAL_GPIO_OUTPUT_OPEN_DRAIN) {
		return HAL_RANGE;
	}
	pin_state *state = &pins[pin];
	if (state->open) {
		return HAL_BUSY;
	}
	state->open = true;
	state->output = mode >= HAL_GPIO_OUTPUT;
	state->edges = 0;
	if (mode == HAL_GPIO_INPUT_PULLUP && !pins[pin ^ 1u].open) {
		state->level = true;
	}
	state->edges = edges;
	return HAL_OK;
}

void hal_gpio_close(unsigned pin) {
	if (pin < PINS) {
		pins[pin].open = false;
		seen &= ~(UINT64_C(1) << pin);
	}
}

bool hal_gpio_read(unsigned pin) {
	return pin < PINS && pins[pin].level;
}

void hal_gpio_write(unsigned pin, bool level) {
	if (pin < PINS && pins[pin].open && pins[pin].output) {
		drive(pin, level);
		if ((pin & 1u) == 0 && !pins[pin + 1u].output) {
			drive(pin + 1u, level);
		}
	}
}

uint64_t hal_gpio_edges_take(void) {
	uint64_t edges = seen;
	seen = 0;
	return edges;
}
