/*
 * twi.c: I2C controller on the legacy TWI blocks (not TWIM: no DMA for a few bytes, and Renode models TWI only).
 *
 * TWI works byte by byte. Reading, it fetches the next byte as soon as RXD is read, unless a short-cut holds the bus at
 * the byte boundary: BB_SUSPEND for every byte but the last, BB_STOP for the last, so that the last one is answered with
 * NACK and STOP. A read therefore always ends the transaction; only a write can leave the bus to a repeated start.
 * Transfers block, polling, and no single byte may take more than 25 ms (SMBus time-out).
 */
#include "board.h"

#define BYTE_TIMEOUT_US 25000u
#define RECOVERY_CLOCKS 9u

typedef struct {
	nrf_twi *twi;
	bool open;
	unsigned sda, scl;
} twi_bus;

static twi_bus buses[] = {{.twi = NRF_TWI0}, {.twi = NRF_TWI1}};

#define BUS_COUNT (sizeof buses / sizeof buses[0])
/* Both lines as an input with pull-up whose driver is an open drain. */
#define LINE_RELEASED (NRF_PIN_PULL_UP | NRF_PIN_OPEN_DRAIN)

static twi_bus *opened(unsigned index) {
	return index < BUS_COUNT && buses[index].open ? &buses[index] : NULL;
}

static void wait_us(uint32_t us) {
	const uint64_t until = hal_now_us() + us;
	while (hal_now_us() < until) {
	}
}

/* A target that was cut off in the middle of a byte holds SDA low until it has been clocked out of it (I2C UM10204,
 * 3.1.16). Pins are driven by hand, so TWI is off meanwhile. */
static void clear_bus(const twi_bus *bus) {
	nrf_gpio *port = bus->scl < 32u ? NRF_P0 : NRF_P1;
	const uint32_t scl = 1u << (bus->scl & 31u);
	port->OUTSET = scl;
	nrf_pin_configure(bus->sda, LINE_RELEASED);
	nrf_pin_configure(bus->scl, LINE_RELEASED);
	for (unsigned i = 0; i < RECOVERY_CLOCKS && !hal_gpio_read(bus->sda); i++) {
		port->OUTCLR = scl;
		nrf_pin_configure(bus->scl, LINE_RELEASED | NRF_PIN_OUTPUT);
		wait_us(30);
		port->OUTSET = scl;
		wait_us(30);
		nrf_pin_configure(bus->scl, LINE_RELEASED);
	}
}

static void restart(twi_bus *bus) {
	bus->twi->ENABLE = 0;
	clear_bus(bus);
	bus->twi->ENABLE = NRF_TWI_ENABLED;
}

hal_status hal_i2c_open(unsigned index, unsigned data_pin, unsigned clock_pin, uint32_t hz) {
	if (index >= BUS_COUNT || data_pin >= NRF_PIN_COUNT || clock_pin >= NRF_PIN_COUNT) {
		return HAL_UNSUPPORTED;
	}
	if (hz == 0 || data_pin == clock_pin) {
		return HAL_RANGE;
	}
	twi_bus *bus = &buses[index];
	if (bus->open || !nrf_pins_claim(NRF_PIN_BIT(data_pin) | NRF_PIN_BIT(clock_pin))) {
		return HAL_BUSY;
	}
	bus->open = true;
	bus->sda = data_pin;
	bus->scl = clock_pin;
	/* The fastest of the three rates that is not above what was asked for; the slowest if all are. */
	bus->twi->FREQUENCY = hz >= 400000u ? 0x06680000u : hz >= 250000u ? 0x04000000u : 0x01980000u;
	bus->twi->PSEL_SDA = data_pin;
	bus->twi->PSEL_SCL = clock_pin;
	restart(bus);
	return HAL_OK;
}

void hal_i2c_close(unsigned index) {
	twi_bus *bus = opened(index);
	if (bus == NULL) {
		return;
	}
	bus->twi->ENABLE = 0;
	bus->twi->PSEL_SDA = NRF_PSEL_DISCONNECTED;
	bus->twi->PSEL_SCL = NRF_PSEL_DISCONNECTED;
	nrf_pin_configure(bus->sda, NRF_PIN_INPUT_DISCONNECTED);
	nrf_pin_configure(bus->scl, NRF_PIN_INPUT_DISCONNECTED);
	nrf_pins_release(NRF_PIN_BIT(bus->sda) | NRF_PIN_BIT(bus->scl));
	bus->open = false;
}

