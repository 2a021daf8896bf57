/*
 * xs_keystore.c: natives of pericard/keystore. Keys are handles (handle.h); no native here gives out what is secret in one.
 *
 * Each native gives a pc_keystore_status or a result, or throws what keystore.ts documents. Work on P-256 is a background job
 * that calls back (status, result); the rest is done at once.
 */
#include "device.h"
#include "handle.h"

#include <string.h>

#define CONTEXT_MAX 64u

typedef struct {
	char bytes[PC_LABEL_MAX];
	size_t size;
} label;

/* A label of 1 to 32 bytes; undefined is none. The only argument whose conversion may run JavaScript: comes first. */
static label label_of(xsMachine *the, xsIntegerValue index) {
	label l = {{0}, 0};
	if (xsmcTypeOf(xsArg(index)) != xsUndefinedType) {
		const char *text = xsmcToString(xsArg(index));
		l.size = strlen(text);
		if (l.size < 1 || l.size > PC_LABEL_MAX) {
			xsRangeError("keystore: a label has 1 to %d bytes, not %d", (int)PC_LABEL_MAX, (int)l.size);
		}
		memcpy(l.bytes, text, l.size);
	}
	return l;
}

static pc_bytes sized(xsMachine *the, xsIntegerValue index, size_t size) {
	pc_bytes bytes = pc_bytes_of(the, index);
	if (bytes.size != size) {
		xsRangeError("keystore: %d bytes expected, not %d", (int)size, (int)bytes.size);
	}
	return bytes;
}

static pc_bytes context(xsMachine *the, xsIntegerValue index) {
	pc_bytes bytes = pc_optional_bytes_of(the, index);
	if (bytes.size > CONTEXT_MAX) {
		xsRangeError("keystore: %d bytes are more than %d", (int)bytes.size, (int)CONTEXT_MAX);
	}
	return bytes;
}

static uint8_t type_of(xsMachine *the, xsIntegerValue index, uint8_t first) {
	uint32_t type = pc_integer_of(the, index, PC_KEY_AES_128);
	if (type < first) {
		xsTypeError("keystore: no type of such a key");
	}
	return (uint8_t)type;
}

static size_t secret_size(uint8_t type) {
	return type == PC_KEY_AES_128 ? 16 : 32;
}

/* A key of this type does what the type can do, and is never given out. */
static pc_handle *new_handle(uint8_t type, const label *l) {
	uint8_t form = pc_key_has_point(type) ? PC_FORM_PRIVATE : PC_FORM_SECRET;
	pc_handle *h = pc_handle_new(type, form, l->size, l->size > 0 ? 0 : secret_size(type));
	if (h != NULL) {
		h->uses = type == PC_KEY_ECDH_P256 ? PC_USE_DERIVE_SEALED : pc_type_uses(type, form);
		memcpy(h->bytes, l->bytes, l->size);
	}
	return h;
}

static void put_point(pc_handle *h, const uint8_t point[64]) {
	if (h->public_size > 0) {
		pc_handle_public(h)[0] = 4;
		memcpy(pc_handle_public(h) + 1, point, 64);
	}
}

static void give_status(xsMachine *the, pc_keystore_status status) {
	xsmcSetInteger(xsResult, (xsIntegerValue)status);
}

/* ---- background ------------------------------------------------------------------------------------------------- */

static pc_keystore_status generate(pc_operation *o) {
	pc_handle *made = o->made[0];
	pc_key key;
	pc_keystore_status status = pc_keystore_make(&key, made->type);
	if (status == PC_KEYSTORE_OK && made->label_size > 0) {
		pc_records *records = pc_keystore_records();
		status = records == NULL ? PC_KEYSTORE_FLASH
								 : pc_records_save(records, (const char *)made->bytes, made->label_size, &key);
	}
	put_point(made, key.point);
	memcpy(pc_handle_secret(made), key.secret, made->secret_size);
	pc_wipe(&key, sizeof key);
	return status;
}

static pc_keystore_status sign(pc_operation *o) {
	pc_key room;
	const uint8_t *secret;
	pc_keystore_status status = pc_handle_allows(o->key, PC_TYPES(PC_KEY_ECDSA_P256), PC_USE_SIGN);
	if (status == PC_KEYSTORE_OK) {
		status = pc_handle_load(o->key, &room, &secret);
	}
	if (status == PC_KEYSTORE_OK) {
		o->output_size = PC_SIGNATURE_SIZE;
		status = pc_status_of(pc_ecdsa_sign_with(secret, pc_handle_public(o->key), o->input, o->output));
		pc_wipe(&room, sizeof room);
	}
	return status;
}

