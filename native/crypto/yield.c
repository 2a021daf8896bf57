/*
 * yield.c: counts the work of the engines, so that a caller may pause them (crypto.h, pc_crypto_spend).
 *
 * BearSSL has no place to pause at. So the compiler adds a call at the start of the few functions that all its hashing and
 * all its work on P-256 consist of (-finstrument-functions, for the files and with the exceptions that bearssl.json names):
 * the compression of SHA-256, multiplication and squaring in the field, and what takes longest of the numbers modulo the
 * order. None of them chooses its way by a secret, and neither does what is added.
 */
#include "crypto.h"

void (*pc_crypto_spend)(uint32_t instructions);

/* see BearSSL's inner.h */
extern void br_sha2small_round(const unsigned char *block, uint32_t *state);
extern void br_i31_montymul(uint32_t *d, const uint32_t *x, const uint32_t *y, const uint32_t *m, uint32_t m0i);

/* Instructions of a Cortex-M4 from one call to the next, as test/device/crypto.test.ts counts them. */
enum { NUMBER = 960, PRODUCT = 2240, HASH = 2400 };

void __cyg_profile_func_enter(void *function, void *caller);
void __cyg_profile_func_exit(void *function, void *caller);

void __cyg_profile_func_enter(void *function, void *caller) {
	(void)caller;
	if (pc_crypto_spend != NULL) {
		uint32_t work = NUMBER;
		if (function == (void *)(uintptr_t)br_sha2small_round) {
			work = HASH;
		} else if (function == (void *)(uintptr_t)br_i31_montymul) {
			work = PRODUCT;
		}
		pc_crypto_spend(work);
	}
}

void __cyg_profile_func_exit(void *function, void *caller) {
	(void)function;
	(void)caller;
}
