/*
 * kernels.c: operations of the kernels' own interfaces, and of BearSSL's modes over them where crypto.h is narrower.
 */
#include "driver.h"

#include "kernels/aes.h"
#include "kernels/ghash.h"
#include "kernels/p256.h"
#include "kernels/sha256.h"
#include "kernels/sha512.h"
#include "kernels/verdict.h"
#include "kernels/x25519.h"

#include <stdlib.h>
#include <string.h>

/* BearSSL's interfaces want an address of no bytes too. */
static void *place(bytes argument) {
	static uint8_t nothing;
	return argument.data != NULL ? argument.data : &nothing;
}

/* Hashes -------------------------------------------------------------------------------------------------------------- */

/* data, and where to cut it: at a multiple of the block the state moves on to another context, else the same goes on */
static const char *hash_moved(const br_hash_class *class, size_t block, const bytes *a) {
	br_hash_compat_context one, other;
	uint8_t state[64];
	size_t first = (size_t)number(a[1]);
	const br_hash_class **from = &one.vtable, **to = &one.vtable;
	class->init(from);
	class->update(from, a[0].data, first);
	if (first % block == 0) {
		uint64_t count = class->state(from, state);
		expect(count == first, "the count of a state");
		to = &other.vtable;
		class->init(to);
		class->set_state(to, state, count);
	}
	class->update(to, a[0].data != NULL ? a[0].data + first : NULL, a[0].size - first);
	uint8_t *digest = result((class->desc >> BR_HASHDESC_OUT_OFF) & BR_HASHDESC_OUT_MASK);
	class->out(to, digest);
	class->out(to, digest);
	return "ok";
}

static const char *sha256_moved(const bytes *a) {
	return hash_moved(&pc_sha256_vtable, 64, a);
}

static const char *sha512_moved(const bytes *a) {
	return hash_moved(&pc_sha512_vtable, 128, a);
}

/* data, a count of bytes that have gone before by the count alone */
static const char *hash_resumed(const br_hash_class *class, const bytes *a) {
	br_hash_compat_context context;
	uint8_t state[64];
	class->init(&context.vtable);
	class->state(&context.vtable, state);
	class->set_state(&context.vtable, state, number(a[1]));
	class->update(&context.vtable, a[0].data, a[0].size);
	class->out(&context.vtable, result((class->desc >> BR_HASHDESC_OUT_OFF) & BR_HASHDESC_OUT_MASK));
	return "ok";
}

static const char *sha256_resumed(const bytes *a) {
	return hash_resumed(&pc_sha256_vtable, a);
}

static const char *sha512_resumed(const bytes *a) {
	return hash_resumed(&pc_sha512_vtable, a);
}

/* SHAVS, 6.4: seed, how often; a digest of each thousand */
static const char *hash_chain(const br_hash_class *class, const bytes *a) {
	br_hash_compat_context context;
	uint8_t digests[3][64];
	size_t size = a[0].size, rounds = (size_t)number(a[1]);
	uint8_t *out = result(rounds * size);
	memcpy(digests[2], a[0].data, size);
	for (size_t round = 0; round < rounds; round++) {
		memcpy(digests[0], digests[2], size);
		memcpy(digests[1], digests[2], size);
		for (unsigned i = 0; i < 1000; i++) {
			class->init(&context.vtable);
			for (unsigned k = 0; k < 3; k++) {
				class->update(&context.vtable, digests[k], size);
			}
			memcpy(digests[0], digests[1], size);
			memcpy(digests[1], digests[2], size);
			class->out(&context.vtable, digests[2]);
		}
		memcpy(out + round * size, digests[2], size);
	}
	return "ok";
}

static const char *sha256_chain(const bytes *a) {
	return hash_chain(&pc_sha256_vtable, a);
}

static const char *sha512_chain(const bytes *a) {
	return hash_chain(&pc_sha512_vtable, a);
}

/* AES ----------------------------------------------------------------------------------------------------------------- */

/* key, IV of 12 bytes, counter of 4, data: data, counter */
static const char *aes_ctr32(const bytes *a) {
	pc_aes_ctr_keys keys;
	pc_aes_ctr_vtable.init(&keys.vtable, a[0].data, a[0].size);
	uint32_t counter = pc_aes_ctr_vtable.run(&keys.vtable, a[1].data, (uint32_t)number(a[2]), a[3].data, a[3].size);
	uint8_t *out = result(a[3].size + 4);
	if (a[3].size > 0) {
		memcpy(out, a[3].data, a[3].size);
	}
	for (unsigned i = 0; i < 4; i++) {
		out[a[3].size + i] = (uint8_t)(counter >> (24 - 8 * i));
	}
	return "ok";
}

