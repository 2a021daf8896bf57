/* image.c: the regions of sections.ld, for native/measure. They follow each other from the start of flash to its end. */
#include "image.h"

#include "build.h"
#include "cortex-m.h"
#include "moving.h"

extern const uint8_t __flash_start[], __null_page_end[], __host_start[], __host_end[], __engine_start[], __engine_end[],
	__native_start[], __native_end[], __library_start[], __library_end[], __configuration_start[],
	__configuration_end[], __data_load[], __flash_end[];

#if PC_BUILD_MOVES
extern const uint8_t __relocatable_start[], __relocatable_end[], __moving_end[];
extern const uint8_t pc_dispatch[], pc_relocation_layouts[];
#endif

const pc_image_part pc_image_parts[] = {
	{"vectors", __flash_start, __null_page_end, pc_mpu_read, PC_COMPONENT_NATIVE},
	{"host", __host_start, __host_end, NULL, PC_COMPONENT_NATIVE},
	{"native", __native_start, __native_end, NULL, PC_COMPONENT_NATIVE},
#if PC_BUILD_MOVES
	{"canonical", __relocatable_start, __relocatable_end, NULL, PC_COMPONENT_NATIVE},
	{"relocation", __relocatable_end, __moving_end, NULL, PC_COMPONENT_NATIVE},
#endif
	{"library", __library_start, __library_end, NULL, PC_COMPONENT_NATIVE},
	{"data", __data_load, __flash_end, NULL, PC_COMPONENT_NATIVE},
#if PC_BUILD_MOVES
	/* In RAM, as they would be in flash: so the reference values are the same in every epoch. */
	{"moved", __relocatable_start, __relocatable_end, pc_moving_read, PC_COMPONENT_NATIVE},
	{"dispatch", pc_dispatch, pc_relocation_layouts, pc_moving_read_dispatch, PC_COMPONENT_NATIVE},
#endif
	{"xs", __engine_start, __engine_end, NULL, PC_COMPONENT_ENGINE},
	{"machine", __configuration_start, __configuration_end, NULL, PC_COMPONENT_CONFIGURATION},
};
const uint32_t pc_image_part_count = sizeof pc_image_parts / sizeof pc_image_parts[0];
