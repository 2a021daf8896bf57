/*
 * crc.h: the two cyclic redundancy checks of Pericard's formats. They find accidents, not attackers.
 *
 * Both are named and parametrised as in Koopman and Chakravarty, "Cyclic Redundancy Code (CRC) Polynomial Selection For
 * Embedded Networks" (DSN 2004), and the common catalogue of CRC algorithms; check values over "123456789" are tested.
 */
#ifndef PERICARD_CRC_H
#define PERICARD_CRC_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32/ISO-HDLC (IEEE 802.3, zlib). Start with crc = 0; feed the result of one call to the next to continue.
 * Check value 0xCBF43926. */
uint32_t pc_crc32(uint32_t crc, const uint8_t *data, size_t size);

/* CRC-16/IBM-3740 ("CCITT-FALSE"): polynomial 0x1021, initial value 0xFFFF, not reflected. Start with crc = 0xFFFF.
 * Check value 0x29B1. */
uint16_t pc_crc16(uint16_t crc, const uint8_t *data, size_t size);

#endif
