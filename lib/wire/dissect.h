/*
 * From a captured frame to the TCP segment in it, or the ICMP error about one: link layer, tunnel,
 * IP with its fragments, TCP. Nothing is copied but what arrived in fragments.
 */
#ifndef TCPWAVE_WIRE_DISSECT_H
#define TCPWAVE_WIRE_DISSECT_H

#include "lib/core/ip.h"
#include "lib/core/ip_reassembly.h"
#include "lib/wire/capture_file.h"
#include "lib/wire/tunnel.h"

/* What frames were, in numbers. */
struct dissect_counts {
    uint64_t frames;
    uint64_t truncated; /* cut off before the end of the TCP header */
    uint64_t malformed; /* lengths that contradict each other */
    uint64_t unknown;   /* of a link type that is not known, */
    int unknown_dlt;    /* of which this is the first one */
    uint64_t other;     /* no TCP, and no error about it */
    uint64_t cut;       /* segments of which the capture kept less than their data */
    uint64_t tunnelled; /* segments from inside a tunnel */
};

/* Empty when zeroed. */
struct dissect {
    struct ip_reassembly *fragments; /* NULL: none came yet */
    ip_reassembly_lacks *lacks; /* is given each packet that a fragment is missing of; or NULL */
    void *lacks_ctx;
    wave_time now;    /* the latest stamp */
    wave_time looked; /* of the last dissect_look() */
    struct dissect_counts counts;
};

/* A segment, or an ICMP error, out of a frame. */
struct dissected {
    wave_time stamp;
    struct packet packet;
    const uint8_t *ip; /* points into the record, or, of fragments, is valid until the next call */
    uint32_t ip_len;
    uint32_t fragments; /* it came in so many; 0: in one piece */
    uint32_t place; /* where on its way it was captured: two places that differ are two numbers */
    enum tunnel_kind tunnel;
    const uint8_t
        *mac; /* FRAME_ADDRESS bytes: the link-layer address that it comes from; or NULL */
};

/* Returns 0 and *out; WAVE_EAGAIN for a fragment that waits for others; another code, which is
 * counted, where there is nothing of ours in the frame. */
int dissect_frame(struct dissect *d, const struct capture_record *r, struct dissected *out);

/* Gives up what has waited for a fragment for a second. */
void dissect_look(struct dissect *d);

/* Frees what is kept of fragments. */
void dissect_end(struct dissect *d);

#endif
