/*
 * peripheral-aes.h: AES for BearSSL's CTR, CCM and GCM over a peripheral that encrypts single blocks, with the software
 * engine (kernels/aes.h) as its check and its stand-in.
 *
 * The peripheral works in batches of 16 blocks. A batch stays in a buffer until the software has encrypted its last block
 * too, and both agree; then it is used. So a peripheral that begins to fail, at whatever block, does no harm: the batch is
 * computed anew in software, and so is everything after it. One wrong block between right ones passes with a probability of
 * 15/16; what that leads to is in docs/crypto.md.
 *
 * Messages of a few blocks are left to software: the check would cost more than the peripheral saves.
 *
 * Keys of 16 and 32 bytes; the same contracts as in kernels/aes.h otherwise. What is left of secrets on the stack is the
 * caller's to wipe, as with the kernels. Not to be used from interrupt handlers.
 */
#ifndef PERICARD_PERIPHERALS_PERIPHERAL_AES_H
#define PERICARD_PERIPHERALS_PERIPHERAL_AES_H

#include "../kernels/aes.h"
#include "peripheral.h"

typedef struct {
	const br_block_ctr_class *vtable;
	uint8_t key[32];
	size_t key_size;
	pc_aes_ctr_keys software;
} pc_peripheral_aes_ctr_keys;

typedef struct {
	const br_block_ctrcbc_class *vtable;
	uint8_t key[32];
	size_t key_size;
	pc_aes_ctrcbc_keys software;
} pc_peripheral_aes_ctrcbc_keys;

extern const br_block_ctr_class pc_peripheral_aes_ctr_vtable;
extern const br_block_ctrcbc_class pc_peripheral_aes_ctrcbc_vtable;

/*
 * The board's peripheral: hal-aes.c or esp32c3-aes.c. begin() takes it and gives it a key of 16 or 32 bytes; where that is
 * OK, encrypt() encrypts blocks, each by itself and in place, and end() takes the key out of it and gives it back. Statuses as
 * in peripheral.h, but WRONG; where it isn't OK what has become of the blocks is open.
 */
typedef struct {
	pc_peripheral_status (*begin)(const uint8_t *key, size_t key_size);
	pc_peripheral_status (*encrypt)(uint8_t *blocks, size_t count);
	void (*end)(void);
} pc_block_peripheral;

extern const pc_block_peripheral pc_aes_peripheral;

#endif