/* mode, key, counter, CBC-MAC, data: data, counter, CBC-MAC */
static const char *aes_ctrcbc(const bytes *a) {
	pc_aes_ctrcbc_keys keys;
	const br_block_ctrcbc_class *const class = &pc_aes_ctrcbc_vtable, *const *k = &keys.vtable;
	uint8_t *counter = a[2].data, *mac = a[3].data, *data = a[4].data;
	size_t size = a[4].size;
	class->init(&keys.vtable, a[1].data, a[1].size);
	switch (number(a[0])) {
	case 0:
		class->encrypt(k, counter, mac, data, size);
		break;
	case 1:
		class->decrypt(k, counter, mac, data, size);
		break;
	case 2:
		class->ctr(k, counter, data, size);
		break;
	default:
		class->mac(k, mac, data, size);
	}
	uint8_t *out = result(size + 32);
	if (size > 0) {
		memcpy(out, data, size);
	}
	memcpy(out + size, counter, 16);
	memcpy(out + size + 16, mac, 16);
	return "ok";
}

/* key, block: the block encrypted, in each of the ways that lead to a bare block */
static const char *aes_block(const bytes *a) {
	pc_aes_ctrcbc_keys both;
	pc_aes_ctr_keys ctr;
	uint8_t counter[16], by_mac[16] = {0}, *out = result(16);
	pc_aes_ctrcbc_vtable.init(&both.vtable, a[0].data, a[0].size);
	pc_aes_ctrcbc_vtable.mac((const br_block_ctrcbc_class *const *)&both.vtable, by_mac, a[1].data, 16);
	memcpy(counter, a[1].data, 16);
	pc_aes_ctrcbc_vtable.ctr((const br_block_ctrcbc_class *const *)&both.vtable, counter, out, 16);
	int same = memcmp(out, by_mac, 16) == 0;
	memset(out, 0, 16);
	pc_aes_ctr_vtable.init(&ctr.vtable, a[0].data, a[0].size);
	uint32_t cc = (uint32_t)number((bytes){a[1].data + 12, 4});
	uint32_t next = pc_aes_ctr_vtable.run((const br_block_ctr_class *const *)&ctr.vtable, a[1].data, cc, out, 16);
	return same && memcmp(out, by_mac, 16) == 0 && next == cc + 1 ? "ok" : "the modes differ";
}

/* AESAVS, 6.4.2, Monte Carlo for CBC: key, IV, text, rounds; the last ciphertext of each round */
static const char *aes_chain(const bytes *a) {
	uint8_t key[32], previous[16], now[16], text[16];
	size_t rounds = (size_t)number(a[3]);
	uint8_t *out = result(16 * rounds);
	memcpy(key, a[0].data, a[0].size);
	memcpy(now, a[1].data, 16);
	memcpy(text, a[2].data, 16);
	for (size_t round = 0; round < rounds; round++) {
		pc_aes_ctrcbc_keys keys;
		pc_aes_ctrcbc_vtable.init(&keys.vtable, key, a[0].size);
		for (unsigned i = 0; i < 1000; i++) {
			memcpy(previous, now, 16);
			pc_aes_ctrcbc_vtable.mac((const br_block_ctrcbc_class *const *)&keys.vtable, now, text, 16);
			memcpy(text, previous, 16);
		}
		memcpy(out + 16 * round, now, 16);
		/* The key is changed by as many of the last bytes of ciphertext as it has. */
		uint8_t last[32];
		memcpy(last, previous, 16);
		memcpy(last + 16, now, 16);
		for (size_t i = 0; i < a[0].size; i++) {
			key[i] ^= last[32 - a[0].size + i];
		}
	}
	return "ok";
}

static const char *ghash(const bytes *a) {
	uint8_t *y = result(16);
	memcpy(y, a[0].data, 16);
	pc_ghash(y, a[1].data, a[2].data, a[2].size);
	return "ok";
}

/* key, nonce, aad, data, tag: opens */
static const char *any_gcm(const bytes *a) {
	pc_aes_ctr_keys keys;
	br_gcm_context context;
	pc_aes_ctr_vtable.init(&keys.vtable, a[0].data, a[0].size);
	br_gcm_init(&context, (const br_block_ctr_class **)&keys.vtable, pc_ghash);
	br_gcm_reset(&context, a[1].data, a[1].size);
	br_gcm_aad_inject(&context, place(a[2]), a[2].size);
	br_gcm_flip(&context);
	uint8_t *data = place(a[3]);
	size_t half = a[3].size / 2;
	br_gcm_run(&context, 0, data, half);
	br_gcm_run(&context, 0, data + half, a[3].size - half);
	uint32_t good = br_gcm_check_tag_trunc(&context, a[4].data, a[4].size);
	if (a[3].size > 0) {
		memcpy(result(a[3].size), a[3].data, a[3].size);
	}
	return answer(good == 1);
}

