/* console.c: see console.h. */
#include "console.h"

#include "hal.h"

#include "xs-platform.h"

/* Whether frames have been sent; survives a reset, which may take the rest of one away. Anything else means no. */
#define FRAME_INSIDE 0x46524D49u /* "FRMI" */
#define FRAME_SENT 0x46524D53u   /* "FRMS" */
static uint32_t framed __attribute__((section(".noinit")));
static bool spoken; /* since the start */

void pc_console_frame_begin(void) {
	framed = FRAME_INSIDE;
}

void pc_console_frame_end(void) {
	framed = FRAME_SENT;
}

static void end_frame(void) {
	if (framed == FRAME_INSIDE || (framed == FRAME_SENT && !spoken)) {
		pc_console_bytes((const uint8_t[]){0xC0}, 1);
		framed = FRAME_SENT;
	}
	if (!spoken) {
		spoken = true;
		framed = 0;
	}
}

void pc_console_bytes(const uint8_t *data, size_t size) {
	while (size > 0) {
		size_t taken = hal_uart_write(HAL_UART_CONSOLE, data, size);
		if (taken == 0) {
			hal_uart_flush(HAL_UART_CONSOLE);
		}
		data += taken;
		size -= taken;
	}
}

/* XS keeps text as CESU-8 with NUL as C0 80; the world outside gets UTF-8. Returns how many bytes of `text` it took. */
static size_t put_character(const uint8_t *text) {
	if (text[0] == 0xC0 && text[1] == 0x80) {
		pc_console_bytes((const uint8_t[]){0}, 1);
		return 2;
	}
	/* A high surrogate ED A0..AF xx and a low one ED B0..BF xx make one character of four bytes. */
	if (text[0] == 0xED && (text[1] & 0xF0) == 0xA0 && text[2] != 0 && text[3] == 0xED && (text[4] & 0xF0) == 0xB0 &&
		text[5] != 0) {
		uint32_t high = (text[1] & 0x0Fu) << 6 | (text[2] & 0x3Fu);
		uint32_t low = (text[4] & 0x0Fu) << 6 | (text[5] & 0x3Fu);
		uint32_t code = 0x10000u + (high << 10 | low);
		pc_console_bytes((const uint8_t[]){(uint8_t)(0xF0u | code >> 18), (uint8_t)(0x80u | (code >> 12 & 0x3Fu)),
							 (uint8_t)(0x80u | (code >> 6 & 0x3Fu)), (uint8_t)(0x80u | (code & 0x3Fu))},
			4);
		return 6;
	}
	pc_console_bytes(text, 1);
	return 1;
}

void pc_console_text(const char *text) {
	const uint8_t *bytes = (const uint8_t *)text;
	while (*bytes != 0) {
		/* Plain stretches go out in one piece. */
		size_t plain = 0;
		while (bytes[plain] != 0 && bytes[plain] != 0xC0 && bytes[plain] != 0xED) {
			plain++;
		}
		pc_console_bytes(bytes, plain);
		bytes += plain;
		if (*bytes != 0) {
			bytes += put_character(bytes);
		}
	}
}

int pc_vprintf(const char *format, va_list arguments) {
	char text[128];
	int length = vsnprintf(text, sizeof text, format, arguments);
	pc_console_text(text);
	return length;
}

int pc_printf(const char *format, ...) {
	va_list arguments;
	va_start(arguments, format);
	int length = pc_vprintf(format, arguments);
	va_end(arguments);
	return length;
}

static void escaped(const char *text) {
	char code[8];
	while (*text != 0) {
		uint8_t byte = (uint8_t)*text;
		if (byte == '"' || byte == '\\') {
			pc_console_bytes((const uint8_t[]){'\\', byte}, 2);
		} else if (byte == 0xC0 && (uint8_t)text[1] == 0x80) {
			pc_console_text("\\u0000");
			text++;
		} else if (byte < 0x20) {
			snprintf(code, sizeof code, "\\u%04x", byte);
			pc_console_text(code);
		} else {
			text += put_character((const uint8_t *)text);
			continue;
		}
		text++;
	}
}

void pc_console_record_begin(const char *event) {
	end_frame();
	pc_console_text("\x1e{\"event\":\"");
	escaped(event);
	pc_console_text("\"");
}

void pc_console_record_text(const char *name, const char *text) {
	pc_console_text(",\"");
	pc_console_text(name);
	pc_console_text("\":\"");
	escaped(text);
	pc_console_text("\"");
}

void pc_console_record_number(const char *name, int32_t number) {
	char text[16];
	pc_console_text(",\"");
	pc_console_text(name);
	snprintf(text, sizeof text, "\":%ld", (long)number);
	pc_console_text(text);
}

void pc_console_record_end(void) {
	pc_console_text("}\n");
}
