/*
 * xs_keystore.c: natives of pericard/keystore. A key is a host object whose data is a handle; NULL once it was destroyed. What
 * is in a handle gets to C functions only: no native gives it out.
 *
 * Each native gives a pc_keystore_status or a result, or throws what keystore.ts documents. Work on P-256 is a background job
 * that calls back (status, result); the rest is done at once.
 */
#include "background.h"
#include "crypto.h"
#include "device.h"
#include "platform.h"

#include "xsmc.h"

#include <stdbool.h>
#include <string.h>

#define CONTEXT_MAX 64u

/* A key of this boot; or, with a label, one that is in flash and is taken from there when it is used. */
typedef struct {
	char label[PC_LABEL_MAX];
	size_t label_size;
	pc_key key; /* with a label: without the secret */
} handle;

typedef enum { GENERATE, SIGN, DERIVE } operation_kind;

typedef struct {
	pc_job job;
	xsSlot callback;
	operation_kind kind;
	pc_keystore_status status;
	handle subject; /* a copy: the key may be destroyed meanwhile */
	handle *made;
	uint8_t input[65]; /* digest, or the peer's public key */
	uint8_t output[64];
	uint8_t salt[CONTEXT_MAX], info[CONTEXT_MAX];
	size_t salt_size, info_size;
} operation;

typedef struct {
	uint8_t *data;
	size_t size;
} bytes;

void xs_key_destructor(void *data) {
	if (data != NULL) {
		pc_wipe(data, sizeof(handle));
		c_free(data);
	}
}

/* ---- arguments -------------------------------------------------------------------------------------------------- */

static void need(xsMachine *the, xsIntegerValue count) {
	if (xsmcArgc < count) {
		xsTypeError("keystore: %d arguments expected", (int)count);
	}
}

/* NULL for one that was destroyed. */
static handle *handle_of(xsMachine *the, xsIntegerValue arguments) {
	need(the, arguments);
	return xsmcGetHostDataValidate(xsArg(0), (void *)xs_key_destructor);
}

static bytes bytes_of(xsMachine *the, xsIntegerValue index, bool writable) {
	void *data;
	xsUnsignedValue size;
	_xsmcGetBuffer(the, &xsArg(index), &data, &size, writable);
	return (bytes){data, size};
}

/* Copies a buffer of at most `most` bytes; undefined is one of 0. */
static size_t copy_of(xsMachine *the, xsIntegerValue index, uint8_t *to, size_t most) {
	if (xsmcTypeOf(xsArg(index)) == xsUndefinedType) {
		return 0;
	}
	bytes from = bytes_of(the, index, false);
	if (from.size > most) {
		xsRangeError("keystore: %d bytes are more than %d", (int)from.size, (int)most);
	}
	memcpy(to, from.data, from.size);
	return from.size;
}

static uint8_t type_of(xsMachine *the, xsIntegerValue index, uint8_t first) {
	xsIntegerValue type = xsmcToInteger(xsArg(index));
	if (type < (xsIntegerValue)first || type > PC_KEY_AES_128) {
		xsTypeError("keystore: no type of such a key");
	}
	return (uint8_t)type;
}

/* Puts a label into a handle; undefined is none. */
static void label_of(xsMachine *the, xsIntegerValue index, handle *h) {
	h->label_size = 0;
	if (xsmcTypeOf(xsArg(index)) != xsUndefinedType) {
		const char *label = xsmcToString(xsArg(index));
		size_t size = strlen(label);
		if (size < 1 || size > PC_LABEL_MAX) {
			xsRangeError("keystore: a label has 1 to %d bytes, not %d", (int)PC_LABEL_MAX, (int)size);
		}
		memcpy(h->label, label, size);
		h->label_size = size;
	}
}

