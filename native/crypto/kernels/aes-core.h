/*
 * aes-core.h: between aes.c and its two engines, aes-armv7em.S and aes-portable.c.
 *
 * The form of round keys. Two blocks are held in eight words, word j with bit 7-j of every byte: byte r of a word for row
 * r, in it bit 2s+b for the byte of block b in stored column s. Round key i (from 0) is stored with i-1 ShiftRows pending:
 * its byte of row r and column c lies in stored column c + (i-1)*r, for both blocks alike. All round keys but the first
 * have the S-box's constant 0x63 added. The last round key is plain: four little-endian columns, 0x63 added too.
 */
#ifndef PERICARD_KERNELS_AES_CORE_H
#define PERICARD_KERNELS_AES_CORE_H

#include "aes.h"

/* Instructions of a Cortex-M4 for a round of a block. */
#define PC_AES_CTR_COST 96u
#define PC_AES_CTRMAC_COST 192u

/* The S-box without its addition of 0x63, on each byte of word. */
uint32_t pc_aes_core_subword(uint32_t word);

/* A round key, as four little-endian columns, in planes with `pending` ShiftRows pending (modulo 4). */
void pc_aes_core_fixslice(uint32_t out[8], const uint32_t columns[4], uint32_t pending);

/*
 * CTR over `blocks` blocks (at least 1) of data in place. The counter block is iv (little-endian words) and the 32-bit
 * counter, big-endian. With more than 4 blocks the counter must be even. After every fourth block, but not after the last
 * one, four are reported to pc_crypto_spent(); the caller reports the 1 to 4 others.
 */
void pc_aes_core_ctr(const pc_aes_keys *keys, const uint32_t iv[3], uint32_t counter, uint8_t *data, size_t blocks);

typedef struct {
	uint32_t iv[3];   /* little-endian words */
	uint32_t counter; /* moved on by one per block, without carry */
	uint32_t mac[4];  /* running CBC-MAC, little-endian words */
} pc_aes_state;

/*
 * `blocks` times (at least 1): a block at mac_data goes into the CBC-MAC, then key stream is added to the block at ctr_data.
 * After each, ctr_data moves on by the low and mac_data by the high half of `steps` bytes. After every second one, but not
 * after the last, two are reported.
 */
void pc_aes_core_ctrmac(const pc_aes_keys *keys, pc_aes_state *state, uint8_t *ctr_data, const uint8_t *mac_data,
	size_t blocks, uint32_t steps);

#endif