/* SP 800-56C: the secret that both sides have is no key; HKDF makes one of it. Inputs: public key, salt, info. */
static pc_keystore_status derive(pc_operation *o) {
	pc_key room;
	const uint8_t *secret;
	uint8_t shared[32];
	pc_handle *made = o->made[0];
	pc_keystore_status status = pc_handle_allows(o->key, PC_TYPES(PC_KEY_ECDH_P256), PC_USE_DERIVE_SEALED);
	if (status == PC_KEYSTORE_OK) {
		status = pc_handle_load(o->key, &room, &secret);
	}
	if (status == PC_KEYSTORE_OK) {
		status = pc_status_of(pc_p256_ecdh(secret, pc_input(o, 0), shared));
		pc_wipe(&room, sizeof room);
	}
	if (status == PC_KEYSTORE_OK) {
		status = pc_status_of(pc_hkdf_sha256(pc_input(o, 1), o->sizes[1], shared, sizeof shared, pc_input(o, 2),
			o->sizes[2], pc_handle_secret(made), made->secret_size));
		pc_wipe(shared, sizeof shared);
	}
	return status;
}

/* (type, label or undefined, callback) -> status: calls back with a handle */
void xs_keys_generate(xsMachine *the) {
	static const pc_bytes nothing[3];
	pc_need(the, 3);
	label l = label_of(the, 1);
	uint8_t type = type_of(the, 0, PC_KEY_ECDSA_P256);
	pc_operation *o = pc_operation_new(generate, NULL, NULL, nothing);
	o = pc_operation_makes(o, new_handle(type, &l));
	give_status(the, pc_operation_start(the, o, 2));
}

/* (handle, digest, callback) -> status: calls back with a signature */
void xs_keys_sign(xsMachine *the) {
	pc_need(the, 3);
	const pc_bytes inputs[3] = {sized(the, 1, PC_SHA256_SIZE)};
	give_status(the, pc_operation_start(the, pc_operation_new(sign, pc_handle_of(the, 0), NULL, inputs), 2));
}

/* (handle, public key, type, salt or undefined, info or undefined, callback) -> status: calls back with a handle */
void xs_keys_derive(xsMachine *the) {
	static const label none;
	pc_need(the, 6);
	uint8_t type = type_of(the, 2, PC_KEY_HMAC_SHA256);
	const pc_bytes inputs[3] = {sized(the, 1, PC_P256_PUBLIC_SIZE), context(the, 3), context(the, 4)};
	pc_operation *o = pc_operation_new(derive, pc_handle_of(the, 0), NULL, inputs);
	o = pc_operation_makes(o, new_handle(type, &none));
	give_status(the, pc_operation_start(the, o, 5));
}

/* ---- at once ---------------------------------------------------------------------------------------------------- */

/* (label) -> handle, or status */
void xs_keys_open(xsMachine *the) {
	const pc_records *records = pc_keystore_records();
	uint8_t type, point[64];
	pc_need(the, 1);
	label l = label_of(the, 0);
	pc_keystore_status status = PC_KEYSTORE_POLICY;
	if (l.size > 0) {
		status = records == NULL ? PC_KEYSTORE_FLASH : pc_records_public(records, l.bytes, l.size, &type, point);
	}
	if (status != PC_KEYSTORE_OK) {
		give_status(the, status);
		return;
	}
	pc_handle *h = new_handle(type, &l);
	if (h == NULL) {
		give_status(the, PC_KEYSTORE_FULL);
		return;
	}
	put_point(h, point);
	pc_handle_give(the, &xsResult, h);
}

/* (handle) -> type; 0: destroyed */
void xs_keys_type(xsMachine *the) {
	pc_need(the, 1);
	const pc_handle *h = pc_handle_of(the, 0);
	xsmcSetInteger(xsResult, h == NULL ? 0 : h->type);
}

/* (handle) -> public key, or status */
void xs_keys_public(xsMachine *the) {
	pc_need(the, 1);
	pc_handle *h = pc_handle_of(the, 0);
	if (h == NULL || h->public_size == 0) {
		give_status(the, h == NULL ? PC_KEYSTORE_NONE : PC_KEYSTORE_POLICY);
	} else {
		xsmcSetArrayBuffer(xsResult, pc_handle_public(h), h->public_size);
	}
}

