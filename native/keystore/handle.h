/*
 * handle.h: keys as JavaScript holds them, for the natives of this folder. A key is a host object whose data is a pc_handle;
 * NULL once it was destroyed. What it may do is written in the handle and looked at here, in C, so it does not matter who
 * holds it. What is secret in it gets to C functions, and to JavaScript only where it is extractable.
 *
 * A handle is memory of the C heap of its own size, and is overwritten when nobody refers to it any more: neither a host
 * object nor an operation under way.
 */
#ifndef PERICARD_HANDLE_H
#define PERICARD_HANDLE_H

#include "background.h"
#include "crypto.h"
#include "records.h"

#include "xsmc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum { PC_FORM_SECRET, PC_FORM_PRIVATE, PC_FORM_PUBLIC } pc_key_form;

/* What a key may be used for: the usages of WebCrypto, and those of pericard/keystore alone. */
typedef enum {
	PC_USE_ENCRYPT = 1,
	PC_USE_DECRYPT = 2,
	PC_USE_SIGN = 4,
	PC_USE_VERIFY = 8,
	PC_USE_DERIVE_KEY = 16,
	PC_USE_DERIVE_BITS = 32,
	PC_USE_WRAP_KEY = 64,
	PC_USE_UNWRAP_KEY = 128,
	PC_USE_DERIVE_SEALED = 256, /* derives keys that are not extractable */
} pc_key_use;

#define PC_SECRET_MAX 0xffffu

typedef struct {
	uint16_t references;
	uint16_t secret_size; /* 0: public; or in flash, and taken from there when it is used */
	uint16_t uses;        /* pc_key_use */
	uint8_t type;         /* pc_key_type */
	uint8_t form;         /* pc_key_form */
	uint8_t label_size;   /* not 0: the key is in flash under this label */
	uint8_t public_size;  /* P-256: 65, 04 || X || Y; Ed25519, X25519: 32 */
	bool extractable;
	uint8_t bytes[]; /* label, public key, secret */
} pc_handle;

static inline uint8_t *pc_handle_public(pc_handle *h) {
	return h->bytes + h->label_size;
}

static inline uint8_t *pc_handle_secret(pc_handle *h) {
	return h->bytes + h->label_size + h->public_size;
}

/* ---- what belongs to a type ---- */

/* Sets of types: bits 1 << pc_key_type. */
#define PC_TYPES(type) (1u << (type))

/* A public key's bytes: 65, 32, or 0 for a type that has none. */
size_t pc_type_public_size(uint8_t type);
/* What a key of this type and form can be used for at all. */
uint16_t pc_type_uses(uint8_t type, uint8_t form);

/* ---- handles ---- */

/* Memory for a key, all zeros but for sizes and type; referred to once. NULL: no memory. */
pc_handle *pc_handle_new(uint8_t type, uint8_t form, size_t label_size, size_t secret_size);
void pc_handle_release(pc_handle *h); /* NULL: nothing */

/* The host object's destructor, and what natives tell a key by. */
void xs_key_destructor(void *data);
void pc_handle_give(xsMachine *the, xsSlot *to, pc_handle *h);

/* Argument `index`; NULL for a key that was destroyed, a TypeError for what is none. */
pc_handle *pc_handle_of(xsMachine *the, xsIntegerValue index);

/* May it be used so: is it of one of the types, and for one of the uses? PC_KEYSTORE_NONE for NULL, PC_KEYSTORE_POLICY. */
pc_keystore_status pc_handle_allows(const pc_handle *h, uint32_t types, unsigned uses);

/* The secret of a key: in the handle; or taken from flash into `room`, which the caller wipes. PC_KEYSTORE_NONE, if another
 * key, or none, is there now, PC_KEYSTORE_FLASH, PC_KEYSTORE_KEY. */
pc_keystore_status pc_handle_load(pc_handle *h, pc_key *room, const uint8_t **secret);

pc_keystore_status pc_status_of(pc_crypto_status status);

/* Of verifying and opening: PC_KEYSTORE_RIGHT for PC_CRYPTO_OK, never PC_KEYSTORE_OK. It is the same word, and goes through as it
 * is: one skipped instruction does not make it of another (docs/crypto.md, "Faults"). */
pc_keystore_status pc_verdict_of(pc_crypto_status status);

/* ---- arguments: none of these runs JavaScript ---- */

typedef struct {
	const uint8_t *data;
	size_t size;
} pc_bytes;

void pc_need(xsMachine *the, xsIntegerValue count);
/* A buffer's bytes, until something is allocated in JavaScript's memory; else a TypeError. */
pc_bytes pc_bytes_of(xsMachine *the, xsIntegerValue index);
/* The same; undefined is none. */
pc_bytes pc_optional_bytes_of(xsMachine *the, xsIntegerValue index);
/* An integer from 0 to `most`; else a TypeError. Nothing is converted, so no JavaScript runs in between. */
uint32_t pc_integer_of(xsMachine *the, xsIntegerValue index, uint32_t most);

/* ---- operations in the background: they call back (status, result, second result) ---- */

typedef struct pc_operation pc_operation;
struct pc_operation {
	pc_job job;
	xsSlot callback;
	pc_keystore_status (*run)(pc_operation *o); /* on the fibre */
	pc_keystore_status status;
	pc_handle *key, *peer; /* with a reference; or NULL */
	pc_handle *made[2];    /* given to JavaScript on success; without any: `output` */
	size_t output_size;
	uint8_t output[64];
	size_t sizes[3];
	uint8_t input[]; /* up to three, one behind the other */
};

static inline const uint8_t *pc_input(const pc_operation *o, unsigned index) {
	size_t at = 0;
	for (unsigned i = 0; i < index; i++) {
		at += o->sizes[i];
	}
	return o->input + at;
}

/* Memory for an operation that refers to the keys, with copies of the inputs. NULL: no memory, and so on below. */
pc_operation *pc_operation_new(
	pc_keystore_status (*run)(pc_operation *o), pc_handle *key, pc_handle *peer, const pc_bytes inputs[3]);
/* Gives it a key that it will make. NULL: no operation, or no key; then both are forgotten. */
pc_operation *pc_operation_makes(pc_operation *o, pc_handle *made);
/* Starts it; argument `callback` is the function to call. PC_KEYSTORE_FULL, if it is NULL. */
pc_keystore_status pc_operation_start(xsMachine *the, pc_operation *o, xsIntegerValue callback);

#endif
