/*
 * fuzz.c: libFuzzer targets for what takes input from a peer; FUZZ_TARGET in the environment names one. Inputs are applied
 * to what is right as differences (XOR), so that those of few bits come near it: with none it must be accepted, with any it
 * must not, and nothing may be read or written beyond a block.
 */
#include "crypto.h"
#include "kernels/ed25519.h"
#include "kernels/p256.h"
#include "kernels/verdict.h"
#include "kernels/x25519.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t private_key[32] = {7, 7, 7, 7};

static void require(bool what) {
	if (!what) {
		abort();
	}
}

/* What is left of an input. */
typedef struct {
	const uint8_t *data;
	size_t size;
} input;

static size_t take_number(input *in, size_t limit) {
	if (in->size == 0) {
		return 0;
	}
	in->size--;
	return *in->data++ % (limit + 1);
}

/* A block of `size` bytes that are those of `right`, as far as there are such, with differences. Says if there are any. */
static uint8_t *take(input *in, const uint8_t *right, size_t right_size, size_t size, bool *differs) {
	uint8_t *block = malloc(size + (size == 0));
	require(block != NULL);
	*differs |= size != right_size;
	for (size_t i = 0; i < size; i++) {
		uint8_t difference = 0;
		if (in->size > 0) {
			difference = *in->data++;
			in->size--;
		}
		block[i] = i < right_size ? right[i] ^ difference : difference;
		*differs |= difference != 0;
	}
	return block;
}

/* The right size, but in one case of four another, near it or any. */
static size_t take_size(input *in, size_t right, size_t limit) {
	switch (take_number(in, 15)) {
	case 0:
		return take_number(in, limit);
	case 1:
		return right - 1;
	case 2:
		return right + 1;
	case 3:
		return take_number(in, 1) * right / 2;
	default:
		return right;
	}
}

static void point(input in) {
	uint8_t right[65], secret[32];
	bool differs = false;
	require(pc_p256_public(private_key, right) == PC_CRYPTO_OK);
	size_t size = take_size(&in, 65, 100);
	uint8_t *bytes = take(&in, right, 65, size, &differs);
	bool accepted = pc_p256_is_point(bytes, size) == 1;
	require(differs || accepted);
	require(!accepted || size == 65);
	if (size == 65) {
		pc_crypto_status status = pc_p256_ecdh(private_key, bytes, secret);
		require((status == PC_CRYPTO_OK) == accepted && (accepted || status == PC_CRYPTO_KEY));
		/* Once the point is the point. */
		static const uint8_t one[1] = {1};
		uint8_t copy[65];
		memcpy(copy, bytes, 65);
		require(pc_p256_ec.mul(copy, 65, one, 1, BR_EC_secp256r1) == (uint32_t)accepted);
		require(!accepted || memcmp(copy, bytes, 65) == 0);
	}
	free(bytes);
}

static void p256_verify(input in) {
	static const uint8_t digest[64] = {1, 2, 3};
	uint8_t key[65], signature[64];
	require(pc_p256_public(private_key, key) == PC_CRYPTO_OK);
	require(pc_ecdsa_sign(private_key, digest, signature) == PC_CRYPTO_OK);
	bool differs = false, beyond = false;
	size_t sizes[] = {take_size(&in, 65, 100), take_size(&in, 64, 100), take_size(&in, 32, 64)};
	uint8_t *k = take(&in, key, 65, sizes[0], &differs);
	uint8_t *s = take(&in, signature, 64, sizes[1], &differs);
	/* What is behind 32 bytes of a digest doesn't count. */
	uint8_t *d = take(&in, digest, 32, sizes[2] < 32 ? sizes[2] : 32, &differs);
	uint8_t *longer = take(&in, d, sizes[2] < 32 ? sizes[2] : 32, sizes[2], &beyond);
	memcpy(longer, d, sizes[2] < 32 ? sizes[2] : 32);
	br_ec_public_key public = {BR_EC_secp256r1, k, sizes[0]};
	bool accepted = pc_p256_verify_raw(&pc_p256_ec, longer, sizes[2], &public, s, sizes[1]) == PC_VERDICT_YES;
	require(accepted == !differs);
	if (sizes[0] == 65 && sizes[1] == 64 && sizes[2] == 32) {
		require((pc_ecdsa_verify(k, d, s) == PC_CRYPTO_OK) == accepted);
	}
	free(k);
	free(s);
	free(d);
	free(longer);
}

