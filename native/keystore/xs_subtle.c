/*
 * xs_subtle.c: natives of pericard/webcrypto: keys of WebCrypto's kinds, and what is done with them. Keys are handles
 * (handle.h): type, usages and whether a key is extractable are enforced here, whatever JavaScript does.
 *
 * Each native gives a pc_keystore_status or a result. Work on P-256, Curve25519 and random numbers is a background job that
 * calls back (status, result, second result); the rest is done at once. Inputs of a job are copied when it starts. Arguments
 * are not converted, so no JavaScript runs inside of a native.
 */
#include "entropy.h"
#include "handle.h"
#include "kernels/verdict.h"

#include <string.h>

#define P256_TYPES (PC_TYPES(PC_KEY_ECDSA_P256) | PC_TYPES(PC_KEY_ECDH_P256))
#define SECRET_TYPES (PC_TYPES(PC_KEY_HMAC_SHA256) | PC_TYPES(PC_KEY_HMAC_SHA512) | PC_TYPES(PC_KEY_HKDF) | AES_TYPES)
#define AES_TYPES (PC_TYPES(PC_KEY_AES_CTR) | PC_TYPES(PC_KEY_AES_CCM) | PC_TYPES(PC_KEY_AES_GCM))
#define PAIR_TYPES (P256_TYPES | PC_TYPES(PC_KEY_ED25519) | PC_TYPES(PC_KEY_X25519))
/* What WebCrypto has; not what is for pericard/keystore alone. */
#define WEB_USES 0xffu

static const pc_bytes none = {NULL, 0};

static void give_status(xsMachine *the, pc_keystore_status status) {
	xsmcSetInteger(xsResult, (xsIntegerValue)status);
}

static bool is_of(uint8_t type, uint32_t types) {
	return (types & PC_TYPES(type)) != 0;
}

static bool is_p256(uint8_t type) {
	return is_of(type, P256_TYPES);
}

/* What JavaScript asks of a new key, in three arguments: type (0: none, bytes are wanted), extractable, uses. */
typedef struct {
	uint8_t type;
	bool extractable;
	uint16_t uses;
} wish;

static wish wish_of(xsMachine *the, xsIntegerValue index) {
	return (wish){
		(uint8_t)pc_integer_of(the, index, PC_KEY_X25519),
		xsmcToBoolean(xsArg(index + 1)),
		(uint16_t)pc_integer_of(the, index + 2, WEB_USES),
	};
}

/* Can there be such a secret key? */
static pc_keystore_status secret_fits(const wish *w, size_t size) {
	if (!is_of(w->type, SECRET_TYPES) || (w->uses & ~pc_type_uses(w->type, PC_FORM_SECRET)) != 0 ||
		(w->type == PC_KEY_HKDF && w->extractable)) {
		return PC_KEYSTORE_POLICY;
	}
	bool fits = is_of(w->type, AES_TYPES) ? size == 16 || size == 32 : size <= PC_SECRET_MAX;
	return fits ? PC_KEYSTORE_OK : PC_KEYSTORE_RANGE;
}

static pc_handle *new_handle(const wish *w, uint8_t form, size_t secret_size) {
	pc_handle *h = pc_handle_new(w->type, form, 0, secret_size);
	if (h != NULL) {
		h->uses = w->uses & pc_type_uses(w->type, form);
		h->extractable = w->extractable;
	}
	return h;
}

/* ---- hashes ----------------------------------------------------------------------------------------------------- */

enum { SHA256 = 1, SHA512 = 2 };

typedef struct {
	uint8_t bytes[64];
	size_t size;
} digest;

static pc_keystore_status hash(uint32_t which, pc_bytes data, digest *d) {
	if (which == SHA512) {
		pc_sha512 h;
		pc_sha512_begin(&h);
		pc_sha512_update(&h, data.data, data.size);
		d->size = PC_SHA512_SIZE;
		return pc_status_of(pc_sha512_end(&h, d->bytes));
	}
	pc_sha256 h;
	pc_sha256_begin(&h);
	pc_sha256_update(&h, data.data, data.size);
	d->size = PC_SHA256_SIZE;
	return pc_status_of(pc_sha256_end(&h, d->bytes));
}

