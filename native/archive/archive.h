/*
 * archive.h: reads the archive of modules that the linker places in flash, and refuses a corrupt one with a reason.
 *
 * The format is docs/archive.md, byte by byte; tools/build/archive.ts writes it. This core owns no memory, reads only
 * inside [data, data + size), and never writes: the archive is executed in place. Every offset is checked by
 * pc_archive_open() before any other function may be called, so that those need no checks of their own.
 */
#ifndef PERICARD_ARCHIVE_H
#define PERICARD_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PC_ARCHIVE_FORMAT 1u
#define PC_ARCHIVE_HEADER 64u
#define PC_ARCHIVE_MODULE 40u
#define PC_ARCHIVE_RESOURCE 16u
#define PC_ARCHIVE_HOST_REF 8u

#define PC_ARCHIVE_FLAG_DEBUG 1u     /* header: debug build, line tables present */
#define PC_ARCHIVE_MODULE_PRELOAD 1u /* module: run before "main" */

typedef enum {
	PC_ARCHIVE_OK = 0,
	PC_ARCHIVE_TRUNCATED,  /* fewer bytes than the header or its totalSize says */
	PC_ARCHIVE_MAGIC,      /* not an archive */
	PC_ARCHIVE_VERSION,    /* a format this firmware does not know */
	PC_ARCHIVE_ENGINE,     /* made for another engine version or another set of built-in names */
	PC_ARCHIVE_HEADER_CRC, /* header damaged */
	PC_ARCHIVE_DIRECTORY,  /* directory damaged: its CRC, or an offset or string outside of its place */
	PC_ARCHIVE_NATIVES,    /* names other natives than the image holds */
	PC_ARCHIVE_MODULE_CRC, /* a module's code, line table or a resource is damaged */
	PC_ARCHIVE_NO_MAIN,    /* no module named "main" */
} pc_archive_status;

/* What the firmware expects the archive to fit. */
typedef struct {
	uint32_t engine;       /* major << 24 | minor << 16 | patch << 8 of the engine */
	uint32_t first_id;     /* number of the engine's built-in names */
	uint32_t native_count; /* natives in the image */
	uint32_t natives_crc;  /* CRC-32 over their NUL-terminated names in order */
} pc_archive_expect;

typedef struct {
	const uint8_t *data;
	uint32_t size;
	uint32_t flags;
	uint32_t symbol_count;
	uint32_t module_count;
	uint32_t host_count;
	uint32_t resource_count;
	uint32_t symbols; /* offsets of the four tables */
	uint32_t modules;
	uint32_t hosts;
	uint32_t resources;
} pc_archive;

typedef struct {
	const char *name;
	const uint8_t *code;
	uint32_t code_size;
	const uint8_t *host_refs; /* host_ref_count records of PC_ARCHIVE_HOST_REF bytes */
	uint32_t host_ref_count;
	uint32_t flags;
} pc_archive_module;

typedef struct {
	uint16_t native;  /* number of the native in the image's table */
	int8_t length;    /* formal parameters, -1 for a destructor */
	uint16_t name_id; /* machine ID of the function's name, 0xFFFF for none */
} pc_archive_host_ref;

/* Opens an archive of `size` bytes at `data` (4-byte aligned). On success fills *archive. On PC_ARCHIVE_MODULE_CRC,
 * *culprit (if not NULL) names the module or resource. */
pc_archive_status pc_archive_open(
	pc_archive *archive, const uint8_t *data, size_t size, const pc_archive_expect *expect, const char **culprit);

/* The text for a person of a status: what is wrong. */
const char *pc_archive_reason(pc_archive_status status);

/* Symbol `index` < symbol_count; its machine ID is first_id + index. */
const char *pc_archive_symbol(const pc_archive *archive, uint32_t index);

/* Module `index` < module_count. */
pc_archive_module pc_archive_module_at(const pc_archive *archive, uint32_t index);

/* Finds a module by name (binary search: modules are sorted). False where there is none. */
bool pc_archive_find(const pc_archive *archive, const char *name, pc_archive_module *module);

/* Host reference `index` < module->host_ref_count. */
pc_archive_host_ref pc_archive_host_ref_at(const pc_archive_module *module, uint32_t index);

/* Finds a resource ("data" of the manifest). */
bool pc_archive_resource(const pc_archive *archive, const char *name, const uint8_t **data, uint32_t *size);

#endif
