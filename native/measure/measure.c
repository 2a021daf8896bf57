/* measure.c: see measure.h. */
#include "measure.h"

#include "cbor.h"
#include "crypto.h"

#include <string.h>

const char *const pc_component_names[PC_COMPONENTS] = {"native", "xs", "app", "config"};

/* What is copied at once from a region that can't be read in place: its reader may hold interrupts back meanwhile. */
#define PIECE 64u

static uint32_t u32(const uint8_t *data) {
	return (uint32_t)data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 | (uint32_t)data[3] << 24;
}

/* ---- regions ---------------------------------------------------------------------------------------------------- */

/* How many parts belong to components before `component`. */
static uint32_t parts_before(const pc_image *image, unsigned component) {
	uint32_t count = 0;
	while (count < image->part_count && image->parts[count].component < component) {
		count++;
	}
	return count;
}

/* The directory, modules, resources. */
static uint32_t archive_regions(const pc_image *image) {
	return image->archive == NULL ? 0 : 1 + image->archive->module_count + image->archive->resource_count;
}

/* The directory's entry of module or resource `index`; both begin with u32 nameOffset, u32 contentOffset. */
static const uint8_t *entry_at(const pc_archive *archive, uint32_t index) {
	return index < archive->module_count
			   ? archive->data + archive->modules + index * PC_ARCHIVE_MODULE
			   : archive->data + archive->resources + (index - archive->module_count) * PC_ARCHIVE_RESOURCE;
}

static void set_name(pc_region *region, const char *prefix, const char *text, size_t available) {
	size_t size = strlen(prefix);
	memcpy(region->name, prefix, size);
	for (size_t i = 0; i < available && text[i] != 0 && size < PC_MEASURE_NAME; i++) {
		region->name[size++] = text[i] >= 0x20 && text[i] < 0x7F ? text[i] : '?'; /* always valid in the log */
	}
	region->name[size] = 0;
}

/* Region `index` of the archive begins where the one before it ended, and ends where the content of the next entry begins,
 * whatever there is in between: padding, line tables, and what nobody's entry names. */
static void archive_region(pc_region_iterator *iterator, uint32_t index, pc_region *region) {
	const pc_archive *archive = iterator->image->archive;
	const uint8_t *start = index == 0 ? archive->data : iterator->next;
	const uint8_t *end = iterator->image->archive_end;
	if (index + 1 < archive_regions(iterator->image)) {
		uint32_t offset = u32(entry_at(archive, index) + 4);
		uint32_t least = (uint32_t)(start - archive->data), most = (uint32_t)(end - archive->data);
		end = archive->data + (offset < least ? least : offset > most ? most : offset);
	}
	iterator->next = end;
	*region = (pc_region){.component = PC_COMPONENT_ARCHIVE, .data = start, .size = (uint32_t)(end - start)};
	if (index == 0) {
		set_name(region, "directory", "", 0);
		return;
	}
	uint32_t name = u32(entry_at(archive, index - 1));
	name = name < archive->size ? name : archive->size;
	set_name(region, index - 1 < archive->module_count ? "module:" : "resource:", (const char *)archive->data + name,
		archive->size - name);
}

void pc_region_begin(pc_region_iterator *iterator, const pc_image *image) {
	*iterator = (pc_region_iterator){.image = image};
}

bool pc_region_next(pc_region_iterator *iterator, pc_region *region) {
	const pc_image *image = iterator->image;
	uint32_t before = parts_before(image, PC_COMPONENT_ARCHIVE);
	uint32_t archive = archive_regions(image);
	uint32_t index = iterator->index;
	if (index >= before && index - before < archive) {
		archive_region(iterator, index - before, region);
	} else {
		uint32_t number = index < before ? index : index - archive;
		if (number < image->part_count) {
			const pc_image_part *part = &image->parts[number];
			*region = (pc_region){.component = (pc_component)part->component,
				.data = part->start,
				.size = (uint32_t)(part->end - part->start),
				.read = part->read};
			set_name(region, "", part->name, PC_MEASURE_NAME);
		} else if (number == image->part_count && image->options != NULL) {
			*region = (pc_region){.component = PC_COMPONENT_CONFIGURATION,
				.data = image->options,
				.size = (uint32_t)image->options_size,
				.read = image->options_read};
			set_name(region, "options", "", 0);
		} else {
			return false;
		}
	}
	iterator->index = index + 1;
	return true;
}

