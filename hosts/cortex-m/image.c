/* image.c: the regions of sections.ld, for native/measure. They follow each other from the start of flash to its end. */
#include "image.h"

#include "cortex-m.h"

extern const uint8_t __flash_start[], __null_page_end[], __host_start[], __host_end[], __engine_start[], __engine_end[],
	__native_start[], __native_end[], __library_start[], __library_end[], __configuration_start[],
	__configuration_end[], __data_load[], __flash_end[];

const pc_image_part pc_image_parts[] = {
	{"vectors", __flash_start, __null_page_end, pc_mpu_read_null_page, PC_COMPONENT_NATIVE},
	{"host", __host_start, __host_end, NULL, PC_COMPONENT_NATIVE},
	{"native", __native_start, __native_end, NULL, PC_COMPONENT_NATIVE},
	{"library", __library_start, __library_end, NULL, PC_COMPONENT_NATIVE},
	{"data", __data_load, __flash_end, NULL, PC_COMPONENT_NATIVE},
	{"xs", __engine_start, __engine_end, NULL, PC_COMPONENT_ENGINE},
	{"machine", __configuration_start, __configuration_end, NULL, PC_COMPONENT_CONFIGURATION},
};
const uint32_t pc_image_part_count = sizeof pc_image_parts / sizeof pc_image_parts[0];
