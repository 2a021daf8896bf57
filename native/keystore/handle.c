/* handle.c: see handle.h. */
#include "handle.h"

#include "kernels/verdict.h"

#include "device.h"
#include "platform.h"

#include <string.h>

/* ---- what belongs to a type ------------------------------------------------------------------------------------- */

size_t pc_type_public_size(uint8_t type) {
	return pc_key_has_point(type) ? PC_P256_PUBLIC_SIZE : type == PC_KEY_ED25519 || type == PC_KEY_X25519 ? 32 : 0;
}

uint16_t pc_type_uses(uint8_t type, uint8_t form) {
	static const uint16_t uses[][3] = {
		[PC_KEY_ECDSA_P256] = {0, PC_USE_SIGN, PC_USE_VERIFY},
		[PC_KEY_ECDH_P256] = {0, PC_USE_DERIVE_KEY | PC_USE_DERIVE_BITS | PC_USE_DERIVE_SEALED, 0},
		[PC_KEY_HMAC_SHA256] = {PC_USE_SIGN | PC_USE_VERIFY, 0, 0},
		[PC_KEY_AES_128] = {PC_USE_ENCRYPT | PC_USE_DECRYPT, 0, 0},
		[PC_KEY_HMAC_SHA512] = {PC_USE_SIGN | PC_USE_VERIFY, 0, 0},
		[PC_KEY_HKDF] = {PC_USE_DERIVE_KEY | PC_USE_DERIVE_BITS, 0, 0},
		[PC_KEY_AES_CTR] = {PC_USE_ENCRYPT | PC_USE_DECRYPT | PC_USE_WRAP_KEY | PC_USE_UNWRAP_KEY, 0, 0},
		[PC_KEY_AES_CCM] = {PC_USE_ENCRYPT | PC_USE_DECRYPT | PC_USE_WRAP_KEY | PC_USE_UNWRAP_KEY, 0, 0},
		[PC_KEY_AES_GCM] = {PC_USE_ENCRYPT | PC_USE_DECRYPT | PC_USE_WRAP_KEY | PC_USE_UNWRAP_KEY, 0, 0},
		[PC_KEY_ED25519] = {0, PC_USE_SIGN, PC_USE_VERIFY},
		[PC_KEY_X25519] = {0, PC_USE_DERIVE_KEY | PC_USE_DERIVE_BITS, 0},
	};
	return type < sizeof uses / sizeof uses[0] && form <= PC_FORM_PUBLIC ? uses[type][form] : 0;
}

pc_keystore_status pc_status_of(pc_crypto_status status) {
	switch (status) {
	case PC_CRYPTO_OK:
		return PC_KEYSTORE_OK;
	case PC_CRYPTO_RANGE:
		return PC_KEYSTORE_RANGE;
	case PC_CRYPTO_FORGED:
		return PC_KEYSTORE_FORGED;
	case PC_CRYPTO_KEY:
		return PC_KEYSTORE_KEY;
	case PC_CRYPTO_FAULT:
		return PC_KEYSTORE_FAULT;
	default:
		return PC_KEYSTORE_ENGINE;
	}
}

_Static_assert((int)PC_KEYSTORE_RIGHT == (int)PC_CRYPTO_OK, "one word for right");

pc_keystore_status pc_verdict_of(pc_crypto_status status) {
	uint32_t word = (uint32_t)status;
	if (pc_opaque(word) != PC_VERDICT_YES) {
		pc_keystore_status wrong = pc_status_of(status);
		word = (uint32_t)(wrong == PC_KEYSTORE_OK ? PC_KEYSTORE_FORGED : wrong);
	}
	return (pc_keystore_status)pc_opaque(word);
}

/* ---- handles ---------------------------------------------------------------------------------------------------- */

pc_handle *pc_handle_new(uint8_t type, uint8_t form, size_t label_size, size_t secret_size) {
	size_t public_size = form == PC_FORM_SECRET ? 0 : pc_type_public_size(type);
	pc_handle *h = c_calloc(1, sizeof *h + label_size + public_size + secret_size);
	if (h != NULL) {
		h->references = 1;
		h->type = type;
		h->form = form;
		h->label_size = (uint8_t)label_size;
		h->public_size = (uint8_t)public_size;
		h->secret_size = (uint16_t)secret_size;
	}
	return h;
}

void pc_handle_release(pc_handle *h) {
	if (h != NULL && --h->references == 0) {
		pc_wipe(h, sizeof *h + h->label_size + h->public_size + h->secret_size);
		c_free(h);
	}
}

void xs_key_destructor(void *data) {
	pc_handle_release(data);
}

void pc_handle_give(xsMachine *the, xsSlot *to, pc_handle *h) {
	*to = xsNewHostObject(xs_key_destructor);
	xsmcSetHostData(*to, h);
}

pc_handle *pc_handle_of(xsMachine *the, xsIntegerValue index) {
	return xsmcGetHostDataValidate(xsArg(index), (void *)xs_key_destructor);
}

pc_keystore_status pc_handle_allows(const pc_handle *h, uint32_t types, unsigned uses) {
	if (h == NULL) {
		return PC_KEYSTORE_NONE;
	}
	return (types & PC_TYPES(h->type)) != 0 && (h->uses & uses) != 0 ? PC_KEYSTORE_OK : PC_KEYSTORE_POLICY;
}

