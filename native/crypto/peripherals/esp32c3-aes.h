/*
 * esp32c3-aes.h: the AES accelerator of the ESP32-C3 as the block peripheral of peripheral-aes.h: AES-128 and AES-256.
 *
 * The vtables are pc_peripheral_aes_ctr_vtable and pc_peripheral_aes_ctrcbc_vtable. The accelerator's own CTR needs DMA
 * and can't be checked before its result is in the caller's memory; blocks through registers can.
 */
#ifndef PERICARD_PERIPHERALS_ESP32C3_AES_H
#define PERICARD_PERIPHERALS_ESP32C3_AES_H

#include "peripheral-aes.h"

#endif
