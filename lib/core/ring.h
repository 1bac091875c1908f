/*
 * A ring of bytes that can grow, in which both directions of a connection hold their data. Its
 * owner knows how many bytes it holds; here a byte is named by its offset from the first one.
 */
#ifndef TCPWAVE_CORE_RING_H
#define TCPWAVE_CORE_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/env.h"

/* The ring; all zero when empty. */
struct ring {
    uint8_t *bytes;
    uint32_t capacity; /* a power of two; 0: nothing allocated */
    uint32_t start;    /* position of the first byte */
};

/* Makes room for `need` bytes, counted against env.mem_max. Data that is present keeps its offset.
 * Returns false, and changes nothing, when memory is short. */
bool ring_grow(struct ring *r, struct env *e, uint32_t need);

/* Points *at to where bytes at `offset` will lie, and returns how many fit there in one run: 0 when
 * the ring is full. */
uint32_t ring_place(const struct ring *r, uint32_t offset, uint8_t **at);

/* Copies `len` bytes into or out of the ring at `offset`. They must lie within the capacity. Bytes
 * that stand already where ring_place() said, and are no more than it said, are not copied. */
void ring_put(struct ring *r, uint32_t offset, const uint8_t *from, uint32_t len);
void ring_get(const struct ring *r, uint32_t offset, uint32_t len, uint8_t *to);

/* Removes the first `n` bytes. */
static inline void ring_drop(struct ring *r, uint32_t n)
{
    r->start = r->capacity ? (r->start + n) & (r->capacity - 1) : 0;
}

/* Frees the memory; the ring is then empty. */
void ring_free(struct ring *r, struct env *e);

#endif
