/*
 * area.h: how the storage area of a board is cut: the key-value store in front, raw sectors of the application behind it,
 * and the keys at the end, where an application's choice of dataSectors doesn't move them.
 */
#ifndef PERICARD_AREA_H
#define PERICARD_AREA_H

/* Sectors of native/keystore. They are no partition of embedded:storage/flash: JavaScript can't open them, only be refused. */
#define PC_KEY_SECTORS 2u

#endif
