/*
 * xs_management.c: natives of pericard/management: the link on the console's line.
 *
 * Bytes are looked at here, in the event loop; JavaScript sees complete valid frames only, and no faster than
 * management_pace lets it. While an answer waits for room on the line nothing more is read, so that a peer that asks without
 * listening fills no memory. The link keeps no application running, an answer under way does.
 */
#include "console.h"
#include "hal.h"
#include "listeners.h"
#include "management.h"
#include "platform.h"

#include "xsmc.h"

/* The longest request: docs/management.md. */
#define REQUEST_MAX 128u

static uint64_t pending(pc_listener *listener, void *machine, uint32_t events);

static struct {
	pc_listener listener;
	management_receiver receiver;
	management_pace pace;
	bool open;
	bool waiting; /* an answer, for room or for its turn */
	bool full;    /* there was no room for what was to be sent last */
	xsSlot on_frame, on_room;
	uint8_t data[REQUEST_MAX + MANAGEMENT_OVERHEAD];
} link = {
	.listener = {.events = HAL_EVENT_UART_RX(HAL_UART_CONSOLE) | HAL_EVENT_UART_TX(HAL_UART_CONSOLE), .call = pending}};

/* In functions of their own: xsTry is a setjmp, and a loop's variables would not survive it. */
static void deliver(xsMachine *machine, const uint8_t *payload, size_t size) {
	xsBeginHost(machine);
	xsmcVars(2);
	xsTry {
		xsmcSetArrayBuffer(xsVar(0), (void *)payload, (xsIntegerValue)size);
		xsVar(1) = link.on_frame;
		xsCallFunction1(xsVar(1), xsGlobal, xsVar(0));
	}
	xsCatch {
		pc_uncaught(the, false);
	}
	xsEndHost();
	pc_jobs_run(machine);
}

static void make_room(xsMachine *machine) {
	link.waiting = false;
	xsBeginHost(machine);
	xsmcVars(1);
	xsTry {
		xsVar(0) = link.on_room;
		xsCallFunction0(xsVar(0), xsGlobal);
	}
	xsCatch {
		pc_uncaught(the, false);
	}
	xsEndHost();
	pc_jobs_run(machine);
	pc_release();
}

/* Looks at what has come, as far as the pace allows; when to go on. */
static uint64_t receive(xsMachine *machine) {
	uint8_t bytes[MANAGEMENT_CHUNK];
	while (!link.waiting) {
		size_t waiting = hal_uart_readable(HAL_UART_CONSOLE);
		if (waiting == 0) {
			break;
		}
		size_t allowed = management_allowed(&link.pace, hal_now_us(), waiting < sizeof bytes ? waiting : sizeof bytes);
		if (allowed == 0) {
			return link.pace.next;
		}
		size_t count = hal_uart_read(HAL_UART_CONSOLE, bytes, allowed);
		for (size_t at = 0; at < count;) {
			bool frame;
			size_t taken = management_receive(&link.receiver, bytes + at, count - at, &frame);
			management_took(&link.pace, taken, frame);
			at += taken;
			if (frame) {
				size_t size;
				const uint8_t *payload = management_payload(&link.receiver, &size);
				deliver(machine, payload, size);
			}
		}
	}
	return HAL_FOREVER;
}

static uint64_t pending(pc_listener *listener, void *machine, uint32_t events) {
	(void)listener;
	if (link.waiting && (events & HAL_EVENT_UART_TX(HAL_UART_CONSOLE)) != 0) {
		make_room(machine);
	}
	return receive(machine);
}

/* (function of an ArrayBuffer, function without arguments): opens the link; the first gets the payload of each valid frame,
 * the second is what xs_management_wait waits for */
void xs_management_open(xsMachine *the) {
	if (link.open) {
		xsUnknownError("management: the link is open already");
	}
	if (xsmcArgc < 2 || !xsmcIsInstanceOf(xsArg(0), xsFunctionPrototype) ||
		!xsmcIsInstanceOf(xsArg(1), xsFunctionPrototype)) {
		xsTypeError("management: two functions expected");
	}
	link.open = true;
	link.on_frame = xsArg(0);
	link.on_room = xsArg(1);
	xsRemember(link.on_frame);
	xsRemember(link.on_room);
	management_begin(&link.receiver, link.data, sizeof link.data);
	pc_listen(&link.listener);
}

/* (head, buffer or undefined, start, end) -> was it queued? If not, there is no room for it now. The payload is the head and
 * bytes [start, end) of the buffer. */
void xs_management_send(xsMachine *the) {
	void *head, *data;
	xsUnsignedValue head_size, size;
	xsIntegerValue start = xsmcArgc > 2 ? xsmcToInteger(xsArg(2)) : 0, end = xsmcArgc > 3 ? xsmcToInteger(xsArg(3)) : 0;
	/* The buffers last: a conversion may run JavaScript, and a collection moves buffers. */
	xsmcGetBufferReadable(xsArg(0), &head, &head_size);
	management_parts payload = {.head = head, .head_size = head_size};
	if (xsmcArgc > 1 && xsmcTypeOf(xsArg(1)) != xsUndefinedType) {
		xsmcGetBufferReadable(xsArg(1), &data, &size);
		if (start < 0 || end < start || (xsUnsignedValue)end > size) {
			xsRangeError("management: range is outside of the buffer");
		}
		payload.rest = (const uint8_t *)data + start;
		payload.rest_size = (size_t)(end - start);
	}
	size_t needed = management_frame_size(&payload);
	link.full = needed > hal_uart_writable(HAL_UART_CONSOLE);
	if (link.full) {
		xsmcSetBoolean(xsResult, false);
		return;
	}
	pc_console_frame_begin();
	management_frame(&payload, pc_console_bytes);
	pc_console_frame_end();
	management_sent(&link.pace, needed);
	xsmcSetBoolean(xsResult, true);
}

/* () There is more to send: the function of xs_management_open is called when there is room, and not before the event loop has
 * had its turn. */
void xs_management_wait(xsMachine *the) {
	(void)the;
	if (!link.waiting) {
		link.waiting = true;
		pc_hold();
	}
	if (!link.full) {
		hal_event_raise(HAL_EVENT_UART_TX(HAL_UART_CONSOLE));
	}
}