static uint32_t hash_of(xsMachine *the, xsIntegerValue index) {
	return pc_integer_of(the, index, SHA512);
}

static void give(xsMachine *the, pc_keystore_status status, const digest *d) {
	if (status == PC_KEYSTORE_OK) {
		xsmcSetArrayBuffer(xsResult, (void *)d->bytes, (xsIntegerValue)d->size);
	} else {
		give_status(the, status);
	}
}

/* (hash, data) -> digest, or status */
void xs_subtle_digest(xsMachine *the) {
	digest d;
	pc_need(the, 2);
	give(the, hash(hash_of(the, 0), pc_bytes_of(the, 1), &d), &d);
}

/* ---- keys ------------------------------------------------------------------------------------------------------- */

/* (handle) -> type, form << 4, extractable << 6, uses << 8, and bytes of the secret * 2^16; 0: destroyed */
void xs_subtle_info(xsMachine *the) {
	pc_need(the, 1);
	const pc_handle *h = pc_handle_of(the, 0);
	xsNumberValue info = 0;
	if (h != NULL) {
		info = h->type + h->form * 16.0 + (h->extractable ? 64 : 0) + (h->uses & WEB_USES) * 256.0 +
			   h->secret_size * 65536.0;
	}
	xsmcSetNumber(xsResult, info);
}

/* (type, extractable, uses, bytes, public) -> handle, or status: a secret or a public key of given bytes. A point of P-256
 * is 65 bytes. */
void xs_subtle_import(xsMachine *the) {
	pc_need(the, 5);
	wish w = wish_of(the, 0);
	bool public = xsmcToBoolean(xsArg(4));
	pc_bytes bytes = pc_bytes_of(the, 3);
	pc_keystore_status status;
	if (!public) {
		status = secret_fits(&w, bytes.size);
	} else if (!is_of(w.type, PAIR_TYPES) || (w.uses & ~pc_type_uses(w.type, PC_FORM_PUBLIC)) != 0) {
		status = PC_KEYSTORE_POLICY;
	} else if (is_p256(w.type)) {
		status = pc_crypto.is_point(bytes.data, bytes.size) ? PC_KEYSTORE_OK : PC_KEYSTORE_KEY;
	} else {
		status = bytes.size == 32 ? PC_KEYSTORE_OK : PC_KEYSTORE_KEY;
	}
	if (status != PC_KEYSTORE_OK) {
		give_status(the, status);
		return;
	}
	pc_handle *h = new_handle(&w, public ? PC_FORM_PUBLIC : PC_FORM_SECRET, public ? 0 : bytes.size);
	if (h == NULL) {
		give_status(the, PC_KEYSTORE_FULL);
		return;
	}
	if (bytes.size > 0) {
		memcpy(h->bytes, bytes.data, bytes.size);
	}
	pc_handle_give(the, &xsResult, h);
}

/* The public key of a private one. */
static pc_keystore_status public_of(uint8_t type, const uint8_t secret[32], uint8_t *public_key) {
	if (is_p256(type)) {
		return pc_status_of(pc_p256_public(secret, public_key));
	}
	return pc_status_of(
		type == PC_KEY_ED25519 ? pc_ed25519_public(secret, public_key) : pc_x25519_public(secret, public_key));
}

static pc_keystore_status complete(pc_operation *o) {
	pc_handle *made = o->made[0];
	const uint8_t *expected = pc_input(o, 0);
	pc_keystore_status status = public_of(made->type, pc_handle_secret(made), pc_handle_public(made));
	if (status == PC_KEYSTORE_OK && o->sizes[0] > 0 &&
		(o->sizes[0] != made->public_size || memcmp(pc_handle_public(made), expected, made->public_size) != 0)) {
		status = PC_KEYSTORE_KEY;
	}
	return status;
}

/* (type, extractable, uses, bytes, public key or undefined, callback) -> status: calls back with the handle of a private key.
 * PC_KEYSTORE_KEY if it is none, or the public key is not its own. */
