/* archive.c: see archive.h. All checks are in pc_archive_open(); offsets are 32-bit and sums are checked by subtraction. */
#include "archive.h"

#include "crc.h"

#include <string.h>

static uint32_t u32(const uint8_t *data) {
	return (uint32_t)data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 | (uint32_t)data[3] << 24;
}

static uint16_t u16(const uint8_t *data) {
	return (uint16_t)(data[0] | data[1] << 8);
}

/* [offset, offset + length) lies inside [from, to). */
static bool inside(uint32_t offset, uint32_t length, uint32_t from, uint32_t to) {
	return offset >= from && offset <= to && length <= to - offset;
}

/* A table of `count` entries of `each` bytes lies inside [from, to), aligned. */
static bool table(uint32_t offset, uint32_t count, uint32_t each, uint32_t from, uint32_t to) {
	return offset % 4 == 0 && count <= (to - from) / each && inside(offset, count * each, from, to);
}

/* A NUL-terminated string starts at `offset` and ends inside the directory. */
static bool string(const uint8_t *data, uint32_t offset, uint32_t end) {
	return inside(offset, 1, PC_ARCHIVE_HEADER, end) && memchr(data + offset, 0, end - offset) != NULL;
}

static uint32_t directory_end(const uint8_t *data, const pc_archive *archive) {
	uint32_t end = archive->size;
	for (uint32_t i = 0; i < archive->module_count; i++) {
		uint32_t code = u32(data + archive->modules + i * PC_ARCHIVE_MODULE + 4);
		end = code < end ? code : end;
	}
	for (uint32_t i = 0; i < archive->resource_count; i++) {
		uint32_t offset = u32(data + archive->resources + i * PC_ARCHIVE_RESOURCE + 4);
		end = offset < end ? offset : end;
	}
	return end;
}

static bool check_strings(const uint8_t *data, uint32_t offset, uint32_t count, uint32_t end) {
	for (uint32_t i = 0; i < count; i++) {
		if (!string(data, u32(data + offset + i * 4), end)) {
			return false;
		}
	}
	return true;
}

static bool check_module(const pc_archive *archive, const uint8_t *entry, uint32_t end) {
	uint32_t refs = u32(entry + 16), ref_count = u32(entry + 20);
	uint32_t lines = u32(entry + 24), source = u32(entry + 32);
	if (!string(archive->data, u32(entry), end) || !inside(u32(entry + 4), u32(entry + 8), end, archive->size)) {
		return false;
	}
	if (ref_count > 0 && !table(refs, ref_count, PC_ARCHIVE_HOST_REF, PC_ARCHIVE_HEADER, end)) {
		return false;
	}
	for (uint32_t i = 0; i < ref_count; i++) {
		if (u16(archive->data + refs + i * PC_ARCHIVE_HOST_REF) >= archive->host_count) {
			return false;
		}
	}
	if (lines != 0 && !inside(lines, u32(entry + 28), end, archive->size)) {
		return false;
	}
	return source == 0 || string(archive->data, source, end);
}

static bool check_directory(const pc_archive *archive, uint32_t end) {
	const uint8_t *data = archive->data;
	if (!check_strings(data, archive->symbols, archive->symbol_count, end) ||
		!check_strings(data, archive->hosts, archive->host_count, end)) {
		return false;
	}
	for (uint32_t i = 0; i < archive->module_count; i++) {
		if (!check_module(archive, data + archive->modules + i * PC_ARCHIVE_MODULE, end)) {
			return false;
		}
	}
	for (uint32_t i = 0; i < archive->resource_count; i++) {
		const uint8_t *entry = data + archive->resources + i * PC_ARCHIVE_RESOURCE;
		if (!string(data, u32(entry), end) || !inside(u32(entry + 4), u32(entry + 8), end, archive->size)) {
			return false;
		}
	}
	return true;
}

static uint32_t names_crc(const pc_archive *archive) {
	uint32_t crc = 0;
	for (uint32_t i = 0; i < archive->host_count; i++) {
		const char *name = (const char *)archive->data + u32(archive->data + archive->hosts + i * 4);
		crc = pc_crc32(crc, (const uint8_t *)name, strlen(name) + 1);
	}
	return crc;
}

/* The names of the modules and resources whose bytes do not match their CRC; NULL when all do. */
static const char *damaged(const pc_archive *archive) {
	const uint8_t *data = archive->data;
	for (uint32_t i = 0; i < archive->module_count; i++) {
		const uint8_t *entry = data + archive->modules + i * PC_ARCHIVE_MODULE;
		if (pc_crc32(0, data + u32(entry + 4), u32(entry + 8)) != u32(entry + 12)) {
			return (const char *)data + u32(entry);
		}
	}
	for (uint32_t i = 0; i < archive->resource_count; i++) {
		const uint8_t *entry = data + archive->resources + i * PC_ARCHIVE_RESOURCE;
		if (pc_crc32(0, data + u32(entry + 4), u32(entry + 8)) != u32(entry + 12)) {
			return (const char *)data + u32(entry);
		}
	}
	return NULL;
}

