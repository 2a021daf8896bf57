/*
 * uarte.c: the two UARTs, with EasyDMA.
 *
 * Receive: DMA buffers of one byte, each restarted by its handler. Longer buffers can't tell how much they hold until
 * they are stopped, and counting bytes with a TIMER over PPI would take two scarce peripherals from the application. The
 * UARTE's own FIFO bridges the time between a byte and its handler (four bytes, 350 us at 115200 baud). When the ring is
 * full the receiver is not restarted: with flow control RTS goes up and the peer waits, without it the FIFO overruns and
 * hal_uart_errors() counts.
 *
 * Transmit: DMA straight out of the ring, one contiguous piece at a time.
 */
#include "board.h"
#include "ring.h"

#define CPU_HZ 64000000u

typedef struct {
	nrf_uarte *uarte;
	unsigned irq;
	unsigned rxd, txd, rts, cts; /* rts == cts == 0: no flow control */
	pc_ring rx, tx;
	uint32_t baud; /* 0: closed */
	volatile uint32_t sending;
	volatile uint32_t errors;
	volatile bool rx_stalled;
	/* The DMA buffer; only the first byte is used. */
	uint8_t received[4] __attribute__((aligned(4)));
} uart_port;

static uint8_t console_rx[256], console_tx[1024], input_rx[1024], input_tx[128];

static uart_port ports[] = {
	{
		.uarte = NRF_UARTE0,
		.irq = NRF_IRQ_UARTE0,
		.rxd = NRF_PIN(0, 8),
		.txd = NRF_PIN(0, 6),
		.rx = {.data = console_rx, .size = sizeof console_rx},
		.tx = {.data = console_tx, .size = sizeof console_tx},
	},
	{
		.uarte = NRF_UARTE1,
		.irq = NRF_IRQ_UARTE1,
		.rxd = NRF_PIN(1, 1),
		.txd = NRF_PIN(1, 2),
		.rts = NRF_PIN(1, 3),
		.cts = NRF_PIN(1, 4),
		.rx = {.data = input_rx, .size = sizeof input_rx},
		.tx = {.data = input_tx, .size = sizeof input_tx},
	},
};

#define PORT_COUNT (sizeof ports / sizeof ports[0])

/* BAUDRATE values of 6.34.9.32; the UARTE makes no others exactly enough. */
static const struct {
	uint32_t baud, value;
} rates[] = {
	{1200, 0x0004F000},
	{2400, 0x0009D000},
	{4800, 0x0013B000},
	{9600, 0x00275000},
	{14400, 0x003AF000},
	{19200, 0x004EA000},
	{28800, 0x0075C000},
	{31250, 0x00800000},
	{38400, 0x009D0000},
	{57600, 0x00EB0000},
	{76800, 0x013A9000},
	{115200, 0x01D60000},
	{230400, 0x03B00000},
	{250000, 0x04000000},
	{460800, 0x07400000},
	{921600, 0x0F000000},
	{1000000, 0x10000000},
};

static uart_port *opened(unsigned port) {
	return port < PORT_COUNT && ports[port].baud != 0 ? &ports[port] : NULL;
}

static bool has_flow_control(const uart_port *port) {
	return port->rts != port->cts;
}

static uint64_t pins_of(const uart_port *port) {
	const uint64_t data = NRF_PIN_BIT(port->rxd) | NRF_PIN_BIT(port->txd);
	return has_flow_control(port) ? data | NRF_PIN_BIT(port->rts) | NRF_PIN_BIT(port->cts) : data;
}

static void restart_receiver(uart_port *port) {
	port->uarte->EVENTS_ENDRX = 0;
	port->uarte->TASKS_STARTRX = 1;
}

/* Interrupts of the port are off, or this is its handler. */
static void send_next(uart_port *port) {
	const uint32_t waiting = pc_ring_count(&port->tx);
	if (port->sending != 0 || waiting == 0) {
		return;
	}
	const uint32_t start = port->tx.tail & (port->tx.size - 1u);
	const uint32_t to_end = port->tx.size - start;
	port->sending = waiting < to_end ? waiting : to_end;
	port->uarte->TXD_PTR = (uint32_t)(uintptr_t)(port->tx.data + start);
	port->uarte->TXD_MAXCNT = port->sending;
	port->uarte->EVENTS_ENDTX = 0;
	nrf_barrier(); /* the bytes are in RAM before the DMA looks */
	port->uarte->TASKS_STARTTX = 1;
}

