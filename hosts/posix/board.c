/*
 * board.c: the posix host as a board: its command line, its resets, its watchdog, its storage.
 *
 * A reset is an execve() of the same program: .data and .bss start afresh. What survives a reset on a board (RAM that
 * nobody clears, time, input on its way) is handed over in an anonymous file whose number is in the environment.
 */
#include "emulated/noise.h"
#include "harness.h"
#include "platform.h"
#include "posix.h"
#include "reset.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATE_VARIABLE "PERICARD_POSIX_STATE"
/* C stack of the firmware. Frames are larger than on a 32-bit core, and much larger under a sanitizer. */
#define STACK_SIZE (UINT64_C(2) << 20)
#define NS_PER_MS UINT64_C(1000000)

extern uint8_t __noinit_start[], __noinit_end[], __storage_start[], __storage_end[];

typedef struct {
	uint64_t time_ns, meter;
	uint32_t cause, resets;
	bool hold;
	int storage; /* file descriptor */
	posix_control_state control;
	size_t pending[POSIX_PORTS];
	bool streaming[POSIX_PORTS];
} board_state;

static char **arguments;
static board_state board;
static uint64_t watchdog_timeout_ns, watchdog_ns = UINT64_MAX;
static char *stack_limit;

/* ---- start and reset ---------------------------------------------------------------------------------------------- */

static _Noreturn void die(const char *what, const char *name) {
	fprintf(stderr, "%s %s: %s\n", what, name, strerror(errno));
	exit(2);
}

static void put(int fd, const void *data, size_t size) {
	const uint8_t *bytes = data;
	while (size > 0) {
		ssize_t count = write(fd, bytes, size);
		if (count <= 0) {
			die("cannot write", "the state for the next start");
		}
		bytes += count;
		size -= (size_t)count;
	}
}

static void get(int fd, void *data, size_t size) {
	uint8_t *bytes = data;
	while (size > 0) {
		ssize_t count = read(fd, bytes, size);
		if (count <= 0) {
			die("cannot read", "the state of the last start");
		}
		bytes += count;
		size -= (size_t)count;
	}
}

_Noreturn void posix_reset(hal_reset_cause cause, bool hold) {
	char number[16];
	int fd = memfd_create("pericard", 0);
	if (fd < 0) {
		die("cannot make", "the state for the next start");
	}
	posix_uart_write_out();
	board.time_ns = posix_time_ns();
	board.meter = posix_meter_total();
	board.cause = cause;
	board.resets++;
	board.hold = hold;
	posix_control_save(&board.control);
	const uint8_t *pending[POSIX_PORTS];
	for (unsigned port = 0; port < POSIX_PORTS; port++) {
		board.pending[port] = posix_input_pending(port, &pending[port]);
		board.streaming[port] = posix_input_streaming(port);
	}
	put(fd, &board, sizeof board);
	put(fd, __noinit_start, (size_t)(__noinit_end - __noinit_start));
	put(fd, posix_control_marks(), board.control.mark_count * sizeof(uint64_t));
	for (unsigned port = 0; port < POSIX_PORTS; port++) {
		put(fd, pending[port], board.pending[port]);
	}
	lseek(fd, 0, SEEK_SET);
	snprintf(number, sizeof number, "%d", fd);
	setenv(STATE_VARIABLE, number, 1);
	execv("/proc/self/exe", arguments);
	die("cannot start again", "/proc/self/exe");
}

/* Blocks of the state file, after the header. */
static void restore(int fd) {
	get(fd, __noinit_start, (size_t)(__noinit_end - __noinit_start));
	size_t size = board.control.mark_count * sizeof(uint64_t);
	for (unsigned port = 0; port < POSIX_PORTS; port++) {
		size = board.pending[port] > size ? board.pending[port] : size;
	}
	uint64_t *block = malloc(size + 1);
	if (block == NULL) {
		die("cannot read", "the state of the last start");
	}
	get(fd, block, board.control.mark_count * sizeof(uint64_t));
	posix_control_restore(&board.control, block);
	for (unsigned port = 0; port < POSIX_PORTS; port++) {
		get(fd, block, board.pending[port]);
		posix_input_append(port, (const uint8_t *)block, board.pending[port]);
		posix_input_stream(port, board.streaming[port]);
	}
	free(block);
	close(fd);
}

static int open_storage(const char *path) {
	size_t size = (size_t)(__storage_end - __storage_start);
	struct stat status;
	int fd = path != NULL ? open(path, O_RDWR | O_CREAT, 0666) : memfd_create("storage", 0);
	if (fd < 0 || fstat(fd, &status) != 0) {
		die("cannot open", path != NULL ? path : "storage");
	}
	if ((size_t)status.st_size < size) {
		uint8_t erased[4096];
		memset(erased, 0xFF, sizeof erased);
		lseek(fd, 0, SEEK_SET);
		for (size_t done = 0; done < size; done += sizeof erased) {
			put(fd, erased, sizeof erased);
		}
	}
	return fd;
}

