/*
 * spend.h: see spend.c.
 */
#ifndef PERICARD_TEST_SPEND_H
#define PERICARD_TEST_SPEND_H

#include <stdint.h>

/* What pc_crypto_spend was told, in sum. */
extern uint32_t spend_told;
void spend_hook(uint32_t instructions);

#endif
