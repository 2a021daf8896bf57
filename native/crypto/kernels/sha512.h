/*
 * sha512.h: SHA-512 (FIPS 180-4) as a BearSSL hash class; Ed25519 is made of it.
 *
 * The context is BearSSL's own, br_sha512_context. Running time depends on lengths alone; data has any alignment. Out leaves
 * the context as it is: it may go on. sha512.c is over one of the twins sha512-armv7em.S and sha512-portable.c (twin.h).
 */
#ifndef PERICARD_KERNELS_SHA512_H
#define PERICARD_KERNELS_SHA512_H

#include <stddef.h>
#include <stdint.h>

#include "bearssl_hash.h"

extern const br_hash_class pc_sha512_vtable;

/* The compression function in two parts: the message schedule of a block of any alignment, and the rounds with it. */
void pc_sha512_schedule(uint64_t w[80], const uint8_t data[128]);
void pc_sha512_rounds(uint64_t state[8], const uint64_t w[80]);

#endif
