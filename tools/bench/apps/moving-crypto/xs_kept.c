/* xs_kept.c: names what is measured, so that the linker leaves none of it out. */
#include "calls.h"

#include "xsmc.h"

#define FUNCTION(name) (void (*)(void)) name

static void (*const volatile functions[])(void) = {
	FUNCTION(pc_ecdsa_sign),
	FUNCTION(pc_ecdsa_verify),
	FUNCTION(pc_p256_public),
	FUNCTION(pc_p256_ecdh),
	FUNCTION(pc_x25519),
	FUNCTION(pc_x25519_public),
	FUNCTION(pc_ed25519_sign),
	FUNCTION(pc_ed25519_verify),
	FUNCTION(pc_ed25519_public),
	FUNCTION(pc_aes_ctr),
	FUNCTION(pc_aes_ccm_encrypt),
	FUNCTION(pc_aes_gcm_encrypt),
	FUNCTION(pc_hmac_sha256),
	FUNCTION(pc_hkdf_sha256),
	FUNCTION(bench_sha256),
	FUNCTION(bench_sha512),
	FUNCTION(bench_hmac_drbg),
};

static const void *const volatile variables[] = {
	bench_key, bench_nonce, bench_aad, bench_data, bench_tag, &bench_ccm, &bench_gcm, &bench_ok};

/* How many there are. */
void xs_bench_kept(xsMachine *the) {
	xsIntegerValue count = 0;
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
		count += functions[i] != NULL;
	}
	for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
		count += variables[i] != NULL;
	}
	xsmcSetInteger(xsResult, count);
}
