/*
 * stream.h: many random numbers for little work, out of a seed of the DRBG: ChaCha20 with fast key erasure (Bernstein, 2017).
 *
 * Each request makes ChaCha20's key stream (RFC 8439, nonce 0, counter from 0) under the present key; its first 32 bytes are
 * the next key, the rest is given out. So who reads the state learns nothing of what was given before. A stream ends after as
 * many requests as its seed is for, and must be seeded anew: what an attacker has learnt of the state is worth nothing then.
 * For numbers that are drawn often and where HMAC_DRBG's 840 instructions a byte are too many; keys come from the DRBG.
 */
#ifndef PERICARD_STREAM_H
#define PERICARD_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PC_STREAM_SEED 32u

/* The caller's; as secret as what it gives. Zeroed, it is a stream that wants a seed. */
typedef struct {
	uint32_t key[8];
	uint32_t requests; /* that are left */
} pc_stream;

/* `requests`: how many this seed is for. */
void pc_stream_seed(pc_stream *stream, const uint8_t seed[PC_STREAM_SEED], uint32_t requests);

/* `size` random bytes into `to`; false, and nothing is written: it wants a seed. */
bool pc_stream_random(pc_stream *stream, void *to, size_t size);

/* Block `counter` of the key stream (RFC 8439, section 2.3) with nonce 0: 16 words, little-endian as bytes. */
void pc_chacha20_block(const uint32_t key[8], uint32_t counter, uint32_t block[16]);

#endif
