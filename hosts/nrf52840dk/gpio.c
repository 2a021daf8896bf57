/*
 * gpio.c: pins, and edges through the SENSE/DETECT mechanism.
 *
 * Edges use the PORT event of GPIOTE and not its IN channels: PORT takes any number of pins and needs no high-frequency
 * clock, so a device that waits for a button draws nothing for it. SENSE tells levels, not edges: each watched pin
 * senses the level that it does not have, and the handler turns it round at every change. A pulse that is over before the
 * handler runs is found in LATCH.
 */
#include "board.h"

/* 32.768 kHz crystal on P0.00 and P0.01, reset on P0.18. */
#define RESERVED_PINS (NRF_PIN_BIT(0) | NRF_PIN_BIT(1) | NRF_PIN_BIT(18))
#define PIN_UNUSED NRF_PIN_INPUT_DISCONNECTED /* the reset value of PIN_CNF */

static uint64_t claimed = RESERVED_PINS;
static uint64_t opened; /* by hal_gpio_open */
static uint64_t outputs;
static uint64_t watch_rising;
static uint64_t watch_falling;
static uint64_t sense_high; /* of the watched pins: those that sense high now */
static uint64_t edges;

static nrf_gpio *port_of(unsigned pin) {
	return pin < 32u ? NRF_P0 : NRF_P1;
}

static uint32_t port_bit(unsigned pin) {
	return 1u << (pin & 31u);
}

bool nrf_pins_claim(uint64_t pins) {
	const uint32_t state = pc_irq_save();
	const bool free = (claimed & pins) == 0;
	if (free) {
		claimed |= pins;
	}
	pc_irq_restore(state);
	return free;
}

void nrf_pins_release(uint64_t pins) {
	const uint32_t state = pc_irq_save();
	claimed &= ~pins;
	pc_irq_restore(state);
}

void nrf_pin_configure(unsigned pin, uint32_t configuration) {
	port_of(pin)->PIN_CNF[pin & 31u] = configuration;
}

void nrf_gpio_init(void) {
	NRF_GPIOTE_EVENTS_PORT = 0;
	NRF_GPIOTE_INTENSET = NRF_GPIOTE_INT_PORT;
	pc_irq_enable(NRF_IRQ_GPIOTE);
}

static bool pin_level(unsigned pin) {
	return (port_of(pin)->IN & port_bit(pin)) != 0;
}

static void sense(unsigned pin, bool high) {
	nrf_gpio *port = port_of(pin);
	const uint32_t rest = port->PIN_CNF[pin & 31u] & ~NRF_PIN_SENSE_MASK;
	port->PIN_CNF[pin & 31u] = rest | (high ? NRF_PIN_SENSE_HIGH : NRF_PIN_SENSE_LOW);
	if (high) {
		sense_high |= NRF_PIN_BIT(pin);
	} else {
		sense_high &= ~NRF_PIN_BIT(pin);
	}
}

/* Looks at one watched pin; true if it changed. */
static bool pin_changed(unsigned pin) {
	const uint64_t bit = NRF_PIN_BIT(pin);
	nrf_gpio *port = port_of(pin);
	const bool waited_for = (sense_high & bit) != 0;
	const bool level = pin_level(pin);
	const bool latched = (port->LATCH & port_bit(pin)) != 0;
	if (level != waited_for && !latched) {
		return false;
	}
	const bool pulse = level != waited_for; /* came and went */
	if (waited_for || pulse) {
		edges |= watch_rising & bit;
	}
	if (!waited_for || pulse) {
		edges |= watch_falling & bit;
	}
	sense(pin, !level);
	/* Cleared after SENSE was turned, or it would latch again at once; the read-back gives the write its cycles
	 * (erratum 173). */
	port->LATCH = port_bit(pin);
	(void)port->LATCH;
	return true;
}

void nrf_gpiote_handler(void) {
	bool again = true;
	while (again) {
		again = false;
		NRF_GPIOTE_EVENTS_PORT = 0;
		(void)NRF_GPIOTE_EVENTS_PORT;
		uint64_t watched = watch_rising | watch_falling;
		while (watched != 0) {
			const unsigned pin = (unsigned)__builtin_ctzll(watched);
			watched &= watched - 1u;
			/* DETECT rises once for all pins together: look again until no pin meets its SENSE, or it stays up. */
			again |= pin_changed(pin);
		}
	}
	if (edges != 0) {
		hal_event_raise(HAL_EVENT_GPIO);
	}
}

