/*
 * measure.h: SHA-256 over every byte of the image in flash, region by region, in an order that never varies.
 *
 * docs/measurement.md describes regions, order and formats to the byte; tools/build/reference.ts computes the same out of
 * the ELF file. This core owns no memory and knows no board: pc_image says what there is to measure, hosts/common/image.c
 * fills it with the regions that the linker names. Whatever flash holds, an iterator ends, and its regions of the archive
 * cover the archive without gap or overlap: the places in the archive's directory are data to it, not truths.
 */
#ifndef PERICARD_MEASURE_H
#define PERICARD_MEASURE_H

#include "archive.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The components of the evidence, in their order. */
typedef enum {
	PC_COMPONENT_NATIVE = 0,    /* "native": vectors, host, native, library, data */
	PC_COMPONENT_ENGINE,        /* "xs": xs */
	PC_COMPONENT_ARCHIVE,       /* "app": directory, module:<name>..., resource:<name>... */
	PC_COMPONENT_CONFIGURATION, /* "config": machine, options */
	PC_COMPONENTS
} pc_component;

/* "native", "xs", "app", "config": the measurement type of the PSA token (RFC 9783, section 4.4.1). Short, since a token has to be
 * small. */
extern const char *const pc_component_names[PC_COMPONENTS];

#define PC_MEASURE_DIGEST 32u /* SHA-256 (FIPS 180-4) */
#define PC_MEASURE_NAME 64u   /* bytes of the longest name of a region */

/* Copies `size` bytes at `from` of flash to `to`: for a region that plain loads can't read. */
typedef void (*pc_measure_read)(uint8_t *to, const uint8_t *from, size_t size);

/* A region of the image that the linker names: [start, end). */
typedef struct {
	const char *name;
	const uint8_t *start, *end;
	pc_measure_read read; /* NULL: read it in place */
	uint8_t component;    /* pc_component; never PC_COMPONENT_ARCHIVE */
} pc_image_part;

/* All there is to measure. The caller owns it and what it points to. */
typedef struct {
	const pc_image_part *parts; /* sorted by component; their order is the canonical one */
	uint32_t part_count;
	const pc_archive *archive;  /* as pc_archive_open() left it; NULL: there is none */
	const uint8_t *archive_end; /* the end of the archive's place in flash, which may lie behind that of the archive */
	const uint8_t *options;     /* option bytes of the chip (UICR), or NULL */
	size_t options_size;
	pc_measure_read options_read; /* NULL: read them in place */
} pc_image;

/* A region while it is looked at. */
typedef struct {
	pc_component component;
	char name[PC_MEASURE_NAME + 1]; /* printable ASCII; other bytes of a name are '?', a longer one is cut */
	const uint8_t *data;            /* may be NULL: a vector table lies at address 0 */
	uint32_t size;                  /* may be 0 */
	pc_measure_read read;           /* NULL: data[] is readable */
} pc_region;

typedef struct {
	const pc_image *image;
	uint32_t index;      /* of the next region, over all components */
	const uint8_t *next; /* the end of the archive's last region */
} pc_region_iterator;

/* Starts at the first region in canonical order. `image` must stay until the last pc_region_next(). */
void pc_region_begin(pc_region_iterator *iterator, const pc_image *image);

/* The next region into *region; false when there is none. */
bool pc_region_next(pc_region_iterator *iterator, pc_region *region);

/* How many regions a component has. */
uint32_t pc_region_count(const pc_image *image, pc_component component);

/* SHA-256 of a region. Its work is counted as all hashing is (pc_crypto_spend of crypto.h), so it may be paused anywhere. */
void pc_measure_region(const pc_region *region, uint8_t digest[PC_MEASURE_DIGEST]);

/* Takes the next `size` (<= PC_MEASURE_ENTRY) bytes of the measurement log. */
typedef void (*pc_measure_sink)(void *context, const uint8_t *data, size_t size);

/* The most bytes that one call of a sink brings: an entry [name, digest]. */
#define PC_MEASURE_ENTRY (1u + 2u + PC_MEASURE_NAME + 2u + PC_MEASURE_DIGEST)

/*
 * Measures the whole image. values[c] becomes the measurement value of component c: SHA-256 over the deterministic CBOR
 * (RFC 8949, section 4.2.1) of its entries, an array of [name: tstr, digest: bstr .size 32]. The measurement log goes to
 * `sink` (NULL: nobody wants it) in order: the deterministic CBOR array of four [type: tstr, entries].
 */
void pc_measure_image(
	const pc_image *image, pc_measure_sink sink, void *context, uint8_t values[PC_COMPONENTS][PC_MEASURE_DIGEST]);

/* Bytes of the measurement log of an image. */
size_t pc_measure_log_size(const pc_image *image);

#endif