void xs_subtle_import_private(xsMachine *the) {
	pc_need(the, 6);
	wish w = wish_of(the, 0);
	pc_bytes bytes = pc_bytes_of(the, 3);
	const pc_bytes inputs[3] = {pc_optional_bytes_of(the, 4)};
	pc_keystore_status status = PC_KEYSTORE_OK;
	if (!is_of(w.type, PAIR_TYPES) || (w.uses & ~pc_type_uses(w.type, PC_FORM_PRIVATE)) != 0) {
		status = PC_KEYSTORE_POLICY;
	} else if (bytes.size != 32) {
		status = PC_KEYSTORE_KEY;
	}
	if (status == PC_KEYSTORE_OK) {
		pc_operation *o = pc_operation_new(complete, NULL, NULL, inputs);
		o = pc_operation_makes(o, new_handle(&w, PC_FORM_PRIVATE, bytes.size));
		if (o != NULL) {
			memcpy(pc_handle_secret(o->made[0]), bytes.data, bytes.size);
		}
		status = pc_operation_start(the, o, 5);
	}
	give_status(the, status);
}

static pc_keystore_status generate(pc_operation *o) {
	pc_handle *made = o->made[0];
	pc_handle *pair = o->made[1];
	pc_keystore_status status;
	do {
		if (pc_random(pc_handle_secret(made), made->secret_size) != PC_ENTROPY_OK) {
			return PC_KEYSTORE_ENTROPY;
		}
		/* FIPS 186-5, A.2.2: a number that is no private key (2^-32 of all are none) is drawn again. */
		status = pair == NULL ? PC_KEYSTORE_OK : public_of(made->type, pc_handle_secret(made), pc_handle_public(made));
	} while (status == PC_KEYSTORE_KEY);
	if (status == PC_KEYSTORE_OK && pair != NULL) {
		pair->extractable = true;
		memcpy(pc_handle_public(pair), pc_handle_public(made), pair->public_size);
	}
	return status;
}

/* (type, extractable, uses, bytes of a secret key, callback) -> status: calls back with a handle; or with two, a private and
 * a public key, each with those of the uses that are its own. */
void xs_subtle_generate(xsMachine *the) {
	const pc_bytes inputs[3] = {none};
	pc_need(the, 5);
	wish w = wish_of(the, 0);
	size_t size = pc_integer_of(the, 3, PC_SECRET_MAX);
	bool pair = is_of(w.type, PAIR_TYPES);
	pc_keystore_status status = pair ? PC_KEYSTORE_OK : secret_fits(&w, size);
	if (status == PC_KEYSTORE_OK) {
		pc_operation *o = pc_operation_new(generate, NULL, NULL, inputs);
		o = pc_operation_makes(o, new_handle(&w, pair ? PC_FORM_PRIVATE : PC_FORM_SECRET, pair ? 32 : size));
		if (pair) {
			o = pc_operation_makes(o, new_handle(&w, PC_FORM_PUBLIC, 0));
		}
		status = pc_operation_start(the, o, 4);
	}
	give_status(the, status);
}

/* (handle, public) -> bytes, or status: of a key that is extractable, the secret or the public key */
void xs_subtle_export(xsMachine *the) {
	pc_need(the, 2);
	bool public = xsmcToBoolean(xsArg(1));
	pc_handle *h = pc_handle_of(the, 0);
	size_t size = h == NULL ? 0 : public ? h->public_size : h->secret_size;
	if (h == NULL) {
		give_status(the, PC_KEYSTORE_NONE);
	} else if (!h->extractable || (public && size == 0) || (!public && h->form == PC_FORM_PUBLIC)) {
		give_status(the, PC_KEYSTORE_POLICY);
	} else {
		void *to = xsmcSetArrayBuffer(xsResult, NULL, (xsIntegerValue)size);
		if (size > 0) {
			memcpy(to, public ? pc_handle_public(h) : pc_handle_secret(h), size);
		}
	}
}

/* (handle): overwrites a key that is not in flash */
void xs_subtle_destroy(xsMachine *the) {
	pc_need(the, 1);
	pc_handle_release(pc_handle_of(the, 0));
	xsmcSetHostData(xsArg(0), NULL);
}

/* ---- HMAC ------------------------------------------------------------------------------------------------------- */