/* (handle, data) -> MAC, or status */
void xs_keys_mac(xsMachine *the) {
	pc_key room;
	const uint8_t *secret;
	uint8_t mac[PC_SHA256_SIZE];
	pc_need(the, 2);
	pc_bytes data = pc_bytes_of(the, 1);
	pc_handle *h = pc_handle_of(the, 0);
	pc_keystore_status status = pc_handle_allows(h, PC_TYPES(PC_KEY_HMAC_SHA256), PC_USE_SIGN);
	if (status == PC_KEYSTORE_OK) {
		status = pc_handle_load(h, &room, &secret);
	}
	if (status != PC_KEYSTORE_OK) {
		give_status(the, status);
		return;
	}
	status = pc_status_of(pc_hmac_sha256(secret, h->label_size > 0 ? 32 : h->secret_size, data.data, data.size, mac));
	pc_wipe(&room, sizeof room);
	if (status == PC_KEYSTORE_OK) {
		xsmcSetArrayBuffer(xsResult, mac, sizeof mac);
	} else {
		give_status(the, status);
	}
}

/* (handle, nonce, aad or undefined, data, tag, mode: 0 CCM, 1 GCM, decrypt) -> status */
void xs_keys_seal(xsMachine *the) {
	static pc_crypto_status (*const runs[2][2])(const pc_aead *) = {
		{pc_aes_ccm_encrypt, pc_aes_ccm_decrypt}, {pc_aes_gcm_encrypt, pc_aes_gcm_decrypt}};
	pc_key room;
	const uint8_t *secret;
	void *data, *tag;
	xsUnsignedValue data_size, tag_size;
	pc_need(the, 7);
	bool gcm = xsmcToBoolean(xsArg(5));
	bool decrypt = xsmcToBoolean(xsArg(6));
	pc_bytes nonce = pc_bytes_of(the, 1);
	pc_bytes aad = pc_optional_bytes_of(the, 2);
	xsmcGetBufferWritable(xsArg(3), &data, &data_size);
	_xsmcGetBuffer(the, &xsArg(4), &tag, &tag_size, !decrypt);
	pc_handle *h = pc_handle_of(the, 0);
	pc_keystore_status status =
		pc_handle_allows(h, PC_TYPES(PC_KEY_AES_128), decrypt ? PC_USE_DECRYPT : PC_USE_ENCRYPT);
	if (status == PC_KEYSTORE_OK) {
		status = pc_handle_load(h, &room, &secret);
	}
	if (status == PC_KEYSTORE_OK) {
		const pc_aead message = {
			secret, 16, nonce.data, nonce.size, aad.data, aad.size, data, data_size, tag, tag_size};
		pc_crypto_status done = runs[gcm][decrypt](&message);
		status = decrypt ? pc_verdict_of(done) : pc_status_of(done);
		pc_wipe(&room, sizeof room);
	}
	give_status(the, status);
}

/* (handle) -> status: forgets the key, also in flash */
void xs_keys_destroy(xsMachine *the) {
	pc_need(the, 1);
	pc_handle *h = pc_handle_of(the, 0);
	pc_keystore_status status = PC_KEYSTORE_OK;
	if (h != NULL) {
		pc_records *records = pc_keystore_records();
		if (h->label_size > 0) {
			status =
				records == NULL ? PC_KEYSTORE_FLASH : pc_records_remove(records, (const char *)h->bytes, h->label_size);
		}
		pc_handle_release(h);
		xsmcSetHostData(xsArg(0), NULL);
	}
	give_status(the, status == PC_KEYSTORE_NONE ? PC_KEYSTORE_OK : status);
}

/* () -> the attestation key's public key, or status */
void xs_keys_attestation_public(xsMachine *the) {
	uint8_t point[PC_P256_PUBLIC_SIZE];
	pc_keystore_status status = pc_keystore_attestation_public(point);
	if (status == PC_KEYSTORE_OK) {
		xsmcSetArrayBuffer(xsResult, point, sizeof point);
	} else {
		give_status(the, status);
	}
}

/* () -> boots; 0 when they can't be counted */
void xs_keys_boots(xsMachine *the) {
	uint32_t count;
	xsmcSetNumber(xsResult, pc_keystore_boot_count(&count) == PC_KEYSTORE_OK ? (xsNumberValue)count : 0);
}