/* key, nonce, aad, data, tag: opens */
static const char *any_ccm(const bytes *a) {
	pc_aes_ctrcbc_keys keys;
	br_ccm_context context;
	pc_aes_ctrcbc_vtable.init(&keys.vtable, a[0].data, a[0].size);
	br_ccm_init(&context, (const br_block_ctrcbc_class **)&keys.vtable);
	if (!br_ccm_reset(&context, a[1].data, a[1].size, a[2].size, a[3].size, a[4].size)) {
		return "refused";
	}
	br_ccm_aad_inject(&context, place(a[2]), a[2].size);
	br_ccm_flip(&context);
	br_ccm_run(&context, 0, place(a[3]), a[3].size);
	uint32_t good = br_ccm_check_tag(&context, a[4].data);
	if (a[3].size > 0) {
		memcpy(result(a[3].size), a[3].data, a[3].size);
	}
	return answer(good == 1);
}

/* P-256 --------------------------------------------------------------------------------------------------------------- */

/* scalar of any size */
static const char *p256_mulgen(const bytes *a) {
	size_t size = pc_p256_ec.mulgen(result(65), place(a[0]), a[0].size, BR_EC_secp256r1);
	expect(size == 0 || size == 65, "the size of a point");
	result_size(size);
	return answer(size != 0);
}

/* point, scalar */
static const char *p256_mul(const bytes *a) {
	uint8_t *out = result(a[0].size);
	if (a[0].size > 0) {
		memcpy(out, a[0].data, a[0].size);
	}
	uint32_t good = pc_p256_ec.mul(out, a[0].size, place(a[1]), a[1].size, BR_EC_secp256r1);
	if (good == 0) {
		result_size(0);
	}
	return answer(good == 1);
}

/* point, other point or none for the generator, scalar, other scalar */
static const char *p256_muladd(const bytes *a) {
	uint8_t *out = result(a[0].size);
	if (a[0].size > 0) {
		memcpy(out, a[0].data, a[0].size);
	}
	uint32_t good =
		pc_p256_ec.muladd(out, a[1].data, a[0].size, place(a[2]), a[2].size, place(a[3]), a[3].size, BR_EC_secp256r1);
	if (good == 0) {
		result_size(0);
	}
	return answer(good == 1);
}

static const char *p256_point(const bytes *a) {
	return answer(pc_p256_is_point(place(a[0]), a[0].size) == 1);
}

static const char *p256_sign_with(const br_hash_class *class, const bytes *a) {
	br_ec_private_key key = {BR_EC_secp256r1, place(a[0]), a[0].size};
	size_t size = pc_p256_sign_raw(&pc_p256_ec, class, a[1].data, &key, result(64));
	expect(size == 0 || size == 64, "the size of a signature");
	result_size(size);
	return answer(size != 0);
}

/* private key of any size, digest */
static const char *p256_sign(const bytes *a) {
	return p256_sign_with(&pc_sha256_vtable, a);
}

static const char *p256_sign_512(const bytes *a) {
	return p256_sign_with(&pc_sha512_vtable, a);
}

/* SHA-256 whose tenth result, which is the first candidate for the nonce, is all ones, hence above n. */
static br_hash_class stubborn;
static int results;

static void stubborn_init(const br_hash_class **context) {
	pc_sha256_vtable.init(context);
	*context = &stubborn;
}

static void stubborn_out(const br_hash_class *const *context, void *out) {
	pc_sha256_vtable.out(context, out);
	if (++results == 10) {
		memset(out, 0xff, 32);
	}
}

static const char *p256_sign_again(const bytes *a) {
	stubborn = pc_sha256_vtable;
	stubborn.init = stubborn_init;
	stubborn.out = stubborn_out;
	results = 0;
	return p256_sign_with(&stubborn, a);
}

/* public key, hash of any size, signature of any size */
static const char *p256_verify(const bytes *a) {
	br_ec_public_key key = {BR_EC_secp256r1, place(a[0]), a[0].size};
	return answer(
		pc_p256_verify_raw(&pc_p256_ec, place(a[1]), a[1].size, &key, place(a[2]), a[2].size) == PC_VERDICT_YES);
}

