/*
 * ghash.h: GHASH (SP 800-38D) for BearSSL's GCM, constant-time in all but the length. Twins: ghash-armv7em.S and
 * ghash-portable.c, which wants a core with a constant-time 32x32->64 multiplication (twin.h).
 */
#ifndef PERICARD_KERNELS_GHASH_H
#define PERICARD_KERNELS_GHASH_H

#include <stddef.h>

/*
 * A br_ghash: for each block of 16 bytes of data, y = (y ^ block) * h. The last block is padded with zeros if need be. All
 * pointers may have any alignment; data may be NULL if len is 0.
 */
void pc_ghash(void *y, const void *h, const void *data, size_t len);

#endif
