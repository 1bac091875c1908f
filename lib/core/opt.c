/*
 * Parses and builds TCP options. The parser goes on after an option whose contents are wrong, but
 * stops at a length that makes the start of the next option unknown. The builder lays the options
 * out as other hosts do, aligned with NOPs.
 */
#include "lib/core/opt.h"

#include <stdbool.h>
#include <string.h>

#include "lib/core/bytes.h"
#include "lib/core/cursor.h"

/* Lengths on the wire, including the kind and length bytes. */
enum {
    LEN_MSS = 4,
    LEN_WSCALE = 3,
    LEN_SACK_PERMITTED = 2,
    LEN_TIMESTAMP = 10,
    LEN_SACK_HEAD = 2,
    LEN_SACK_BLOCK = 8
};

#define STAMPS_ALONE                                                                               \
    (OPT_KIND_NOP << 24 | OPT_KIND_NOP << 16 | OPT_KIND_TIMESTAMP << 8 | LEN_TIMESTAMP)

/* Parses one option whose length fits the bytes that are present; `body` is what follows the length
 * byte. Returns false when its length is wrong for its kind. */
static bool take(uint8_t kind, size_t length, struct cursor body, struct opt *o)
{
    switch (kind) {
    case OPT_KIND_MSS:
        if (length != LEN_MSS)
            return false;
        o->mss = cursor_u16(&body);
        o->has |= OPT_MSS;
        return true;
    case OPT_KIND_WSCALE:
        if (length != LEN_WSCALE)
            return false;
        o->wscale = cursor_u8(&body);
        o->has |= OPT_WSCALE;
        return true;
    case OPT_KIND_SACK_PERMITTED:
        if (length != LEN_SACK_PERMITTED)
            return false;
        o->has |= OPT_SACK_PERMITTED;
        return true;
    case OPT_KIND_TIMESTAMP:
        if (length != LEN_TIMESTAMP)
            return false;
        o->tsval = cursor_u32(&body);
        o->tsecr = cursor_u32(&body);
        o->has |= OPT_TIMESTAMP;
        return true;
    case OPT_KIND_SACK:
        /* The length is 8n + 2 (RFC 2018, section 3). An option without blocks would say
         * nothing. */
        if (length == LEN_SACK_HEAD || (length - LEN_SACK_HEAD) % LEN_SACK_BLOCK != 0)
            return false;
        o->sacks = (uint8_t)((length - LEN_SACK_HEAD) / LEN_SACK_BLOCK);
        for (unsigned i = 0; i < o->sacks; i++) {
            o->sack[i].first = seq_of(cursor_u32(&body));
            o->sack[i].end = seq_of(cursor_u32(&body));
        }
        o->has |= OPT_SACK;
        return true;
    default:
        /* Unknown options are ignored (RFC 9293, MUST-6). They can still be read in `raw`. */
        o->has |= OPT_OTHER;
        return true;
    }
}

/* Parses one option after the other. It stands apart, so that what most segments have is not
 * charged with the registers that it needs. */
__attribute__((noinline)) static void parse_each(const uint8_t *bytes, size_t len, struct opt *o)
{
    for (struct cursor c = cursor_of(bytes, len); c.left > 0;) {
        const uint8_t kind = cursor_u8(&c);
        size_t length;
        const uint8_t *body;

        if (kind == OPT_KIND_EOL)
            return;
        if (kind == OPT_KIND_NOP)
            continue;
        /* The length does not cover the option itself, or reaches past the end. Where the next
         * option begins cannot be known, so parsing stops (RFC 9293, MUST-7). */
        length = cursor_u8(&c);
        body = length >= 2 ? cursor_bytes(&c, length - 2) : NULL;
        if (!body) {
            o->has |= OPT_MALFORMED;
            return;
        }
        if (!take(kind, length, cursor_of(body, length - 2), o))
            o->has |= OPT_MALFORMED;
    }
}

