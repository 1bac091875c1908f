/*
 * A ring of bytes that grows: what both directions of a connection keep their data in. Its owner
 * knows how many bytes it holds; here they are named by their offset from the first one.
 */
#ifndef TCPWAVE_CORE_RING_H
#define TCPWAVE_CORE_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/env.h"

struct ring {
    uint8_t *bytes;
    uint32_t capacity; /* a power of two; 0: nothing allocated */
    uint32_t start;    /* where the first byte lies */
};

/* Room for `need` bytes, counted against env.mem_max; what is there keeps its offset. False, and
 * nothing changed, when memory is short. */
bool ring_grow(struct ring *r, struct env *e, uint32_t need);

/* Copies `len` bytes to, or from, `offset` on. They lie within the capacity. */
void ring_put(struct ring *r, uint32_t offset, const uint8_t *from, uint32_t len);
void ring_get(const struct ring *r, uint32_t offset, uint32_t len, uint8_t *to);

/* The first `n` bytes go. */
static inline void ring_drop(struct ring *r, uint32_t n)
{
    r->start = r->capacity ? (r->start + n) & (r->capacity - 1) : 0;
}

void ring_free(struct ring *r, struct env *e);

#endif
