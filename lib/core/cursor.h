/*
 * A bounds-checked reader for bytes from outside, which may contain anything. Once a read does not
 * fit, `short_` stays set and every later read returns zero, so that a parser can read a whole
 * header and check once.
 */
#ifndef TCPWAVE_CORE_CURSOR_H
#define TCPWAVE_CORE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A position in bytes, and how many are left. */
struct cursor {
    const uint8_t *at;
    size_t left; /* bytes */
    bool short_;
};

/* Starts at the first of `len` bytes, which must outlive the cursor. */
static inline struct cursor cursor_of(const void *bytes, size_t len)
{
    return (struct cursor){bytes, len, false};
}

/* Returns the next n bytes. When there are fewer, it returns NULL and sets `short_`. */
static inline const uint8_t *cursor_bytes(struct cursor *c, size_t n)
{
    const uint8_t *p = c->at;
    if (c->short_ || n > c->left) {
        c->short_ = true;
        c->left = 0;
        return NULL;
    }
    c->at += n;
    c->left -= n;
    return p;
}

/* Returns the next byte; 0 when there is none, and `short_` is set. */
static inline uint8_t cursor_u8(struct cursor *c)
{
    const uint8_t *p = cursor_bytes(c, 1);
    return p ? p[0] : 0;
}

/* Numbers are big-endian, as in all of IP and TCP. */
static inline uint16_t cursor_u16(struct cursor *c)
{
    const uint8_t *p = cursor_bytes(c, 2);
    return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

static inline uint32_t cursor_u32(struct cursor *c)
{
    const uint8_t *p = cursor_bytes(c, 4);
    return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

#endif
