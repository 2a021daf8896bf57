/*
 * token.c: native/attestation's token and native/cbor on a pipe. A line is an operation and its arguments; the answer is a line.
 *
 *   int N | bytes HEX | text TEXT | array N | map N | tag N      the item in hex
 *   token CAPACITY NONCE PUBLIC-KEY IMPLEMENTATION SEED COUNT CLIENT LIFECYCLE ENTROPY RESET FAILED (TYPE VERSION VALUE SIGNER)x4
 *                                                                 status, and if it is 0 token and digest in hex
 *
 * "-" is no bytes. Tokens are written to memory of exactly CAPACITY bytes, so that AddressSanitizer sees a byte too far.
 */
#include "cbor.h"
#include "token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char line[65536];

static const char *word(void) {
	const char *found = strtok(NULL, " \n");
	if (found == NULL) {
		exit(2);
	}
	return found;
}

static size_t bytes(uint8_t *to, size_t capacity) {
	const char *hex = word();
	size_t size = strcmp(hex, "-") == 0 ? 0 : strlen(hex) / 2;
	if (size > capacity) {
		exit(2);
	}
	for (size_t i = 0; i < size; i++) {
		unsigned byte;
		if (sscanf(hex + 2 * i, "%2x", &byte) != 1) {
			exit(2);
		}
		to[i] = (uint8_t)byte;
	}
	return size;
}

static void print(const uint8_t *data, size_t size) {
	for (size_t i = 0; i < size; i++) {
		printf("%02x", data[i]);
	}
}

static void item(const char *operation) {
	static uint8_t data[32768], out[33000];
	pc_cbor cbor;
	pc_cbor_begin(&cbor, out, sizeof out);
	if (strcmp(operation, "int") == 0) {
		pc_cbor_int(&cbor, atoll(word()));
	} else if (strcmp(operation, "bytes") == 0) {
		size_t size = bytes(data, sizeof data);
		pc_cbor_bytes(&cbor, data, size);
	} else if (strcmp(operation, "text") == 0) {
		pc_cbor_text(&cbor, word());
	} else if (strcmp(operation, "array") == 0) {
		pc_cbor_array(&cbor, (uint32_t)atoll(word()));
	} else if (strcmp(operation, "map") == 0) {
		pc_cbor_map(&cbor, (uint32_t)atoll(word()));
	} else {
		pc_cbor_tag(&cbor, (uint32_t)atoll(word()));
	}
	print(out, cbor.size);
	printf("\n");
}

static void token(void) {
	uint8_t nonce[256], public_key[65], ueid[PC_TOKEN_UEID], implementation[32], values[4][32], signers[4][32],
		digest[32];
	pc_token_claims claims = {.nonce = nonce, .ueid = ueid, .implementation_id = implementation};
	size_t capacity = (size_t)atoll(word()), size = 0;
	claims.nonce_size = bytes(nonce, sizeof nonce);
	(void)bytes(public_key, sizeof public_key);
	pc_token_ueid(public_key, ueid);
	(void)bytes(implementation, sizeof implementation);
	(void)bytes(claims.boot_seed, sizeof claims.boot_seed);
	claims.boot_count = (uint32_t)atoll(word());
	claims.client_id = (int32_t)atoll(word());
	claims.lifecycle = (uint16_t)atoll(word());
	claims.entropy_source = (uint8_t)atoll(word());
	claims.reset_reason = (uint8_t)atoll(word());
	claims.failed_engines = (uint32_t)atoll(word());
	for (int i = 0; i < 4; i++) {
		claims.components[i].type = word();
		claims.components[i].version = word();
		(void)bytes(values[i], 32);
		(void)bytes(signers[i], 32);
		claims.components[i].value = values[i];
		claims.components[i].signer = signers[i];
	}
	uint8_t *out = malloc(capacity);
	pc_token_status status = pc_token_write(&claims, out, capacity, &size, digest);
	printf("%d ", (int)status);
	if (status == PC_TOKEN_OK) {
		memset(out + size - PC_TOKEN_SIGNATURE, 0, PC_TOKEN_SIGNATURE);
		print(out, size);
		printf(" ");
		print(digest, sizeof digest);
	}
	printf("\n");
	free(out);
}

int main(void) {
	while (fgets(line, sizeof line, stdin) != NULL) {
		const char *operation = strtok(line, " \n");
		if (strcmp(operation, "token") == 0) {
			token();
		} else {
			item(operation);
		}
	}
	return 0;
}