/* The key of a handle, secret and all; `type` is what the use asks for. */
static pc_keystore_status key_of(const handle *h, uint8_t type, pc_key *key) {
	/* The copy of a handle that was destroyed has no type. */
	pc_keystore_status status = h == NULL || h->key.type == 0 ? PC_KEYSTORE_NONE : PC_KEYSTORE_OK;
	if (status == PC_KEYSTORE_OK && h->key.type != type) {
		status = PC_KEYSTORE_POLICY;
	}
	if (status == PC_KEYSTORE_OK && h->label_size > 0) {
		const pc_records *records = pc_keystore_records();
		status = records == NULL ? PC_KEYSTORE_FLASH : pc_records_load(records, h->label, h->label_size, key);
		/* Another key may have come under the label. */
		if (status == PC_KEYSTORE_OK &&
			(key->type != h->key.type || memcmp(key->point, h->key.point, sizeof key->point) != 0)) {
			pc_wipe(key, sizeof *key);
			status = PC_KEYSTORE_NONE;
		}
	} else if (status == PC_KEYSTORE_OK) {
		memcpy(key, &h->key, sizeof *key);
	}
	return status;
}

static handle *new_handle(xsMachine *the) {
	handle *h = c_calloc(1, sizeof *h);
	if (h == NULL) {
		xsUnknownError("keystore: no memory for another key");
	}
	return h;
}

static void give_handle(xsMachine *the, xsSlot *to, handle *h) {
	*to = xsNewHostObject(xs_key_destructor);
	xsmcSetHostData(*to, h);
}

/* ---- background ------------------------------------------------------------------------------------------------- */

static pc_keystore_status generate(operation *o) {
	pc_key *key = &o->made->key;
	const handle *subject = &o->subject;
	pc_keystore_status status = pc_keystore_make(key, subject->key.type);
	if (status == PC_KEYSTORE_OK && subject->label_size > 0) {
		pc_records *records = pc_keystore_records();
		status =
			records == NULL ? PC_KEYSTORE_FLASH : pc_records_save(records, subject->label, subject->label_size, key);
		memcpy(o->made->label, subject->label, subject->label_size);
		o->made->label_size = subject->label_size;
		pc_wipe(key->secret, sizeof key->secret);
	}
	return status;
}

static pc_keystore_status sign(operation *o) {
	pc_key key;
	pc_keystore_status status = key_of(&o->subject, PC_KEY_ECDSA_P256, &key);
	if (status == PC_KEYSTORE_OK) {
		status = pc_ecdsa_sign(key.secret, o->input, o->output) == PC_CRYPTO_OK ? PC_KEYSTORE_OK : PC_KEYSTORE_KEY;
		pc_wipe(&key, sizeof key);
	}
	return status;
}

/* SP 800-56C: the secret that both sides have is no key; HKDF makes one of it. */
static pc_keystore_status derive(operation *o) {
	pc_key key;
	uint8_t secret[32];
	pc_key *made = &o->made->key;
	pc_keystore_status status = key_of(&o->subject, PC_KEY_ECDH_P256, &key);
	if (status == PC_KEYSTORE_OK) {
		status = pc_p256_ecdh(key.secret, o->input, secret) == PC_CRYPTO_OK ? PC_KEYSTORE_OK : PC_KEYSTORE_KEY;
	}
	if (status == PC_KEYSTORE_OK) {
		size_t size = made->type == PC_KEY_AES_128 ? 16 : 32;
		(void)pc_hkdf_sha256(o->salt, o->salt_size, secret, sizeof secret, o->info, o->info_size, made->secret, size);
		made->version = PC_KEY_VERSION;
	}
	pc_wipe(secret, sizeof secret);
	pc_wipe(&key, sizeof key);
	return status;
}

static void work(pc_job *job) {
	operation *o = (operation *)job;
	o->status = o->kind == GENERATE ? generate(o) : o->kind == SIGN ? sign(o) : derive(o);
}

static void done(pc_job *job, void *machine) {
	operation *o = (operation *)job;
	xsBeginHost(machine);
	xsmcVars(3);
	xsTry {
		xsVar(0) = o->callback;
		xsmcSetInteger(xsVar(1), (xsIntegerValue)o->status);
		if (o->status == PC_KEYSTORE_OK && o->made != NULL) {
			give_handle(the, &xsVar(2), o->made);
			o->made = NULL;
		} else if (o->status == PC_KEYSTORE_OK) {
			xsmcSetArrayBuffer(xsVar(2), o->output, sizeof o->output);
		}
		xsForget(o->callback);
		xs_key_destructor(o->made);
		pc_wipe(o, sizeof *o);
		c_free(o);
		(void)xsCallFunction2(xsVar(0), xsGlobal, xsVar(1), xsVar(2));
	}
	xsCatch {
		pc_uncaught(the, false);
	}
	xsEndHost();
}

