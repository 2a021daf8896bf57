/*
 * aes.h: AES-128 and AES-256 for BearSSL's CTR, CCM, EAX and GCM, constant-time, two blocks at a time.
 *
 * Keys, data and MAC values are secret; IVs, counters and lengths are public: branches may depend on them. Data of any
 * alignment. Contexts are the caller's and hold no pointer but the vtable. aes.c is over one of the
 * twins aes-armv7em.S and aes-portable.c (twin.h).
 */
#ifndef PERICARD_KERNELS_AES_H
#define PERICARD_KERNELS_AES_H

#include <stddef.h>
#include <stdint.h>

#include "bearssl_block.h"

/* An expanded key: rounds * 8 words in the form that the twins share (see aes-core.h), then the plain last round key. */
typedef struct {
	uint32_t rounds; /* 10 or 14 */
	uint32_t words[14 * 8 + 4];
} pc_aes_keys;

typedef struct {
	const br_block_ctr_class *vtable;
	pc_aes_keys keys;
} pc_aes_ctr_keys;

typedef struct {
	const br_block_ctrcbc_class *vtable;
	pc_aes_keys keys;
} pc_aes_ctrcbc_keys;

/*
 * CTR with a 32-bit big-endian counter, which wraps to 0. Key of 16 or 32 bytes; other lengths must not be passed. run:
 * encrypts or decrypts data[0..len) in place, len not restricted, with key stream from block (iv[0..12), cc) on, and
 * returns the counter behind the last block begun.
 */
extern const br_block_ctr_class pc_aes_ctr_vtable;

/*
 * CTR with a 128-bit big-endian counter and CBC-MAC. Key of 16 or 32 bytes; len a multiple of 16; ctr, cbcmac 16 bytes.
 * encrypt: CTR over data in place, then CBC-MAC of the result. (CCM uses this one to decrypt.) decrypt: CBC-MAC of data, and
 * CTR over it in place. (CCM uses this one to encrypt.)
 */
extern const br_block_ctrcbc_class pc_aes_ctrcbc_vtable;

#endif
