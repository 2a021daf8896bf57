/*
 * spend.c: counts what pc_crypto_spend is told, for crypto-constant-time.test.ts.
 */
#include "spend.h"

#include "kernels/spend.h"

uint32_t spend_told;

void spend_hook(uint32_t instructions) {
	spend_told += instructions;
}
