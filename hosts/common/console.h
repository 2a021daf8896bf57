/*
 * console.h: what the firmware says on its console: plain lines for people, RFC 7464 JSON text records for machines.
 *
 * A record is 0x1E, one JSON object, LF, and always has "event". Works from a fault handler: no allocation, no XS; when
 * the transmit ring is full it waits for room.
 */
#ifndef PERICARD_CONSOLE_H
#define PERICARD_CONSOLE_H

#include <stddef.h>
#include <stdint.h>

void pc_console_bytes(const uint8_t *data, size_t size);
void pc_console_text(const char *text);

/* Around a frame of the management link (native/management). A record that cuts one off, before or after a reset, ends it
 * first, so that nobody takes the record for a part of the frame. */
void pc_console_frame_begin(void);
void pc_console_frame_end(void);

void pc_console_record_begin(const char *event);
/* Adds "name": "text", escaped per RFC 8259. */
void pc_console_record_text(const char *name, const char *text);
/* Adds "name": number. */
void pc_console_record_number(const char *name, int32_t number);
void pc_console_record_end(void);

#endif
