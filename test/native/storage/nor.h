/*
 * nor.h: a NOR flash on the host that is as mean as the data sheets allow, for the tests of the key-value store.
 *
 * It enforces erase-before-write and the number of programs of a word, cuts the power at a chosen word program or sector
 * erase, leaves that word or sector in a chosen mixture, and lets the bits of a torn operation read differently after
 * every boot until they are programmed or erased again.
 */
#ifndef TEST_NOR_H
#define TEST_NOR_H

#include "kv.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>

#define NOR_SIZE_MAX 65536u

/* How a cut leaves the operation under way. */
typedef enum {
	TORN_NOTHING,   /* cut just before it */
	TORN_ALL,       /* cut just after it */
	TORN_RANDOM,    /* any subset of the bits changed, for good */
	TORN_FIRST_BIT, /* only one bit of the word changed; only the first eighth of the sector */
	TORN_LAST_BIT,  /* all bits but one; all but the last eighth */
	TORN_WEAK,      /* any subset, and each reads as it likes after the next boots */
	TORN_WEAK_OLD,  /* weak bits that all read as before at the first boot, as changed at the second, and so on */
	TORN_WEAK_NEW,  /* the other way about: the two kinds that deceive best */
	TORN_GARBAGE,   /* an erase that left noise (for a program: like TORN_RANDOM) */
	TORN_KINDS
} torn;

typedef enum { READ_RANDOM, READ_OLD, READ_NEW } nor_reading;

typedef struct {
	kv_flash flash; /* hand this to kv_mount */
	uint8_t *mem;   /* what reads give: exactly flash.size bytes, so that a sanitizer sees a read outside */
	uint32_t cells[NOR_SIZE_MAX / 4]; /* firm bits: 0 = programmed */
	uint32_t weak[NOR_SIZE_MAX / 4];  /* bits that read as they like */
	uint8_t writes[NOR_SIZE_MAX / 4]; /* programs of each word since its erase */
	uint32_t erases[NOR_SIZE_MAX / 256];
	uint32_t operations; /* word programs and sector erases so far */
	uint32_t cut_at;     /* the operation to cut, counted from 1; 0: none */
	torn kind;
	nor_reading reading; /* of the weak bits at the next boot */
	uint32_t drop_at;    /* the operation that the flash lies about, counted from 1; 0: none */
	uint32_t fail_at;    /* the operation that the flash reports as failed */
	uint32_t writes_allowed;
	uint32_t torn_from, torn_to; /* the words that were ever torn */
	uint32_t random;
	jmp_buf power; /* where a cut ends the program */
	const char *violation;
} nor;

void nor_open(nor *n, uint32_t size, uint32_t sector, uint32_t seed);
void nor_close(nor *n);
/* Power on: weak bits take a reading for this boot. */
void nor_boot(nor *n);
/* Both must have been opened with the same geometry. */
void nor_copy(nor *to, const nor *from);
void nor_fill(nor *n, uint8_t byte);
/* Flips one bit of the stored image, as wear or radiation would. */
void nor_flip(nor *n, uint32_t bit);
uint32_t nor_random(nor *n);

#endif
