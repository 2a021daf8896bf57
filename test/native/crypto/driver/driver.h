/*
 * driver.h: what driver.c and its operations share. An operation takes bytes and gives a status and bytes.
 */
#ifndef PERICARD_TEST_CRYPTO_DRIVER_H
#define PERICARD_TEST_CRYPTO_DRIVER_H

#include "crypto.h"

#include <stddef.h>
#include <stdint.h>

#define ARGUMENTS 8

/* A block of memory of its own, at any alignment, so that AddressSanitizer sees a byte too far. No bytes: NULL. */
typedef struct {
	uint8_t *data;
	size_t size;
} bytes;

typedef struct {
	const char *name;
	/* Gets ARGUMENTS arguments, those not given being empty, and gives the status. */
	const char *(*run)(const bytes *arguments);
} operation;

/* Ended by one without a name. */
extern const operation core_operations[];   /* crypto.h */
extern const operation kernel_operations[]; /* the engines: native/crypto/kernels, and BearSSL's modes over them */
extern const operation p256_operations[];   /* what they are made of */
extern const operation curve25519_operations[];

/* Room for what the operation gives, all zeros. Calling it again makes the one before void. */
uint8_t *result(size_t size);
/* Gives that many of its bytes only. */
void result_size(size_t size);

/* An argument as a number, big-endian. */
uint64_t number(bytes argument);
/* Ends the program with a message, for an argument that an operation can't do anything with. */
void expect(int condition, const char *message);

const char *status_name(pc_crypto_status status);
/* "ok" or "refused" */
const char *answer(int good);

#endif
