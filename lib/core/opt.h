/*
 * TCP options (RFC 9293, 3.1 and 3.2; RFC 7323; RFC 2018), decoded.
 *
 * Reading never fails: what is malformed is left out and noted, as RFC 9293
 * MUST-6 and MUST-7 (and the field's practice) ask, since a peer's nonsense is
 * no error of ours.
 */
#ifndef TCPWAVE_CORE_OPT_H
#define TCPWAVE_CORE_OPT_H

#include <stddef.h>
#include <stdint.h>

#include "lib/core/seq.h"

#define OPT_BYTES_MAX 40 /* data offset is four bits: 60 bytes of header, 20 of them fixed */
#define OPT_SACK_MAX 4   /* blocks that fit into 40 bytes (RFC 2018, section 3) */

enum opt_kind {
    OPT_KIND_EOL = 0,
    OPT_KIND_NOP = 1,
    OPT_KIND_MSS = 2,
    OPT_KIND_WSCALE = 3,
    OPT_KIND_SACK_PERMITTED = 4,
    OPT_KIND_SACK = 5,
    OPT_KIND_TIMESTAMP = 8,
    OPT_KIND_MD5 = 19,
    OPT_KIND_USER_TIMEOUT = 28,
    OPT_KIND_FAST_OPEN = 34
};

/* Bits of `has`. */
enum {
    OPT_MSS = 1 << 0,
    OPT_WSCALE = 1 << 1,
    OPT_SACK_PERMITTED = 1 << 2,
    OPT_SACK = 1 << 3,
    OPT_TIMESTAMP = 1 << 4,
    OPT_OTHER = 1 << 5,    /* a kind not decoded here; it stands in `raw` */
    OPT_MALFORMED = 1 << 6 /* a length that cannot be; reading stopped or the option was skipped */
};

/* A block of received bytes: first <= byte < end (RFC 2018, section 3). */
struct sack_block {
    struct seq first, end;
};

struct opt {
    uint8_t has;     /* OPT_... */
    uint8_t wscale;  /* shift count as sent: 0 to 255, RFC 7323 caps what is used at 14 */
    uint16_t mss;    /* bytes */
    uint8_t sacks;   /* blocks that are valid */
    uint8_t raw_len; /* bytes of `raw` that are valid */
    struct sack_block sack[OPT_SACK_MAX];
    uint32_t tsval, tsecr; /* RFC 7323, section 3.2; host order */
    const uint8_t *raw;    /* the option bytes as they stood in the segment, or NULL */
};

/*
 * Decodes `len` option bytes (0 to 40) into *o, which is overwritten whole.
 * `o->raw` points into `bytes`, which must outlive it.
 */
void opt_parse(const uint8_t *bytes, size_t len, struct opt *o);

/*
 * Encodes MSS, SACK-permitted, timestamps, window scale and SACK blocks, as far as
 * `o->has` names them, aligned with NOPs as hosts do, padded to a multiple of four.
 * SACK blocks that no longer fit are left off from the end. Returns the number of bytes
 * written to `bytes`, 0 to 40, always a multiple of 4.
 */
size_t opt_build(const struct opt *o, uint8_t bytes[OPT_BYTES_MAX]);

/* The size opt_build() would give, in bytes. */
size_t opt_size(const struct opt *o);

#endif
