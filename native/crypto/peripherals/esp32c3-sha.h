/*
 * esp32c3-sha.h: SHA-256 in the SHA accelerator of the ESP32-C3, as a BearSSL hash class, with the software engine
 * (kernels/sha256.h) as its check and its stand-in. The context is BearSSL's own, as the software's.
 *
 * Batches of 16 blocks, the last of which the software computes too. A call with fewer than four blocks is left to software.
 */
#ifndef PERICARD_PERIPHERALS_ESP32C3_SHA_H
#define PERICARD_PERIPHERALS_ESP32C3_SHA_H

#include "../kernels/sha256.h"
#include "peripheral.h"

extern const br_hash_class pc_esp32c3_sha256_vtable;

#endif
