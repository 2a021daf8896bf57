/*
 * hal.h: what a board must provide below the XS platform.
 *
 * Every board folder implements these functions once. The XS platform (hosts/common), the ECMA-419 I/O providers and
 * the native modules call nothing else of a board. No function allocates, prints or touches XS. Unless a function says
 * otherwise it runs in thread mode, returns at once, and may be called only after hal_init().
 *
 * Ports, pins and buses are numbered from 0. Sizes are in bytes, times in microseconds, rates in bits per second.
 */
#ifndef PERICARD_HAL_H
#define PERICARD_HAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
	HAL_OK = 0,
	HAL_UNSUPPORTED = 1, /* the board has no such port, pin or device */
	HAL_BUSY = 2,        /* already open, or a transfer is under way */
	HAL_RANGE = 3,       /* an argument is outside of what the device takes */
	HAL_TIMEOUT = 4,     /* the device did not answer in time */
	HAL_NACK = 5,        /* an I2C peer did not acknowledge */
	HAL_FAULT = 6,       /* the device reports a failure (stuck RNG, flash error) */
} hal_status;

/* Brings up clocks, time base and interrupts. Called once by the start-up code, before any other function. */
void hal_init(void);

/* ---- time ------------------------------------------------------------------------------------------------------- */

#define HAL_FOREVER UINT64_MAX

/* Monotonic time since hal_init(), in microseconds; never wraps in the life of a device. Callable from handlers. */
uint64_t hal_now_us(void);

/* Sleeps (WFI) until an event is pending (hal_event_raise) or `deadline_us` has come. Returns at once if an event is
 * already pending: no wake-up is lost. With HAL_FOREVER no timer runs. */
void hal_idle(uint64_t deadline_us);

/* How often hal_idle() has left WFI since hal_init(). */
uint32_t hal_wakeups(void);

/* ---- events ----------------------------------------------------------------------------------------------------- */

/* One bit each; raised by interrupt handlers, taken by the event loop. hosts/common/events.c holds the word. */
#define HAL_EVENT_UART_RX(port) (1u << (port))       /* ports 0..3: bytes became readable, or an RX error */
#define HAL_EVENT_UART_TX(port) (1u << (4 + (port))) /* queued bytes have left: there is room again */
#define HAL_EVENT_GPIO (1u << 8)                     /* an edge was seen on a pin with interrupts on */

void hal_event_raise(uint32_t bits); /* from handlers or thread mode */
uint32_t hal_events_take(void);      /* returns and clears the pending bits */
bool hal_events_pending(void);

/* ---- serial ----------------------------------------------------------------------------------------------------- */

#define HAL_UART_CONSOLE 0u /* the console: open from hal_init() on at 115200 8N1 */
#define HAL_UART_INPUT 1u   /* second port: sensor front end on the emulated boards */

/* Opens a port. HAL_UNSUPPORTED, HAL_BUSY, HAL_RANGE (baud). */
hal_status hal_uart_open(unsigned port, uint32_t baud);
void hal_uart_close(unsigned port);
/* Bytes waiting in the receive ring; `read` takes up to `size` of them and returns how many. When the ring is full the
 * receiver stops taking bytes (hardware flow control where the board has it; else the byte is lost and counted). */
size_t hal_uart_readable(unsigned port);
size_t hal_uart_read(unsigned port, uint8_t *data, size_t size);
/* Queues up to `size` bytes, returns how many were taken (0 when full). The console's queue holds 512 bytes at least: a frame
 * of the management link goes out as a whole. */
size_t hal_uart_writable(unsigned port);
size_t hal_uart_write(unsigned port, const uint8_t *data, size_t size);
/* Receive errors (overrun, framing, lost bytes) since open. */
uint32_t hal_uart_errors(unsigned port);
/* Blocks until every queued byte has left, without interrupts: works from a fault handler. */
void hal_uart_flush(unsigned port);

/* ---- GPIO ------------------------------------------------------------------------------------------------------- */

typedef enum {
	HAL_GPIO_INPUT = 0,
	HAL_GPIO_INPUT_PULLUP = 1,
	HAL_GPIO_INPUT_PULLDOWN = 2,
	HAL_GPIO_OUTPUT = 8,
	HAL_GPIO_OUTPUT_OPEN_DRAIN = 9,
} hal_gpio_mode; /* the values of ECMA-419 Digital */

#define HAL_EDGE_RISING 1u
#define HAL_EDGE_FALLING 2u

hal_status hal_gpio_open(unsigned pin, hal_gpio_mode mode, unsigned edges);
void hal_gpio_close(unsigned pin);
bool hal_gpio_read(unsigned pin);
void hal_gpio_write(unsigned pin, bool level);
/* Pins with an edge since the last call, as a bit set of 64 pins. */
uint64_t hal_gpio_edges_take(void);

