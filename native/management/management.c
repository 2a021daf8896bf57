/*
 * management.c: see management.h. A byte costs the receiver a dozen instructions; the check is computed when a frame has
 * ended and could be one, so that noise costs no more than looking for its end.
 */
#include "management.h"

#define END 0xC0u
#define ESC 0xDBu
#define ESC_END 0xDCu
#define ESC_ESC 0xDDu

/* What is left of type, payload and check when they are right (RFC 1662 C.2). */
#define GOOD_FCS 0xF0B8u

/* The remainder of a nibble, polynomial 0x8408 (0x1021 reflected). */
static const uint16_t nibble[16] = {0x0000, 0x1081, 0x2102, 0x3183, 0x4204, 0x5285, 0x6306, 0x7387, 0x8408, 0x9489,
	0xA50A, 0xB58B, 0xC60C, 0xD68D, 0xE70E, 0xF78F};

uint16_t management_fcs(uint16_t fcs, const uint8_t *data, size_t size) {
	uint32_t rest = fcs;
	for (; size > 0; data++, size--) {
		rest = rest >> 4 ^ nibble[(rest ^ *data) & 15u];
		rest = rest >> 4 ^ nibble[(rest ^ *data >> 4) & 15u];
	}
	return (uint16_t)rest;
}

void management_begin(management_receiver *receiver, uint8_t *data, size_t capacity) {
	*receiver = (management_receiver){.data = data, .capacity = capacity, .state = MANAGEMENT_START};
}

static void append(management_receiver *receiver, uint8_t byte) {
	if (receiver->size == receiver->capacity) {
		receiver->state = MANAGEMENT_SKIP;
		return;
	}
	receiver->data[receiver->size++] = byte;
	receiver->state = MANAGEMENT_INSIDE;
}

static bool complete(const management_receiver *receiver) {
	return receiver->state == MANAGEMENT_INSIDE && receiver->size >= MANAGEMENT_OVERHEAD &&
		   management_fcs(MANAGEMENT_FCS, receiver->data, receiver->size) == GOOD_FCS;
}

size_t management_receive(management_receiver *receiver, const uint8_t *bytes, size_t size, bool *frame) {
	*frame = false;
	for (size_t i = 0; i < size; i++) {
		uint8_t byte = bytes[i];
		if (byte == END) {
			*frame = complete(receiver);
			receiver->state = MANAGEMENT_START;
			if (*frame) {
				return i + 1;
			}
			continue;
		}
		switch (receiver->state) {
		case MANAGEMENT_SKIP:
			break;
		case MANAGEMENT_START:
			receiver->size = 0;
			if (byte == MANAGEMENT_TYPE) {
				append(receiver, byte);
			} else {
				receiver->state = MANAGEMENT_SKIP;
			}
			break;
		case MANAGEMENT_INSIDE:
			if (byte == ESC) {
				receiver->state = MANAGEMENT_ESCAPED;
			} else {
				append(receiver, byte);
			}
			break;
		case MANAGEMENT_ESCAPED:
			if (byte == ESC_END) {
				append(receiver, END);
			} else if (byte == ESC_ESC) {
				append(receiver, ESC);
			} else {
				receiver->state = MANAGEMENT_SKIP;
			}
			break;
		}
	}
	return size;
}

const uint8_t *management_payload(const management_receiver *receiver, size_t *size) {
	*size = receiver->size - MANAGEMENT_OVERHEAD;
	return receiver->data + 1;
}

size_t management_allowed(management_pace *pace, uint64_t now, size_t wanted) {
	if (pace->due + MANAGEMENT_BURST_US < now) {
		pace->due = now - MANAGEMENT_BURST_US;
	}
	if (pace->next > now) {
		return 0;
	}
	if (pace->due > now) {
		pace->next = pace->due + MANAGEMENT_CHUNK * MANAGEMENT_BYTE_US;
		return 0;
	}
	uint64_t allowed = (now - pace->due) / MANAGEMENT_BYTE_US + 1u;
	return allowed < wanted ? (size_t)allowed : wanted;
}

void management_took(management_pace *pace, size_t bytes, bool frame) {
	pace->due += (uint64_t)bytes * MANAGEMENT_BYTE_US + (frame ? MANAGEMENT_FRAME_US : 0u);
}

void management_sent(management_pace *pace, size_t bytes) {
	pace->due += (uint64_t)bytes * MANAGEMENT_SENT_US;
}

static bool special(uint8_t byte) {
	return byte == END || byte == ESC;
}

static void check_of(const management_parts *payload, uint8_t check[2]) {
	static const uint8_t type = MANAGEMENT_TYPE;
	uint16_t fcs = management_fcs(MANAGEMENT_FCS, &type, 1);
	fcs = management_fcs(fcs, payload->head, payload->head_size);
	uint32_t sent = management_fcs(fcs, payload->rest, payload->rest_size) ^ 0xFFFFu;
	check[0] = (uint8_t)sent;
	check[1] = (uint8_t)(sent >> 8);
}

static size_t escaped_size(const uint8_t *data, size_t size) {
	size_t total = size;
	for (size_t i = 0; i < size; i++) {
		total += special(data[i]);
	}
	return total;
}

size_t management_frame_size(const management_parts *payload) {
	uint8_t check[2];
	check_of(payload, check);
	return 3u + escaped_size(payload->head, payload->head_size) + escaped_size(payload->rest, payload->rest_size) +
		   escaped_size(check, sizeof check);
}

static void put_escaped(const uint8_t *data, size_t size, void (*put)(const uint8_t *data, size_t size)) {
	while (size > 0) {
		size_t plain = 0;
		while (plain < size && !special(data[plain])) {
			plain++;
		}
		put(data, plain);
		if (plain == size) {
			return;
		}
		put((const uint8_t[]){ESC, data[plain] == END ? ESC_END : ESC_ESC}, 2);
		data += plain + 1;
		size -= plain + 1;
	}
}

void management_frame(const management_parts *payload, void (*put)(const uint8_t *data, size_t size)) {
	uint8_t check[2];
	check_of(payload, check);
	put((const uint8_t[]){END, MANAGEMENT_TYPE}, 2);
	put_escaped(payload->head, payload->head_size, put);
	put_escaped(payload->rest, payload->rest_size, put);
	put_escaped(check, sizeof check, put);
	put((const uint8_t[]){END}, 1);
}
