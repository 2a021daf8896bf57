/*
 * esp32c3-mpi.h: multiplication modulo the prime of P-256 with the RSA accelerator of the ESP32-C3: pc_p256_mul() and
 * pc_p256_square() of kernels/p256-core.h, in the place of p256-portable.c's, which check it and stand in for it.
 *
 * The accelerator gives the product of two numbers of 256 bits; the processor reduces it, which for this prime takes
 * additions only. Its own modular multiplication would spare that, but can't be checked for less than its own cost; a
 * product can: modulo 2^32 - 1 it must be the product of its factors. Every product is checked so.
 */
#ifndef PERICARD_PERIPHERALS_ESP32C3_MPI_H
#define PERICARD_PERIPHERALS_ESP32C3_MPI_H

#include "peripheral.h"

/* p256-portable.c's pc_p256_mul(), under this name where the accelerator has the other. */
void pc_p256_mul_software(uint32_t d[8], const uint32_t a[8], const uint32_t b[8]);

#endif
