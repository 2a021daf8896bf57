/*
 * uart.c: the two CMSDK UARTs that the MPS2 AN386 gives to the console and to the sensor front end.
 *
 * The receiver holds one byte. When a ring is full its byte stays there and the sender waits: the emulated peer honours
 * that like RTS/CTS. Sending fills the ring and lets the transmit interrupt drain it.
 */
#include "hal.h"
#include "mps2.h"
#include "ring.h"

#define PORTS 2u
#define RX_SIZE 512u
#define TX_SIZE 512u

typedef struct {
	bool open;
	uint32_t errors;
	pc_ring rx, tx;
	uint8_t rx_data[RX_SIZE], tx_data[TX_SIZE];
} uart_port;

static uart_port ports[PORTS];

__attribute__((noinline, noclone, used)) uint32_t pc_uart_rx_gate(unsigned port) {
	return MPS2_REG(MPS2_UART(port), UART_STATE);
}

/* Runs in the handler, or with interrupts masked. */
static void receive(unsigned port) {
	uart_port *uart = &ports[port];
	uint32_t base = MPS2_UART(port);
	bool any = false;
	for (;;) {
		/* The latch is cleared before the register is looked at: a byte that comes later raises it anew. */
		MPS2_REG(base, UART_INTCLEAR) = UART_INT_RX;
		uint32_t state = pc_uart_rx_gate(port);
		if ((state & UART_STATE_RXOVERRUN) != 0) {
			MPS2_REG(base, UART_STATE) = UART_STATE_RXOVERRUN;
			uart->errors++;
		}
		/* With a full ring the byte stays in the register, which holds the sender, until somebody reads. */
		if ((MPS2_REG(base, UART_STATE) & UART_STATE_RXFULL) == 0 || pc_ring_space(&uart->rx) == 0) {
			break;
		}
		(void)pc_ring_put(&uart->rx, (uint8_t)MPS2_REG(base, UART_DATA));
		any = true;
	}
	if (any) {
		hal_event_raise(HAL_EVENT_UART_RX(port));
	}
}

static void transmit(unsigned port) {
	uart_port *uart = &ports[port];
	uint32_t base = MPS2_UART(port);
	uint8_t byte;
	MPS2_REG(base, UART_INTCLEAR) = UART_INT_TX;
	while ((MPS2_REG(base, UART_STATE) & UART_STATE_TXFULL) == 0 && pc_ring_get(&uart->tx, &byte)) {
		MPS2_REG(base, UART_DATA) = byte;
	}
	if (pc_ring_count(&uart->tx) == 0) {
		MPS2_REG(base, UART_CTRL) &= ~UART_CTRL_TXINT;
		hal_event_raise(HAL_EVENT_UART_TX(port));
	}
}

void mps2_uart0_rx(void) {
	receive(0);
}

void mps2_uart0_tx(void) {
	transmit(0);
}

void mps2_uart1_rx(void) {
	receive(1);
}

void mps2_uart1_tx(void) {
	transmit(1);
}

hal_status hal_uart_open(unsigned port, uint32_t baud) {
	if (port >= PORTS) {
		return HAL_UNSUPPORTED;
	}
	if (baud == 0 || MPS2_CLOCK / baud < 16u || MPS2_CLOCK / baud > 0xFFFFFu) {
		return HAL_RANGE;
	}
	uart_port *uart = &ports[port];
	if (uart->open) {
		return HAL_BUSY;
	}
	uart->open = true;
	uart->errors = 0;
	uart->rx = (pc_ring){.data = uart->rx_data, .size = RX_SIZE};
	uart->tx = (pc_ring){.data = uart->tx_data, .size = TX_SIZE};
	uint32_t base = MPS2_UART(port);
	MPS2_REG(base, UART_BAUDDIV) = MPS2_CLOCK / baud;
	MPS2_REG(base, UART_INTCLEAR) = UART_INT_TX | UART_INT_RX;
	MPS2_REG(base, UART_CTRL) = UART_CTRL_TX | UART_CTRL_RX | UART_CTRL_RXINT;
	receive(port);
	pc_irq_enable(MPS2_IRQ_UART_RX(port));
	pc_irq_enable(MPS2_IRQ_UART_TX(port));
	return HAL_OK;
}

void hal_uart_close(unsigned port) {
	if (port >= PORTS || !ports[port].open) {
		return;
	}
	hal_uart_flush(port);
	pc_irq_disable(MPS2_IRQ_UART_RX(port));
	pc_irq_disable(MPS2_IRQ_UART_TX(port));
	MPS2_REG(MPS2_UART(port), UART_CTRL) = 0;
	ports[port].open = false;
}

size_t hal_uart_readable(unsigned port) {
	return port < PORTS && ports[port].open ? pc_ring_count(&ports[port].rx) : 0;
}

size_t hal_uart_read(unsigned port, uint8_t *data, size_t size) {
	if (port >= PORTS || !ports[port].open) {
		return 0;
	}
	size_t count = pc_ring_read(&ports[port].rx, data, size);
	if (count > 0 && (MPS2_REG(MPS2_UART(port), UART_STATE) & UART_STATE_RXFULL) != 0) {
		/* The ring was full: the byte that waited in the register raises no interrupt of its own. */
		uint32_t state = pc_irq_save();
		receive(port);
		pc_irq_restore(state);
	}
	return count;
}

size_t hal_uart_writable(unsigned port) {
	return port < PORTS && ports[port].open ? pc_ring_space(&ports[port].tx) : 0;
}

size_t hal_uart_write(unsigned port, const uint8_t *data, size_t size) {
	if (port >= PORTS || !ports[port].open) {
		return size; /* nobody listens */
	}
	uint32_t state = pc_irq_save();
	size_t count = pc_ring_write(&ports[port].tx, data, size);
	if (count > 0) {
		MPS2_REG(MPS2_UART(port), UART_CTRL) |= UART_CTRL_TXINT;
		transmit(port);
	}
	pc_irq_restore(state);
	return count;
}

uint32_t hal_uart_errors(unsigned port) {
	return port < PORTS ? ports[port].errors : 0;
}

void hal_uart_flush(unsigned port) {
	if (port >= PORTS || !ports[port].open) {
		return;
	}
	uint32_t state = pc_irq_save();
	while (pc_ring_count(&ports[port].tx) > 0) {
		transmit(port);
	}
	while ((MPS2_REG(MPS2_UART(port), UART_STATE) & UART_STATE_TXFULL) != 0) {
		/* the last byte is still in the transmitter, and a reset or a close would take it away */
	}
	pc_irq_restore(state);
}
