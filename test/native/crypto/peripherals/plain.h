/*
 * plain.h: AES and SHA-256 straight from the standards (FIPS 197, FIPS 180-4), for the models of peripherals and for what
 * is expected of the engines over them. Neither fast nor constant-time; shares nothing with the kernels.
 */
#ifndef PERICARD_TEST_PLAIN_H
#define PERICARD_TEST_PLAIN_H

#include <stddef.h>
#include <stdint.h>

/* Keys of 16 and 32 bytes. in and out may be the same. */
void plain_aes(const uint8_t *key, size_t key_size, const uint8_t in[16], uint8_t out[16]);

/* The compression function, over one block. */
void plain_sha256(uint32_t state[8], const uint8_t block[64]);

#endif