#define HMAC_TYPES (PC_TYPES(PC_KEY_HMAC_SHA256) | PC_TYPES(PC_KEY_HMAC_SHA512))

static pc_keystore_status mac_of(pc_handle *h, pc_key_use use, pc_bytes data, digest *d) {
	pc_key room;
	const uint8_t *secret;
	pc_keystore_status status = pc_handle_allows(h, HMAC_TYPES, use);
	if (status == PC_KEYSTORE_OK) {
		status = pc_handle_load(h, &room, &secret);
	}
	if (status == PC_KEYSTORE_OK) {
		size_t size = h->label_size > 0 ? sizeof room.secret : h->secret_size;
		bool longer = h->type == PC_KEY_HMAC_SHA512;
		d->size = longer ? PC_SHA512_SIZE : PC_SHA256_SIZE;
		status = pc_status_of((longer ? pc_hmac_sha512 : pc_hmac_sha256)(secret, size, data.data, data.size, d->bytes));
		pc_wipe(&room, sizeof room);
	}
	return status;
}

/* (handle, data) -> MAC, or status */
void xs_subtle_mac(xsMachine *the) {
	digest mac;
	pc_need(the, 2);
	give(the, mac_of(pc_handle_of(the, 0), PC_USE_SIGN, pc_bytes_of(the, 1), &mac), &mac);
}

/* (handle, data, MAC) -> verdict, or status */
void xs_subtle_mac_verify(xsMachine *the) {
	digest mac;
	pc_need(the, 3);
	pc_bytes given = pc_bytes_of(the, 2);
	pc_keystore_status status = mac_of(pc_handle_of(the, 0), PC_USE_VERIFY, pc_bytes_of(the, 1), &mac);
	if (status == PC_KEYSTORE_OK) {
		bool same = given.size == mac.size && pc_equal(given.data, mac.bytes, mac.size);
		status = pc_verdict_of(same ? PC_CRYPTO_OK : PC_CRYPTO_FORGED);
		pc_wipe(&mac, sizeof mac);
	}
	give_status(the, status);
}

/* ---- AES -------------------------------------------------------------------------------------------------------- */

typedef struct {
	pc_handle *key;
	pc_bytes iv, aad;
	uint32_t extra; /* CTR: bits of the counter; else bytes of the tag */
	bool decrypt;
} cipher;

/* Bytes that come out of `size` bytes. */
static pc_keystore_status output_size(const cipher *c, size_t size, size_t *out) {
	size_t tag = c->key->type == PC_KEY_AES_CTR ? 0 : c->extra;
	if (c->decrypt ? size < tag : size > INT32_MAX - tag) {
		return c->decrypt ? PC_KEYSTORE_FORGED : PC_KEYSTORE_RANGE;
	}
	*out = c->decrypt ? size - tag : size + tag;
	return PC_KEYSTORE_OK;
}

/* From `from`, the bytes of a message and, to decrypt, its tag, to `to`. PC_KEYSTORE_RIGHT; or another status, and `to` has
 * nothing of the message. */
static pc_keystore_status run_cipher(const cipher *c, pc_bytes from, uint8_t *to) {
	static pc_crypto_status (*const runs[2][2])(const pc_aead *) = {
		{pc_aes_ccm_encrypt, pc_aes_ccm_decrypt}, {pc_aes_gcm_encrypt, pc_aes_gcm_decrypt}};
	const uint8_t *key = pc_handle_secret(c->key);
	size_t key_size = c->key->secret_size;
	pc_crypto_status status;
	if (c->key->type == PC_KEY_AES_CTR) {
		uint8_t counter[16];
		if (c->iv.size != sizeof counter) {
			return PC_KEYSTORE_RANGE;
		}
		memcpy(counter, c->iv.data, sizeof counter);
		if (from.size > 0) {
			memcpy(to, from.data, from.size);
		}
		status = pc_aes_ctr(key, key_size, counter, c->extra, to, from.size);
		if (status != PC_CRYPTO_OK) {
			pc_wipe(to, from.size);
		}
		return pc_verdict_of(status);
	}
	size_t size = c->decrypt ? from.size - c->extra : from.size;
	uint8_t *tag = c->decrypt ? (uint8_t *)from.data + size : to + size;
	if (size > 0) {
		memcpy(to, from.data, size);
	}
	const pc_aead message = {key, key_size, c->iv.data, c->iv.size, c->aad.data, c->aad.size, to, size, tag, c->extra};
	status = runs[c->key->type == PC_KEY_AES_GCM][c->decrypt](&message);
	if (status != PC_CRYPTO_OK) {
		pc_wipe(to, size);
	}
	return pc_verdict_of(status);
}