/* Copies `o`, and what `makes` a key, to where the job may keep it; argument `callback` is the function to call. */
static void start(xsMachine *the, const operation *o, const pc_key *makes, xsIntegerValue callback) {
	operation *kept = c_malloc(sizeof *kept);
	if (kept == NULL) {
		xsUnknownError("keystore: no memory for another operation");
	}
	*kept = *o;
	kept->made = NULL;
	if (makes != NULL) {
		kept->made = c_calloc(1, sizeof *kept->made);
		if (kept->made == NULL) {
			pc_wipe(kept, sizeof *kept);
			c_free(kept);
			xsUnknownError("keystore: no memory for another key");
		}
		kept->made->key.type = makes->type;
	}
	kept->job = (pc_job){.body = work, .done = done};
	kept->callback = xsArg(callback);
	xsRemember(kept->callback);
	pc_background_start(&kept->job);
}

/* (type, label or undefined, callback): calls back with a handle */
void xs_keys_generate(xsMachine *the) {
	operation o = {.kind = GENERATE};
	need(the, 3);
	o.subject.key.type = type_of(the, 0, PC_KEY_ECDSA_P256);
	label_of(the, 1, &o.subject);
	start(the, &o, &o.subject.key, 2);
}

static void copy_subject(const handle *h, operation *o) {
	if (h != NULL) {
		o->subject = *h;
	}
}

/* (handle, digest, callback): calls back with a signature */
void xs_keys_sign(xsMachine *the) {
	operation o = {.kind = SIGN};
	const handle *h = handle_of(the, 3);
	if (copy_of(the, 1, o.input, 32) != 32) {
		xsRangeError("keystore: a digest of 32 bytes expected");
	}
	copy_subject(h, &o);
	start(the, &o, NULL, 2);
	pc_wipe(&o, sizeof o);
}

/* (handle, public key, type, salt or undefined, info or undefined, callback): calls back with a handle */
void xs_keys_derive(xsMachine *the) {
	operation o = {.kind = DERIVE};
	pc_key makes = {0};
	const handle *h = handle_of(the, 6);
	if (copy_of(the, 1, o.input, 65) != 65) {
		xsRangeError("keystore: a public key of 65 bytes expected");
	}
	makes.type = type_of(the, 2, PC_KEY_HMAC_SHA256);
	o.salt_size = copy_of(the, 3, o.salt, sizeof o.salt);
	o.info_size = copy_of(the, 4, o.info, sizeof o.info);
	copy_subject(h, &o);
	start(the, &o, &makes, 5);
	pc_wipe(&o, sizeof o);
}

/* ---- at once ---------------------------------------------------------------------------------------------------- */

/* (label) -> handle, or status */
void xs_keys_open(xsMachine *the) {
	const pc_records *records = pc_keystore_records();
	handle found = {0};
	need(the, 1);
	label_of(the, 0, &found);
	pc_keystore_status status = PC_KEYSTORE_POLICY;
	if (found.label_size > 0) {
		status = records == NULL
					 ? PC_KEYSTORE_FLASH
					 : pc_records_public(records, found.label, found.label_size, &found.key.type, found.key.point);
	}
	if (status == PC_KEYSTORE_OK) {
		handle *h = new_handle(the);
		*h = found;
		give_handle(the, &xsResult, h);
	} else {
		xsmcSetInteger(xsResult, (xsIntegerValue)status);
	}
}

/* (handle) -> type; 0: destroyed */
void xs_keys_type(xsMachine *the) {
	const handle *h = handle_of(the, 1);
	xsmcSetInteger(xsResult, h == NULL ? 0 : h->key.type);
}