static void ed25519_verify(input in) {
	static const uint8_t text[] = "a text that is signed";
	uint8_t key[32], signature[64];
	pc_ed25519_public_raw(key, private_key);
	pc_ed25519_sign_raw(signature, private_key, key, text, sizeof text);
	bool differs = false;
	size_t size = take_size(&in, sizeof text, 255);
	uint8_t *k = take(&in, key, 32, 32, &differs);
	uint8_t *s = take(&in, signature, 64, 64, &differs);
	uint8_t *t = take(&in, text, sizeof text, size, &differs);
	require((pc_ed25519_verify_raw(s, k, t, size) == PC_VERDICT_YES) == !differs);
	free(k);
	free(s);
	free(t);
}

static void x25519(input in) {
	uint8_t nine[32] = {9}, out[32], other[32];
	bool differs = false;
	uint8_t *u = take(&in, nine, 32, 32, &differs);
	uint32_t good = pc_x25519_raw(out, private_key, u);
	u[31] ^= 0x80;
	require(pc_x25519_raw(other, private_key, u) == good && memcmp(out, other, 32) == 0);
	pc_x25519_public_raw(other, private_key);
	require(differs || memcmp(out, other, 32) == 0);
	free(u);
}

/* Opens what was sealed with other parts, or parts of other sizes. */
static void open(input in, pc_crypto_status (*encrypt)(const pc_aead *), pc_crypto_status (*decrypt)(const pc_aead *)) {
	static const uint8_t key[16] = {1}, nonce[12] = {2}, aad[20] = {3};
	uint8_t data[256] = {4}, tag[16];
	size_t data_size = take_number(&in, 255);
	pc_aead sealed = {key, sizeof key, nonce, sizeof nonce, aad, sizeof aad, data, data_size, tag, sizeof tag};
	require(encrypt(&sealed) == PC_CRYPTO_OK);

	bool differs = false;
	size_t sizes[] = {take_size(&in, 16, 40), take_size(&in, 12, 20), take_size(&in, 20, 255), take_size(&in, 16, 20),
		data_size > 0 && data_size < 255 ? take_size(&in, data_size, 255) : data_size};
	uint8_t *k = take(&in, key, 16, sizes[0], &differs), *n = take(&in, nonce, 12, sizes[1], &differs);
	uint8_t *a = take(&in, aad, 20, sizes[2], &differs), *t = take(&in, tag, 16, sizes[3], &differs);
	uint8_t *d = take(&in, data, data_size, sizes[4], &differs);
	uint8_t *before = malloc(sizes[4] + 1);
	require(before != NULL);
	memcpy(before, d, sizes[4]);
	pc_aead opened = {k, sizes[0], n, sizes[1], a, sizes[2], d, sizes[4], t, sizes[3]};
	pc_crypto_status status = decrypt(&opened);
	require((status == PC_CRYPTO_OK) == !differs);
	require(status == PC_CRYPTO_OK || status == PC_CRYPTO_RANGE || status == PC_CRYPTO_FORGED);
	for (size_t i = 0; i < sizes[4]; i++) {
		/* Opened it is what was sealed; of a size not taken, what it was; forged, zeros. */
		uint8_t expected = status == PC_CRYPTO_OK ? (i == 0 ? 4 : 0) : status == PC_CRYPTO_RANGE ? before[i] : 0;
		require(d[i] == expected);
	}
	free(k);
	free(n);
	free(a);
	free(t);
	free(d);
	free(before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	const char *target = getenv("FUZZ_TARGET");
	input in = {data, size};
	require(target != NULL);
	if (strcmp(target, "point") == 0) {
		point(in);
	} else if (strcmp(target, "p256-verify") == 0) {
		p256_verify(in);
	} else if (strcmp(target, "ed25519-verify") == 0) {
		ed25519_verify(in);
	} else if (strcmp(target, "x25519") == 0) {
		x25519(in);
	} else if (strcmp(target, "ccm-open") == 0) {
		open(in, pc_aes_ccm_encrypt, pc_aes_ccm_decrypt);
	} else if (strcmp(target, "gcm-open") == 0) {
		open(in, pc_aes_gcm_encrypt, pc_aes_gcm_decrypt);
	} else {
		abort();
	}
	return 0;
}
