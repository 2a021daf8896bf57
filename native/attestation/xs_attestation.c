/*
 * xs_attestation.c: natives of pericard/attestation.
 *
 * Measuring, claims and signature are one background job in C: JavaScript gives a nonce and gets a token with the measurement
 * log that belongs to it, and nothing that it does changes what is signed. One job at a time; others wait for their turn. Its
 * memory, whose size depends on the image only, is taken at the first attestation and kept, and JavaScript reads the results
 * in place.
 */
#include "background.h"
#include "config.h"
#include "entropy.h"
#include "hal.h"
#include "identity.h"
#include "image.h"
#include "keystore.h"
#include "moving.h"
#include "platform.h"
#include "reset.h"
#include "selftest.h"
#include "token.h"

#include "xs-platform.h"
#include "xsmc.h"

/* RFC 9783, section 4.1.2: callers outside of the secure side are negative. Here they are the app, or a peer on the link. */
#define CLIENT_ID (-1)

/* Instructions, beside those that hashing counts, to find the key in flash, to read the boot count, and to write the claims. */
#define KEY_WORK 48000u
#define COUNT_WORK 5000u
#define TOKEN_WORK 14000u

/* The numbers of FAULTS in attestation.ts. */
typedef enum {
	ATTESTED = 0,
	NO_ENTROPY = 1,
	NO_KEY = 2,
	NO_FLASH = 3,
	TOO_LARGE = 4,
	WRONG_SIGNATURE = 5,
	NO_ENGINE = 6,
} attestation_status;

/* Who has asked. */
typedef struct request {
	struct request *next;
	xsSlot callback;
	size_t nonce_size;
	uint8_t nonce[PC_TOKEN_NONCE_MAX];
} request;

/* Most at once. */
#define REQUESTS 8u

typedef struct {
	pc_job job;
	attestation_status status;
	uint8_t token[PC_TOKEN_MAX];
	size_t token_size;
	size_t log_size, log_capacity;
	uint8_t log[];
} attestation;

static attestation *state;
static request *requests; /* the first is being answered */
static bool lent;         /* its results are with JavaScript */

/* Of this boot: made when it is first asked for. */
static struct {
	bool made;
	uint8_t bytes[8];
} boot_seed;

static attestation_status status_of(pc_keystore_status status) {
	switch (status) {
	case PC_KEYSTORE_OK:
		return ATTESTED;
	case PC_KEYSTORE_ENTROPY:
		return NO_ENTROPY;
	case PC_KEYSTORE_ENGINE:
		return NO_ENGINE;
	case PC_KEYSTORE_FLASH:
	case PC_KEYSTORE_FULL:
		return NO_FLASH;
	case PC_KEYSTORE_FAULT:
		return WRONG_SIGNATURE;
	default:
		return NO_KEY;
	}
}

/* ---- background ------------------------------------------------------------------------------------------------- */

static void log_more(void *context, const uint8_t *data, size_t size) {
	attestation *a = context;
	if (size <= a->log_capacity - a->log_size) {
		memcpy(a->log + a->log_size, data, size);
		a->log_size += size;
	}
}

static attestation_status seed(uint8_t to[8]) {
	if (!boot_seed.made) {
		if (pc_random(boot_seed.bytes, sizeof boot_seed.bytes) != PC_ENTROPY_OK) {
			return NO_ENTROPY;
		}
		boot_seed.made = true;
	}
	memcpy(to, boot_seed.bytes, sizeof boot_seed.bytes);
	return ATTESTED;
}

/* What of it is true now; after a check of all code that moves. */
static pc_token_relocation relocation(void) {
	pc_moving_finding found = pc_moving_check();
	pc_moving state = pc_moving_state();
	pc_token_relocation said = {.status = (uint8_t)state.status};
	if (state.policy != NULL) {
		uint64_t age = (hal_now_us() - state.moved_us) / 1000;
		said.epoch = state.epoch;
		said.age_ms = age < UINT32_MAX ? (uint32_t)age : UINT32_MAX;
		said.bits = state.bits;
		said.period_ms = state.policy->period_ms;
		said.jitter = state.policy->jitter;
		said.floor = state.policy->floor;
		said.triggers = (uint8_t)((state.policy->before_token != 0 ? PC_TOKEN_BEFORE : 0) |
								  (state.policy->on_anomaly != 0 ? PC_TOKEN_ANOMALY : 0));
		said.found = found.kind;
		said.number = found.number;
	}
	return said;
}