/* What BearSSL asks of a curve, and other curves. */
static const char *p256_interface(const bytes *a) {
	(void)a;
	const br_ec_impl *ec = &pc_p256_ec;
	br_ec_impl none = *ec;
	none.supported_curves = 0;
	uint8_t k[1] = {1}, point[65] = {4}, sig[64], hash[32] = {0};
	br_ec_private_key other = {BR_EC_secp384r1, k, 1}, own = {BR_EC_secp256r1, k, 1};
	br_ec_public_key public = {BR_EC_secp384r1, point, 65};
	size_t generator, order, x;
	uint8_t *out = result(65 + 32);
	memcpy(out, ec->generator(BR_EC_secp256r1, &generator), 65);
	memcpy(out + 65, ec->order(BR_EC_secp256r1, &order), 32);
	bool right = ec->supported_curves == (uint32_t)1 << BR_EC_secp256r1 && generator == 65 && order == 32 &&
				 ec->xoff(BR_EC_secp256r1, &x) == 1 && x == 32;
	bool refuses = ec->mulgen(point, k, 1, BR_EC_secp384r1) == 0 && ec->mul(point, 65, k, 1, BR_EC_secp384r1) == 0 &&
				   ec->muladd(point, NULL, 65, k, 1, k, 1, BR_EC_secp384r1) == 0 &&
				   pc_p256_sign_raw(ec, &pc_sha256_vtable, hash, &other, sig) == 0 &&
				   pc_p256_sign_raw(&none, &pc_sha256_vtable, hash, &own, sig) == 0 &&
				   pc_p256_verify_raw(ec, hash, 32, &public, sig, 64) != PC_VERDICT_YES;
	return answer(right && refuses);
}

/* X25519 ------------------------------------------------------------------------------------------------------------- */

/* scalar, coordinate; also over its own arguments */
static const char *x25519(const bytes *a) {
	uint8_t *out = result(32), scalar[32], point[32];
	memcpy(scalar, a[0].data, 32);
	memcpy(point, a[1].data, 32);
	uint32_t good = pc_x25519_raw(out, a[0].data, a[1].data);
	expect(pc_x25519_raw(scalar, scalar, a[1].data) == good && memcmp(scalar, out, 32) == 0, "over the scalar");
	expect(pc_x25519_raw(point, a[0].data, point) == good && memcmp(point, out, 32) == 0, "over the coordinate");
	return answer(good == 1);
}

/* RFC 7748, 5.2: k and u, how often */
static const char *x25519_chain(const bytes *a) {
	uint8_t k[32], u[32], r[32];
	memcpy(k, a[0].data, 32);
	memcpy(u, a[0].data, 32);
	for (uint64_t i = number(a[1]); i > 0; i--) {
		pc_x25519_raw(r, k, u);
		memcpy(u, k, 32);
		memcpy(k, r, 32);
	}
	memcpy(result(32), k, 32);
	return "ok";
}

/* coordinate, scalar of at most 32 bytes, by BearSSL's interface */
static const char *x25519_mul(const bytes *a) {
	uint8_t *out = result(a[0].size);
	memcpy(out, a[0].data, a[0].size);
	uint32_t good = pc_x25519_ec.mul(out, a[0].size, a[1].data, a[1].size, BR_EC_curve25519);
	if (good == 0) {
		result_size(0);
	}
	return answer(good == 1);
}

const operation kernel_operations[] = {
	{"sha256-moved", sha256_moved},
	{"sha512-moved", sha512_moved},
	{"sha256-resumed", sha256_resumed},
	{"sha512-resumed", sha512_resumed},
	{"sha256-chain", sha256_chain},
	{"sha512-chain", sha512_chain},
	{"aes-ctr32", aes_ctr32},
	{"aes-ctrcbc", aes_ctrcbc},
	{"aes-block", aes_block},
	{"aes-chain", aes_chain},
	{"ghash", ghash},
	{"any-gcm", any_gcm},
	{"any-ccm", any_ccm},
	{"p256-mulgen", p256_mulgen},
	{"p256-mul", p256_mul},
	{"p256-muladd", p256_muladd},
	{"p256-point", p256_point},
	{"p256-sign", p256_sign},
	{"p256-sign-512", p256_sign_512},
	{"p256-sign-again", p256_sign_again},
	{"p256-verify", p256_verify},
	{"p256-interface", p256_interface},
	{"x25519-raw", x25519},
	{"x25519-chain", x25519_chain},
	{"x25519-mul", x25519_mul},
	{NULL, NULL},
};