/* Arguments 0 to 3: (handle, iv, aad or undefined, bits of the counter or bytes of the tag). */
static pc_keystore_status cipher_of(xsMachine *the, pc_key_use use, cipher *c) {
	*c = (cipher){
		.iv = pc_bytes_of(the, 1),
		.aad = pc_optional_bytes_of(the, 2),
		.extra = pc_integer_of(the, 3, 128),
		.key = pc_handle_of(the, 0),
		.decrypt = use == PC_USE_DECRYPT || use == PC_USE_UNWRAP_KEY,
	};
	return pc_handle_allows(c->key, AES_TYPES, use);
}

/* The result becomes the status, unless that is PC_KEYSTORE_RIGHT. One check that is left out does not keep a result. */
static void give_unless_right(xsMachine *the, pc_keystore_status status) {
	uint32_t word = pc_opaque((uint32_t)status);
	if (word != PC_VERDICT_YES) {
		give_status(the, status);
	}
	if (pc_opaque(word) != PC_VERDICT_YES) {
		give_status(the, status);
	}
}

/* (handle, iv, aad, extra, data or the handle of a key to wrap, what: 0 encrypt, 1 decrypt, 2 wrap) -> bytes, or status */
void xs_subtle_cipher(xsMachine *the) {
	static const pc_key_use uses[] = {PC_USE_ENCRYPT, PC_USE_DECRYPT, PC_USE_WRAP_KEY};
	cipher c;
	pc_bytes data;
	pc_handle *wrapped = NULL;
	size_t size;
	pc_need(the, 6);
	pc_key_use use = uses[pc_integer_of(the, 5, 2)];
	pc_keystore_status status = cipher_of(the, use, &c);
	if (use == PC_USE_WRAP_KEY) {
		wrapped = pc_handle_of(the, 4);
		data = wrapped == NULL ? none : (pc_bytes){pc_handle_secret(wrapped), wrapped->secret_size};
		if (status == PC_KEYSTORE_OK && (wrapped == NULL || !wrapped->extractable || wrapped->form != PC_FORM_SECRET)) {
			status = wrapped == NULL ? PC_KEYSTORE_NONE : PC_KEYSTORE_POLICY;
		}
	} else {
		data = pc_bytes_of(the, 4);
	}
	if (status == PC_KEYSTORE_OK) {
		status = output_size(&c, data.size, &size);
	}
	if (status == PC_KEYSTORE_OK) {
		uint8_t *to = xsmcSetArrayBuffer(xsResult, NULL, (xsIntegerValue)size);
		/* What was allocated may have moved the buffers. */
		(void)cipher_of(the, use, &c);
		if (wrapped == NULL) {
			data = pc_bytes_of(the, 4);
		}
		status = run_cipher(&c, data, to);
	}
	give_unless_right(the, status);
}

/* (handle, iv, aad, extra, data, type, extractable, uses) -> handle, or status: a secret key whose bytes JavaScript never
 * sees */
void xs_subtle_unwrap(xsMachine *the) {
	cipher c;
	size_t size = 0;
	pc_need(the, 8);
	wish w = wish_of(the, 5);
	pc_bytes data = pc_bytes_of(the, 4);
	pc_keystore_status status = cipher_of(the, PC_USE_UNWRAP_KEY, &c);
	if (status == PC_KEYSTORE_OK) {
		status = output_size(&c, data.size, &size);
	}
	if (status == PC_KEYSTORE_OK) {
		status = secret_fits(&w, size);
	}
	if (status == PC_KEYSTORE_OK) {
		pc_handle *h = new_handle(&w, PC_FORM_SECRET, size);
		status = h == NULL ? PC_KEYSTORE_FULL : run_cipher(&c, data, pc_handle_secret(h));
		if (status != PC_KEYSTORE_RIGHT) {
			pc_handle_release(h);
		} else if (pc_opaque((uint32_t)status) == PC_VERDICT_YES) {
			pc_handle_give(the, &xsResult, h);
		}
	}
	give_unless_right(the, status);
}