/* (handle) -> public key, or status */
void xs_keys_public(xsMachine *the) {
	const handle *h = handle_of(the, 1);
	if (h == NULL || !pc_key_has_point(h->key.type)) {
		xsmcSetInteger(xsResult, h == NULL ? PC_KEYSTORE_NONE : PC_KEYSTORE_POLICY);
	} else {
		uint8_t point[65] = {4};
		memcpy(point + 1, h->key.point, sizeof h->key.point);
		xsmcSetArrayBuffer(xsResult, point, sizeof point);
	}
}

/* (handle, data) -> MAC, or status */
void xs_keys_mac(xsMachine *the) {
	pc_key key;
	uint8_t mac[32];
	const handle *h = handle_of(the, 2);
	bytes data = bytes_of(the, 1, false);
	pc_keystore_status status = key_of(h, PC_KEY_HMAC_SHA256, &key);
	if (status == PC_KEYSTORE_OK) {
		pc_hmac_sha256(key.secret, sizeof key.secret, data.data, data.size, mac);
		pc_wipe(&key, sizeof key);
		xsmcSetArrayBuffer(xsResult, mac, sizeof mac);
	} else {
		xsmcSetInteger(xsResult, (xsIntegerValue)status);
	}
}

/* (handle, nonce, aad or undefined, data, tag, mode: 0 CCM, 1 GCM, decrypt) -> status; or -1 sizes, -2 forged */
void xs_keys_seal(xsMachine *the) {
	static pc_crypto_status (*const runs[2][2])(const pc_aead *) = {
		{pc_aes_ccm_encrypt, pc_aes_ccm_decrypt}, {pc_aes_gcm_encrypt, pc_aes_gcm_decrypt}};
	pc_key key;
	const handle *h = handle_of(the, 7);
	bool gcm = xsmcToBoolean(xsArg(5));
	bool decrypt = xsmcToBoolean(xsArg(6));
	bytes nonce = bytes_of(the, 1, false);
	bytes aad = {NULL, 0};
	if (xsmcTypeOf(xsArg(2)) != xsUndefinedType) {
		aad = bytes_of(the, 2, false);
	}
	bytes data = bytes_of(the, 3, true);
	bytes tag = bytes_of(the, 4, !decrypt);
	xsIntegerValue result = (xsIntegerValue)key_of(h, PC_KEY_AES_128, &key);
	if (result == PC_KEYSTORE_OK) {
		const pc_aead message = {
			key.secret, 16, nonce.data, nonce.size, aad.data, aad.size, data.data, data.size, tag.data, tag.size};
		pc_crypto_status status = runs[gcm][decrypt](&message);
		pc_wipe(&key, sizeof key);
		result = status == PC_CRYPTO_OK ? 0 : status == PC_CRYPTO_RANGE ? -1 : -2;
	}
	xsmcSetInteger(xsResult, result);
}

/* (handle) -> status: forgets the key, also in flash */
void xs_keys_destroy(xsMachine *the) {
	handle *h = handle_of(the, 1);
	pc_keystore_status status = PC_KEYSTORE_OK;
	if (h != NULL) {
		pc_records *records = pc_keystore_records();
		if (h->label_size > 0) {
			status = records == NULL ? PC_KEYSTORE_FLASH : pc_records_remove(records, h->label, h->label_size);
		}
		xs_key_destructor(h);
		xsmcSetHostData(xsArg(0), NULL);
	}
	xsmcSetInteger(xsResult, status == PC_KEYSTORE_NONE ? 0 : (xsIntegerValue)status);
}

/* () -> the attestation key's public key, or status */
void xs_keys_attestation_public(xsMachine *the) {
	uint8_t point[65];
	pc_keystore_status status = pc_keystore_attestation_public(point);
	if (status == PC_KEYSTORE_OK) {
		xsmcSetArrayBuffer(xsResult, point, sizeof point);
	} else {
		xsmcSetInteger(xsResult, (xsIntegerValue)status);
	}
}

/* () -> boots; 0 when they can't be counted */
void xs_keys_boots(xsMachine *the) {
	uint32_t count;
	xsmcSetNumber(xsResult, pc_keystore_boot_count(&count) == PC_KEYSTORE_OK ? (xsNumberValue)count : 0);
}
