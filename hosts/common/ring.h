/*
 * ring.h: a byte ring with one producer and one consumer, for a driver whose handler and whose caller share bytes.
 *
 * `head` counts bytes ever put, `tail` bytes ever taken; each side writes only its own counter, so no lock is needed on
 * a single core. The storage is the caller's; its size is a power of two.
 */
#ifndef PERICARD_RING_H
#define PERICARD_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
	uint8_t *data;
	uint32_t size; /* a power of two */
	volatile uint32_t head;
	volatile uint32_t tail;
} pc_ring;

static inline uint32_t pc_ring_count(const pc_ring *ring) {
	return ring->head - ring->tail;
}

static inline uint32_t pc_ring_space(const pc_ring *ring) {
	return ring->size - pc_ring_count(ring);
}

/* False when the ring is full. */
static inline bool pc_ring_put(pc_ring *ring, uint8_t byte) {
	if (pc_ring_space(ring) == 0) {
		return false;
	}
	ring->data[ring->head & (ring->size - 1)] = byte;
	ring->head = ring->head + 1;
	return true;
}

/* False when the ring is empty. */
static inline bool pc_ring_get(pc_ring *ring, uint8_t *byte) {
	if (pc_ring_count(ring) == 0) {
		return false;
	}
	*byte = ring->data[ring->tail & (ring->size - 1)];
	ring->tail = ring->tail + 1;
	return true;
}

/* Takes up to `size` bytes; returns how many. */
static inline size_t pc_ring_read(pc_ring *ring, uint8_t *data, size_t size) {
	size_t count = 0;
	while (count < size && pc_ring_get(ring, &data[count])) {
		count++;
	}
	return count;
}

/* Puts up to `size` bytes; returns how many. */
static inline size_t pc_ring_write(pc_ring *ring, const uint8_t *data, size_t size) {
	size_t count = 0;
	while (count < size && pc_ring_put(ring, data[count])) {
		count++;
	}
	return count;
}

#endif