uint32_t pc_region_count(const pc_image *image, pc_component component) {
	uint32_t count = parts_before(image, component + 1u) - parts_before(image, component);
	if (component == PC_COMPONENT_ARCHIVE) {
		count += archive_regions(image);
	} else if (component == PC_COMPONENT_CONFIGURATION && image->options != NULL) {
		count++;
	}
	return count;
}

/* ---- measuring -------------------------------------------------------------------------------------------------- */

void pc_measure_region(const pc_region *region, uint8_t digest[PC_MEASURE_DIGEST]) {
	pc_sha256 hash;
	pc_sha256_begin(&hash);
	if (region->read == NULL) {
		pc_sha256_update(&hash, region->data, region->size);
	} else {
		uint8_t piece[PIECE];
		for (uint32_t done = 0, size; done < region->size; done += size) {
			size = region->size - done < PIECE ? region->size - done : PIECE;
			region->read(piece, (const uint8_t *)((uintptr_t)region->data + done), size);
			pc_sha256_update(&hash, piece, size);
		}
	}
	pc_sha256_end(&hash, digest);
}

static size_t put_text(uint8_t *out, const char *text) {
	size_t size = strlen(text);
	size_t head = pc_cbor_head(out, PC_CBOR_TEXT, (uint32_t)size);
	memcpy(out + head, text, size);
	return head + size;
}

/* [name, digest] */
static size_t put_entry(
	uint8_t out[PC_MEASURE_ENTRY], const pc_region *region, const uint8_t digest[PC_MEASURE_DIGEST]) {
	size_t size = pc_cbor_head(out, PC_CBOR_ARRAY, 2);
	size += put_text(out + size, region->name);
	size += pc_cbor_head(out + size, PC_CBOR_BYTES, PC_MEASURE_DIGEST);
	memcpy(out + size, digest, PC_MEASURE_DIGEST);
	return size + PC_MEASURE_DIGEST;
}

/* The two parts of [type, [entries...]] before the entries: the second is the head of the array that is hashed. */
static size_t put_component(uint8_t *out, unsigned component) {
	size_t size = pc_cbor_head(out, PC_CBOR_ARRAY, 2);
	return size + put_text(out + size, pc_component_names[component]);
}

void pc_measure_image(
	const pc_image *image, pc_measure_sink sink, void *context, uint8_t values[PC_COMPONENTS][PC_MEASURE_DIGEST]) {
	pc_region_iterator iterator;
	uint8_t item[PC_MEASURE_ENTRY];
	if (sink != NULL) {
		sink(context, item, pc_cbor_head(item, PC_CBOR_ARRAY, PC_COMPONENTS));
	}
	pc_region_begin(&iterator, image);
	for (unsigned component = 0; component < PC_COMPONENTS; component++) {
		uint32_t count = pc_region_count(image, (pc_component)component);
		pc_sha256 hash;
		pc_sha256_begin(&hash);
		if (sink != NULL) {
			sink(context, item, put_component(item, component));
		}
		size_t size = pc_cbor_head(item, PC_CBOR_ARRAY, count);
		pc_sha256_update(&hash, item, size);
		if (sink != NULL) {
			sink(context, item, size);
		}
		pc_region region;
		for (uint32_t i = 0; i < count && pc_region_next(&iterator, &region); i++) {
			uint8_t digest[PC_MEASURE_DIGEST];
			pc_measure_region(&region, digest);
			size = put_entry(item, &region, digest);
			pc_sha256_update(&hash, item, size);
			if (sink != NULL) {
				sink(context, item, size);
			}
		}
		pc_sha256_end(&hash, values[component]);
	}
}

size_t pc_measure_log_size(const pc_image *image) {
	static const uint8_t digest[PC_MEASURE_DIGEST];
	uint8_t item[PC_MEASURE_ENTRY];
	size_t size = pc_cbor_head(item, PC_CBOR_ARRAY, PC_COMPONENTS);
	for (unsigned component = 0; component < PC_COMPONENTS; component++) {
		size += put_component(item, component);
		size += pc_cbor_head(item, PC_CBOR_ARRAY, pc_region_count(image, (pc_component)component));
	}
	pc_region_iterator iterator;
	pc_region region;
	pc_region_begin(&iterator, image);
	while (pc_region_next(&iterator, &region)) {
		size += put_entry(item, &region, digest);
	}
	return size;
}