static void begin(nrf_twi *twi, uint8_t address) {
	twi->EVENTS_RXDREADY = 0;
	twi->EVENTS_TXDSENT = 0;
	twi->EVENTS_STOPPED = 0;
	twi->EVENTS_ERROR = 0;
	twi->ERRORSRC = NRF_TWI_ERROR_OVERRUN | NRF_TWI_ERROR_ADDRESS_NACK | NRF_TWI_ERROR_DATA_NACK;
	twi->ADDRESS = address;
}

/* Waits for an event and clears it. HAL_NACK or HAL_FAULT as the error register says, HAL_TIMEOUT. */
static hal_status await(nrf_twi *twi, nrf_register *event) {
	const uint64_t since = hal_now_us();
	while (*event == 0) {
		if (twi->EVENTS_ERROR != 0) {
			twi->EVENTS_ERROR = 0;
			const uint32_t source = twi->ERRORSRC;
			twi->ERRORSRC = source;
			return (source & (NRF_TWI_ERROR_ADDRESS_NACK | NRF_TWI_ERROR_DATA_NACK)) != 0 ? HAL_NACK : HAL_FAULT;
		}
		if (hal_now_us() - since > BYTE_TIMEOUT_US) {
			return HAL_TIMEOUT;
		}
	}
	*event = 0;
	return HAL_OK;
}

static hal_status stop(nrf_twi *twi) {
	twi->TASKS_STOP = 1;
	return await(twi, &twi->EVENTS_STOPPED);
}

/* After a failure: leave the bus idle, whatever that takes. */
static hal_status give_up(twi_bus *bus, hal_status status) {
	bus->twi->SHORTS = 0;
	bus->twi->TASKS_RESUME = 1; /* a suspended controller does not see STOP */
	if (stop(bus->twi) != HAL_OK) {
		restart(bus);
	}
	return status;
}

hal_status hal_i2c_write(unsigned index, uint8_t address, const uint8_t *data, size_t size, bool stop_after) {
	twi_bus *bus = opened(index);
	if (bus == NULL) {
		return HAL_UNSUPPORTED;
	}
	if (address > 0x7F || size == 0) {
		return HAL_RANGE; /* TWI can't address a target without sending it a byte */
	}
	nrf_twi *twi = bus->twi;
	begin(twi, address);
	twi->SHORTS = 0;
	twi->TASKS_STARTTX = 1;
	for (size_t i = 0; i < size; i++) {
		twi->TXD = data[i];
		const hal_status status = await(twi, &twi->EVENTS_TXDSENT);
		if (status != HAL_OK) {
			return give_up(bus, status);
		}
	}
	if (!stop_after) {
		return HAL_OK; /* the bus is held, with SCL low, for the repeated start of the next transfer */
	}
	const hal_status status = stop(twi);
	return status == HAL_OK ? HAL_OK : give_up(bus, status);
}

hal_status hal_i2c_read(unsigned index, uint8_t address, uint8_t *data, size_t size, bool stop_after) {
	(void)stop_after; /* see the head of this file */
	twi_bus *bus = opened(index);
	if (bus == NULL) {
		return HAL_UNSUPPORTED;
	}
	if (address > 0x7F || size == 0) {
		return HAL_RANGE;
	}
	nrf_twi *twi = bus->twi;
	begin(twi, address);
	twi->SHORTS = size == 1 ? NRF_TWI_SHORT_BB_STOP : NRF_TWI_SHORT_BB_SUSPEND;
	twi->TASKS_STARTRX = 1;
	for (size_t i = 0; i < size; i++) {
		const hal_status status = await(twi, &twi->EVENTS_RXDREADY);
		if (status != HAL_OK) {
			return give_up(bus, status);
		}
		data[i] = (uint8_t)twi->RXD;
		if (i + 2 == size) {
			twi->SHORTS = NRF_TWI_SHORT_BB_STOP; /* for the byte that RESUME fetches now */
		}
		if (i + 1 < size) {
			twi->TASKS_RESUME = 1;
		}
	}
	const hal_status status = await(twi, &twi->EVENTS_STOPPED);
	twi->SHORTS = 0;
	return status == HAL_OK ? HAL_OK : give_up(bus, status);
}
