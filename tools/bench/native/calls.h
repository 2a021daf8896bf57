/*
 * calls.h: see calls.c.
 */
#ifndef PERICARD_BENCH_CALLS_H
#define PERICARD_BENCH_CALLS_H

#include "crypto.h"

#include <stddef.h>
#include <stdint.h>

/* A message of 4 KiB with 13 bytes beside it, for CCM (nonce of 13 bytes, tag of 8) and for GCM (12, 16). The AES key is
 * bench_key, its size in the structures. */
extern uint8_t bench_key[32], bench_nonce[13], bench_aad[13], bench_data[4096], bench_tag[16];
extern pc_aead bench_ccm, bench_gcm;

/* The status of what went well. */
extern const uint32_t bench_ok;

/* Whole hashes; a whole request of a generator that begins with the seed. */
void bench_sha256(const void *data, size_t size, uint8_t digest[32]);
void bench_sha512(const void *data, size_t size, uint8_t digest[64]);
void bench_hmac_drbg(const void *seed, size_t seed_size, void *out, size_t size);

#endif