static void map_storage(int fd) {
	size_t size = (size_t)(__storage_end - __storage_start);
	void *mapped = mmap(__storage_start, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0);
	if (mapped != (void *)__storage_start) {
		die("cannot map", "storage");
	}
}

static _Noreturn void usage(const char *name) {
	fprintf(stderr,
		"usage: %s [--storage FILE] [--uart1 FILE] [--seed N] [--noise stuck|biased|absent[:N]]\n"
		"  --storage FILE  the flash area for storage (64 KB); kept in memory if not given\n"
		"  --uart1 FILE    input of serial port 1; port 0 is standard input and output\n"
		"  --seed N        seed of the noise source (1)\n"
		"  --noise FAULT   what the noise source does wrong, from its N-th byte on\n",
		name);
	exit(2);
}

/* "stuck:100" and its like. */
static bool read_fault(const char *text, pc_noise_fault *fault, uint32_t *after) {
	static const char *const names[] = {"works", "stuck", "biased", "absent"};
	size_t length = strcspn(text, ":");
	*after = text[length] == ':' ? (uint32_t)strtoul(text + length + 1, NULL, 0) : 0;
	for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (strlen(names[i]) == length && strncmp(text, names[i], length) == 0) {
			*fault = (pc_noise_fault)i;
			return true;
		}
	}
	return false;
}

int main(int argc, char **argv) {
	const char *storage = NULL, *uart1 = NULL;
	uint64_t seed = 1;
	pc_noise_fault fault = PC_NOISE_WORKS;
	uint32_t after = 0;
	stack_limit = (char *)((uintptr_t)__builtin_frame_address(0) - STACK_SIZE);
	arguments = argv;
	for (int i = 1; i < argc; i += 2) {
		const char *value = argv[i + 1];
		if (i + 1 == argc) {
			usage(argv[0]);
		} else if (strcmp(argv[i], "--storage") == 0) {
			storage = value;
		} else if (strcmp(argv[i], "--uart1") == 0) {
			uart1 = value;
		} else if (strcmp(argv[i], "--seed") == 0) {
			seed = strtoull(value, NULL, 0);
		} else if (strcmp(argv[i], "--noise") != 0 || !read_fault(value, &fault, &after)) {
			usage(argv[0]);
		}
	}
	posix_faults_begin();
	bool controlled = posix_control_begin();
	const char *state = getenv(STATE_VARIABLE);
	if (state != NULL) {
		int fd = atoi(state);
		unsetenv(STATE_VARIABLE);
		get(fd, &board, sizeof board);
		restore(fd);
	} else {
		pc_noise_begin(seed, fault, after);
		board.storage = open_storage(storage);
		board.hold = controlled;
	}
	map_storage(board.storage);
	posix_time_begin(board.time_ns, board.meter);
	if (!controlled) {
		posix_input_open(0, STDIN_FILENO);
		if (uart1 != NULL) {
			int fd = open(uart1, O_RDONLY);
			if (fd < 0) {
				die("cannot open", uart1);
			}
			posix_input_open(1, fd);
		}
	} else if (board.hold) {
		posix_control_hold();
	}
	hal_init();
	int status = pc_main();
	posix_uart_write_out();
	return status;
}

void hal_init(void) {
	(void)hal_uart_open(HAL_UART_CONSOLE, 115200);
}

hal_reset_cause hal_reset_cause_read(void) {
	return board.cause;
}

uint32_t posix_resets(void) {
	return board.resets;
}

_Noreturn void hal_reset(void) {
	posix_reset(HAL_RESET_SOFTWARE, false);
}

char *hal_stack_limit(void) {
	return stack_limit;
}

/* ---- watchdog ----------------------------------------------------------------------------------------------------- */

hal_status hal_watchdog_start(uint32_t timeout_ms) {
	if (timeout_ms < 1 || timeout_ms > 60000) {
		return HAL_RANGE;
	}
	if (watchdog_timeout_ns != 0) {
		return HAL_BUSY;
	}
	watchdog_timeout_ns = timeout_ms * NS_PER_MS;
	hal_watchdog_feed();
	return HAL_OK;
}

void hal_watchdog_feed(void) {
	if (watchdog_timeout_ns != 0) {
		watchdog_ns = posix_time_ns() + watchdog_timeout_ns;
	}
}

uint64_t posix_watchdog_ns(void) {
	return watchdog_ns;
}

_Noreturn void posix_watchdog_bite(void) {
	watchdog_ns = UINT64_MAX;
	pc_reset_commit(pc_reset_prepare(PC_RESET_WATCHDOG, ""));
}
