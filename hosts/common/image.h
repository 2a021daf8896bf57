/*
 * image.h: the running image as native/measure sees it: the regions that the linker names, the archive, option bytes.
 */
#ifndef PERICARD_IMAGE_H
#define PERICARD_IMAGE_H

#include "measure.h"

/* The regions outside of the archive, in canonical order; one table a CPU family (hosts/cortex-m/image.c). */
extern const pc_image_part pc_image_parts[];
extern const uint32_t pc_image_part_count;

/* Fills *image with what runs. Valid once the archive is open (main.c), and until reset. */
void pc_image_open(pc_image *image);

#endif
