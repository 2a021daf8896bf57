/*
 * uart.c: the serial ports of the posix host. Receiving is flow controlled as on mps2-an386: what does not fit into the
 * ring waits on the line. Sending never waits.
 *
 * Input comes from the harness (control.c) or, without one, from standard input (port 0) and a file (port 1). Output
 * goes to standard output (port 0) and to file descriptor 4, if there is one (port 1).
 */
#include "hal.h"
#include "posix.h"
#include "ring.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RX_SIZE 512u
#define TX_SIZE 512u
#define LOW_WATER 16384u

typedef struct {
	bool open;
	bool streaming; /* the harness refills: an empty line is waited for */
	bool wanted;    /* it was asked to */
	int in;         /* -1: input comes from the harness, or there is none */
	int out;
	uint8_t *pending; /* input on the line: pending[head..tail) */
	size_t head, tail, size;
	pc_ring rx;
	uint8_t rx_data[RX_SIZE];
	uint8_t tx[TX_SIZE];
	size_t sent;
} uart_port;

static uart_port ports[POSIX_PORTS] = {{.in = -1, .out = 1}, {.in = -1, .out = 4}};

void posix_input_append(unsigned port, const uint8_t *data, size_t size) {
	uart_port *uart = &ports[port];
	uart->wanted = false;
	if (uart->head > 0) {
		memmove(uart->pending, uart->pending + uart->head, uart->tail - uart->head);
		uart->tail -= uart->head;
		uart->head = 0;
	}
	if (uart->tail + size > uart->size) {
		uart->size = (uart->tail + size) * 2;
		uart->pending = realloc(uart->pending, uart->size);
		if (uart->pending == NULL) {
			abort();
		}
	}
	if (size > 0) {
		memcpy(uart->pending + uart->tail, data, size);
		uart->tail += size;
	}
}

size_t posix_input_pending(unsigned port, const uint8_t **data) {
	*data = ports[port].pending + ports[port].head;
	return ports[port].tail - ports[port].head;
}

void posix_input_stream(unsigned port, bool on) {
	ports[port].streaming = on;
}

bool posix_input_streaming(unsigned port) {
	return ports[port].streaming;
}

void posix_input_open(unsigned port, int fd) {
	ports[port].in = fd;
}

/* Reads what a file or standard input has now; closes the line at its end. */
static bool fetch(uart_port *uart, bool wait) {
	uint8_t data[4096];
	struct pollfd entry = {.fd = uart->in, .events = POLLIN};
	if (uart->in < 0 || poll(&entry, 1, wait ? -1 : 0) <= 0) {
		return false;
	}
	ssize_t count = read(uart->in, data, sizeof data);
	if (count > 0) {
		posix_input_append((unsigned)(uart - ports), data, (size_t)count);
		return true;
	}
	uart->in = -1;
	return false;
}

bool posix_input_wait(void) {
	for (;;) {
		struct pollfd entries[POSIX_PORTS];
		nfds_t count = 0;
		for (uart_port *uart = ports; uart < ports + POSIX_PORTS; uart++) {
			if (uart->open && uart->in >= 0) {
				entries[count++] = (struct pollfd){.fd = uart->in, .events = POLLIN};
			}
		}
		if (count == 0) {
			return false;
		}
		if (poll(entries, count, -1) < 0 && errno != EINTR) {
			return false;
		}
		for (uart_port *uart = ports; uart < ports + POSIX_PORTS; uart++) {
			if (uart->open && fetch(uart, false)) {
				return true;
			}
		}
	}
}

void posix_uart_poll(void) {
	for (uart_port *uart = ports; uart < ports + POSIX_PORTS; uart++) {
		unsigned port = (unsigned)(uart - ports);
		uint32_t space = uart->open ? pc_ring_space(&uart->rx) : 0;
		if (space == 0) {
			continue;
		}
		if (uart->head == uart->tail) {
			(void)fetch(uart, false);
		}
		if (uart->streaming && uart->tail - uart->head < LOW_WATER && !uart->wanted) {
			uart->wanted = true;
			posix_control_want(port);
		}
		while (uart->head == uart->tail && uart->streaming) {
			posix_control_serve(); /* either input or the end of the stream */
		}
		size_t count = pc_ring_write(&uart->rx, uart->pending + uart->head, uart->tail - uart->head);
		uart->head += count;
		if (count > 0) {
			hal_event_raise(HAL_EVENT_UART_RX(port));
		}
	}
}

static void write_out(uart_port *uart) {
	for (size_t done = 0; done < uart->sent;) {
		ssize_t count = write(uart->out, uart->tx + done, uart->sent - done);
		if (count < 0 && errno != EINTR) {
			break; /* nobody listens */
		}
		done += count > 0 ? (size_t)count : 0;
	}
	uart->sent = 0;
}

void posix_uart_write_out(void) {
	for (uart_port *uart = ports; uart < ports + POSIX_PORTS; uart++) {
		write_out(uart);
	}
}

hal_status hal_uart_open(unsigned port, uint32_t baud) {
	if (port >= POSIX_PORTS) {
		return HAL_UNSUPPORTED;
	}
	if (baud < 24 || baud > 1562500) {
		return HAL_RANGE; /* the range of mps2-an386 */
	}
	uart_port *uart = &ports[port];
	if (uart->open) {
		return HAL_BUSY;
	}
	uart->open = true;
	uart->rx = (pc_ring){.data = uart->rx_data, .size = RX_SIZE};
	posix_uart_poll();
	return HAL_OK;
}

void hal_uart_close(unsigned port) {
	if (port < POSIX_PORTS && ports[port].open) {
		write_out(&ports[port]);
		ports[port].open = false;
	}
}

size_t hal_uart_readable(unsigned port) {
	return port < POSIX_PORTS && ports[port].open ? pc_ring_count(&ports[port].rx) : 0;
}

size_t hal_uart_read(unsigned port, uint8_t *data, size_t size) {
	if (port >= POSIX_PORTS || !ports[port].open) {
		return 0;
	}
	size_t count = pc_ring_read(&ports[port].rx, data, size);
	posix_uart_poll();
	return count;
}

size_t hal_uart_writable(unsigned port) {
	return port < POSIX_PORTS && ports[port].open ? TX_SIZE : 0;
}

size_t hal_uart_write(unsigned port, const uint8_t *data, size_t size) {
	if (port >= POSIX_PORTS || !ports[port].open) {
		return size; /* nobody listens */
	}
	uart_port *uart = &ports[port];
	for (size_t done = 0; done < size;) {
		if (uart->sent == TX_SIZE) {
			write_out(uart);
		}
		size_t part = TX_SIZE - uart->sent < size - done ? TX_SIZE - uart->sent : size - done;
		memcpy(uart->tx + uart->sent, data + done, part);
		uart->sent += part;
		done += part;
	}
	if (size > 0) {
		hal_event_raise(HAL_EVENT_UART_TX(port));
	}
	return size;
}

uint32_t hal_uart_errors(unsigned port) {
	(void)port;
	return 0;
}

void hal_uart_flush(unsigned port) {
	if (port < POSIX_PORTS) {
		write_out(&ports[port]);
	}
}
