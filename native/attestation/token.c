/* token.c: see token.h. */
#include "token.h"

#include "cbor.h"
#include "crypto.h"

/* Keys of claims, in the order in which deterministic encoding has them. */
#define EAT_NONCE 10
#define EAT_UEID 256
#define EAT_PROFILE 265
#define EAT_BOOT_COUNT 267
#define EAT_BOOT_SEED 268
#define PSA_CLIENT_ID 2394
#define PSA_LIFECYCLE 2395
#define PSA_IMPLEMENTATION_ID 2396
#define PSA_SOFTWARE_COMPONENTS 2399
#define PERICARD_ENTROPY_SOURCE (-70001)
#define PERICARD_RESET_REASON (-70002)
#define PERICARD_FAILED_ENGINES (-70003)
#define PERICARD_RELOCATION (-70004)
#define CLAIMS 11u /* and the failed engines, where there are any, and relocation */

/* RFC 9783, section 5.2: the profile whose COSE algorithms are those of TF-M. */
#define PROFILE "tag:psacertified.org,2023:psa#tfm"

#define UEID_RAND 0x01u /* RFC 9711, section 4.2.1.1 */

#define COSE_SIGN1 18u
static const uint8_t protected_header[] = {0xA1, 0x01, 0x26}; /* {1: -7}: alg is ES256 (RFC 9053, section 2.1) */

void pc_token_ueid(const uint8_t public_key[65], uint8_t ueid[PC_TOKEN_UEID]) {
	pc_sha256 hash;
	pc_sha256_begin(&hash);
	pc_sha256_update(&hash, public_key, 65);
	ueid[0] = UEID_RAND;
	pc_sha256_end(&hash, ueid + 1);
}

static void put_bytes(pc_cbor *cbor, int32_t key, const void *data, size_t size) {
	pc_cbor_int(cbor, key);
	pc_cbor_bytes(cbor, data, size);
}

static void put_int(pc_cbor *cbor, int32_t key, int64_t value) {
	pc_cbor_int(cbor, key);
	pc_cbor_int(cbor, value);
}

static void put_text(pc_cbor *cbor, int32_t key, const char *text) {
	pc_cbor_int(cbor, key);
	pc_cbor_text(cbor, text);
}

static void put_component(pc_cbor *cbor, const pc_token_component *component) {
	pc_cbor_map(cbor, 4);
	put_text(cbor, 1, component->type);
	put_bytes(cbor, 2, component->value, 32);
	put_text(cbor, 4, component->version);
	put_bytes(cbor, 5, component->signer, 32);
}

static void put_relocation(pc_cbor *cbor, const pc_token_relocation *relocation) {
	const uint32_t items[] = {
		relocation->status,
		relocation->epoch,
		relocation->age_ms,
		relocation->bits,
		relocation->period_ms,
		relocation->jitter,
		relocation->floor,
		relocation->triggers,
		relocation->found,
		relocation->number,
	};
	unsigned count = relocation->status == 0 ? 1 : relocation->found == 0 ? 8 : 10;
	pc_cbor_int(cbor, PERICARD_RELOCATION);
	pc_cbor_array(cbor, count);
	for (unsigned i = 0; i < count; i++) {
		pc_cbor_int(cbor, items[i]);
	}
}

static void put_claims(pc_cbor *cbor, const pc_token_claims *claims) {
	pc_cbor_map(cbor, CLAIMS + (claims->failed_engines != 0) + (claims->relocation != NULL));
	put_bytes(cbor, EAT_NONCE, claims->nonce, claims->nonce_size);
	put_bytes(cbor, EAT_UEID, claims->ueid, PC_TOKEN_UEID);
	put_text(cbor, EAT_PROFILE, PROFILE);
	put_int(cbor, EAT_BOOT_COUNT, claims->boot_count);
	put_bytes(cbor, EAT_BOOT_SEED, claims->boot_seed, sizeof claims->boot_seed);
	put_int(cbor, PSA_CLIENT_ID, claims->client_id);
	put_int(cbor, PSA_LIFECYCLE, claims->lifecycle);
	put_bytes(cbor, PSA_IMPLEMENTATION_ID, claims->implementation_id, 32);
	pc_cbor_int(cbor, PSA_SOFTWARE_COMPONENTS);
	pc_cbor_array(cbor, PC_TOKEN_COMPONENTS);
	for (unsigned i = 0; i < PC_TOKEN_COMPONENTS; i++) {
		put_component(cbor, &claims->components[i]);
	}
	put_int(cbor, PERICARD_ENTROPY_SOURCE, claims->entropy_source);
	put_int(cbor, PERICARD_RESET_REASON, claims->reset_reason);
	if (claims->failed_engines != 0) {
		put_int(cbor, PERICARD_FAILED_ENGINES, claims->failed_engines);
	}
	if (claims->relocation != NULL) {
		put_relocation(cbor, claims->relocation);
	}
}

/* Sig_structure = ["Signature1", protected, external_aad: h'', payload]; it is hashed without being put together. */
static void hash_to_sign(const uint8_t *payload, size_t size, uint8_t digest[32]) {
	uint8_t head[32];
	pc_cbor cbor;
	pc_cbor_begin(&cbor, head, sizeof head);
	pc_cbor_array(&cbor, 4);
	pc_cbor_text(&cbor, "Signature1");
	pc_cbor_bytes(&cbor, protected_header, sizeof protected_header);
	pc_cbor_bytes(&cbor, NULL, 0);
	cbor.size += pc_cbor_head(head + cbor.size, PC_CBOR_BYTES, (uint32_t)size);
	pc_sha256 hash;
	pc_sha256_begin(&hash);
	pc_sha256_update(&hash, head, cbor.size);
	pc_sha256_update(&hash, payload, size);
	pc_sha256_end(&hash, digest);
}

pc_token_status pc_token_write(
	const pc_token_claims *claims, uint8_t *token, size_t capacity, size_t *size, uint8_t digest[32]) {
	if (claims->nonce_size != 32 && claims->nonce_size != 48 && claims->nonce_size != 64) {
		return PC_TOKEN_NONCE;
	}
	/* The payload's size stands before it, so it is written once to be counted. */
	pc_cbor cbor;
	pc_cbor_begin(&cbor, token, capacity);
	put_claims(&cbor, claims);
	size_t payload_size = cbor.size;
	if (cbor.overflow) {
		return PC_TOKEN_SIZE;
	}
	pc_cbor_begin(&cbor, token, capacity);
	pc_cbor_tag(&cbor, COSE_SIGN1);
	pc_cbor_array(&cbor, 4);
	pc_cbor_bytes(&cbor, protected_header, sizeof protected_header);
	pc_cbor_map(&cbor, 0);
	const uint8_t *payload = pc_cbor_room(&cbor, payload_size);
	if (payload == NULL) {
		return PC_TOKEN_SIZE;
	}
	cbor.size -= payload_size;
	put_claims(&cbor, claims);
	(void)pc_cbor_room(&cbor, PC_TOKEN_SIGNATURE);
	if (cbor.overflow) {
		return PC_TOKEN_SIZE;
	}
	hash_to_sign(payload, payload_size, digest);
	*size = cbor.size;
	return PC_TOKEN_OK;
}
