/*
 * A ring of bytes whose capacity is a power of two, so that an offset is masked and not divided.
 */
#include "lib/core/ring.h"

#include <string.h>

#define RING_FIRST 2048u /* bytes; one segment of usual size fits */

bool ring_grow(struct ring *r, struct env *e, uint32_t need)
{
    uint32_t capacity = r->capacity ? r->capacity : RING_FIRST;
    uint8_t *bytes;

    if (need <= r->capacity)
        return true;
    while (capacity < need)
        capacity *= 2;
    bytes = env_realloc(e, NULL, 0, capacity);
    if (!bytes)
        return false;
    if (r->bytes) {
        ring_get(r, 0, r->capacity, bytes);
        ring_free(r, e);
    }
    *r = (struct ring){bytes, capacity, 0};
    return true;
}

void ring_put(struct ring *r, uint32_t offset, const uint8_t *from, uint32_t len)
{
    uint32_t at = (r->start + offset) & (r->capacity - 1);
    uint32_t run = r->capacity - at < len ? r->capacity - at : len;

    if (from == r->bytes + at)
        return; /* written where ring_place() said */
    memcpy(r->bytes + at, from, run);
    memcpy(r->bytes, from + run, len - run);
}

uint32_t ring_place(const struct ring *r, uint32_t offset, uint8_t **at)
{
    const uint32_t from = (r->start + offset) & (r->capacity - 1);
    const uint32_t run = r->capacity - from, free = r->capacity - offset;

    if (free == 0)
        return 0;
    *at = r->bytes + from;
    return run < free ? run : free;
}

void ring_get(const struct ring *r, uint32_t offset, uint32_t len, uint8_t *to)
{
    uint32_t at = (r->start + offset) & (r->capacity - 1);
    uint32_t run = r->capacity - at < len ? r->capacity - at : len;

    memcpy(to, r->bytes + at, run);
    memcpy(to + run, r->bytes, len - run);
}

void ring_free(struct ring *r, struct env *e)
{
    if (r->bytes)
        env_realloc(e, r->bytes, r->capacity, 0);
    *r = (struct ring){0};
}
