/*
 * spend.h: where the kernels say how much they have worked, so that a caller can pause long work or see to a watchdog.
 */
#ifndef PERICARD_KERNELS_SPEND_H
#define PERICARD_KERNELS_SPEND_H

#include <stdint.h>

/*
 * Called, if not NULL, with about the number of instructions that a Cortex-M4 has executed since the last call: right to
 * 15 % over an operation of more than 200,000, to 30 % over a shorter one. At most 8,000 instructions lie between two
 * calls. When it is called depends on public values alone. The kernels keep nothing between calls, so what it calls may use them: another stack, which computes
 * something else meanwhile, is one.
 */
extern void (*pc_crypto_spend)(uint32_t instructions);

/* Calls it if it isn't NULL. */
void pc_crypto_spent(uint32_t instructions);

#endif
