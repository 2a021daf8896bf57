/* host.h: a relocator on this machine. What it may write when is what memory protection of the machine lets it. */
#ifndef HOST_H
#define HOST_H

#include "relocate.h"

typedef struct {
	pc_relocation_table table;
	pc_relocator relocator;
	uint64_t seed;
	bool dry;        /* no random numbers */
	bool ones;       /* random numbers that are all ones */
	bool pinned;     /* a frame is in the half that was left */
	unsigned opened; /* the half that is open; 2: the state alone, 3: nothing */
	unsigned runs;   /* halves that are executed, a bit each */
	unsigned errors; /* calls out of order */
} host;

/* A relocator over a table that pc_relocation_open() accepts, with the canonical code and where all lies on the device. It has
 * memory of its own, which is given back by host_free(). NULL: no memory. */
host *host_make(const pc_relocation_table *table, const uint32_t *code, uint32_t code_address, uint32_t half_address);
void host_free(host *host);

/* What a debugger may do. */
void host_unprotect(host *host);
void host_protect(host *host);

uint64_t host_random(uint64_t *seed);

#endif