/* ---- signatures ------------------------------------------------------------------------------------------------- */

static pc_keystore_status ecdsa_sign(pc_operation *o) {
	pc_key room;
	const uint8_t *secret;
	pc_keystore_status status = pc_handle_load(o->key, &room, &secret);
	if (status == PC_KEYSTORE_OK) {
		o->output_size = PC_SIGNATURE_SIZE;
		status = pc_status_of(pc_ecdsa_sign_with(secret, pc_handle_public(o->key), pc_input(o, 0), o->output));
		pc_wipe(&room, sizeof room);
	}
	return status;
}

static pc_keystore_status ecdsa_verify(pc_operation *o) {
	return pc_verdict_of(pc_ecdsa_verify(pc_handle_public(o->key), pc_input(o, 0), pc_input(o, 1)));
}

static pc_keystore_status ed25519_sign(pc_operation *o) {
	o->output_size = PC_SIGNATURE_SIZE;
	return pc_status_of(
		pc_ed25519_sign(pc_handle_secret(o->key), pc_handle_public(o->key), pc_input(o, 0), o->sizes[0], o->output));
}

static pc_keystore_status ed25519_verify(pc_operation *o) {
	return pc_verdict_of(pc_ed25519_verify(pc_handle_public(o->key), pc_input(o, 0), o->sizes[0], pc_input(o, 1)));
}

/* Starts it if the key may do it: what is signed is the message, for Ed25519, or the first 32 bytes of its digest. */
static void start(xsMachine *the, pc_key_use use, xsIntegerValue callback) {
	digest d;
	uint32_t which = hash_of(the, 1);
	pc_bytes inputs[3] = {pc_bytes_of(the, 2), use == PC_USE_VERIFY ? pc_bytes_of(the, 3) : none, none};
	pc_handle *h = pc_handle_of(the, 0);
	pc_keystore_status status = pc_handle_allows(h, PC_TYPES(which == 0 ? PC_KEY_ED25519 : PC_KEY_ECDSA_P256), use);
	if (status == PC_KEYSTORE_OK && use == PC_USE_VERIFY && inputs[1].size != PC_SIGNATURE_SIZE) {
		status = PC_KEYSTORE_FORGED;
	}
	if (status == PC_KEYSTORE_OK && which != 0) {
		status = hash(which, inputs[0], &d);
		inputs[0] = (pc_bytes){d.bytes, PC_SHA256_SIZE};
	}
	if (status == PC_KEYSTORE_OK) {
		pc_keystore_status (*run)(pc_operation *) = use == PC_USE_SIGN ? (which == 0 ? ed25519_sign : ecdsa_sign)
																	   : (which == 0 ? ed25519_verify : ecdsa_verify);
		status = pc_operation_start(the, pc_operation_new(run, h, NULL, inputs), callback);
	}
	give_status(the, status);
}

/* (handle, hash or 0 for Ed25519, data, callback) -> status: calls back with the signature */
void xs_subtle_sign(xsMachine *the) {
	pc_need(the, 4);
	start(the, PC_USE_SIGN, 3);
}

/* (handle, hash or 0 for Ed25519, data, signature, callback) -> status: calls back with the verdict, or the status */
void xs_subtle_verify(xsMachine *the) {
	pc_need(the, 5);
	start(the, PC_USE_VERIFY, 4);
}

/* ---- derivation ------------------------------------------------------------------------------------------------- */

