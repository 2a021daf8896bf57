/*
 * sha256.h: SHA-256 (FIPS 180-4) as a BearSSL hash class, for br_hmac, br_hmac_drbg, br_hkdf and all else.
 *
 * The context is BearSSL's own, br_sha256_context, so that it fits wherever BearSSL keeps one (br_hash_compat_context).
 * Running time depends on lengths alone; data has any alignment. Out leaves the context as it is: it may go on. sha256.c
 * is over one of the twins sha256-armv7em.S and sha256-portable.c (twin.h).
 */
#ifndef PERICARD_KERNELS_SHA256_H
#define PERICARD_KERNELS_SHA256_H

#include <stddef.h>
#include <stdint.h>

#include "bearssl_hash.h"

extern const br_hash_class pc_sha256_vtable;

/* The compression function, on `blocks` (0 allowed) times 64 bytes of data of any alignment. */
void pc_sha256_blocks(uint32_t state[8], const uint8_t *data, size_t blocks);

#endif
