/* image.c: the regions of posix.ld, for native/measure: code and constants of the process, as they are in its file. */
#include "image.h"

/* AddressSanitizer lets nobody read what it puts between two constants, and that is measured like all else. */
__attribute__((no_sanitize("address"))) static void read_any(uint8_t *to, const uint8_t *from, size_t size) {
	const volatile uint8_t *bytes = from;
	for (size_t i = 0; i < size; i++) {
		to[i] = bytes[i];
	}
}

extern const uint8_t __host_start[], __host_end[], __engine_start[], __engine_end[], __native_start[], __native_end[],
	__library_start[], __library_end[], __configuration_start[], __configuration_end[];

const pc_image_part pc_image_parts[] = {
	{"host", __host_start, __host_end, read_any, PC_COMPONENT_NATIVE},
	{"native", __native_start, __native_end, read_any, PC_COMPONENT_NATIVE},
	{"library", __library_start, __library_end, read_any, PC_COMPONENT_NATIVE},
	{"xs", __engine_start, __engine_end, read_any, PC_COMPONENT_ENGINE},
	{"machine", __configuration_start, __configuration_end, read_any, PC_COMPONENT_CONFIGURATION},
};
const uint32_t pc_image_part_count = sizeof pc_image_parts / sizeof pc_image_parts[0];