pc_keystore_status pc_handle_load(pc_handle *h, pc_key *room, const uint8_t **secret) {
	const pc_records *records = pc_keystore_records();
	if (h->label_size == 0) {
		*secret = pc_handle_secret(h);
		return PC_KEYSTORE_OK;
	}
	if (records == NULL) {
		return PC_KEYSTORE_FLASH;
	}
	pc_keystore_status status = pc_records_load(records, (const char *)h->bytes, h->label_size, room);
	/* Another key may have come under the label. */
	bool same = room->type == h->type &&
				(h->public_size == 0 || memcmp(room->point, pc_handle_public(h) + 1, sizeof room->point) == 0);
	if (status == PC_KEYSTORE_OK && !same) {
		pc_wipe(room, sizeof *room);
		status = PC_KEYSTORE_NONE;
	}
	*secret = room->secret;
	return status;
}

/* ---- arguments -------------------------------------------------------------------------------------------------- */

void pc_need(xsMachine *the, xsIntegerValue count) {
	if (xsmcArgc < count) {
		xsTypeError("keystore: %d arguments expected", (int)count);
	}
}

pc_bytes pc_bytes_of(xsMachine *the, xsIntegerValue index) {
	void *data;
	xsUnsignedValue size;
	xsmcGetBufferReadable(xsArg(index), &data, &size);
	return (pc_bytes){data, size};
}

pc_bytes pc_optional_bytes_of(xsMachine *the, xsIntegerValue index) {
	return xsmcTypeOf(xsArg(index)) == xsUndefinedType ? (pc_bytes){NULL, 0} : pc_bytes_of(the, index);
}

uint32_t pc_integer_of(xsMachine *the, xsIntegerValue index, uint32_t most) {
	xsType type = xsmcTypeOf(xsArg(index));
	bool number = type == xsIntegerType || type == xsNumberType;
	xsNumberValue value = number ? xsmcToNumber(xsArg(index)) : -1;
	if (!(value >= 0 && value <= most) || value != (xsNumberValue)(uint32_t)value) {
		xsTypeError("keystore: argument %d is out of range", (int)index);
	}
	return (uint32_t)value;
}

/* ---- operations ------------------------------------------------------------------------------------------------- */

static void forget(pc_operation *o) {
	pc_handle_release(o->key);
	pc_handle_release(o->peer);
	pc_handle_release(o->made[0]);
	pc_handle_release(o->made[1]);
	pc_wipe(o, sizeof *o + o->sizes[0] + o->sizes[1] + o->sizes[2]);
	c_free(o);
}

static void body(pc_job *job) {
	pc_operation *o = (pc_operation *)job;
	o->status = o->run(o);
}

static void done(pc_job *job, void *machine) {
	pc_operation *o = (pc_operation *)job;
	xsBeginHost(machine);
	xsmcVars(4);
	xsTry {
		xsVar(0) = o->callback;
		xsmcSetInteger(xsVar(1), (xsIntegerValue)o->status);
		for (xsIntegerValue i = 0; i < 2 && o->status == PC_KEYSTORE_OK && o->made[i] != NULL; i++) {
			pc_handle_give(the, &xsVar(2 + i), o->made[i]);
			o->made[i] = NULL;
		}
		if (o->status == PC_KEYSTORE_OK && o->output_size > 0) {
			xsmcSetArrayBuffer(xsVar(2), o->output, (xsIntegerValue)o->output_size);
		}
		xsForget(o->callback);
		forget(o);
		(void)xsCallFunction3(xsVar(0), xsGlobal, xsVar(1), xsVar(2), xsVar(3));
	}
	xsCatch {
		pc_uncaught(the, false);
	}
	xsEndHost();
}

pc_operation *pc_operation_new(
	pc_keystore_status (*run)(pc_operation *o), pc_handle *key, pc_handle *peer, const pc_bytes inputs[3]) {
	pc_operation *o = c_calloc(1, sizeof *o + inputs[0].size + inputs[1].size + inputs[2].size);
	if (o == NULL) {
		return NULL;
	}
	uint8_t *to = o->input;
	for (unsigned i = 0; i < 3; i++) {
		o->sizes[i] = inputs[i].size;
		if (inputs[i].size > 0) {
			memcpy(to, inputs[i].data, inputs[i].size);
			to += inputs[i].size;
		}
	}
	o->run = run;
	o->key = key;
	o->peer = peer;
	if (key != NULL) {
		key->references++;
	}
	if (peer != NULL) {
		peer->references++;
	}
	return o;
}

pc_operation *pc_operation_makes(pc_operation *o, pc_handle *made) {
	if (o == NULL || made == NULL) {
		pc_handle_release(made);
		if (o != NULL) {
			forget(o);
		}
		return NULL;
	}
	o->made[o->made[0] == NULL ? 0 : 1] = made;
	return o;
}

pc_keystore_status pc_operation_start(xsMachine *the, pc_operation *o, xsIntegerValue callback) {
	if (o == NULL) {
		return PC_KEYSTORE_FULL;
	}
	o->job = (pc_job){.body = body, .done = done};
	o->callback = xsArg(callback);
	xsRemember(o->callback);
	pc_background_start(&o->job);
	return PC_KEYSTORE_OK;
}
