/*
 * TCP options (RFC 9293, 3.1 and 3.2; RFC 7323; RFC 2018), parsed and built.
 *
 * Parsing never fails. What is malformed is left out and noted, as RFC 9293, MUST-6 and MUST-7 and
 * common practice ask: a peer's nonsense is not an error of ours.
 */
#ifndef TCPWAVE_CORE_OPT_H
#define TCPWAVE_CORE_OPT_H

#include <stddef.h>
#include <stdint.h>

#include "lib/core/seq.h"

#define OPT_BYTES_MAX 40 /* a 4-bit data offset allows 60 bytes of header; 20 are fixed */
#define OPT_SACK_MAX 4   /* how many blocks fit into 40 bytes (RFC 2018, section 3) */

/* The option kinds (IANA's registry). */
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

/* The bits of `has`. */
enum {
    OPT_MSS = 1 << 0,
    OPT_WSCALE = 1 << 1,
    OPT_SACK_PERMITTED = 1 << 2,
    OPT_SACK = 1 << 3,
    OPT_TIMESTAMP = 1 << 4,
    OPT_OTHER = 1 << 5,     /* a kind that is not decoded here; it is in `raw` */
    OPT_MALFORMED = 1 << 6, /* an impossible length; parsing stopped, or the option was skipped */
    OPT_CUT = 1 << 7        /* a capture has only the first of them: there may be others */
};

/* A block of received bytes: first <= byte < end (RFC 2018, section 3). */
struct sack_block {
    struct seq first, end;
};

/* The options of one segment. */
struct opt {
    uint8_t has;     /* OPT_... */
    uint8_t wscale;  /* shift count as sent: 0 to 255; RFC 7323 limits what is used to 14 */
    uint16_t mss;    /* bytes */
    uint8_t sacks;   /* blocks that are valid */
    uint8_t raw_len; /* bytes of `raw` that are valid */
    struct sack_block sack[OPT_SACK_MAX];
    uint32_t tsval, tsecr; /* RFC 7323, section 3.2; host order */
    const uint8_t *raw;    /* the option bytes as they were in the segment, or NULL */
};

/*
 * Parses `len` option bytes (0 to 40) into *o, which is overwritten entirely. `o->raw` points into
 * `bytes`, which must outlive it.
 */
void opt_parse(const uint8_t *bytes, size_t len, struct opt *o);

/*
 * Builds MSS, SACK-permitted, timestamps, window scale and SACK blocks, those that `o->has` names,
 * aligned with NOPs as hosts do and padded to a multiple of four. SACK blocks that do not fit are
 * dropped from the end. Returns the number of bytes written to `bytes`, 0 to 40, always a multiple
 * of 4.
 */
size_t opt_build(const struct opt *o, uint8_t bytes[OPT_BYTES_MAX]);

/* Returns the number of bytes that opt_build() would write. */
size_t opt_size(const struct opt *o);

#endif