static void sent(uart_port *port) {
	port->uarte->EVENTS_ENDTX = 0;
	port->tx.tail = port->tx.tail + port->sending;
	port->sending = 0;
}

static void handle(unsigned index) {
	uart_port *port = &ports[index];
	nrf_uarte *uarte = port->uarte;
	uint32_t events = 0;
	while (!port->rx_stalled && uarte->EVENTS_ENDRX != 0) {
		(void)pc_ring_put(&port->rx, *(volatile uint8_t *)port->received);
		events |= HAL_EVENT_UART_RX(index);
		if (pc_ring_space(&port->rx) == 0) {
			/* The event stays set, so the receiver is known to be stopped; only its interrupt goes. */
			port->rx_stalled = true;
			uarte->INTENCLR = NRF_UARTE_INT_ENDRX;
		} else {
			restart_receiver(port);
		}
	}
	if (uarte->EVENTS_ERROR != 0) {
		uarte->EVENTS_ERROR = 0;
		uarte->ERRORSRC = uarte->ERRORSRC;
		port->errors++;
		events |= HAL_EVENT_UART_RX(index);
	}
	if (port->sending != 0 && uarte->EVENTS_ENDTX != 0) {
		sent(port);
		send_next(port);
		events |= HAL_EVENT_UART_TX(index);
	}
	if (events != 0) {
		hal_event_raise(events);
	}
}

void nrf_uarte0_handler(void) {
	handle(0);
}

void nrf_uarte1_handler(void) {
	handle(1);
}

hal_status hal_uart_open(unsigned index, uint32_t baud) {
	if (index >= PORT_COUNT) {
		return HAL_UNSUPPORTED;
	}
	uart_port *port = &ports[index];
	if (port->baud != 0) {
		return HAL_BUSY;
	}
	uint32_t rate = 0;
	for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
		if (rates[i].baud == baud) {
			rate = rates[i].value;
		}
	}
	if (rate == 0) {
		return HAL_RANGE;
	}
	if (!nrf_pins_claim(pins_of(port))) {
		return HAL_BUSY;
	}
	nrf_uarte *uarte = port->uarte;
	port->rx.head = port->rx.tail = 0;
	port->tx.head = port->tx.tail = 0;
	port->sending = 0;
	port->errors = 0;
	port->rx_stalled = false;
	port->baud = baud;

	/* TXD idles high before the UARTE drives it, or the peer sees a start bit (6.34.4). */
	nrf_gpio *tx_port = port->txd < 32u ? NRF_P0 : NRF_P1;
	tx_port->OUTSET = 1u << (port->txd & 31u);
	nrf_pin_configure(port->txd, NRF_PIN_OUTPUT | NRF_PIN_INPUT_DISCONNECTED);
	nrf_pin_configure(port->rxd, NRF_PIN_PULL_UP); /* an open line is an idle line */
	uarte->PSEL_TXD = port->txd;
	uarte->PSEL_RXD = port->rxd;
	if (has_flow_control(port)) {
		nrf_gpio *rts_port = port->rts < 32u ? NRF_P0 : NRF_P1;
		rts_port->OUTSET = 1u << (port->rts & 31u);
		nrf_pin_configure(port->rts, NRF_PIN_OUTPUT | NRF_PIN_INPUT_DISCONNECTED);
		nrf_pin_configure(port->cts, NRF_PIN_PULL_DOWN); /* a peer without RTS may always be sent to */
		uarte->PSEL_RTS = port->rts;
		uarte->PSEL_CTS = port->cts;
		uarte->CONFIG = NRF_UARTE_CONFIG_HWFC;
	} else {
		uarte->PSEL_RTS = NRF_PSEL_DISCONNECTED;
		uarte->PSEL_CTS = NRF_PSEL_DISCONNECTED;
		uarte->CONFIG = 0;
	}
	uarte->BAUDRATE = rate;
	uarte->ENABLE = NRF_UARTE_ENABLED;
	uarte->EVENTS_ENDTX = 0;
	uarte->EVENTS_ERROR = 0;
	uarte->ERRORSRC = uarte->ERRORSRC;
	uarte->RXD_PTR = (uint32_t)(uintptr_t)port->received;
	uarte->RXD_MAXCNT = 1;
	uarte->INTENSET = NRF_UARTE_INT_ENDRX | NRF_UARTE_INT_ENDTX | NRF_UARTE_INT_ERROR;
	pc_irq_enable(port->irq);
	restart_receiver(port);
	return HAL_OK;
}

