/*
 * driver.c: native/crypto on a pipe. A line is an operation and its arguments in hex ("-" is no bytes, and a null pointer);
 * the answer is the status and what was written. Every argument is a block of its own, so that AddressSanitizer sees a byte
 * too far.
 */
#include "crypto.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARGUMENTS 6

typedef struct {
	uint8_t *data;
	size_t size;
} bytes;

static bytes arguments[ARGUMENTS];
static uint8_t *out;
static size_t out_size;
static uint64_t spent;

static int digit(char c) {
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

static bytes parse(const char *hex) {
	if (strcmp(hex, "-") == 0) {
		return (bytes){NULL, 0};
	}
	size_t size = strlen(hex) / 2;
	bytes found = {malloc(size), size};
	for (size_t i = 0; i < size; i++) {
		found.data[i] = (uint8_t)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
	}
	return found;
}

static uint8_t *result(size_t size) {
	out_size = size;
	out = calloc(size + 1, 1);
	return out;
}

static size_t number(bytes argument) {
	size_t value = 0;
	for (size_t i = 0; i < argument.size; i++) {
		value = value << 8 | argument.data[i];
	}
	return value;
}

/* key, nonce, aad, data, and the tag or its size: data, then the tag */
static pc_crypto_status aead(pc_crypto_status (*run)(const pc_aead *), bool encrypt) {
	bytes *a = arguments;
	size_t tag_size = encrypt ? number(a[4]) : a[4].size;
	uint8_t *tag = malloc(tag_size + 1);
	if (!encrypt) {
		memcpy(tag, a[4].data, tag_size);
	}
	pc_aead message = {
		a[0].data, a[0].size, a[1].data, a[1].size, a[2].data, a[2].size, a[3].data, a[3].size, tag, tag_size};
	pc_crypto_status status = run(&message);
	memcpy(result(a[3].size + tag_size), a[3].data != NULL ? a[3].data : tag, a[3].size);
	memcpy(out + a[3].size, tag, tag_size);
	free(tag);
	return status;
}

static pc_crypto_status perform(const char *operation) {
	bytes *a = arguments;
	if (strcmp(operation, "sha256") == 0) {
		/* in two pieces, the first of number(a[1]) bytes */
		pc_sha256 hash;
		size_t first = number(a[1]);
		pc_sha256_begin(&hash);
		pc_sha256_update(&hash, a[0].data, first);
		pc_sha256_update(&hash, a[0].data != NULL ? a[0].data + first : NULL, a[0].size - first);
		pc_sha256_end(&hash, result(32));
		return PC_CRYPTO_OK;
	}
	if (strcmp(operation, "hmac") == 0) {
		pc_hmac_sha256(a[0].data, a[0].size, a[1].data, a[1].size, result(32));
		return PC_CRYPTO_OK;
	}
	if (strcmp(operation, "hkdf") == 0) {
		size_t size = number(a[3]);
		return pc_hkdf_sha256(a[0].data, a[0].size, a[1].data, a[1].size, a[2].data, a[2].size, result(size), size);
	}
	if (strcmp(operation, "drbg") == 0) {
		/* seed, seed for reseeding or none, size: what the second request gives */
		pc_hmac_drbg drbg;
		size_t size = number(a[2]);
		pc_hmac_drbg_begin(&drbg, a[0].data, a[0].size);
		if (a[1].size > 0) {
			pc_hmac_drbg_reseed(&drbg, a[1].data, a[1].size);
		}
		result(size);
		pc_crypto_status status = pc_hmac_drbg_generate(&drbg, out, size);
		return status == PC_CRYPTO_OK ? pc_hmac_drbg_generate(&drbg, out, size) : status;
	}
	if (strcmp(operation, "public") == 0) {
		return pc_p256_public(a[0].data, result(65));
	}
	if (strcmp(operation, "ecdh") == 0) {
		return pc_p256_ecdh(a[0].data, a[1].data, result(32));
	}
	if (strcmp(operation, "sign") == 0) {
		return pc_ecdsa_sign(a[0].data, a[1].data, result(64));
	}
	if (strcmp(operation, "verify") == 0) {
		return pc_ecdsa_verify(a[0].data, a[1].data, a[2].data);
	}
	if (strcmp(operation, "equal") == 0) {
		result(1)[0] = pc_equal(a[0].data, a[1].data, a[0].size);
		return PC_CRYPTO_OK;
	}
	if (strcmp(operation, "ccm-encrypt") == 0) {
		return aead(pc_aes_ccm_encrypt, true);
	}
	if (strcmp(operation, "ccm-decrypt") == 0) {
		return aead(pc_aes_ccm_decrypt, false);
	}
	if (strcmp(operation, "gcm-encrypt") == 0) {
		return aead(pc_aes_gcm_encrypt, true);
	}
	if (strcmp(operation, "gcm-decrypt") == 0) {
		return aead(pc_aes_gcm_decrypt, false);
	}
	fprintf(stderr, "unknown operation %s\n", operation);
	exit(1);
}

static void spend(uint32_t instructions) {
	spent += instructions;
}

int main(void) {
	static char line[1 << 20];
	setvbuf(stdout, NULL, _IOLBF, 0);
	pc_crypto_spend = spend;
	while (fgets(line, sizeof line, stdin) != NULL) {
		char *operation = strtok(line, " \n");
		size_t count = 0;
		for (char *word; count < ARGUMENTS && (word = strtok(NULL, " \n")) != NULL; count++) {
			arguments[count] = parse(word);
		}
		out = NULL;
		out_size = 0;
		printf("%d ", (int)perform(operation));
		for (size_t i = 0; i < out_size; i++) {
			printf("%02x", out[i]);
		}
		printf("\n");
		for (size_t i = 0; i < ARGUMENTS; i++) {
			free(arguments[i].data);
			arguments[i] = (bytes){NULL, 0};
		}
		free(out);
	}
	return spent > 0 ? 0 : 2;
}
