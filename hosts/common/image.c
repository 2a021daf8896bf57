/* image.c: see image.h. */
#include "image.h"

#include "hal.h"
#include "platform.h"

extern const uint8_t __archive_end[];

void pc_image_open(pc_image *image) {
	*image = (pc_image){
		.parts = pc_image_parts,
		.part_count = pc_image_part_count,
		.archive = pc_modules.data == NULL ? NULL : &pc_modules,
		.archive_end = __archive_end,
		.options_read = hal_option_bytes_read,
	};
	if (!hal_option_bytes(&image->options, &image->options_size)) {
		image->options = NULL;
	}
}