/* (handle, hash, salt, info, size, type or 0 for bytes, extractable, uses) -> bytes, handle, or status */
void xs_subtle_hkdf(xsMachine *the) {
	pc_need(the, 8);
	uint32_t which = hash_of(the, 1);
	size_t size = pc_integer_of(the, 4, PC_SECRET_MAX);
	wish w = wish_of(the, 5);
	pc_handle *made = NULL;
	uint8_t *to = NULL;
	pc_handle *h = pc_handle_of(the, 0);
	pc_keystore_status status =
		pc_handle_allows(h, PC_TYPES(PC_KEY_HKDF), w.type == 0 ? PC_USE_DERIVE_BITS : PC_USE_DERIVE_KEY);
	if (status == PC_KEYSTORE_OK && w.type != 0) {
		status = secret_fits(&w, size);
	}
	/* RFC 5869, 2.3. */
	if (status == PC_KEYSTORE_OK && size > 255 * (which == SHA512 ? PC_SHA512_SIZE : PC_SHA256_SIZE)) {
		status = PC_KEYSTORE_RANGE;
	}
	if (status == PC_KEYSTORE_OK && w.type != 0) {
		made = new_handle(&w, PC_FORM_SECRET, size);
		if (made == NULL) {
			give_status(the, PC_KEYSTORE_FULL);
			return;
		}
		pc_handle_give(the, &xsResult, made);
		to = pc_handle_secret(made);
	} else if (status == PC_KEYSTORE_OK) {
		to = xsmcSetArrayBuffer(xsResult, NULL, (xsIntegerValue)size);
	}
	if (status == PC_KEYSTORE_OK && size > 0) {
		pc_bytes salt = pc_bytes_of(the, 2);
		pc_bytes info = pc_bytes_of(the, 3);
		status = pc_status_of((which == SHA512 ? pc_hkdf_sha512 : pc_hkdf_sha256)(
			salt.data, salt.size, pc_handle_secret(h), h->secret_size, info.data, info.size, to, size));
	}
	if (status != PC_KEYSTORE_OK) {
		give_status(the, status);
	}
}

static pc_keystore_status agree(pc_operation *o) {
	pc_key room;
	const uint8_t *secret;
	uint8_t shared[32];
	pc_handle *made = o->made[0];
	pc_keystore_status status = pc_handle_load(o->key, &room, &secret);
	if (status == PC_KEYSTORE_OK) {
		const uint8_t *peer = pc_handle_public(o->peer);
		status = pc_status_of(
			o->key->type == PC_KEY_X25519 ? pc_x25519(secret, peer, shared) : pc_p256_ecdh(secret, peer, shared));
		pc_wipe(&room, sizeof room);
	}
	if (status == PC_KEYSTORE_OK) {
		if (made != NULL) {
			memcpy(pc_handle_secret(made), shared, made->secret_size);
		} else {
			o->output_size = sizeof shared;
			memcpy(o->output, shared, sizeof shared);
		}
		pc_wipe(shared, sizeof shared);
	}
	return status;
}

/* (handle, the peer's public key, size, type or 0 for all bytes, extractable, uses, callback) -> status: calls back with the
 * common secret, or with a key of its first `size` bytes */
void xs_subtle_agree(xsMachine *the) {
	const pc_bytes inputs[3] = {none};
	pc_need(the, 7);
	size_t size = pc_integer_of(the, 2, PC_SECRET_MAX);
	wish w = wish_of(the, 3);
	pc_handle *peer = pc_handle_of(the, 1);
	pc_handle *h = pc_handle_of(the, 0);
	pc_keystore_status status = pc_handle_allows(
		h, PC_TYPES(PC_KEY_ECDH_P256) | PC_TYPES(PC_KEY_X25519), w.type == 0 ? PC_USE_DERIVE_BITS : PC_USE_DERIVE_KEY);
	if (status == PC_KEYSTORE_OK && (peer == NULL || peer->type != h->type || peer->form != PC_FORM_PUBLIC)) {
		status = peer == NULL ? PC_KEYSTORE_NONE : PC_KEYSTORE_POLICY;
	}
	if (status == PC_KEYSTORE_OK && size > 32) {
		status = PC_KEYSTORE_RANGE;
	}
	if (status == PC_KEYSTORE_OK && w.type != 0) {
		status = secret_fits(&w, size);
	}
	if (status == PC_KEYSTORE_OK) {
		pc_operation *o = pc_operation_new(agree, h, peer, inputs);
		if (w.type != 0) {
			o = pc_operation_makes(o, new_handle(&w, PC_FORM_SECRET, size));
		}
		status = pc_operation_start(the, o, 6);
	}
	give_status(the, status);
}