static attestation_status attest(attestation *a) {
	uint8_t ueid[PC_TOKEN_UEID], values[PC_COMPONENTS][PC_MEASURE_DIGEST], digest[32];
	pc_token_claims claims = {
		.nonce = requests->nonce,
		.nonce_size = requests->nonce_size,
		.ueid = ueid,
		.implementation_id = pc_identity.implementation_id,
		.client_id = CLIENT_ID,
		.lifecycle = pc_identity_lifecycle(),
		.entropy_source = (uint8_t)hal_entropy_source(),
		.reset_reason = (uint8_t)pc_reset_last()->reason,
	};
	attestation_status status = seed(claims.boot_seed);
	if (status == ATTESTED) {
		uint8_t public_key[65];
		status = status_of(pc_keystore_attestation_public(public_key));
		pc_background_spend(KEY_WORK);
		pc_token_ueid(public_key, ueid);
	}
	if (status == ATTESTED) {
		status = status_of(pc_keystore_boot_count(&claims.boot_count));
	}
	if (status != ATTESTED) {
		return status;
	}
	pc_background_spend(COUNT_WORK);
	pc_image image;
	pc_image_open(&image);
	a->log_size = 0;
	pc_measure_image(&image, log_more, a, values);
	for (unsigned i = 0; i < PC_COMPONENTS; i++) {
		claims.components[i] = (pc_token_component){
			.type = pc_component_names[i],
			.version = i == PC_COMPONENT_ENGINE ? pc_identity.engine : pc_identity.version,
			.value = values[i],
			.signer = pc_identity.signer_id,
		};
	}
	pc_token_relocation moves;
	if (pc_moving_state().module) {
		moves = relocation();
		claims.relocation = &moves;
	}
	claims.failed_engines = pc_crypto_failed();
	pc_background_reserve(TOKEN_WORK);
	pc_background_spend(TOKEN_WORK);
	if (pc_token_write(&claims, a->token, sizeof a->token, &a->token_size, digest) != PC_TOKEN_OK) {
		return TOO_LARGE;
	}
	return status_of(pc_keystore_attest(digest, a->token + a->token_size - PC_TOKEN_SIGNATURE));
}

_Static_assert(PC_TOKEN_COMPONENTS == PC_COMPONENTS, "a token has all components");

static void work(pc_job *job) {
	attestation *a = (attestation *)job;
	a->status = attest(a);
	if (a->status == WRONG_SIGNATURE || a->status == NO_ENGINE) {
		pc_moving_anomaly();
	}
}

/* A buffer that JavaScript reads in place. */
static void lend(xsMachine *the, xsSlot *to, uint8_t *data, size_t size) {
	*to = xsNewHostObject(NULL);
	fxSetHostBuffer(the, to, data, (xsIntegerValue)size);
	fxPetrifyHostBuffer(the, to);
}

static void done(pc_job *job, void *machine) {
	attestation *a = (attestation *)job;
	xsBeginHost(machine);
	xsmcVars(4);
	xsTry {
		lent = true;
		xsVar(0) = requests->callback;
		xsmcSetInteger(xsVar(1), (xsIntegerValue)a->status);
		if (a->status == ATTESTED) {
			lend(the, &xsVar(2), a->token, a->token_size);
			lend(the, &xsVar(3), a->log, a->log_size);
		}
		(void)xsCallFunction3(xsVar(0), xsGlobal, xsVar(1), xsVar(2), xsVar(3));
	}
	xsCatch {
		pc_uncaught(the, false);
	}
	xsEndHost();
}

/* ---- JavaScript ------------------------------------------------------------------------------------------------- */

static void make_state(xsMachine *the) {
	pc_image image;
	pc_image_open(&image);
	size_t capacity = pc_measure_log_size(&image);
	state = c_calloc(1, sizeof *state + capacity);
	if (state == NULL) {
		xsUnknownError("attestation: no memory");
	}
	state->log_capacity = capacity;
}

static void begin(void) {
	state->job = (pc_job){.body = work, .done = done};
	pc_moving_before_token(&state->job);
}

static request *new_request(xsMachine *the) {
	void *nonce;
	xsUnsignedValue size;
	xsmcGetBufferReadable(xsArg(0), &nonce, &size);
	if (size != 32 && size != 48 && size != 64) {
		xsRangeError("attestation: a nonce has 32, 48 or 64 bytes, not %d", (int)size);
	}
	request *made = c_calloc(1, sizeof *made);
	if (made == NULL) {
		xsUnknownError("attestation: no memory");
	}
	memcpy(made->nonce, nonce, size);
	made->nonce_size = size;
	made->callback = xsArg(1);
	xsRemember(made->callback);
	return made;
}

