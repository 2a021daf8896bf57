/*
 * management.h: frames on a serial line that carries text as well, in the manner of Slipmux (draft-bormann-t2trg-slipmux).
 *
 *   0xC0 | 0xA8 payload FCS-low FCS-high, escaped | 0xC0
 *
 * 0xC0 (END) and 0xDB (ESC) inside are sent as DB DC and DB DD (SLIP, RFC 1055). The check is FCS-16 of RFC 1662 appendix
 * C.2 over 0xA8 and the payload, unescaped. 0xC0 occurs in no UTF-8 text, and 0xA8 begins none, so text and frames share
 * the line. What is in a payload is docs/management.md's.
 *
 * The receiver takes any bytes: what is no valid frame (wrong check, too long, broken escape, aborted by ESC END, another
 * type, text) is dropped, and the next END begins anew. No state outlives an END.
 */
#ifndef PERICARD_MANAGEMENT_H
#define PERICARD_MANAGEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MANAGEMENT_TYPE 0xA8u
/* Bytes of a frame around its payload, unescaped and without the ENDs: type and check. */
#define MANAGEMENT_OVERHEAD 3u

/* ---- receiving -------------------------------------------------------------------------------------------------- */

typedef struct {
	uint8_t *data; /* type, payload, check of the frame under way */
	size_t capacity;
	size_t size;
	enum { MANAGEMENT_SKIP, MANAGEMENT_START, MANAGEMENT_INSIDE, MANAGEMENT_ESCAPED } state;
} management_receiver;

/* `data` is the caller's, `capacity` bytes: the longest payload and MANAGEMENT_OVERHEAD. The line is taken to begin at
 * the beginning of a frame or of text. */
void management_begin(management_receiver *receiver, uint8_t *data, size_t capacity);

/* Takes bytes of the line, up to `size` or to the one that completes a valid frame; returns how many. `*frame` says whether
 * one is complete: its payload is then management_payload(), until the next call. */
size_t management_receive(management_receiver *receiver, const uint8_t *bytes, size_t size, bool *frame);

/* The payload of the frame that management_receive() has just completed, and its size. */
const uint8_t *management_payload(const management_receiver *receiver, size_t *size);

/* ---- pace ------------------------------------------------------------------------------------------------------- */

/*
 * How much of the line is looked at per time, whatever arrives (a leaky bucket, the generic cell rate algorithm of ITU-T
 * I.371): a peer that floods the line costs the application a bounded share of the processor. A byte is worth 40 us (twice
 * the speed of 115,200 baud), a valid frame, which JavaScript looks at, 3 ms, a byte of an answer 174 us (twice its time on
 * the line, which the console's text shares); 20 ms may be saved up. Who has used it up waits for MANAGEMENT_CHUNK bytes'
 * worth, so that a flood wakes nobody for each byte.
 */
#define MANAGEMENT_BYTE_US 40u
#define MANAGEMENT_FRAME_US 3000u
#define MANAGEMENT_SENT_US 174u
#define MANAGEMENT_BURST_US 20000u
#define MANAGEMENT_CHUNK 32u

/* All zero at the start. */
typedef struct {
	uint64_t due;  /* when what was taken is paid for */
	uint64_t next; /* when to come again */
} management_pace;

/* How many bytes may be taken at `now` (microseconds), at most `wanted`. 0: come again at `pace->next`. */
size_t management_allowed(management_pace *pace, uint64_t now, size_t wanted);

/* Notes what was taken, and what an answer sent. */
void management_took(management_pace *pace, size_t bytes, bool frame);
void management_sent(management_pace *pace, size_t bytes);

/* ---- sending ---------------------------------------------------------------------------------------------------- */

/* A payload may lie in two places, one behind the other. */
typedef struct {
	const uint8_t *head, *rest;
	size_t head_size, rest_size;
} management_parts;

/* Bytes on the line of a frame with this payload, both ENDs and all escapes included. */
size_t management_frame_size(const management_parts *payload);

/* Writes that frame, in pieces, through `put`. */
void management_frame(const management_parts *payload, void (*put)(const uint8_t *data, size_t size));

/* FCS-16 of RFC 1662: start with MANAGEMENT_FCS, feed the result of one call to the next. The check that is sent is its
 * complement, low byte first. */
#define MANAGEMENT_FCS 0xFFFFu
uint16_t management_fcs(uint16_t fcs, const uint8_t *data, size_t size);

#endif