void opt_parse(const uint8_t *bytes, size_t len, struct opt *o)
{
    memset(o, 0, sizeof *o);
    if (len == 0)
        return;
    if (len > OPT_BYTES_MAX)
        len = OPT_BYTES_MAX; /* so that there are never more than four SACK blocks */
    o->raw = bytes;
    o->raw_len = (uint8_t)len;
    /* What most segments have: two NOPs and timestamps (RFC 7323, appendix A). */
    if (len == 2 + LEN_TIMESTAMP && get_u32(bytes) == STAMPS_ALONE) {
        o->has = OPT_TIMESTAMP;
        o->tsval = get_u32(bytes + 4);
        o->tsecr = get_u32(bytes + 8);
        return;
    }
    parse_each(bytes, len, o);
}

/* Returns the size of everything but the SACK blocks, with the NOPs that align it. With timestamps,
 * SACK-permitted takes the place of their two NOPs. */
static size_t fixed_size(const struct opt *o)
{
    size_t n = 0;

    if (o->has & OPT_MSS)
        n += LEN_MSS;
    if (o->has & OPT_TIMESTAMP)
        n += 2 + LEN_TIMESTAMP;
    else if (o->has & OPT_SACK_PERMITTED)
        n += 2 + LEN_SACK_PERMITTED;
    if (o->has & OPT_WSCALE)
        n += 1 + LEN_WSCALE;
    return n;
}

/* Returns how many SACK blocks fit after `fixed` bytes. */
static size_t sack_count(const struct opt *o, size_t fixed)
{
    const size_t room = (OPT_BYTES_MAX - fixed - 2 - LEN_SACK_HEAD) / LEN_SACK_BLOCK;

    if (!(o->has & OPT_SACK))
        return 0;
    return o->sacks < room ? o->sacks : room;
}

size_t opt_size(const struct opt *o)
{
    const size_t fixed = fixed_size(o);
    const size_t blocks = sack_count(o, fixed);

    return fixed + (blocks ? 2 + LEN_SACK_HEAD + blocks * LEN_SACK_BLOCK : 0);
}

/* Writes four bytes: two NOPs or two bytes of an option, then kind and length. */
static uint8_t *put_head(uint8_t *p, uint8_t first, uint8_t second, uint8_t kind, size_t length)
{
    return put_u32(p, (uint32_t)first << 24 | (uint32_t)second << 16 | (uint32_t)kind << 8 |
                          (uint32_t)length);
}

size_t opt_build(const struct opt *o, uint8_t bytes[OPT_BYTES_MAX])
{
    const size_t blocks = sack_count(o, fixed_size(o));
    const bool permitted = o->has & OPT_SACK_PERMITTED;
    uint8_t *p = bytes;

    if (o->has & OPT_MSS)
        p = put_u32(p, (uint32_t)OPT_KIND_MSS << 24 | (uint32_t)LEN_MSS << 16 | o->mss);
    if (o->has & OPT_TIMESTAMP) {
        p = permitted ? put_head(p, OPT_KIND_SACK_PERMITTED, LEN_SACK_PERMITTED, OPT_KIND_TIMESTAMP,
                                 LEN_TIMESTAMP)
                      : put_head(p, OPT_KIND_NOP, OPT_KIND_NOP, OPT_KIND_TIMESTAMP, LEN_TIMESTAMP);
        p = put_u32(p, o->tsval);
        p = put_u32(p, o->tsecr);
    } else if (permitted) {
        p = put_head(p, OPT_KIND_NOP, OPT_KIND_NOP, OPT_KIND_SACK_PERMITTED, LEN_SACK_PERMITTED);
    }
    if (o->has & OPT_WSCALE)
        p = put_head(p, OPT_KIND_NOP, OPT_KIND_WSCALE, LEN_WSCALE, o->wscale);
    if (blocks)
        p = put_head(p, OPT_KIND_NOP, OPT_KIND_NOP, OPT_KIND_SACK,
                     LEN_SACK_HEAD + blocks * LEN_SACK_BLOCK);
    for (size_t i = 0; i < blocks; i++) {
        p = put_u32(p, o->sack[i].first.v);
        p = put_u32(p, o->sack[i].end.v);
    }
    return (size_t)(p - bytes);
}
