/*
 * control.c: lets the device harness (tools/harness) rule over the process, with the same commands as the QEMU plugin.
 *
 * The socket is file descriptor 3. The process stands still, serving commands, until "run" gives it a time to run to;
 * it ends when the socket is closed.
 */
#include "hal.h"
#include "harness.h"
#include "posix.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONTROL 3

/* The functions of hosts/common/harness.c, which the linker replaces by these (board.json). */
void __wrap_pc_harness_stop(void);
void __wrap_pc_mark(void);
void __wrap_pc_flash_step(uint32_t offset, uint32_t size);

static bool controlled;
static uint64_t limit_ns;
static uint64_t flash_steps, flash_limit;
static uint64_t *marks;
static size_t mark_count, mark_room;

static void add_mark(uint64_t value) {
	if (mark_count == mark_room) {
		mark_room = mark_room > 0 ? mark_room * 2 : 1024;
		marks = realloc(marks, mark_room * sizeof *marks);
		if (marks == NULL) {
			abort();
		}
	}
	marks[mark_count++] = value;
}

bool posix_control_begin(void) {
	struct stat status;
	controlled = fstat(CONTROL, &status) == 0 && S_ISSOCK(status.st_mode);
	return controlled;
}

bool posix_controlled(void) {
	return controlled;
}

uint64_t posix_limit_ns(void) {
	return controlled ? limit_ns : UINT64_MAX;
}

void posix_control_save(posix_control_state *state) {
	*state = (posix_control_state){
		.limit_ns = limit_ns, .flash_steps = flash_steps, .flash_limit = flash_limit, .mark_count = mark_count};
}

const uint64_t *posix_control_marks(void) {
	return marks;
}

void posix_control_restore(const posix_control_state *state, const uint64_t *saved_marks) {
	limit_ns = state->limit_ns;
	flash_steps = state->flash_steps;
	flash_limit = state->flash_limit;
	for (size_t i = 0; i < state->mark_count; i++) {
		add_mark(saved_marks[i]);
	}
}

static void say_bytes(const char *data, size_t size) {
	while (size > 0) {
		ssize_t count = send(CONTROL, data, size, MSG_NOSIGNAL);
		if (count <= 0) {
			_exit(0);
		}
		data += count;
		size -= (size_t)count;
	}
}

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...) {
	char line[256];
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	say_bytes(line, (size_t)length);
}

static uint8_t take(void) {
	uint8_t byte;
	if (read(CONTROL, &byte, 1) != 1) {
		_exit(0);
	}
	return byte;
}

static uint8_t *take_body(size_t size) {
	uint8_t *body = malloc(size + 1);
	if (body == NULL) {
		abort();
	}
	for (size_t done = 0; done < size;) {
		ssize_t count = read(CONTROL, body + done, size - done);
		if (count <= 0) {
			_exit(0);
		}
		done += (size_t)count;
	}
	return body;
}

/* Memory of this process, the read-only too: who asks is a debugger. An address where nothing is mapped is an error, not
 * a fault. */
static bool transfer(uint64_t address, void *data, size_t size, bool write) {
	int memory = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	if (memory < 0) {
		return false;
	}
	ssize_t done = write ? pwrite(memory, data, size, (off_t)address) : pread(memory, data, size, (off_t)address);
	close(memory);
	return done == (ssize_t)size;
}

static void peek(uint64_t address, size_t size) {
	uint8_t *data = malloc(size + 1);
	char *text = malloc(2 * size + 1);
	if (data == NULL || text == NULL) {
		abort();
	}
	if (transfer(address, data, size, false)) {
		for (size_t i = 0; i < size; i++) {
			snprintf(text + 2 * i, 3, "%02x", data[i]);
		}
		say("data ");
		say_bytes(text, 2 * size);
		say("\n");
	} else {
		say("error no memory there\n");
	}
	free(text);
	free(data);
}

/* Serves one command. Returns true for "run". */
static bool serve(void) {
	char line[256];
	size_t length = 0;
	for (uint8_t byte; (byte = take()) != '\n';) {
		if (length + 1 < sizeof line) {
			line[length++] = (char)byte;
		}
	}
	line[length] = 0;
	char name[16] = "";
	uint64_t a = 0, b = 0;
	int count = sscanf(line, "%15s %" SCNi64 " %" SCNi64, name, (int64_t *)&a, (int64_t *)&b);
	if (strcmp(name, "run") == 0 && count >= 2) {
		limit_ns = a;
		return true;
	}
	if (strcmp(name, "pause") == 0) {
		limit_ns = 0; /* the next step of time stops */
	} else if (strcmp(name, "input") == 0 && a < POSIX_PORTS) {
		uint8_t *body = take_body(b);
		posix_input_append((unsigned)a, body, b);
		free(body);
		say("ok\n");
	} else if (strcmp(name, "stream") == 0 && a < POSIX_PORTS) {
		posix_input_stream((unsigned)a, b != 0);
		say("ok\n");
	} else if (strcmp(name, "peek") == 0) {
		peek(a, b);
	} else if (strcmp(name, "poke") == 0) {
		uint8_t *body = take_body(b);
		say(transfer(a, body, b, true) ? "ok\n" : "error no memory there\n");
		free(body);
	} else if (strcmp(name, "flash") == 0) {
		flash_limit = a > 0 ? flash_steps + a : 0;
		say("ok\n");
	} else if (strcmp(name, "state") == 0) {
		say("state %" PRIu64 " %" PRIu64 " %" PRIu32 " %" PRIu64 "\n", posix_time_ns(), posix_meter_total(),
			posix_resets(), flash_steps);
	} else if (strcmp(name, "marks") == 0) {
		say("marks");
		for (size_t i = a; i < mark_count; i++) {
			say(" %" PRIu64, marks[i]);
		}
		say("\n");
	} else if (strcmp(name, "reset") == 0) {
		say("ok\n");
		posix_reset(HAL_RESET_PIN, true);
	} else {
		say("error unknown command\n");
	}
	return false;
}

void posix_stop(const char *reason) {
	if (!controlled) {
		return;
	}
	posix_uart_write_out();
	say("stopped %s %" PRIu64 " %" PRIu64 "\n", reason, posix_time_ns(), posix_meter_total());
	posix_control_hold();
}

void posix_control_want(unsigned port) {
	say("want %u\n", port);
}

void posix_control_serve(void) {
	(void)serve();
}

void posix_control_hold(void) {
	while (controlled && !serve()) {
	}
}

void posix_control_poll(void) {
	struct pollfd entry = {.fd = CONTROL, .events = POLLIN};
	if (controlled && poll(&entry, 1, 0) > 0) {
		(void)serve();
	}
}

void __wrap_pc_harness_stop(void) {
	posix_stop("stop");
}

void __wrap_pc_mark(void) {
	add_mark(posix_meter_total());
}

void __wrap_pc_flash_step(uint32_t offset, uint32_t size) {
	(void)offset;
	(void)size;
	if (++flash_steps == flash_limit) {
		posix_stop("flash");
	}
}
