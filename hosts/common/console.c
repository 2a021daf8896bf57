/* console.c: see console.h. */
#include "console.h"

#include "hal.h"

#include "xs-platform.h"

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

void pc_console_text(const char *text) {
	pc_console_bytes((const uint8_t *)text, strlen(text));
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
	for (; *text != 0; text++) {
		uint8_t byte = (uint8_t)*text;
		if (byte == '"' || byte == '\\') {
			pc_console_bytes((const uint8_t[]){'\\', byte}, 2);
		} else if (byte < 0x20) {
			snprintf(code, sizeof code, "\\u%04x", byte);
			pc_console_text(code);
		} else {
			pc_console_bytes(&byte, 1);
		}
	}
}

void pc_console_record_begin(const char *event) {
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