void hal_uart_close(unsigned index) {
	uart_port *port = opened(index);
	if (port == NULL) {
		return;
	}
	nrf_uarte *uarte = port->uarte;
	hal_uart_flush(index);
	pc_irq_disable(port->irq);
	uarte->INTENCLR = 0xFFFFFFFFu;
	uarte->EVENTS_RXTO = 0;
	uarte->TASKS_STOPRX = 1;
	/* RXTO comes within five byte times; a disable before it leaves the receiver drawing current. */
	for (uint32_t spins = CPU_HZ / port->baud * 50u; spins > 0 && uarte->EVENTS_RXTO == 0; spins--) {
	}
	uarte->ENABLE = 0;
	uarte->EVENTS_ENDRX = 0;
	port->baud = 0;
	for (uint64_t pins = pins_of(port); pins != 0; pins &= pins - 1u) {
		nrf_pin_configure((unsigned)__builtin_ctzll(pins), NRF_PIN_INPUT_DISCONNECTED);
	}
	nrf_pins_release(pins_of(port));
}

size_t hal_uart_readable(unsigned index) {
	const uart_port *port = opened(index);
	return port == NULL ? 0 : pc_ring_count(&port->rx);
}

size_t hal_uart_read(unsigned index, uint8_t *data, size_t size) {
	uart_port *port = opened(index);
	if (port == NULL) {
		return 0;
	}
	const size_t count = pc_ring_read(&port->rx, data, size);
	if (port->rx_stalled && pc_ring_space(&port->rx) != 0) {
		/* In one go: a handler for something else in between would take the byte of the old ENDRX once more. */
		const uint32_t state = pc_irq_save();
		port->rx_stalled = false;
		restart_receiver(port);
		port->uarte->INTENSET = NRF_UARTE_INT_ENDRX;
		pc_irq_restore(state);
	}
	return count;
}

size_t hal_uart_writable(unsigned index) {
	const uart_port *port = opened(index);
	return port == NULL ? 0 : pc_ring_space(&port->tx);
}

size_t hal_uart_write(unsigned index, const uint8_t *data, size_t size) {
	uart_port *port = opened(index);
	if (port == NULL) {
		return size; /* nobody listens; a fault before the console is open must not wait for it */
	}
	const size_t count = pc_ring_write(&port->tx, data, size);
	const uint32_t state = pc_irq_save();
	send_next(port);
	pc_irq_restore(state);
	return count;
}

uint32_t hal_uart_errors(unsigned index) {
	const uart_port *port = opened(index);
	return port == NULL ? 0 : port->errors;
}

void hal_uart_flush(unsigned index) {
	uart_port *port = opened(index);
	if (port == NULL) {
		return;
	}
	/* With interrupts masked this loop is the port's handler. In thread mode a pending interrupt ends WFI all the same,
	 * so the CPU sleeps while the DMA works; in a fault handler none has the priority to. A peer that holds CTS up raises
	 * nothing at all, so there time is watched instead. */
	const uint32_t state = pc_irq_save();
	uint32_t exception;
	__asm__ volatile("mrs %0, ipsr" : "=r"(exception));
	const bool sleep = exception == 0 && !has_flow_control(port);
	send_next(port);
	const uint64_t bytes = pc_ring_count(&port->tx) + 4u;
	const uint64_t give_up = hal_now_us() + bytes * 20u * 1000000u / port->baud; /* twice ten bits a byte */
	while (port->sending != 0 && hal_now_us() < give_up) {
		PC_NVIC_ICPR(port->irq / 32u) = 1u << port->irq % 32u;
		handle(index);
		if (sleep && port->sending != 0) {
			pc_wait_for_interrupt();
		}
	}
	pc_irq_restore(state);
}