/* (nonce of 32, 48 or 64 bytes, callback): calls back (status, token, log). The buffers are lent: they hold what they hold until
 * xs_attestation_end, and without that nobody else's turn comes. */
void xs_attestation_start(xsMachine *the) {
	unsigned count = 0;
	request **last = &requests;
	for (; *last != NULL; last = &(*last)->next) {
		count++;
	}
	if (xsmcArgc < 2 || !xsmcIsInstanceOf(xsArg(1), xsFunctionPrototype)) {
		xsTypeError("attestation: a nonce and a function expected");
	}
	if (count == REQUESTS) {
		xsRangeError("attestation: no more than %d at once", (int)REQUESTS);
	}
	if (state == NULL) {
		make_state(the);
	}
	*last = new_request(the);
	if (count == 0) {
		begin();
	}
}

/* () */
void xs_attestation_end(xsMachine *the) {
	request *ended = requests;
	if (lent) {
		lent = false;
		requests = ended->next;
		xsForget(ended->callback);
		c_free(ended);
		if (requests != NULL) {
			begin();
		}
	}
}

/* () -> the public key of the attestation key, or status. Waits for the key if the first boot has not made it yet. */
void xs_attestation_public_key(xsMachine *the) {
	uint8_t public_key[65];
	attestation_status status = status_of(pc_keystore_attestation_public(public_key));
	if (status == ATTESTED) {
		xsmcSetArrayBuffer(xsResult, public_key, sizeof public_key);
	} else {
		xsmcSetInteger(xsResult, (xsIntegerValue)status);
	}
}

/* (public key) -> the instance id of the device that has it */
void xs_attestation_instance_id(xsMachine *the) {
	uint8_t ueid[PC_TOKEN_UEID];
	void *public_key;
	xsUnsignedValue size;
	xsmcGetBufferReadable(xsArg(0), &public_key, &size);
	if (size != 65) {
		xsRangeError("attestation: a public key has 65 bytes, not %d", (int)size);
	}
	pc_token_ueid(public_key, ueid);
	xsmcSetArrayBuffer(xsResult, ueid, sizeof ueid);
}

/* The body of the link's message "identity": docs/management.md. */
static struct {
	pc_job job;
	bool busy;
	attestation_status status;
	xsSlot callback;
	uint8_t public_key[65];
} identity;

static void find_identity(pc_job *job) {
	(void)job;
	identity.status = status_of(pc_keystore_attestation_public(identity.public_key));
}

static size_t put_identity(uint8_t *to, size_t capacity) {
	const char *names[] = {pc_identity.board, pc_creation.app, pc_identity.version};
	size_t size = sizeof identity.public_key + PC_TOKEN_UEID;
	memcpy(to, identity.public_key, sizeof identity.public_key);
	pc_token_ueid(identity.public_key, to + sizeof identity.public_key);
	for (size_t i = 0; i < 3; i++) {
		size_t left = capacity - size - (3 - i), length = strlen(names[i]);
		length = length < left ? length : left;
		to[size++] = (uint8_t)length;
		memcpy(to + size, names[i], length);
		size += length;
	}
	return size;
}

static void tell_identity(pc_job *job, void *machine) {
	(void)job;
	xsBeginHost(machine);
	xsmcVars(3);
	xsTry {
		uint8_t body[234]; /* the link's longest */
		xsVar(0) = identity.callback;
		xsForget(identity.callback);
		identity.busy = false;
		xsmcSetInteger(xsVar(1), (xsIntegerValue)identity.status);
		if (identity.status == ATTESTED) {
			size_t size = put_identity(body, sizeof body);
			xsmcSetArrayBuffer(xsVar(2), body, (xsIntegerValue)size);
		}
		(void)xsCallFunction2(xsVar(0), xsGlobal, xsVar(1), xsVar(2));
	}
	xsCatch {
		pc_uncaught(the, false);
	}
	xsEndHost();
}

/* (callback): calls back (status, body), once the attestation key is there. Not while another is under way */
void xs_attestation_identify(xsMachine *the) {
	if (identity.busy || xsmcArgc < 1) {
		xsTypeError("attestation: another one is under way, or an argument is missing");
	}
	identity.busy = true;
	identity.callback = xsArg(0);
	xsRemember(identity.callback);
	identity.job = (pc_job){.body = find_identity, .done = tell_identity};
	pc_background_start(&identity.job);
}
