/*
 * Puts IP packets that carry TCP together from their fragments: IPv4 (RFC 791, 3.2; RFC 815; RFC
 * 1122, 3.3.2) and IPv6 (RFC 8200, 4.5). What is kept is bounded in packets, bytes and time. The
 * caller supplies the time. Fragments come from outside and are never trusted.
 *
 * - Fragments that overlap are refused with their whole packet, for IPv4 as well as for IPv6 (RFC
 *   5722). The same fragment once more is no overlap, and is ignored.
 * - A fragment that does not fit the others and comes later than IP_REASSEMBLY_PAUSE behind them
 *   begins another packet, and the one before is given up: some hosts and devices give every packet
 *   the same identification, and repeat what was not acknowledged.
 * - A packet that arrives twice is given twice. Fragments that come once more after their packet
 *   was complete, and never become one, are not counted as a packet that misses something.
 * - Once the first fragment is here, the caller is asked whether the packet's flow matters. If not,
 *   its fragments are thrown away and not counted.
 */
#ifndef TCPWAVE_CORE_IP_REASSEMBLY_H
#define TCPWAVE_CORE_IP_REASSEMBLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/core/flow.h"
#include "lib/core/seq.h"
#include "lib/core/time.h"

#define IP_REASSEMBLY_PACKETS 64       /* incomplete at a time; beyond that the oldest goes */
#define IP_REASSEMBLY_BYTES (2u << 20) /* of all fragments that are kept; likewise */
/* From a packet's first fragment to arrive on (RFC 1122, 3.3.2; RFC 8200, 4.5). */
#define IP_REASSEMBLY_TIME (60 * WAVE_S)
#define IP_REASSEMBLY_PAUSE (100 * WAVE_MS) /* between packets of one identification */
#define IP_REASSEMBLY_LATE WAVE_S           /* what has not come by then counts as missing */
#define IP_REASSEMBLY_HEADER 256            /* bytes of headers before the fragments' data */

/* A fragment, as it arrived. The pointers point into the packet. */
struct ip_fragment {
    bool v6, more;    /* `more`: it is not the last one */
    uint8_t ecn;      /* the two bits of the IP header */
    uint8_t protocol; /* what the data begins with, if this is the first fragment */
    struct addr source, target;
    uint32_t id;
    uint32_t offset, len; /* of its data, in bytes; len > 0 */
    const uint8_t *data;
    const uint8_t
        *header; /* IP header with options or extension headers, which each fragment has */
    uint32_t header_len;
    uint32_t protocol_at; /* where in the header the number of what follows it stands */
};

/*
 * Decodes a packet that is a fragment and may carry TCP (of IPv6, the first one alone tells: RFC
 * 8200, 4.5). Returns 0; WAVE_ENOTOURS when it is no fragment (nor is one that is the whole packet:
 * RFC 6946) or carries another protocol; WAVE_ETRUNC when the capture ends before it does;
 * WAVE_EMALFORMED when it ends beyond the largest packet, or is not the last one and has a length
 * that is not a multiple of 8.
 */
int ip_fragment_parse(const uint8_t *bytes, size_t caplen, struct ip_fragment *out);

struct ip_reassembly;

/* Returns whether packets of that flow, as their sender sees it, are wanted. */
typedef bool ip_reassembly_wants(void *ctx, const struct flow *flow);

/* Returns a new room for fragments; NULL when memory is out. */
struct ip_reassembly *ip_reassembly_create(ip_reassembly_wants *wants, void *ctx);

/* Is given each packet of a wanted flow that a fragment is missing of, once: its flow, as its
 * sender sees it, and where in the flow its data begins. */
typedef void ip_reassembly_lacks(void *ctx, const struct flow *flow, struct seq seq);

/* Has `lacks` called from now on, by the calls of ip_reassembly_add() that give a packet up, and by
 * ip_reassembly_look(). */
void ip_reassembly_tell(struct ip_reassembly *r, ip_reassembly_lacks *lacks, void *ctx);

/* Gives up, as of `now`, what has waited for a fragment for IP_REASSEMBLY_LATE; `r` may be NULL. */
void ip_reassembly_look(struct ip_reassembly *r, wave_time now);

/* Frees the room; `r` may be NULL. */
void ip_reassembly_free(struct ip_reassembly *r);

/* A packet that was put together, as if it had never been cut; ip_parse() reads it. */
struct ip_whole {
    const uint8_t *bytes; /* valid until the next call */
    uint32_t len;
    uint32_t fragments; /* it came in so many, without those that came once more */
};

/* Takes a fragment in. Returns 0 and *out when it completes its packet; WAVE_EAGAIN when it does
 * not; WAVE_EMALFORMED when it is not taken: it is the first one of an IPv6 packet and ends before
 * the TCP header does (RFC 8200, 4.5; RFC 7112). `now` never goes back. */
int ip_reassembly_add(struct ip_reassembly *r, wave_time now, const struct ip_fragment *f,
                      struct ip_whole *out);

/* Counts packets of wanted flows. */
struct ip_reassembly_counts {
    uint64_t packets, fragments; /* put together, and the fragments that they came in */
    uint64_t missing;            /* a fragment of them has not come */
    uint64_t nameless;           /* likewise; it is the first one, which alone names the ports, so
                                    that the flow is not known */
    uint64_t refused;            /* fragments of them overlapped, or contradicted each other */
    uint64_t crowded_out;        /* given up for want of room */
    bool has_seq;
    struct seq seq; /* with `missing`: the highest sequence number of those packets */
};

/* Returns the counts as of `now`. `r` may be NULL. */
struct ip_reassembly_counts ip_reassembly_counts(const struct ip_reassembly *r, wave_time now);

#endif