pc_archive_status pc_archive_open(
	pc_archive *archive, const uint8_t *data, size_t size, const pc_archive_expect *expect, const char **culprit) {
	if (culprit != NULL) {
		*culprit = NULL;
	}
	if (size < PC_ARCHIVE_HEADER) {
		return PC_ARCHIVE_TRUNCATED;
	}
	if (memcmp(data, "PCAR", 4) != 0) {
		return PC_ARCHIVE_MAGIC;
	}
	if (pc_crc32(0, data, 60) != u32(data + 60)) {
		return PC_ARCHIVE_HEADER_CRC;
	}
	if (u16(data + 4) != PC_ARCHIVE_FORMAT || u16(data + 6) != PC_ARCHIVE_HEADER) {
		return PC_ARCHIVE_VERSION;
	}
	if (u32(data + 8) > size || u32(data + 8) < PC_ARCHIVE_HEADER) {
		return PC_ARCHIVE_TRUNCATED;
	}
	if (u32(data + 12) != expect->engine || u32(data + 16) != expect->first_id) {
		return PC_ARCHIVE_ENGINE;
	}
	*archive = (pc_archive){
		.data = data,
		.size = u32(data + 8),
		.flags = u32(data + 52),
		.symbol_count = u32(data + 20),
		.symbols = u32(data + 24),
		.module_count = u32(data + 28),
		.modules = u32(data + 32),
		.host_count = u32(data + 36),
		.hosts = u32(data + 40),
		.resource_count = u32(data + 44),
		.resources = u32(data + 48),
	};
	uint32_t total = archive->size;
	if (!table(archive->symbols, archive->symbol_count, 4, PC_ARCHIVE_HEADER, total) ||
		!table(archive->hosts, archive->host_count, 4, PC_ARCHIVE_HEADER, total) ||
		!table(archive->modules, archive->module_count, PC_ARCHIVE_MODULE, PC_ARCHIVE_HEADER, total) ||
		!table(archive->resources, archive->resource_count, PC_ARCHIVE_RESOURCE, PC_ARCHIVE_HEADER, total)) {
		return PC_ARCHIVE_DIRECTORY;
	}
	uint32_t end = directory_end(data, archive);
	if (end < PC_ARCHIVE_HEADER || pc_crc32(0, data + PC_ARCHIVE_HEADER, end - PC_ARCHIVE_HEADER) != u32(data + 56) ||
		!check_directory(archive, end)) {
		return PC_ARCHIVE_DIRECTORY;
	}
	if (archive->host_count != expect->native_count || names_crc(archive) != expect->natives_crc) {
		return PC_ARCHIVE_NATIVES;
	}
	const char *bad = damaged(archive);
	if (bad != NULL) {
		if (culprit != NULL) {
			*culprit = bad;
		}
		return PC_ARCHIVE_MODULE_CRC;
	}
	pc_archive_module module;
	return pc_archive_find(archive, "main", &module) ? PC_ARCHIVE_OK : PC_ARCHIVE_NO_MAIN;
}

const char *pc_archive_reason(pc_archive_status status) {
	static const char *const reasons[] = {
		"ok",
		"truncated archive",
		"no archive: wrong magic",
		"unknown archive format",
		"archive is for another engine",
		"damaged archive header",
		"damaged archive directory",
		"archive names other natives than the image",
		"damaged module",
		"archive has no module named main",
	};
	return (unsigned)status < sizeof reasons / sizeof reasons[0] ? reasons[status] : "unknown";
}

const char *pc_archive_symbol(const pc_archive *archive, uint32_t index) {
	return (const char *)archive->data + u32(archive->data + archive->symbols + index * 4);
}

pc_archive_module pc_archive_module_at(const pc_archive *archive, uint32_t index) {
	const uint8_t *data = archive->data;
	const uint8_t *entry = data + archive->modules + index * PC_ARCHIVE_MODULE;
	return (pc_archive_module){
		.name = (const char *)data + u32(entry),
		.code = data + u32(entry + 4),
		.code_size = u32(entry + 8),
		.host_refs = data + u32(entry + 16),
		.host_ref_count = u32(entry + 20),
		.flags = u32(entry + 36),
	};
}

bool pc_archive_find(const pc_archive *archive, const char *name, pc_archive_module *module) {
	uint32_t low = 0, high = archive->module_count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		*module = pc_archive_module_at(archive, middle);
		int order = strcmp(name, module->name);
		if (order == 0) {
			return true;
		}
		if (order < 0) {
			high = middle;
		} else {
			low = middle + 1;
		}
	}
	return false;
}

pc_archive_host_ref pc_archive_host_ref_at(const pc_archive_module *module, uint32_t index) {
	const uint8_t *ref = module->host_refs + index * PC_ARCHIVE_HOST_REF;
	return (pc_archive_host_ref){.native = u16(ref), .length = (int8_t)ref[2], .name_id = u16(ref + 4)};
}

bool pc_archive_resource(const pc_archive *archive, const char *name, const uint8_t **data, uint32_t *size) {
	for (uint32_t i = 0; i < archive->resource_count; i++) {
		const uint8_t *entry = archive->data + archive->resources + i * PC_ARCHIVE_RESOURCE;
		if (strcmp(name, (const char *)archive->data + u32(entry)) == 0) {
			*data = archive->data + u32(entry + 4);
			*size = u32(entry + 8);
			return true;
		}
	}
	return false;
}
