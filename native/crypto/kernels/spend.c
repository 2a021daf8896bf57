/* spend.c: see spend.h. */
#include "spend.h"

#include <stddef.h>

void (*pc_crypto_spend)(uint32_t instructions);

void pc_crypto_spent(uint32_t instructions) {
	if (pc_crypto_spend != NULL) {
		pc_crypto_spend(instructions);
	}
}