hal_status hal_gpio_open(unsigned pin, hal_gpio_mode mode, unsigned edges_wanted) {
	if (pin >= NRF_PIN_COUNT || (RESERVED_PINS & NRF_PIN_BIT(pin)) != 0) {
		return HAL_UNSUPPORTED;
	}
	uint32_t configuration;
	switch (mode) {
	case HAL_GPIO_INPUT:
		configuration = 0;
		break;
	case HAL_GPIO_INPUT_PULLUP:
		configuration = NRF_PIN_PULL_UP;
		break;
	case HAL_GPIO_INPUT_PULLDOWN:
		configuration = NRF_PIN_PULL_DOWN;
		break;
	case HAL_GPIO_OUTPUT:
		configuration = NRF_PIN_OUTPUT; /* INPUT stays connected: an output can be read back */
		break;
	case HAL_GPIO_OUTPUT_OPEN_DRAIN:
		configuration = NRF_PIN_OUTPUT | NRF_PIN_OPEN_DRAIN;
		break;
	default:
		return HAL_RANGE;
	}
	const bool output = (configuration & NRF_PIN_OUTPUT) != 0;
	if ((edges_wanted & ~(HAL_EDGE_RISING | HAL_EDGE_FALLING)) != 0 || (output && edges_wanted != 0)) {
		return HAL_RANGE;
	}
	const uint64_t bit = NRF_PIN_BIT(pin);
	if (!nrf_pins_claim(bit)) {
		return HAL_BUSY;
	}
	/* An open drain starts released, a push-pull output low. */
	if (mode == HAL_GPIO_OUTPUT_OPEN_DRAIN) {
		port_of(pin)->OUTSET = port_bit(pin);
	} else if (output) {
		port_of(pin)->OUTCLR = port_bit(pin);
	}
	nrf_pin_configure(pin, configuration); /* the input is connected before SENSE is set (erratum 210) */
	const uint32_t state = pc_irq_save();
	opened |= bit;
	outputs = output ? outputs | bit : outputs & ~bit;
	edges &= ~bit;
	if (edges_wanted != 0) {
		watch_rising = (edges_wanted & HAL_EDGE_RISING) != 0 ? watch_rising | bit : watch_rising & ~bit;
		watch_falling = (edges_wanted & HAL_EDGE_FALLING) != 0 ? watch_falling | bit : watch_falling & ~bit;
		sense(pin, !pin_level(pin));
		port_of(pin)->LATCH = port_bit(pin);
	}
	pc_irq_restore(state);
	return HAL_OK;
}

void hal_gpio_close(unsigned pin) {
	if (pin >= NRF_PIN_COUNT || (opened & NRF_PIN_BIT(pin)) == 0) {
		return;
	}
	const uint64_t bit = NRF_PIN_BIT(pin);
	const uint32_t state = pc_irq_save();
	opened &= ~bit;
	outputs &= ~bit;
	watch_rising &= ~bit;
	watch_falling &= ~bit;
	edges &= ~bit;
	pc_irq_restore(state);
	nrf_pin_configure(pin, PIN_UNUSED);
	nrf_pins_release(bit);
}

bool hal_gpio_read(unsigned pin) {
	return pin < NRF_PIN_COUNT && pin_level(pin);
}

void hal_gpio_write(unsigned pin, bool level) {
	if (pin >= NRF_PIN_COUNT || (outputs & NRF_PIN_BIT(pin)) == 0) {
		return;
	}
	if (level) {
		port_of(pin)->OUTSET = port_bit(pin);
	} else {
		port_of(pin)->OUTCLR = port_bit(pin);
	}
}

uint64_t hal_gpio_edges_take(void) {
	const uint32_t state = pc_irq_save();
	const uint64_t taken = edges;
	edges = 0;
	pc_irq_restore(state);
	return taken;
}
