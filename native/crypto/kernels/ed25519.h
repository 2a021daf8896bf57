/*
 * ed25519.h: Ed25519 signatures (RFC 8032, "pure": no context, no prehash).
 */
#ifndef PERICARD_KERNELS_ED25519_H
#define PERICARD_KERNELS_ED25519_H

#include <stddef.h>
#include <stdint.h>

/* The public key of a seed, 32 random bytes. Constant-time. */
void pc_ed25519_public_raw(uint8_t key[32], const uint8_t seed[32]);

/*
 * Signs text[0..size). key must be the seed's public key: signing with another one gives the secret away, so where it
 * doesn't come from a safe place pass NULL, and it is computed anew (as much work again). Constant-time but for size.
 */
void pc_ed25519_sign_raw(
	uint8_t signature[64], const uint8_t seed[32], const uint8_t key[32], const void *text, size_t size);

/*
 * Returns 1 if the nonce of a signature by seed, whose public key is key, is the one of RFC 8032 for this text, else 0: derives
 * it anew, and looks whether S = r + k a. A right signature with another nonce, made by a disturbed derivation, may give the
 * key away. Constant-time but for size.
 */
uint32_t pc_ed25519_check_nonce(
	const uint8_t signature[64], const uint8_t seed[32], const uint8_t key[32], const void *text, size_t size);

/* That a signature (R || S, 64 bytes) is one of text[0..size) by a key (A, 32 bytes). */
typedef struct {
	const uint8_t *key, *signature;
	const void *text;
	size_t size;
} pc_ed25519_claim;

/*
 * Returns PC_VERDICT_YES (verdict.h) if the claim holds, any other word if not. No single skipped instruction makes a yes
 * of it; and none of whoever writes the claim twice, each time from its own variables: then no register stands alone for
 * an address. The text is hashed twice for that. Not constant-time. Strict and cofactorless:
 * accepted is exactly what fulfils all of
 *   - S is below the order L of the base point B;
 *   - A decodes by RFC 8032, 5.1.3: y is below p (canonical), some x belongs to it, and if x is 0 then its sign bit is 0;
 *   - A is not of small order: 8 A is not the neutral element (A may be of mixed order);
 *   - with k = SHA-512(R || A || text) modulo L, over the bytes as given, the canonical encoding of S B - k A is byte by
 *     byte R (so R is canonical too, and neither cofactor nor batch equation comes in);
 *   - R is not of small order.
 * So no signature is accepted whose bytes can be changed without the seed (strong unforgeability), and none that holds for
 * several texts or keys by small-order tricks.
 */
uint32_t pc_ed25519_verify_claim(const pc_ed25519_claim *claim, const pc_ed25519_claim *again);

/* The same, of one claim. */
uint32_t pc_ed25519_verify_raw(const uint8_t signature[64], const uint8_t key[32], const void *text, size_t size);

#endif
