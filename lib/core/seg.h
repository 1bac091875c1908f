/*
 * A TCP segment (RFC 9293, section 3.1), decoded. The engine's input and output are segments of
 * this form. All fields are in host order.
 */
#ifndef TCPWAVE_CORE_SEG_H
#define TCPWAVE_CORE_SEG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/core/flow.h"
#include "lib/core/opt.h"
#include "lib/core/seq.h"

#define SEG_HEADER 20     /* bytes of the fixed header */
#define SEG_HEADER_MAX 60 /* with all option bytes that fit */
#define SEG_FLAGS_AT 13   /* where the lower eight flags are in the TCP header, */
#define SEG_CHECKSUM_AT 16 /* where the checksum is in it */

/* The nine flag bits, as in bytes 12 and 13 of the header. AE is RFC 9768's name for the bit that
 * RFC 3540 called NS. */
enum {
    SEG_FIN = 0x001,
    SEG_SYN = 0x002,
    SEG_RST = 0x004,
    SEG_PSH = 0x008,
    SEG_ACK = 0x010,
    SEG_URG = 0x020,
    SEG_ECE = 0x040,
    SEG_CWR = 0x080,
    SEG_AE = 0x100
};

/* The two ECN bits of the IP header (RFC 3168, section 5). */
enum { ECN_NOT = 0, ECN_ECT1 = 1, ECN_ECT0 = 2, ECN_CE = 3 };

/* A segment. */
struct seg {
    struct seq seq, ack; /* ack is meaningful only with SEG_ACK */
    uint16_t flags;      /* SEG_... */
    uint16_t wnd;        /* as in the header, not scaled */
    uint16_t urp;        /* urgent pointer */
    uint8_t ecn;         /* ECN_... from the header of the IP packet */
    uint8_t reserved;    /* the three reserved bits, as sent */
    struct opt opt;
    uint32_t len;        /* bytes of data */
    uint16_t train;      /* 0: it is one segment. Otherwise it is several, to be cut at this many
                            bytes of data: each has this header, with the numbers that go on, and
                            only the last one, which may be shorter, has its PSH */
    const uint8_t *data; /* memory of the segment's maker; NULL when len is 0 */
};

/* Returns SEG.LEN of RFC 9293, 3.4: the data, plus one each for SYN and FIN. */
static inline uint32_t seg_len(const struct seg *s)
{
    return s->len + ((s->flags & SEG_SYN) != 0) + ((s->flags & SEG_FIN) != 0);
}

/* Returns how many segments it is, if it is a train. */
static inline uint32_t seg_count(const struct seg *s)
{
    return s->train ? (s->len + s->train - 1) / s->train : 1;
}

/* Returns the sequence number after the segment. */
static inline struct seq seg_end(const struct seg *s)
{
    return seq_add(s->seq, seg_len(s));
}

/*
 * Parses the `len` bytes of a TCP segment, header and data, without checking the checksum. The
 * ports are not part of a struct seg; seg_ports() reads them. Returns 0; WAVE_ETRUNC when there are
 * fewer than 20 bytes, or fewer than the data offset says; WAVE_EMALFORMED when the data offset is
 * below 5. The data and options of the result point into `bytes`.
 */
int seg_parse(const uint8_t *bytes, size_t len, struct seg *out);

/* Does the same where a capture has kept only the first `there` of the segment's `len` bytes: the
 * fixed header has to be among them. Of the options those count that are there, and `data` of the
 * result is NULL, though its `len` is what was sent. */
int seg_parse_cut(const uint8_t *bytes, size_t there, size_t len, struct seg *out);

/* Reads the source and destination ports of a segment of at least four bytes. */
void seg_ports(const uint8_t *bytes, uint16_t *source, uint16_t *destination);

/*
 * Builds header, options and data with a correct checksum, as `flow->local` would send it to
 * `flow->remote`. Data that stand in their place already are not copied. Returns the number of
 * bytes written, or WAVE_EINVAL when `room` is too small. For the simulator and the tests; segments
 * for the wire are built with libnet.
 */
int seg_build(const struct flow *flow, const struct seg *s, uint8_t *bytes, size_t room);

/*
 * Returns whether the checksum of a complete segment is correct (RFC 9293, 3.1, with the
 * pseudo-header of its family). It does not matter which end's view `flow` has: the sum is the
 * same.
 */
bool seg_checksum_ok(const struct flow *flow, const uint8_t *bytes, size_t len);

#define SEG_FLAGS_TEXT 16
/* Writes the flags in tcpdump's notation: "S", "S.", ".", "P.", "F.", "R.", followed by E W e U in
 * tcpdump's order ("SEW", "S.E"); "none" when no flag is set. */
const char *seg_flags_text(uint16_t flags, char text[SEG_FLAGS_TEXT]);

#endif
