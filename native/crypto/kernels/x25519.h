/*
 * x25519.h: X25519 (RFC 7748), constant-time in scalar and point.
 */
#ifndef PERICARD_KERNELS_X25519_H
#define PERICARD_KERNELS_X25519_H

#include <stddef.h>
#include <stdint.h>

#include "bearssl_ec.h"

/*
 * X25519(scalar, point), 32 bytes each, little-endian; out may be point or scalar. The scalar is clamped, the point's
 * highest bit is ignored, and a coordinate from p to 2^255 - 1 is taken modulo p, all as RFC 7748 demands. Returns 1; or 0
 * if the result is all zero, which means a point of low order: a key agreement must then be given up (RFC 7748, 6.1).
 */
uint32_t pc_x25519_raw(uint8_t out[32], const uint8_t scalar[32], const uint8_t point[32]);

/* The public key of a secret one: X25519(secret, 9). */
void pc_x25519_public_raw(uint8_t out[32], const uint8_t secret[32]);

/*
 * The same as a BearSSL curve implementation for BR_EC_curve25519. Scalars are raw little-endian bytes, at most 32, as in
 * br_ec_c25519_m31; mul returns 0 for wrong lengths, and unlike BearSSL's for a point of low order; muladd returns 0.
 */
extern const br_ec_impl pc_x25519_ec;

#endif