/* ---- I2C (controller) ------------------------------------------------------------------------------------------- */

hal_status hal_i2c_open(unsigned bus, unsigned data_pin, unsigned clock_pin, uint32_t hz);
void hal_i2c_close(unsigned bus);
/* Blocking, bounded by 25 ms a byte (SMBus time-out). `address` is the 7-bit address. */
hal_status hal_i2c_write(unsigned bus, uint8_t address, const uint8_t *data, size_t size, bool stop);
hal_status hal_i2c_read(unsigned bus, uint8_t address, uint8_t *data, size_t size, bool stop);

/* ---- flash (the storage area) ----------------------------------------------------------------------------------- */

/* NOR: an erased byte is 0xFF, a program can only clear bits, an erase sets a whole sector. */
typedef struct {
	const uint8_t *base; /* memory-mapped for reading */
	uint32_t size;       /* bytes, a multiple of `sector` */
	uint32_t sector;     /* erase unit in bytes */
	uint32_t unit;       /* program unit in bytes (4 on every board of today) */
} hal_flash_area;

/* The area that this board gives to storage. */
const hal_flash_area *hal_flash(void);
/* Programs `size` bytes at `offset`; both multiples of `unit`. HAL_RANGE, HAL_FAULT (a bit would have to be set). */
hal_status hal_flash_program(uint32_t offset, const void *data, size_t size);
/* Erases the sector at `offset` (a multiple of `sector`). */
hal_status hal_flash_erase(uint32_t offset);

/* ---- entropy, watchdog, reset ----------------------------------------------------------------------------------- */

/* Raw noise, no conditioning. HAL_UNSUPPORTED where the board has no source, HAL_FAULT when it fails. */
hal_status hal_entropy(uint8_t *data, size_t size);

typedef enum {
	HAL_ENTROPY_NONE = 0,
	HAL_ENTROPY_HARDWARE = 1,    /* a physical noise source */
	HAL_ENTROPY_DEVELOPMENT = 2, /* a seed that the harness gives: whoever knows it knows all that follows */
} hal_entropy_kind;

/* What hal_entropy() is on this board. */
hal_entropy_kind hal_entropy_source(void);

/* Starts the watchdog; it can't be stopped. HAL_RANGE outside 1..60000 ms. */
hal_status hal_watchdog_start(uint32_t timeout_ms);
void hal_watchdog_feed(void);

typedef enum {
	HAL_RESET_POWER_ON = 0,
	HAL_RESET_PIN = 1,
	HAL_RESET_SOFTWARE = 2,
	HAL_RESET_WATCHDOG = 3,
	HAL_RESET_LOCKUP = 4,
} hal_reset_cause;

/* What the hardware says of the last reset. (Why the software asked for it is in hosts/common/reset.h.) */
hal_reset_cause hal_reset_cause_read(void);
_Noreturn void hal_reset(void);

/* ---- AES -------------------------------------------------------------------------------------------------------- */

/* Encrypts `count` blocks of 16 bytes with AES-128 in a peripheral, each by itself and in place. Only boards whose manifest
 * says "crypto": { "aesHal": true } have it. HAL_BUSY: somebody with more right took the peripheral in the midst;
 * HAL_TIMEOUT: a block didn't end within ten times what it takes. Then some of the blocks may be encrypted. Neither key nor
 * data stays in the driver's memory. native/crypto checks what this gives. */
hal_status hal_aes128_encrypt(const uint8_t key[16], uint8_t *blocks, size_t count);

/* ---- option bytes ------------------------------------------------------------------------------------------------ */

/* True if the chip refuses debuggers by what its option bytes say; on a board that has no such lock, true as well. */
bool hal_debug_locked(void);

/* The option bytes, memory-mapped: words beside the program that change how the chip starts (UICR). False: the board has
 * none, and nothing is written. */
bool hal_option_bytes(const uint8_t **data, size_t *size);

/* Copies some of them, which plain loads need not be able to read. */
void hal_option_bytes_read(uint8_t *to, const uint8_t *from, size_t size);

/* ---- stack ------------------------------------------------------------------------------------------------------ */

/* The lowest address that the C stack may reach. */
char *hal_stack_limit(void);

/* A second stack for long work, the fibre's (hosts/common/background.c). Interrupts are served on it as on the first. */
typedef struct {
	uint8_t *base; /* its lowest byte; where one can't be written, above that */
	uint32_t size;
} hal_stack;

hal_stack hal_fibre_stack(void);
/* Makes hal_fibre_resume() begin with `body`, on an empty stack. `body` never returns. */
void hal_fibre_start(void (*body)(void));
/* Runs the fibre until it suspends itself. */
void hal_fibre_resume(void);
/* On the fibre: goes back to who resumed it. `work`: instructions since then, for a board whose time doesn't move by itself. */
void hal_fibre_suspend(uint32_t work);

#endif
