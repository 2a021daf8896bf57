/*
 * device.h: what the keystore's own files share of the device's one store.
 */
#ifndef PERICARD_KEYSTORE_DEVICE_H
#define PERICARD_KEYSTORE_DEVICE_H

#include "records.h"

/* The store of this device; NULL when it could not be opened. */
pc_records *pc_keystore_records(void);

/* A new key. On the fibre if the type has a public key: that takes a multiplication of points, and 4 KB of stack.
 * PC_KEYSTORE_ENTROPY; then `key` is all zeros. */
pc_keystore_status pc_keystore_make(pc_key *key, uint8_t type);

#endif
