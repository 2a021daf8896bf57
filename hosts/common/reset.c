/* reset.c: see reset.h. */
#include "reset.h"

#include "console.h"
#include "hal.h"
#include "harness.h"

#include <stdio.h>
#include <string.h>

#define MAGIC 0x50435253u /* "PCRS" */

/* Survives a reset: the linker script keeps .noinit out of .bss. */
static pc_reset_record retained __attribute__((section(".noinit")));
static pc_reset_record last;

static const char *const names[PC_RESET_REASONS] = {
	[PC_RESET_POWER_ON] = "power-on",
	[PC_RESET_PIN] = "pin",
	[PC_RESET_SOFTWARE] = "software",
	[PC_RESET_WATCHDOG] = "watchdog",
	[PC_RESET_LOCKUP] = "lockup",
	[PC_RESET_HARD_FAULT] = "hard-fault",
	[PC_RESET_MEMORY_FAULT] = "memory-fault",
	[PC_RESET_BUS_FAULT] = "bus-fault",
	[PC_RESET_USAGE_FAULT] = "usage-fault",
	[PC_RESET_STACK_OVERFLOW] = "stack-overflow",
	[PC_RESET_OUT_OF_MEMORY] = "out-of-memory",
	[PC_RESET_OUT_OF_KEYS] = "out-of-keys",
	[PC_RESET_UNCAUGHT] = "uncaught-exception",
	[PC_RESET_REJECTION] = "unhandled-rejection",
	[PC_RESET_ENGINE] = "engine-check",
};

static uint32_t checksum(const pc_reset_record *record) {
	uint32_t sum = 0x811C9DC5u; /* FNV-1a, 32 bits */
	const uint8_t *bytes = (const uint8_t *)record;
	for (size_t i = 0; i < offsetof(pc_reset_record, check); i++) {
		sum = (sum ^ bytes[i]) * 0x01000193u;
	}
	return sum;
}

static uint32_t hardware_reason(void) {
	switch (hal_reset_cause_read()) {
	case HAL_RESET_PIN:
		return PC_RESET_PIN;
	case HAL_RESET_SOFTWARE:
		return PC_RESET_SOFTWARE;
	case HAL_RESET_WATCHDOG:
		return PC_RESET_WATCHDOG;
	case HAL_RESET_LOCKUP:
		return PC_RESET_LOCKUP;
	default:
		return PC_RESET_POWER_ON;
	}
}

void pc_reset_begin(void) {
	uint32_t hardware = hardware_reason();
	bool valid = retained.magic == MAGIC && retained.check == checksum(&retained);
	uint32_t count = valid ? retained.count + 1 : 0;
	/* A record is the reason of a reset that the software made; one that the hardware made speaks for itself. */
	if (valid && retained.reason != PC_RESET_POWER_ON && hardware != PC_RESET_WATCHDOG && hardware != PC_RESET_PIN &&
		hardware != PC_RESET_LOCKUP) {
		last = retained;
	} else {
		memset(&last, 0, sizeof last);
		last.reason = hardware;
	}
	last.count = count;
	/* From here on: if the device resets without a word, only the hardware can tell why. */
	memset(&retained, 0, sizeof retained);
	retained.magic = MAGIC;
	retained.count = count;
	retained.check = checksum(&retained);
}

const pc_reset_record *pc_reset_last(void) {
	return &last;
}

const char *pc_reset_name(uint32_t reason) {
	return reason < PC_RESET_REASONS ? names[reason] : "unknown";
}

/* Cuts a last character that is not all there off: XS would read on behind the end for the rest of it. */
static void whole_characters(char *text) {
	size_t length = strlen(text), lead = length;
	while (lead > 0 && ((uint8_t)text[lead - 1] & 0xC0u) == 0x80) {
		lead--;
	}
	if (lead > 0 && (uint8_t)text[lead - 1] >= 0xC0) {
		uint8_t first = (uint8_t)text[lead - 1];
		size_t size = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
		if (length - (lead - 1) < size) {
			text[lead - 1] = 0;
		}
	}
}

pc_reset_record *pc_reset_prepare(pc_reset_reason reason, const char *message) {
	uint32_t count = last.count;
	memset(&retained, 0, sizeof retained);
	retained.magic = MAGIC;
	retained.reason = reason;
	retained.count = count;
	if (message != NULL) {
		strncpy(retained.message, message, PC_RESET_MESSAGE - 1);
		whole_characters(retained.message);
	}
	return &retained;
}

void pc_reset_commit(pc_reset_record *record) {
	char text[160];
	record->check = checksum(record);
	pc_console_record_begin(
		record->reason >= PC_RESET_LOCKUP && record->reason <= PC_RESET_USAGE_FAULT ? "fault" : "abort");
	pc_console_record_text("reason", pc_reset_name(record->reason));
	pc_console_record_text("message", record->message);
	if (record->pc != 0 || record->cfsr != 0) {
		snprintf(text, sizeof text, ",\"pc\":%lu,\"lr\":%lu,\"cfsr\":%lu,\"hfsr\":%lu,\"address\":%lu",
			(unsigned long)record->pc, (unsigned long)record->lr, (unsigned long)record->cfsr,
			(unsigned long)record->hfsr, (unsigned long)record->address);
		pc_console_text(text);
	}
	pc_console_record_end();
	hal_uart_flush(HAL_UART_CONSOLE);
	pc_harness_stop();
	hal_reset();
}
